package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
)

// A witness is a binding of the same pods to another group. What it has
// registered the engine has seen: that another binding did nothing about it by
// then is no matter of waiting.
func (w *world) witness() (arn string) {
	w.t.Helper()
	arn = w.group("witness")
	w.ready(w.bind("witness", parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))}))
	return arn
}

func TestPausedBindingDoesNothing(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		arn := w.group("g")
		first := w.pod("first", 0)
		b := w.bind("b", parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))})
		w.holds("the pod is registered", arn, w.on(0)...)
		w.ready(b)
		witness := w.witness()

		w.annotate(b, "crossplane.io/paused", "true")
		w.eventually("it says that it is paused", func(ctx context.Context) error {
			u, err := w.read(ctx, b)
			if c := condition(u, "Synced"); err == nil && c.Reason != xpv2.ReasonReconcilePaused {
				return fmt.Errorf("Synced is %+v", c)
			}
			return err
		})
		before := w.calls(arn)
		w.pod("second", 1)
		w.pod("third", 2)
		w.remove(first)
		w.holds("the witness follows", witness, w.on(1, 2)...)
		w.tookSince(before, "while it is paused", arn, calls{})
		if have, err := w.targets(t.Context(), arn); err != nil || !slices.Equal(have, w.on(0)) {
			t.Errorf("AWS holds %v (%v), want what it held before, %v", have, err, w.on(0))
		}

		w.annotate(b, "crossplane.io/paused", "")
		w.holds("what was missed is made good", arn, w.on(1, 2)...)
		w.tookSince(before, "since it was paused", arn, calls{Register: 1, Deregister: 1})
		w.ready(b)
	})
}

func TestObserveOnlyBindingCallsNothing(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		arn := w.group("g")
		w.pod("first", 0)
		if err := it.Sim.PutTarget(arn, w.instance(nodeName(0)), w.port); err != nil {
			t.Fatal(err)
		}
		b := w.binding("b", parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))})
		b.SetManagementPolicies(xpv2.ManagementPolicies{xpv2.ManagementActionObserve})
		w.apply(b)
		witness := w.witness()
		w.pod("second", 1)
		w.holds("the witness follows", witness, w.on(0, 1)...)
		w.eventually("status tells what there is and what would be", func(ctx context.Context) error {
			if _, err := w.read(ctx, b); err != nil {
				return err
			}
			if c := b.ObservedState().AtProvider.Targets; c == nil || c.Desired != 2 || c.Registered != 1 {
				return fmt.Errorf("status.atProvider.targets is %+v, want 2 desired and 1 registered", c)
			}
			return nil
		})
		w.remove(b)
		w.gone("there is nothing to wait for", b)
		w.tookSince(calls{}, "managementPolicies: [Observe]", arn, calls{})
		w.holds("it has changed nothing", arn, w.on(0)...)
	})
}

func TestDeletionWithoutTheDeletePolicyLeavesTheTargets(t *testing.T) {
	bothScopes(t, func(_ *testing.T, w *world) {
		for _, c := range []struct {
			name   string
			orphan func(binding)
		}{
			{"policies", func(b binding) {
				b.SetManagementPolicies(xpv2.ManagementPolicies{
					xpv2.ManagementActionObserve, xpv2.ManagementActionCreate, xpv2.ManagementActionUpdate,
				})
			}},
			{"orphan", func(b binding) {
				// Only cluster-scoped kinds have it.
				if legacy, ok := b.(*cluster.TargetGroupBinding); ok {
					legacy.SetDeletionPolicy(xpv2.DeletionOrphan)
					return
				}
				b.SetManagementPolicies(xpv2.ManagementPolicies{xpv2.ManagementActionObserve, xpv2.ManagementActionCreate})
			}},
		} {
			pod := w.pod(c.name, 0)
			arn := w.group(c.name)
			b := w.binding(c.name, parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))})
			c.orphan(b)
			w.apply(b)
			w.holds("the pod is registered", arn, w.on(0)...)
			w.ready(b)
			w.remove(b)
			w.gone("the object goes", b)
			w.holds("the targets stay", arn, w.on(0)...)
			w.tookSince(calls{}, "deletion without the Delete policy", arn, calls{Register: 1})
			w.remove(pod)
		}
	})
}

func TestExcludedPodLeavesAndComesBack(t *testing.T) {
	bothScopes(t, func(_ *testing.T, w *world) {
		arn := w.group("g")
		// Nodes 0 and 3 are of one zone: the last target of a zone would stay.
		w.pod("first", 0)
		second := w.pod("second", 3)
		b := w.bind("b", parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))})
		w.holds("both pods are registered", arn, w.on(0, 3)...)
		w.healthy(b, 2)
		w.annotate(second, "nlb.crossplane.io/exclude", "true")
		w.holds("it leaves", arn, w.on(0)...)
		w.annotate(second, "nlb.crossplane.io/exclude", "")
		w.holds("it comes back", arn, w.on(0, 3)...)
	})
}
