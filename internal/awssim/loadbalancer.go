package awssim

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// loadBalancer is a Network Load Balancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancer.html
type loadBalancer struct {
	place
	arn, name, scheme, vpc string
	network
	// groups are its security groups; secured says that it was created with some,
	// which decides for ever whether it can have any.
	groups  []string
	secured bool
	// enforce says whether inbound rules hold for traffic of PrivateLink.
	enforce string
	created time.Time
	// visible is when DescribeLoadBalancers finds it.
	visible time.Time
	// active is when provisioning ends; state and reason are what a test set
	// instead.
	active        time.Time
	state, reason string
	// attributes that differ from their defaults.
	attributes map[string]string
	tags       map[string]string
	capacity   capacity
	// shifted is the zone that a zonal shift takes out.
	shifted string
	// endpointZones are the zones that a VPC endpoint service uses.
	endpointZones []string
	listeners     map[string]*listener // by ARN
}

// network is where a load balancer is, and with which addresses.
type network struct {
	addressType, sourceNAT string
	zones                  []lbZone
}

// lbZone is a zone that is enabled for a load balancer.
type lbZone struct {
	mapping
	subnet *subnet
}

// mapping is a SubnetMapping as it was asked for.
type mapping struct {
	id, allocation string
	private, ipv6  netip.Addr
	sourceNAT      string
	prefix6        netip.Prefix
}

func loadBalancerActions() map[string]action {
	arn := func() map[string]shape { return map[string]shape{"LoadBalancerArn": anyText()} }
	one := []string{"LoadBalancerArn"}
	create := subnetParams()
	maps.Copy(create, map[string]shape{
		"Name": anyText(), "Type": oneOf("application", "network", "gateway"),
		"Scheme": oneOf("internet-facing", "internal"), "SecurityGroups.member.N": anyText(),
		"CustomerOwnedIpv4Pool": anyText(), "IpamPools.Ipv4IpamPoolId": anyText(),
		"Tags.member.N.Key": tagKey(), "Tags.member.N.Value": tagValue(),
	})
	subnets := subnetParams()
	subnets["LoadBalancerArn"] = anyText()
	return map[string]action{
		"CreateLoadBalancer": {bucket: intensive, params: create, required: []string{"Name"}, run: createLoadBalancer},
		"DeleteLoadBalancer": {bucket: mutating, params: arn(), required: one, run: deleteLoadBalancer},
		"DescribeLoadBalancers": {
			bucket: nonMutating,
			params: map[string]shape{
				"LoadBalancerArns.member.N": anyText(), "Names.member.N": anyText(),
				"Marker": anyText(), "PageSize": number(1, 400),
			},
			run: describeLoadBalancers,
		},
		"SetSubnets": {bucket: intensive, params: subnets, required: one, run: setSubnets},
		"SetSecurityGroups": {
			bucket: mutating,
			params: map[string]shape{
				"LoadBalancerArn": anyText(), "SecurityGroups.member.N": anyText(),
				"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": oneOf("on", "off"),
			},
			required: one, run: setSecurityGroups,
		},
		"SetIpAddressType": {
			bucket:   mutating,
			params:   map[string]shape{"LoadBalancerArn": anyText(), "IpAddressType": addressTypes()},
			required: []string{"LoadBalancerArn", "IpAddressType"}, run: setIPAddressType,
		},
	}
}

// createLoadBalancer: a repeated call with the same settings returns the load
// balancer that exists; tags are no settings (assumed, as for target groups).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
func createLoadBalancer(c *call) (any, error) {
	wanted, err := c.readLoadBalancer()
	if err != nil {
		return nil, err
	}
	w := c.world()
	for _, lb := range w.loadBalancers {
		if lb.name != wanted.name {
			continue
		}
		if !lb.sameAs(wanted) {
			return nil, refuse("DuplicateLoadBalancerName",
				"A load balancer with the same name '%s' exists, but with different settings", lb.name)
		}
		return c.loadBalancerList(lb), nil
	}
	if len(w.loadBalancers) >= c.sim.opts.Quotas.LoadBalancers {
		return nil, refuse("TooManyLoadBalancers", "The maximum number of load balancers has been reached")
	}
	if err := c.checkAddresses(wanted.zones, wanted.scheme); err != nil {
		return nil, err
	}
	id := c.sim.unique(16)
	wanted.arn = fmt.Sprintf("arn:%s:elasticloadbalancing:%s:%s:loadbalancer/net/%s/%s",
		partition(c.region), c.region, c.who.account, wanted.name, id)
	wanted.created, wanted.active = c.now, c.now.Add(c.sim.profile.Provisioning.pick(wanted.arn))
	wanted.visible = c.now.Add(c.sim.profile.LoadBalancerLag.pick(wanted.arn))
	w.loadBalancers[wanted.arn] = wanted
	for _, z := range wanted.zones {
		c.addInterface(wanted, z)
	}
	return c.loadBalancerList(wanted), nil
}

// sameAs says whether two load balancers have the same settings.
func (lb *loadBalancer) sameAs(other *loadBalancer) bool {
	asked := func(l *loadBalancer) []mapping {
		var out []mapping
		for _, z := range l.zones {
			out = append(out, z.mapping)
		}
		return out
	}
	return lb.scheme == other.scheme && lb.addressType == other.addressType && lb.sourceNAT == other.sourceNAT &&
		slices.Equal(unrepeated(lb.groups), unrepeated(other.groups)) && slices.Equal(asked(lb), asked(other))
}

// deleteLoadBalancer succeeds for a load balancer that does not exist.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html
func deleteLoadBalancer(c *call) (any, error) {
	lb, err := c.findLoadBalancer(c.str("LoadBalancerArn"))
	if err != nil || lb == nil {
		return empty{}, err
	}
	switch {
	case lb.attribute(lbDeletionProtection) == "true":
		return nil, refuse("OperationNotPermitted",
			"Load balancer '%s' cannot be deleted because deletion protection is enabled", lb.arn)
	case len(lb.endpointZones) > 0:
		return nil, refuse("ResourceInUse",
			"Load balancer '%s' cannot be deleted because it is currently associated with another service", lb.arn)
	}
	c.sim.removeLoadBalancer(lb, c.now)
	return empty{}, nil
}

// removeLoadBalancer deletes a load balancer with its listeners. Its interfaces
// linger.
func (s *Sim) removeLoadBalancer(lb *loadBalancer, now time.Time) {
	w := s.world(lb.place)
	delete(w.loadBalancers, lb.arn)
	for _, z := range lb.zones {
		s.releaseInterface(lb, z, now)
	}
	w.relink()
}

const maxLoadBalancers = 20

// describeLoadBalancers: one unknown name or ARN fails the whole call.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html
func describeLoadBalancers(c *call) (any, error) {
	names, arns := c.list("Names.member"), c.list("LoadBalancerArns.member")
	switch {
	case len(names) > 0 && len(arns) > 0:
		return nil, invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
	case len(arns) > maxLoadBalancers:
		return nil, invalid("Cannot specify more than '%d' load balancer ARNs", maxLoadBalancers)
	}
	for _, arn := range arns {
		if _, err := c.findLoadBalancer(arn); err != nil {
			return nil, err
		}
	}
	var found []*loadBalancer
	for _, lb := range c.world().loadBalancers {
		asked := len(names)+len(arns) == 0 || slices.Contains(names, lb.name) || slices.Contains(arns, lb.arn)
		if asked && !c.now.Before(lb.visible) {
			found = append(found, lb)
		}
	}
	if len(found) < len(unrepeated(names))+len(unrepeated(arns)) {
		return nil, refuse("LoadBalancerNotFound", "One or more load balancers not found")
	}
	slices.SortFunc(found, func(a, b *loadBalancer) int { return strings.Compare(a.name, b.name) })
	page, next, err := pageOf(found, func(lb *loadBalancer) string { return lb.name }, c.str("Marker"), c.num("PageSize", 400))
	if err != nil {
		return nil, err
	}
	out := c.loadBalancerList(page...)
	out.NextMarker = next
	return out, nil
}

var loadBalancerARN = regexp.MustCompile(`^arn:[a-z-]+:elasticloadbalancing:([a-z0-9-]+):(\d{12}):loadbalancer/(?:app|net|gwy)/[A-Za-z0-9-]+/[0-9a-f]{16}$`)

// findLoadBalancer returns the load balancer of an ARN, or nil if there is none.
func (c *call) findLoadBalancer(arn string) (*loadBalancer, error) {
	if err := c.own(loadBalancerARN, arn, "load balancer"); err != nil {
		return nil, err
	}
	return c.world().loadBalancers[arn], nil
}

// loadBalancer returns the load balancer that the call names.
func (c *call) loadBalancer() (*loadBalancer, error) {
	arn := c.str("LoadBalancerArn")
	lb, err := c.findLoadBalancer(arn)
	if err == nil && lb == nil {
		return nil, refuse("LoadBalancerNotFound", "Load balancer '%s' not found", arn)
	}
	return lb, err
}

// enabled are the names of the load balancer's zones.
func (lb *loadBalancer) enabled() []string {
	var out []string
	for _, z := range lb.zones {
		out = append(out, z.subnet.zone)
	}
	return out
}

// changeable returns the load balancer that the call names, unless it cannot be
// changed yet.
func (c *call) changeable() (*loadBalancer, error) {
	lb, err := c.loadBalancer()
	if err != nil {
		return nil, err
	}
	if state, _ := lb.stateAt(c.now); state == "provisioning" && c.sim.profile.LockedWhileProvisioning {
		return nil, misconfigured("Load balancer '%s' cannot be modified while it is in the state '%s'", lb.arn, state)
	}
	return lb, nil
}

// stateAt is the load balancer's state and the reason for it.
func (lb *loadBalancer) stateAt(now time.Time) (code, reason string) {
	switch {
	case lb.state != "":
		return lb.state, lb.reason
	case now.Before(lb.active):
		return "provisioning", ""
	}
	return "active", ""
}
