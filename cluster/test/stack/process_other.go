//go:build !linux

package stack

import "syscall"

// processAttributes gives the provider a process group of its own. Without Linux's
// parent-death signal it outlives us when we are killed.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
