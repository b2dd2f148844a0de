package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// readyDeadline is how long a control plane may take to get ready. It takes a few
// seconds; the rest is for busy machines.
const readyDeadline = 2 * time.Minute

// Parts says which components run.
type Parts string

const (
	// Full is everything: controllers, a scheduler, and nodes that run pods.
	Full Parts = ""
	// APIOnly is etcd and kube-apiserver, for tests of the API itself. It starts
	// fastest. Nothing acts on objects: no pod is scheduled, nothing is garbage
	// collected, a deleted namespace stays, and pods need no service account.
	APIOnly Parts = "api-only"
)

// Options of a control plane.
type Options struct {
	// Parts that run; everything by default.
	Parts Parts
	// Dir is where data and logs go. By default a temporary directory that Stop
	// removes; a given one stays until the next start there.
	Dir string
	// APIServerArgs are flags for kube-apiserver besides those that it needs here.
	APIServerArgs []string
	// Log is where the progress of a build goes; standard error by default.
	Log io.Writer
}

// ControlPlane is a running control plane.
type ControlPlane struct {
	opts   Options
	binary string
	dir    string
	pki    *pki
	ports  ports
	config *rest.Config
	client client.Client

	mu      sync.Mutex
	running map[string]*Process
	// beside are the names of what Run started.
	beside []string
	// nodes is how many nodes were added: the next one's address follows from it.
	nodes int
}

// ports of the components, held for as long as the control plane lives.
type ports struct {
	etcd, etcdPeer, apiServer, controllerManager, scheduler reservation

	held []reservation
}

// Start builds the binary if need be and starts a fresh control plane. When it
// returns, the API is ready and every controller runs. The context bounds the
// start only: what was started runs until Stop, or until this process ends.
func Start(ctx context.Context, opts Options) (_ *ControlPlane, err error) {
	if opts.Log == nil {
		opts.Log = os.Stderr
	}
	binary, err := Build(ctx, opts.Log)
	if err != nil {
		return nil, err
	}
	c := &ControlPlane{opts: opts, binary: binary, running: map[string]*Process{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("cannot start the local control plane: %w", err), c.Stop())
		}
	}()
	if err := c.prepare(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyDeadline)
	defer cancel()
	if err := c.startAPI(ctx); err != nil {
		return nil, err
	}
	if opts.Parts == Full {
		if err := c.startControllers(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// prepare makes the directory, the certificates, the admin's access and the ports.
func (c *ControlPlane) prepare() error {
	var err error
	if c.dir, err = makeDir(c.opts.Dir); err != nil {
		return err
	}
	if c.pki, err = newPKI(c.dir); err != nil {
		return err
	}
	held, err := reserve(5)
	if err != nil {
		return err
	}
	c.ports = ports{held[0], held[1], held[2], held[3], held[4], held}
	if c.config, err = c.ConfigFor("admin", "system:masters"); err != nil {
		return err
	}
	return writeKubeconfig(c.Kubeconfig(), c.config)
}

func makeDir(given string) (string, error) {
	if given == "" {
		return os.MkdirTemp("", "provider-nlb-local-")
	}
	dir, err := filepath.Abs(given)
	if err != nil {
		return "", err
	}
	// Every start is a fresh one: what an earlier control plane left there goes.
	old, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, path := range append(old, filepath.Join(dir, etcd)) {
		if err := os.RemoveAll(path); err != nil {
			return "", err
		}
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// Dir is where data and logs are. A component's log is NAME.log.
func (c *ControlPlane) Dir() string { return c.dir }

// Stop ends all components, waits for them, and removes the directory unless the
// options named it. Whatever it could not do is in the error; stopping twice does
// nothing.
func (c *ControlPlane) Stop() error {
	var errs []error
	c.mu.Lock()
	beside := c.beside
	c.beside = nil
	c.mu.Unlock()
	// What writes goes before what it writes to. An API server without its etcd
	// does not end by itself for minutes.
	for _, names := range [][]string{beside, {kwok, scheduler, controllerManager}, {apiServer}, {etcd}} {
		errs = append(errs, c.stopAll(syscall.SIGTERM, names...))
	}
	release(c.ports.held)
	c.ports.held = nil
	if c.opts.Dir == "" && c.dir != "" {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}

// stopAll ends the components at the same time, those of them that run.
func (c *ControlPlane) stopAll(signal os.Signal, names ...string) error {
	errs := make([]error, len(names))
	var wait sync.WaitGroup
	for i, name := range names {
		c.mu.Lock()
		p := c.running[name]
		delete(c.running, name)
		c.mu.Unlock()
		if p != nil {
			wait.Go(func() { errs[i] = p.stop(signal) })
		}
	}
	wait.Wait()
	return errors.Join(errs...)
}

// StopAPIServer ends the API server in an orderly way. Clients see refused
// connections until StartAPIServer.
func (c *ControlPlane) StopAPIServer() error { return c.stopAll(syscall.SIGTERM, apiServer) }

// KillAPIServer ends the API server as a crash does.
func (c *ControlPlane) KillAPIServer() error { return c.stopAll(syscall.SIGKILL, apiServer) }

// StartAPIServer starts the API server again, with the same data and address, and
// waits until it is ready.
func (c *ControlPlane) StartAPIServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyDeadline)
	defer cancel()
	p, err := c.start(apiServer, c.apiServerArgs()...)
	if err != nil {
		return err
	}
	return p.WaitUntil(ctx, c.apiReady)
}

// start starts a component.
func (c *ControlPlane) start(name string, args ...string) (*Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[name] != nil {
		return nil, fmt.Errorf("%s runs already", name)
	}
	command := Command{Name: name, Binary: c.binary, Args: append([]string{name}, args...), Env: c.homes()}
	if name == etcd && c.opts.Dir == "" {
		command.Env = append(command.Env, "CONTROLPLANE_ORPHAN_REMOVES="+c.dir)
	}
	p, err := startProcess(command, c.logFile(name), &syscall.SysProcAttr{})
	if err != nil {
		return nil, err
	}
	c.running[name] = p
	return p, nil
}

// homes is the environment of every program.
func (c *ControlPlane) homes() []string { return []string{"HOME=" + c.dir, "TMPDIR=" + c.dir} }

func (c *ControlPlane) logFile(name string) string { return filepath.Join(c.dir, name+".log") }

// writeStages writes kwok's stages, as its own release has them but for readiness
// gates, to the file.
func (c *ControlPlane) writeStages(file string) error {
	stages, err := exec.Command(c.binary, "kwok-stages").Output()
	if err != nil {
		return fmt.Errorf("cannot get kwok's stages: %w", err)
	}
	if stages, err = withGates(stages); err != nil {
		return err
	}
	return os.WriteFile(file, stages, 0o600)
}
