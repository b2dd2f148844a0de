package awssim_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func TestListenerRuleRules(t *testing.T) {
	t.Parallel()
	const doc, createDoc = "network/load-balancer-listeners.html#listener-rules", "APIReference/API_CreateRule.html"
	type in = elbv2.CreateRuleInput
	// ready is a listener of a dualstack load balancer, and a group for its rules.
	ready := func(b *bench) (listener, group string) {
		listener = b.tcp(b.networked().lb(dual), b.group("web"))
		return listener, b.of("six", "TCP", "IpAddressType", "ipv6")
	}
	creating := func(code, reason, source string, change func(*in)) rule {
		return rule{reason, source, func(b *bench) {
			listener, group := ready(b)
			_, err := b.rule(listener, 1, group, change)
			b.refused(err, code)
		}}
	}
	priorities := func(b *bench, pairs ...types.RulePriorityPair) error {
		_, err := b.elb.SetRulePriorities(b.ctx, &elbv2.SetRulePrioritiesInput{RulePriorities: pairs})
		return err
	}
	remove := func(b *bench, arn string) error {
		_, err := b.elb.DeleteRule(b.ctx, &elbv2.DeleteRuleInput{RuleArn: &arn})
		return err
	}
	run(t, map[string]rule{
		"Create": {"A rule forwards one address family elsewhere.", doc, func(b *bench) {
			listener, group := ready(b)
			r, err := b.rule(listener, 7, group, nil)
			b.ok(err)
			diff(b.t, "7", *r.Priority)
			diff(b.t, from("ipv6")[0].SourceIpConfig.IpAddressType, r.Conditions[0].SourceIpConfig.IpAddressType)
			diff(b.t, group, *r.Actions[0].TargetGroupArn)
			b.refused(b.deleteGroup(group), "ResourceInUse")
			b.ok(remove(b, *r.RuleArn))
			b.ok(b.deleteGroup(group))
			b.refused(remove(b, *r.RuleArn), "RuleNotFound")
		}},
		"IPv4": {"Rules are for dualstack.", createDoc, func(b *bench) {
			listener := b.tcp(b.networked().lb(nil), b.group("web"))
			_, err := b.rule(listener, 1, b.group("other"), nil)
			b.refused(err, "InvalidConfigurationRequest")
		}},
		"KeepsDualstack": {"A load balancer with rules stays dualstack.", doc, func(b *bench) {
			listener, _ := ready(b)
			_, err := b.rule(listener, 1, b.group("four"), nil)
			b.ok(err)
			b.refused(b.setAddressType(b.sim.LoadBalancers(awssim.DefaultAccount, region)[0].ARN, "ipv4"), "InvalidConfigurationRequest")
		}},
		"PathPattern": creating("InvalidConfigurationRequest", "The only condition is source-ip.", "APIReference/API_RuleCondition.html",
			func(i *in) {
				i.Conditions = []types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/"}}}
			}),
		"CIDR": creating("InvalidConfigurationRequest", "CIDRs are for Application Load Balancers.", "APIReference/API_SourceIpConditionConfig.html",
			func(i *in) { i.Conditions[0].SourceIpConfig.Values = []string{"10.0.0.0/8"} }),
		"NoType": creating("ValidationError", "A source-ip condition has an address type.", "APIReference/API_SourceIpConditionConfig.html",
			func(i *in) { i.Conditions[0].SourceIpConfig = &types.SourceIpConditionConfig{} }),
		"Priority0":     creating("ValidationError", "A priority is 1-50000.", createDoc, func(i *in) { i.Priority = aws.Int32(0) }),
		"Priority50001": creating("ValidationError", "A priority is 1-50000.", createDoc, func(i *in) { i.Priority = aws.Int32(50001) }),
		"PriorityInUse": {"A priority is unique per listener.", createDoc, func(b *bench) {
			listener, group := ready(b)
			_, err := b.rule(listener, 1, group, nil)
			b.ok(err)
			_, err = b.rule(listener, 1, group, nil)
			b.refused(err, "PriorityInUse")
		}},
		"Quota": {"The number of rules is limited.", "facts/aws.md §1.6", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{RulesPerLoadBalancer: 1}})
			listener, group := ready(b)
			_, err := b.rule(listener, 1, group, nil)
			b.ok(err)
			_, err = b.rule(listener, 2, group, nil)
			b.refused(err, "TooManyRules")
		}},
		"List": {"Rules are listed by priority, the default rule last.", "APIReference/API_DescribeRules.html", func(b *bench) {
			listener, group := ready(b)
			for _, p := range []int32{20, 3} {
				_, err := b.rule(listener, p, group, nil)
				b.ok(err)
			}
			lines, _ := b.ruled(listener)
			diff(b.t, []string{"3 false 1", "20 false 1", "default true 0"}, lines)
		}},
		"DefaultRule": {"The default rule is not deleted, modified or moved.", "APIReference/API_DeleteRule.html", func(b *bench) {
			listener, group := ready(b)
			_, arns := b.ruled(listener)
			b.refused(remove(b, arns[0]), "OperationNotPermitted")
			b.refused(priorities(b, types.RulePriorityPair{RuleArn: &arns[0], Priority: aws.Int32(1)}), "OperationNotPermitted")
			_, err := b.elb.ModifyRule(b.ctx, &elbv2.ModifyRuleInput{RuleArn: &arns[0], Actions: to(group)})
			b.refused(err, "OperationNotPermitted")
		}},
		"Swap": {"Two rules can swap priorities, and none may collide.", "APIReference/API_SetRulePriorities.html", func(b *bench) {
			listener, group := ready(b)
			one, err := b.rule(listener, 1, group, nil)
			b.ok(err)
			two, err := b.rule(listener, 2, group, nil)
			b.ok(err)
			b.refused(priorities(b, types.RulePriorityPair{RuleArn: one.RuleArn, Priority: aws.Int32(2)}), "PriorityInUse")
			b.ok(priorities(b, types.RulePriorityPair{RuleArn: one.RuleArn, Priority: aws.Int32(2)},
				types.RulePriorityPair{RuleArn: two.RuleArn, Priority: aws.Int32(1)}))
			_, arns := b.ruled(listener)
			diff(b.t, []string{*two.RuleArn, *one.RuleArn}, arns[:2])
		}},
		"SwapKeeps": {"A rule that moves keeps its ARN, tags, condition and action; others stay where they are.", "APIReference/API_SetRulePriorities.html", func(b *bench) {
			listener, group := ready(b)
			one, err := b.rule(listener, 1, group, func(i *in) { i.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}} })
			b.ok(err)
			two, err := b.rule(listener, 2, group, nil)
			b.ok(err)
			out, err := b.elb.SetRulePriorities(b.ctx, &elbv2.SetRulePrioritiesInput{
				RulePriorities: []types.RulePriorityPair{{RuleArn: one.RuleArn, Priority: aws.Int32(50000)}},
			})
			b.ok(err)
			want := one
			want.Priority = aws.String("50000")
			diff(b.t, []types.Rule{want}, out.Rules)
			_, arns := b.ruled(listener)
			diff(b.t, []string{*two.RuleArn, *one.RuleArn}, arns[:2])
			tags, err := b.elb.DescribeTags(b.ctx, &elbv2.DescribeTagsInput{ResourceArns: []string{*one.RuleArn}})
			b.ok(err)
			diff(b.t, []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}, tags.TagDescriptions[0].Tags)
		}},
		"SwapAllOrNone": {"A call that is refused moves nothing.", "APIReference/API_SetRulePriorities.html", func(b *bench) {
			listener, group := ready(b)
			one, err := b.rule(listener, 1, group, nil)
			b.ok(err)
			two, err := b.rule(listener, 2, group, nil)
			b.ok(err)
			gone, err := b.rule(listener, 3, group, nil)
			b.ok(err)
			b.ok(remove(b, *gone.RuleArn))
			to := func(r types.Rule, p int32) types.RulePriorityPair {
				return types.RulePriorityPair{RuleArn: r.RuleArn, Priority: &p}
			}
			b.refused(priorities(b, to(one, 7), to(gone, 8)), "RuleNotFound")
			b.refused(priorities(b, to(one, 7), to(two, 7)), "PriorityInUse")
			b.refused(priorities(b, to(one, 7), to(two, 0)), "ValidationError")
			b.refused(priorities(b, to(one, 7), to(two, 50001)), "ValidationError")
			lines, _ := b.ruled(listener)
			diff(b.t, []string{"1 false 1", "2 false 1", "default true 0"}, lines)
		}},
		"Modify": {"Modify changes what it is given.", "APIReference/API_ModifyRule.html", func(b *bench) {
			listener, group := ready(b)
			r, err := b.rule(listener, 1, group, nil)
			b.ok(err)
			out, err := b.elb.ModifyRule(b.ctx, &elbv2.ModifyRuleInput{RuleArn: r.RuleArn, Actions: to(b.group("other"))})
			b.ok(err)
			diff(b.t, types.SourceIpAddressTypeEnum("ipv6"), out.Rules[0].Conditions[0].SourceIpConfig.IpAddressType)
			b.ok(b.deleteGroup(group))
		}},
		"Protocol": {"Groups of rules match the listener's protocol too.", doc, func(b *bench) {
			listener, _ := ready(b)
			_, err := b.rule(listener, 1, b.of("udp", "UDP"), nil)
			b.refused(err, "IncompatibleProtocols")
		}},
		"Tags": {"Rules have tags.", "APIReference/API_AddTags.html", func(b *bench) {
			listener, group := ready(b)
			r, err := b.rule(listener, 1, group, func(i *in) { i.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}} })
			b.ok(err)
			out, err := b.elb.DescribeTags(b.ctx, &elbv2.DescribeTagsInput{ResourceArns: []string{*r.RuleArn}})
			b.ok(err)
			diff(b.t, []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}, out.TagDescriptions[0].Tags)
		}},
	})
}
