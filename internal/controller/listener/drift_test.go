package listener_test

import (
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// A drift is something that somebody changes in AWS, and the calls that put it back.
type drift struct {
	name   string
	change func(t *testing.T, e *env, arn string) error
	repair []string
}

// modified is a drift of what ModifyListener changes.
func modified(name string, in elbv2.ModifyListenerInput, more ...string) drift {
	return drift{name, func(t *testing.T, e *env, arn string) error {
		t.Helper()

		in.ListenerArn = &arn
		_, err := e.ELB.ModifyListener(t.Context(), &in)

		return err
	}, append([]string{"ModifyListener"}, more...)}
}

// repaired lets each drift happen, and waits until all is as it was.
func (e *env) repaired(t *testing.T, mg obj, drifts ...drift) {
	t.Helper()

	arn, want, wantSNI, wantRules := meta.GetExternalName(mg), e.sdk(t), e.certificates(t, mg), e.ruled(t, mg)

	for _, d := range drifts {
		e.Paused(t, mg, func() { kindtest.Must(t, d.change(t, e, arn)) })
		e.Until(t, mg, d.name+" repaired", func() bool { return len(e.Writes()) >= len(d.repair) })
		e.UntilApplied(t, mg)

		if diff := cmp.Diff(d.repair, e.Writes()); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", d.name, diff)
		}

		if got := e.sdk(t); got.Port == nil || *got.Port != *want.Port || got.Protocol != want.Protocol ||
			!cmp.Equal(got.SslPolicy, want.SslPolicy) || !cmp.Equal(got.AlpnPolicy, want.AlpnPolicy) {
			t.Errorf("%s: AWS has %+v, want %+v", d.name, got, want)
		}

		if diff := cmp.Diff(wantSNI, e.certificates(t, mg)); diff != "" {
			t.Errorf("%s: certificates: -want, +got:\n%s", d.name, diff)
		}

		if diff := cmp.Diff(forwards(want.DefaultActions), forwards(e.sdk(t).DefaultActions)); diff != "" {
			t.Errorf("%s: forward: -want, +got:\n%s", d.name, diff)
		}

		if diff := cmp.Diff(wantRules, e.ruled(t, mg)); diff != "" {
			t.Errorf("%s: rules: -want, +got:\n%s", d.name, diff)
		}
	}
}

// forwards are the weights of target groups, and under the empty key whether they
// are sticky.
func forwards(actions []types.Action) map[string]int32 {
	out := map[string]int32{}

	c := actions[0].ForwardConfig
	for _, g := range c.TargetGroups {
		out[*g.TargetGroupArn] = 1
		if g.Weight != nil {
			out[*g.TargetGroupArn] = *g.Weight
		}
	}

	if s := c.TargetGroupStickinessConfig; s != nil && s.Enabled != nil && *s.Enabled {
		out[""] = 1
	}

	return out
}

// A ruled is what a rule says.
type ruled struct {
	Source  string
	Forward map[string]int32
	Tags    map[string]string
}

// rules of the listener as AWS has them, by priority; not the default one.
func (e *env) rules(t *testing.T, mg obj) map[string]types.Rule {
	t.Helper()

	arn := meta.GetExternalName(mg)
	out, err := e.ELB.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: &arn})
	kindtest.Must(t, err)

	got := map[string]types.Rule{}

	for _, r := range out.Rules {
		if r.IsDefault == nil || !*r.IsDefault {
			got[*r.Priority] = r
		}
	}

	return got
}

// ruled says what the rules of the listener say, by priority.
func (e *env) ruled(t *testing.T, mg obj) map[string]ruled {
	t.Helper()

	got := map[string]ruled{}
	for priority, r := range e.rules(t, mg) {
		got[priority] = ruled{
			Source: string(r.Conditions[0].SourceIpConfig.IpAddressType), Forward: forwards(r.Actions), Tags: e.tagsOf(t, *r.RuleArn),
		}
	}

	return got
}

// tagsOf something in AWS.
func (e *env) tagsOf(t *testing.T, arn string) map[string]string {
	t.Helper()

	out, err := e.ELB.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: []string{arn}})
	kindtest.Must(t, err)

	got := map[string]string{}
	for _, tag := range out.TagDescriptions[0].Tags {
		got[*tag.Key] = *tag.Value
	}

	return got
}

// certificates of the listener, and which is the default.
func (e *env) certificates(t *testing.T, mg obj) map[string]bool {
	t.Helper()

	arn := meta.GetExternalName(mg)
	out, err := e.ELB.DescribeListenerCertificates(t.Context(), &elbv2.DescribeListenerCertificatesInput{ListenerArn: &arn})
	kindtest.Must(t, err)

	got := map[string]bool{}
	for _, c := range out.Certificates {
		got[*c.CertificateArn] = got[*c.CertificateArn] || c.IsDefault != nil && *c.IsDefault
	}

	return got
}

func TestDriftOfEachFieldOfTLSIsRepairedByOneCall(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.listener(t, e.tls())
		e.UntilApplied(t, mg)

		e.repaired(t, mg,
			modified("sslPolicy", elbv2.ModifyListenerInput{SslPolicy: ptr("ELBSecurityPolicy-2016-08")}),
			modified("alpnPolicy", elbv2.ModifyListenerInput{AlpnPolicy: []string{"None"}}),
			modified("default certificate", elbv2.ModifyListenerInput{Certificates: []types.Certificate{{CertificateArn: ptr(cert + "3")}}}),
			drift{"further certificate", func(t *testing.T, e *env, arn string) error {
				t.Helper()

				_, err := e.ELB.RemoveListenerCertificates(t.Context(), &elbv2.RemoveListenerCertificatesInput{
					ListenerArn: &arn, Certificates: []types.Certificate{{CertificateArn: ptr(cert + "2")}},
				})

				return err
			}, []string{"AddListenerCertificates"}},
			modified("protocol", elbv2.ModifyListenerInput{Protocol: "TCP"}, "AddListenerCertificates"),
		)
	})
}

func TestDriftOfEachFieldOfTheForwardIsRepairedByOneCall(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.listener(t, with(func(p *v1alpha1.ListenerParameters) {
			p.Forward = to(e.a, 1, e.b, 99)
			p.Forward.Stickiness = ptr(true)
		}))
		e.UntilApplied(t, mg)

		forward := func(sticky bool, a, b int32) elbv2.ModifyListenerInput {
			return elbv2.ModifyListenerInput{DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
				TargetGroups:                []types.TargetGroupTuple{{TargetGroupArn: &e.a, Weight: &a}, {TargetGroupArn: &e.b, Weight: &b}},
				TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: &sticky},
			}}}}
		}

		e.repaired(t, mg,
			modified("port", elbv2.ModifyListenerInput{Port: ptr(int32(80))}),
			modified("weight", forward(true, 50, 50)),
			modified("stickiness", forward(false, 1, 99)),
			modified("target groups", elbv2.ModifyListenerInput{DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &e.b}}}),
		)
	})
}

func TestDriftOfEachFieldOfARuleIsRepaired(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.listener(t, with(func(p *v1alpha1.ListenerParameters) {
			// Stickiness is declared for both: what is not declared stays as it is.
			single, weighted := to(e.a), to(e.a, 1, e.b, 99)
			single.Stickiness, weighted.Stickiness = ptr(false), ptr(true)
			p.Rules = []v1alpha1.ListenerRule{
				{Priority: 1, SourceIPAddressType: "ipv4", Forward: *single}, {Priority: 2, SourceIPAddressType: "ipv6", Forward: *weighted},
			}
		}))
		e.UntilApplied(t, mg)

		modify := func(name, priority string, in elbv2.ModifyRuleInput) drift {
			return drift{name, func(t *testing.T, e *env, _ string) error {
				t.Helper()

				in.RuleArn = e.rules(t, mg)[priority].RuleArn
				_, err := e.ELB.ModifyRule(t.Context(), &in)

				return err
			}, []string{"ModifyRule"}}
		}
		priorities := func(name string, to map[string]int32, repair ...string) drift {
			return drift{name, func(t *testing.T, e *env, _ string) error {
				t.Helper()

				in := &elbv2.SetRulePrioritiesInput{}
				rules := e.rules(t, mg)

				for was, now := range to {
					in.RulePriorities = append(in.RulePriorities, types.RulePriorityPair{RuleArn: rules[was].RuleArn, Priority: &now})
				}

				_, err := e.ELB.SetRulePriorities(t.Context(), in)

				return err
			}, repair}
		}
		from := func(family types.SourceIpAddressTypeEnum) []types.RuleCondition {
			return []types.RuleCondition{{Field: ptr("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{IpAddressType: family}}}
		}
		forward := func(sticky bool, a, b int32) []types.Action {
			return []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
				TargetGroups:                []types.TargetGroupTuple{{TargetGroupArn: &e.a, Weight: &a}, {TargetGroupArn: &e.b, Weight: &b}},
				TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: &sticky},
			}}}
		}

		e.repaired(t, mg,
			modify("source", "1", elbv2.ModifyRuleInput{Conditions: from("ipv6")}),
			modify("target group", "1", elbv2.ModifyRuleInput{Actions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &e.b}}}),
			modify("weight", "2", elbv2.ModifyRuleInput{Actions: forward(true, 50, 50)}),
			modify("stickiness", "2", elbv2.ModifyRuleInput{Actions: forward(false, 1, 99)}),
			priorities("priority", map[string]int32{"1": 9}, "SetRulePriorities"),
			priorities("priorities of two", map[string]int32{"1": 8, "2": 9}, "SetRulePriorities"),
			priorities("swapped priorities", map[string]int32{"1": 2, "2": 1}, "SetRulePriorities"),
			drift{"no rule", func(t *testing.T, e *env, _ string) error {
				t.Helper()

				_, err := e.ELB.DeleteRule(t.Context(), &elbv2.DeleteRuleInput{RuleArn: e.rules(t, mg)["2"].RuleArn})

				return err
			}, []string{"CreateRule"}},
			drift{"another rule", func(t *testing.T, e *env, arn string) error {
				t.Helper()

				_, err := e.ELB.CreateRule(t.Context(), &elbv2.CreateRuleInput{
					ListenerArn: &arn, Priority: ptr(int32(7)), Conditions: from("ipv4"), Actions: forward(true, 50, 50),
				})

				return err
			}, []string{"DeleteRule"}},
		)
	})
}
