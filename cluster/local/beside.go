package local

import (
	"fmt"
	"slices"
	"syscall"
)

// Run starts a program beside the control plane. It ends with the control plane,
// before any component does, or when this process dies. What the name ran before
// must have ended.
func (c *ControlPlane) Run(command Command) (*Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before := c.running[command.Name]; before != nil {
		select {
		case <-before.Ended():
		default:
			return nil, fmt.Errorf("%s runs already", command.Name)
		}
	}
	command.Env = append(c.homes(), command.Env...)
	p, err := startProcess(command, c.logFile(command.Name), endsWithStarter())
	if err != nil {
		return nil, err
	}
	c.running[command.Name] = p
	if !slices.Contains(c.beside, command.Name) {
		c.beside = append(c.beside, command.Name)
	}
	return p, nil
}

// StopProcess asks what Run started by that name to end, and waits until it has.
// What has ended already, or never ran, is no error.
func (c *ControlPlane) StopProcess(name string) error { return c.stopAll(syscall.SIGTERM, name) }

// Ports returns loopback ports that nobody else is given while the control plane
// lives.
func (c *ControlPlane) Ports(n int) ([]int, error) {
	held, err := reserve(n)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ports.held = append(c.ports.held, held...)
	free := make([]int, n)
	for i, r := range held {
		free[i] = r.port
	}
	return free, nil
}
