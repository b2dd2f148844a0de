package awssim

import (
	"fmt"
	"slices"
	"time"
)

// phase is where a target is in its life.
type phase int

const (
	unused phase = iota
	registering
	checking
	healthy
	unhealthy
	draining
	gone
)

// target is a target of a group. What it is at a time follows from what it was
// when something last changed, and from the probes since: settle moves it on.
type target struct {
	Key

	zone, quic string
	phase      phase
	// why an unused target is unused.
	why usable
	// until is when registering or draining ends.
	until time.Time
	// next is when the next probe is due; passes and fails are how many in a
	// row went well or not, and found is what the last one found.
	next          time.Time
	passes, fails int
	found         Probe
	// passed is when it became healthy; failed is when it became unhealthy, and drained when it loses the connections
	// that it may keep until then.
	passed, failed, drained time.Time
	// sent says that nodes have sent it connections since it was registered: it has
	// been healthy.
	sent bool
	// avoided is when nodes have learned to send it no new connections.
	avoided time.Time
	// shown is what DescribeTargetHealth still shows until shownUntil; nil means
	// that it does not know of the target.
	shown      *Target
	shownUntil time.Time
	// round counts registrations, so that each has a length of its own.
	round int
}

// registered says whether traffic is meant to reach the target.
func (t *target) registered() bool { return t.phase != draining && t.phase != gone }

// usable says whether traffic could reach a target, or why it could not.
type usable struct {
	reason      Reason
	description string
	// ends is when AWS deregisters the target by itself; zero means never.
	ends time.Time
}

// settle moves every target on to now. It is called before anything changes and
// after: in between, nothing that a target depends on is different.
// Clients act on the way, each at its time.
func (s *Sim) settle(now time.Time) {
	s.drive(now)
	s.settleWorlds(now)
	for _, t := range s.traffic {
		t.look(now)
	}
}

func (s *Sim) settleWorlds(now time.Time) {
	for _, w := range s.worlds {
		w.forgetInterfaces(now)
		for _, g := range w.groups {
			for k, t := range g.targets {
				s.settleOne(w, g, t, now)
				if t.phase == gone && !now.Before(t.shownUntil) && !now.Before(t.avoided) {
					delete(g.targets, k)
				}
			}
		}
	}
}

func (s *Sim) settleOne(w *world, g *targetGroup, t *target, now time.Time) {
	if t.phase == draining && !now.Before(t.until) {
		t.phase = gone
	}
	if !t.registered() {
		return
	}
	if t.why = s.usable(w, g, t); t.why.reason != "" {
		if t.phase == healthy {
			t.avoided = now.Add(s.unhealthyLag(g, t))
		}
		t.phase = unused
		if !t.why.ends.IsZero() && !now.Before(t.why.ends) {
			t.phase = gone
		}
		return
	}
	if t.phase == unused {
		t.phase, t.passes, t.fails, t.sent = registering, 0, 0, false
		t.round++
		t.until = now.Add(s.profile.Registration.pick(g.arn, t.ID, fmt.Sprint(t.Port, t.round)))
	}
	if t.phase == registering {
		if now.Before(t.until) {
			return
		}
		t.phase, t.next = checking, t.until
	}
	s.probe(w, g, t, now)
}

// probe applies the probes that were due until now. They all found the same:
// what they find is settled before it changes.
func (s *Sim) probe(w *world, g *targetGroup, t *target, now time.Time) {
	if now.Before(t.next) {
		return
	}
	check := g.settings.check
	interval := max(s.profile.configured(check.interval), time.Nanosecond)
	first := t.next
	n := int(now.Sub(first)/interval) + 1
	t.next = first.Add(time.Duration(n) * interval)
	if t.found = s.find(Key{t.ID, check.portOf(t.Key)}, check.protocol); !w.probeable(g, t) {
		t.found = TimesOut
	}
	if t.found == Accepts {
		before := t.passes
		t.passes, t.fails = t.passes+n, 0
		if t.passes >= check.healthy {
			if t.phase != healthy {
				t.passed = first.Add(time.Duration(max(0, check.healthy-before-1)) * interval)
			}
			t.phase, t.sent = healthy, true
		}
		return
	}
	before := t.fails
	t.passes, t.fails = 0, t.fails+n
	if t.fails >= check.unhealthy && t.phase != unhealthy {
		t.phase = unhealthy
		t.failed = first.Add(time.Duration(max(0, check.unhealthy-before-1)) * interval)
		t.drained = t.failed.Add(s.profile.configured(g.seconds(unhealthyDraining)))
	}
}

func (s *Sim) find(k Key, protocol string) Probe {
	p, ok := s.probes[k]
	switch {
	case !ok && s.opts.RefuseByDefault:
		return Refuses
	case !ok, p == AnswersWrong && protocol == "TCP":
		return Accepts
	}
	return p
}

// usable says whether a target could get traffic at present.
func (s *Sim) usable(w *world, g *targetGroup, t *target) usable {
	if g.settings.targetType == "instance" {
		switch i := w.instances[t.ID]; {
		case i == nil:
			return usable{reason: InvalidState, description: "Target is in the terminated state"}
		case i.State == Terminated:
			return usable{
				reason: InvalidState, description: "Target is in the terminated state",
				ends: i.since.Add(s.profile.Terminated.pick(g.arn, t.ID)),
			}
		case i.State != Running && i.State != Pending:
			return usable{reason: InvalidState, description: "Target is in the stopped state"}
		}
	}
	uses := g.uses()
	if len(uses) == 0 {
		return usable{
			reason:      NotInUse,
			description: "Target group is not configured to receive traffic from the load balancer",
		}
	}
	if t.zone != "all" && !slices.ContainsFunc(uses, func(l *Listener) bool { return slices.Contains(l.Zones, t.zone) }) {
		return usable{
			reason:      NotInUse,
			description: "Target is in an Availability Zone that is not enabled for the load balancer",
		}
	}
	return usable{}
}

// crossZone says whether load balancer nodes send to targets of other zones.
func (g *targetGroup) crossZone() bool {
	switch g.attribute(crossZone) {
	case "true":
		return true
	case "false":
		return false
	}
	return slices.ContainsFunc(g.uses(), func(l *Listener) bool { return l.CrossZone })
}

// register begins a target's life, or begins it again for one that is draining.
func (s *Sim) register(g *targetGroup, d description, now time.Time) {
	t := g.targets[d.Key]
	if t != nil && t.registered() {
		return
	}
	if t == nil {
		t = &target{Key: d.Key, phase: gone}
		g.targets[d.Key] = t
	}
	s.hide(g, t, now)
	t.phase, t.zone, t.quic = unused, d.zone, d.quic
}

// deregister ends a target's life, after the deregistration delay.
func (s *Sim) deregister(g *targetGroup, k Key, now time.Time) {
	t := g.targets[k]
	if t == nil || !t.registered() {
		return
	}
	s.hide(g, t, now)
	if t.phase == healthy || t.phase == unhealthy && (s.takes(g, t, now) || g.failsOpen(g.scope(t.zone))) {
		t.avoided = now.Add(s.profile.DeregisteredFlows.pick(g.arn, t.ID, fmt.Sprint(t.Port, t.round)))
	}
	if t.quic != "" {
		g.resting[t.quic] = now
	}
	t.phase = draining
	t.until = now.Add(s.profile.configured(g.seconds(delaySeconds)))
}

// hide lets DescribeTargetHealth show a target as it is now for a while longer.
func (s *Sim) hide(g *targetGroup, t *target, now time.Time) {
	if now.Before(t.shownUntil) {
		// It shows something older yet; that is what it keeps showing.
		return
	}
	t.shown = nil
	if seen, ok := g.look(t.Key, now, false); ok {
		t.shown = &seen
	}
	t.shownUntil = now.Add(s.profile.HealthReadLag.pick(g.arn, t.ID, fmt.Sprint(t.Port, t.round, t.phase)))
}
