package controller

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// A connector wraps a kind's connector in the pass.
type connector[I resource.Managed] struct {
	inner    managed.TypedExternalConnector[I]
	options  Options
	lastGood *lastGood
	deleted  *sync.Map
}

func (c *connector[I]) Connect(ctx context.Context, mg I) (managed.TypedExternalClient[I], error) {
	p := passOf(ctx)
	p.begin(mg, c.options)

	inner, err := c.inner.Connect(ctx, mg)
	if w := asWaiting(err); w != nil && !p.deleting {
		p.connected = true

		return &external[I]{waiting: w}, nil
	}

	if err != nil {
		return nil, p.note(err)
	}

	p.connected = true

	return &external[I]{inner: inner, policies: c.options.Policies(mg), lastGood: c.lastGood, deleted: c.deleted}, nil
}

// An external wraps a kind's external client in the pass.
type external[I resource.Managed] struct {
	inner    managed.TypedExternalClient[I]
	waiting  *Waiting
	policies managed.ManagementPoliciesChecker
	lastGood *lastGood
	// deleted are the UIDs of objects whose deletion AWS has accepted.
	deleted *sync.Map
}

func (e *external[I]) Observe(ctx context.Context, mg I) (managed.ExternalObservation, error) {
	p := passOf(ctx)

	if e.waiting != nil {
		return e.wait(p, mg, *e.waiting)
	}

	o, err := e.inner.Observe(ctx, mg)
	if w := asWaiting(err); w != nil && !p.deleting {
		return e.wait(p, mg, *w)
	}

	if err != nil && !p.deleting {
		if good, ok := e.lastGood.instead(err, mg); ok {
			p.observed, p.applied, p.repeated = true, true, true

			return good, nil
		}
	}

	if err != nil {
		return managed.ExternalObservation{}, p.note(err)
	}

	return e.observed(p, mg, o), nil
}

// wait says that the object exists and is up to date, so that the runtime does
// nothing, and that it is not ready.
func (e *external[I]) wait(p *pass, mg I, w Waiting) (managed.ExternalObservation, error) {
	p.observed, p.waiting = true, true
	mg.SetConditions(WaitingForReference(w).WithObservedGeneration(mg.GetGeneration()))

	return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: true}, nil
}

// observed draws the conclusions of an observation.
func (e *external[I]) observed(p *pass, mg I, o managed.ExternalObservation) managed.ExternalObservation {
	generation := mg.GetGeneration()
	missing := !o.ResourceExists && !e.policies.ShouldCreate()

	if _, deleted := e.deleted.Load(mg.GetUID()); deleted && !o.ResourceExists {
		// For 30 s after a creation the runtime does not believe that something does
		// not exist. AWS has told us why it does not.
		meta.RemoveAnnotations(mg, meta.AnnotationKeyExternalCreateSucceeded)
	}

	p.observed = true
	p.creating = !o.ResourceExists && !missing && !p.deleting
	p.applied = missing || o.ResourceExists && (o.ResourceUpToDate || !e.policies.ShouldUpdate())

	if missing && !p.deleting {
		mg.SetConditions(NotReady(ReasonMissing, "it does not exist in AWS, and spec.managementPolicies do not allow to create it"))

		// The runtime would go on to update what does not exist.
		o.ResourceUpToDate = true
	}

	if p.applied {
		managedStatus(mg).SetObservedGeneration(generation)
	}

	if o.ResourceExists && !o.ResourceUpToDate && !e.policies.ShouldUpdate() && !p.deleting {
		mg.SetConditions(drifted(o.Diff))
	} else {
		without(managedStatus(mg), TypeDrifted)
	}

	stamp(managedStatus(mg).Conditions, generation)

	if p.applied && !missing && !p.deleting {
		e.lastGood.keep(mg, o)
	}

	return o
}

func (e *external[I]) Create(ctx context.Context, mg I) (managed.ExternalCreation, error) {
	p := passOf(ctx)
	c, err := e.inner.Create(ctx, mg)

	if ready := mg.GetCondition(xpv2.TypeReady); err == nil && ready.Reason == xpv2.ReasonCreating {
		p.underway = ready.Message
	}

	return c, p.note(err)
}

func (e *external[I]) Update(ctx context.Context, mg I) (managed.ExternalUpdate, error) {
	u, err := e.inner.Update(ctx, mg)

	return u, passOf(ctx).note(err)
}

func (e *external[I]) Delete(ctx context.Context, mg I) (managed.ExternalDelete, error) {
	status := managedStatus(mg)
	without(status, TypeDeletionBlocked)

	d, err := e.inner.Delete(ctx, mg)
	if err == nil && mg.GetCondition(TypeDeletionBlocked).Status != corev1.ConditionTrue {
		e.deleted.Store(mg.GetUID(), true)
	}

	stamp(status.Conditions, mg.GetGeneration())

	return d, passOf(ctx).note(err)
}

func (e *external[I]) Disconnect(ctx context.Context) error {
	if e.inner == nil {
		return nil
	}

	return e.inner.Disconnect(ctx)
}
