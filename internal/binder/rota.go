package binder

import (
	"time"

	"golang.org/x/time/rate"
)

const (
	// readsPerSecond and readBurst bound the health reads of an account and
	// region (binding.md §8).
	readsPerSecond = 3
	readBurst      = 10
	// quietPerSecond bounds those of them that nobody waits for.
	quietPerSecond = 1
	// turns: one read in so many goes to the less urgent, so that gates cannot keep
	// all others waiting for ever.
	turns = 4
)

// An urgency says who is read first.
type urgency int

// The urgencies, first read first.
const (
	// urgencyGate: a pod's readiness gate waits for the answer.
	urgencyGate urgency = iota
	// urgencyAwaited: something else waits for it: a target that is new, unhealthy
	// or in doubt, or a departure whose replacement is.
	urgencyAwaited
	// urgencyQuiet: nobody does.
	urgencyQuiet
)

// A wish is when a group's health should be read.
type wish struct {
	urgency urgency
	// due is the soonest.
	due time.Time
	// last is when it was read last, or when that failed.
	last time.Time
}

// A rota decides which group of an account and region is read next. It makes no
// call and has no clock.
//
// Of those that are due the more urgent come first, and among these the one that
// was read the longest ago: so a group is read at its wish, or, where more groups
// wait than can be read, at the number of these divided by the rate.
type rota struct {
	reads, quiet *rate.Limiter
	// passed is how many reads in a row passed over a less urgent group that was
	// due.
	passed int
}

func newRota() *rota {
	return &rota{
		reads: rate.NewLimiter(readsPerSecond, readBurst),
		quiet: rate.NewLimiter(quietPerSecond, 1),
	}
}

// next returns the group to read now, by its key in wishes; or none, and when to
// ask again, which is the zero time if there are no wishes.
func (r *rota) next(now time.Time, wishes map[string]wish) (key string, again time.Time) {
	first, patient, again := r.survey(now, wishes)
	if patient != "" && r.passed >= turns-1 {
		return patient, now
	}
	return first, again
}

// survey returns, of those that can be read now, the first in turn, and of those
// that are less urgent than it the one that has been due the longest; if there is
// none, when the first can be.
func (r *rota) survey(now time.Time, wishes map[string]wish) (first, patient string, soonest time.Time) {
	all, quiet := token(r.reads, now), token(r.quiet, now)
	var ready []string
	for key, w := range wishes {
		at := latest(w.due, all)
		if w.urgency == urgencyQuiet {
			at = latest(at, quiet)
		}
		if soonest.IsZero() || at.Before(soonest) {
			soonest = at
		}
		if at.After(now) {
			continue
		}
		ready = append(ready, key)
		if first == "" || w.before(wishes[first], key, first) {
			first = key
		}
	}
	for _, key := range ready {
		w, longest := wishes[key], wishes[patient]
		if w.urgency > wishes[first].urgency && (patient == "" || w.due.Before(longest.due) || w.due.Equal(longest.due) && key < patient) {
			patient = key
		}
	}
	return first, patient, soonest
}

// take notes that the group is read now.
func (r *rota) take(now time.Time, key string, wishes map[string]wish) {
	if _, patient, _ := r.survey(now, wishes); patient == "" || key == patient {
		r.passed = 0
	} else {
		r.passed++
	}
	r.reads.ReserveN(now, 1)
	if wishes[key].urgency == urgencyQuiet {
		r.quiet.ReserveN(now, 1)
	}
}

// before says that w, under a key, comes before o under another.
func (w wish) before(o wish, key, other string) bool {
	switch {
	case w.urgency != o.urgency:
		return w.urgency < o.urgency
	case !w.last.Equal(o.last):
		return w.last.Before(o.last)
	}
	return key < other
}

// token is when a limiter has one.
func token(l *rate.Limiter, now time.Time) time.Time {
	const whole = 1 - 1e-6 // one but for rounding
	missing := whole - l.TokensAt(now)
	if missing <= 0 {
		return now
	}
	return now.Add(time.Duration(missing/float64(l.Limit())*float64(time.Second)) + time.Microsecond)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
