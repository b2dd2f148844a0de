package controller

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
)

// directManager is as much of a manager as the runtime's reconciler takes.
type directManager struct {
	ctrl.Manager

	client client.Client
}

func (m directManager) GetClient() client.Client   { return m.client }
func (m directManager) GetScheme() *runtime.Scheme { return m.client.Scheme() }

// existing is an external resource that exists.
func existing(context.Context, resource.Managed) (managed.ExternalClient, error) {
	return &managed.ExternalClientFns{
		ObserveFn: func(_ context.Context, mg resource.Managed) (managed.ExternalObservation, error) {
			mg.SetConditions(Available())

			return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: true}, nil
		},
		DisconnectFn: func(context.Context) error { return nil },
	}, nil
}

// TestStatusSurvivesUpdates shows what keepingManager is for: without it the
// runtime loses what the first Observe of an existing resource says.
func TestStatusSurvivesUpdates(t *testing.T) {
	cp := localtest.ControlPlane(t)
	if err := cp.ApplyFiles(t.Context(), "../../package/provider/crds"); err != nil {
		t.Fatal(err)
	}

	s := runtime.NewScheme()
	if err := namespaced.AddToScheme(s); err != nil {
		t.Fatal(err)
	}

	c, err := client.New(cp.Config(), client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}

	cases := map[string]struct {
		reason  string
		manager ctrl.Manager
		want    corev1.ConditionStatus
	}{
		"runtime": {"The finalizer's update overwrites status. If this fails, the runtime was mended and ours can go.", directManager{client: c}, corev1.ConditionUnknown},
		"keeping": {"Status is put back.", keepingManager{directManager{client: c}}, corev1.ConditionTrue},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := tg(func(o *namespaced.TargetGroup) {
				o.ObjectMeta = metav1.ObjectMeta{Namespace: "default", Name: "keeping-" + name}
				o.Spec.ManagementPolicies = xpv2.ManagementPolicies{xpv2.ManagementActionObserve}
				o.Spec.ForProvider.Region = "eu-west-1"
			})
			if err := c.Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}

			t.Cleanup(func() {
				o.SetFinalizers(nil)
				_ = c.Update(context.Background(), o)
				_ = c.Delete(context.Background(), o)
			})

			r := managed.NewReconciler(tc.manager, resource.ManagedKind(namespaced.SchemeGroupVersion.WithKind("TargetGroup")),
				managed.WithExternalConnector(managed.ExternalConnectorFn(existing)), managed.WithInitializers(), managed.WithManagementPolicies())
			key := client.ObjectKeyFromObject(o)

			if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: key}); err != nil {
				t.Fatal(err)
			}

			if err := c.Get(t.Context(), key, o); err != nil {
				t.Fatal(err)
			}

			if got := o.GetCondition(xpv2.TypeReady).Status; got != tc.want {
				t.Errorf("\n%s\nReady is %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestEveryKindHasAStatus(t *testing.T) {
	s := runtime.NewScheme()
	if err := namespaced.AddToScheme(s); err != nil {
		t.Fatal(err)
	}

	for gvk := range s.AllKnownTypes() {
		o, err := s.New(gvk)
		if err != nil {
			t.Fatal(err)
		}

		if mg, ok := o.(resource.Managed); ok && managedStatus(mg) == nil {
			t.Errorf("%s has no status that all kinds have", gvk)
		}
	}
}
