package controller

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlcontroller "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// anySelector is what a link with a selector is indexed under: which objects it
// selects is decided when one of them changes.
const anySelector = "*"

func linkIndex(kind string) string { return "links.to." + kind }

// indexLinks lets the cache find who refers to an object of a kind.
func indexLinks[I resource.Managed](ctx context.Context, mgr ctrl.Manager, k Kind[I], to Referent) error {
	return mgr.GetFieldIndexer().IndexField(ctx, k.object(mgr), linkIndex(to.Kind), func(o client.Object) []string {
		mg, ok := o.(I)
		if !ok {
			return nil
		}

		var names []string

		for _, l := range k.Links(mg) {
			switch {
			case l.To.Kind != to.Kind:
			case l.Ref != nil:
				names = append(names, l.Ref.Name)
			case l.Selector != nil:
				names = append(names, anySelector)
			}
		}

		return names
	})
}

// watchReferent enqueues those who refer to an object when what they get from it
// changes. It is called when both kinds are active.
func watchReferent[I resource.Managed](mgr ctrl.Manager, c ctrlcontroller.Controller, k Kind[I], to Referent) error {
	obj, err := newObject(mgr.GetScheme(), k.sibling(to.Kind))
	if err != nil {
		return err
	}

	return c.Watch(source.Kind(mgr.GetCache(), obj,
		handler.EnqueueRequestsFromMapFunc(k.referrers(mgr.GetClient(), to)),
		yieldsAnother(to)))
}

// yieldsAnother passes events after which a link may yield another value. An
// object that yields none yet is no news: telling that it exists now would cost an
// update of every object that waits for it.
func yieldsAnother(to Referent) predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return to.Value(e.Object) != "" },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return to.Value(e.ObjectOld) != to.Value(e.ObjectNew) ||
				!labels.Equals(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) ||
				len(e.ObjectOld.GetOwnerReferences()) != len(e.ObjectNew.GetOwnerReferences())
		},
	}
}

// referrers returns who refers to an object.
func (k Kind[I]) referrers(c client.Client, to Referent) handler.MapFunc {
	return func(ctx context.Context, changed client.Object) []reconcile.Request {
		var out []reconcile.Request

		for _, key := range []string{changed.GetName(), anySelector} {
			list, err := newList(c.Scheme(), k.GVK)
			if err != nil {
				return nil
			}

			if err := c.List(ctx, list, client.InNamespace(changed.GetNamespace()), client.MatchingFields{linkIndex(to.Kind): key}); err != nil {
				continue
			}

			_ = meta.EachListItem(list, func(o runtime.Object) error {
				if obj, ok := o.(client.Object); ok {
					out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
				}

				return nil
			})
		}

		return out
	}
}

func newObject(s *runtime.Scheme, gvk schema.GroupVersionKind) (client.Object, error) {
	o, err := s.New(gvk)
	if err != nil {
		return nil, errors.Wrapf(err, "cannot watch %s", gvk.Kind)
	}

	obj, ok := o.(client.Object)
	if !ok {
		return nil, errors.Errorf("cannot watch %s: %T is no object", gvk.Kind, o)
	}

	return obj, nil
}

func newList(s *runtime.Scheme, gvk schema.GroupVersionKind) (client.ObjectList, error) {
	o, err := s.New(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err != nil {
		return nil, err
	}

	list, ok := o.(client.ObjectList)
	if !ok {
		return nil, errors.Errorf("%T is no list", o)
	}

	return list, nil
}
