package main

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// The provider is told to end while objects change and workers wait for them: all of
// them must go home, or the lease is given back late and the next leader starts late.
// With controller-runtime before v0.25.1 a worker that left could leave its queue locked
// (kubernetes-sigs/controller-runtime#3538).
func TestTheManagerEndsWhileObjectsChange(t *testing.T) {
	for round := range 50 {
		if err := endWhileObjectsChange(t); err != nil {
			t.Fatalf("end %d: %v", round, err)
		}
	}
}

// endWhileObjectsChange starts a manager with one controller of 20 workers and 15
// objects that change all the time, ends it, and returns what the manager says of that.
func endWhileObjectsChange(t *testing.T) error {
	t.Helper()

	ctx, end := context.WithCancel(t.Context())
	defer end()

	// Nobody answers there, and nobody asks.
	mgr, err := ctrl.NewManager(&rest.Config{Host: "127.0.0.1:1"}, ctrl.Options{
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0", GracefulShutdownTimeout: new(endWithin),
	})
	if err != nil {
		t.Fatal(err)
	}

	var (
		changes atomic.Int64
		queue   workqueue.TypedRateLimitingInterface[reconcile.Request]
	)

	change := func() {
		name := strconv.FormatInt(changes.Add(1), 10)
		queue.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: name}})
	}

	c, err := controller.New("ending", mgr, controller.Options{
		MaxConcurrentReconciles: 20,
		SkipNameValidation:      new(true),
		Reconciler: reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
			if change(); changes.Load() > 1000 {
				end()
			}

			return reconcile.Result{}, nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}

	if err := c.Watch(source.Func(func(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		queue = q
		for range 15 {
			change()
		}

		return nil
	})); err != nil {
		t.Fatal(err)
	}

	return mgr.Start(ctx)
}
