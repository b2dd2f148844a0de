package controller

import (
	"context"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// A finalizer is the runtime's, with one write less and an end.
type finalizer struct {
	inner resource.Finalizer
	// release what was held for the object, just before its finalizer goes.
	release func(ctx context.Context, mg resource.Managed) error
	// ending is told before that.
	ending func(ctx context.Context, mg resource.Managed)
	// gone is told when the finalizer has been removed, at the end of every
	// deletion: also an orphaning one, which the runtime finishes without Connect.
	gone func(ctx context.Context, mg resource.Managed)
}

// AddFinalizer in memory when a Create follows, since the runtime writes the
// whole object before it creates; and not at all while nothing exists and a
// reference is waited for.
func (f *finalizer) AddFinalizer(ctx context.Context, obj resource.Object) error {
	switch p := passOf(ctx); {
	case p.creating:
		meta.AddFinalizer(obj, managed.FinalizerName)

		return nil
	case p.waiting:
		return nil
	}

	return f.inner.AddFinalizer(ctx, obj)
}

func (f *finalizer) RemoveFinalizer(ctx context.Context, obj resource.Object) error {
	mg, ok := obj.(resource.Managed)
	if !ok {
		return errors.Errorf("%T is not a managed resource", obj)
	}

	f.ending(ctx, mg)

	if err := f.release(ctx, mg); err != nil {
		return err
	}

	if err := f.inner.RemoveFinalizer(ctx, obj); err != nil {
		return err
	}

	f.gone(ctx, mg)

	return nil
}
