package controller

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/gate"
)

// How long a kind may take to be served after its CRD was established: discovery
// lags behind.
const (
	servedWithin = time.Minute
	servedPoll   = 200 * time.Millisecond
)

// WhenActive calls a function once, when all kinds are active: at once if the
// provider may not watch CRDs. A failure later on ends the process: a kind that is
// there and not reconciled must not go unnoticed.
func (o Options) WhenActive(mgr ctrl.Manager, fn func() error, kinds ...schema.GroupVersionKind) error {
	if o.Gate == nil {
		return fn()
	}

	o.Gate.Register(func() {
		if err := untilServed(mgr, kinds); err != nil {
			o.Fatal(err)

			return
		}

		if err := fn(); err != nil {
			o.Fatal(errors.Wrapf(err, "cannot set up %s", kinds[0].GroupKind()))
		}
	}, kinds...)

	return nil
}

func untilServed(mgr ctrl.Manager, kinds []schema.GroupVersionKind) error {
	deadline := time.Now().Add(servedWithin)

	for _, k := range kinds {
		for {
			_, err := mgr.GetRESTMapper().RESTMapping(k.GroupKind(), k.Version)
			if err == nil {
				break
			}

			if time.Now().After(deadline) {
				return errors.Wrapf(err, "%s is established, but not served", k.GroupKind())
			}

			<-time.After(servedPoll)
		}
	}

	return nil
}

// A Gate starts what depends on kinds when their CRDs are there, and remembers
// which are.
type Gate struct {
	inner gate.Gate[schema.GroupVersionKind]

	mu     sync.RWMutex
	active map[schema.GroupVersionKind]bool
}

// Register a function to be called once, when all kinds are active.
func (g *Gate) Register(fn func(), kinds ...schema.GroupVersionKind) { g.inner.Register(fn, kinds...) }

// Set whether a kind is active.
func (g *Gate) Set(kind schema.GroupVersionKind, active bool) bool {
	g.mu.Lock()
	if g.active == nil {
		g.active = map[schema.GroupVersionKind]bool{}
	}

	g.active[kind] = active
	g.mu.Unlock()

	return g.inner.Set(kind, active)
}

// Active says whether a kind's CRD is there.
func (g *Gate) Active(kind schema.GroupVersionKind) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()

	return g.active[kind]
}
