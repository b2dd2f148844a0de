package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// readyWithin is how long the provider may take to answer its readiness
	// probe, on a busy machine.
	readyWithin = 60 * time.Second
	// stopWithin is how long it may take to stop before it is killed.
	stopWithin = 15 * time.Second
)

// provider is the provider's process.
type provider struct {
	cmd  *exec.Cmd
	done chan struct{}
	log  string
}

// build compiles the provider, as its package does, into a directory, which is removed
// with everything that runs.
func build(ctx context.Context, dir string, log io.Writer) (string, error) {
	binary := filepath.Join(dir, "provider")
	fmt.Fprintln(log, "building the provider (about 3 minutes the first time, then seconds)")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags=grpcnotrace", "-ldflags=-s -w", "-o", binary, "./cmd/provider")
	cmd.Dir = Path(".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build the provider: %w\n%s", err, out)
	}
	return binary, nil
}

// StartProvider starts the provider's process and waits until it is ready. It
// uses the ServiceAccount's token, as it would in its pod.
func (s *Stack) StartProvider(ctx context.Context, args ...string) error {
	kubeconfig, err := s.ServiceAccountKubeconfig(ctx, client.ObjectKey{Namespace: Namespace, Name: "provider-nlb"})
	if err != nil {
		return err
	}
	health, err := freeAddress()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(s.providerLog(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own
	common := []string{
		"--leader-election", "--health-probe-bind-addr=" + health, "--metrics-bind-address=127.0.0.1:0",
		"--cluster-id=" + s.options.ClusterID,
	}
	if !s.options.Quiet {
		common = append(common, "--debug")
	}
	cmd := exec.Command(s.binary, append(common, args...)...)
	cmd.Env = []string{"KUBECONFIG=" + kubeconfig, "POD_NAMESPACE=" + Namespace, "HOME=" + s.Dir()}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = processAttributes()
	p := &provider{cmd: cmd, done: make(chan struct{}), log: log.Name()}
	if err := p.start(); err != nil {
		return err
	}
	s.provider = p
	return p.waitReady(ctx, "http://"+health+"/readyz")
}

// start starts the process from a thread that lives as long as the process: the
// kernel's parent-death signal is tied to the thread, not to us.
func (p *provider) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // how it ended is in its log
			close(p.done)
		}
	}()
	return <-started
}

func (p *provider) waitReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.done:
			return fmt.Errorf("the provider has ended: %s\n%s", p.cmd.ProcessState, tail(p.log))
		case <-ctx.Done():
			return fmt.Errorf("the provider is not ready: %w\n%s", ctx.Err(), tail(p.log))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// StopProvider asks the provider to end, and waits.
func (s *Stack) StopProvider() error { return s.endProvider(syscall.SIGTERM) }

// KillProvider ends the provider without giving it a chance to clean up.
func (s *Stack) KillProvider() error { return s.endProvider(syscall.SIGKILL) }

func (s *Stack) endProvider(signal syscall.Signal) error {
	p := s.provider
	s.provider = nil
	if p == nil {
		return errors.New("the provider does not run")
	}
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopWithin):
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("the provider did not stop within %s\n%s", stopWithin, tail(p.log))
	}
}

// ProviderPID is the id of the provider's process; 0 if it does not run.
func (s *Stack) ProviderPID() int {
	if s.provider == nil {
		return 0
	}
	return s.provider.cmd.Process.Pid
}

// ProviderLog is the end of the provider's log.
func (s *Stack) ProviderLog() string { return tail(s.providerLog()) }

// ProviderLogAbout are the last lines of the provider's log that contain a text.
func (s *Stack) ProviderLogAbout(text string, most int) string {
	content, err := os.ReadFile(s.providerLog())
	if err != nil {
		return err.Error()
	}
	var about []string
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, text) {
			about = append(about, line)
		}
	}
	return strings.Join(about[max(0, len(about)-most):], "")
}

func (s *Stack) providerLog() string { return filepath.Join(s.Dir(), "provider.log") }

// tail returns the last 8 KiB of a file.
func tail(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-8<<10):])
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}
