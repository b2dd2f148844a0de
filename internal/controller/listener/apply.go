package listener

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// apply makes the calls of a change: tags, the listener itself by one call, then
// what depends on its protocol. The first that fails ends it.
func (e *external) apply(ctx context.Context, p *v1alpha1.ListenerParameters) error {
	arn, what := e.found.arn(), "the "+e.found.String()

	if err := controller.WriteELBv2Tags(ctx, e.elb, []string{arn}, what, e.change.tags); err != nil {
		return err
	}

	if len(e.change.differences) > 0 {
		if _, err := e.elb.ModifyListener(ctx, modifyInput(arn, p, e.change.want, e.found.sdk.Protocol)); err != nil {
			return controller.Failed("change "+what, err)
		}
	}

	if err := e.setCertificates(ctx, arn, what); err != nil {
		return err
	}

	if err := e.setAttributes(ctx, arn, e.change.attributes.Set); err != nil {
		return controller.Failed("set the idle timeout of "+what, err)
	}

	return e.setRules(ctx, arn, what)
}

func (e *external) setAttributes(ctx context.Context, arn string, values map[string]string) error {
	v, ok := values[keyIdleTimeout]
	if !ok {
		return nil
	}

	_, err := e.elb.ModifyListenerAttributes(ctx, &elbv2.ModifyListenerAttributesInput{
		ListenerArn: &arn, Attributes: []types.ListenerAttribute{{Key: sdk.String(keyIdleTimeout), Value: &v}},
	})

	return err
}

// setCertificates adds before it removes. AWS takes one in a call.
func (e *external) setCertificates(ctx context.Context, arn, what string) error {
	for _, c := range e.change.certificates.add {
		in := &elbv2.AddListenerCertificatesInput{ListenerArn: &arn, Certificates: []types.Certificate{{CertificateArn: &c}}}
		if _, err := e.elb.AddListenerCertificates(ctx, in); err != nil {
			return controller.Failed("add certificate "+c+" to "+what, err)
		}
	}

	for _, c := range e.change.certificates.remove {
		in := &elbv2.RemoveListenerCertificatesInput{ListenerArn: &arn, Certificates: []types.Certificate{{CertificateArn: &c}}}
		if _, err := e.elb.RemoveListenerCertificates(ctx, in); err != nil {
			return controller.Failed("remove certificate "+c+" from "+what, err)
		}
	}

	return nil
}

// setRules moves, adds and changes before it removes. Only a rule in the way of one
// that moves goes first: AWS has one rule of a priority.
func (e *external) setRules(ctx context.Context, arn, what string) error {
	c := e.change.rules
	if err := e.deleteRules(ctx, c.inTheWay, what); err != nil {
		return err
	}

	if err := e.moveRules(ctx, c.move, what); err != nil {
		return err
	}

	if err := e.writeRules(ctx, arn, what); err != nil {
		return err
	}

	for _, t := range c.tags {
		if err := controller.WriteELBv2Tags(ctx, e.elb, t.arns, "rules of "+what, t.change); err != nil {
			return err
		}
	}

	return e.deleteRules(ctx, c.remove, what)
}

// moveRules by one call: two of them may swap their priorities.
func (e *external) moveRules(ctx context.Context, rules []rule, what string) error {
	if len(rules) == 0 {
		return nil
	}

	in := &elbv2.SetRulePrioritiesInput{}
	for _, r := range rules {
		in.RulePriorities = append(in.RulePriorities, types.RulePriorityPair{RuleArn: &r.arn, Priority: &r.priority})
	}

	_, err := e.elb.SetRulePriorities(ctx, in)

	return controller.Failed("set the priorities of rules of "+what, err)
}

func (e *external) writeRules(ctx context.Context, arn, what string) error {
	for _, r := range e.change.rules.create {
		_, err := e.elb.CreateRule(ctx, &elbv2.CreateRuleInput{
			ListenerArn: &arn, Priority: &r.priority, Conditions: conditions(r.source), Actions: actions(r.forward), Tags: controller.ELBv2Tags(e.tags),
		})
		if err != nil {
			return controller.Failed("create a rule of "+what, err)
		}
	}

	for _, r := range e.change.rules.modify {
		in := &elbv2.ModifyRuleInput{RuleArn: &r.arn, Conditions: conditions(r.source), Actions: actions(r.forward)}
		if _, err := e.elb.ModifyRule(ctx, in); err != nil {
			return controller.Failed("change a rule of "+what, err)
		}
	}

	return nil
}

func (e *external) deleteRules(ctx context.Context, rules []rule, what string) error {
	for _, r := range rules {
		if _, err := e.elb.DeleteRule(ctx, &elbv2.DeleteRuleInput{RuleArn: &r.arn}); err != nil && !aws.IsNotFound(err, codeNoRule) {
			return controller.Failed("delete a rule of "+what, err)
		}
	}

	return nil
}
