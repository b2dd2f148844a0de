package awssim

import (
	"slices"
	"strconv"
	"strings"
)

// Actions on an account, and those that exist for other load balancers only.
func accountActions() map[string]action {
	return map[string]action{
		"DescribeAccountLimits": {
			bucket: nonMutating, params: map[string]shape{"Marker": anyText(), "PageSize": number(1, 400)}, run: describeLimits,
		},
		"ModifyIpPools": {
			bucket: mutating,
			params: map[string]shape{
				"LoadBalancerArn": anyText(), "IpamPools.Ipv4IpamPoolId": anyText(), "RemoveIpamPools.member.N": oneOf("ipv4"),
			},
			required: []string{"LoadBalancerArn"}, run: modifyPools,
		},
		"GetResourcePolicy": {
			bucket: nonMutating, params: map[string]shape{"ResourceArn": anyText()}, required: []string{"ResourceArn"}, run: resourcePolicy,
		},
	}
}

type xmlLimit struct{ Name, Max string }

// describeLimits lists the limits that concern Network Load Balancers.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Limit.html
func describeLimits(c *call) (any, error) {
	q := c.sim.opts.Quotas
	var all []xmlLimit
	for name, n := range map[string]int{
		"network-load-balancers": q.LoadBalancers, "target-groups": q.TargetGroups,
		"listeners-per-network-load-balancer": q.ListenersPerLoadBalancer, "targets-per-network-load-balancer": q.TargetsPerLoadBalancer,
		"targets-per-availability-zone-per-network-load-balancer": q.TargetsPerZone,
		"target-groups-per-action-on-network-load-balancer":       maxForwards,
	} {
		all = append(all, xmlLimit{name, strconv.Itoa(n)})
	}
	name := func(l xmlLimit) string { return l.Name }
	slices.SortFunc(all, func(a, b xmlLimit) int { return strings.Compare(a.Name, b.Name) })
	page, next, err := pageOf(all, name, c.str("Marker"), c.num("PageSize", 400))
	if err != nil {
		return nil, err
	}
	return struct {
		Limits     members[xmlLimit]
		NextMarker string `xml:",omitempty"`
	}{members[xmlLimit]{page}, next}, nil
}

// modifyPools: pools of IPAM are for Application Load Balancers.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyIpPools.html
func modifyPools(c *call) (any, error) {
	if _, err := c.loadBalancer(); err != nil {
		return nil, err
	}
	return nil, misconfigured("IPAM pools are not supported for load balancers with type 'network'")
}

// resourcePolicy: nothing here has one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_GetResourcePolicy.html
func resourcePolicy(c *call) (any, error) {
	return nil, refuse("ResourceNotFound", "The resource '%s' has no policy", c.str("ResourceArn"))
}
