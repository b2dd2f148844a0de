package targets

import (
	"maps"
	"slices"
)

// spend lets targets of one zone leave within its departure budget (binding.md
// §4): without a replacement at most departures.maxUnavailable of its healthy
// targets may have left; each further one leaves when a new target of the zone
// has become healthy. The ledger is kept between plans for as long as anything
// waits, or has left and could come back: else each plan, or each node that is
// announced, would have a budget of its own.
func (d *departures) spend(area string, candidates []leaver) {
	past := d.w.Memory.Departures[area]
	ledger := Departures{Before: maps.Clone(past.Before), Left: maps.Clone(past.Left)}
	if ledger.Left == nil {
		ledger.Left = map[Key]bool{}
	}
	if ledger.Before == nil {
		d.open(area, &ledger)
	}
	again := d.refund(ledger, candidates)
	replaced := d.replacements(area, ledger)
	if len(candidates) == 0 {
		d.settle(area, ledger, replaced)
		return
	}
	free := d.w.Policy.share(d.w.once(ledger)) + len(replaced) - len(ledger.Left)
	slices.SortStableFunc(candidates, func(a, b leaver) int { return trueFirst(again[a.Key], again[b.Key]) })
	successors := d.w.successors(area)
	for _, l := range candidates {
		// One in doubt (its removal timed out) has been paid for.
		costs := !ledger.Left[l.Key] && !l.target.Shifted && (l.how == onBudgetAlways || d.w.mayServe(l.spot))
		if costs && l.rule == RuleForeignLeaves && successors > 0 {
			costs, successors = false, successors-1
		}
		switch {
		case !d.floor.allows(l.spot):
			d.waitForFloor(l)
		case costs && free <= 0:
			d.blocked = append(d.blocked, l)
		default:
			if costs {
				ledger.Left[l.Key] = true
				free--
			}
			d.leave(l)
		}
	}
	d.memory[area] = ledger
}

// once counts the targets of a ledger that were healthy, as far as AWS knows.
func (w *world) once(ledger Departures) int {
	all := union(ledger.Before, ledger.Left)
	for _, s := range w.spots {
		if w.obscure(s) {
			delete(all, s.Key)
		}
	}
	return len(all)
}

// open begins a ledger with what is healthy now, or may be: when AWS knows again, it
// has replaced nothing. After a restart nobody knows
// what left before it: ready pods of departing nodes that are not registered are
// taken for it, so that a process that restarts again and again does not spend
// the budget each time.
func (d *departures) open(area string, ledger *Departures) {
	ledger.Before = map[Key]bool{}
	for _, s := range d.w.spots {
		if d.w.area(s) != area {
			continue
		}
		if s.healthy() || d.w.obscure(s) {
			ledger.Before[s.Key] = true
		}
		unregistered := s.target.Presence == Draining || s.target.Presence == Absent
		if d.w.Memory.Departures == nil && unregistered && d.w.class(s) == NodeDeparting && slices.ContainsFunc(s.pods, ready) {
			ledger.Left[s.Key] = true
		}
	}
}

// refund takes back what is healthy again, and what was to leave and did not. The
// latter are returned: they are the first to leave again, else a removal that
// failed would let another one go as well. One that was registered anew and does not
// serve yet is missing as before.
func (d *departures) refund(ledger Departures, candidates []leaver) map[Key]bool {
	again := map[Key]bool{}
	for _, l := range candidates {
		if ledger.Left[l.Key] {
			again[l.Key] = true
			if l.healthy() {
				delete(ledger.Left, l.Key)
			}
		}
	}
	for _, s := range d.w.spots {
		if s.healthy() {
			delete(ledger.Left, s.Key)
		}
	}
	return again
}

// replacements are wanted targets that have become healthy since the ledger was
// opened.
func (d *departures) replacements(area string, ledger Departures) []Key {
	var keys []Key
	for _, s := range d.w.spots {
		_, wanted := d.w.wanted(s)
		if wanted && s.healthy() && !s.target.Shifted && d.w.area(s) == area && !ledger.Before[s.Key] && !ledger.Left[s.Key] {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// settle a ledger when nothing is waiting: replacements make up for what left,
// and what has no pod any more is no loss. What remains is kept.
func (d *departures) settle(area string, ledger Departures, replaced []Key) {
	left := map[Key]bool{}
	for _, s := range d.w.spots {
		if !ledger.Left[s.Key] || len(s.pods) == 0 {
			continue
		}
		if len(left) < len(ledger.Left)-len(replaced) {
			left[s.Key] = true
		}
	}
	if len(left) == 0 {
		return
	}
	for _, key := range replaced {
		ledger.Before[key] = true
	}
	d.memory[area] = Departures{Before: ledger.Before, Left: left}
}

// makeRoom lets as many targets leave as registrations need where a quota is
// exhausted: what the budget holds, as far as the floor allows, evenly over the
// zones.
func (d *departures) makeRoom(need int) {
	serving := map[string]int{}
	for area, count := range d.floor.count {
		serving[area] = -count[durable] - count[fading]
	}
	for _, l := range evenly(d.blocked, serving, func(l leaver) string { return d.w.area(l.spot) }) {
		if len(d.gone) < need && d.floor.allows(l.spot) {
			d.memory[d.w.area(l.spot)].Left[l.Key] = true
			d.leave(l)
			continue
		}
		l.verdict = *keep(RuleBudget, "departures.maxUnavailable of its zone is used up, so it waits for a new healthy target there: "+l.reason)
		d.waiting = append(d.waiting, l)
	}
	d.blocked = nil
}

// evenly orders items so that each next one is of the area that has the least,
// counting those already taken. Within an area the order stays.
func evenly[T any](items []T, has map[string]int, area func(T) string) []T {
	count := maps.Clone(has)
	rest := slices.Clone(items)
	var taken []T
	for len(rest) > 0 {
		best := 0
		for i := range rest {
			if count[area(rest[i])] < count[area(rest[best])] {
				best = i
			}
		}
		count[area(rest[best])]++
		taken = append(taken, rest[best])
		rest = slices.Delete(rest, best, best+1)
	}
	return taken
}

func union(a, b map[Key]bool) map[Key]bool {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func trueFirst(a, b bool) int {
	switch {
	case a && !b:
		return -1
	case b && !a:
		return 1
	}
	return 0
}
