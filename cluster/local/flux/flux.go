// Package flux runs Flux on a local control plane: its source-controller, which
// fetches commits, and its kustomize-controller, which applies them, both of their
// releases and with the rights that Flux's own installation gives them.
package flux

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
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/provider-nlb/provider-nlb/cluster/local"
)

const (
	// Namespace that Flux lives in.
	Namespace = "flux-system"
	// Root is the name of the GitRepository and of the Kustomization that
	// everything else comes from.
	Root = "flux-system"
)

// readyWithin is how long a controller may take to get ready. It takes a second or
// two; the rest is for busy machines.
const readyWithin = 3 * time.Minute

// Flux is a running Flux. It ends with its control plane.
type Flux struct {
	cp *local.ControlPlane
}

// Start builds Flux if need be, installs it, and starts it. The progress of a
// build goes to log.
func Start(ctx context.Context, cp *local.ControlPlane, log io.Writer) (*Flux, error) {
	f := &Flux{cp: cp}
	if err := cp.Apply(ctx, []byte(`{apiVersion: v1, kind: Namespace, metadata: {name: `+Namespace+`}}`)); err != nil {
		return nil, err
	}
	storage := filepath.Join(cp.Dir(), "flux-artifacts")
	if err := os.MkdirAll(storage, 0o700); err != nil {
		return nil, err
	}
	free, err := cp.Ports(1)
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", free[0])
	err = errors.Join(
		f.start(ctx, log, local.SourceController, "--storage-path="+storage, "--storage-addr="+address, "--storage-adv-addr="+address),
		// A Kustomization looks at those that it depends on every 30 s by default.
		f.start(ctx, log, local.KustomizeController, "--requeue-dependency=1s"),
	)
	if err != nil {
		return nil, fmt.Errorf("cannot start Flux: %w", err)
	}
	return f, nil
}

// start installs and starts a controller and waits until it is ready.
func (f *Flux) start(ctx context.Context, log io.Writer, program local.Program, args ...string) error {
	built, err := program.Build(ctx, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	config := filepath.Join(built.Files, "config")
	if err := f.cp.ApplyFiles(ctx, filepath.Join(config, "crd", "bases")); err != nil {
		return err
	}
	account := client.ObjectKey{Namespace: Namespace, Name: program.Name()}
	if err := f.grant(ctx, account, filepath.Join(config, "rbac", "role.yaml")); err != nil {
		return err
	}
	kubeconfig, err := f.cp.ServiceAccountKubeconfig(ctx, account)
	if err != nil {
		return err
	}
	free, err := f.cp.Ports(1)
	if err != nil {
		return err
	}
	health := fmt.Sprintf("127.0.0.1:%d", free[0])
	p, err := f.cp.Run(local.Command{
		Name: "flux-" + program.Name(), Binary: built.Binary,
		Args: append([]string{"--watch-all-namespaces", "--metrics-addr=0", "--health-addr=" + health}, args...),
		Env:  []string{"KUBECONFIG=" + kubeconfig, "RUNTIME_NAMESPACE=" + Namespace},
	})
	if err != nil {
		return err
	}
	return p.WaitUntil(ctx, local.Healthy(http.DefaultClient, "http://"+health+"/readyz"))
}

// grant makes a controller's ServiceAccount and gives it the rights of its release:
// its role, and to whoever applies what is in Git, everything.
func (f *Flux) grant(ctx context.Context, account client.ObjectKey, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.Unmarshal(data, role); err != nil {
		return fmt.Errorf("cannot read %s: %w", file, err)
	}
	role.ObjectMeta = metav1.ObjectMeta{Name: account.Name}
	objects := []client.Object{
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: account.Namespace, Name: account.Name}},
		role, binding(account, account.Name),
	}
	if account.Name == local.KustomizeController.Name() {
		objects = append(objects, binding(account, "cluster-admin"))
	}
	for _, o := range objects {
		if err := f.cp.Client().Create(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func binding(account client.ObjectKey, role string) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: account.Name + "-" + role},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: account.Namespace, Name: account.Name}},
	}
}

// Bootstrap lets Flux follow a directory of a branch, as `flux bootstrap` does.
func (f *Flux) Bootstrap(ctx context.Context, url, branch, path string) error {
	return f.cp.Apply(ctx, fmt.Appendf(nil, sync, Namespace, Root, url, branch, path))
}

// sync is what `flux bootstrap` writes, but for the Secret.
const sync = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {namespace: %[1]s, name: %[2]s}
spec:
  interval: 1m0s
  url: %[3]q
  ref: {branch: %[4]q}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {namespace: %[1]s, name: %[2]s}
spec:
  interval: 10m0s
  path: %[5]q
  prune: true
  sourceRef: {kind: GitRepository, name: %[2]s}
`

// Notify tells Flux to look at the repository now, as its webhook receiver does
// when a forge tells of a push.
func (f *Flux) Notify(ctx context.Context) error {
	_, err := f.request(ctx, repository, Root)
	return err
}

// Reconcile lets Flux apply a Kustomization once more, as `flux reconcile` does. It
// returns when that is done.
func (f *Flux) Reconcile(ctx context.Context, name string) error {
	asked, err := f.request(ctx, kustomization, name)
	if err != nil {
		return err
	}
	return local.Poll(ctx, func() (bool, error) {
		k, err := f.Kustomization(ctx, name)
		if err != nil {
			return true, err
		}
		handled, _, _ := unstructured.NestedString(k.Object, "status", "lastHandledReconcileAt")
		if handled == asked {
			return true, nil
		}
		return false, fmt.Errorf("Kustomization %s has been looked at %q, not %q", name, handled, asked)
	})
}

// request writes the annotation that Flux's controllers act upon, and returns its
// value.
func (f *Flux) request(ctx context.Context, kind schema.GroupVersionKind, name string) (string, error) {
	at := time.Now().Format(time.RFC3339Nano)
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":%q}}}`, at)
	return at, f.cp.Client().Patch(ctx, object(kind, name), client.RawPatch("application/merge-patch+json", patch))
}

// Kustomization reads one.
func (f *Flux) Kustomization(ctx context.Context, name string) (*unstructured.Unstructured, error) {
	o := object(kustomization, name)
	return o, f.cp.Client().Get(ctx, client.ObjectKeyFromObject(o), o)
}

var (
	repository    = schema.GroupVersionKind{Group: "source.toolkit.fluxcd.io", Version: "v1", Kind: "GitRepository"}
	kustomization = schema.GroupVersionKind{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Kind: "Kustomization"}
)

func object(kind schema.GroupVersionKind, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kind)
	o.SetNamespace(Namespace)
	o.SetName(name)
	return o
}
