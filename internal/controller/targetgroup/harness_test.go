package targetgroup_test

import (
	"context"
	"sync"
	"testing"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/config"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroup"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	localtest.Main(m, local.Options{Parts: local.APIOnly})
}

const (
	crds     = "../../../package/provider/crds"
	patience = 20 * time.Second
	region   = "eu-west-1"
	vpc      = "vpc-0a"
	cluster  = "c1"
)

// An env is one scope on a real API server with the real controllers, and an AWS
// of its own that is simulated beyond the wire. It is polled once a second.
type env struct {
	client client.Client
	sim    *awssim.Sim
	elb    *elbv2.Client
	// secret in namespace default with the credentials, under key ini.
	secret string
	scope
}

// A scope makes objects.
type scope struct {
	gv        schema.GroupVersion
	namespace string
}

// bothScopes runs a test once for each scope, at the same time: one manager, and
// an AWS for each.
func bothScopes(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()

	c := startManager(t)

	for _, gv := range []schema.GroupVersion{namespacedapi.SchemeGroupVersion, clusterapi.SchemeGroupVersion} {
		t.Run(gv.Group, func(t *testing.T) {
			t.Parallel()
			test(t, newEnv(t, c, gv))
		})
	}
}

// start is for a test of one scope.
func start(t *testing.T, gv schema.GroupVersion) *env {
	t.Helper()

	return newEnv(t, startManager(t), gv)
}

func newEnv(t *testing.T, c client.Client, gv schema.GroupVersion) *env {
	t.Helper()

	sim := awssim.New(awssim.Options{})
	t.Cleanup(sim.Close)
	sim.SeedVPC(awssim.DefaultKey.Account, region, vpc)

	e := &env{client: c, sim: sim, elb: elbv2.NewFromConfig(sim.Config(region)), scope: scope{gv: gv}}

	if gv.Group == namespacedapi.SchemeGroupVersion.Group {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "tg-"}}
		e.must(t, e.client.Create(t.Context(), ns))
		e.namespace = ns.Name
	}

	e.configure(t)

	return e
}

// startManager starts a manager with the real controllers that ends with the
// test, and returns a client.
func startManager(t *testing.T) client.Client {
	t.Helper()

	cp := localtest.ControlPlane(t)
	must(t, cp.ApplyFiles(t.Context(), crds))

	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, namespacedapi.AddToScheme, clusterapi.AddToScheme} {
		must(t, add(s))
	}

	skip := true
	mgr, err := ctrl.NewManager(cp.Config(), ctrl.Options{
		Scheme: s, Metrics: metricsserver.Options{BindAddress: "0"}, Controller: ctrlconfig.Controller{SkipNameValidation: &skip},
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
	})
	must(t, err)

	features := &feature.Flags{}
	features.Enable(feature.EnableBetaManagementPolicies)

	o := controller.Options{
		Options: xpcontroller.Options{
			Logger: logging.NewNopLogger(), PollInterval: time.Second, MaxConcurrentReconciles: 4, Features: features,
		},
		ClusterID: cluster,
		Connections: controller.NewConnections(controller.ConnectionsOptions{
			Client: mgr.GetClient(), Secrets: mgr.GetAPIReader(), Pool: aws.NewPool(aws.PoolOptions{}),
		}),
	}
	must(t, targetgroup.SetupGated(mgr, o))
	must(t, config.SetupGated(mgr, o))

	ctx, cancel := context.WithCancel(context.Background())

	var running sync.WaitGroup

	running.Go(func() { _ = mgr.Start(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })

	c, err := client.New(cp.Config(), client.Options{Scheme: s})
	must(t, err)

	return c
}

func (e *env) must(t *testing.T, err error) {
	t.Helper()
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()

	if err != nil {
		t.Fatal(err)
	}
}

// remove an object whatever holds it.
func (e *env) remove(o client.Object) {
	ctx := context.Background()
	_ = e.client.Delete(ctx, o)
	_ = e.client.Patch(ctx, o, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))

	_ = wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		return kerrors.IsNotFound(e.client.Get(ctx, client.ObjectKeyFromObject(o), o)), nil
	})
}

// group makes a TargetGroup.
func (e *env) group(t *testing.T, name string, mutate ...func(targetgroup.TargetGroup)) targetgroup.TargetGroup {
	t.Helper()

	m := metav1.ObjectMeta{Namespace: e.namespace, Name: name}

	var tg targetgroup.TargetGroup = &namespacedapi.TargetGroup{ObjectMeta: m}
	if e.gv.Group == clusterapi.SchemeGroupVersion.Group {
		tg = &clusterapi.TargetGroup{ObjectMeta: m}
	}

	*tg.ForProvider() = v1alpha1.TargetGroupParameters{
		Region: region, Name: ptr("edge"), Protocol: ptr("TCP"), Port: ptr(int32(443)), VPCID: ptr(vpc),
		HealthCheck: &v1alpha1.HealthCheck{IntervalSeconds: ptr(int32(10))},
	}

	for _, f := range mutate {
		f(tg)
	}

	e.must(t, e.client.Create(t.Context(), tg))
	t.Cleanup(func() { e.remove(tg) })

	return tg
}

func ptr[T any](v T) *T { return &v }

// until waits until the object is as wanted.
func (e *env) until(t *testing.T, tg targetgroup.TargetGroup, what string, wanted func() bool) {
	t.Helper()

	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		if err := e.client.Get(ctx, client.ObjectKeyFromObject(tg), tg); err != nil {
			return false, client.IgnoreNotFound(err)
		}

		return wanted(), nil
	})
	if err != nil {
		t.Fatalf("never %s: %v\n%+v\n%+v", what, err, tg.ObservedState().Conditions, e.groups())
	}
}

func (e *env) untilApplied(t *testing.T, tg targetgroup.TargetGroup) {
	t.Helper()
	e.until(t, tg, "applied", func() bool {
		return is(tg, xpv2.TypeReady, "True") && is(tg, xpv2.TypeSynced, "True") && tg.ObservedState().GetObservedGeneration() == tg.GetGeneration()
	})
}

func (e *env) untilGone(t *testing.T, o client.Object) {
	t.Helper()

	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		return kerrors.IsNotFound(e.client.Get(ctx, client.ObjectKeyFromObject(o), o)), nil
	})
	if err != nil {
		t.Fatalf("%s never was gone", o.GetName())
	}
}

func is(tg targetgroup.TargetGroup, c xpv2.ConditionType, s corev1.ConditionStatus) bool {
	return tg.GetCondition(c).Status == s
}

// groups in AWS.
func (e *env) groups() []awssim.TargetGroup {
	return e.sim.TargetGroups(awssim.DefaultKey.Account, region)
}

// sdk is the one group that AWS has, as a reader gets it.
func (e *env) sdk(t *testing.T) types.TargetGroup {
	t.Helper()

	out, err := e.elb.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{})
	e.must(t, err)

	if len(out.TargetGroups) != 1 {
		t.Fatalf("AWS has %d target groups, want 1", len(out.TargetGroups))
	}

	return out.TargetGroups[0]
}
