package awssim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const targetDoc = "APIReference/API_TargetDescription.html"

// quic registers an instance with a server id.
func (b *bench) quic(arn, instance string, server int) error {
	id := fmt.Sprintf("0x%016x", server)
	_, err := b.elb.RegisterTargets(b.ctx, &elbv2.RegisterTargetsInput{
		TargetGroupArn: &arn, Targets: []types.TargetDescription{{Id: &instance, QuicServerId: &id}},
	})
	return err
}

func TestRegisterMoreRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"IPv6Instance": {"An instance of an IPv6 group needs a primary IPv6 address.", "network/target-group-register-targets.html", func(b *bench) {
			arn := b.of("six", "TCP", "IpAddressType", "ipv6")
			b.sim.SeedInstance(awssim.Instance{ID: "i-00000000000000001", Zone: zoneA, VPC: vpc})
			b.sim.SeedInstance(awssim.Instance{ID: "i-00000000000000002", Zone: zoneA, VPC: vpc, IPv6: "2001:db8:0:a::2"})
			b.refused(b.register(arn, "i-00000000000000001", "i-00000000000000002"), "InvalidTarget")
			b.ok(b.register(arn, "i-00000000000000002"))
		}},
		"IPv6Address": {"An IPv6 address of a subnet is in its zone.", "network/target-group-register-targets.html", func(b *bench) {
			arn, err := b.networked().sim.SeedTargetGroup(awssim.TargetGroupSeed{
				Name: "six", Protocol: "TCP", Port: 80, VPC: vpc, Type: "ip", Params: map[string]string{"IpAddressType": "ipv6"},
			})
			b.ok(err)
			b.ok(b.register(arn, "2001:db8:0:b::7"))
			diff(b.t, zoneB, b.sim.Targets(arn)[0].Zone)
			b.refused(b.register(arn, "10.0.0.7"), "ValidationError")
		}},
		"QUICUnique": {"A server id is one target's, in all groups of a load balancer.", targetDoc, func(b *bench) {
			one, two, ids := b.of("one", "QUIC"), b.of("two", "TCP_QUIC"), b.instances(zoneA, 2)
			b.ok(b.quic(one, ids[0], 1))
			b.ok(b.quic(one, ids[0], 1))
			b.refused(b.quic(one, ids[1], 1), "ValidationError")
			b.refused(b.quic(one, ids[0], 2), "ValidationError")
			lb := b.networked().lb(nil)
			for port, arn := range map[int32]string{443: one, 444: two} {
				_, err := b.listen(lb, map[int32]string{443: "QUIC", 444: "TCP_QUIC"}[port], port, to(arn), nil)
				b.ok(err)
			}
			b.refused(b.quic(two, ids[1], 1), "ValidationError")
		}},
		"QUICRests": {"A server id is not used again for six hours.", targetDoc, func(b *bench) {
			arn, ids := b.of("one", "QUIC"), b.instances(zoneA, 2)
			b.ok(b.quic(arn, ids[0], 1))
			b.ok(b.deregister(arn, ids[0]))
			b.refused(b.quic(arn, ids[1], 1), "ValidationError")
			b.refused(b.quic(arn, ids[0], 1), "ValidationError")
			b.clock.Advance(6 * time.Hour)
			b.ok(b.quic(arn, ids[1], 1))
		}},
		"RegistrationsPerTarget": {"A target can be registered so many times with a load balancer.", "APIReference/API_RegisterTargets.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{RegistrationsPerTarget: 2}})
			lb := awssim.Listener{LoadBalancerARN: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/lb/0123456789abcdef", Zones: []string{zoneA}}
			ids := b.instances(zoneA, 1)
			for _, name := range []string{"a", "b"} {
				arn := b.group(name)
				b.attach(arn, lb)
				b.ok(b.register(arn, ids...))
			}
			third := b.group("c")
			b.attach(third, lb)
			b.refused(b.register(third, ids...), "TooManyRegistrationsForTargetId")
		}},
		"LargeBatch": {"Large batches may be rejected.", "kubernetes/kubernetes#101592", func(b *bench) {
			p := steady
			p.LargestBatch = 100
			b = newBench(b.t, awssim.Options{Profile: p})
			arn, ids := b.group("web"), b.instances(zoneA, 101)
			b.answered(b.register(arn, ids...), 503, "ServiceUnavailable")
			b.ok(b.register(arn, ids[:100]...))
			b.answered(b.deregister(arn, ids...), 503, "ServiceUnavailable")
			diff(b.t, 100, len(b.health(arn, targets(ids[:100]...)...)))
			diff(b.t, 101, len(b.health(arn, targets(ids...)...)))
		}},
		"GroupOfInstance": {"A security group of an instance is not deleted.", ec2Doc + "DeleteSecurityGroup.html", func(b *bench) {
			group := b.securityGroup("nodes")
			b.sim.SeedInstance(awssim.Instance{ID: "i-00000000000000001", Zone: zoneA, VPC: vpc, SecurityGroups: []string{group}})
			remove := func() error {
				_, err := b.ec2.DeleteSecurityGroup(b.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &group})
				return err
			}
			b.refused(remove(), "DependencyViolation")
			b.sim.SetInstanceState("i-00000000000000001", awssim.Terminated)
			b.ok(remove())
		}},
	})
}

func TestTargetGroupMoreRules(t *testing.T) {
	t.Parallel()
	const conf = "InvalidConfigurationRequest"
	run(t, map[string]rule{
		"CheckOfALB": {"Load balancers as targets are checked over HTTP or HTTPS.", "network/application-load-balancer-target.html", func(b *bench) {
			alb := func(i *elbv2.CreateTargetGroupInput) { i.TargetType = types.TargetTypeEnumAlb }
			out, err := b.create(alb)
			b.ok(err)
			diff(b.t, types.ProtocolEnumHttp, out.TargetGroups[0].HealthCheckProtocol)
			_, err = b.create(func(i *elbv2.CreateTargetGroupInput) {
				alb(i)
				i.Name, i.HealthCheckProtocol = aws.String("other"), types.ProtocolEnumTcp
			})
			b.refused(err, conf)
			b.refused(b.setAttribute(*out.TargetGroups[0].TargetGroupArn, "preserve_client_ip.enabled", "false"), conf)
		}},
		"OfUnknownLoadBalancer": {"Groups of a load balancer that does not exist are not found.", "APIReference/API_DescribeTargetGroups.html", func(b *bench) {
			arn := b.networked().lb(nil)
			list := func(arn string) error {
				_, err := b.elb.DescribeTargetGroups(b.ctx, &elbv2.DescribeTargetGroupsInput{LoadBalancerArn: &arn})
				return err
			}
			b.ok(list(arn))
			b.refused(list(strings.Replace(arn, "/edge/", "/other/", 1)), "LoadBalancerNotFound")
		}},
		"StickyTLS": {"Stickiness is not for TLS groups, nor for groups of TLS listeners.", attributesDoc, func(b *bench) {
			b.refused(b.setAttribute(b.of("secure", "TLS"), "stickiness.enabled", "true"), conf)
			b.sim.SeedCertificate(certOne)
			group := b.group("web")
			_, err := b.listen(b.networked().lb(nil), "TLS", 443, to(group), func(i *createListener) {
				i.Certificates = []types.Certificate{{CertificateArn: aws.String(certOne)}}
			})
			b.ok(err)
			b.refused(b.setAttribute(group, "stickiness.enabled", "true"), conf)
		}},
		"StickyAmongMany": {"With several groups, a sticky group needs a sticky action.", forwards, func(b *bench) {
			one, two := b.group("one"), b.group("two")
			_, err := b.listen(b.networked().lb(nil), "TCP", 80, to(one, two), nil)
			b.ok(err)
			b.refused(b.setAttribute(one, "stickiness.enabled", "true"), conf)
		}},
		"RoutingPercent": {"The routing threshold must not exceed the DNS failover threshold in percent either.", groupHealth, func(b *bench) {
			arn := b.group("web")
			b.ok(b.setAttribute(arn, "target_group_health.dns_failover.minimum_healthy_targets.percentage", "20"))
			b.refused(b.setAttribute(arn, "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "30"), conf)
			b.ok(b.setAttribute(arn, "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "20"))
		}},
		"UniqueGroups": {"A load balancer forwards to so many groups.", createListenerDoc, func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{GroupsPerLoadBalancer: 2}}).networked()
			lb := b.lb(nil)
			_, err := b.listen(lb, "TCP", 80, to(b.group("one"), b.group("two")), nil)
			b.ok(err)
			_, err = b.listen(lb, "TCP", 81, to(b.group("three")), nil)
			b.refused(err, "TooManyUniqueTargetGroupsPerLoadBalancer")
		}},
		"FreshRule": {"A new rule may not be found at first.", "facts/aws.md §1.10, 2", func(b *bench) {
			p := steady
			p.RuleLag = awssim.Span{Min: time.Second, Max: time.Second}
			b = newBench(b.t, awssim.Options{Profile: p}).networked()
			group := b.group("web")
			listener := b.tcp(b.lb(dual), group)
			out, err := b.elb.CreateRule(b.ctx, &elbv2.CreateRuleInput{
				ListenerArn: &listener, Priority: aws.Int32(1), Actions: to(group), Conditions: []types.RuleCondition{{
					Field: aws.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{IpAddressType: "ipv6"},
				}},
			})
			b.ok(err)
			count := func() int {
				list, err := b.elb.DescribeRules(b.ctx, &elbv2.DescribeRulesInput{ListenerArn: &listener})
				b.ok(err)
				return len(list.Rules)
			}
			diff(b.t, 1, count())
			_, err = b.elb.DeleteRule(b.ctx, &elbv2.DeleteRuleInput{RuleArn: out.Rules[0].RuleArn})
			b.refused(err, "RuleNotFound")
			b.clock.Advance(time.Second)
			diff(b.t, 2, count())
		}},
	})
}
