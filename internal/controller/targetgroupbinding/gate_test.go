package targetgroupbinding

import (
	"context"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// informer is a cache of bindings.
type informer struct {
	namespaced []namespaced.TargetGroupBinding
	cluster    []cluster.TargetGroupBinding
}

func (i informer) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	switch into := into.(type) {
	case *namespaced.TargetGroupBinding:
		for _, b := range i.namespaced {
			if client.ObjectKeyFromObject(&b) == key {
				b.DeepCopyInto(into)
				return nil
			}
		}
	case *cluster.TargetGroupBinding:
		for _, b := range i.cluster {
			if client.ObjectKeyFromObject(&b) == key {
				b.DeepCopyInto(into)
				return nil
			}
		}
	}
	return kerrors.NewNotFound(schema.GroupResource{}, key.Name)
}

func (i informer) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	switch into := into.(type) {
	case *namespaced.TargetGroupBindingList:
		into.Items = i.namespaced
	case *cluster.TargetGroupBindingList:
		into.Items = i.cluster
	}
	return nil
}

func TestTheBindingThatAGateNames(t *testing.T) {
	selects := func(namespace string) v1alpha1.TargetGroupBindingParameters {
		return v1alpha1.TargetGroupBindingParameters{ServiceRef: &v1alpha1.ServiceReference{Name: "proxy", Namespace: &namespace}}
	}
	inNamespace := func(namespace string, change ...func(*namespaced.TargetGroupBinding)) namespaced.TargetGroupBinding {
		b := namespaced.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web", UID: types.UID("namespaced-" + namespace)}}
		for _, f := range change {
			f(&b)
		}
		return b
	}
	inCluster := func(namespace string) cluster.TargetGroupBinding {
		b := cluster.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "cluster"}}
		b.Spec.ForProvider = selects(namespace)
		return b
	}
	type answer struct {
		UID     types.UID
		Stopped targets.Rule
	}
	cases := map[string]struct {
		reason string
		in     informer
		want   answer
	}{
		"None":                     {"there is none of that name", informer{}, answer{}},
		"OfTheNamespace":           {"a namespaced binding is meant in its own namespace", informer{namespaced: []namespaced.TargetGroupBinding{inNamespace("edge")}}, answer{UID: "namespaced-edge"}},
		"OfAnotherNamespace":       {"and in no other", informer{namespaced: []namespaced.TargetGroupBinding{inNamespace("other")}}, answer{}},
		"OfTheCluster":             {"a cluster-scoped binding is meant where it selects", informer{cluster: []cluster.TargetGroupBinding{inCluster("edge")}}, answer{UID: "cluster"}},
		"OfTheClusterForElsewhere": {"and nowhere else", informer{cluster: []cluster.TargetGroupBinding{inCluster("other")}}, answer{}},
		"OfBoth":                   {"the namespaced one comes first", informer{[]namespaced.TargetGroupBinding{inNamespace("edge")}, []cluster.TargetGroupBinding{inCluster("edge")}}, answer{UID: "namespaced-edge"}},
		"Paused": {
			"a paused one looks after nobody",
			informer{namespaced: []namespaced.TargetGroupBinding{inNamespace("edge", func(b *namespaced.TargetGroupBinding) {
				b.SetAnnotations(map[string]string{"crossplane.io/paused": "true"})
			})}},
			answer{"namespaced-edge", targets.RuleGatePaused},
		},
		"Deleting": {
			"nor does one that is being deleted, even while it is paused",
			informer{namespaced: []namespaced.TargetGroupBinding{inNamespace("edge", func(b *namespaced.TargetGroupBinding) {
				b.SetAnnotations(map[string]string{"crossplane.io/paused": "true"})
				now := metav1.Now()
				b.DeletionTimestamp = &now
				b.SetManagementPolicies(xpv2.ManagementPolicies{})
			})}},
			answer{"namespaced-edge", targets.RuleGateDeleting},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := gates{liaison: &liaison{cache: tc.in}}
			named, found := g.Named("edge", "web")
			got := answer{UID: named.UID}
			if named.Stopped != nil {
				got.Stopped = named.Stopped.Rule
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || found != (tc.want.UID != "") {
				t.Errorf("%s: found %t\n-want +got:\n%s", tc.reason, found, diff)
			}
			if some := len(tc.in.namespaced)+len(tc.in.cluster) > 0; g.Bindings() != some {
				t.Errorf("whether there are bindings: %t, want %t", !some, some)
			}
		})
	}
	t.Run("InactiveKind", func(t *testing.T) {
		g := gates{liaison: &liaison{cache: informer{cluster: []cluster.TargetGroupBinding{inCluster("edge")}}}}
		g.active = func(gvk schema.GroupVersionKind) bool { return gvk.Group == namespaced.SchemeGroupVersion.Group }
		if _, found := g.Named("edge", "web"); found || g.Bindings() {
			t.Error("a kind whose CRD is not there must not be asked for: it would wait for an informer")
		}
	})
}
