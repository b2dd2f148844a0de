package e2e_test

import (
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// A scope makes the objects of one scope from what both share.
type scope struct {
	name string
	// group is the API group.
	group string
	// config is the kind of a provider configuration that may name an endpoint.
	config string
}

var (
	inNamespace = scope{"Namespaced", namespaced.SchemeGroupVersion.Group, "ClusterProviderConfig"}
	inCluster   = scope{"Cluster", cluster.SchemeGroupVersion.Group, "ProviderConfig"}
)

// bothScopes runs a test for the namespaced and for the cluster-scoped kinds.
func bothScopes(t *testing.T, test func(*testing.T, *world)) {
	t.Parallel()
	for _, s := range []scope{inNamespace, inCluster} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, s))
		})
	}
}

// A parameters is what a TargetGroupBinding of either scope is made of.
type parameters = v1alpha1.TargetGroupBindingParameters

// A binding is a TargetGroupBinding of either scope.
type binding interface {
	resource.Managed
	ForProvider() *parameters
	ObservedState() *v1alpha1.TargetGroupBindingStatus
}

// binding returns a TargetGroupBinding; it is not yet created. The region, and in
// the cluster's scope the namespace of what selects pods, are filled in.
func (w *world) binding(name string, p parameters) binding {
	if p.Region == "" {
		p.Region = w.region
	}
	if w.scope == inNamespace {
		b := &namespaced.TargetGroupBinding{ObjectMeta: w.meta(name)}
		b.Spec.ForProvider = p
		return b
	}
	if p.ServiceRef != nil {
		p.ServiceRef = ptr(*p.ServiceRef)
		p.ServiceRef.Namespace = &w.ns
	}
	if p.PodSelector != nil {
		p.PodSelector = ptr(*p.PodSelector)
		p.PodSelector.Namespace = &w.ns
	}
	b := &cluster.TargetGroupBinding{ObjectMeta: w.meta(name)}
	b.Spec.ForProvider = p
	return b
}

// targetGroup returns a TargetGroup; it is not yet created.
func (w *world) targetGroup(name string, p v1alpha1.TargetGroupParameters) client.Object {
	spec := v1alpha1.TargetGroupSpec{ForProvider: p}
	if w.scope == inNamespace {
		g := &namespaced.TargetGroup{ObjectMeta: w.meta(name)}
		g.Spec.TargetGroupSpec = spec
		return g
	}
	g := &cluster.TargetGroup{ObjectMeta: w.meta(name)}
	g.Spec.TargetGroupSpec = spec
	return g
}

// config returns a provider configuration that leads to the simulated AWS with
// the key of a Secret in the test's namespace; it is not yet created.
func (w *world) config(name, secret, key string) client.Object {
	spec := v1alpha1.ProviderConfigSpec{
		Credentials: v1alpha1.Credentials{
			Source:    v1alpha1.SourceSecret,
			SecretRef: &v1alpha1.SecretKeySelector{Namespace: &w.ns, Name: secret, Key: key},
		},
		Endpoint: &v1alpha1.Endpoint{URL: it.Sim.URL()},
	}
	meta := metav1.ObjectMeta{Name: w.unique(name)}
	if w.scope == inNamespace {
		return &namespaced.ClusterProviderConfig{ObjectMeta: meta, Spec: namespaced.ClusterProviderConfigSpec{ProviderConfigSpec: spec}}
	}
	return &cluster.ProviderConfig{ObjectMeta: meta, Spec: cluster.ProviderConfigSpec{ProviderConfigSpec: spec}}
}

// using lets a binding use a provider configuration that config returned.
func (w *world) using(b binding, name string) binding {
	switch b := b.(type) {
	case *namespaced.TargetGroupBinding:
		b.SetProviderConfigReference(&xpv2.ProviderConfigReference{Kind: w.scope.config, Name: w.unique(name)})
	case *cluster.TargetGroupBinding:
		b.SetProviderConfigReference(&xpv2.Reference{Name: w.unique(name)})
	}
	return b
}

// meta of an object of ours. Cluster-scoped ones have the namespace in their name.
func (w *world) meta(name string) metav1.ObjectMeta {
	if w.scope == inNamespace {
		return metav1.ObjectMeta{Namespace: w.ns, Name: name}
	}
	return metav1.ObjectMeta{Name: w.unique(name)}
}

// unique is a name that no other test has.
func (w *world) unique(name string) string { return w.ns + "-" + name }

// podsWith selects the pods of an app by their labels.
func podsWith(app string, port intstr.IntOrString) *v1alpha1.PodSelector {
	return &v1alpha1.PodSelector{LabelSelector: metav1.LabelSelector{MatchLabels: map[string]string{appLabel: app}}, Port: port}
}

func ptr[T any](v T) *T { return &v }

func named(port string) intstr.IntOrString { return intstr.FromString(port) }

func numbered(port int32) intstr.IntOrString { return intstr.FromInt32(port) }
