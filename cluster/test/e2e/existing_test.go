package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func TestExistingTargetGroupIsAdoptedByNameOrTags(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		w.pod("a", 0)
		w.pod("b", 1)
		tags := func(s *awssim.TargetGroupSeed) { s.Tags = map[string]string{"team": w.ns, "port": "https"} }
		for _, c := range []struct {
			name, reason string
			how          parameters
		}{
			{"by-name", "a group is found by its name", parameters{TargetGroupName: ptr(w.unique("by-name"))}},
			{"by-tags", "a group is found by its tags, which may be fewer than it has",
				parameters{TargetGroupTags: map[string]v1alpha1.TagValue{"team": v1alpha1.TagValue(w.ns)}}},
		} {
			arn := w.group(c.name, func(s *awssim.TargetGroupSeed) {
				if c.name == "by-tags" {
					tags(s)
				}
			})
			foreign := fmt.Sprintf("%s:%d", w.instance(nodeName(2)), w.port+5)
			if err := it.Sim.PutTarget(arn, w.instance(nodeName(2)), w.port+5); err != nil {
				t.Fatal(err)
			}
			p := c.how
			p.PodSelector = podsWith(app, named(portName))
			b := w.bind(c.name, p)
			w.holds(c.reason+", and what was there stays", arn, append(w.on(0, 1), foreign)...)
			w.ready(b)
			w.has("the foreign target is shown", b, "ForeignTargets=True", foreign)
			if got := b.ObservedState().AtProvider.TargetGroupARN; got != arn {
				t.Errorf("%s: status.atProvider.targetGroupArn is %q, want %q", c.reason, got, arn)
			}
			w.remove(b)
			w.gone("the binding goes", b)
			w.holds("the foreign target outlives the binding", arn, foreign)
		}
	})
}

// It is docs/targetgroupbinding.md, "Adopt an existing target group".
func TestExistingTargetGroupIsObservedBeforeItIsManaged(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		w.pod("a", 0)
		w.pod("b", 1)
		arn := w.group("legacy")
		foreign := fmt.Sprintf("%s:%d", w.instance(nodeName(2)), w.port+5)
		for node, port := range map[int]int32{0: w.port, 2: w.port + 5} {
			if err := it.Sim.PutTarget(arn, w.instance(nodeName(node)), port); err != nil {
				t.Fatal(err)
			}
		}
		b := w.binding("legacy", parameters{TargetGroupName: ptr(w.unique("legacy")), PodSelector: podsWith(app, named(portName))})
		b.SetManagementPolicies(xpv2.ManagementPolicies{xpv2.ManagementActionObserve})
		w.apply(b)
		w.has("what would be registered is shown", b, "Ready=False",
			"not registered yet", w.target(nodeName(1), w.port), "managementPolicies allow neither Create nor Update")
		w.has("what would stay is shown", b, "ForeignTargets=True", foreign)
		w.eventually("what counts as ours is shown", func(ctx context.Context) error {
			if _, err := w.read(ctx, b); err != nil {
				return err
			}
			if c := b.ObservedState().AtProvider.Targets; c == nil || c.Desired != 2 || c.Registered != 1 || c.Foreign != 1 {
				return fmt.Errorf("status.atProvider.targets is %+v, want 2 desired, 1 registered and 1 foreign", c)
			}
			return nil
		})
		w.tookSince(calls{}, "managementPolicies: [Observe]", arn, calls{})
		w.holds("it is as it was", arn, append(w.on(0), foreign)...)

		w.patch(b, `{"spec":{"managementPolicies":["Observe","Create","Delete"]}}`)
		w.holds("with Create it registers, and what was there stays", arn, append(w.on(0, 1), foreign)...)
		w.ready(b)
		w.patch(b, `{"spec":{"managementPolicies":null}}`)
		w.ready(b)
		w.remove(b)
		w.gone("the binding goes", b)
		w.holds("managed in full it has taken with it what was ours, also what it found", arn, foreign)
	})
}

func TestMissingTargetGroup(t *testing.T) {
	bothScopes(t, func(_ *testing.T, w *world) {
		w.pod("a", 0)
		b := w.bind("b", parameters{TargetGroupName: ptr(w.unique("g")), PodSelector: podsWith(app, named(portName))})
		w.told("the field, the name, the region and what to do are said", b, message{
			condition: "Synced=False", kstatus: status.InProgressStatus,
			says: []string{"spec.forProvider.targetGroupName", w.unique("g"), w.region, "create it, or name another"},
		})
		arn := w.group("g")
		w.holds("it heals by itself when the group is there", arn, w.on(0)...)
		w.ready(b)
	})
}

func TestTargetGroupThatIsDeletedUnderABinding(t *testing.T) {
	bothScopes(t, func(_ *testing.T, w *world) {
		w.pod("a", 0)
		arn := w.group("g")
		b := w.bind("b", parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))})
		w.holds("the pod is registered", arn, w.on(0)...)
		w.ready(b)
		it.Sim.DeleteTargetGroup(arn)
		w.eventually("it is said that the group is gone", func(ctx context.Context) error {
			return w.eventSays(ctx, b, "Warning", "does not exist", "create it")
		})
		w.remove(b)
		w.gone("there is nothing to wait for", b)
	})
}

func TestForeignTargetLeavesAGroupOfOurOwn(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		w.pod("a", 0)
		w.pod("b", 1)
		w.create(w.targetGroup("group", v1alpha1.TargetGroupParameters{
			Region: w.region, Protocol: ptr("TCP"), Port: &w.port, VPCID: ptr(stack.VPC),
		}))
		b := w.bind("b", parameters{
			TargetGroupARNRef: &v1alpha1.Reference{Name: w.meta("group").Name},
			PodSelector:       podsWith(app, named(portName)),
		})
		w.ready(b)
		arn := b.ObservedState().AtProvider.TargetGroupARN
		w.listen(arn)
		w.healthy(b, 2)
		if err := it.Sim.PutTarget(arn, w.instance(nodeName(3)), w.port+5); err != nil {
			t.Fatal(err)
		}
		w.eventually("unset ownership of a group that we created is Exclusive: what somebody added leaves", func(context.Context) error {
			if got, want := w.deregistered(arn), []string{w.target(nodeName(3), w.port+5)}; !slices.Equal(got, want) {
				return fmt.Errorf("deregistered are %v, want %v", got, want)
			}
			return nil
		})
		w.holds("ours stay", arn, w.on(0, 1)...)
	})
}
