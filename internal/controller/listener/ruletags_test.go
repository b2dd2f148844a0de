package listener_test

import (
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
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
