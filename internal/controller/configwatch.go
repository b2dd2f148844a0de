package controller

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
)

const configIndex = "spec.providerConfigRef"

// indexConfig lets the cache find who uses a provider configuration.
func indexConfig(ctx context.Context, mgr ctrl.Manager, of client.Object) error {
	return mgr.GetFieldIndexer().IndexField(ctx, of, configIndex, func(o client.Object) []string {
		k, err := keyOf(o)
		if err != nil {
			return nil
		}

		return []string{k.kind + "/" + k.name}
	})
}

// looks remembers which version of its provider configuration an object of a kind
// was last looked at with. An event of a configuration may come long after the
// cache has shown it to those who use it: when they were looked at with that very
// version, another look would ask AWS again for what it has answered, or refused.
type looks struct {
	last sync.Map // reconcile.Request → look
}

type look struct {
	uid        types.UID
	generation int64
}

// with notes that an object is being looked at with a configuration.
func (l *looks) with(req reconcile.Request, pc client.Object) {
	l.last.Store(req, look{pc.GetUID(), pc.GetGeneration()})
}

// forget an object that is gone, paused or let go.
func (l *looks) forget(req reconcile.Request) { l.last.Delete(req) }

// had says that an object was looked at with this version, or a later one.
func (l *looks) had(req reconcile.Request, pc client.Object) bool {
	v, _ := l.last.Load(req)
	last, ok := v.(look)

	return ok && last.uid == pc.GetUID() && last.generation >= pc.GetGeneration()
}

// watchConfigs lets a changed provider configuration enqueue who uses it, so that
// a mistake is healed as soon as it is corrected. A Secret is looked at again
// every 5 s for as long as it is missing.
func watchConfigs(mgr ctrl.Manager, b *builder.Builder, gvk schema.GroupVersionKind, l *looks) (*builder.Builder, error) {
	keys := []configKey{{group: cluster.SchemeGroupVersion.Group, kind: kindProviderConfig}}
	if gvk.Group == namespaced.SchemeGroupVersion.Group {
		keys = []configKey{
			{group: gvk.Group, kind: kindProviderConfig},
			{group: gvk.Group, kind: kindClusterProviderConfig},
		}
	}

	if _, err := newList(mgr.GetScheme(), gvk); err != nil {
		return nil, err
	}

	for _, k := range keys {
		b = b.Watches(k.object(), enqueueUsers(usersOf(mgr.GetClient(), gvk, k.kind), l),
			builder.WithPredicates(predicate.GenerationChangedPredicate{}))
	}

	return b, nil
}

// enqueueUsers of a configuration that was changed, unless they were looked at with
// what it is now, and of one that is gone.
func enqueueUsers(users handler.MapFunc, l *looks) handler.EventHandler {
	all := handler.EnqueueRequestsFromMapFunc(users)
	rest := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, pc client.Object) []reconcile.Request {
		return slices.DeleteFunc(users(ctx, pc), func(r reconcile.Request) bool { return l.had(r, pc) })
	})

	return handler.Funcs{CreateFunc: rest.Create, UpdateFunc: rest.Update, DeleteFunc: all.Delete, GenericFunc: all.Generic}
}

// usersOf returns the objects of a kind that use a configuration.
func usersOf(c client.Client, gvk schema.GroupVersionKind, kind string) handler.MapFunc {
	return func(ctx context.Context, pc client.Object) []reconcile.Request {
		list, err := newList(c.Scheme(), gvk)
		if err != nil {
			return nil
		}

		key := client.MatchingFields{configIndex: kind + "/" + pc.GetName()}
		if err := c.List(ctx, list, client.InNamespace(pc.GetNamespace()), key); err != nil {
			return nil
		}

		var out []reconcile.Request

		_ = meta.EachListItem(list, func(o runtime.Object) error {
			if obj, ok := o.(client.Object); ok {
				out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
			}

			return nil
		})

		return out
	}
}
