package controller

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
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

// watchConfigs lets a changed provider configuration enqueue who uses it, so that
// a mistake is healed as soon as it is corrected. A Secret is looked at again
// every 5 s for as long as it is missing.
func watchConfigs(mgr ctrl.Manager, b *builder.Builder, gvk schema.GroupVersionKind) (*builder.Builder, error) {
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
		b = b.Watches(k.object(), handler.EnqueueRequestsFromMapFunc(usersOf(mgr.GetClient(), gvk, k.kind)),
			builder.WithPredicates(predicate.GenerationChangedPredicate{}))
	}

	return b, nil
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
