package crossplane

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Kind of a package.
type Kind string

// The kinds of packages.
const (
	Provider      Kind = "Provider"
	Function      Kind = "Function"
	Configuration Kind = "Configuration"
)

// object of the package manager's API, empty.
func object(kind string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: "pkg.crossplane.io", Version: "v1", Kind: kind})
	return o
}

// Install installs a package from a registry, or changes it to that version, and
// waits until it is healthy. Between two Installs nothing else needs to be waited
// for: packages that are made in the same instant can be installed twice.
func (c *Crossplane) Install(ctx context.Context, kind Kind, name, image string) error {
	manifest := fmt.Appendf(nil, `{apiVersion: pkg.crossplane.io/v1, kind: %s, metadata: {name: %s}, spec: {package: %q}}`, kind, name, image)
	if err := c.cp.Apply(ctx, manifest); err != nil {
		return err
	}
	return c.WaitHealthy(ctx, kind, name)
}

// WaitHealthy waits until the package is installed in the version that it asks
// for, and healthy.
func (c *Crossplane) WaitHealthy(ctx context.Context, kind Kind, name string) error {
	return c.core.WaitUntil(ctx, func(ctx context.Context) error {
		_, err := c.revision(ctx, kind, name)
		return err
	})
}

// revision is the current revision of a healthy package.
func (c *Crossplane) revision(ctx context.Context, kind Kind, name string) (*unstructured.Unstructured, error) {
	pkg := object(string(kind))
	if err := c.cp.Client().Get(ctx, client.ObjectKey{Name: name}, pkg); err != nil {
		return nil, err
	}
	wanted, _, _ := unstructured.NestedString(pkg.Object, "spec", "package")
	installed, _, _ := unstructured.NestedString(pkg.Object, "status", "currentIdentifier")
	if installed != wanted {
		return nil, fmt.Errorf("%s %s: %q is installed, not %q yet: %s", kind, name, installed, wanted, conditions(pkg))
	}
	for _, condition := range []string{"Installed", "Healthy"} {
		if !holds(pkg, condition) {
			return nil, fmt.Errorf("%s %s is not %s: %s", kind, name, condition, conditions(pkg))
		}
	}
	current, _, _ := unstructured.NestedString(pkg.Object, "status", "currentRevision")
	revision := object(string(kind) + "Revision")
	return revision, c.cp.Client().Get(ctx, client.ObjectKey{Name: current}, revision)
}

// ProviderAccount is the ServiceAccount that a healthy provider's pods run as, and
// its current revision. The RBAC manager gives the account its rights.
func (c *Crossplane) ProviderAccount(ctx context.Context, name string) (account client.ObjectKey, revision string, err error) {
	current, err := c.revision(ctx, Provider, name)
	if err != nil {
		return client.ObjectKey{}, "", err
	}
	var list appsv1.DeploymentList
	if err := c.cp.Client().List(ctx, &list, client.InNamespace(Namespace)); err != nil {
		return client.ObjectKey{}, "", err
	}
	for _, d := range list.Items {
		for _, owner := range d.OwnerReferences {
			if owner.UID == current.GetUID() {
				return client.ObjectKey{Namespace: Namespace, Name: d.Spec.Template.Spec.ServiceAccountName}, current.GetName(), nil
			}
		}
	}
	return client.ObjectKey{}, "", fmt.Errorf("provider %s has no Deployment of revision %s", name, current.GetName())
}

// holds says whether the object's condition is True.
func holds(o *unstructured.Unstructured, condition string) bool {
	for _, each := range conditionsOf(o) {
		if each["type"] == condition {
			return each["status"] == "True"
		}
	}
	return false
}

// conditions of an object, for people.
func conditions(o *unstructured.Unstructured) string {
	text := ""
	for _, each := range conditionsOf(o) {
		text += fmt.Sprintf("%v=%v (%v) %v; ", each["type"], each["status"], each["reason"], each["message"])
	}
	return text
}

func conditionsOf(o *unstructured.Unstructured) []map[string]any {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	var typed []map[string]any
	for _, each := range list {
		if condition, ok := each.(map[string]any); ok {
			typed = append(typed, condition)
		}
	}
	return typed
}
