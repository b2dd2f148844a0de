// Package argocd runs Argo CD on a local control plane: its repo-server, which
// renders what is in Git, and its application-controller, which applies it, with the
// configuration and the rights of its release. It has no health rules but its own.
package argocd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/provider-nlb/provider-nlb/cluster/local"
)

// Namespace that Argo CD lives in.
const Namespace = "argocd"

const controller = "argocd-application-controller"

// readyWithin is how long a part may take to get ready. It takes seconds; the rest
// is for busy machines.
const readyWithin = 3 * time.Minute

// ArgoCD is a running Argo CD. It ends with its control plane.
type ArgoCD struct {
	cp *local.ControlPlane
	// Of the three programs.
	argocd, kustomize, redis local.Built
	ports                    ports
}

type ports struct{ redis, repo, repoMetrics, metrics int }

// Start builds Argo CD if need be, installs it, and starts it. The progress of a
// build goes to log.
func Start(ctx context.Context, cp *local.ControlPlane, log io.Writer) (*ArgoCD, error) {
	a := &ArgoCD{cp: cp}
	for _, p := range []struct {
		program local.Program
		built   *local.Built
	}{{local.ArgoCD, &a.argocd}, {local.Kustomize, &a.kustomize}, {local.Redis, &a.redis}} {
		var err error
		if *p.built, err = p.program.Build(ctx, log); err != nil {
			return nil, err
		}
	}
	free, err := cp.Ports(4)
	if err != nil {
		return nil, err
	}
	a.ports = ports{free[0], free[1], free[2], free[3]}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for _, step := range []func(context.Context) error{a.install, a.startRedis, a.startRepoServer, a.startController} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("cannot start Argo CD: %w", err)
		}
	}
	return a, nil
}

// install applies what the release has for the application-controller, as its
// kustomization does, and the default project, which the API server would make.
func (a *ArgoCD) install(ctx context.Context) error {
	dir := filepath.Join(a.argocd.Files, "manifests")
	crds, err := filepath.Glob(filepath.Join(dir, "crds", "*-crd.yaml"))
	if err != nil {
		return err
	}
	if err := a.cp.ApplyFiles(ctx, crds...); err != nil {
		return err
	}
	manifests := [][]byte{fmt.Appendf(nil, `{apiVersion: v1, kind: Namespace, metadata: {name: %s}}`, Namespace)}
	for _, pattern := range []string{"base/config/argocd-*.yaml", "base/application-controller-roles/argocd-*.yaml", "cluster-rbac/application-controller/argocd-*.yaml"} {
		files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("the release has no %s", pattern)
		}
		for _, f := range files {
			manifest, err := inNamespace(f)
			if err != nil {
				return err
			}
			manifests = append(manifests, manifest)
		}
	}
	return a.cp.Apply(ctx, append(manifests, fmt.Appendf(nil, project, Namespace))...)
}

const project = `
apiVersion: v1
kind: Secret
metadata: {namespace: %[1]s, name: argocd-secret}
stringData: {server.secretkey: local}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {namespace: %[1]s, name: default}
spec:
  sourceRepos: ["*"]
  destinations: [{namespace: "*", server: "*"}]
  clusterResourceWhitelist: [{group: "*", kind: "*"}]
`

// inNamespace is a manifest of the release, in the namespace if its kind is in one.
func inNamespace(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(data, &o.Object); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", file, err)
	}
	switch o.GetKind() {
	case "ClusterRole", "ClusterRoleBinding":
	default:
		o.SetNamespace(Namespace)
	}
	if subjects, ok := o.Object["subjects"].([]any); ok {
		for _, each := range subjects {
			subject, _ := each.(map[string]any)
			subject["namespace"] = Namespace
		}
	}
	return yaml.Marshal(o.Object)
}

func (a *ArgoCD) startRedis(ctx context.Context) error {
	address := fmt.Sprintf("127.0.0.1:%d", a.ports.redis)
	p, err := a.cp.Run(local.Command{Name: "argocd-redis", Binary: a.redis.Binary, Args: []string{address}})
	if err != nil {
		return err
	}
	return p.WaitUntil(ctx, accepts(address))
}

// startRepoServer starts what renders manifests. It calls git, kustomize, and two
// scripts of its release.
func (a *ArgoCD) startRepoServer(ctx context.Context) error {
	scripts := filepath.Join(a.cp.Dir(), "argocd-scripts")
	if err := a.copyScripts(scripts); err != nil {
		return err
	}
	p, err := a.run("argocd-repo-server", []string{
		"--address=127.0.0.1", fmt.Sprintf("--port=%d", a.ports.repo),
		"--metrics-address=127.0.0.1", fmt.Sprintf("--metrics-port=%d", a.ports.repoMetrics),
	}, "PATH="+strings.Join([]string{scripts, filepath.Dir(a.kustomize.Binary), os.Getenv("PATH")}, string(os.PathListSeparator)),
		"ARGOCD_ASK_PASS_SOCK="+filepath.Join(a.cp.Dir(), "ask-pass.sock"))
	if err != nil {
		return err
	}
	return p.WaitUntil(ctx, accepts(fmt.Sprintf("127.0.0.1:%d", a.ports.repo)))
}

// copyScripts copies the scripts, which a module has without the right to run them.
func (a *ArgoCD) copyScripts(to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"git-verify-wrapper.sh", "gpg-wrapper.sh"} {
		data, err := os.ReadFile(filepath.Join(a.argocd.Files, "hack", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// startController starts what applies. It believes to be in the cluster, whose
// documented address leads to the local API server.
func (a *ArgoCD) startController(ctx context.Context) error {
	kubeconfig, err := a.cp.ServiceAccountKubeconfig(ctx, client.ObjectKey{Namespace: Namespace, Name: controller})
	if err != nil {
		return err
	}
	p, err := a.run(controller, []string{
		"--kubeconfig=" + kubeconfig, "--namespace=" + Namespace,
		fmt.Sprintf("--repo-server=127.0.0.1:%d", a.ports.repo), fmt.Sprintf("--metrics-port=%d", a.ports.metrics),
	}, "KUBECONFIG="+kubeconfig, "ARGOCD_FAKE_IN_CLUSTER=true")
	if err != nil {
		return err
	}
	return p.WaitUntil(ctx, local.Healthy(http.DefaultClient, fmt.Sprintf("http://127.0.0.1:%d/healthz", a.ports.metrics)))
}

// run one of the programs that the binary is.
func (a *ArgoCD) run(name string, args []string, env ...string) (*local.Process, error) {
	return a.cp.Run(local.Command{
		Name: name, Binary: a.argocd.Binary,
		Args: append([]string{fmt.Sprintf("--redis=127.0.0.1:%d", a.ports.redis)}, args...),
		Env:  append([]string{"ARGOCD_BINARY_NAME=" + name, "ARGOCD_GPG_ENABLED=false"}, env...),
	})
}

// accepts says whether connections to the address are accepted.
func accepts(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		return errors.Join(err, closed(connection))
	}
}

func closed(connection net.Conn) error {
	if connection == nil {
		return nil
	}
	return connection.Close()
}

// Application reads one.
func (a *ArgoCD) Application(ctx context.Context, name string) (*unstructured.Unstructured, error) {
	o := application(name)
	return o, a.cp.Client().Get(ctx, client.ObjectKeyFromObject(o), o)
}

// Refresh tells Argo CD to look at the repository of an Application now, as its
// webhook does when a forge tells of a push.
func (a *ArgoCD) Refresh(ctx context.Context, name string) error {
	patch := []byte(`{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"normal"}}}`)
	return a.cp.Client().Patch(ctx, application(name), client.RawPatch("application/merge-patch+json", patch))
}

func application(name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Application"})
	o.SetNamespace(Namespace)
	o.SetName(name)
	return o
}
