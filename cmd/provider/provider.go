package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	"go.uber.org/zap/zapcore"
	authv1 "k8s.io/api/authorization/v1"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/crossplane/crossplane-runtime/v2/pkg/ratelimiter"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/statemetrics"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A provider is everything that runs in this process.
type provider struct {
	flags   *flags
	manager ctrl.Manager
	options controller.Options
}

func newProvider(ctx context.Context, f *flags, fail context.CancelCauseFunc) (*provider, error) {
	if err := f.validate(); err != nil {
		return nil, err
	}

	log := newLogger(f.debug)

	cfg, err := f.config()
	if err != nil {
		return nil, err
	}

	s, err := newScheme()
	if err != nil {
		return nil, err
	}

	mgr, err := newManager(cfg, s, f)
	if err != nil {
		return nil, err
	}

	direct, err := client.New(cfg, client.Options{Scheme: s, HTTPClient: mgr.GetHTTPClient(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("cannot make a client: %w", err)
	}

	id, err := controller.ClusterID(ctx, direct, f.podNamespace, f.clusterID)
	if err != nil {
		return nil, err
	}

	gated, err := mayWatchCRDs(ctx, direct)
	if err != nil {
		return nil, err
	}

	p := &provider{flags: f, manager: mgr, options: newOptions(f, log, fail)}
	p.options.ClusterID = id

	if f.enableChangeLogs {
		if err := enableChangeLogs(&p.options, f.changeLogsSocket); err != nil {
			return nil, err
		}
	}

	pool := aws.NewPool(f.pool(id))
	if err := metrics.Registry.Register(pool); err != nil {
		return nil, fmt.Errorf("cannot register metrics: %w", err)
	}

	p.options.Connections = controller.NewConnections(controller.ConnectionsOptions{
		Client:          mgr.GetClient(),
		Direct:          mgr.GetAPIReader(),
		Pool:            pool,
		TrustNamespaced: f.namespacedProviderConfig == "trusted",
	})

	if gated {
		p.options.Gate = &controller.Gate{}
	}

	log.Info("Starting", "version", version, "cluster-id", id, "gated", gated)

	return p, nil
}

// pool says how AWS is reached.
func (f *flags) pool(clusterID string) aws.PoolOptions {
	return aws.PoolOptions{
		UserAgent: fmt.Sprintf("provider-nlb/%s cluster/%s", version, clusterID),
		Share:     aws.SharesOf(float64(f.awsAPIShare) / 100),
		FIPS:      f.awsFIPS,
		DualStack: f.awsDualStack,
	}
}

// newOptions returns the options of all controllers, as the flags say.
func newOptions(f *flags, log logging.Logger, fail context.CancelCauseFunc) controller.Options {
	features := &feature.Flags{}
	if f.enableManagementPolicies {
		features.Enable(feature.EnableBetaManagementPolicies)
	}

	recorder := managed.NewMRMetricRecorder()
	states := statemetrics.NewMRStateMetrics()

	metrics.Registry.MustRegister(recorder, states)

	return controller.Options{
		Options: xpcontroller.Options{
			Logger:                  log,
			MaxConcurrentReconciles: f.maxReconcileRate,
			PollInterval:            f.pollInterval,
			GlobalRateLimiter:       ratelimiter.NewGlobal(f.maxReconcileRate),
			Features:                features,
			MetricOptions: &xpcontroller.MetricOptions{
				PollStateMetricInterval: f.pollStateMetricInterval, MRMetrics: recorder, MRStateMetrics: states,
			},
		},
		MinPollInterval: f.minPollInterval,
		PollJitter:      float64(f.pollJitterPercentage) / 100,
		Fatal:           func(err error) { fail(err) },
	}
}

func newLogger(debug bool) logging.Logger {
	zl := zap.New(zap.UseDevMode(debug), zap.StacktraceLevel(zapcore.PanicLevel))

	klog.SetLogger(zl)

	// controller-runtime says everything that we say again; only -d wants to know.
	if debug {
		ctrl.SetLogger(zl)
	} else {
		ctrl.SetLogger(logr.Discard())
	}

	return logging.NewLogrLogger(zl.WithName("provider-nlb"))
}

// mayWatchCRDs says whether kinds can be gated. Crossplane 1 does not allow it;
// there all CRDs of a provider are there from the start.
func mayWatchCRDs(ctx context.Context, c client.Client) (bool, error) {
	for _, verb := range []string{"get", "list", "watch"} {
		review := &authv1.SelfSubjectAccessReview{Spec: authv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authv1.ResourceAttributes{
				Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions", Verb: verb,
			},
		}}
		if err := c.Create(ctx, review); err != nil {
			return false, fmt.Errorf("cannot ask whether CustomResourceDefinitions may be watched: %w", err)
		}

		if !review.Status.Allowed {
			return false, nil
		}
	}

	return true, nil
}

// failure returns why the context ended, if that was a failure.
func (p *provider) failure(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}

	return nil
}
