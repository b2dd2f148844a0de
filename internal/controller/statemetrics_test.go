package controller

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/crossplane/crossplane-runtime/v2/pkg/statemetrics"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
)

// aCache lists what it has, and counts the lists that it copied for.
type aCache struct {
	client.Client
	scheme *runtime.Scheme

	mu     sync.Mutex
	has    []namespaced.TargetGroup
	copied int
}

// have lets it have something else.
func (c *aCache) have(groups ...namespaced.TargetGroup) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.has = groups
}

func (c *aCache) Scheme() *runtime.Scheme { return c.scheme }

func (c *aCache) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()

	o := (&client.ListOptions{}).ApplyOptions(opts)
	if o.UnsafeDisableDeepCopy == nil || !*o.UnsafeDisableDeepCopy {
		c.copied++
	}

	list.(*namespaced.TargetGroupList).Items = c.has //nolint:forcetypeassert // A panic fails the test.

	return nil
}

func TestStateMetricsCountWithoutCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scheme := runtime.NewScheme()
		if err := namespaced.AddToScheme(scheme); err != nil {
			t.Fatal(err)
		}

		ready, failed := namespaced.TargetGroup{}, namespaced.TargetGroup{}
		ready.SetConditions(xpv2.Available(), xpv2.ReconcileSuccess())
		failed.SetConditions(xpv2.Unavailable(), xpv2.ReconcileSuccess())

		cache := &aCache{scheme: scheme, has: []namespaced.TargetGroup{ready, failed}}
		states := statemetrics.NewMRStateMetrics()
		gvk := namespaced.SchemeGroupVersion.WithKind("TargetGroup")
		counter := stateCounter{sharingClient{cache}, gvk.GroupVersion().WithKind("TargetGroupList"), Options{Options: xpcontroller.Options{
			Logger:        logging.NewNopLogger(),
			MetricOptions: &xpcontroller.MetricOptions{PollStateMetricInterval: time.Minute, MRStateMetrics: states},
		}}}

		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)

		go func() { ended <- counter.Start(ctx) }()

		check := func(reason string, want ...float64) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()

			var got []float64

			for _, gauge := range []interface{ Write(*dto.Metric) error }{
				states.Exists.WithLabelValues(gvk.String()), states.Ready.WithLabelValues(gvk.String()), states.Synced.WithLabelValues(gvk.String()),
			} {
				var m dto.Metric
				if err := gauge.Write(&m); err != nil {
					t.Fatal(err)
				}

				got = append(got, m.GetGauge().GetValue())
			}

			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s existing, ready, synced: -want +got:\n%s", reason, diff)
			}
		}

		check("All objects of the kind are counted.", 2, 1, 2)

		cache.have(failed)

		check("Each count is of what is there then.", 1, 0, 1)

		cancel()

		if err := <-ended; err != nil {
			t.Errorf("A count ends with the process, without an error: %v", err)
		}

		if cache.copied > 0 {
			t.Errorf("To count is no reason to copy: %d lists were copies", cache.copied)
		}
	})
}
