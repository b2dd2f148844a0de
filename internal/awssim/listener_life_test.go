package awssim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func TestListenerRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"Normalised": {"A single target group is shown on its own and as a forward configuration.", forwards, func(b *bench) {
			lb, group := b.networked().lb(nil), b.group("web")
			l, err := b.listen(lb, "TCP", 80, to(group), nil)
			b.ok(err)
			diff(b.t, types.Listener{
				ListenerArn: l.ListenerArn, LoadBalancerArn: &lb, Protocol: "TCP", Port: aws.Int32(80),
				DefaultActions: []types.Action{{
					Type: "forward", TargetGroupArn: &group, Order: aws.Int32(1), ForwardConfig: &types.ForwardActionConfig{
						TargetGroups:                []types.TargetGroupTuple{{TargetGroupArn: &group, Weight: aws.Int32(1)}},
						TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: aws.Bool(false)},
					},
				}},
			}, l)
			if !strings.HasPrefix(*l.ListenerArn, strings.Replace(lb, ":loadbalancer/", ":listener/", 1)+"/") {
				b.t.Errorf("ARN %s", *l.ListenerArn)
			}
		}},
		"TwiceSame": {"A create with the same settings succeeds and makes nothing new.", createListenerDoc, func(b *bench) {
			lb, group := b.networked().lb(nil), b.group("web")
			diff(b.t, b.tcp(lb, group), b.tcp(lb, group))
		}},
		"Duplicate": {"One listener per port, whatever the protocol.", "hashicorp/terraform#26407", func(b *bench) {
			lb := b.networked().lb(nil)
			b.tcp(lb, b.group("web"))
			_, err := b.listen(lb, "UDP", 80, to(b.of("udp", "UDP")), nil)
			b.refused(err, "DuplicateListener")
		}},
		"Quota": {"A load balancer has 50 listeners.", "network/load-balancer-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{ListenersPerLoadBalancer: 1}}).networked()
			lb, group := b.lb(nil), b.group("web")
			b.tcp(lb, group)
			_, err := b.listen(lb, "TCP", 81, to(group), nil)
			b.refused(err, "TooManyListeners")
		}},
		"GroupInUse": {"A group that a listener uses is not deleted.", "APIReference/API_DeleteTargetGroup.html", func(b *bench) {
			group := b.networked().group("web")
			arn := b.tcp(b.lb(nil), group)
			b.refused(b.deleteGroup(group), "ResourceInUse")
			_, err := b.elb.DeleteListener(b.ctx, &elbv2.DeleteListenerInput{ListenerArn: &arn})
			b.ok(err)
			b.ok(b.deleteGroup(group))
		}},
		"GroupOfModified": {"A group that a listener no longer uses can be deleted.", modifyListenerDoc, func(b *bench) {
			one, two := b.networked().group("one"), b.group("two")
			arn := b.tcp(b.lb(nil), one)
			_, err := b.modify(arn, func(i *elbv2.ModifyListenerInput) { i.DefaultActions = to(two) })
			b.ok(err)
			b.ok(b.deleteGroup(one))
			b.refused(b.deleteGroup(two), "ResourceInUse")
		}},
		"GroupOfDeleted": {"A load balancer takes its listeners with it.", "APIReference/API_DeleteLoadBalancer.html", func(b *bench) {
			lb, group := b.networked().lb(nil), b.group("web")
			arn := b.tcp(lb, group)
			b.ok(b.deleteLB(lb))
			b.ok(b.deleteGroup(group))
			_, err := b.elb.DescribeListeners(b.ctx, &elbv2.DescribeListenersInput{ListenerArns: []string{arn}})
			b.refused(err, "ListenerNotFound")
		}},
		"OneLoadBalancer": {"A group is used by one load balancer.", "APIReference/API_TargetGroup.html", func(b *bench) {
			group := b.networked().group("web")
			b.tcp(b.lb(nil), group)
			_, err := b.listen(b.lb(func(i *createLB) { i.Name = aws.String("other") }), "TCP", 80, to(group), nil)
			b.refused(err, "TargetGroupAssociationLimit")
		}},
		"OtherVPC": {"A group is in the VPC of its load balancer.", "facts/aws.md §1.5", func(b *bench) {
			lb := b.networked().lb(nil)
			group, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Name: "web", Protocol: "TCP", Port: 80, VPC: "vpc-0aaaaaaaaaaaaaaa0"})
			b.ok(err)
			_, err = b.listen(lb, "TCP", 80, to(group), nil)
			b.refused(err, "InvalidConfigurationRequest")
		}},
		"Health": {"Targets are in use by listener and enabled zone.", healthDoc, func(b *bench) {
			lb, group := b.networked().lb(nil), b.group("web")
			a, other := b.instances(zoneA, 1)[0], b.instances(zoneB, 1)[0]
			b.ok(b.register(group, a, other))
			diff(b.t, []string{a + ":80 unused Target.NotInUse", other + ":80 unused Target.NotInUse"}, b.health(group))
			b.tcp(lb, group)
			diff(b.t, []string{a + ":80 initial Elb.RegistrationInProgress", other + ":80 unused Target.NotInUse"}, b.health(group))
			b.ok(b.setSubnets(lb, subnetB))
			diff(b.t, []string{a + ":80 unused Target.NotInUse", other + ":80 initial Elb.RegistrationInProgress"}, b.health(group))
		}},
		"TargetsQuota": {"The targets of a new group count for the load balancer.", "network/load-balancer-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{TargetsPerZone: 1}}).networked()
			lb, group := b.lb(nil), b.group("web")
			b.ok(b.register(group, b.instances(zoneA, 2)...))
			_, err := b.listen(lb, "TCP", 80, to(group), nil)
			b.refused(err, "TooManyTargets")
		}},
		"CrossZoneOfLoadBalancer": {"Groups follow the load balancer's cross-zone attribute.", "network/load-balancer-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{TargetsPerZone: 1}}).networked()
			lb, group := b.lb(nil), b.group("web")
			b.tcp(lb, group)
			b.ok(b.register(group, b.instances(zoneA, 1)...))
			b.ok(b.setLB(lb, "load_balancing.cross_zone.enabled", "true"))
			b.refused(b.register(group, b.instances(zoneB, 1)...), "TooManyTargets")
		}},
		"Pages": {"Listeners come in pages, of a load balancer or by ARN.", "APIReference/API_DescribeListeners.html", func(b *bench) {
			lb, group := b.networked().lb(nil), b.group("web")
			for port := range int32(3) {
				_, err := b.listen(lb, "TCP", 80+port, to(group), nil)
				b.ok(err)
			}
			var pages []int
			p := elbv2.NewDescribeListenersPaginator(b.elb, &elbv2.DescribeListenersInput{LoadBalancerArn: &lb, PageSize: aws.Int32(2)})
			for p.HasMorePages() {
				out, err := p.NextPage(b.ctx)
				b.ok(err)
				pages = append(pages, len(out.Listeners))
			}
			diff(b.t, []int{2, 1}, pages)
			_, err := b.elb.DescribeListeners(b.ctx, &elbv2.DescribeListenersInput{})
			b.refused(err, "ValidationError")
		}},
		"Fresh": {"A new listener may not be found at first.", "facts/aws.md §1.10, 2", func(b *bench) {
			slow := steady
			slow.ListenerLag = awssim.Span{Min: time.Second, Max: time.Second}
			b = newBench(b.t, awssim.Options{Profile: slow}).networked()
			arn := b.tcp(b.lb(nil), b.group("web"))
			b.refused(b.idle(arn, "100"), "ListenerNotFound")
			b.clock.Advance(time.Second)
			b.ok(b.idle(arn, "100"))
		}},
		"DeleteAbsent": {"A listener that does not exist is not found.", "APIReference/API_DeleteListener.html", func(b *bench) {
			arn := b.tcp(b.networked().lb(nil), b.group("web"))
			b.sim.DeleteListener(arn)
			_, err := b.elb.DeleteListener(b.ctx, &elbv2.DeleteListenerInput{ListenerArn: &arn})
			b.refused(err, "ListenerNotFound")
		}},
		"Tags": {"Listeners have tags.", "APIReference/API_AddTags.html", func(b *bench) {
			l, err := b.listen(b.networked().lb(nil), "TCP", 80, to(b.group("web")), func(i *createListener) {
				i.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
			})
			b.ok(err)
			out, err := b.elb.DescribeTags(b.ctx, &elbv2.DescribeTagsInput{ResourceArns: []string{*l.ListenerArn}})
			b.ok(err)
			diff(b.t, []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}, out.TagDescriptions[0].Tags)
		}},
	})
}

func (b *bench) idle(arn, value string) error {
	_, err := b.elb.ModifyListenerAttributes(b.ctx, &elbv2.ModifyListenerAttributesInput{
		ListenerArn: &arn, Attributes: []types.ListenerAttribute{{Key: aws.String("tcp.idle_timeout.seconds"), Value: &value}},
	})
	return err
}
