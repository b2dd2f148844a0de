package local

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// stopDeadline is how long a component has to end by itself. The slowest, the
// API server, takes about a second.
const stopDeadline = 15 * time.Second

// process is a running component.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	// lifeline is the other end of the component's standard input. The component
	// ends when it is closed, and the kernel closes it when this process dies.
	lifeline io.Closer
	// ended is closed when the component has ended and is reaped.
	ended chan struct{}
}

// startProcess starts a component of the binary, with its output appended to a
// log file and nothing of this process' environment: a KUBECONFIG or a proxy set
// outside must not reach it.
func startProcess(binary, name, logFile string, env, args []string) (*process, error) {
	out, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(binary, append([]string{name}, args...)...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = env
	// Ctrl-C in a terminal goes to the whole foreground group. The components get
	// their own, so that Stop ends them in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	p := &process{name: name, log: logFile, cmd: cmd, lifeline: lifeline, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log; who cares asks ended
		close(p.ended)
	}()
	return p, nil
}

// stop ends the process with the signal, waits for it, and kills it when it does
// not end in time. Stopping a process that has ended does nothing.
func (p *process) stop(signal os.Signal) error {
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

// waitUntil polls ready until it holds. It fails with the end of the component's
// log when the component ends first or ctx does.
func (p *process) waitUntil(ctx context.Context, ready func(context.Context) error) error {
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

// tail returns the end of the component's log.
func (p *process) tail() string {
	const lines = 20
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(string(bytes.TrimSpace(data)), "\n")
	return fmt.Sprintf("--- end of %s\n%s\n---", p.log, strings.Join(all[max(0, len(all)-lines):], "\n"))
}
