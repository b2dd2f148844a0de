package local

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The components, by the names that the binary knows them by.
const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kwok              = "kwok"
)

// startAPI starts etcd and the API server and waits until the API is ready.
func (c *ControlPlane) startAPI(ctx context.Context) error {
	p, err := c.start(etcd,
		"--data-dir="+filepath.Join(c.dir, "etcd"),
		"--listen-client-url="+c.ports.etcd.url("http"),
		"--listen-peer-url="+c.ports.etcdPeer.url("http"))
	if err != nil {
		return err
	}
	if err := p.WaitUntil(ctx, Healthy(http.DefaultClient, c.ports.etcd.url("http")+"/health")); err != nil {
		return err
	}
	if err := c.StartAPIServer(ctx); err != nil {
		return err
	}
	c.client, err = client.New(c.config, client.Options{})
	return err
}

func (c *ControlPlane) apiServerArgs() []string {
	args := []string{
		"--etcd-servers=" + c.ports.etcd.url("http"),
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.ports.apiServer.port), "--permit-port-sharing=true",
		// The default kubernetes Service would need an address that is not loopback.
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=" + c.pki.file("serving.crt"), "--tls-private-key-file=" + c.pki.file("serving.key"),
		"--client-ca-file=" + c.pki.file("ca.crt"),
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.pki.file("sa.pub"), "--service-account-signing-key-file=" + c.pki.file("sa.key"),
	}
	if c.opts.Parts == APIOnly {
		// It would refuse every pod, for nothing makes the service accounts.
		args = append(args, "--disable-admission-plugins=ServiceAccount")
	}
	return append(args, c.opts.APIServerArgs...)
}

// apiReady says whether the API server is ready and the default namespace there:
// it makes that one just after it says that it is ready.
func (c *ControlPlane) apiReady(ctx context.Context) error {
	get, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return err
	}
	if err := Healthy(get, c.config.Host+"/readyz")(ctx); err != nil {
		return err
	}
	return Healthy(get, c.config.Host+"/api/v1/namespaces/default")(ctx)
}

// startControllers starts what acts on the API's objects, and waits until it does.
func (c *ControlPlane) startControllers(ctx context.Context) error {
	stages := filepath.Join(c.dir, "stages.yaml")
	if err := c.writeStages(stages); err != nil {
		return err
	}
	manager, err := c.start(controllerManager, slices.Concat(c.controllerArgs(c.ports.controllerManager), []string{
		"--service-account-private-key-file=" + c.pki.file("sa.key"),
		"--root-ca-file=" + c.pki.file("ca.crt"),
		"--use-service-account-credentials=true",
	})...)
	if err != nil {
		return err
	}
	sched, err := c.start(scheduler, c.controllerArgs(c.ports.scheduler)...)
	if err != nil {
		return err
	}
	// kwok has no server and so cannot be asked; AddNodes waits for what it does.
	if _, err := c.start(kwok,
		"--kubeconfig="+c.Kubeconfig(), "--config="+stages,
		"--manage-all-nodes=true", "--node-lease-duration-seconds=40"); err != nil {
		return err
	}
	get := c.controllerClient()
	if err := sched.WaitUntil(ctx, Healthy(get, c.ports.scheduler.url("https")+"/readyz")); err != nil {
		return err
	}
	if err := manager.WaitUntil(ctx, Healthy(get, c.ports.controllerManager.url("https")+"/healthz")); err != nil {
		return err
	}
	// Without it no pod can be created.
	return manager.WaitUntil(ctx, func(ctx context.Context) error {
		key := client.ObjectKey{Namespace: "default", Name: "default"}
		return c.client.Get(ctx, key, &corev1.ServiceAccount{})
	})
}

// controllerArgs are the flags that the controller manager and the scheduler share.
func (c *ControlPlane) controllerArgs(r reservation) []string {
	return []string{
		"--kubeconfig=" + c.Kubeconfig(),
		"--authentication-kubeconfig=" + c.Kubeconfig(), "--authorization-kubeconfig=" + c.Kubeconfig(),
		"--leader-elect=false",
		"--kube-api-qps=300", "--kube-api-burst=600",
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", r.port), "--permit-port-sharing=true",
		"--tls-cert-file=" + c.pki.file("serving.crt"), "--tls-private-key-file=" + c.pki.file("serving.key"),
	}
}

// controllerClient trusts the serving certificate and authenticates as nobody:
// health is open to all.
func (c *ControlPlane) controllerClient() *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(c.pki.cert)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
	}}
}

// Healthy returns a check that the URL answers 200 OK.
func Healthy(c *http.Client, url string) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		res, err := c.Do(req)
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answered %s", url, res.Status)
		}
		return nil
	}
}
