package awssim

import (
	"maps"
	"net/netip"
	"slices"
)

// setSubnets replaces all subnets. A zone keeps its subnet and its addresses;
// the way to change them is to remove the zone and to add it again.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSubnets.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/availability-zones.html
func setSubnets(c *call) (any, error) {
	lb, err := c.changeable()
	if err != nil {
		return nil, err
	}
	if lb.capacity.pending(c.now) {
		return nil, refuse("CapacityReservationPending", "There is a pending capacity reservation for load balancer '%s'", lb.arn)
	}
	after := lb.network
	if err := c.readNetwork(lb, &after); err != nil {
		return nil, err
	}
	if err := c.checkNetwork(lb, after); err != nil {
		return nil, err
	}
	added, removed, err := lb.compare(after)
	if err != nil {
		return nil, err
	}
	if err := c.checkListeners(lb, after); err != nil {
		return nil, err
	}
	if err := c.checkAddresses(added, lb.scheme); err != nil {
		return nil, err
	}
	lb.network = after
	for _, z := range removed {
		c.sim.releaseInterface(lb, z, c.now)
	}
	for _, z := range added {
		c.addInterface(lb, z)
	}
	c.world().relink()
	return struct {
		AvailabilityZones members[xmlZone]
		AddressType       string `xml:"IpAddressType"`
		SourceNAT         string `xml:"EnablePrefixForIpv6SourceNat,omitempty"`
	}{c.zoneList(lb.zones), lb.addressType, lb.sourceNAT}, nil
}

// compare tells which zones come and go. The message on subnets is quoted in
// aws-load-balancer-controller#4171.
func (lb *loadBalancer) compare(n network) (added, removed []lbZone, err error) {
	after := n.zones
	for _, z := range after {
		i := slices.IndexFunc(lb.zones, func(o lbZone) bool { return o.subnet.zone == z.subnet.zone })
		switch {
		case i < 0:
			added = append(added, z)
		case lb.zones[i].subnet != z.subnet:
			return nil, nil, misconfigured("You cannot specify an additional subnet from an Availability Zone that is already"+
				" associated with an existing subnet for the load balancer: '%s'", z.subnet.zone)
		case lb.zones[i].allocation != z.allocation, lb.zones[i].private != z.private,
			n.addressType == "dualstack" && lb.zones[i].ipv6.IsValid() && lb.zones[i].ipv6 != z.ipv6:
			return nil, nil, misconfigured("You cannot change the addresses of the enabled Availability Zone '%s'", z.subnet.zone)
		}
	}
	for _, z := range lb.zones {
		switch {
		case slices.ContainsFunc(after, func(o lbZone) bool { return o.subnet == z.subnet }):
		case slices.Contains(lb.endpointZones, z.subnet.zone):
			return nil, nil, misconfigured("The subnet '%s' cannot be removed because its Availability Zone is used by a VPC endpoint service", z.id)
		default:
			removed = append(removed, z)
		}
	}
	return added, removed, nil
}

// setSecurityGroups is refused for a load balancer that was created without any,
// in words that kubernetes-sigs/cluster-api-provider-aws#4790 quotes.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSecurityGroups.html
func setSecurityGroups(c *call) (any, error) {
	lb, err := c.changeable()
	if err != nil {
		return nil, err
	}
	groups := c.list("SecurityGroups.member")
	switch {
	case !lb.secured:
		return nil, misconfigured("You cannot set security groups on a Network Load Balancer which was created without any security groups.")
	case len(groups) == 0 && !c.has("SecurityGroups"):
		return nil, missing(c.service, "SecurityGroups")
	case len(groups) == 0:
		return nil, misconfigured("You cannot remove all security groups from a Network Load Balancer which was created with security groups.")
	}
	if err := c.checkGroups(groups, lb.vpc); err != nil {
		return nil, err
	}
	lb.groups = groups
	lb.enforce = or(c.str("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"), lb.enforce)
	for _, i := range c.world().interfaces {
		if i.owner == lb.arn && i.until.IsZero() {
			i.groups = groups
		}
	}
	return struct {
		IDs     members[string] `xml:"SecurityGroupIds"`
		Enforce string          `xml:"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"`
	}{members[string]{groups}, lb.enforce}, nil
}

// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetIpAddressType.html
func setIPAddressType(c *call) (any, error) {
	lb, err := c.changeable()
	if err != nil {
		return nil, err
	}
	after := lb.network
	after.addressType = c.str("IpAddressType")
	switch after.addressType {
	case "dualstack":
		after.sourceNAT = or(after.sourceNAT, "off")
	case "ipv4":
		if after.sourceNAT == "off" {
			after.sourceNAT = ""
		}
		after.zones = slices.Clone(after.zones)
		for i := range after.zones {
			after.zones[i].ipv6 = netip.Addr{}
		}
	default:
		return nil, misconfigured("The IP address type '%s' is not supported for load balancers with type 'network'", after.addressType)
	}
	if err := c.checkNetwork(lb, after); err != nil {
		return nil, err
	}
	if err := c.checkListeners(lb, after); err != nil {
		return nil, err
	}
	lb.network = after
	return struct {
		AddressType string `xml:"IpAddressType"`
	}{lb.addressType}, nil
}

// checkListeners applies what listeners ask of a load balancer's network to what
// it would be.
func (c *call) checkListeners(lb *loadBalancer, after network) error {
	for _, arn := range slices.Sorted(maps.Keys(lb.listeners)) {
		if err := c.checkAgainst(after, lb.listeners[arn]); err != nil {
			return err
		}
	}
	return nil
}
