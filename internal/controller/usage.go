package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
)

// UsageFinalizer keeps a usage until its object is gone. Without it the deletion
// of a namespace sweeps usages and then configurations, and nothing in AWS can be
// deleted any more.
const UsageFinalizer = "nlb.crossplane.io/usage"

// track records that an object uses its configuration. While the object is being
// deleted there is nothing to record, and a namespace that is being deleted
// accepts no record. crossplane-runtime's tracker does both.
func (c *Connections) track(ctx context.Context, mg resource.Managed) error {
	if meta.WasDeleted(mg) {
		return nil
	}

	want, err := usageOf(mg)
	if err != nil {
		return err
	}

	have, _ := want.DeepCopyObject().(client.Object)
	err = c.client.Get(ctx, client.ObjectKeyFromObject(want), have)

	switch {
	case kerrors.IsNotFound(err):
		err = c.client.Create(ctx, want)
		// The cache has not seen it yet.
		err = resource.Ignore(kerrors.IsAlreadyExists, err)
	case err == nil && !sameUsage(have, want):
		want.SetResourceVersion(have.GetResourceVersion())
		err = c.client.Update(ctx, want)
	}

	if kerrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}

	return errors.Wrap(err, "cannot record the usage of the provider configuration")
}

// release the record of an object that is about to go.
func (c *Connections) release(ctx context.Context, mg resource.Managed) error {
	usage, err := usageOf(mg)
	if err != nil {
		return nil //nolint:nilerr // It names no configuration, so it uses none.
	}

	err = c.client.Get(ctx, client.ObjectKeyFromObject(usage), usage)
	if err != nil {
		return errors.Wrap(client.IgnoreNotFound(err), "cannot get the usage of the provider configuration")
	}

	if !controllerutil.RemoveFinalizer(usage, UsageFinalizer) {
		return nil
	}

	return errors.Wrap(client.IgnoreNotFound(c.client.Update(ctx, usage)), "cannot release the usage of the provider configuration")
}

func sameUsage(a, b client.Object) bool {
	switch a := a.(type) {
	case *namespaced.ProviderConfigUsage:
		b, ok := b.(*namespaced.ProviderConfigUsage)

		return ok && a.ProviderConfigReference == b.ProviderConfigReference && controllerutil.ContainsFinalizer(a, UsageFinalizer)
	case *cluster.ProviderConfigUsage:
		b, ok := b.(*cluster.ProviderConfigUsage)

		return ok && a.ProviderConfigReference.Name == b.ProviderConfigReference.Name && controllerutil.ContainsFinalizer(a, UsageFinalizer)
	}

	return false
}

// usageOf returns the record of an object's use of its configuration.
func usageOf(mg resource.Managed) (client.Object, error) {
	k, err := keyOf(mg)
	if err != nil {
		return nil, err
	}

	gvk := mg.GetObjectKind().GroupVersionKind()
	owner := meta.AsController(meta.TypedReferenceTo(mg, gvk))
	// A foreground deletion, which Argo CD asks for, would wait for the usage,
	// which waits for the object.
	owner.BlockOwnerDeletion = nil

	m := metav1.ObjectMeta{
		Name:            string(mg.GetUID()),
		Namespace:       mg.GetNamespace(),
		Labels:          map[string]string{xpv2.LabelKeyProviderName: k.name},
		OwnerReferences: []metav1.OwnerReference{owner},
		Finalizers:      []string{UsageFinalizer},
	}
	of := xpv2.TypedReference{APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind, Name: mg.GetName(), UID: mg.GetUID()}

	if k.group == cluster.SchemeGroupVersion.Group {
		return &cluster.ProviderConfigUsage{ObjectMeta: m, ProviderConfigUsage: xpv2.ProviderConfigUsage{
			ProviderConfigReference: xpv2.Reference{Name: k.name}, ResourceReference: of,
		}}, nil
	}

	m.Labels[xpv2.LabelKeyProviderKind] = k.kind

	return &namespaced.ProviderConfigUsage{ObjectMeta: m, TypedProviderConfigUsage: xpv2.TypedProviderConfigUsage{
		ProviderConfigReference: xpv2.ProviderConfigReference{Name: k.name, Kind: k.kind}, ResourceReference: of,
	}}, nil
}
