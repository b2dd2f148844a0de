package controller

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// A manager hands the runtime a client that keeps status.
type keepingManager struct {
	ctrl.Manager
}

func (m keepingManager) GetClient() client.Client { return keepingClient{m.Manager.GetClient()} }

// A keepingClient keeps the status of a managed resource in memory when it
// updates the object: the API server answers with the status that it has, which
// would overwrite what Observe and Create put there and the runtime has yet to
// write. Just before status is written, it is finished; what is about to pass is not
// written.
type keepingClient struct {
	client.Client
}

func (c keepingClient) Update(ctx context.Context, obj client.Object, opts ...client.UpdateOption) error {
	mg, ok := obj.(resource.Managed)
	if !ok {
		return c.Client.Update(ctx, obj, opts...)
	}

	restore := keepStatus(mg)
	err := c.Client.Update(ctx, mg, opts...)
	restore()

	return passOf(ctx).wrote(err)
}

func (c keepingClient) Status() client.SubResourceWriter {
	return finishingWriter{c.Client.Status()}
}

type finishingWriter struct {
	client.SubResourceWriter
}

func (w finishingWriter) Update(ctx context.Context, obj client.Object, opts ...client.SubResourceUpdateOption) error {
	p := passOf(ctx)
	if mg, ok := obj.(resource.Managed); ok {
		p.finish(mg)

		if p.untold = p.passing(mg, time.Now()); p.untold {
			return nil
		}
	}

	return p.wrote(w.SubResourceWriter.Update(ctx, obj, opts...))
}

// A keepingAnnotationUpdater keeps status when the runtime's updater reads the
// object again after a conflict.
type keepingAnnotationUpdater struct {
	inner managed.CriticalAnnotationUpdater
}

func (u keepingAnnotationUpdater) UpdateCriticalAnnotations(ctx context.Context, o client.Object) error {
	mg, ok := o.(resource.Managed)
	if !ok {
		return u.inner.UpdateCriticalAnnotations(ctx, o)
	}

	restore := keepStatus(mg)
	err := u.inner.UpdateCriticalAnnotations(ctx, mg)
	restore()

	return err
}
