package awssim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	groupsDoc = "network/load-balancer-security-groups.html"
	users     = "198.51.100.7"
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
			diff(e.t, []string{e.a[0] + ":80 unhealthy Target.FailedHealthChecks"}, e.health(e.group))
		}},
		"NodesClosed": {"Inbound rules of targets hold for health checks.", "network/target-group-register-targets.html#target-security-groups", func(b *bench) {
			e, front, nodes := b.walled()
			e.ingress(front, 80, "0.0.0.0/0")
			e.ingress(nodes, 80, "0.0.0.0/0")
			e.clock.Advance(time.Hour)
			diff(e.t, []string{e.a[0] + ":80 unhealthy Target.FailedHealthChecks"}, e.health(e.group))
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
