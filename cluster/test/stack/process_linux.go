package stack

import "syscall"

// processAttributes gives the provider a process group of its own, since Ctrl-C in
// a terminal is for us to handle, and ends it when we die, however that happens.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
