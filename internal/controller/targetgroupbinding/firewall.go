package targetgroupbinding

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// firewall says what to allow where no health check may get through: a security group
// or a network ACL drops them. It reads the group and its load
// balancer as they were read last, and says less where they cannot be read.
func (e *external) firewall(ctx context.Context, b Binding) string {
	arn := b.ObservedState().AtProvider.TargetGroupARN
	found := e.found
	if found.ARN == "" {
		var err error
		if found, err = e.describe(ctx, arn, e.options.PollAges(b)); err != nil {
			found = foundGroup{Group: targets.Group{ARN: arn}}
		}
	}
	from := prober{}
	for _, lb := range found.loadBalancers {
		got, err := e.access.Read.LoadBalancer(ctx, lb, e.options.PollAges(b).Settings)
		if err != nil {
			continue
		}
		from.loadBalancer = awssdk.ToString(got.LoadBalancerName)
		from.securityGroups = got.SecurityGroups
		for _, z := range got.AvailabilityZones {
			from.subnets = append(from.subnets, awssdk.ToString(z.SubnetId))
		}
	}
	return toAllow(found.Group, b.ObservedState().AtProvider.Ports, from)
}

// A prober is where health checks come from, as far as it is known.
type prober struct {
	loadBalancer   string
	securityGroups []string
	subnets        []string
}

func (s prober) String() string {
	name := "the load balancer"
	if s.loadBalancer != "" {
		name += " " + s.loadBalancer
	}
	slices.Sort(s.securityGroups)
	slices.Sort(s.subnets)
	switch {
	case len(s.securityGroups) > 0:
		return fmt.Sprintf("from the security group of %s (%s)", name, strings.Join(s.securityGroups, ", "))
	case len(s.subnets) > 0:
		return fmt.Sprintf("from the addresses of %s, which has no security group, in its subnets (%s)", name, strings.Join(s.subnets, ", "))
	}
	return "from the security group of the load balancer, or from its subnets if it has none"
}

// toAllow is what the security groups of the nodes and the network ACLs of the subnets
// have to allow for the health checks of a group. Health checks are TCP for every
// protocol.
func toAllow(g targets.Group, ports []int32, from prober) string {
	port := g.Check.Port
	if cmp.Or(port, trafficPort) == trafficPort {
		numbers := make([]string, 0, len(ports))
		for _, p := range ports {
			numbers = append(numbers, fmt.Sprint(p))
		}
		port = cmp.Or(strings.Join(numbers, ", "), "the traffic port")
	}
	text := fmt.Sprintf("a security group of the nodes or a network ACL drops the checks of target group %s; allow TCP %s %s, in the nodes' security groups and the network ACLs of the subnets", g.ARN, port, from)
	if len(from.securityGroups) > 0 {
		text += ", and the same outbound in the load balancer's security group"
	}
	return text
}
