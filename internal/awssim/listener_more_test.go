package awssim_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func (b *bench) addCertificate(listener string, arns ...string) error {
	_, err := b.elb.AddListenerCertificates(b.ctx, &elbv2.AddListenerCertificatesInput{ListenerArn: &listener, Certificates: certificates(arns...)})
	return err
}

func (b *bench) removeCertificate(listener, arn string) error {
	_, err := b.elb.RemoveListenerCertificates(b.ctx, &elbv2.RemoveListenerCertificatesInput{ListenerArn: &listener, Certificates: certificates(arn)})
	return err
}

// certified lists a listener's certificates, one per page.
func (b *bench) certified(listener string) []string {
	b.t.Helper()
	var out []string
	p := elbv2.NewDescribeListenerCertificatesPaginator(b.elb, &elbv2.DescribeListenerCertificatesInput{ListenerArn: &listener, PageSize: aws.Int32(1)})
	for p.HasMorePages() {
		page, err := p.NextPage(b.ctx)
		b.ok(err)
		for _, c := range page.Certificates {
			out = append(out, fmt.Sprint(*c.CertificateArn, " ", *c.IsDefault))
		}
	}
	return out
}

// tls makes a TLS listener with the first certificate.
func (b *bench) tls() string {
	b.t.Helper()
	b.networked()
	for _, arn := range []string{certOne, certTwo, certIAM} {
		b.sim.SeedCertificate(arn)
	}
	l, err := b.listen(b.lb(nil), "TLS", 443, to(b.group("web")), func(i *createListener) { i.Certificates = certificates(certOne) })
	b.ok(err)
	return *l.ListenerArn
}

func TestListenerCertificateRules(t *testing.T) {
	t.Parallel()
	const addDoc, removeDoc = "APIReference/API_AddListenerCertificates.html", "APIReference/API_RemoveListenerCertificates.html"
	run(t, map[string]rule{
		"List": {"The default certificate comes first, and twice if it was added too.", "APIReference/API_DescribeListenerCertificates.html", func(b *bench) {
			arn := b.tls()
			b.ok(b.addCertificate(arn, certIAM))
			b.ok(b.addCertificate(arn, certOne))
			b.ok(b.addCertificate(arn, certOne))
			diff(b.t, []string{certOne + " true", certOne + " false", certIAM + " false"}, b.certified(arn))
			b.ok(b.removeCertificate(arn, certIAM))
			b.ok(b.removeCertificate(arn, certIAM))
			diff(b.t, []string{certOne + " true", certOne + " false"}, b.certified(arn))
		}},
		"Default": {"The default certificate is not removed.", removeDoc, func(b *bench) {
			b.refused(b.removeCertificate(b.tls(), certOne), "OperationNotPermitted")
		}},
		"Two": {"One certificate per call.", addDoc, func(b *bench) { b.refused(b.addCertificate(b.tls(), certOne, certTwo), "ValidationError") }},
		"Unknown": {"A certificate has to exist.", addDoc, func(b *bench) {
			b.refused(b.addCertificate(b.tls(), "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000009"), "CertificateNotFound")
		}},
		"OfTCP": {"Certificates are for TLS.", addDoc, func(b *bench) {
			b.sim.SeedCertificate(certOne)
			b.refused(b.addCertificate(b.tcp(b.networked().lb(nil), b.group("web")), certOne), "ValidationError")
		}},
		"Quota": {"A load balancer has 25 certificates.", "network/load-balancer-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{CertificatesPerLoadBalancer: 2}})
			arn := b.tls()
			b.ok(b.addCertificate(arn, certTwo))
			b.refused(b.addCertificate(arn, certIAM), "TooManyCertificates")
		}},
		"TLSWithCapacity": {"A load balancer with TLS has no capacity reservation.", "facts/aws.md §1.3", func(b *bench) {
			b.tls()
			_, err := b.reserve(b.sim.LoadBalancers(awssim.DefaultAccount, region)[0].ARN, 3000)
			b.refused(err, "InvalidConfigurationRequest")
		}},
		"Policies": {"SSL policies are known by name, and listed.", "APIReference/API_DescribeSSLPolicies.html", func(b *bench) {
			out, err := b.elb.DescribeSSLPolicies(b.ctx, &elbv2.DescribeSSLPoliciesInput{
				LoadBalancerType: "network", Names: []string{"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"},
			})
			b.ok(err)
			diff(b.t, []string{"TLSv1.2", "TLSv1.3"}, out.SslPolicies[0].SslProtocols)
			_, err = b.elb.DescribeSSLPolicies(b.ctx, &elbv2.DescribeSSLPoliciesInput{Names: []string{"ELBSecurityPolicy-2099-01"}})
			b.refused(err, "SSLPolicyNotFound")
		}},
	})
}

func TestListenerAttributeRules(t *testing.T) {
	t.Parallel()
	const doc = "APIReference/API_ListenerAttribute.html"
	set := func(b *bench, arn, key, value string) error {
		_, err := b.elb.ModifyListenerAttributes(b.ctx, &elbv2.ModifyListenerAttributesInput{
			ListenerArn: &arn, Attributes: []types.ListenerAttribute{{Key: &key, Value: &value}},
		})
		return err
	}
	setting := func(code, key, value, reason string) rule {
		return rule{reason, doc, func(b *bench) {
			b.refused(set(b, b.tcp(b.networked().lb(nil), b.group("web")), key, value), code)
		}}
	}
	const timeout = "tcp.idle_timeout.seconds"
	run(t, map[string]rule{
		"Default": {"The idle timeout is 350 seconds until it is set.", doc, func(b *bench) {
			arn := b.tcp(b.networked().lb(nil), b.group("web"))
			for _, want := range []string{"350", "6000"} {
				out, err := b.elb.DescribeListenerAttributes(b.ctx, &elbv2.DescribeListenerAttributesInput{ListenerArn: &arn})
				b.ok(err)
				diff(b.t, []types.ListenerAttribute{{Key: aws.String(timeout), Value: &want}}, out.Attributes)
				b.ok(b.idle(arn, "6000"))
			}
		}},
		"OfTLS": {"The timeout of TLS is fixed.", "network/update-idle-timeout.html", func(b *bench) {
			b.refused(b.idle(b.tls(), "400"), "InvalidConfigurationRequest")
		}},
		"TooShort": setting("ValidationError", timeout, "59", "The timeout is 60-6000 seconds."),
		"TooLong":  setting("ValidationError", timeout, "6001", "The timeout is 60-6000 seconds."),
		"Unknown":  setting("ValidationError", "typo", "1", "An unknown key is not recognized."),
		"HTTP": setting("InvalidConfigurationRequest", "routing.http.response.server.enabled", "true",
			"The attributes of Application Load Balancers are not supported."),
		"Gateway": setting("InvalidConfigurationRequest", "send_tcp_reset.on_idle_timeout.enabled", "true",
			"The attributes of Gateway Load Balancers are not supported."),
	})
}

func from(kind types.SourceIpAddressTypeEnum) []types.RuleCondition {
	return []types.RuleCondition{{Field: aws.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{IpAddressType: kind}}}
}

func (b *bench) rule(listener string, priority int32, group string, change func(*elbv2.CreateRuleInput)) (types.Rule, error) {
	in := &elbv2.CreateRuleInput{ListenerArn: &listener, Priority: &priority, Conditions: from("ipv6"), Actions: to(group)}
	if change != nil {
		change(in)
	}
	out, err := b.elb.CreateRule(b.ctx, in)
	if err != nil {
		return types.Rule{}, err
	}
	return out.Rules[0], nil
}

// ruled lists a listener's rules, two per page.
func (b *bench) ruled(listener string) (lines, arns []string) {
	b.t.Helper()
	p := elbv2.NewDescribeRulesPaginator(b.elb, &elbv2.DescribeRulesInput{ListenerArn: &listener, PageSize: aws.Int32(2)})
	for p.HasMorePages() {
		page, err := p.NextPage(b.ctx)
		b.ok(err)
		for _, r := range page.Rules {
			lines = append(lines, fmt.Sprint(*r.Priority, " ", *r.IsDefault, " ", len(r.Conditions)))
			arns = append(arns, *r.RuleArn)
		}
	}
	return lines, arns
}
