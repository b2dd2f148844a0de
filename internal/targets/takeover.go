package targets

import (
	"maps"
	"slices"
	"time"
)

// Times and bounds of taking a target group over (binding.md §6).
const (
	// ShownFor is how long a foreign target is shown before it may leave a group
	// that was not created here.
	ShownFor = 10 * time.Minute
	// returnsMost is how often one may come back before the takeover stops.
	returnsMost = 2
	// returnsFor is how long it is remembered that one left. An owner that repairs
	// its targets does so within hours (AWS Load Balancer Controller: 10).
	returnsFor = 48 * time.Hour
)

// Why a foreign target stays although ownership is Exclusive.
const (
	// RuleForeignShown: it has not been shown for long enough.
	RuleForeignShown Rule = "ForeignAnnounced"
	// RuleForeignUnclaimed: the group does not have the binding's tag yet.
	RuleForeignUnclaimed Rule = "GroupNotTagged"
	// RuleForeignReturns: some came back again and again: there is another owner.
	RuleForeignReturns Rule = "ForeignComesBack"
)

// Takeover is how far it is with the foreign targets of an Exclusive binding.
type Takeover string

// The states of a takeover, none if there are no foreign targets or ownership is
// Shared.
const (
	TakeoverNone Takeover = ""
	// TakeoverShown: they are announced, and leave later.
	TakeoverShown Takeover = "Shown"
	// TakeoverClaims: the group has to be tagged first.
	TakeoverClaims Takeover = "Claims"
	// TakeoverLeaves: they leave within the departure budget.
	TakeoverLeaves Takeover = "Leaves"
	// TakeoverStopped: some came back twice.
	TakeoverStopped Takeover = "Stopped"
)

// TakeoverMemory is what is remembered of foreign targets between plans.
type TakeoverMemory struct {
	// Shown is since when each has been shown, in this process.
	Shown map[Key]time.Time
	// Left are those that the plan let go.
	Left map[Key]Left
}

// Left is one foreign target that was let go.
type Left struct {
	// At is when it was last let go, and Area the zone that it was let go in.
	At   time.Time
	Area string
	// Gone says that AWS has since been seen without it.
	Gone bool
	// Returns is how often it was there again.
	Returns int
}

// foreign says that a target is registered and nobody of this cluster accounts
// for it.
func (s *spot) foreign() bool {
	return s.registered() && !s.ours && !s.sibling && len(s.pods) == 0
}

// exclusive: the binding is to be the group's only owner.
func (w *world) exclusive() bool {
	return w.Policy.Ownership == OwnershipExclusive || w.Policy.Ownership == OwnershipDefault && w.Group.Ours
}

// recallTakeover is the memory of foreign targets as of now. In a view that is not
// whole nothing is learned: whose a target is depends on nodes that may be missing.
func (w *world) recallTakeover() TakeoverMemory {
	past := w.Memory.Takeover
	m := TakeoverMemory{Shown: map[Key]time.Time{}, Left: maps.Clone(past.Left)}
	if w.blind(nil) != nil {
		m.Shown = maps.Clone(past.Shown)
		return m
	}
	maps.DeleteFunc(m.Left, func(_ Key, l Left) bool { return !w.Now.Before(l.At.Add(returnsFor)) })
	present := map[Key]bool{}
	for _, s := range w.spots {
		present[s.Key] = s.registered()
		if !s.foreign() || !w.exclusive() || w.Releasing {
			continue
		}
		since, ok := past.Shown[s.Key]
		left, before := m.Left[s.Key]
		if before && left.Gone && s.target.Presence == Registered {
			left.Gone = false
			left.Returns++
			m.Left[s.Key] = left
		}
		if !ok {
			since = w.Now
		}
		m.Shown[s.Key] = since
	}
	for key, left := range m.Left {
		if !present[key] {
			left.Gone = true
			m.Left[key] = left
		}
	}
	return m
}

// stopped: somebody registers again what leaves.
func (m TakeoverMemory) stopped() bool {
	for _, left := range m.Left {
		if left.Returns >= returnsMost {
			return true
		}
	}
	return false
}

// shown: the target was announced for long enough.
func (w *world) shown(s *spot) bool {
	since, ok := w.takeover.Shown[s.Key]
	return ok && !w.Now.Before(since.Add(ShownFor))
}

// foreignStays says why a foreign target stays; nil if it may leave.
func (w *world) foreignStays(s *spot) *verdict {
	switch {
	case !w.exclusive() || w.Releasing:
		return keep(RuleForeign, "it is foreign")
	case len(w.unplaced) > 0:
		return keep(RuleDoubt, "it may belong to a matching pod whose node is not known")
	case w.takeover.stopped():
		return keep(RuleForeignReturns, "it is foreign, and foreign targets came back after they were deregistered: somebody else owns them")
	case w.Group.Ours:
		return nil
	case !w.shown(s):
		return keep(RuleForeignShown, "it is foreign and leaves when it has been shown for 10 minutes")
	case !w.Claimed:
		return keep(RuleForeignUnclaimed, "it is foreign and leaves when the target group has had the tag of this binding for a minute")
	}
	return nil
}

// successors is how many foreign targets of a zone may leave because healthy
// targets of ours are there in their stead. They need not be new: those that
// were registered while the foreign ones were shown are meant to replace them.
// What is in no known zone may be replaced by one of any.
func (w *world) successors(area string) int {
	if w.Group.Ours {
		return 0 // nothing was announced
	}
	count := 0
	for _, s := range w.spots {
		_, wanted := w.wanted(s)
		if wanted && s.healthy() && (area == "" || w.area(s) == area) {
			count++
		}
	}
	for key, left := range w.takeover.Left {
		back := slices.ContainsFunc(w.spots, func(s *spot) bool { return s.Key == key && s.target.Presence == Registered })
		if left.Area == area && !back {
			count--
		}
	}
	return count
}

// concludeTakeover says in the plan how far it is, and remembers who leaves.
func (w *world) concludeTakeover(p *Plan, gone []leaver) {
	m := w.takeover
	for _, l := range gone {
		if l.rule == RuleForeignLeaves {
			if m.Left == nil {
				m.Left = map[Key]Left{}
			}
			m.Left[l.Key] = Left{At: w.Now, Area: w.area(l.spot), Returns: m.Left[l.Key].Returns}
		}
	}
	p.Memory.Takeover = m
	if len(p.Foreign) == 0 || !w.exclusive() || w.Releasing {
		return
	}
	due := false
	for _, s := range w.spots {
		since, ok := m.Shown[s.Key]
		if !ok || !s.foreign() || w.Group.Ours || m.stopped() || len(w.unplaced) > 0 {
			continue
		}
		end := since.Add(ShownFor)
		p.at(w.Now, end)
		if w.blind(s) != nil {
			continue
		}
		due = due || w.shown(s)
		if p.TakeoverFrom.IsZero() || end.Before(p.TakeoverFrom) {
			p.TakeoverFrom = end
		}
	}
	p.Takeover = TakeoverShown
	switch {
	case m.stopped():
		p.Takeover = TakeoverStopped
	case w.Group.Ours || due && w.Claimed:
		p.Takeover = TakeoverLeaves
	case due && w.Policy.NoDeregister == "":
		p.Takeover = TakeoverClaims
	}
	if p.Takeover != TakeoverShown || slices.ContainsFunc(p.Foreign, func(k Key) bool { return m.Shown[k].IsZero() }) {
		p.TakeoverFrom = time.Time{}
	}
}
