package local_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
)

// listNodes lists nodes with the access.
func listNodes(t *testing.T, config *rest.Config) error {
	t.Helper()
	c, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c.List(t.Context(), &corev1.NodeList{})
}

func TestUsersHaveTheRightsThatRBACGivesThem(t *testing.T) {
	cp := localtest.ControlPlane(t)
	account := client.ObjectKey{Namespace: "default", Name: "reader"}
	for _, o := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: account.Namespace, Name: account.Name}},
		&rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: "read-nodes"},
			Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"list"}}},
		},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "read-nodes"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "read-nodes"},
			Subjects: []rbacv1.Subject{
				{Kind: rbacv1.ServiceAccountKind, Namespace: account.Namespace, Name: account.Name},
				{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "node-readers"},
			},
		},
	} {
		if err := cp.Client().Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	stranger, err := cp.ConfigFor("stranger")
	if err != nil {
		t.Fatal(err)
	}
	if err := listNodes(t, stranger); !apierrors.IsForbidden(err) {
		t.Errorf("who was given no right has none: want Forbidden, got %v", err)
	}
	// Rights take an instant to reach the authorizer.
	for name, kubeconfig := range map[string]func() (string, error){
		"Group":          func() (string, error) { return cp.KubeconfigFor("jane", "node-readers") },
		"ServiceAccount": func() (string, error) { return cp.ServiceAccountKubeconfig(t.Context(), account) },
		"Admin":          func() (string, error) { return cp.Kubeconfig(), nil },
	} {
		path, err := kubeconfig()
		if err != nil {
			t.Fatal(name, err)
		}
		config, err := clientcmd.BuildConfigFromFlags("", path)
		if err != nil {
			t.Fatal(name, err)
		}
		eventually(t, func() (bool, error) {
			err := listNodes(t, config)
			return !apierrors.IsForbidden(err), err
		})
	}
}

const things = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: example.org/v1
kind: Thing
metadata: {namespace: shop, name: one}
spec: {size: 3}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`

func TestApplyWaitsForDefinitions(t *testing.T) {
	cp := localtest.ControlPlane(t)
	for range 2 {
		if err := cp.Apply(t.Context(), []byte(things)); err != nil {
			t.Fatalf("definitions go first, whatever the order, and applying again is no error: %v", err)
		}
	}
	thing := &unstructured.Unstructured{}
	thing.SetGroupVersionKind(schema.GroupVersionKind{Group: "example.org", Version: "v1", Kind: "Thing"})
	if err := cp.Client().Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "one"}, thing); err != nil {
		t.Error(err)
	}
	const lost = `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "nowhere", "name": "lost"}}`
	if err := cp.Apply(t.Context(), []byte(lost)); !apierrors.IsNotFound(err) {
		t.Errorf("a missing namespace is an error at once, not waited for: want NotFound, got %v", err)
	}
}
