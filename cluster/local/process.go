package local

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopDeadline is how long a program has to end by itself. The slowest, the
// API server, takes about a second.
const stopDeadline = 15 * time.Second

// Command is a program to run.
type Command struct {
	// Name of the process; its log is NAME.log.
	Name   string
	Binary string
	Args   []string
	// Env is the environment besides HOME and TMPDIR. Nothing of this process'
	// environment is in it: a KUBECONFIG or a proxy set outside must not reach it.
	Env []string
}

// Process is a running program.
type Process struct {
	name string
	log  string
	cmd  *exec.Cmd
	// lifeline is the other end of the component's standard input. The component
	// ends when it is closed, and the kernel closes it when this process dies.
	lifeline io.Closer
	// ended is closed when the program has ended and is reaped.
	ended chan struct{}
}

// startProcess starts a program, with its output appended to a log file.
func startProcess(command Command, logFile string, attributes *syscall.SysProcAttr) (*Process, error) {
	out, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(command.Binary, command.Args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = command.Env
	cmd.SysProcAttr = attributes
	// Ctrl-C in a terminal goes to the whole foreground group. The programs get
	// their own, so that Stop ends them in order.
	cmd.SysProcAttr.Setpgid = true
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p := &Process{name: command.Name, log: logFile, cmd: cmd, lifeline: lifeline, ended: make(chan struct{})}
	if err := p.start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", command.Name, err)
	}
	return p, nil
}

// start starts the program from a thread that lives as long as it does: a
// parent-death signal is tied to the thread, not to this process.
func (p *Process) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // how it ended is in its log; who cares asks ended
			close(p.ended)
		}
	}()
	return <-started
}

// Stop asks the program to end, and waits until it has. It is killed, and an error
// tells of that, when it does not end in time.
func (p *Process) Stop() error { return p.stop(syscall.SIGTERM) }

// Kill ends the program as a crash does.
func (p *Process) Kill() error { return p.stop(syscall.SIGKILL) }

// Ended is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait waits until the program has ended by itself. It fails with the end of the
// program's log unless that was with success.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		return fmt.Errorf("%s has not ended: %w\n%s", p.name, ctx.Err(), p.tail())
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("%s ended with %s\n%s", p.name, p.cmd.ProcessState, p.tail())
	}
	return nil
}

// Log is the path of what the program has written.
func (p *Process) Log() string { return p.log }

// stop ends the process with the signal, waits for it, and kills it when it does
// not end in time. Stopping a process that has ended does nothing.
func (p *Process) stop(signal os.Signal) error {
	_ = p.cmd.Process.Signal(signal) // fails only when it has ended
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopDeadline):
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
	return fmt.Errorf("%s had to be killed: it did not end within %s of %s\n%s", p.name, stopDeadline, signal, p.tail())
}

// WaitUntil polls ready until it holds. It fails with the end of the program's
// log when the program ends first or ctx does.
func (p *Process) WaitUntil(ctx context.Context, ready func(context.Context) error) error {
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended (%s) instead of getting ready\n%s", p.name, p.cmd.ProcessState, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s did not get ready in time: %w\n%s", p.name, err, p.tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// tail returns the end of the program's log.
func (p *Process) tail() string {
	const lines = 20
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(string(bytes.TrimSpace(data)), "\n")
	return fmt.Sprintf("--- end of %s\n%s\n---", p.log, strings.Join(all[max(0, len(all)-lines):], "\n"))
}
