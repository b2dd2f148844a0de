//go:build !linux

package local

import "syscall"

// endsWithStarter promises nothing here: a program of others stays when this
// process is killed.
func endsWithStarter() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
