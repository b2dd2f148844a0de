package crossplane

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/registry"
)

// InstallFunction pushes a released function's package to the registry, installs
// it under the program's name, and runs it.
func (c *Crossplane) InstallFunction(ctx context.Context, r *registry.Registry, program local.Program) error {
	built, err := program.Build(ctx, c.opts.Log)
	if err != nil {
		return err
	}
	image, err := PushFunction(ctx, r, program.Name(), built)
	if err != nil {
		return err
	}
	if err := c.Install(ctx, Function, program.Name(), image); err != nil {
		return err
	}
	return c.RunFunction(ctx, program.Name(), built.Binary)
}

// PushFunction pushes a released function's package to the registry, as
// crossplane-contrib/NAME, and returns its full name.
func PushFunction(ctx context.Context, r *registry.Registry, name string, built local.Built) (string, error) {
	manifests, err := registry.Manifests(filepath.Join(built.Files, "package"))
	if err != nil {
		return "", err
	}
	return r.PushPackage(ctx, "crossplane-contrib/"+name, built.Version, manifests...)
}

// RunFunction runs the program of a function that is installed, in the place of its
// pods, and waits until it can be called: with the certificate that Crossplane has
// made for it. What ran for this function before ends. Further arguments are those
// of the program.
func (c *Crossplane) RunFunction(ctx context.Context, name, binary string, args ...string) error {
	if err := c.WaitHealthy(ctx, Function, name); err != nil {
		return err
	}
	revision, err := c.revision(ctx, Function, name)
	if err != nil {
		return err
	}
	endpoint, _, _ := unstructured.NestedString(revision.Object, "status", "endpoint")
	secret, _, _ := unstructured.NestedString(revision.Object, "status", "tlsServerSecretName")
	service, ok := strings.CutPrefix(endpoint, "dns:///")
	if !ok || secret == "" {
		return fmt.Errorf("function %s has no address (%q) or certificate (%q)", name, endpoint, secret)
	}
	certificates, err := c.writeSecret(ctx, secret)
	if err != nil {
		return err
	}
	free, err := c.cp.Ports(1)
	if err != nil {
		return err
	}
	if err := c.cp.StopProcess(name); err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", free[0])
	p, err := c.cp.Run(local.Command{Name: name, Binary: binary, Args: append([]string{
		"--address=" + address, "--tls-certs-dir=" + certificates,
	}, args...)})
	if err != nil {
		return err
	}
	c.router.lead(service, address)
	return p.WaitUntil(ctx, func(ctx context.Context) error {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	})
}
