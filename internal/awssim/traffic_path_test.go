package awssim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const zonalShift = "network/zonal-shift.html"

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
