package targetgroup_test

import (
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroup"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// seed makes a group that somebody else has created.
func (e *env) seed(t *testing.T, tags map[string]string) (arn string) {
	t.Helper()

	arn, err := e.Sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: kindtest.Region, Name: "edge", Protocol: "TCP", Port: 443, VPC: kindtest.VPC, Tags: tags})
	kindtest.Must(t, err)

	return arn
}

// tags are those of this object in a cluster.
func (e *env) tags(clusterID string) map[string]string {
	return e.Env.Tags("targetgroup", "edge", clusterID)
}

const balancerARN = "arn:aws:elasticloadbalancing:" + kindtest.Region + ":123456789012:loadbalancer/net/edge/8cf22fbeb90c5961"

type adoption struct {
	reason string
	tags   func(*env) map[string]string
	mutate func(*env, string) func(targetgroup.TargetGroup)
	// stalled is part of the message, or empty if the group is adopted.
	stalled string
	// external name in the end; ARN stands for the group's.
	external string
}

// adoptions are what is done with a group that exists already.
func adoptions() map[string]adoption {
	named := func(f func(arn string) string) func(*env, string) func(targetgroup.TargetGroup) {
		return func(_ *env, arn string) func(targetgroup.TargetGroup) {
			return func(tg targetgroup.TargetGroup) { meta.SetExternalName(tg, f(arn)) }
		}
	}
	unnamed := func(*env, string) func(targetgroup.TargetGroup) { return func(targetgroup.TargetGroup) {} }
	onlyObserve := func(*env, string) func(targetgroup.TargetGroup) {
		return func(tg targetgroup.TargetGroup) { tg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe"}) }
	}

	return map[string]adoption{
		"Ours": {
			"All our tags are equal: a lost response, or a deleted and re-applied object.",
			func(e *env) map[string]string { return e.tags(kindtest.Cluster) }, unnamed, "", "ARN",
		},
		"OtherCluster": {
			"The same Git in another cluster: neither takes it from the other.",
			func(e *env) map[string]string { return e.tags("blue") }, unnamed, `another cluster, "blue"`, "",
		},
		"Foreign": {
			"Somebody else's group is not taken over silently.",
			func(*env) map[string]string { return map[string]string{"owner": "me"} }, unnamed, "external-name to", "",
		},
		"ByARN": {
			"An external name adopts.",
			func(*env) map[string]string { return nil }, named(func(arn string) string { return arn }), "", "ARN",
		},
		"ByName": {
			"The user's form of the external name stays.",
			func(*env) map[string]string { return nil }, named(func(string) string { return "edge" }), "", "edge",
		},
		"OtherKind": {
			"AWS would take it for a name.",
			func(*env) map[string]string { return nil }, named(func(string) string { return balancerARN }), "is not the ARN of a target group: set it to one", balancerARN,
		},
		"OnlyObserve": {
			"Who changes nothing takes nothing over.",
			func(*env) map[string]string { return nil }, onlyObserve, "", "",
		},
	}
}

func TestAdoption(t *testing.T) {
	for name, tc := range adoptions() {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				arn := e.seed(t, tc.tags(e))
				tg := e.group(t, "edge", tc.mutate(e, arn))

				if tc.stalled != "" {
					e.Until(t, tg, "stalled", func() bool { return kindtest.Is(tg, controller.TypeStalled, "True") })

					if got := tg.GetCondition(controller.TypeStalled).Message; !strings.Contains(got, tc.stalled) {
						t.Errorf("\n%s\nthe message is %q, want %q in it", tc.reason, got, tc.stalled)
					}
				} else {
					e.UntilApplied(t, tg)
				}

				want := strings.ReplaceAll(tc.external, "ARN", arn)
				if got := meta.GetExternalName(tg); got != want {
					t.Errorf("\n%s\nexternal name %q, want %q", tc.reason, got, want)
				}

				if got := e.Sim.Count("CreateTargetGroup"); got != 0 {
					t.Errorf("\n%s\nit was created %d times", tc.reason, got)
				}
			})
		})
	}
}

func TestOnlyObserveChangesNothing(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.seed(t, nil)

		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) { tg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe"}) })
		e.UntilApplied(t, tg)

		// What could be declared is there to be copied.
		if got := tg.ObservedState().AtProvider.Attributes; len(got) != 13 || got["deregistration_delay.timeout_seconds"] != "300" {
			t.Errorf("status shows the attributes %v", got)
		}

		kindtest.Must(t, e.Client.Delete(t.Context(), tg))
		e.UntilGone(t, tg)

		if got := e.Sim.Count("ModifyTargetGroup", "AddTags", "RemoveTags", "DeleteTargetGroup", "CreateTargetGroup"); got != 0 {
			t.Errorf("AWS was changed %d times", got)
		}
	})
}

func TestImmutableMismatchIsStalled(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		arn := e.seed(t, nil)
		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) {
			meta.SetExternalName(tg, arn)
			tg.ForProvider().Port = ptr(int32(80))
		})
		e.Until(t, tg, "stalled", func() bool { return kindtest.Is(tg, controller.TypeStalled, "True") })

		want := `spec.forProvider.port is 80, but target group "edge" has 443`
		if got := tg.GetCondition(controller.TypeStalled).Message; !strings.HasPrefix(got, want) {
			t.Errorf("the message is %q, want %q", got, want)
		}
	})
}
