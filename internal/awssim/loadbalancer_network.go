package awssim

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// checkNetwork applies the rules that go across subnets and addresses. The
// message on zones is quoted in aws-load-balancer-controller#45.
func (c *call) checkNetwork(lb *loadBalancer, n network) error {
	var zones []string
	for _, z := range n.zones {
		switch {
		case slices.Contains(zones, z.subnet.zone):
			return misconfigured("A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		case z.subnet.vpc != n.zones[0].subnet.vpc:
			return misconfigured("All subnets must belong to the same VPC: '%s'", n.zones[0].subnet.vpc)
		}
		zones = append(zones, z.subnet.zone)
		if err := c.checkZone(lb, n, z); err != nil {
			return err
		}
	}
	switch {
	case lb.scheme == "internet-facing" && c.world().vpc(n.zones[0].subnet.vpc).NoInternetGateway:
		return refuse("InvalidSubnet", "VPC %s has no internet gateway", n.zones[0].subnet.vpc)
	case n.sourceNAT == "on" && n.addressType != "dualstack":
		return misconfigured("Prefixes for IPv6 source NAT require the IP address type 'dualstack'")
	}
	return nil
}

// checkZone applies the rules of one zone. The addresses that may be given follow
// from the scheme and the address type.
func (c *call) checkZone(lb *loadBalancer, n network, z lbZone) error {
	dual := n.addressType == "dualstack"
	switch {
	case z.allocation != "" && lb.scheme == "internal":
		return misconfigured("Elastic IP addresses are not supported for load balancers with scheme 'internal'")
	case z.private.IsValid() && lb.scheme != "internal":
		return misconfigured("Private IPv4 addresses are not supported for load balancers with scheme '%s'", lb.scheme)
	case z.private.IsValid() && !usableIn(z.subnet.prefix, z.private):
		return misconfigured("The private IPv4 address '%s' is not in the range of the subnet '%s'", z.private, z.id)
	case dual && !z.subnet.prefix6.IsValid():
		return misconfigured("You must specify subnets with an associated IPv6 CIDR block.")
	case z.ipv6.IsValid() && !dual:
		return misconfigured("IPv6 addresses are not supported for load balancers with IP address type '%s'", n.addressType)
	case z.ipv6.IsValid() && !z.subnet.prefix6.Contains(z.ipv6):
		return misconfigured("The IPv6 address '%s' is not in the range of the subnet '%s'", z.ipv6, z.id)
	case z.sourceNAT != "" && n.sourceNAT != "on":
		return misconfigured("A source NAT IPv6 prefix requires that prefixes for IPv6 source NAT are enabled")
	case z.sourceNAT == "" && n.sourceNAT == "on":
		return misconfigured("A source NAT IPv6 prefix must be specified for the subnet '%s'", z.id)
	case z.prefix6.IsValid() && !z.subnet.prefix6.Contains(z.prefix6.Addr()):
		return misconfigured("The source NAT IPv6 prefix '%s' is not in the range of the subnet '%s'", z.prefix6, z.id)
	}
	return nil
}

// usableIn says whether an address of a subnet is not one that AWS keeps.
func usableIn(p netip.Prefix, ip netip.Addr) bool {
	kept := p.Masked().Addr()
	for range reserved - 1 {
		if ip == kept {
			return false
		}
		kept = kept.Next()
	}
	return p.Contains(ip) && p.Contains(ip.Next())
}

// checkAddresses refuses zones whose addresses are not to be had.
func (c *call) checkAddresses(zones []lbZone, scheme string) error {
	w := c.world()
	var allocations []string
	for _, z := range zones {
		if a := z.allocation; a != "" {
			e, known := w.addresses[a]
			switch {
			case !known:
				return refuse("AllocationIdNotFound", "The allocation IDs '%s' do not exist", a)
			case e.Taken || slices.Contains(allocations, a),
				w.interfaceOf(c.now, func(i *netInterface) bool { return i.allocation == a }) != nil:
				// Quoted in hashicorp/terraform-provider-aws#15031. SetSubnets has no such code.
				if c.action == "SetSubnets" {
					return misconfigured("The allocation IDs are not available for use")
				}
				return refuse("ResourceInUse", "The allocation IDs are not available for use")
			}
			allocations = append(allocations, a)
		}
		switch {
		case z.private.IsValid() && w.occupied(z.subnet.vpc, z.private, c.now):
			return misconfigured("The private IPv4 address '%s' is in use", z.private)
		case scheme == "internet-facing" && w.free(z.subnet, c.now) < minFree, w.free(z.subnet, c.now) < 1:
			return refuse("InvalidSubnet",
				"Not enough IP space available in %s. ELB requires at least %d free IP addresses in each subnet.", z.id, minFree)
		}
	}
	mine := func(i *netInterface) bool { return i.vpc == zones[0].subnet.vpc && i.owner != "" && i.there(c.now) }
	if len(zones) > 0 && count(w.interfaces, mine)+len(zones) > c.sim.opts.Quotas.InterfacesPerVPC {
		return misconfigured("The maximum number of network interfaces of Network Load Balancers in the VPC has been reached")
	}
	return nil
}

// checkGroups refuses security groups that a load balancer of a VPC cannot have.
func (c *call) checkGroups(ids []string, vpc string) error {
	if limit := c.sim.opts.Quotas.SecurityGroupsPerInterface; len(ids) > limit {
		return misconfigured("The maximum number of security groups per load balancer is %d", limit)
	}
	for _, id := range ids {
		switch g := c.world().securityGroups[id]; {
		case g == nil || c.now.Before(g.visible):
			return refuse("InvalidSecurityGroup", "Security group '%s' does not exist", id)
		case g.vpc != vpc:
			return misconfigured("One or more security groups are invalid: '%s' is not in the VPC '%s'", id, vpc)
		}
	}
	return nil
}

// addInterface makes the interface that a load balancer has in a zone. Its
// description is documented: "ELB net/NAME/ID".
func (c *call) addInterface(lb *loadBalancer, z lbZone) {
	w := c.world()
	ip := z.private
	if !ip.IsValid() {
		ip = w.pickAddress(z.subnet, c.now)
	}
	_, path, _ := strings.Cut(lb.arn, "loadbalancer/")
	w.interfaces = append(w.interfaces, &netInterface{
		id: "eni-" + c.sim.unique(17), owner: lb.arn, description: "ELB " + path, kind: "network_load_balancer",
		subnet: z.subnet, vpc: z.subnet.vpc, private: ip, groups: lb.groups, allocation: z.allocation,
	})
}

// releaseInterface ends the use of a zone. The interface lingers, and with it
// its security groups and its Elastic IP address.
func (s *Sim) releaseInterface(lb *loadBalancer, z lbZone, now time.Time) {
	for _, i := range s.world(lb.place).interfaces {
		if i.owner == lb.arn && i.subnet == z.subnet && i.until.IsZero() {
			i.until = now.Add(s.profile.InterfaceRemoval.pick(i.id))
		}
	}
}

func count[T any](items []T, f func(T) bool) int {
	n := 0
	for _, i := range items {
		if f(i) {
			n++
		}
	}
	return n
}
