package awssim

import (
	"maps"
	"math"
	"slices"
)

// Quotas are limits that AWS puts on an account, with the defaults of
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html
type Quotas struct {
	// TargetGroups per region: 3,000.
	TargetGroups int
	// TargetsPerGroup for target types instance and ip: 1,000.
	TargetsPerGroup int
	// TargetsPerZone per load balancer and zone, or per load balancer when
	// cross-zone load balancing is on: 500.
	TargetsPerZone int
	// TargetsPerLoadBalancer: 3,000.
	TargetsPerLoadBalancer int
	// LoadBalancers per region: 50.
	LoadBalancers int
	// ListenersPerLoadBalancer: 50.
	ListenersPerLoadBalancer int
	// CertificatesPerLoadBalancer, default certificates included: 25.
	CertificatesPerLoadBalancer int
	// RulesPerLoadBalancer, default rules not counted: 100 (assumed).
	RulesPerLoadBalancer int
	// InterfacesPerVPC of Network Load Balancers: 1,200.
	InterfacesPerVPC int
	// CapacityUnits that can be reserved for a load balancer: no limit. AWS grants
	// them on request only (facts/aws.md §1.3).
	CapacityUnits int
	// GroupsPerLoadBalancer is how many target groups its listeners and rules can
	// forward to: no limit, since the page has none for Network Load Balancers.
	GroupsPerLoadBalancer int
	// RegistrationsPerTarget of a load balancer, over its groups and ports: no limit,
	// likewise.
	RegistrationsPerTarget int
	// SecurityGroups per region: 2,500. SecurityGroupRules per group, direction
	// and address family: 60. SecurityGroupsPerInterface: 5, at most 16. The product
	// of the last two must not exceed 1,000.
	// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
	SecurityGroups, SecurityGroupRules, SecurityGroupsPerInterface int
}

func (q Quotas) withDefaults() Quotas {
	or := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	or(&q.TargetGroups, 3000)
	or(&q.TargetsPerGroup, 1000)
	or(&q.TargetsPerZone, 500)
	or(&q.TargetsPerLoadBalancer, 3000)
	or(&q.LoadBalancers, 50)
	or(&q.ListenersPerLoadBalancer, 50)
	or(&q.CertificatesPerLoadBalancer, 25)
	or(&q.RulesPerLoadBalancer, 100)
	or(&q.InterfacesPerVPC, 1200)
	or(&q.CapacityUnits, math.MaxInt)
	or(&q.SecurityGroups, 2500)
	or(&q.SecurityGroupRules, 60)
	or(&q.SecurityGroupsPerInterface, 5)
	or(&q.GroupsPerLoadBalancer, math.MaxInt)
	or(&q.RegistrationsPerTarget, math.MaxInt)
	if q.SecurityGroupsPerInterface > 16 || q.SecurityGroupRules*q.SecurityGroupsPerInterface > 1000 {
		panic("awssim: AWS grants no such quotas of security groups per interface and rules per group")
	}
	return q
}

// checkQuotas counts what would be registered, draining targets included
// (assumed): per group, and per load balancer and zone over all its groups.
func (c *call) checkQuotas(g *targetGroup, wanted []description) error {
	fresh := map[Key]string{}
	for _, d := range wanted {
		if t := g.targets[d.Key]; t == nil || t.phase == gone {
			fresh[d.Key] = d.zone
		}
	}
	limit := c.sim.opts.Quotas.TargetsPerGroup
	if len(fresh)+g.count() > limit {
		return refuse("TooManyTargets", "The maximum number of targets per target group is %d", limit)
	}
	if len(g.uses()) == 0 {
		return nil
	}
	if err := c.checkRegistrations(g, fresh); err != nil {
		return err
	}
	return c.checkLoadBalancerQuotas(g, slices.Collect(maps.Values(fresh)))
}

// checkRegistrations counts how often each target would be registered with the
// load balancer: every port and every group counts.
func (c *call) checkRegistrations(g *targetGroup, fresh map[Key]string) error {
	times := map[string]int{}
	for k := range fresh {
		times[k.ID]++
	}
	for _, other := range c.world().groups {
		if !slices.Equal(other.loadBalancers(), g.loadBalancers()) {
			continue
		}
		for _, t := range other.targets {
			if times[t.ID] > 0 && t.phase != gone {
				times[t.ID]++
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(times)) {
		if limit := c.sim.opts.Quotas.RegistrationsPerTarget; times[id] > limit {
			return refuse("TooManyRegistrationsForTargetId", "The maximum number of times that target '%s' can be registered is %d", id, limit)
		}
	}
	return nil
}

// count is how many targets the group has.
func (g *targetGroup) count() int {
	n := 0
	for _, t := range g.targets {
		if t.phase != gone {
			n++
		}
	}
	return n
}

// checkLoadBalancerQuotas counts the targets of all groups of the load balancer
// that uses the group, with new ones in the given zones. With cross-zone load
// balancing the quota of a zone is that of the load balancer.
func (c *call) checkLoadBalancerQuotas(g *targetGroup, zones []string) error {
	q := c.sim.opts.Quotas
	total, perZone := len(zones), map[string]int{}
	cross := g.crossZone()
	bound := func(zone string) string {
		if cross {
			return ""
		}
		return zone
	}
	for _, other := range c.world().groups {
		if !slices.Equal(other.loadBalancers(), g.loadBalancers()) {
			continue
		}
		for _, t := range other.targets {
			if t.phase != gone {
				total++
				perZone[bound(t.zone)]++
			}
		}
	}
	if len(zones) > 0 && total > q.TargetsPerLoadBalancer {
		return refuse("TooManyTargets", "The maximum number of targets per load balancer is %d", q.TargetsPerLoadBalancer)
	}
	for _, zone := range zones {
		perZone[bound(zone)]++
		if perZone[bound(zone)] > q.TargetsPerZone {
			return refuse("TooManyTargets", "The maximum number of targets per Availability Zone per load balancer is %d", q.TargetsPerZone)
		}
	}
	return nil
}

// checkAssociated counts the targets that a load balancer would have with groups
// that are new to it.
func (c *call) checkAssociated(lb *loadBalancer, groups []*targetGroup) error {
	var fresh []*targetGroup
	for _, g := range groups {
		if !slices.Contains(g.loadBalancers(), lb.arn) {
			fresh = append(fresh, g)
		}
	}
	q, total, perZone, used := c.sim.opts.Quotas, 0, map[string]int{}, len(fresh)
	for _, g := range c.world().groups {
		if slices.Contains(g.loadBalancers(), lb.arn) {
			used++
		}
	}
	if len(fresh) > 0 && used > q.GroupsPerLoadBalancer {
		return refuse("TooManyUniqueTargetGroupsPerLoadBalancer",
			"The maximum number of unique target groups per load balancer is %d", q.GroupsPerLoadBalancer)
	}
	for _, g := range c.world().groups {
		if !slices.Contains(g.loadBalancers(), lb.arn) && !slices.Contains(fresh, g) {
			continue
		}
		for _, t := range g.targets {
			if t.phase == gone {
				continue
			}
			zone := t.zone
			if lb.attribute(lbCrossZone) == "true" {
				zone = ""
			}
			total++
			perZone[zone]++
			if len(fresh) > 0 && (total > q.TargetsPerLoadBalancer || perZone[zone] > q.TargetsPerZone) {
				return refuse("TooManyTargets", "The maximum number of targets of load balancer '%s' has been reached", lb.arn)
			}
		}
	}
	return nil
}
