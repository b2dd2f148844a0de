package awssim

import (
	"hash/fnv"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What the nodes of a load balancer do with a new connection. A flow is one
// connection, or one exchange of datagrams.
//
// Passive health checks are not simulated: no page says how fast they are.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html

// Outcome is what becomes of a connection.
type Outcome string

// The outcomes of a connection.
const (
	// Connected: a process on a target accepted it.
	Connected Outcome = "connected"
	// Refused: it was answered with a TCP RST.
	Refused Outcome = "refused"
	// TimedOut: nobody answered.
	TimedOut Outcome = "timed out"
	// Reset: it was open, and was cut before its client was done.
	Reset Outcome = "reset"
)

// door is where a client knocks: a listener, or the listeners that a test
// attached to a group.
type door struct {
	w *world
	// lb and listener are nil for an attached one, which has no security groups
	// and no address.
	lb       *loadBalancer
	listener *listener
	zones    []string
	// forward has weights; protocol is the listener's.
	forward  forward
	protocol string
}

// transport is the protocol that a security group's rule names.
func (d *door) transport() string {
	if d.protocol == "UDP" || d.protocol == "QUIC" {
		return "udp"
	}
	return "tcp"
}

// doorOf finds where a client knocks; nil with the reason why nobody opens.
func (s *Sim) doorOf(c Client, from netip.Addr, at time.Time) (*door, string) {
	if c.TargetGroup != "" {
		return s.attachedDoor(c.TargetGroup, from, at)
	}
	for _, w := range s.worlds {
		if lb := w.loadBalancers[c.LoadBalancer]; lb != nil {
			return w.doorTo(lb, lb.on(int(c.Port)), from, at)
		}
	}
	return nil, "the load balancer does not exist"
}

// attachedDoor is the first listener that forwards to a group.
func (s *Sim) attachedDoor(arn string, from netip.Addr, at time.Time) (*door, string) {
	g := s.groupAt(arn)
	if g == nil || len(g.uses()) == 0 {
		return nil, "no listener forwards to the target group"
	}
	w, use := s.world(g.place), g.uses()[0]
	if lb := w.loadBalancers[use.LoadBalancerARN]; lb != nil {
		for _, l := range lb.listeners {
			if slices.Contains(l.groups(), arn) {
				return w.doorTo(lb, l, from, at)
			}
		}
	}
	return &door{w: w, zones: use.Zones, forward: forward{groups: []weighted{{arn, 1}}}, protocol: g.settings.protocol}, ""
}

// doorTo is a listener, as somebody with an address sees it: a rule can send
// one family of addresses elsewhere. That a port without a listener answers
// nothing is assumed.
func (w *world) doorTo(lb *loadBalancer, l *listener, from netip.Addr, at time.Time) (*door, string) {
	family := "ipv4"
	if from.Is6() {
		family = "ipv6"
	}
	state, _ := lb.stateAt(at)
	switch {
	case state == "provisioning" || state == "failed":
		return nil, "the load balancer is " + state
	case l == nil:
		return nil, "no listener on the port"
	case from.Is6() && lb.addressType != "dualstack":
		return nil, "the load balancer has no IPv6 address"
	}
	d := &door{w: w, lb: lb, listener: l, zones: lb.enabled(), forward: l.forward, protocol: l.protocol}
	for _, r := range l.allRules() {
		if r.source == family {
			d.forward = r.forward
			break
		}
	}
	return d, ""
}

// way is how a connection goes; all connections of a way meet the same fate.
type way struct {
	w *world
	// lb is nil for an attached listener.
	lb    *loadBalancer
	zone  string
	group *targetGroup
	key   Key
}

// flow is an open connection.
type flow struct {
	way

	// ends is when its client is done with it.
	ends time.Time
}

// open lets the node of a zone treat a new connection. A datagram is not refused:
// what would be is not answered.
func (s *Sim) open(d *door, zone string, who peer, salt string, at time.Time) (way, Outcome, string) {
	y, outcome, why := s.route(d, zone, who, salt, at)
	if outcome == Refused && d.transport() == "udp" {
		outcome = TimedOut
	}
	return y, outcome, why
}

// route finds a target for a new connection. salt tells connections apart; a
// sticky group looks at the client's address instead.
func (s *Sim) route(d *door, zone string, who peer, salt string, at time.Time) (way, Outcome, string) {
	y := way{w: d.w, lb: d.lb, zone: zone}
	switch {
	case !slices.Contains(d.zones, zone):
		return y, TimedOut, "the zone is not enabled"
	case d.lb != nil && (!who.private || d.lb.enforce != "off") &&
		!d.w.admits(d.lb.groups, false, packet{d.transport(), d.listener.port, who}):
		return y, TimedOut, "the load balancer's security groups do not admit the client"
	}
	if y.group = d.group(who, salt); y.group == nil {
		// Assumed: nothing says what a node does without a target group.
		return y, Refused, "no target group has a weight"
	}
	if y.group.attribute(stickiness) == "true" {
		salt = who.ip.String()
	}
	t := pickBy(salt, s.takers(y.group, zone, at), func(t *target) string { return t.ID + " " + strconv.Itoa(int(t.Port)) })
	if t == nil {
		// Assumed: the guide counts RejectedFlowCount, and does not say when.
		return y, Refused, "no target takes new connections"
	}
	y.key = t.Key
	outcome, why := s.arriveAt(d, y, t, who)
	return y, outcome, why
}

// group chooses a target group by weight.
func (d *door) group(who peer, salt string) *targetGroup {
	if d.forward.sticky {
		salt = who.ip.String()
	}
	var tickets []string
	for _, g := range d.forward.groups {
		for i := range g.weight {
			tickets = append(tickets, g.arn+" "+strconv.Itoa(i))
		}
	}
	ticket := pickBy(salt, tickets, func(t string) string { return t })
	arn, _, _ := strings.Cut(ticket, " ")
	return d.w.groups[arn]
}

// pickBy returns the same item for the same salt, as long as it is there; the
// zero value if there are none.
func pickBy[T any](salt string, items []T, name func(T) string) T {
	var best T
	var most uint64
	for i, item := range items {
		h := fnv.New64a()
		_, _ = h.Write([]byte(salt + "\x00" + name(item)))
		// FNV's last bytes hardly reach its high bits: mix them.
		v := h.Sum64()
		v = (v ^ v>>33) * 0xff51afd7ed558ccd
		if v ^= v >> 33; i == 0 || v > most {
			best, most = item, v
		}
	}
	return best
}

// arriveAt is what a target does with a connection that was routed to it.
func (s *Sim) arriveAt(d *door, y way, t *target, who peer) (Outcome, string) {
	w, port := y.w, int(t.Port)
	host := w.host(y.group, t.ID)
	kept := y.group.attribute(preserveClientIP) == "true" && !who.private && (!host.ip.IsValid() || host.ip.Is4() == who.ip.Is4())
	if lb := y.lb; lb != nil && !w.admits(lb.groups, true, packet{d.transport(), port, host.peer}) {
		return TimedOut, "the load balancer's security groups do not let it reach the target"
	}
	seen := w.node(y.lb, y.zone)
	if kept {
		seen.ip = who.ip
	}
	switch {
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-troubleshooting.html
	// ("Connections time out for requests from a target to its load balancer").
	case kept && who.instance != "" && who.instance == host.instance:
		return TimedOut, "the target is its own client, and the client's address is preserved"
	case host.off:
		return TimedOut, "the instance is not running"
	case seen.ip.IsValid() && !w.admits(host.groups, false, packet{d.transport(), port, seen}):
		return TimedOut, "the target's security groups do not admit the connection"
	}
	switch s.find(t.Key, "TCP") {
	case Refuses, Finishing:
		return Refused, "no process accepts on the target's port"
	case TimesOut:
		return TimedOut, "the process on the target's port hangs"
	case Accepts, AnswersWrong:
	}
	return Connected, ""
}

// cut says whether open connections of a way have been cut, and by what.
func (s *Sim) cut(y way, at time.Time) string {
	if y.lb != nil && (y.w.loadBalancers[y.lb.arn] == nil || !slices.Contains(y.lb.enabled(), y.zone)) {
		// "Terminates connections": network/availability-zones.html.
		return "the load balancer or its zone is gone"
	}
	t := y.group.targets[y.key]
	switch {
	case s.find(y.key, "TCP") == Refuses:
		return "the process is gone"
	case y.w.off(y.group, y.key.ID):
		return "the instance is gone"
	case t == nil || t.phase == gone:
		if y.group.attribute(delayTermination) == "true" {
			return "the deregistration delay is over"
		}
	case t.phase == unhealthy && !y.group.failsOpen(y.group.scope(t.zone)):
		// "The load balancer sends a TCP RST …, unless the unhealthy target triggers
		// the load balancer to fail open."
		switch {
		case y.group.attribute(unhealthyTerminates) == "true" && !at.Before(t.failed.Add(s.unhealthyLag(y.group, t))),
			y.group.seconds(unhealthyDraining) > 0 && !at.Before(t.drained):
			return "the target is unhealthy"
		}
	}
	return ""
}
