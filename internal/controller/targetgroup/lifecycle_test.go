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
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestCreateUpdateDelete(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) {
			tg.ForProvider().Tags = map[string]v1alpha1.TagValue{"app": "edge", "team": "edge"}
		})
		e.UntilApplied(t, tg)

		g := e.sdk(t)
		if got := meta.GetExternalName(tg); got != *g.TargetGroupArn || tg.ObservedState().AtProvider.ARN != got {
			t.Errorf("external name %q, observed %q, AWS has %q", got, tg.ObservedState().AtProvider.ARN, *g.TargetGroupArn)
		}

		if *g.HealthCheckIntervalSeconds != 10 {
			t.Errorf("the health check was not declared: %d", *g.HealthCheckIntervalSeconds)
		}

		tags := e.groups()[0].Tags
		for k, want := range map[string]string{"app": "edge", "team": "edge", controller.TagCluster: kindtest.Cluster, "crossplane-name": "edge"} {
			if tags[k] != want {
				t.Errorf("tag %s is %q, want %q", k, tags[k], want)
			}
		}

		e.Sim.Reset()
		e.change(t, tg, func(p *v1alpha1.TargetGroupParameters) {
			p.HealthCheck.IntervalSeconds = ptr(int32(20))
			p.HealthCheck.UnhealthyThreshold = ptr(int32(3))
			p.Tags = map[string]v1alpha1.TagValue{"new": "1"}
		})
		e.UntilApplied(t, tg)

		if diff := cmp.Diff([]int{1, 1, 1}, []int{e.Sim.Count("ModifyTargetGroup"), e.Sim.Count("AddTags"), e.Sim.Count("RemoveTags")}); diff != "" {
			t.Errorf("one call for the health check, one to set and one to remove tags: -want, +got:\n%s", diff)
		}

		tags = e.groups()[0].Tags
		if _, ok := tags["app"]; ok || tags["new"] != "1" || tags["team"] != "platform" {
			t.Errorf("a tag that is no longer wanted goes, a default comes back: %v", tags)
		}

		if err := e.Client.Delete(t.Context(), tg); err != nil {
			t.Fatal(err)
		}

		e.UntilGone(t, tg)

		if len(e.groups()) != 0 {
			t.Errorf("it is still in AWS")
		}
	})
}

func (e *env) change(t *testing.T, tg targetgroup.TargetGroup, f func(*v1alpha1.TargetGroupParameters)) {
	t.Helper()
	e.Change(t, tg, func(tg targetgroup.TargetGroup) { f(tg.ForProvider()) })
}

func TestUndeclaredFieldsStay(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge")
		e.UntilApplied(t, tg)

		e.Sim.Reset()
		e.change(t, tg, func(p *v1alpha1.TargetGroupParameters) { p.HealthCheck = nil })
		e.UntilApplied(t, tg)

		if got := e.Sim.Count("ModifyTargetGroup"); got != 0 {
			t.Errorf("what is not declared is not managed, but it was changed %d times", got)
		}
	})
}

func TestOutOfBandDeletionIsRepaired(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge")
		e.UntilApplied(t, tg)

		// For 30 s after a creation absence is taken for AWS's lag.
		before := meta.GetExternalName(tg)
		patch := client.MergeFrom(tg.DeepCopyObject().(client.Object)) //nolint:forcetypeassert // It is one.
		meta.SetExternalCreateSucceeded(tg, time.Now().Add(-time.Minute))
		kindtest.Must(t, e.Client.Patch(t.Context(), tg, patch))
		e.Sim.DeleteTargetGroup(before)
		e.Until(t, tg, "made again", func() bool {
			arn := tg.ObservedState().AtProvider.ARN

			return arn != "" && arn != before && kindtest.Is(tg, xpv2.TypeReady, "True")
		})

		if got := meta.GetExternalName(tg); got != before {
			t.Errorf("the external name was changed to %q, against Git", got)
		}
	})
}

func TestDeletionWaitsForListener(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge")
		e.UntilApplied(t, tg)

		detach, err := e.Sim.AttachListener(meta.GetExternalName(tg), awssim.Listener{Zones: []string{"eu-west-1a"}})
		kindtest.Must(t, err)
		kindtest.Must(t, e.Client.Delete(t.Context(), tg))
		e.Until(t, tg, "blocked", func() bool { return kindtest.Is(tg, controller.TypeDeletionBlocked, "True") })

		if !kindtest.Is(tg, xpv2.TypeSynced, "True") || !strings.Contains(tg.GetCondition(controller.TypeDeletionBlocked).Message, "loadbalancer/") {
			t.Errorf("waiting is no error, and says for what: %+v", tg.ObservedState().Conditions)
		}

		detach()
		e.UntilGone(t, tg)
	})
}

func TestTransientErrorDoesNotShow(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge")
		e.UntilApplied(t, tg)

		before := tg.GetResourceVersion()
		e.Sim.Reset()
		remove := e.Sim.Fault(awssim.Fault{Action: "DescribeTargetGroups", Effect: awssim.InternalFailure})

		defer remove()

		e.Until(t, tg, "read in vain", func() bool { return e.Sim.Count("DescribeTargetGroups") > 3 })

		if tg.GetResourceVersion() != before {
			t.Errorf("the last good observation is younger than two minutes: %+v", tg.ObservedState().Conditions)
		}
	})
}

func TestInvalidValueIsStalled(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.Sim.Fault(awssim.Fault{Action: "CreateTargetGroup", Effect: awssim.Answer, Code: "ValidationError", Message: "The VPC does not exist"})
		tg := e.group(t, "edge")
		e.Until(t, tg, "stalled", func() bool { return kindtest.Is(tg, controller.TypeStalled, "True") })

		if got := tg.GetCondition(controller.TypeStalled).Message; !strings.Contains(got, `create target group "edge"`) || !strings.Contains(got, "The VPC does not exist") {
			t.Errorf("the message says what failed and why: %q", got)
		}
	})
}
