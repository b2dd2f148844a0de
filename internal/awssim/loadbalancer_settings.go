package awssim

import (
	"net/netip"
	"slices"
	"strings"
)

// The rules of CreateLoadBalancer and SetSubnets for Network Load Balancers:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSubnets.html

// minFree is how many addresses a subnet of an internet-facing load balancer
// must have free; the message is quoted in aws-load-balancer-controller#1233.
const minFree = 8

const autoAssigned = "auto_assigned"

func addressTypes() shape { return oneOf("ipv4", "dualstack", "dualstack-without-public-ipv4") }

func subnetParams() map[string]shape {
	return map[string]shape{
		"Subnets.member.N": anyText(), "SubnetMappings.member.N.SubnetId": anyText(),
		"SubnetMappings.member.N.AllocationId": anyText(), "SubnetMappings.member.N.PrivateIPv4Address": anyText(),
		"SubnetMappings.member.N.IPv6Address": anyText(), "SubnetMappings.member.N.SourceNatIpv6Prefix": anyText(),
		"IpAddressType": addressTypes(), "EnablePrefixForIpv6SourceNat": oneOf("on", "off"),
	}
}

func (c *call) readLoadBalancer() (*loadBalancer, error) {
	lb := &loadBalancer{
		place: c.world().place, name: c.str("Name"), scheme: or(c.str("Scheme"), "internet-facing"),
		groups: c.list("SecurityGroups.member"), attributes: map[string]string{}, listeners: map[string]*listener{},
	}
	lb.addressType = "ipv4"
	switch kind := or(c.str("Type"), "application"); {
	case kind != "network":
		return nil, invalid("Load balancers of type '%s' are not simulated: only 'network' is", kind)
	case strings.HasPrefix(lb.name, "internal-"):
		return nil, invalid("Load balancer name '%s' cannot begin with 'internal-'", lb.name)
	case c.has("CustomerOwnedIpv4Pool"):
		return nil, misconfigured("Customer-owned address pools are not supported for load balancers with type 'network'")
	case c.has("IpamPools.Ipv4IpamPoolId"):
		return nil, misconfigured("IPAM pools are not supported for load balancers with type 'network'")
	}
	if err := checkName("Load balancer name", lb.name); err != nil {
		return nil, err
	}
	if err := c.readNetwork(lb, &lb.network); err != nil {
		return nil, err
	}
	lb.vpc = lb.zones[0].subnet.vpc
	if err := c.checkNetwork(lb, lb.network); err != nil {
		return nil, err
	}
	if err := c.checkGroups(lb.groups, lb.vpc); err != nil {
		return nil, err
	}
	if lb.secured = len(lb.groups) > 0; lb.secured {
		lb.enforce = "on"
	}
	tags, err := c.readTags(nil)
	lb.tags = tags
	return lb, err
}

// readNetwork reads subnets and what belongs to them over what there was.
func (c *call) readNetwork(lb *loadBalancer, n *network) error {
	n.addressType = or(c.str("IpAddressType"), n.addressType)
	// "The default value is off"; an IPv4 load balancer shows none.
	if n.sourceNAT = or(c.str("EnablePrefixForIpv6SourceNat"), n.sourceNAT); n.sourceNAT == "" && n.addressType != "ipv4" {
		n.sourceNAT = "off"
	}
	if n.addressType == "dualstack-without-public-ipv4" {
		return misconfigured("The IP address type '%s' is not supported for load balancers with type 'network'", n.addressType)
	}
	mappings, err := c.readMappings()
	if err != nil {
		return err
	}
	was := n.zones
	n.zones = nil
	for _, m := range mappings {
		z, err := c.zoneFor(m)
		if err != nil {
			return err
		}
		// What a mapping does not say of a zone that is enabled stays (assumed).
		if i := slices.IndexFunc(was, func(o lbZone) bool { return o.subnet == z.subnet }); i >= 0 {
			z.keep(was[i], n)
		}
		if z.sourceNAT == autoAssigned && !z.prefix6.IsValid() && z.subnet.prefix6.IsValid() {
			z.prefix6 = netip.PrefixFrom(z.subnet.prefix6.Masked().Addr(), natBits)
		}
		n.zones = append(n.zones, z)
	}
	slices.SortFunc(n.zones, func(a, b lbZone) int { return strings.Compare(a.subnet.zone, b.subnet.zone) })
	if lb.vpc != "" && n.zones[0].subnet.vpc != lb.vpc {
		return misconfigured("The subnet '%s' is not in the VPC '%s' of the load balancer", n.zones[0].id, lb.vpc)
	}
	return nil
}

// natBits is the length of a prefix for source NAT.
const natBits = 80

// keep what a zone has. IPv6 ends with dualstack, and a prefix with source NAT.
func (z *lbZone) keep(was lbZone, n *network) {
	z.allocation = or(z.allocation, was.allocation)
	if !z.private.IsValid() {
		z.private = was.private
	}
	if !z.ipv6.IsValid() && n.addressType == "dualstack" {
		z.ipv6 = was.ipv6
	}
	if z.sourceNAT == "" && n.sourceNAT == "on" {
		z.sourceNAT, z.prefix6 = was.sourceNAT, was.prefix6
	}
}

// readMappings reads Subnets or SubnetMappings: one of the two. The messages are
// quoted in boto/boto3#1325 and ansible/ansible#42060.
func (c *call) readMappings() ([]mapping, error) {
	items := c.items("SubnetMappings.member")
	subnets := c.list("Subnets.member")
	switch {
	case len(items) > 0 && len(subnets) > 0:
		return nil, invalid("You can specify either subnets or subnet mappings, not both")
	case len(items)+len(subnets) == 0:
		return nil, invalid("At least one subnet must be specified")
	}
	var out []mapping
	for _, id := range subnets {
		out = append(out, mapping{id: id})
	}
	for _, item := range items {
		m := mapping{
			id: c.str(item + "SubnetId"), allocation: c.str(item + "AllocationId"), sourceNAT: c.str(item + "SourceNatIpv6Prefix"),
		}
		var err error
		if m.private, err = address(c.str(item+"PrivateIPv4Address"), true); err != nil {
			return nil, err
		}
		if m.ipv6, err = address(c.str(item+"IPv6Address"), false); err != nil {
			return nil, err
		}
		if m.sourceNAT != "" && m.sourceNAT != autoAssigned {
			if m.prefix6, err = netip.ParsePrefix(m.sourceNAT); err != nil || m.prefix6.Addr().Is4() || m.prefix6.Bits() != natBits {
				return nil, invalid("The source NAT IPv6 prefix '%s' must be an IPv6 prefix of length %d or '%s'", m.sourceNAT, natBits, autoAssigned)
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// address reads an address of a family; none is no error.
func address(s string, v4 bool) (netip.Addr, error) {
	if s == "" {
		return netip.Addr{}, nil
	}
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Is4() != v4 {
		return ip, invalid("The IP address '%s' is not valid", s)
	}
	return ip, nil
}

// zoneFor is the zone of a mapping's subnet.
func (c *call) zoneFor(m mapping) (lbZone, error) {
	n := c.world().subnet(m.id)
	switch {
	case m.id == "":
		return lbZone{}, invalid("A subnet ID must be specified in every subnet mapping")
	case !subnetID.MatchString(m.id):
		return lbZone{}, refuse("InvalidSubnet", "The subnet ID '%s' is not valid", m.id)
	case n == nil:
		return lbZone{}, refuse("SubnetNotFound", "The subnet ID '%s' is not valid", m.id)
	case !zoneName.MatchString(n.zone):
		// Local Zones and Wavelength Zones, whose names are longer.
		return lbZone{}, refuse("AvailabilityZoneNotSupported", "The Availability Zone '%s' of the subnet '%s' is not supported", n.zone, m.id)
	}
	return lbZone{mapping: m, subnet: n}, nil
}
