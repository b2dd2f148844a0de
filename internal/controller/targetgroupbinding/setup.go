package targetgroupbinding

import (
	"context"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

const kind = "TargetGroupBinding"

// workers reconcile bindings. They share nothing with other kinds: a storm of
// bindings must not starve load balancers, nor the other way round.
const workers = 50

// timeout of a reconcile: a hanging call must not keep a worker for the runtime's
// minute.
const timeout = 20 * time.Second

// quiet are the reasons of Ready≠True that the engine ends by asking for a
// reconcile.
var quiet = []xpv2.ConditionReason{
	"Observing", "Registering", "NothingSelected", "TargetGroupNotFound", "TargetGroupUnreadable",
}

// Options of the kind, besides those of all kinds.
type Options struct {
	controller.Options
	// Cluster that pods are observed in.
	Cluster *clusters.Cluster
	// NoDeregistration says why nothing may be deregistered at all; empty if it
	// may.
	NoDeregistration string
	// Metrics is where those of the engine are registered; nil for nowhere.
	Metrics prometheus.Registerer
}

// Setup adds the engine and the reconcilers of both scopes.
func Setup(mgr ctrl.Manager, o Options) error {
	o.Timeout = timeout
	l := newLiaison(mgr, o)
	engine := binder.New(binder.Options{
		Clusters: o.Cluster, Live: l.live, Heir: l.heir, Notify: l.notify, Event: l.event, PodEvent: l.podEvent,
		Gates: gates{o.Cluster, l, active(o.Options)},
		Poll:  o.PollInterval, Log: o.Logger.WithValues("engine", "binder"),
	})
	if err := mgr.Add(o.Cluster); err != nil {
		return err
	}
	if err := mgr.Add(engine); err != nil {
		return err
	}
	if o.Metrics != nil {
		if err := o.Metrics.Register(engine); err != nil {
			return err
		}
	}
	c := &connector{
		options: o.Options, engine: engine, cluster: o.Cluster,
		resolver: controller.Resolver{Client: mgr.GetClient(), Active: active(o.Options)},
		looked:   newMemo[bool](0), hints: newMemo[string](o.PollInterval),
		later: newLater(), claims: newClaims(), notify: l.notify, event: l.event, allowed: l.allowed, twin: l.twin, seen: l.seen,
	}
	for _, gv := range []schema.GroupVersion{namespaced.SchemeGroupVersion, cluster.SchemeGroupVersion} {
		err := controller.SetupGated(mgr, o.Options, controller.Kind[Binding]{
			GVK:       gv.WithKind(kind),
			Connector: c,
			Region:    func(o Binding) string { return o.ForProvider().Region },
			Refers:    []controller.Referent{controller.TargetGroupARN},
			Links:     links,
			Quiet:     quiet,
			Indexes:   map[string]client.IndexerFunc{bySelection: selectionKeys},
			Sources:   []source.Source{source.Channel(l.wanted[gv.Group], &handler.EnqueueRequestForObject{})},
			OnEnding: func(ctx context.Context, b Binding) {
				engine.OpenGates(ctx, refOf(b))
				l.untwin(b)
			},
			OnGone: func(_ context.Context, b Binding) {
				engine.Forget(b.GetUID())
				c.looked.forget(b.GetUID())
				c.hints.forget(b.GetUID())
				c.claims.forget(b.GetUID())
				l.seen.forget(b.GetUID())
			},
			MaxConcurrentReconciles: workers,
			OwnLimiter:              true,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// active tells which kinds can be referred to; nil, which is all, without a gate.
func active(o controller.Options) func(schema.GroupVersionKind) bool {
	if gate, ok := o.Gate.(*controller.Gate); ok {
		return gate.Active
	}
	return nil
}

// links are the references of a binding.
func links(b Binding) []controller.Link {
	p := b.ForProvider()
	return []controller.Link{{
		To: controller.TargetGroupARN, Field: "targetGroupArn",
		Ref: p.TargetGroupARNRef, Selector: p.TargetGroupARNSelector,
	}}
}

// connector makes an external client for each reconcile.
type connector struct {
	options  controller.Options
	engine   *binder.Binder
	cluster  *clusters.Cluster
	resolver controller.Resolver
	// looked says that AWS was asked for the group since a generation is there.
	looked *memo[bool]
	hints  *memo[string]
	later  *later
	claims *claims
	// notify asks for a reconcile of a binding.
	notify func(binder.Ref)
	// event records an Event on a binding.
	event func(binder.Ref, binder.Event)
	// allowed is what may be done for a binding.
	allowed func(Binding) binder.Live
	// twin is an older binding of the same pods and port; nil if there is none.
	twin func(Binding) Binding
	// seen is told of each binding.
	seen *sightings
}

// Connect resolves the reference and reaches AWS. While a reference is waited for
// no AWS call is made.
func (c *connector) Connect(ctx context.Context, b Binding) (managed.TypedExternalClient[Binding], error) {
	e := &external{connector: c}
	c.seen.of(b.GetUID())
	if meta.WasDeleted(b) {
		if b.ObservedState().AtProvider.TargetGroupARN == "" {
			return e, nil // it never was bound, so AWS is not needed
		}
	} else if link := links(b)[0]; link.Set() {
		arn, err := c.resolver.One(ctx, b, link)
		if err != nil {
			return nil, err
		}
		e.referred = arn
	}
	connection, err := c.options.Connections.Connect(ctx, b, b.ForProvider().Region)
	if err != nil {
		return nil, err
	}
	e.access = connection.Access
	return e, nil
}
