package awssim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// takers are the targets that the node of a zone sends new connections to, in
// order: those that AWS's control plane calls healthy, those that the nodes have
// not yet learned to avoid, and, failing open, all of them. Targets in their
// initial state get nothing even then (assumed).
func (s *Sim) takers(g *targetGroup, zone string, at time.Time) []*target {
	scope := g.scope(zone)
	failing := g.failsOpen(scope)
	var out []*target
	for _, t := range scope {
		if g.shifted(t) {
			continue
		}
		if failing && t.phase == unhealthy || s.takes(g, t, at) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *target) int {
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return int(a.Port - b.Port)
	})
	return out
}

// takes says whether nodes send new connections to a target for its own sake.
func (s *Sim) takes(g *targetGroup, t *target, at time.Time) bool {
	switch t.phase {
	case healthy:
		return true
	case unhealthy:
		// Nodes that never sent to it have nothing to learn (assumed).
		return t.sent && at.Before(t.failed.Add(s.unhealthyLag(g, t)))
	case unused, registering, checking, draining, gone:
	}
	return at.Before(t.avoided)
}

// unhealthyLag is how long nodes send new connections to an unhealthy target.
func (s *Sim) unhealthyLag(g *targetGroup, t *target) time.Duration {
	return s.profile.UnhealthyFlows.pick(g.arn, t.ID, fmt.Sprint(t.Port, t.round))
}

// scope are the targets that the node of a zone can choose from.
func (g *targetGroup) scope(zone string) []*target {
	cross := g.crossZone()
	var out []*target
	for _, t := range g.targets {
		if cross || t.zone == zone || t.zone == "all" || zone == "all" {
			out = append(out, t)
		}
	}
	return out
}

// failsOpen says whether too few targets are healthy, so that all get
// connections.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health.html
func (g *targetGroup) failsOpen(scope []*target) bool {
	return g.below(scope, routingCount, routingPercent)
}

// below says whether the healthy targets are fewer than an attribute asks for.
func (g *targetGroup) below(scope []*target, number, percent string) bool {
	registered := count(scope, (*target).registered)
	well := count(scope, func(t *target) bool { return t.phase == healthy })
	return g.attribute(number) != "off" && well < g.seconds(number) ||
		g.attribute(percent) != "off" && well*100 < g.seconds(percent)*registered
}

// resolves are the zones whose addresses DNS answers with. A zone leaves DNS
// while a group has too few healthy targets for it, and all come back if no zone
// is left. An empty group says nothing of zones: "will also fail open when you
// have an empty target group".
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
func (d *door) resolves() []string {
	groups := map[string]bool{}
	for _, arn := range d.forward.arns() {
		groups[arn] = true
	}
	if d.lb != nil {
		for _, l := range d.lb.listeners {
			for _, arn := range l.groups() {
				groups[arn] = true
			}
		}
	}
	var all, well []string
	for _, zone := range d.zones {
		if d.lb != nil && d.lb.shifted == zone {
			continue
		}
		all = append(all, zone)
		lacking := false
		for arn := range groups {
			g := d.w.groups[arn]
			lacking = lacking || g != nil && g.count() > 0 && g.below(g.scope(zone), failoverCount, failoverPercent)
		}
		if !lacking {
			well = append(well, zone)
		}
	}
	if len(well) == 0 {
		return all
	}
	return well
}

// serving is how many targets of a zone serve: registered, healthy as AWS sees
// it or AWS fails open, and a process accepts on the port.
func (s *Sim) serving(d *door, zone string) int {
	n := 0
	for _, wg := range d.forward.groups {
		g := d.w.groups[wg.arn]
		if g == nil || wg.weight == 0 {
			continue
		}
		failing := g.failsOpen(g.scope(zone))
		for _, t := range g.targets {
			usable := t.phase == healthy || t.phase == unhealthy && failing
			if usable && (t.zone == zone || t.zone == "all") && s.accepts(t.Key) && !d.w.off(g, t.ID) {
				n++
			}
		}
	}
	return n
}

// accepts says whether a process accepts connections.
func (s *Sim) accepts(k Key) bool { return s.find(k, "TCP") == Accepts }
