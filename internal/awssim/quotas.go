package awssim

import (
	"maps"
	"slices"
)

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
	return c.checkLoadBalancerQuotas(g, slices.Collect(maps.Values(fresh)))
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
	q, total, perZone := c.sim.opts.Quotas, 0, map[string]int{}
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
