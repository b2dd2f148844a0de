package controller_test

import (
	"context"
	"sync"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A cloud is what the external clients of these tests observe and change: for
// each object a script.
type cloud struct {
	mu     sync.Mutex
	byName map[string]*script
}

// A script is one object's external resource.
type script struct {
	exists, upToDate bool
	ready            xpv2.Condition
	connectErr       error
	observeErr       error
	updateErr        error
	blocked          bool
	updateApplies    bool
	gone             bool
	// ending: the kind was told of the end while the object was still there.
	ending bool
	calls  []string
}

// with runs f while nothing else looks at the script of the object of that name.
func (c *cloud) with(name string, f func(*script)) {
	c.mu.Lock()
	defer c.mu.Unlock()

	s, ok := c.byName[name]
	if !ok {
		s = &script{ready: controller.Available(), upToDate: true, updateApplies: true}
		c.byName[name] = s
	}

	f(s)
}

func (c *cloud) count(name, call string) (n int) {
	c.with(name, func(s *script) {
		for _, got := range s.calls {
			if got == call {
				n++
			}
		}
	})

	return n
}

// A fake is the external client and connector of a kind.
type fake[I resource.Managed] struct {
	cloud *cloud
	// before connecting, such as resolving references.
	before func(ctx context.Context, mg I) error
}

func (f *fake[I]) Connect(ctx context.Context, mg I) (managed.TypedExternalClient[I], error) {
	if f.before != nil && !meta.WasDeleted(mg) {
		if err := f.before(ctx, mg); err != nil {
			return nil, err
		}
	}

	var err error

	f.cloud.with(mg.GetName(), func(s *script) { err = s.connectErr })

	return f, err
}

func (f *fake[I]) Observe(_ context.Context, mg I) (o managed.ExternalObservation, err error) {
	f.cloud.with(mg.GetName(), func(s *script) {
		s.calls = append(s.calls, "Observe")

		if err = s.observeErr; err == nil && s.exists {
			mg.SetConditions(s.ready)
		}

		if s.exists {
			record(mg)
		}

		o = managed.ExternalObservation{ResourceExists: s.exists, ResourceUpToDate: s.upToDate}
	})

	return o, err
}

func record(mg any) {
	if tg, ok := mg.(targetGroup); ok {
		tg.ObservedState().AtProvider.ARN = observedARN(tg)
	}
}

func observedARN(mg resource.Managed) string {
	return "arn:observed:" + mg.GetNamespace() + mg.GetName()
}

func (f *fake[I]) Create(_ context.Context, mg I) (managed.ExternalCreation, error) {
	f.cloud.with(mg.GetName(), func(s *script) { s.calls, s.exists = append(s.calls, "Create"), true })
	meta.SetExternalName(mg, "arn:"+mg.GetName())

	return managed.ExternalCreation{}, nil
}

func (f *fake[I]) Update(_ context.Context, mg I) (u managed.ExternalUpdate, err error) {
	f.cloud.with(mg.GetName(), func(s *script) {
		s.calls = append(s.calls, "Update")
		if err = s.updateErr; err == nil && s.updateApplies {
			s.upToDate = true
		}
	})

	return u, err
}

func (f *fake[I]) Delete(_ context.Context, mg I) (managed.ExternalDelete, error) {
	f.cloud.with(mg.GetName(), func(s *script) {
		s.calls = append(s.calls, "Delete")
		if s.blocked {
			mg.SetConditions(controller.DeletionBlocked("ResourceInUse", `still used by Listener "edge"`))

			return
		}

		s.exists = false
	})

	return managed.ExternalDelete{}, nil
}

func (f *fake[I]) Disconnect(context.Context) error { return nil }
