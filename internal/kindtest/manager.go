package kindtest

import (
	"context"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/config"
)

// UserAgent is part of what our calls say of themselves, so that they can be told
// from those of a test.
const UserAgent = "provider-nlb/test"

// CRDs is where the generated CRDs are, from whichever package asks.
func CRDs() string {
	_, here, _, _ := runtime.Caller(0)

	return filepath.Join(filepath.Dir(here), "..", "..", "package", "provider", "crds")
}

// Start applies the CRDs and runs a manager with the controllers of the kinds and
// of provider configurations. It returns a client without a cache, and what stops
// the manager.
func Start(cp *local.ControlPlane, poll time.Duration, kinds ...Setup) (client.WithWatch, func(), error) {
	if err := cp.ApplyFiles(context.Background(), CRDs()); err != nil {
		return nil, nil, err
	}

	s := k8sruntime.NewScheme()
	for _, add := range []func(*k8sruntime.Scheme) error{clientgoscheme.AddToScheme, namespacedapi.AddToScheme, clusterapi.AddToScheme} {
		if err := add(s); err != nil {
			return nil, nil, err
		}
	}

	c, err := client.NewWithWatch(cp.Config(), client.Options{Scheme: s})
	if err != nil {
		return nil, nil, err
	}

	skip := true

	mgr, err := ctrl.NewManager(cp.Config(), ctrl.Options{
		Scheme: s, Metrics: metricsserver.Options{BindAddress: "0"}, Controller: ctrlconfig.Controller{SkipNameValidation: &skip},
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
	})
	if err != nil {
		return nil, nil, err
	}

	o := options(mgr, poll)
	for _, setup := range append(kinds, config.SetupGated) {
		if err := setup(mgr, o); err != nil {
			return nil, nil, err
		}
	}

	ctx, cancel := context.WithCancel(context.Background())

	var running sync.WaitGroup

	running.Go(func() { _ = mgr.Start(ctx) })

	return c, func() { cancel(); running.Wait() }, nil
}

func options(mgr ctrl.Manager, poll time.Duration) controller.Options {
	features := &feature.Flags{}
	features.Enable(feature.EnableBetaManagementPolicies)

	return controller.Options{
		Options: xpcontroller.Options{
			Logger: logging.NewNopLogger(), PollInterval: poll, MaxConcurrentReconciles: 20, Features: features,
		},
		ClusterID: Cluster,
		Connections: controller.NewConnections(controller.ConnectionsOptions{
			Client: mgr.GetClient(), Direct: mgr.GetAPIReader(), Pool: aws.NewPool(aws.PoolOptions{UserAgent: UserAgent}),
		}),
	}
}
