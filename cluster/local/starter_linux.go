package local

import "syscall"

// endsWithStarter makes the kernel kill the program when this process dies,
// however it dies: programs of others do not watch their standard input.
func endsWithStarter() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
