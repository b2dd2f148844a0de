package controller

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	"github.com/crossplane/crossplane-runtime/v2/pkg/statemetrics"
)

// addStateMetrics counts, from time to time, the objects of a kind and how many of them
// are ready and synced.
func addStateMetrics(mgr ctrl.Manager, o Options, gvk schema.GroupVersionKind) error {
	if o.MetricOptions == nil || o.MetricOptions.MRStateMetrics == nil {
		return nil
	}

	counter := stateCounter{client: sharingClient{mgr.GetClient()}, list: gvk.GroupVersion().WithKind(gvk.Kind + "List"), options: o}
	if _, err := counter.recorder(); err != nil {
		return err
	}

	return errors.Wrap(mgr.Add(counter), "cannot add state metrics")
}

// A stateCounter records with the runtime's recorder, which would keep a copy of every
// object until it lists them again: each time another one, which shares the objects with
// the cache.
type stateCounter struct {
	client  client.Client
	list    schema.GroupVersionKind
	options Options
}

func (c stateCounter) recorder() (*statemetrics.MRStateRecorder, error) {
	list, ok := resource.MustCreateObject(c.list, c.client.Scheme()).(resource.ManagedList)
	if !ok {
		return nil, errors.Errorf("%s is no managed list", c.list.Kind)
	}

	m := c.options.MetricOptions

	return statemetrics.NewMRStateRecorder(c.client, c.options.Logger, m.MRStateMetrics, list, m.PollStateMetricInterval), nil
}

// Start counts until the context is done.
func (c stateCounter) Start(ctx context.Context) error {
	ticker := time.NewTicker(c.options.MetricOptions.PollStateMetricInterval)
	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			r, err := c.recorder()
			if err != nil {
				return err
			}

			if err := r.Record(ctx); err != nil {
				return err
			}
		}
	}
}

// A sharingClient lists without copying: what is listed must not be changed.
type sharingClient struct{ client.Client }

func (c sharingClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return c.Client.List(ctx, list, append(opts, client.UnsafeDisableDeepCopy)...)
}
