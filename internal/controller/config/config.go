// Package config reconciles provider configurations: it counts who uses them and
// keeps them until nobody does.
package config

import (
	"context"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/providerconfig"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A kind of provider configuration, with the kind of its usages. The namespaced
// group has one kind of usage for both of its configurations.
type kind struct {
	config, usage schema.GroupVersionKind
	object        client.Object
	usages        client.Object
}

func kinds() []kind {
	n, c := namespaced.SchemeGroupVersion, cluster.SchemeGroupVersion

	return []kind{
		{config: n.WithKind("ProviderConfig"), usage: n.WithKind("ProviderConfigUsage"),
			object: &namespaced.ProviderConfig{}, usages: &namespaced.ProviderConfigUsage{}},
		{config: n.WithKind("ClusterProviderConfig"), usage: n.WithKind("ProviderConfigUsage"),
			object: &namespaced.ClusterProviderConfig{}, usages: &namespaced.ProviderConfigUsage{}},
		{config: c.WithKind("ProviderConfig"), usage: c.WithKind("ProviderConfigUsage"),
			object: &cluster.ProviderConfig{}, usages: &cluster.ProviderConfigUsage{}},
	}
}

// SetupGated sets all kinds of provider configurations up, each when its CRDs are
// there.
func SetupGated(mgr ctrl.Manager, o controller.Options) error {
	for _, k := range kinds() {
		if err := o.WhenActive(mgr, func() error { return k.setup(mgr, o) }, k.config, k.usage); err != nil {
			return err
		}
	}

	return nil
}

// workers reconcile the configurations of a kind. There are few, and no call of AWS is
// waited for; each worker costs memory.
const workers = 5

func (k kind) setup(mgr ctrl.Manager, o controller.Options) error {
	name := providerconfig.ControllerName(k.config.GroupKind().String())
	of := resource.ProviderConfigKinds{
		Config: k.config, Usage: k.usage, UsageList: k.usage.GroupVersion().WithKind(k.usage.Kind + "List"),
	}
	r := &reconciler{client: mgr.GetClient(), kind: k, inner: providerconfig.NewReconciler(mgr, of,
		providerconfig.WithLogger(o.Logger.WithValues("controller", name)),
		//nolint:staticcheck // Crossplane's recorder takes no other.
		providerconfig.WithRecorder(event.NewAPIRecorder(mgr.GetEventRecorderFor(name))))}

	opts := o.ForControllerRuntime()
	opts.MaxConcurrentReconciles = min(opts.MaxConcurrentReconciles, workers)

	return ctrl.NewControllerManagedBy(mgr).
		Named(name).
		WithOptions(opts).
		For(k.object).
		Watches(k.usages, &resource.EnqueueRequestForProviderConfig{Kind: k.config.Kind}).
		Complete(r)
}

// A reconciler is the runtime's, and lets usages go whose object has gone without
// us: one that waited for a reference, or whose finalizer somebody removed.
type reconciler struct {
	client client.Client
	kind   kind
	inner  reconcile.Reconciler
}

func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	if err := r.releaseStale(ctx, req); err != nil {
		return reconcile.Result{}, err
	}

	return r.inner.Reconcile(ctx, req)
}

func (r *reconciler) releaseStale(ctx context.Context, req reconcile.Request) error {
	o, err := r.client.Scheme().New(r.kind.usage.GroupVersion().WithKind(r.kind.usage.Kind + "List"))
	if err != nil {
		return err
	}

	list, ok := o.(resource.ProviderConfigUsageList)
	if !ok {
		return errors.Errorf("%T is no list of usages", o)
	}

	if err := r.client.List(ctx, list, client.InNamespace(req.Namespace)); err != nil {
		return errors.Wrap(err, "cannot list usages")
	}

	for _, usage := range list.GetItems() {
		if !meta.WasDeleted(usage) || !controllerutil.ContainsFinalizer(usage, controller.UsageFinalizer) {
			continue
		}

		used, err := r.used(ctx, usage)
		if err != nil {
			return err
		}

		if used {
			continue
		}

		controllerutil.RemoveFinalizer(usage, controller.UsageFinalizer)

		if err := r.client.Update(ctx, usage); resource.IgnoreNotFound(err) != nil {
			return errors.Wrap(err, "cannot release a usage")
		}
	}

	return nil
}

// used says that the object that a usage is of still exists. Its kind may be gone
// with all its objects.
func (r *reconciler) used(ctx context.Context, usage resource.ProviderConfigUsage) (bool, error) {
	ref := usage.GetResourceReference()

	o, err := r.client.Scheme().New(schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind))
	if err != nil {
		return false, errors.Wrap(err, "a usage is of no kind of this provider")
	}

	user, ok := o.(client.Object)
	if !ok {
		return false, errors.Errorf("%T is no object", o)
	}

	err = r.client.Get(ctx, client.ObjectKey{Namespace: usage.GetNamespace(), Name: ref.Name}, user)
	if kerrors.IsNotFound(err) || apimeta.IsNoMatchError(err) {
		return false, nil
	}

	if err != nil {
		return false, errors.Wrapf(err, "cannot get %s %q, which uses the configuration", ref.Kind, ref.Name)
	}

	owner := metav1.GetControllerOf(usage)

	return owner == nil || owner.UID == user.GetUID(), nil
}
