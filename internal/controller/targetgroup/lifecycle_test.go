package targetgroup_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroup"
)

func TestCreateUpdateDelete(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) {
			tg.ForProvider().Tags = map[string]v1alpha1.TagValue{"app": "edge", "team": "edge"}
		})
		e.untilApplied(t, tg)

		g := e.sdk(t)
		if got := meta.GetExternalName(tg); got != *g.TargetGroupArn || tg.ObservedState().AtProvider.ARN != got {
			t.Errorf("external name %q, observed %q, AWS has %q", got, tg.ObservedState().AtProvider.ARN, *g.TargetGroupArn)
		}

		if *g.HealthCheckIntervalSeconds != 10 {
			t.Errorf("the health check was not declared: %d", *g.HealthCheckIntervalSeconds)
		}

		tags := e.groups()[0].Tags
		for k, want := range map[string]string{"app": "edge", "team": "edge", controller.TagCluster: cluster, "crossplane-name": "edge"} {
			if tags[k] != want {
				t.Errorf("tag %s is %q, want %q", k, tags[k], want)
			}
		}

		e.sim.Reset()
		e.change(t, tg, func(p *v1alpha1.TargetGroupParameters) {
			p.HealthCheck.IntervalSeconds = ptr(int32(20))
			p.HealthCheck.UnhealthyThreshold = ptr(int32(3))
			p.Tags = map[string]v1alpha1.TagValue{"new": "1"}
		})
		e.untilApplied(t, tg)

		if diff := cmp.Diff([]int{1, 1, 1}, []int{e.sim.Count("ModifyTargetGroup"), e.sim.Count("AddTags"), e.sim.Count("RemoveTags")}); diff != "" {
			t.Errorf("one call for the health check, one to set and one to remove tags: -want, +got:\n%s", diff)
		}

		tags = e.groups()[0].Tags
		if _, ok := tags["app"]; ok || tags["new"] != "1" || tags["team"] != "platform" {
			t.Errorf("a tag that is no longer wanted goes, a default comes back: %v", tags)
		}

		if err := e.client.Delete(t.Context(), tg); err != nil {
			t.Fatal(err)
		}

		e.untilGone(t, tg)

		if len(e.groups()) != 0 {
			t.Errorf("it is still in AWS")
		}
	})
}

func (e *env) change(t *testing.T, tg targetgroup.TargetGroup, f func(*v1alpha1.TargetGroupParameters)) {
	t.Helper()

	patch := client.MergeFrom(tg.DeepCopyObject().(client.Object)) //nolint:forcetypeassert // It is one.
	f(tg.ForProvider())
	e.must(t, e.client.Patch(t.Context(), tg, patch))
}

func TestUndeclaredFieldsStay(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge")
		e.untilApplied(t, tg)

		e.sim.Reset()
		e.change(t, tg, func(p *v1alpha1.TargetGroupParameters) { p.HealthCheck = nil })
		e.untilApplied(t, tg)

		if got := e.sim.Count("ModifyTargetGroup"); got != 0 {
			t.Errorf("what is not declared is not managed, but it was changed %d times", got)
		}
	})
}

func TestOutOfBandDeletionIsRepaired(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge")
		e.untilApplied(t, tg)

		// For 30 s after a creation absence is taken for AWS's lag.
		before := meta.GetExternalName(tg)
		patch := client.MergeFrom(tg.DeepCopyObject().(client.Object)) //nolint:forcetypeassert // It is one.
		meta.SetExternalCreateSucceeded(tg, time.Now().Add(-time.Minute))
		e.must(t, e.client.Patch(t.Context(), tg, patch))
		e.sim.DeleteTargetGroup(before)
		e.until(t, tg, "made again", func() bool {
			arn := tg.ObservedState().AtProvider.ARN

			return arn != "" && arn != before && is(tg, xpv2.TypeReady, "True")
		})

		if got := meta.GetExternalName(tg); got != before {
			t.Errorf("the external name was changed to %q, against Git", got)
		}
	})
}

func TestDeletionWaitsForListener(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge")
		e.untilApplied(t, tg)

		detach, err := e.sim.AttachListener(meta.GetExternalName(tg), awssim.Listener{Zones: []string{"eu-west-1a"}})
		e.must(t, err)
		e.must(t, e.client.Delete(t.Context(), tg))
		e.until(t, tg, "blocked", func() bool { return is(tg, controller.TypeDeletionBlocked, "True") })

		if !is(tg, xpv2.TypeSynced, "True") || !strings.Contains(tg.GetCondition(controller.TypeDeletionBlocked).Message, "loadbalancer/") {
			t.Errorf("waiting is no error, and says for what: %+v", tg.ObservedState().Conditions)
		}

		detach()
		e.untilGone(t, tg)
	})
}

func TestTransientErrorDoesNotShow(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge")
		e.untilApplied(t, tg)

		before := tg.GetResourceVersion()
		e.sim.Reset()
		remove := e.sim.Fault(awssim.Fault{Action: "DescribeTargetGroups", Effect: awssim.InternalFailure})

		defer remove()

		e.until(t, tg, "read in vain", func() bool { return e.sim.Count("DescribeTargetGroups") > 3 })

		if tg.GetResourceVersion() != before {
			t.Errorf("the last good observation is younger than two minutes: %+v", tg.ObservedState().Conditions)
		}
	})
}

func TestInvalidValueIsStalled(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.sim.Fault(awssim.Fault{Action: "CreateTargetGroup", Effect: awssim.Answer, Code: "ValidationError", Message: "The VPC does not exist"})
		tg := e.group(t, "edge")
		e.until(t, tg, "stalled", func() bool { return is(tg, controller.TypeStalled, "True") })

		if got := tg.GetCondition(controller.TypeStalled).Message; !strings.Contains(got, `create target group "edge"`) || !strings.Contains(got, "The VPC does not exist") {
			t.Errorf("the message says what failed and why: %q", got)
		}
	})
}
