package controller

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlcontroller "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/ratelimiter"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// A Kind in one scope. I is an interface that both scopes' structs satisfy.
type Kind[I resource.Managed] struct {
	// GVK of the kind.
	GVK schema.GroupVersionKind
	// Connector to AWS, the same for both scopes.
	Connector managed.TypedExternalConnector[I]
	// Refers lists the kinds that objects of this kind refer to, and Links the
	// references and selectors of an object. Both may be nil.
	Refers []Referent
	Links  func(I) []Link
	// Is what a reference to an object of this kind yields; zero if none can refer
	// to it.
	Is Referent
	// Quiet are reasons of Ready≠True that only an event ends. With any other the
	// object is looked at every 5 s.
	Quiet []xpv2.ConditionReason
	// Indexes of objects of this kind in the informer, by name, besides those that are
	// needed for all kinds. May be nil.
	Indexes map[string]client.IndexerFunc
	// Sources of reconciles besides the API server, such as a source.Channel.
	Sources []source.Source
	// OnEnding is called at the end of every deletion, an orphaning one included, while
	// the finalizer is still there. May be nil.
	OnEnding func(ctx context.Context, mg I)
	// OnGone is called at the end of every deletion, an orphaning one included,
	// when the runtime's finalizer has been removed. May be nil.
	OnGone func(ctx context.Context, mg I)
	// Region that an object is in. May be nil: then all that one provider configuration
	// is for counts as one when it hangs.
	Region func(I) string
	// MaxConcurrentReconciles of this kind, in one account and region and of those that
	// do not wait for AWS; 0 means that of the options.
	MaxConcurrentReconciles int
	// OwnLimiter: this kind does not share the limiter of all kinds.
	OwnLimiter bool
}

// SetupGated sets a kind up when its CRD is there. Without a gate, which is when
// the provider may not watch CRDs, it does so at once.
func SetupGated[I resource.Managed](mgr ctrl.Manager, o Options, k Kind[I]) error {
	return o.WhenActive(mgr, func() error { return Setup(mgr, o, k) }, k.GVK)
}

// Setup adds the controller of a kind, whose CRD must be there.
func Setup[I resource.Managed](mgr ctrl.Manager, o Options, k Kind[I]) error {
	ctx := context.Background()

	for _, to := range k.Refers {
		if err := indexLinks(ctx, mgr, k, to); err != nil {
			return errors.Wrapf(err, "cannot index references to %s", to.Kind)
		}
	}

	if err := indexConfig(ctx, mgr, k.object(mgr)); err != nil {
		return errors.Wrap(err, "cannot index provider configurations")
	}

	for name, by := range k.Indexes {
		if err := mgr.GetFieldIndexer().IndexField(ctx, k.object(mgr), name, by); err != nil {
			return errors.Wrapf(err, "cannot index by %s", name)
		}
	}

	if err := addStateMetrics(mgr, o, k.GVK); err != nil {
		return err
	}

	retries, looks := newRetries(o.Retry), &looks{}
	opts := k.controllerOptions(o, retries)

	lanes := newLanes(k.reconciler(mgr, o, retries, looks), opts.MaxConcurrentReconciles, k.lane(mgr))
	retries.visiting = lanes.visiting

	if err := mgr.Add(lanes); err != nil {
		return err
	}

	b := ctrl.NewControllerManagedBy(mgr).
		Named(k.name()).
		WithOptions(opts).
		WatchesRawSource(source.Func(lanes.source)).
		For(k.object(mgr), builder.WithPredicates(resource.DesiredStateChanged()))

	for _, s := range k.Sources {
		b = b.WatchesRawSource(s)
	}

	b, err := watchConfigs(mgr, b, k.GVK, looks)
	if err != nil {
		return err
	}

	c, err := b.Build(lanes)
	if err != nil {
		return err
	}

	if err := k.watchReferents(mgr, o, c); err != nil {
		return err
	}

	return k.watchUsers(mgr, o, c)
}

// watchReferents adds a watch of each kind that is referred to: when it is
// active, which it may never be.
func (k Kind[I]) watchReferents(mgr ctrl.Manager, o Options, c ctrlcontroller.Controller) error {
	for _, to := range k.Refers {
		if err := o.WhenActive(mgr, func() error { return watchReferent(mgr, c, k, to) }, k.GVK, k.sibling(to.Kind)); err != nil {
			return err
		}
	}

	return nil
}

func (k Kind[I]) reconciler(mgr ctrl.Manager, o Options, retries *retries, looks *looks) reconcile.Reconciler {
	keeping := keepingManager{mgr}
	good := newLastGood(time.Now)
	deleted := &sync.Map{}
	//nolint:staticcheck // Crossplane's recorder takes no other.
	record := newQuietRecorder(event.NewAPIRecorder(mgr.GetEventRecorderFor(k.name())), time.Now)

	opts := []managed.ReconcilerOption{
		managed.WithTypedExternalConnector[I](&connector[I]{inner: k.Connector, options: o, lastGood: good, deleted: deleted}),
		// External names are ours or AWS's, never the object's name.
		managed.WithInitializers(),
		managed.WithDeterministicExternalName(true),
		managed.WithCriticalAnnotationUpdater(keepingAnnotationUpdater{managed.NewRetryingCriticalAnnotationUpdater(keeping.GetClient())}),
		managed.WithFinalizer(&finalizer{
			inner:   resource.NewAPIFinalizer(keeping.GetClient(), managed.FinalizerName),
			release: o.Connections.release,
			ending: func(ctx context.Context, mg resource.Managed) {
				if typed, ok := mg.(I); ok && k.OnEnding != nil {
					k.OnEnding(ctx, typed)
				}
			},
			gone: func(ctx context.Context, mg resource.Managed) {
				good.forget(mg.GetUID())
				deleted.Delete(mg.GetUID())
				record.said.forget(mg.GetUID())

				if typed, ok := mg.(I); ok && k.OnGone != nil {
					k.OnGone(ctx, typed)
				}
			},
		}),
		managed.WithLogger(o.Logger.WithValues("controller", k.name())),
		managed.WithRecorder(record),
		managed.WithPollInterval(o.PollInterval),
		managed.WithMinPollInterval(o.MinPollInterval),
	}

	if o.Features.Enabled(feature.EnableBetaManagementPolicies) {
		opts = append(opts, managed.WithManagementPolicies())
	}

	if o.Timeout > 0 {
		opts = append(opts, managed.WithTimeout(o.Timeout))
	}

	if o.MetricOptions != nil && o.MetricOptions.MRMetrics != nil {
		opts = append(opts, managed.WithMetricRecorder(o.MetricOptions.MRMetrics))
	}

	if o.ChangeLogOptions != nil {
		opts = append(opts, managed.WithChangeLogger(o.ChangeLogOptions.ChangeLogger))
	}

	var r reconcile.Reconciler = &reconciler{
		inner:   managed.NewReconciler(keeping, resource.ManagedKind(k.GVK), opts...),
		options: o,
		retries: retries,
		looks:   looks,
		quiet:   slices.Concat(k.Quiet, []xpv2.ConditionReason{ReasonWaitingForReference}),
	}

	if o.GlobalRateLimiter != nil && !k.OwnLimiter {
		r = ratelimiter.NewReconciler(k.name(), r, o.GlobalRateLimiter)
	}

	return r
}

func (k Kind[I]) name() string { return "managed/" + strings.ToLower(k.GVK.GroupKind().String()) }

func (k Kind[I]) object(mgr ctrl.Manager) client.Object {
	o, _ := resource.MustCreateObject(k.GVK, mgr.GetScheme()).(client.Object)

	return o
}

// sibling is another kind of the same scope.
func (k Kind[I]) sibling(kind string) schema.GroupVersionKind {
	return k.GVK.GroupVersion().WithKind(kind)
}

// mostWorkers of a kind, in one scope. An idle one costs 5 kB, and there are ten such
// kinds. Of an account we read 5 times a second, and a call takes a tenth of a second:
// 20 are for many accounts at once. Calls that hang keep no worker, but no more than 20 of
// a lane wait for them. Bindings, which must not wait for those, have more.
const mostWorkers = 20

func (k Kind[I]) controllerOptions(o Options, retries *retries) ctrlcontroller.Options {
	opts := o.ForControllerRuntime()
	opts.RateLimiter = retries
	opts.MaxConcurrentReconciles = min(opts.MaxConcurrentReconciles, mostWorkers)

	if k.MaxConcurrentReconciles > 0 {
		opts.MaxConcurrentReconciles = k.MaxConcurrentReconciles
	}

	return opts
}
