package listener_test

import (
	"strconv"
	"strings"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// twoRules makes a listener with a rule for each family, and tag app.
func (e *env) twoRules(t *testing.T) obj {
	t.Helper()

	mg := e.listener(t, with(func(p *v1alpha1.ListenerParameters) {
		p.Rules = []v1alpha1.ListenerRule{
			{Priority: 1, SourceIPAddressType: "ipv4", Forward: *to(e.a)}, {Priority: 2, SourceIPAddressType: "ipv6", Forward: *to(e.b)},
		}
		p.Tags = map[string]v1alpha1.TagValue{"app": "edge"}
	}))
	e.UntilApplied(t, mg)

	return mg
}

func (e *env) tag(t *testing.T, key, value string, arns ...string) error {
	t.Helper()

	_, err := e.ELB.AddTags(t.Context(), &elbv2.AddTagsInput{ResourceArns: arns, Tags: []types.Tag{{Key: &key, Value: &value}}})

	return err
}

func (e *env) untag(t *testing.T, key string, arns ...string) error {
	t.Helper()

	_, err := e.ELB.RemoveTags(t.Context(), &elbv2.RemoveTagsInput{ResourceArns: arns, TagKeys: []string{key}})

	return err
}

func TestDriftOfTheTagsOfRulesIsRepairedByOneCall(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.twoRules(t)
		arn := func(priority string) string { return *e.rules(t, mg)[priority].RuleArn }

		e.repaired(t, mg,
			drift{"a tag of a rule", func(t *testing.T, e *env, _ string) error {
				t.Helper()

				return e.untag(t, "app", arn("1"))
			}, []string{"AddTags"}},
			drift{"a value of both", func(t *testing.T, e *env, _ string) error {
				t.Helper()

				return e.tag(t, "app", "other", arn("1"), arn("2"))
			}, []string{"AddTags"}},
			drift{"a tag of the listener and of a rule", func(t *testing.T, e *env, listener string) error {
				t.Helper()

				return e.untag(t, "team", listener, arn("2"))
			}, []string{"AddTags", "AddTags"}},
			drift{"different tags", func(t *testing.T, e *env, _ string) error {
				t.Helper()
				kindtest.Must(t, e.untag(t, "team", arn("1")))

				return e.untag(t, "app", arn("2"))
			}, []string{"AddTags", "AddTags"}},
		)
	})
}

// A rule that becomes another is the same one for whoever knows its ARN, and keeps what
// others wrote to it.
func TestARuleKeepsItsARNAndForeignTags(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.twoRules(t)
		one, two := *e.rules(t, mg)["1"].RuleArn, *e.rules(t, mg)["2"].RuleArn
		kindtest.Must(t, e.tag(t, "cost-center", "17", one))
		e.Sim.Reset()

		e.Change(t, mg, with(func(p *v1alpha1.ListenerParameters) {
			p.Rules[0].Priority, p.Rules[1].Priority = 2, 1
			p.Tags = map[string]v1alpha1.TagValue{"stage": "prod"}
		}))
		e.UntilApplied(t, mg)

		// The listener's tags, those of both rules, and the priorities.
		want := []string{"AddTags", "RemoveTags", "SetRulePriorities", "AddTags", "RemoveTags"}
		if diff := cmp.Diff(want, e.Writes()); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}

		rules := e.rules(t, mg)
		if diff := cmp.Diff([]string{one, two}, []string{*rules["2"].RuleArn, *rules["1"].RuleArn}); diff != "" {
			t.Errorf("ARNs: -want, +got:\n%s", diff)
		}

		tags := e.Tags(mg, kindtest.Cluster)
		tags["team"], tags["stage"] = "platform", "prod"

		if diff := cmp.Diff(tags, e.tagsOf(t, two)); diff != "" {
			t.Errorf("tags: -want, +got:\n%s", diff)
		}

		tags["cost-center"] = "17"
		if diff := cmp.Diff(tags, e.tagsOf(t, one)); diff != "" {
			t.Errorf("tags besides a foreign one: -want, +got:\n%s", diff)
		}
	})
}

// Somebody else changes rules at the same time: the next look tells what there is now.
func TestRulesThatChangeMeanwhileAreLookedAtAgain(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.twoRules(t)

		for priority, code := range map[int32]string{11: "PriorityInUse", 12: "RuleNotFound"} {
			e.Sim.Reset()

			stop := e.Sim.Fault(awssim.Fault{Action: "SetRulePriorities", Effect: awssim.Answer, Code: code, Message: "They have changed"})

			e.Change(t, mg, with(func(p *v1alpha1.ListenerParameters) { p.Rules[0].Priority = priority }))
			e.Until(t, mg, "told", func() bool { return strings.Contains(mg.GetCondition(xpv2.TypeSynced).Message, code) })

			if kindtest.Is(mg, controller.TypeStalled, "True") || e.Sim.Count("DescribeRules") == 0 {
				t.Errorf("%s: the next look tells, so it is not stalled: %+v, %d looks", code, mg.ObservedState().Conditions, e.Sim.Count("DescribeRules"))
			}

			stop()
			e.UntilApplied(t, mg)

			if _, ok := e.rules(t, mg)[strconv.Itoa(int(priority))]; !ok || len(e.rules(t, mg)) != 2 {
				t.Errorf("%s: AWS has %v", code, e.ruled(t, mg))
			}

			if diff := cmp.Diff([]string{"SetRulePriorities"}, e.Writes()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", code, diff)
			}
		}
	})
}
