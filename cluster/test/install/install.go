// Package install runs the project as users get it: real Crossplane pulls its
// packages from a registry, and their programs run, out of the packages' images,
// with the rights and certificates that Crossplane and the documented manifests
// give them. AWS is simulated.
package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/crossplane"
	"github.com/provider-nlb/provider-nlb/cluster/local/registry"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// Versions of our packages: that of the documented manifests, and a later one.
const (
	Version = "v0.1.0"
	Later   = "v0.2.0"
)

// The packages of the documented manifests.
const (
	Provider      = "crossplane-contrib-provider-nlb"
	Function      = "crossplane-contrib-function-hostnetwork-nlb"
	AutoReady     = "crossplane-contrib-function-auto-ready"
	Configuration = "crossplane-contrib-configuration-hostnetwork-nlb"
)

// The documented manifests.
const (
	Packages = "examples/gitops/packages/packages.yaml"
	Runtime  = "examples/gitops/packages/runtime.yaml"
	Rights   = "examples/gitops/packages/rbac.yaml"
)

// published is where released packages are, as manifests name them.
const published = "xpkg.crossplane.io/crossplane-contrib"

// Options of an installation.
type Options struct {
	// Nodes to add, each with a running EC2 instance.
	Nodes int
	// AWS to simulate.
	AWS awssim.Options
	// ProviderEnv is the environment of the provider's process besides what its pod
	// has.
	ProviderEnv []string
	// Log is where builds tell of their progress; standard error by default.
	Log io.Writer
}

// An Installation is a stack on which Crossplane has installed our packages.
type Installation struct {
	*stack.Stack
	Crossplane *crossplane.Crossplane
	Registry   *registry.Registry

	log         io.Writer
	providerEnv []string
}

// Start starts Crossplane and a registry that holds our packages. Install installs
// them.
func Start(ctx context.Context, o Options) (_ *Installation, err error) {
	if o.Log == nil {
		o.Log = os.Stderr
	}
	i := &Installation{log: o.Log, providerEnv: o.ProviderEnv}
	defer func() {
		if err != nil {
			err = errors.Join(err, i.Stop())
		}
	}()
	if i.Stack, err = stack.Start(ctx, stack.Options{Nodes: o.Nodes, AWS: o.AWS, Log: o.Log, Bare: true, Guarded: true}); err != nil {
		return nil, err
	}
	if i.Registry, err = registry.Start(); err != nil {
		return nil, err
	}
	if err := i.Publish(ctx, Version); err != nil {
		return nil, err
	}
	// Nothing is activated but what the Configuration asks for.
	i.Crossplane, err = crossplane.Start(ctx, i.ControlPlane, crossplane.Options{WithoutActivation: true, Log: o.Log})
	if err != nil {
		return nil, err
	}
	// The registry plays the public one, as a mirror in a closed network would.
	return i, i.Apply(ctx, fmt.Appendf(nil, mirror, published, i.Registry.Address()+"/crossplane-contrib"))
}

const mirror = `
apiVersion: pkg.crossplane.io/v1beta1
kind: ImageConfig
metadata: {name: mirror}
spec:
  matchImages: [{type: Prefix, prefix: %q}]
  rewriteImage: {prefix: %q}
`

// Install applies the documented manifests, all at once, and runs the programs of
// the packages. It returns the name of the provider's process.
func (i *Installation) Install(ctx context.Context) (string, error) {
	if err := i.ApplyFiles(ctx, stack.Path(Packages), stack.Path(Runtime), stack.Path(Rights)); err != nil {
		return "", err
	}
	return i.RunPackages(ctx)
}

// RunPackages runs the programs of the packages as soon as these are healthy,
// whoever has applied them. It returns the name of the provider's process.
func (i *Installation) RunPackages(ctx context.Context) (string, error) {
	for _, p := range []struct {
		kind crossplane.Kind
		name string
	}{
		{crossplane.Provider, Provider}, {crossplane.Function, Function},
		{crossplane.Function, AutoReady}, {crossplane.Configuration, Configuration},
	} {
		began := time.Now()
		if err := i.Crossplane.WaitHealthy(ctx, p.kind, p.name); err != nil {
			return "", err
		}
		fmt.Fprintf(i.log, "%s %s is healthy after %s\n", p.kind, p.name, time.Since(began).Round(time.Millisecond))
	}
	if err := i.runFunctions(ctx); err != nil {
		return "", err
	}
	return i.RunProvider(ctx)
}

// runFunctions runs the programs of the functions.
func (i *Installation) runFunctions(ctx context.Context) error {
	ready, err := local.AutoReady.Build(ctx, i.log)
	if err != nil {
		return err
	}
	if err := i.Crossplane.RunFunction(ctx, AutoReady, ready.Binary); err != nil {
		return err
	}
	return i.RunFunction(ctx, Version)
}

// RunFunction runs the program of our function in that version, which Crossplane has
// installed. What ran in its place ends.
func (i *Installation) RunFunction(ctx context.Context, version string) error {
	program, err := i.program(ctx, i.Registry.Address()+"/crossplane-contrib/function-hostnetwork-nlb:"+version, "function-hostnetwork-nlb")
	if err != nil {
		return err
	}
	// Its metrics have a port that is that of every function on this machine.
	return i.Crossplane.RunFunction(ctx, Function, program, "--metrics-address=")
}

// Configure applies the documented configurations of both scopes, which then lead to
// the simulated AWS, the Secret that they name, and the environment of the
// documented claims.
func (i *Installation) Configure(ctx context.Context) error {
	if err := i.Account(ctx); err != nil {
		return err
	}
	var manifests [][]byte
	for _, file := range []string{"namespaced/clusterproviderconfig.yaml", "cluster/providerconfig.yaml", "namespaced/environment.yaml"} {
		data, err := os.ReadFile(stack.Path("examples/" + file))
		if err != nil {
			return err
		}
		manifests = append(manifests, i.Simulated(data))
	}
	return i.Apply(ctx, manifests...)
}

// Account applies the Secret that the documented configurations name.
func (i *Installation) Account(ctx context.Context) error {
	return i.Apply(ctx, fmt.Appendf(nil, credentials, stack.Namespace, awssim.DefaultKey.ID, awssim.DefaultKey.Secret))
}

// Simulated lets a configuration lead to the simulated AWS.
func (i *Installation) Simulated(config []byte) []byte {
	return bytes.Replace(config, []byte("spec:\n"), fmt.Appendf(nil, "spec:\n  endpoint: {url: %q}\n", i.Sim.URL()), 1)
}

const credentials = `
apiVersion: v1
kind: Secret
metadata: {namespace: %s, name: aws-credentials}
stringData:
  credentials: |
    [default]
    aws_access_key_id = %s
    aws_secret_access_key = %s
`

// Stop stops everything.
func (i *Installation) Stop() error {
	var errs []error
	if i.Stack != nil {
		errs = append(errs, i.Stack.Stop())
	}
	if i.Crossplane != nil {
		errs = append(errs, i.Crossplane.Stop())
	}
	if i.Registry != nil {
		errs = append(errs, i.Registry.Stop())
	}
	return errors.Join(errs...)
}

// key of an object.
func key(namespace, name string) client.ObjectKey {
	return client.ObjectKey{Namespace: namespace, Name: name}
}
