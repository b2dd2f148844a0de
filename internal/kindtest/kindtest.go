// Package kindtest lets the tests of a kind run its real controllers, in both
// scopes, on a real API server against a simulated AWS.
package kindtest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// What every Env has.
const (
	Region  = "eu-west-1"
	VPC     = "vpc-0a"
	Cluster = "c1"
)

const patience = 60 * time.Second

// Main is for TestMain.
func Main(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	localtest.Main(m, local.Options{Parts: local.APIOnly})
}

// A Setup adds the controllers of a kind.
type Setup func(ctrl.Manager, controller.Options) error

// An Env is one scope with an AWS of its own. It is polled once a second.
type Env struct {
	Client client.WithWatch
	Sim    *awssim.Sim
	// EC2 is somebody else's client of the simulated AWS.
	EC2 *ec2.Client
	// Scope of the objects; Namespace is empty in cluster scope.
	GV        schema.GroupVersion
	Namespace string
	// Config is the name of the provider configuration that leads to Sim, and Secret,
	// in namespace default, has its credentials under key ini.
	Config, Secret string
}

// BothScopes runs a test once for each scope, at the same time: an AWS for each,
// and one manager for all tests of a package.
func BothScopes(t *testing.T, test func(t *testing.T, e *Env), kinds ...Setup) {
	t.Helper()

	c := shared(t, kinds)

	for _, gv := range []schema.GroupVersion{namespacedapi.SchemeGroupVersion, clusterapi.SchemeGroupVersion} {
		t.Run(gv.Group, func(t *testing.T) {
			t.Parallel()
			test(t, NewEnv(t, c, gv, newConfig()))
		})
	}
}

// NewEnv makes a scope with an AWS of its own, which the provider configuration of
// the name leads to.
func NewEnv(t *testing.T, c client.WithWatch, gv schema.GroupVersion, config string) *Env {
	t.Helper()

	sim := awssim.New(awssim.Options{})
	t.Cleanup(sim.Close)
	sim.SeedVPC(awssim.DefaultKey.Account, Region, VPC)

	e := &Env{Client: c, Sim: sim, EC2: ec2.NewFromConfig(sim.Config(Region)), GV: gv, Config: config}

	if gv.Group == namespacedapi.SchemeGroupVersion.Group {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "kind-"}}
		Must(t, e.Client.Create(t.Context(), ns))
		e.Namespace = ns.Name
	}

	e.configure(t)

	return e
}

// Must ends the test if there is an error.
func Must(t *testing.T, err error) {
	t.Helper()

	if err != nil {
		t.Fatal(err)
	}
}

// Create an object that goes with the test.
func (e *Env) Create(t *testing.T, o client.Object) {
	t.Helper()
	e.use(o)
	Must(t, e.Client.Create(t.Context(), o))
	t.Cleanup(func() { e.Remove(o) })
}

// Remove an object whatever holds it.
func (e *Env) Remove(o client.Object) {
	ctx := context.Background()
	_ = e.Client.Delete(ctx, o)
	_ = e.Client.Patch(ctx, o, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))

	_ = wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		return kerrors.IsNotFound(e.Client.Get(ctx, client.ObjectKeyFromObject(o), o)), nil
	})
}

// Change an object.
func (e *Env) Change(t *testing.T, o client.Object, change func()) {
	t.Helper()

	patch := client.MergeFrom(o.DeepCopyObject().(client.Object)) //nolint:forcetypeassert // It is one.

	change()
	Must(t, e.Client.Patch(t.Context(), o, patch))
}

// Until waits until the object is as wanted.
func (e *Env) Until(t *testing.T, mg resource.Managed, what string, wanted func() bool) {
	t.Helper()

	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		if err := e.Client.Get(ctx, client.ObjectKeyFromObject(mg), mg); err != nil {
			return false, client.IgnoreNotFound(err)
		}

		return wanted(), nil
	})
	if err != nil {
		t.Fatalf("never %s: %v\n%+v", what, err, status(mg).Interface())
	}
}

// UntilApplied waits until what is declared now is found applied.
func (e *Env) UntilApplied(t *testing.T, mg resource.Managed) {
	t.Helper()
	e.Until(t, mg, "applied", func() bool {
		return Is(mg, xpv2.TypeReady, "True") && Is(mg, xpv2.TypeSynced, "True") &&
			status(mg).FieldByName("ObservedGeneration").Int() == mg.GetGeneration()
	})
}

// UntilGone waits until the object is gone.
func (e *Env) UntilGone(t *testing.T, o client.Object) {
	t.Helper()

	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		return kerrors.IsNotFound(e.Client.Get(ctx, client.ObjectKeyFromObject(o), o)), nil
	})
	if err != nil {
		t.Fatalf("%s never was gone", o.GetName())
	}
}

// Is says whether a condition of an object has a status.
func Is(mg resource.Managed, c xpv2.ConditionType, s corev1.ConditionStatus) bool {
	return mg.GetCondition(c).Status == s
}

func status(mg resource.Managed) reflect.Value {
	return reflect.ValueOf(mg).Elem().FieldByName("Status")
}

// Tags are those of an object of the Env in a cluster.
func (e *Env) Tags(kind, name, cluster string) map[string]string {
	tags := map[string]string{
		"crossplane-kind": kind + "." + e.GV.Group, "crossplane-name": name,
		"crossplane-providerconfig": e.Config, controller.TagCluster: cluster,
	}
	if e.Namespace != "" {
		tags["crossplane-namespace"] = e.Namespace
		tags["crossplane-providerconfig-kind"] = "ClusterProviderConfig"
	}

	return tags
}
