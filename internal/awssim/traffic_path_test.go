package awssim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	groupsDoc  = "network/load-balancer-security-groups.html"
	zonalShift = "network/zonal-shift.html"
	users      = "198.51.100.7"
)

// ingress lets TCP into a security group.
func (b *bench) ingress(group string, port int32, cidr string) {
	b.t.Helper()
	b.ok(b.authorize(group, b.cidr("tcp", port, port, cidr)))
}

// noEgress takes the rule that AWS gives every new group.
func (b *bench) noEgress(group string) {
	b.t.Helper()
	for _, r := range b.described(group) {
		if *r.IsEgress {
			_, err := b.ec2.RevokeSecurityGroupEgress(b.ctx, &ec2.RevokeSecurityGroupEgressInput{
				GroupId: &group, SecurityGroupRuleIds: []string{*r.SecurityGroupRuleId},
			})
			b.ok(err)
		}
	}
}

// walled is an internal load balancer with the security group front and one
// instance of zone A with the group nodes; both groups admit nobody.
func (b *bench) walled() (e *edge, front, nodes string) {
	b.t.Helper()
	e = &edge{bench: newBench(b.t, awssim.Options{Profile: flowing()}).networked(), a: []string{"i-00000000000000001"}}
	front, nodes = e.securityGroup("front"), e.securityGroup("nodes")
	e.lb = e.bench.lb(both(internal, func(i *createLB) { i.SecurityGroups = []string{front} }))
	e.group = e.of("web", "TCP", "HealthCheckPort", "8080", "HealthCheckIntervalSeconds", "10")
	e.listener = e.tcp(e.lb, e.group)
	e.sim.SeedInstance(awssim.Instance{ID: e.a[0], Zone: zoneA, VPC: vpc, PrivateIP: "10.0.0.99", SecurityGroups: []string{nodes}})
	e.ok(e.register(e.group, e.a[0]))
	return e, front, nodes
}

func TestTrafficSecurityRules(t *testing.T) {
	t.Parallel()
	// Ten attempts in nine seconds, after the targets have had time for anything.
	ten := func(e *edge, want awssim.Report, change func(*awssim.Client)) {
		e.t.Helper()
		e.clock.Advance(time.Hour)
		want.Attempts = 10
		e.saw(e.during(9*time.Second, change), want)
	}
	run(t, map[string]rule{
		"Open": {"A target that refers to the load balancer's group admits its clients and health checks.", groupsDoc, func(b *bench) {
			e, front, nodes := b.walled()
			e.ingress(front, 80, users+"/32")
			e.ok(e.authorize(nodes, peer(front)))
			ten(e, awssim.Report{Connected: 10}, nil)
			diff(e.t, awssim.Healthy, e.stateOf(e.a[0]))
		}},
		"FrontClosed": {"Inbound rules of the load balancer hold for clients, not for health checks.", groupsDoc, func(b *bench) {
			e, front, nodes := b.walled()
			e.ingress(front, 80, "203.0.113.0/24")
			e.ok(e.authorize(nodes, peer(front)))
			ten(e, awssim.Report{TimedOut: 10}, nil)
			diff(e.t, awssim.Healthy, e.stateOf(e.a[0]))
		}},
		"FrontOtherPort": {"A rule is for its ports.", groupsDoc, func(b *bench) {
			e, front, nodes := b.walled()
			e.ingress(front, 81, "0.0.0.0/0")
			e.ok(e.authorize(nodes, peer(front)))
			ten(e, awssim.Report{TimedOut: 10}, nil)
		}},
		"FrontNoEgress": {"Outbound rules of the load balancer hold for health checks.", groupsDoc, func(b *bench) {
			e, front, nodes := b.walled()
			e.ingress(front, 80, "0.0.0.0/0")
			e.ok(e.authorize(nodes, peer(front)))
			e.noEgress(front)
			ten(e, awssim.Report{TimedOut: 10}, nil)
			diff(e.t, []string{e.a[0] + ":80 unhealthy Target.Timeout"}, e.health(e.group))
		}},
		"NodesClosed": {"Inbound rules of targets hold for health checks.", "network/target-group-register-targets.html#target-security-groups", func(b *bench) {
			e, front, nodes := b.walled()
			e.ingress(front, 80, "0.0.0.0/0")
			e.ingress(nodes, 80, "0.0.0.0/0")
			e.clock.Advance(time.Hour)
			diff(e.t, []string{e.a[0] + ":80 unhealthy Target.Timeout"}, e.health(e.group))
		}},
		"NodesAdmitVPC": {"With client IP preservation a target sees the client's address.", attributesDoc, func(b *bench) {
			e, front, nodes := b.walled()
			e.ingress(front, 80, "0.0.0.0/0")
			e.ingress(nodes, 80, "10.0.0.0/16")
			e.ingress(nodes, 8080, "10.0.0.0/16")
			ten(e, awssim.Report{TimedOut: 10}, nil)
			e.ok(e.setAttribute(e.group, "preserve_client_ip.enabled", "false"))
			ten(e, awssim.Report{Connected: 10}, nil)
		}},
		"NodesAdmitClients": {"Without it, it sees the load balancer's.", attributesDoc, func(b *bench) {
			e, front, nodes := b.walled()
			e.ingress(front, 80, "0.0.0.0/0")
			e.ingress(nodes, 80, users+"/32")
			ten(e, awssim.Report{Connected: 10}, nil)
			e.ok(e.setAttribute(e.group, "preserve_client_ip.enabled", "false"))
			ten(e, awssim.Report{TimedOut: 10}, nil)
		}},
		"PrivateLink": {"Inbound rules hold for PrivateLink unless turned off; targets never see its clients.", groupsDoc, func(b *bench) {
			e, front, nodes := b.walled()
			e.ok(e.authorize(nodes, b.cidr("tcp", 80, 8080, "10.0.0.0/16")))
			link := func(c *awssim.Client) { c.PrivateLink = true }
			ten(e, awssim.Report{TimedOut: 10}, link)
			_, err := e.elb.SetSecurityGroups(e.ctx, &elbv2.SetSecurityGroupsInput{
				LoadBalancerArn: &e.lb, SecurityGroups: []string{front}, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: "off",
			})
			e.ok(err)
			ten(e, awssim.Report{Connected: 10}, link)
			ten(e, awssim.Report{TimedOut: 10}, nil)
		}},
		"Hairpin": {"A target that is its own client times out while its address is preserved.",
			"network/load-balancer-troubleshooting.html", func(b *bench) {
				e, front, nodes := b.walled()
				e.ok(e.authorize(front, peer(nodes)))
				e.ok(e.authorize(nodes, peer(front)))
				self := func(c *awssim.Client) { c.Instance = e.a[0] }
				ten(e, awssim.Report{TimedOut: 10}, self)
				e.ok(e.setAttribute(e.group, "preserve_client_ip.enabled", "false"))
				ten(e, awssim.Report{Connected: 10}, self)
			}},
	})
}

func TestTrafficPathRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"Provisioning": {"A load balancer that is provisioning answers nobody.", "network/network-load-balancers.html#load-balancer-state", func(b *bench) {
			e := b.edge(nil)
			e.sim.SetLoadBalancerState(e.lb, "provisioning", "")
			e.saw(e.during(9*time.Second, nil), awssim.Report{Attempts: 10, TimedOut: 10})
			e.sim.SetLoadBalancerState(e.lb, "active_impaired", "")
			e.saw(e.during(9*time.Second, nil), awssim.Report{Attempts: 10, Connected: 10})
		}},
		"NoListener": {"A port without a listener answers nobody.", "assumed: no page says it", func(b *bench) {
			e := b.edge(nil)
			e.saw(e.during(9*time.Second, func(c *awssim.Client) { c.Port = 81 }), awssim.Report{Attempts: 10, TimedOut: 10})
		}},
		"ZoneRemoved": {"Removing a zone cuts its connections.", "network/availability-zones.html", func(b *bench) {
			e := b.edge(nil)
			client := e.through(holding(time.Hour))
			e.clock.Advance(9 * time.Second)
			e.ok(e.setSubnets(e.lb, subnetB))
			e.clock.Advance(5 * time.Second)
			got := client.Stop()
			e.saw(got, awssim.Report{Attempts: 15, Connected: 10, TimedOut: 5, Reset: 10})
		}},
		"DNS": {"A zone without a healthy target leaves DNS.", healthDoc, func(b *bench) {
			e := b.edge(nil)
			client := e.through(byDNS)
			e.clock.Advance(2 * time.Minute)
			if got := client.Report(); got.Zones[zoneA] < 30 || got.Zones[zoneB] < 30 {
				e.t.Errorf("zones: %v", got.Zones)
			}
			for _, id := range e.a {
				e.sim.SetAccepting(id, 8080, false)
			}
			// 20 seconds to find out, and 60 until a client asks again.
			e.clock.Advance(80 * time.Second)
			was := client.Report()
			e.clock.Advance(time.Minute)
			got := client.Stop()
			diff(e.t, 60, got.Zones[zoneB]-was.Zones[zoneB])
			diff(e.t, 0, got.Failed())
		}},
		"DNSFailsOpen": {"All zones are in DNS while none has a healthy target.", healthDoc, func(b *bench) {
			e := b.edge(nil)
			for _, id := range append(e.a, e.b...) {
				e.sim.SetAccepting(id, 8080, false)
			}
			e.clock.Advance(time.Hour)
			got := e.during(2*time.Minute, byDNS)
			if got.Zones[zoneA] < 30 || got.Zones[zoneB] < 30 || got.Failed() > 0 {
				e.t.Errorf("zones %v: %s", got.Zones, got)
			}
		}},
		"ZonalShift": {"A zonal shift takes a zone out of DNS, and with cross-zone its targets too.", zonalShift, func(b *bench) {
			e := b.edge(nil)
			_, err := e.sim.ShiftAway(e.lb, zoneA)
			if err == nil {
				e.t.Fatal("a shift of a load balancer that has not enabled it")
			}
			e.ok(e.setLB(e.lb, "zonal_shift.config.enabled", "true"))
			end, err := e.sim.ShiftAway(e.lb, zoneA)
			e.ok(err)
			got := e.during(time.Minute, byDNS)
			diff(e.t, map[string]int{zoneB: 61}, got.Zones)
			diff(e.t, "zonal_shift_delegated_to_dns", e.overridden(e.a[0]))
			e.ok(e.setLB(e.lb, "load_balancing.cross_zone.enabled", "true"))
			got = e.during(time.Minute, nil)
			diff(e.t, 61, share(got, e.b...))
			diff(e.t, "zonal_shift_active", e.overridden(e.a[0]))
			diff(e.t, "no_override", e.overridden(e.b[0]))
			end()
			diff(e.t, "no_override", e.overridden(e.a[0]))
		}},
		"Weights": {"Groups get connections by weight, and none with a weight of 0.", listenersDoc, func(b *bench) {
			e := b.edge(nil)
			e.ok(e.setLB(e.lb, "load_balancing.cross_zone.enabled", "true"))
			green := e.of("green", "TCP", "HealthCheckPort", "8080")
			e.ok(e.deregister(e.group, e.b...))
			e.ok(e.register(green, e.b...))
			weigh := func(blue, next int32) {
				forward := &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{
					{TargetGroupArn: &e.group, Weight: &blue}, {TargetGroupArn: &green, Weight: &next},
				}}
				_, err := e.modify(e.listener, func(i *elbv2.ModifyListenerInput) {
					i.DefaultActions = []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: forward}}
				})
				e.ok(err)
			}
			weigh(1, 0)
			e.clock.Advance(time.Hour)
			diff(e.t, 0, share(e.during(time.Minute, nil), e.b...))
			weigh(10, 90)
			if n := share(e.during(1000*time.Second, nil), e.a...); n < 50 || n > 200 {
				e.t.Errorf("%d of 1000 connections to a weight of 10 %%", n)
			}
			weigh(0, 0)
			diff(e.t, 61, e.during(time.Minute, nil).Refused)
		}},
		"Sticky": {"With stickiness a client keeps its target.", attributesDoc, func(b *bench) {
			e := b.edge(nil)
			e.ok(e.setAttribute(e.group, "stickiness.enabled", "true"))
			if got := e.during(time.Minute, nil); len(got.Targets) != 1 {
				e.t.Errorf("connections by target: %v", got.Targets)
			}
		}},
		"UDP": {"A datagram is not refused.", "RFC 768", func(b *bench) {
			e := b.edge(nil)
			udp := e.of("udp", "UDP", "HealthCheckPort", "8080")
			_, err := e.listen(e.lb, "UDP", 53, to(udp), nil)
			e.ok(err)
			e.saw(e.during(9*time.Second, func(c *awssim.Client) { c.Port = 53 }), awssim.Report{Attempts: 10, TimedOut: 10})
			e.ok(e.register(udp, e.a...))
			for _, id := range e.a {
				e.sim.SetAccepting(id, 80, false)
			}
			e.clock.Advance(time.Hour)
			e.saw(e.during(9*time.Second, func(c *awssim.Client) { c.Port = 53 }), awssim.Report{Attempts: 10, TimedOut: 10})
		}},
		"IPv6": {"Clients with IPv6 need a dualstack load balancer; a rule can send them elsewhere.", listenersDoc, func(b *bench) {
			e := b.edge(nil)
			v6 := func(c *awssim.Client) { c.Address = "2001:db8::7" }
			e.saw(e.during(9*time.Second, v6), awssim.Report{Attempts: 10, TimedOut: 10})
			e.ok(e.setAddressType(e.lb, "dualstack"))
			e.saw(e.during(9*time.Second, v6), awssim.Report{Attempts: 10, Connected: 10})
			six := e.of("six", "TCP")
			e.ok(e.register(six, e.a[0]))
			e.clock.Advance(time.Hour)
			_, err := e.elb.CreateRule(e.ctx, &elbv2.CreateRuleInput{
				ListenerArn: &e.listener, Priority: aws.Int32(1), Actions: to(six), Conditions: []types.RuleCondition{{
					Field: aws.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{IpAddressType: "ipv6"},
				}},
			})
			e.ok(err)
			e.clock.Advance(time.Hour)
			diff(e.t, 10, share(e.during(9*time.Second, v6), e.a[0]))
		}},
		"Attached": {"A client can use the listener that a test attached to a group.", healthDoc, func(b *bench) {
			b = newBench(b.t, awssim.Options{Profile: flowing()})
			arn, ids := b.used("web"), b.instances(zoneA, 1)
			b.ok(b.register(arn, ids...))
			b.clock.Advance(time.Hour)
			client := b.sim.StartClient(awssim.Client{TargetGroup: arn, Zone: zoneA})
			b.clock.Advance(9 * time.Second)
			diff(b.t, 10, client.Stop().Connected)
		}},
		"Seeded": {"A test can make the whole way without a call.", "design §8", func(b *bench) {
			b = newBench(b.t, awssim.Options{Profile: awssim.Observed}).networked()
			lb, err := b.sim.SeedLoadBalancer(awssim.LoadBalancerSeed{Name: "edge", Subnets: []string{subnetA}})
			b.ok(err)
			group, ids := b.group("web"), b.instances(zoneA, 1)
			_, err = b.sim.SeedListener(lb, "TCP", 443, group)
			b.ok(err)
			b.ok(b.sim.PutTarget(group, ids[0], 80))
			b.clock.Advance(time.Hour)
			client := b.sim.StartClient(awssim.Client{LoadBalancer: lb, Port: 443})
			b.clock.Advance(9 * time.Second)
			diff(b.t, 10, client.Stop().Connected)
			_, err = b.sim.SeedListener(lb, "TCP", 443, b.group("other"))
			if err == nil {
				b.t.Error("two listeners on a port")
			}
		}},
	})
}
