package awssim

import (
	"regexp"
	"time"
)

var quicID = regexp.MustCompile(`^0x[0-9a-f]{16}$`)

// quicRest is for how long a server id cannot be used again (facts/aws.md §1.8).
const quicRest = 6 * time.Hour

// checkQUIC: the server id is required for QUIC, refused for the rest, and
// cannot be changed while a target is registered. A listener has each id once, and
// one that was deregistered rests.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
func (c *call) checkQUIC(g *targetGroup, wanted []description) error {
	seen := map[string]Key{}
	for _, d := range wanted {
		t := g.targets[d.Key]
		switch {
		case !isQUIC(g.settings.protocol) && d.quic != "":
			return invalid("QUIC server ID is not supported for target groups with protocol '%s'", g.settings.protocol)
		case !isQUIC(g.settings.protocol):
			continue
		case !quicID.MatchString(d.quic):
			return invalid("The QUIC server ID '%s' of target '%s' must be 0x followed by 16 lowercase hexadecimal characters", d.quic, d.ID)
		case t != nil && t.registered() && t.quic != d.quic:
			return invalid("The QUIC server ID of the registered target '%s' cannot be modified", d.ID)
		}
		if k, twice := seen[d.quic]; twice && k != d.Key || c.serves(g, d) {
			return invalid("The QUIC server ID '%s' is in use by another target", d.quic)
		}
		seen[d.quic] = d.Key
		if left, was := g.resting[d.quic]; was && c.now.Sub(left) < quicRest && (t == nil || !t.registered()) {
			return invalid("The QUIC server ID '%s' was used by a target that was deregistered in the last 6 hours", d.quic)
		}
	}
	return nil
}

// serves says whether another target has a server id: one of the group, or of a
// group behind the same load balancer (assumed; the page says listener).
func (c *call) serves(g *targetGroup, d description) bool {
	for _, other := range c.world().groups {
		near := other == g
		for _, lb := range other.loadBalancers() {
			near = near || len(g.loadBalancers()) > 0 && g.loadBalancers()[0] == lb
		}
		for k, t := range other.targets {
			if near && t.registered() && t.quic == d.quic && (other != g || k != d.Key) {
				return true
			}
		}
	}
	return false
}
