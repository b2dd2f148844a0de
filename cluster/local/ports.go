package local

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// reservation is a free loopback port that this process holds by binding it,
// without listening, for as long as the control plane lives. A component binds
// it too, by SO_REUSEPORT or (as every Go program does) by SO_REUSEADDR, and is the
// only one that gets connections. Nobody else can be given the port in between:
// neither before the component starts nor while it is down for a restart.
type reservation struct {
	port int
	fd   int
}

// reserve returns n reserved ports.
func reserve(n int) (_ []reservation, err error) {
	var held []reservation
	defer func() {
		if err != nil {
			release(held)
		}
	}()
	for range n {
		r, err := reserveOne()
		if err != nil {
			return held, fmt.Errorf("cannot reserve a loopback port: %w", err)
		}
		held = append(held, r)
	}
	return held, nil
}

func reserveOne() (reservation, error) {
	// As package net does where a socket cannot be born close-on-exec.
	syscall.ForkLock.RLock()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return reservation{}, err
	}
	port, err := bindFree(fd)
	if err != nil {
		return reservation{}, errors.Join(err, unix.Close(fd))
	}
	return reservation{port: port, fd: fd}, nil
}

// bindFree binds the socket to a loopback port of the kernel's choice.
func bindFree(fd int) (int, error) {
	for _, option := range []int{unix.SO_REUSEPORT, unix.SO_REUSEADDR} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1); err != nil {
			return 0, err
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	addr, err := unix.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	return addr.(*unix.SockaddrInet4).Port, nil
}

func release(held []reservation) {
	for _, r := range held {
		_ = unix.Close(r.fd)
	}
}

func (r reservation) url(scheme string) string {
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, r.port)
}
