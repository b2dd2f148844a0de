package crossplane_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local/crossplane"
)

// A provider package with one managed resource.
const provider = `
apiVersion: meta.pkg.crossplane.io/v1
kind: Provider
metadata: {name: provider-lamp, annotations: {version: %s}}
spec:
  capabilities: [safe-start]
  crossplane: {version: ">=v2.4.0"}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.example.org}
spec:
  group: example.org
  names: {kind: Lamp, listKind: LampList, plural: lamps, singular: lamp, categories: [crossplane, managed]}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

const activation = `
apiVersion: apiextensions.crossplane.io/v1alpha1
kind: ManagedResourceActivationPolicy
metadata: {name: lamps}
spec: {activate: [lamps.example.org]}
`

func TestProviderIsInstalledWithRightsAndActivation(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	w := newWorld(ctx, t)
	accounts := map[string]client.ObjectKey{}
	for _, version := range []string{"v1.0.0", "v1.1.0"} {
		image, err := w.registry.PushPackage(ctx, "example/provider-lamp", version, fmt.Appendf(nil, provider, version))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.crossplane.Install(ctx, crossplane.Provider, "provider-lamp", image); err != nil {
			t.Fatal(err)
		}
		account, revision, err := w.crossplane.ProviderAccount(ctx, "provider-lamp")
		if err != nil {
			t.Fatal(err)
		}
		accounts[revision] = account
		until(ctx, t, func() error { return w.may(ctx, account, true, "update", "example.org", "lamps") })
		if err := w.may(ctx, account, false, "list", "", "pods"); err != nil {
			t.Errorf("a right that nobody granted is not there: %v", err)
		}
	}
	if len(accounts) != 2 {
		t.Errorf("each version has a revision of its own, got %v", accounts)
	}

	definition := client.ObjectKey{Name: "lamps.example.org"}
	if _, err := w.get(ctx, "apiextensions.k8s.io", "v1", "CustomResourceDefinition", definition); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("without an activation policy there is no CRD, got %v", err)
	}
	if err := w.Apply(ctx, []byte(activation)); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, func() error {
		_, err := w.get(ctx, "apiextensions.k8s.io", "v1", "CustomResourceDefinition", definition)
		return err
	})
}

// may says whether the account has a right, or has it not.
func (w *world) may(ctx context.Context, account client.ObjectKey, want bool, verb, group, resource string) error {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + account.Namespace + ":" + account.Name,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Group: group, Resource: resource},
	}}
	if err := w.Client().Create(ctx, review); err != nil {
		return err
	}
	if review.Status.Allowed != want {
		return fmt.Errorf("%s may %s %s: %t, want %t", account, verb, resource, review.Status.Allowed, want)
	}
	return nil
}

func TestUsageIsGuardedByTheWebhookAndMetricsAreServed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	w := newWorld(ctx, t)
	if err := w.Apply(ctx, []byte(used)); err != nil {
		t.Fatal(err)
	}
	key := client.ObjectKey{Namespace: "default", Name: "used"}
	until(ctx, t, func() error {
		cm, err := w.get(ctx, "", "v1", "ConfigMap", key)
		if err == nil && cm.GetLabels()["crossplane.io/in-use"] != "true" {
			err = fmt.Errorf("the object is not marked as used: %v", cm.GetLabels())
		}
		return err
	})
	cm := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	cm.SetNamespace(key.Namespace)
	cm.SetName(key.Name)
	if err := w.Client().Delete(ctx, cm); err == nil || !strings.Contains(err.Error(), "it is needed") {
		t.Errorf("Crossplane's webhook refuses to delete what is in use and says why, got %v", err)
	}

	res, err := http.Get(w.crossplane.MetricsURL())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(body), "controller_runtime_reconcile_total") {
		t.Errorf("the core's metrics are served, got %v\n%.300s", err, body)
	}
}

// used is a ConfigMap that must not be deleted, and the right for Crossplane to
// mark it.
const used = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: use-configmaps, labels: {rbac.crossplane.io/aggregate-to-crossplane: "true"}}
rules: [{apiGroups: [""], resources: [configmaps], verbs: ["*"]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {namespace: default, name: used}
---
apiVersion: protection.crossplane.io/v1beta1
kind: Usage
metadata: {namespace: default, name: used}
spec:
  of: {apiVersion: v1, kind: ConfigMap, resourceRef: {name: used}}
  reason: it is needed
`
