package stack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// EC2In is a client of our own. Its calls are not the provider's.
func (s *Stack) EC2In(region string) *ec2.Client { return ec2.NewFromConfig(s.Sim.Config(region)) }

// Inventory asks AWS for all load balancers, listeners, target groups, security
// groups and their rules in a region. Each is a line for people, with names instead
// of ids, sorted:
//
//	listener edge-proxy TCP 443: forwards to edge-proxy-https
func (s *Stack) Inventory(ctx context.Context, region string) ([]string, error) {
	i := inventory{elb: s.ELBv2In(region), ec2: s.EC2In(region), names: map[string]string{}}
	// In this order: what refers to something comes after it.
	for _, read := range []func(context.Context) error{i.securityGroups, i.rules, i.targetGroups, i.loadBalancers} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	slices.Sort(i.lines)
	return i.lines, nil
}

type inventory struct {
	elb *elbv2.Client
	ec2 *ec2.Client
	// names by id or ARN.
	names map[string]string
	lines []string
}

func (i *inventory) add(format string, a ...any) {
	i.lines = append(i.lines, fmt.Sprintf(format, a...))
}

func (i *inventory) name(id string) string {
	if name, known := i.names[id]; known {
		return name
	}
	return id
}

func (i *inventory) securityGroups(ctx context.Context) error {
	for pages := ec2.NewDescribeSecurityGroupsPaginator(i.ec2, &ec2.DescribeSecurityGroupsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, g := range page.SecurityGroups {
			i.names[awssdk.ToString(g.GroupId)] = awssdk.ToString(g.GroupName)
			i.add("security group %s%s", awssdk.ToString(g.GroupName), tagged(g.Tags))
		}
	}
	return nil
}

// tagged are the tags that neither Crossplane nor this provider sets by itself.
func tagged(tags []ec2types.Tag) string {
	var out []string
	for _, t := range tags {
		if k := awssdk.ToString(t.Key); !strings.HasPrefix(k, "crossplane-") && !strings.HasPrefix(k, "nlb.crossplane.io/") {
			out = append(out, fmt.Sprintf(", %s=%s", k, awssdk.ToString(t.Value)))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

func (i *inventory) rules(ctx context.Context) error {
	for pages := ec2.NewDescribeSecurityGroupRulesPaginator(i.ec2, &ec2.DescribeSecurityGroupRulesInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.SecurityGroupRules {
			i.add("rule of %s: %s", i.name(awssdk.ToString(r.GroupId)), i.rule(r))
		}
	}
	return nil
}

// rule is "from 0.0.0.0/0 to tcp 443".
func (i *inventory) rule(r ec2types.SecurityGroupRule) string {
	peer := awssdk.ToString(r.CidrIpv4) + awssdk.ToString(r.CidrIpv6) + awssdk.ToString(r.PrefixListId)
	if g := r.ReferencedGroupInfo; g != nil {
		peer = i.name(awssdk.ToString(g.GroupId))
	}
	port := "all"
	if p := awssdk.ToString(r.IpProtocol); p != "-1" {
		port = fmt.Sprintf("%s %d", p, awssdk.ToInt32(r.FromPort))
		if awssdk.ToInt32(r.ToPort) != awssdk.ToInt32(r.FromPort) {
			port += fmt.Sprintf("-%d", awssdk.ToInt32(r.ToPort))
		}
	}
	if awssdk.ToBool(r.IsEgress) {
		return fmt.Sprintf("out, to %s, %s", peer, port)
	}
	return fmt.Sprintf("in, from %s, %s", peer, port)
}

func (i *inventory) targetGroups(ctx context.Context) error {
	for pages := elbv2.NewDescribeTargetGroupsPaginator(i.elb, &elbv2.DescribeTargetGroupsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, g := range page.TargetGroups {
			i.names[awssdk.ToString(g.TargetGroupArn)] = awssdk.ToString(g.TargetGroupName)
			i.add("target group %s: %s %d, health %s %s%s", awssdk.ToString(g.TargetGroupName), g.Protocol, awssdk.ToInt32(g.Port),
				g.HealthCheckProtocol, awssdk.ToString(g.HealthCheckPort), awssdk.ToString(g.HealthCheckPath))
		}
	}
	return nil
}

func (i *inventory) loadBalancers(ctx context.Context) error {
	for pages := elbv2.NewDescribeLoadBalancersPaginator(i.elb, &elbv2.DescribeLoadBalancersInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, lb := range page.LoadBalancers {
			name := awssdk.ToString(lb.LoadBalancerName)
			var zones, groups []string
			for _, z := range lb.AvailabilityZones {
				zones = append(zones, awssdk.ToString(z.ZoneName))
			}
			for _, g := range lb.SecurityGroups {
				groups = append(groups, i.name(g))
			}
			slices.Sort(zones)
			cross, err := i.crossZone(ctx, lb.LoadBalancerArn)
			if err != nil {
				return err
			}
			i.add("load balancer %s: %s, %s, in %s, cross-zone %s, security group %s",
				name, lb.State.Code, lb.Scheme, strings.Join(zones, " "), cross, strings.Join(groups, " "))
			if err := i.listeners(ctx, name, lb.LoadBalancerArn); err != nil {
				return err
			}
		}
	}
	return nil
}

func (i *inventory) crossZone(ctx context.Context, arn *string) (string, error) {
	out, err := i.elb.DescribeLoadBalancerAttributes(ctx, &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: arn})
	if err != nil {
		return "", err
	}
	for _, a := range out.Attributes {
		if awssdk.ToString(a.Key) == "load_balancing.cross_zone.enabled" {
			return awssdk.ToString(a.Value), nil
		}
	}
	return "unknown", nil
}

func (i *inventory) listeners(ctx context.Context, balancer string, arn *string) error {
	for pages := elbv2.NewDescribeListenersPaginator(i.elb, &elbv2.DescribeListenersInput{LoadBalancerArn: arn}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, l := range page.Listeners {
			i.add("listener %s %s %d: forwards to %s", balancer, l.Protocol, awssdk.ToInt32(l.Port), i.forward(l.DefaultActions))
		}
	}
	return nil
}

func (i *inventory) forward(actions []types.Action) string {
	var groups []string
	for _, a := range actions {
		switch {
		case a.ForwardConfig != nil:
			for _, g := range a.ForwardConfig.TargetGroups {
				groups = append(groups, i.name(awssdk.ToString(g.TargetGroupArn)))
			}
		default:
			groups = append(groups, i.name(awssdk.ToString(a.TargetGroupArn)))
		}
	}
	return strings.Join(groups, " ")
}
