package awssim_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func sticky(actions []types.Action) []types.Action {
	actions[0].ForwardConfig.TargetGroupStickinessConfig = &types.TargetGroupStickinessConfig{Enabled: aws.Bool(true)}
	return actions
}

// natted makes a dualstack load balancer with source NAT.
func natted(i *createLB) {
	both(both(dual, natOn), mapped(func(m *types.SubnetMapping) { m.SourceNatIpv6Prefix = aws.String("auto_assigned") }))(i)
}

func TestForwardRules(t *testing.T) {
	t.Parallel()
	const conf, doc = "InvalidConfigurationRequest", "facts/aws.md §1.5"
	v6 := []string{"IpAddressType", "ipv6"}
	run(t, map[string]rule{
		"Weighted": {"Up to five target groups share the traffic.", "network/load-balancer-limits.html", func(b *bench) {
			lb := b.networked().lb(nil)
			var groups []string
			for i := range 6 {
				groups = append(groups, b.group(fmt.Sprintf("g%d", i)))
			}
			_, err := b.listen(lb, "TCP", 80, to(groups...), nil)
			b.refused(err, "InvalidLoadBalancerAction")
			l, err := b.listen(lb, "TCP", 80, to(groups[:5]...), nil)
			b.ok(err)
			diff(b.t, (*string)(nil), l.DefaultActions[0].TargetGroupArn)
			diff(b.t, int32(10), *l.DefaultActions[0].ForwardConfig.TargetGroups[4].Weight)
			b.refused(b.deleteGroup(groups[4]), "ResourceInUse")
		}},
		"GroupTwice": {"An action has a target group once.", forwards, func(b *bench) {
			group := b.networked().group("web")
			_, err := b.listen(b.lb(nil), "TCP", 80, to(group, group), nil)
			b.refused(err, "ValidationError")
		}},
		"BothForms": {"Both forms of one target group have to agree.", forwards, func(b *bench) {
			lb, one, two := b.networked().lb(nil), b.group("one"), b.group("two")
			actions := to(one)
			actions[0].ForwardConfig = &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: &two}}}
			_, err := b.listen(lb, "TCP", 80, actions, nil)
			b.refused(err, "ValidationError")
			actions[0].TargetGroupArn = &two
			_, err = b.listen(lb, "TCP", 80, actions, nil)
			b.ok(err)
		}},
		"MixedTLS": {"A TLS listener does not mix TCP and TLS groups.", doc, func(b *bench) {
			b.networked().sim.SeedCertificate(certOne)
			_, err := b.listen(b.lb(nil), "TLS", 443, to(b.group("tcp"), b.of("tls", "TLS")), func(i *createListener) { i.Certificates = certificates(certOne) })
			b.refused(err, "IncompatibleProtocols")
		}},
		"StickyTLS": {"A TLS listener has no stickiness between groups.", doc, func(b *bench) {
			b.networked().sim.SeedCertificate(certOne)
			_, err := b.listen(b.lb(nil), "TLS", 443, sticky(to(b.group("one"), b.group("two"))), func(i *createListener) { i.Certificates = certificates(certOne) })
			b.refused(err, conf)
		}},
		"StickyGroups": {"Sticky groups need a sticky action, if there are several.", doc, func(b *bench) {
			lb, one, two := b.networked().lb(nil), b.group("one"), b.group("two")
			b.ok(b.setAttribute(one, "stickiness.enabled", "true"))
			_, err := b.listen(lb, "TCP", 80, to(one, two), nil)
			b.refused(err, conf)
			_, err = b.listen(lb, "TCP", 80, sticky(to(one, two)), nil)
			b.ok(err)
			_, err = b.listen(lb, "TCP", 81, to(one), nil)
			b.ok(err)
		}},
		"MixedFamilies": {"A default action does not mix address families.", doc, func(b *bench) {
			lb := b.networked().lb(dual)
			_, err := b.listen(lb, "TCP", 80, to(b.group("four"), b.of("six", "TCP", v6...)), nil)
			b.refused(err, conf)
		}},
		"IPv6OnIPv4": {"IPv6 groups need a dualstack load balancer, and keep it so.", "network/load-balancer-target-groups.html", func(b *bench) {
			lb, group := b.networked().lb(nil), b.of("six", "TCP", v6...)
			_, err := b.listen(lb, "TCP", 80, to(group), nil)
			b.refused(err, conf)
			b.ok(b.setAddressType(lb, "dualstack"))
			b.tcp(lb, group)
			b.refused(b.setAddressType(lb, "ipv4"), conf)
		}},
		"UDPOnDualstack": {"UDP on dualstack needs source NAT and IPv6 groups.", "network/create-listener.html", func(b *bench) {
			four, six := b.networked().of("four", "UDP"), b.of("six", "UDP", v6...)
			_, err := b.listen(b.lb(dual), "UDP", 53, to(six), nil)
			b.refused(err, conf)
			lb := b.lb(func(i *createLB) { natted(i); i.Name = aws.String("nat") })
			_, err = b.listen(lb, "UDP", 53, to(four), nil)
			b.refused(err, conf)
			_, err = b.listen(lb, "UDP", 53, to(six), nil)
			b.ok(err)
		}},
		"UDPBecomesDualstack": {"A load balancer with UDP on IPv4 does not become dualstack.", "network/load-balancer-ip-address-type.html", func(b *bench) {
			lb := b.networked().lb(nil)
			_, err := b.listen(lb, "UDP", 53, to(b.of("udp", "UDP")), nil)
			b.ok(err)
			b.refused(b.setAddressType(lb, "dualstack"), conf)
		}},
		"QUICOnDualstack": {"QUIC is not for dualstack.", createListenerDoc, func(b *bench) {
			lb := b.networked().lb(nil)
			_, err := b.listen(lb, "QUIC", 443, to(b.of("quic", "QUIC")), nil)
			b.ok(err)
			b.refused(b.setAddressType(lb, "dualstack"), conf)
			_, err = b.modify(b.sim.LoadBalancers("123456789012", region)[0].Listeners[443], func(i *elbv2.ModifyListenerInput) { i.Port = aws.Int32(444) })
			b.ok(err)
		}},
	})
}

func TestModifyListenerRules(t *testing.T) {
	t.Parallel()
	type in = elbv2.ModifyListenerInput
	tls := func(b *bench) string {
		b.networked().sim.SeedCertificate(certOne)
		b.sim.SeedCertificate(certTwo)
		l, err := b.listen(b.lb(nil), "TLS", 443, to(b.group("web")), func(i *createListener) { i.Certificates = certificates(certOne) })
		b.ok(err)
		return *l.ListenerArn
	}
	run(t, map[string]rule{
		"Omitted": {"What is omitted stays.", modifyListenerDoc, func(b *bench) {
			l, err := b.modify(tls(b), func(i *in) { i.Port = aws.Int32(8443) })
			b.ok(err)
			diff(b.t, []string{"8443", "TLS", "ELBSecurityPolicy-2016-08", certOne},
				[]string{fmt.Sprint(*l.Port), string(l.Protocol), *l.SslPolicy, *l.Certificates[0].CertificateArn})
		}},
		"PortInUse": {"A port that another listener has is refused.", "hashicorp/terraform#26407", func(b *bench) {
			lb, group := b.networked().lb(nil), b.group("web")
			b.tcp(lb, group)
			l, err := b.listen(lb, "TCP", 81, to(group), nil)
			b.ok(err)
			_, err = b.modify(*l.ListenerArn, func(i *in) { i.Port = aws.Int32(80) })
			b.refused(err, "ValidationError")
		}},
		"TLSToTCP": {"A change from TLS drops certificates and policy.", modifyListenerDoc, func(b *bench) {
			arn := tls(b)
			b.ok(b.addCertificate(arn, certTwo))
			l, err := b.modify(arn, func(i *in) { i.Protocol = "TCP" })
			b.ok(err)
			diff(b.t, []any{(*string)(nil), 0}, []any{l.SslPolicy, len(l.Certificates)})
		}},
		"TCPToTLS": {"A change to TLS needs a certificate and a policy.", modifyListenerDoc, func(b *bench) {
			arn := tls(b)
			_, err := b.modify(arn, func(i *in) { i.Protocol = "TCP" })
			b.ok(err)
			_, err = b.modify(arn, func(i *in) { i.Protocol = "TLS" })
			b.refused(err, "ValidationError")
			_, err = b.modify(arn, func(i *in) { i.Protocol, i.Certificates = "TLS", certificates(certOne) })
			b.refused(err, "ValidationError")
			l, err := b.modify(arn, func(i *in) {
				i.Protocol, i.Certificates, i.SslPolicy = "TLS", certificates(certOne), aws.String("ELBSecurityPolicy-TLS13-1-2-2021-06")
			})
			b.ok(err)
			diff(b.t, "ELBSecurityPolicy-TLS13-1-2-2021-06", *l.SslPolicy)
		}},
		"ALPN": {"An ALPN policy is cleared by None.", modifyListenerDoc, func(b *bench) {
			arn := tls(b)
			for _, policy := range []string{"HTTP2Preferred", "None"} {
				l, err := b.modify(arn, func(i *in) { i.AlpnPolicy = []string{policy} })
				b.ok(err)
				diff(b.t, []string{policy}, l.AlpnPolicy)
			}
		}},
		"Protocol": {"A changed protocol has to match the group's.", listenersDoc, func(b *bench) {
			_, err := b.modify(tls(b), func(i *in) { i.Protocol = "UDP" })
			b.refused(err, "IncompatibleProtocols")
		}},
	})
}
