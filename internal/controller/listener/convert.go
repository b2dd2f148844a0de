package listener

import (
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// createInput declares what the spec declares, and nothing else. Further
// certificates, the idle timeout and rules are set afterwards.
func createInput(p *v1alpha1.ListenerParameters, w wanted, tags map[string]string) *elbv2.CreateListenerInput {
	in := &elbv2.CreateListenerInput{
		LoadBalancerArn: &w.loadBalancer,
		Port:            p.Port,
		Protocol:        types.ProtocolEnum(sdk.ToString(p.Protocol)),
		SslPolicy:       p.SSLPolicy,
		AlpnPolicy:      alpn(p.ALPNPolicy),
		Certificates:    defaultCertificate(p),
		Tags:            controller.ELBv2Tags(tags),
	}
	if p.Forward != nil {
		in.DefaultActions = actions(forwardOf(w.forward, p.Forward, forward{}))
	}

	return in
}

// modifyInput declares the same for a listener that exists.
func modifyInput(arn string, p *v1alpha1.ListenerParameters, want state, was types.ProtocolEnum) *elbv2.ModifyListenerInput {
	in := &elbv2.ModifyListenerInput{
		ListenerArn:  &arn,
		Port:         p.Port,
		Protocol:     types.ProtocolEnum(sdk.ToString(p.Protocol)),
		SslPolicy:    p.SSLPolicy,
		AlpnPolicy:   alpn(p.ALPNPolicy),
		Certificates: defaultCertificate(p),
	}
	if p.Forward != nil {
		in.DefaultActions = actions(want.forward)
	}

	if in.Protocol == types.ProtocolEnumTls && was != in.Protocol {
		in.SslPolicy = &want.policy
	}

	return in
}

func alpn(declared *string) []string {
	if declared == nil {
		return nil
	}

	return []string{*declared}
}

func defaultCertificate(p *v1alpha1.ListenerParameters) []types.Certificate {
	if len(p.CertificateARNs) == 0 {
		return nil
	}

	return []types.Certificate{{CertificateArn: &p.CertificateARNs[0]}}
}

// actions forward. A single target group goes without weight: AWS knows weights of
// Network Load Balancers only since 2025-11, and not everywhere.
func actions(f forward) []types.Action {
	a := types.Action{Type: types.ActionTypeEnumForward}

	if len(f.groups) == 1 && !f.sticky {
		a.TargetGroupArn = sdk.String(f.groups[0].arn)

		return []types.Action{a}
	}

	a.ForwardConfig = &types.ForwardActionConfig{TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: sdk.Bool(f.sticky)}}

	for _, g := range f.groups {
		t := types.TargetGroupTuple{TargetGroupArn: sdk.String(g.arn)}
		if len(f.groups) > 1 {
			t.Weight = sdk.Int32(g.weight)
		}

		a.ForwardConfig.TargetGroups = append(a.ForwardConfig.TargetGroups, t)
	}

	return []types.Action{a}
}

// haveForward reads the one action that there is. AWS shows a single target group
// in both forms.
func haveForward(actions []types.Action) forward {
	var f forward

	for _, a := range actions {
		if c := a.ForwardConfig; c != nil {
			for _, t := range c.TargetGroups {
				g := weighted{arn: sdk.ToString(t.TargetGroupArn), weight: 1}
				declare(&g.weight, t.Weight)
				f.groups = append(f.groups, g)
			}

			f.sticky = c.TargetGroupStickinessConfig != nil && sdk.ToBool(c.TargetGroupStickinessConfig.Enabled)
		}

		if len(f.groups) == 0 && a.TargetGroupArn != nil {
			f.groups = []weighted{{arn: *a.TargetGroupArn, weight: 1}}
		}
	}

	return f.normal()
}

// conditions of a rule.
func conditions(source string) []types.RuleCondition {
	return []types.RuleCondition{{
		Field: sdk.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{IpAddressType: types.SourceIpAddressTypeEnum(source)},
	}}
}

// sni are the certificates but the default one, sorted. One may be both.
func sni(certificates []types.Certificate) []string {
	var out []string

	for _, c := range certificates {
		if !sdk.ToBool(c.IsDefault) {
			out = append(out, sdk.ToString(c.CertificateArn))
		}
	}

	slices.Sort(out)

	return slices.Compact(out)
}

// observation is what status shows.
func observation(f *found) v1alpha1.ListenerObservation {
	s := have(f.sdk)
	o := v1alpha1.ListenerObservation{
		ARN: f.arn(), LoadBalancerARN: s.loadBalancer, Port: s.port, Protocol: s.protocol, SSLPolicy: s.policy,
	}
	if len(f.sdk.AlpnPolicy) > 0 {
		o.ALPNPolicy = s.alpn
	}

	if s.certificate != "" {
		others := slices.DeleteFunc(slices.Clone(f.sni), func(arn string) bool { return arn == s.certificate })
		o.CertificateARNs = append([]string{s.certificate}, others...)
	}

	groups := s.forward.groups
	for _, r := range f.rules {
		groups = slices.Concat(groups, r.forward.groups)
	}

	for _, g := range groups {
		o.TargetGroupARNs = append(o.TargetGroupARNs, g.arn)
	}

	slices.Sort(o.TargetGroupARNs)
	o.TargetGroupARNs = slices.Compact(o.TargetGroupARNs)

	return o
}
