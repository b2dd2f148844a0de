package local

import (
	"context"
	"io"
)

// PIDs returns the process ids of what runs.
func (c *ControlPlane) PIDs() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var pids []int
	for _, p := range c.running {
		pids = append(pids, p.cmd.Process.Pid)
	}
	return pids
}

// PID returns the process id of a component.
func (c *ControlPlane) PID(name string) int { return c.running[name].cmd.Process.Pid }

// BuildKey is the control plane's key.
func BuildKey(ctx context.Context, source string) (string, error) {
	return controlPlane.key(ctx, source)
}

// Lock is lock.
func Lock(ctx context.Context, path string, out io.Writer) (unlock func(), err error) {
	return lock(ctx, path, out)
}

// ProgressOf says how far a build of so many packages is after these lines.
func ProgressOf(total int, lines ...string) (compiled int, other []string) {
	p := &progress{total: total}
	for _, l := range lines {
		p.read(l)
	}
	return p.compiled, p.other
}
