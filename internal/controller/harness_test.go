package controller_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	localtest.Main(m, local.Options{Parts: local.APIOnly})
}

const crds = "../../package/provider/crds"

// patience is how long a test waits for what should be there in a moment.
const patience = 20 * time.Second

// An env is one manager on the test binary's API server, with both scopes of
// TargetGroup and of TargetGroupBinding, which refers to it. Both reconcile the
// same cloud. It polls once an hour: what happens sooner, happened by an event.
type env struct {
	client client.Client
	cloud  *cloud
	config *rest.Config
}

func testScheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, namespacedapi.AddToScheme, clusterapi.AddToScheme} {
		if err := add(s); err != nil {
			return nil, err
		}
	}

	return s, nil
}

func testOptions(mgr ctrl.Manager) controller.Options {
	features := &feature.Flags{}
	features.Enable(feature.EnableBetaManagementPolicies)

	return controller.Options{
		Options: xpcontroller.Options{
			Logger: logging.NewNopLogger(), PollInterval: time.Hour, MaxConcurrentReconciles: 8, Features: features,
		},
		MinPollInterval: 30 * time.Second,
		ClusterID:       "test",
		Connections: controller.NewConnections(controller.ConnectionsOptions{
			Client: mgr.GetClient(), Direct: mgr.GetAPIReader(), Pool: aws.NewPool(aws.PoolOptions{}),
		}),
	}
}

// startEnv starts an env that ends with the test, after its subtests.
func startEnv(t *testing.T, change ...func(*controller.Options)) *env {
	t.Helper()

	cp := localtest.ControlPlane(t)
	if err := cp.ApplyFiles(t.Context(), crds); err != nil {
		t.Fatal(err)
	}

	s, err := testScheme()
	if err != nil {
		t.Fatal(err)
	}

	skip := true

	mgr, err := ctrl.NewManager(cp.Config(), ctrl.Options{
		Scheme: s, Metrics: metricsserver.Options{BindAddress: "0"}, Controller: config.Controller{SkipNameValidation: &skip},
	})
	if err != nil {
		t.Fatal(err)
	}

	c := &cloud{byName: map[string]*script{}}
	if err := setupKinds(mgr, c, change); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())

	var running sync.WaitGroup

	running.Go(func() { _ = mgr.Start(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })

	direct, err := client.New(cp.Config(), client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}

	return &env{client: direct, cloud: c, config: cp.Config()}
}

type (
	targetGroup interface {
		resource.Managed
		ForProvider() *v1alpha1.TargetGroupParameters
		ObservedState() *v1alpha1.TargetGroupStatus
	}
	binding interface {
		resource.Managed
		ForProvider() *v1alpha1.TargetGroupBindingParameters
	}
)

func setupKinds(mgr ctrl.Manager, c *cloud, change []func(*controller.Options)) error {
	o := testOptions(mgr)
	for _, f := range change {
		f(&o)
	}

	resolver := controller.Resolver{Client: mgr.GetClient()}
	links := func(b binding) []controller.Link {
		return []controller.Link{{
			To: controller.TargetGroupARN, Field: "targetGroupArn",
			Ref: b.ForProvider().TargetGroupARNRef, Selector: b.ForProvider().TargetGroupARNSelector,
		}}
	}

	for _, gv := range []schema.GroupVersion{namespacedapi.SchemeGroupVersion, clusterapi.SchemeGroupVersion} {
		if err := controller.SetupGated(mgr, o, controller.Kind[targetGroup]{
			GVK: gv.WithKind("TargetGroup"), Connector: &fake[targetGroup]{cloud: c},
			OnEnding: func(ctx context.Context, tg targetGroup) {
				there := mgr.GetAPIReader().Get(ctx, client.ObjectKeyFromObject(tg), tg.DeepCopyObject().(client.Object)) == nil //nolint:forcetypeassert // It is one.
				c.with(tg.GetName(), func(s *script) { s.ending = there && !s.gone })
			},
			OnGone: func(_ context.Context, tg targetGroup) { c.with(tg.GetName(), func(s *script) { s.gone = true }) },
			Quiet:  []xpv2.ConditionReason{"Event"},
			Is:     controller.TargetGroupARN,
		}); err != nil {
			return err
		}

		if err := controller.SetupGated(mgr, o, controller.Kind[binding]{
			GVK: gv.WithKind("TargetGroupBinding"), Refers: []controller.Referent{controller.TargetGroupARN}, Links: links,
			Connector: &fake[binding]{cloud: c, before: func(ctx context.Context, b binding) error {
				if !links(b)[0].Set() {
					return nil
				}
				_, err := resolver.One(ctx, b, links(b)[0])

				return err
			}},
		}); err != nil {
			return err
		}
	}

	return nil
}

// bothScopes runs a test once for each scope, each time in its own namespace.
func bothScopes(t *testing.T, test func(t *testing.T, e *env, s scope), change ...func(*controller.Options)) {
	t.Helper()

	e := startEnv(t, change...)

	for _, gv := range []schema.GroupVersion{namespacedapi.SchemeGroupVersion, clusterapi.SchemeGroupVersion} {
		t.Run(gv.Group, func(t *testing.T) {
			t.Parallel()

			s := scope{gv: gv, prefix: strings.ToLower(strings.NewReplacer("/", "-", ".", "-", "_", "-").Replace(t.Name()))}

			if gv.Group == namespacedapi.SchemeGroupVersion.Group {
				ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
				if err := e.client.Create(t.Context(), ns); err != nil {
					t.Fatal(err)
				}

				s.namespace = ns.Name
			}

			test(t, e, s)
		})
	}
}

func (e *env) status(t *testing.T, mg client.Object) status.Status {
	t.Helper()

	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(mg)
	if err != nil {
		t.Fatal(err)
	}

	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(mg.GetObjectKind().GroupVersionKind())

	r, err := status.Compute(u)
	if err != nil {
		t.Fatal(err)
	}

	return r.Status
}
