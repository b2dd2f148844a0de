package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlcontroller "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// A User is a kind whose objects use what AWS cannot delete while it is used.
type User struct {
	// Kind, of the used object's own API group.
	Kind string
	// Holds are the ARNs or ids of what an object uses in AWS, however its spec
	// names that.
	Holds func(client.Object) []string
}

func forwardedTo(o client.Object) []string {
	l, ok := o.(interface {
		ObservedState() *v1alpha1.ListenerStatus
	})
	if !ok {
		return nil
	}

	return l.ObservedState().AtProvider.TargetGroupARNs
}

func balancedIn(o client.Object) []string {
	lb, ok := o.(interface {
		ObservedState() *v1alpha1.LoadBalancerStatus
	})
	if !ok {
		return nil
	}

	return lb.ObservedState().AtProvider.SecurityGroupIDs
}

// sourceOf is the group that a rule of another group refers to. A group's own
// rules go with it.
func sourceOf(o client.Object) []string {
	r, ok := o.(interface {
		ObservedState() *v1alpha1.SecurityGroupRuleStatus
	})
	if !ok {
		return nil
	}

	if at := r.ObservedState().AtProvider; at.Source != at.SecurityGroupID {
		return []string{at.Source}
	}

	return nil
}

// maxNamed is how many users a message names.
const maxNamed = 5

// Users says which of our objects, in the object's own scope and namespace, use
// what the object is in AWS; empty if none does. It is only for a message, so that
// what cannot be read is as good as no users.
func (r Resolver) Users(ctx context.Context, of resource.Managed, is Referent) string {
	var found []string

	for _, u := range is.UsedBy {
		gvk := of.GetObjectKind().GroupVersionKind().GroupVersion().WithKind(u.Kind)
		if r.Active != nil && !r.Active(gvk) {
			continue
		}

		list, err := newList(r.Client.Scheme(), gvk)
		if err != nil || r.Client.List(ctx, list, client.InNamespace(of.GetNamespace())) != nil {
			continue
		}

		_ = meta.EachListItem(list, func(o runtime.Object) error {
			if obj, ok := o.(client.Object); ok && slices.Contains(u.Holds(obj), is.Value(of)) {
				found = append(found, fmt.Sprintf("%s %q", u.Kind, obj.GetName()))
			}

			return nil
		})
	}

	slices.Sort(found)

	if more := len(found) - maxNamed; more > 0 {
		found = append(found[:maxNamed], fmt.Sprintf("and %d more", more))
	}

	return strings.Join(found, ", ")
}

// watchUsers adds a watch of each kind that may keep an object of this kind from
// being deleted: when it is active, which it may never be.
func (k Kind[I]) watchUsers(mgr ctrl.Manager, o Options, c ctrlcontroller.Controller) error {
	for _, u := range k.Is.UsedBy {
		if err := o.WhenActive(mgr, func() error { return watchUser(mgr, c, k, u) }, k.GVK, k.sibling(u.Kind)); err != nil {
			return err
		}
	}

	return nil
}

// watchUser enqueues objects that are being deleted as soon as one that used them
// lets go, by its own deletion or by a change: waiting for the rate limiter would
// cost up to 10 s for each link of a chain.
func watchUser[I resource.Managed](mgr ctrl.Manager, c ctrlcontroller.Controller, k Kind[I], u User) error {
	obj, err := newObject(mgr.GetScheme(), k.sibling(u.Kind))
	if err != nil {
		return err
	}

	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

	release := func(ctx context.Context, values []string, q queue) {
		for _, r := range k.awaiting(ctx, mgr.GetClient(), values) {
			q.Add(r)
		}
	}

	return c.Watch(source.Kind(mgr.GetCache(), obj, handler.Funcs{
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			release(ctx, dropped(u.Holds(e.ObjectOld), u.Holds(e.ObjectNew)), q)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { release(ctx, u.Holds(e.Object), q) },
	}))
}

// dropped returns what is among the values no more.
func dropped(values, now []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return slices.Contains(now, v) })
}

// awaiting returns the objects with one of the values that are being deleted.
func (k Kind[I]) awaiting(ctx context.Context, c client.Client, values []string) []reconcile.Request {
	if len(values) == 0 {
		return nil
	}

	list, err := newList(c.Scheme(), k.GVK)
	if err != nil || c.List(ctx, list) != nil {
		return nil
	}

	var out []reconcile.Request

	_ = meta.EachListItem(list, func(o runtime.Object) error {
		obj, ok := o.(client.Object)
		if ok && obj.GetDeletionTimestamp() != nil && slices.Contains(values, k.Is.Value(obj)) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
		}

		return nil
	})

	return out
}
