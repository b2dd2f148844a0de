package targetgroupbinding

import (
	"context"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A Binding is a TargetGroupBinding of either scope.
type Binding interface {
	resource.Managed
	ForProvider() *v1alpha1.TargetGroupBindingParameters
	ObservedState() *v1alpha1.TargetGroupBindingStatus
}

// external is one reconcile's view of AWS and the engine.
type external struct {
	*connector
	access *aws.Access
	// referred is the ARN that the binding's reference yields; empty without one.
	referred string
	// found is the group, once Observe has looked.
	found foundGroup
	// served says that status told that the binding is Ready, of this generation and
	// with this group.
	served bool
}

// Observe finds the target group, hands the engine an order, and copies what the
// engine knows into status.
func (e *external) Observe(ctx context.Context, b Binding) (managed.ExternalObservation, error) {
	if meta.WasDeleted(b) {
		return e.observeRelease(ctx, b)
	}
	found, err := e.group(ctx, b)
	if err == nil {
		err = e.admissible(ctx, b, found)
	}
	if err != nil {
		// What the engine knows goes on being told: that the group that is bound
		// is gone, for one. As long as this generation cannot be served it may be an
		// earlier one that is.
		if snap, ok := e.engine.Snapshot(b.GetUID()); ok {
			e.tell(ctx, b, asOf(b.GetGeneration(), snap))
		}
		return managed.ExternalObservation{}, err
	}
	e.found, e.served = found, served(b, found.ARN)
	b.ObservedState().AtProvider.TargetGroupARN = found.ARN
	b.ObservedState().AtProvider.TargetType = string(found.Type)

	policies := e.options.Policies(b)
	if meta.GetExternalName(b) == "" && policies.ShouldCreate() {
		// Create records the external name; nothing is written to AWS before our
		// finalizer is there.
		return managed.ExternalObservation{}, nil
	}
	if meta.FinalizerExists(b, managed.FinalizerName) {
		e.engine.Bind(e.order(b, found))
	}
	snap, ok := e.engine.Snapshot(b.GetUID())
	e.report(ctx, b, snap, ok)
	return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: e.tagAgrees(b, found, snap)}, nil
}

// served says that status tells that a binding is Ready, of this generation and with the
// group.
func served(b Binding, arn string) bool {
	c := b.GetCondition(xpv2.TypeReady)
	return c.Status == corev1.ConditionTrue && c.ObservedGeneration == b.GetGeneration() && b.ObservedState().AtProvider.TargetGroupARN == arn
}

// Create records the external name, for information, and starts the engine: the
// runtime has written our finalizer together with the annotations before it.
func (e *external) Create(_ context.Context, b Binding) (managed.ExternalCreation, error) {
	meta.SetExternalName(b, e.found.ARN)
	e.engine.Bind(e.order(b, e.found))
	return managed.ExternalCreation{}, nil
}

// Update sets the tag of the group's only owner, or removes it. All else the engine
// repairs.
func (e *external) Update(ctx context.Context, b Binding) (managed.ExternalUpdate, error) {
	return managed.ExternalUpdate{}, e.claim(ctx, b)
}

// Delete opens the gates of pods that wait for the binding, asks the engine to
// deregister what is ours and returns: Observe tells when nothing is left, and what
// AWS refuses is shown. The tag of the group's only owner goes, too.
func (e *external) Delete(ctx context.Context, b Binding) (managed.ExternalDelete, error) {
	e.engine.OpenGates(ctx, refOf(b))
	e.engine.Release(b.GetUID())
	claims, err := e.stillClaims(ctx, b)
	if claims && err == nil {
		err = aws.Wrap(e.unclaim(ctx, b.ObservedState().AtProvider.TargetGroupARN))
	}
	if err != nil {
		return managed.ExternalDelete{}, errors.Wrap(err, "cannot remove the tag of the target group's only owner")
	}
	if snap, ok := e.engine.Snapshot(b.GetUID()); ok && snap.Blocked != (binder.Blocked{}) {
		b.SetConditions(controller.DeletionBlocked(snap.Blocked.Reason, snap.Blocked.Message))
	}
	return managed.ExternalDelete{}, nil
}

// Disconnect has nothing to do.
func (e *external) Disconnect(context.Context) error { return nil }

// observeRelease says whether AWS still holds targets of a binding that is being
// deleted. References may be gone by now, so the group is the one it was bound to.
func (e *external) observeRelease(ctx context.Context, b Binding) (managed.ExternalObservation, error) {
	gone := managed.ExternalObservation{}
	arn := b.ObservedState().AtProvider.TargetGroupARN
	if arn == "" || e.access == nil {
		return gone, nil // it never was bound
	}
	snap, ok := e.engine.Snapshot(b.GetUID())
	if !ok {
		found, err := e.describe(ctx, arn, controller.Ages{})
		if aws.IsNotFound(err, codeNotFound) {
			return gone, nil
		}
		if err != nil {
			return gone, err
		}
		e.engine.Bind(e.order(b, found))
	}
	if snap.GroupGone {
		return gone, nil
	}
	if snap.Released {
		claims, err := e.stillClaims(ctx, b)
		return managed.ExternalObservation{ResourceExists: claims}, err
	}
	if ok {
		e.report(ctx, b, snap, ok)
	}
	return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: true}, nil
}

// admissible refuses what a binding cannot serve.
func (e *external) admissible(ctx context.Context, b Binding, found foundGroup) error {
	if err := servable(b.ForProvider(), found); err != nil {
		return err
	}
	bound := b.ObservedState().AtProvider.TargetGroupARN
	if bound == "" || bound == found.ARN {
		return nil
	}
	_, err := e.access.Read.TargetGroup(ctx, bound, 0)
	if aws.IsNotFound(err, codeNotFound) {
		return nil // the old group is gone: its successor is taken
	}
	if err != nil {
		return errors.Wrapf(aws.Wrap(err), "cannot tell whether the target group that is bound, %s, still exists", bound)
	}
	return controller.Stalled{Reason: controller.ReasonImmutable, Message: "the target group of a binding cannot be changed: it is bound to " +
		bound + ", and spec.forProvider now yields " + found.ARN + "; delete and re-create the binding"}
}

var _ managed.TypedExternalClient[Binding] = &external{}

// order is what the engine is told.
func (e *external) order(b Binding, found foundGroup) binder.Order {
	claimed, by := e.owned(b, found.owner)
	requested, _ := meta.GetReconcileRequest(b)
	return binder.Order{
		Binding:    refOf(b),
		Generation: b.GetGeneration(),
		Served:     e.served,
		Created:    b.GetCreationTimestamp().Time,
		Access:     e.access,
		Group:      found.Group, Provisional: found.provisional,
		Drain:     found.drain,
		Poll:      e.options.Interval(b),
		Requested: requested,
		Query:     queryOf(b, found.Protocol),
		Policy:    policyOf(b.ForProvider()),
		Ports:     b.ObservedState().AtProvider.Ports,
		OwnIPs:    ownIPs(b.ObservedState().AtProvider.OwnedTargets),
		Claimed:   claimed,
		OwnedBy:   by,
		Live:      e.allowed(b),
	}
}
