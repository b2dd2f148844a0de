package awssim

import (
	"net/netip"
	"slices"
)

// What security groups let through.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
// https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html

// peer is one end of a connection, as a security group's rule sees it.
type peer struct {
	ip netip.Addr
	// groups that it has; rules can refer to them.
	groups []string
	// instance that it is, if it is one.
	instance string
	// private says that it comes through PrivateLink.
	private bool
}

// packet is the first one of a connection: a security group is stateful, and
// looks at no other. who is at the other end.
type packet struct {
	protocol string
	port     int
	who      peer
}

// admits says whether one of the groups lets a packet through. Who has no
// security groups is open to everybody: a load balancer that was created without,
// or an instance that a test seeded without.
func (w *world) admits(groups []string, egress bool, p packet) bool {
	for _, id := range groups {
		g := w.securityGroups[id]
		if g != nil && slices.ContainsFunc(g.rules, func(r *groupRule) bool { return r.egress == egress && r.matches(p) }) {
			return true
		}
	}
	return len(groups) == 0
}

// matches: the entries of prefix lists are not simulated, and match nobody.
func (r *groupRule) matches(p packet) bool {
	if r.protocol != "-1" && (r.protocol != p.protocol || p.port < r.from || p.port > r.to) {
		return false
	}
	return within4or6(r.cidr4, p.who.ip) || within4or6(r.cidr6, p.who.ip) || r.peer != "" && slices.Contains(p.who.groups, r.peer)
}

// within4or6: an address that nobody gave is somewhere in the whole range only.
func within4or6(cidr string, ip netip.Addr) bool {
	n, err := netip.ParsePrefix(cidr)
	if err != nil {
		return false
	}
	return n.Contains(ip) || !ip.IsValid() && n.Bits() == 0 && n.Addr().Is4()
}

// host is the machine behind a target.
type host struct {
	peer

	// off says that it is an instance that does not run.
	off bool
}

// host is where a target is: its instance, or the one that has its address.
func (w *world) host(g *targetGroup, id string) host {
	i := w.instanceOf(g, id)
	h := host{off: w.off(g, id)}
	if i != nil {
		h.peer = i.peer()
	}
	switch {
	case g.settings.targetType == "ip":
		h.ip, _ = netip.ParseAddr(id)
	case i != nil && g.settings.addressType == "ipv6":
		h.ip, _ = netip.ParseAddr(i.IPv6)
	}
	return h
}

// off says whether a target's instance does not run.
func (w *world) off(g *targetGroup, id string) bool {
	i := w.instanceOf(g, id)
	return i != nil && i.State != Running || i == nil && g.settings.targetType == "instance"
}

func (w *world) instanceOf(g *targetGroup, id string) *instance {
	if g.settings.targetType == "ip" {
		return w.instanceAt(id)
	}
	return w.instances[id]
}

func (w *world) instanceAt(address string) *instance {
	for _, i := range w.instances {
		if i.State != Terminated && (i.PrivateIP == address || i.IPv6 == address) {
			return i
		}
	}
	return nil
}

func (i *instance) peer() peer {
	ip, _ := netip.ParseAddr(i.PrivateIP)
	return peer{ip: ip, groups: i.SecurityGroups, instance: i.ID}
}

// node is the end of a connection that a load balancer's node in a zone is, or
// that of any zone if it has none there. Without a load balancer it is nobody.
func (w *world) node(lb *loadBalancer, zone string) peer {
	if lb == nil {
		return peer{}
	}
	p := peer{groups: lb.groups}
	for _, i := range w.interfaces {
		if i.owner == lb.arn && i.until.IsZero() && (!p.ip.IsValid() || i.subnet.zone == zone) {
			p.ip = i.private
		}
	}
	return p
}

// probeable says whether health checks reach a target: they are subject to the
// load balancer's outbound rules, and to the inbound rules of the target.
func (w *world) probeable(g *targetGroup, t *target) bool {
	h, port := w.host(g, t.ID), int(g.settings.check.portOf(t.Key))
	for _, l := range g.forwards {
		lb := w.loadBalancers[l.LoadBalancerARN]
		if lb == nil {
			continue
		}
		if !w.admits(lb.groups, true, packet{"tcp", port, h.peer}) || !w.admits(h.groups, false, packet{"tcp", port, w.node(lb, t.zone)}) {
			return false
		}
	}
	return true
}
