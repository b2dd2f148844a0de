// Package crossplane runs the real Crossplane on a local control plane: its core
// with the package manager, its RBAC manager, and composition functions, with the
// rights that Crossplane's own Helm chart gives them.
//
// Crossplane believes that the packages' programs run in pods, which kwok only
// plays. Whoever installs a package runs its program beside: a function with
// RunFunction, a provider with the ServiceAccount that ProviderAccount tells.
package crossplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
)

// Namespace that Crossplane and its packages live in.
const Namespace = "crossplane-system"

// The Secrets that Crossplane's initializer fills.
const (
	caSecret     = "crossplane-root-ca"
	serverSecret = "crossplane-tls-server"
	clientSecret = "crossplane-tls-client"
)

const (
	webhookService = "crossplane-webhooks"
	coreName       = "crossplane-core"
)

// readyWithin is how long Crossplane may take to get ready. It takes some seconds;
// the rest is for busy machines.
const readyWithin = 3 * time.Minute

// Options of Crossplane.
type Options struct {
	// WithoutActivation leaves managed resource definitions inactive that no
	// activation policy names. Crossplane's chart activates all by default.
	WithoutActivation bool
	// CoreArgs are flags of "crossplane core start".
	CoreArgs []string
	// Log is where the progress of a build goes; standard error by default.
	Log io.Writer
}

// Crossplane is a running Crossplane.
type Crossplane struct {
	cp   *local.ControlPlane
	opts Options
	// built has, besides the program, the CRDs, the webhook configurations and the
	// chart of Crossplane's release.
	built  local.Built
	ports  ports
	router *router
	core   *local.Process
}

// ports of Crossplane's core. It binds them on all addresses: it has no flag for
// the address.
type ports struct{ webhook, metrics, health int }

// Start builds Crossplane if need be, installs it, and starts it. It ends with the
// control plane; Stop ends what is left.
func Start(ctx context.Context, cp *local.ControlPlane, o Options) (_ *Crossplane, err error) {
	if o.Log == nil {
		o.Log = os.Stderr
	}
	c := &Crossplane{cp: cp, opts: o}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("cannot start Crossplane: %w", err), c.Stop())
		}
	}()
	if c.built, err = local.Crossplane.Build(ctx, o.Log); err != nil {
		return nil, err
	}
	if c.router, err = startRouter(); err != nil {
		return nil, err
	}
	free, err := cp.Ports(3)
	if err != nil {
		return nil, err
	}
	c.ports = ports{free[0], free[1], free[2]}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for _, step := range []func(context.Context) error{c.install, c.initialize, c.StartCore, c.startRBACManager} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Stop ends what does not end with the control plane.
func (c *Crossplane) Stop() error {
	if c.router == nil {
		return nil
	}
	return c.router.stop()
}

// MetricsURL is where the metrics of Crossplane's core are.
func (c *Crossplane) MetricsURL() string {
	return fmt.Sprintf("http://127.0.0.1:%d/metrics", c.ports.metrics)
}

// install applies what Crossplane's chart has, but for the Deployments. The API
// server calls webhooks by the name of a Service, which leads it to loopback.
func (c *Crossplane) install(ctx context.Context) error {
	objects, err := renderChart(filepath.Join(c.built.Files, "cluster", "charts", "crossplane"))
	if err != nil {
		return err
	}
	service := fmt.Appendf(nil, `
apiVersion: v1
kind: Service
metadata: {namespace: %s, name: %s}
spec: {type: ExternalName, externalName: localhost, ports: [{port: %d}]}
`, Namespace, webhookService, c.ports.webhook)
	namespace := fmt.Appendf(nil, `{apiVersion: v1, kind: Namespace, metadata: {name: %s}}`, Namespace)
	return c.cp.Apply(ctx, append([][]byte{namespace, service}, objects...)...)
}

// initialize runs Crossplane's initializer: certificates, CRDs, webhooks. On a
// fresh cluster it fails as long as the CRDs that it has just made are not served,
// where a pod would be restarted.
func (c *Crossplane) initialize(ctx context.Context) error {
	args := []string{"core", "init"}
	if !c.opts.WithoutActivation {
		args = append(args, "--activation=*")
	}
	return local.Poll(ctx, func() (bool, error) {
		p, err := c.run(ctx, "crossplane-init", "crossplane", args,
			"CRDS_PATH="+filepath.Join(c.built.Files, "cluster", "crds"),
			"WEBHOOK_CONFIGS_PATH="+filepath.Join(c.built.Files, "cluster", "webhookconfigurations"),
			"WEBHOOK_SERVICE_NAME="+webhookService,
			"WEBHOOK_SERVICE_NAMESPACE="+Namespace,
			fmt.Sprintf("WEBHOOK_SERVICE_PORT=%d", c.ports.webhook))
		if err != nil {
			return true, err
		}
		err = p.Wait(ctx)
		return err == nil, err
	})
}

// StartCore starts Crossplane's core and waits until it is ready. Start does so;
// a test calls it after StopCore.
func (c *Crossplane) StartCore(ctx context.Context) error {
	server, err := c.writeSecret(ctx, serverSecret)
	if err != nil {
		return err
	}
	client, err := c.writeSecret(ctx, clientSecret)
	if err != nil {
		return err
	}
	cache := filepath.Join(c.cp.Dir(), "packages")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return err
	}
	args := append([]string{"core", "start"}, c.opts.CoreArgs...)
	c.core, err = c.run(ctx, coreName, "crossplane", args,
		"TLS_SERVER_CERTS_DIR="+server, "TLS_CLIENT_CERTS_DIR="+client,
		"XPKG_CACHE_DIR="+cache,
		fmt.Sprintf("WEBHOOK_PORT=%d", c.ports.webhook),
		fmt.Sprintf("METRICS_PORT=%d", c.ports.metrics),
		fmt.Sprintf("HEALTH_PROBE_PORT=%d", c.ports.health),
		// The core reaches functions by their Services' names, which nothing here
		// resolves. A proxy need not: gRPC passes the name on to it. Loopback
		// addresses (the API server, the registry) are never asked of a proxy.
		"HTTPS_PROXY="+c.router.url())
	if err != nil {
		return err
	}
	return c.core.WaitUntil(ctx, local.Healthy(http.DefaultClient, fmt.Sprintf("http://127.0.0.1:%d/readyz", c.ports.health)))
}

// StopCore ends Crossplane's core in an orderly way.
func (c *Crossplane) StopCore() error { return c.cp.StopProcess(coreName) }

// startRBACManager starts what gives providers and Crossplane their rights. It
// serves nothing by which it could be asked whether it is ready.
func (c *Crossplane) startRBACManager(ctx context.Context) error {
	_, err := c.run(ctx, "crossplane-rbac-manager", "rbac-manager",
		[]string{"rbac", "start", "--provider-clusterrole=crossplane:allowed-provider-permissions"})
	return err
}

// run starts Crossplane's program with the rights of a ServiceAccount.
func (c *Crossplane) run(ctx context.Context, name, account string, args []string, env ...string) (*local.Process, error) {
	kubeconfig, err := c.cp.ServiceAccountKubeconfig(ctx, client.ObjectKey{Namespace: Namespace, Name: account})
	if err != nil {
		return nil, err
	}
	return c.cp.Run(local.Command{Name: name, Binary: c.built.Binary, Args: args, Env: append([]string{
		"KUBECONFIG=" + kubeconfig,
		"POD_NAMESPACE=" + Namespace, "POD_SERVICE_ACCOUNT=" + account,
		"TLS_CA_SECRET_NAME=" + caSecret, "TLS_SERVER_SECRET_NAME=" + serverSecret, "TLS_CLIENT_SECRET_NAME=" + clientSecret,
	}, env...)})
}

// writeSecret writes the files of a Secret, as a pod that mounts it sees them, and
// returns their directory.
func (c *Crossplane) writeSecret(ctx context.Context, name string) (string, error) {
	secret := &corev1.Secret{}
	if err := c.cp.Client().Get(ctx, client.ObjectKey{Namespace: Namespace, Name: name}, secret); err != nil {
		return "", err
	}
	dir := filepath.Join(c.cp.Dir(), name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for file, data := range secret.Data {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}
