package targets

import (
	"cmp"
	"maps"
	"slices"
)

// leaver is a target that a rule removes.
type leaver struct {
	*spot
	verdict
}

// strength says how surely a process serves on a target.
type strength int

const (
	// none: no process can be there.
	none strength = iota
	// fading: a process may serve, for now: its pod is terminating or not ready,
	// or is lost from sight and not known to have ended.
	fading
	// durable: a ready pod is there and nothing ends it; or it is not ours to know.
	durable
)

func (w *world) strength(s *spot) strength {
	support := w.support(s)
	switch {
	case s.dead():
		return none
	case !s.ours && len(s.pods) == 0:
		return durable
	case slices.ContainsFunc(support, func(p Pod) bool { return ready(p) && !w.unplaced[p.UID] }):
		return durable
	case len(support) > 0, w.View.Relisted[s.Key], w.outlived(s), !s.node.GoneSince.IsZero():
		// Pods are removed with their Node object; nobody stopped the process.
		return fading
	}
	return none
}

// support are the pods whose process may listen on the target: those that make
// it, with the one that declares its port if they are going; else the one that made
// it, if it makes it no more, or another one that is not selected and runs on its port;
// else, if that is not known, any matching pod of the node.
func (w *world) support(s *spot) []Pod {
	former, there := w.former(s)
	other, unselected := w.View.Unselected[s.Key]
	switch {
	case len(s.pods) > 0:
		if pod, owned := w.owner(s); owned && going(s) {
			return append(slices.Clone(s.pods), pod)
		}
		return s.pods
	case there:
		return []Pod{former}
	case unselected && !w.Releasing:
		return []Pod{other}
	case s.claim.Pod == (PodRef{}) && s.known:
		return w.onNode[s.node.Name]
	}
	return nil
}

// floor (rule 4) counts, by zone, the targets that serve. It is told of each one
// that leaves.
type floor struct {
	w     *world
	count map[string]map[strength]int
}

func newFloor(w *world) floor {
	f := floor{w: w, count: map[string]map[strength]int{}}
	for _, s := range w.spots {
		f.add(s, 1)
	}
	return f
}

func (f floor) add(s *spot, n int) {
	if !f.w.counts(s) {
		return
	}
	if f.count[f.w.area(s)] == nil {
		f.count[f.w.area(s)] = map[strength]int{}
	}
	f.count[f.w.area(s)][f.w.strength(s)] += n
}

// counts: for others to leave, this target must be known to serve. While AWS
// fails open for certain an unhealthy one does; an initial one may not even be
// set up. Nothing is sent to one in a zone that a zonal shift takes out.
func (w *world) counts(s *spot) bool {
	if s.target.Shifted {
		return false
	}
	return !s.target.Stale && s.healthy() || w.failsOpen && s.target.Presence == Registered && s.target.Health == HealthUnhealthy
}

// mayServe: to leave itself, doubt is enough to protect it, but for a zonal shift:
// while one is on, no departure depends on health in its zone (binding.md §9).
func (w *world) mayServe(s *spot) bool {
	if !s.registered() || s.target.Shifted || w.strength(s) == none {
		return false
	}
	failsOpen := !w.anyHealthy && (s.target.Health == HealthUnhealthy || s.target.Health == HealthInitial)
	return s.maybeHealthy() || failsOpen
}

// allows the target to leave: it serves nobody, or another one of its zone does
// that will last at least as long.
func (f floor) allows(s *spot) bool {
	if !f.w.mayServe(s) {
		return true
	}
	f.add(s, -1)
	defer f.add(s, 1)
	if s.zone == "" && !f.w.Group.CrossZone {
		return f.everywhere()
	}
	others := f.count[f.w.area(s)]
	if f.w.strength(s) == durable {
		return others[durable] > 0
	}
	return others[durable]+others[fading] > 0
}

// everywhere: in each zone that has targets one serves that will last. A target whose
// zone is not known, as one on an instance that is no node, may be in any of them.
func (f floor) everywhere() bool {
	zones := 0
	for _, s := range f.w.spots {
		_, wanted := f.w.wanted(s)
		if s.zone == "" || !wanted && !s.registered() {
			continue
		}
		if zones++; f.count[s.zone][durable] == 0 {
			return false
		}
	}
	return zones > 0 || f.count[""][durable] > 0
}

// departures sorts leavers into those that go and those that wait.
type departures struct {
	w       *world
	floor   floor
	gone    []leaver
	waiting []leaver
	// blocked are those of waiting that only the budget holds, with what they
	// would have left for.
	blocked []leaver
	memory  map[string]Departures
}

func (w *world) depart(leavers []leaver) *departures {
	d := &departures{w: w, floor: newFloor(w), memory: map[string]Departures{}}
	byArea := map[string][]leaver{}
	slices.SortFunc(leavers, w.compareLeavers)
	for _, l := range leavers {
		switch {
		case l.how == onBudget || l.how == onBudgetAlways:
			byArea[w.area(l.spot)] = append(byArea[w.area(l.spot)], l)
		case l.how == atOnce || d.floor.allows(l.spot):
			d.leave(l)
		default:
			d.waitForFloor(l)
		}
	}
	areas := maps.Clone(byArea)
	for area := range w.Memory.Departures {
		areas[area] = byArea[area]
	}
	for _, s := range w.spots {
		if w.Memory.Departures == nil && w.class(s) == NodeDeparting {
			areas[w.area(s)] = byArea[w.area(s)]
		}
	}
	for _, area := range slices.Sorted(maps.Keys(areas)) {
		d.spend(area, areas[area])
	}
	return d
}

// compareLeavers: at once before the rest, so that the floor counts without
// them; then the weakest first, so that what the floor keeps is the strongest.
func (w *world) compareLeavers(a, b leaver) int {
	return cmp.Or(cmp.Compare(a.how, b.how), cmp.Compare(w.strength(a.spot), w.strength(b.spot)), compareKeys(a.Key, b.Key))
}

func (d *departures) leave(l leaver) {
	d.floor.add(l.spot, -1)
	d.gone = append(d.gone, l)
}

func (d *departures) waitForFloor(l leaver) {
	l.verdict = *keep(RuleFloor, "it is the last one that serves in its zone: "+l.reason)
	d.waiting = append(d.waiting, l)
}
