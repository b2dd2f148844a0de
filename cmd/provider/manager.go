package main

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/crossplane/crossplane-runtime/v2/pkg/ratelimiter"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/customresourcesgate"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
)

// leaseName is what replicas compete for.
const leaseName = "provider-nlb"

// leaseRetry is how often a leader renews its lease, and up to 2.2 times as long others
// wait between two tries to get it: what comes on top of the lease's duration after a
// leader was killed.
const leaseRetry = time.Second

// endWithin is how long workers may take to end. The lease is given back after that,
// before the kubelet kills the process, which it does 30 s after SIGTERM: else the next
// leader waits until the lease has run out.
const endWithin = 10 * time.Second

func errFlag(name, problem string) error { return fmt.Errorf("--%s %s", name, problem) }

// config says how the API server is reached.
func (f *flags) config() (*rest.Config, error) {
	cfg, err := ctrl.GetConfig()
	if f.kubeconfig != "" {
		cfg, err = clientcmd.BuildConfigFromFlags("", f.kubeconfig)
	}

	if err != nil {
		return nil, fmt.Errorf("cannot tell how to reach the API server: %w", err)
	}

	cfg.UserAgent = "provider-nlb/" + version
	// Each watch of a kind would keep a window of 40 kB to decompress with, and what
	// comes of them is little; pods and nodes have a client of their own.
	cfg.DisableCompression = true

	return ratelimiter.LimitRESTConfig(cfg, f.maxReconcileRate), nil
}

func newScheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()

	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, namespaced.AddToScheme, cluster.AddToScheme,
	} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("cannot make the scheme: %w", err)
		}
	}

	return s, nil
}

// newManager returns a manager with its health endpoints.
func newManager(cfg *rest.Config, s *runtime.Scheme, f *flags) (ctrl.Manager, error) {
	leases := f.leaderElectionNamespace
	if leases == "" {
		leases = f.podNamespace
	}

	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: s,
		Cache: cache.Options{
			SyncPeriod: &f.syncInterval,
			// Who has set which field is of no use here, and often more than the object
			// itself. An update without it leaves it as it is.
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				// The gate needs to know which CRDs there are, not what is in them.
				&apiextensionsv1.CustomResourceDefinition{}: {Transform: customresourcesgate.TransformStripCRDSchema},
			},
		},
		// Reading one Secret must not bring all Secrets into memory.
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}}}},

		LeaderElection:             f.leaderElection,
		LeaderElectionID:           leaseName,
		LeaderElectionNamespace:    leases,
		LeaderElectionResourceLock: resourcelock.LeasesResourceLock,
		// The process ends when the manager does, so the next leader need not wait.
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &f.leaseDuration,
		RenewDeadline:                 &f.renewDeadline,
		RetryPeriod:                   new(leaseRetry),
		GracefulShutdownTimeout:       new(endWithin),

		Metrics:                metricsserver.Options{BindAddress: f.metricsBindAddress},
		HealthProbeBindAddress: f.healthProbeBindAddress,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot make the manager: %w", err)
	}

	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, err
	}

	return mgr, mgr.AddReadyzCheck("ping", healthz.Ping)
}
