package targets

import (
	"maps"
	"slices"
	"time"
)

// NewPlan decides what to register and to deregister now (binding.md §3 to §6).
// The first line that fits decides:
//
//	wanted                              | register, if it is not registered
//	1 view not whole, group not read    | keep
//	2 instance dead, port taken         | deregister
//	3 no pod matches                    | emptyPolicy
//	4 last one that serves in its zone  | keep (rules 6 and 7 only)
//	5 pod not ready, successor expected | keep
//	6 node leaving, pod gone for good   | deregister
//	7 anything else                     | deregister, within the departure budget
//
// A sibling's target and, unless ownership is Exclusive, a foreign one are kept
// whatever the rules say. It reads no clock and changes nothing of its input.
func NewPlan(in Input) Plan {
	w := newWorld(in)
	p := &Plan{Skipped: w.skipped}
	var leavers []leaver
	for _, s := range w.spots {
		w.list(p, s)
		v, wanted := w.wanted(s)
		switch {
		case wanted:
			p.Wanted = append(p.Wanted, s.Key)
			w.admit(p, s, v)
		case s.registered():
			v := w.decide(s)
			if v.leave {
				leavers = append(leavers, leaver{s, v})
				continue
			}
			p.keep(w.change(s, v))
			if v.braked != "" && w.suspicious(s, v.braked) {
				p.Unproven = append(p.Unproven, s.Key)
			}
		}
	}
	g := w.guard(leavers)
	d := w.depart(g.pass)
	w.fillQuota(p, d)
	g.conclude(p, d.gone)
	for _, l := range d.gone {
		p.Deregister = append(p.Deregister, w.change(l.spot, l.verdict))
	}
	for _, l := range d.waiting {
		p.Waiting = append(p.Waiting, w.change(l.spot, l.verdict))
	}
	p.Keep = append(append(p.Keep, p.Waiting...), p.Guarded...)
	p.sort()
	w.conclude(p, d.memory, g.memory)
	w.concludeTakeover(p, d.gone)
	// A plan is kept until the next one, without the room that its lists grew into.
	p.Wanted, p.Ours, p.Keep = slices.Clone(p.Wanted), slices.Clone(p.Ours), slices.Clone(p.Keep)
	return *p
}

// list puts a target and its pods in the plan's lists for people.
func (w *world) list(p *Plan, s *spot) {
	_, wanted := w.wanted(s)
	switch {
	case s.target.Presence == Draining && s.ours:
		p.Draining = append(p.Draining, s.Key)
	case !s.registered():
	case wanted || s.ours:
		p.Ours = append(p.Ours, s.Key)
	case !s.sibling:
		p.Foreign = append(p.Foreign, s.Key)
	}
	for _, pod := range s.pods {
		if skip := w.unavailable(s, pod); skip != nil && !pod.Terminating {
			p.Skipped = append(p.Skipped, *skip)
		}
	}
}

// admit a wanted target: keep it, register it, or say why it has to wait. One in
// doubt is registered again, which costs nothing if it is registered.
func (w *world) admit(p *Plan, s *spot, v verdict) {
	switch {
	case s.target.Presence == Registered:
		p.keep(w.change(s, v))
	case w.Policy.NoRegister != "":
		p.keep(w.change(s, *keep(RuleNoRegister, w.Policy.NoRegister)))
	case w.Now.Before(s.target.RefusedUntil):
		p.keep(w.change(s, *keep(RuleRefused, "AWS refuses it: "+s.target.Refusal)))
		p.Skipped = append(p.Skipped, Skip{Pod: s.pod(), Rule: RuleRefused, Reason: "AWS refuses it: " + s.target.Refusal})
	default:
		p.Register = append(p.Register, w.change(s, v))
	}
}

// fillQuota: where a quota is exhausted, departures go first, and only as many
// registrations are asked for as they make room for, to the zones that have the
// least.
func (w *world) fillQuota(p *Plan, d *departures) {
	need := 0
	if w.QuotaFull && w.QuotaRoom == 0 {
		// What drains makes room when it is gone, and not twice.
		need = max(0, len(p.Register)-len(p.Draining))
	}
	d.makeRoom(need)
	if !w.QuotaFull {
		return
	}
	p.DeregisterFirst = true
	has := map[string]int{}
	for _, s := range w.spots {
		if _, wanted := w.wanted(s); wanted && s.target.Presence == Registered {
			has[s.zone]++
		}
	}
	fair := evenly(p.Register, has, func(c Change) string { return c.Zone })
	room := min(len(d.gone)+w.QuotaRoom, len(fair))
	p.Register = fair[:room]
	for _, change := range fair[room:] {
		change.Rule, change.Reason = RuleQuota, "a quota of the load balancer is exhausted; it waits until a target has left"
		p.keep(change)
	}
}

// conclude with what follows from the verdicts: what is held, the memory, what
// has waited too long, and when time alone would change the plan.
func (w *world) conclude(p *Plan, departures map[string]Departures, guarded GuardMemory) {
	whole := w.View.Incomplete == "" && !w.Unread
	if w.doubtful() {
		departures = cloneDepartures(w.Memory.Departures)
	}
	if !whole {
		departures, guarded = cloneDepartures(w.Memory.Departures), w.Memory.Guard.blind()
	}
	if i := slices.IndexFunc(p.Keep, func(c Change) bool { return c.Rule == RuleHeld }); i >= 0 {
		p.Held = p.Keep[i].Reason
	}
	p.Memory = w.remember(p.Waiting, departures, whole && len(w.pods) > 0)
	p.Memory.Guard = guarded
	for _, change := range p.Waiting {
		since := p.Memory.Claims[change.Key].WaitingSince
		if w.Now.Before(since.Add(WaitingTooLong)) {
			p.at(w.Now, since.Add(WaitingTooLong))
			continue
		}
		p.Overdue = append(p.Overdue, change.Key)
	}
	for _, s := range w.spots {
		w.timers(p, s)
	}
}

// timers of a spot, after which its verdict is another one.
func (w *world) timers(p *Plan, s *spot) {
	i, found := slices.BinarySearchFunc(p.Keep, s.Key, func(c Change, key Key) int { return compareKeys(c.Key, key) })
	if !found {
		return
	}
	switch p.Keep[i].Rule {
	case RuleRefused:
		p.at(w.Now, s.target.RefusedUntil)
	case RuleVacated:
		if len(s.pods) == 0 {
			p.at(w.Now, w.vacatedAt(s).Add(VacatedFor))
		}
	case RuleRetained:
		if w.mayBeNotReady(s) {
			p.at(w.Now, w.unreadySince(s).Add(w.Policy.NotReadyAfter))
		}
	}
}

func (p *Plan) at(now, when time.Time) {
	if when.After(now) && (p.Next.IsZero() || when.Before(p.Next)) {
		p.Next = when
	}
}

func (p *Plan) keep(c Change) { p.Keep = append(p.Keep, c) }

func (w *world) change(s *spot, v verdict) Change {
	return Change{Key: s.Key, Zone: s.zone, Pod: s.pod(), Rule: v.rule, Reason: v.reason}
}

func cloneDepartures(of map[string]Departures) map[string]Departures {
	clone := maps.Clone(of)
	for area, d := range clone {
		clone[area] = Departures{Before: maps.Clone(d.Before), Left: maps.Clone(d.Left)}
	}
	return clone
}
