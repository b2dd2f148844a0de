package controller

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// How soon to look again.
const (
	// pollApplying: AWS was changed, see whether it shows.
	pollApplying = 2 * time.Second
	// pollConflicted: the object was read from a cache that lags behind.
	pollConflicted = 100 * time.Millisecond
	// pollHealing: not ready, for a reason that time heals.
	pollHealing = 5 * time.Second
)

// A poll says what the next look waits for.
type poll string

const (
	// pollBackoff leaves it to the rate limiter, which backs off.
	pollBackoff poll = "Backoff"
	// pollAgain: what was found could not be written, since the object has changed.
	pollAgain poll = "Again"
	// pollSoon: what was wanted is not yet seen applied, or what it waits for not told.
	pollSoon poll = "Soon"
	// pollHeal: time heals it.
	pollHeal poll = "Heal"
	// pollQuiet: nothing is due, or only an event helps.
	pollQuiet poll = "Quiet"
)

// next decides what the next look waits for.
func (p *pass) next() poll {
	switch {
	case p.conflict:
		return pollAgain
	case p.untold && !p.creating:
		return pollSoon
	case p.stalled != nil, p.waiting:
		return pollQuiet
	case p.failed && !p.connected && !p.deleting:
		// A Secret or a role that is missing. Configurations are watched, the
		// Secrets they name are not.
		return pollHeal
	case p.failed, p.deleting, p.creating, !p.observed:
		return pollBackoff
	case p.repeated:
		return pollHeal
	case !p.applied:
		return pollSoon
	case p.ready.Status != corev1.ConditionTrue && !slices.Contains(p.quiet, p.ready.Reason) && p.ready.Reason != ReasonMissing:
		return pollHeal
	}

	return pollQuiet
}

// after returns how long to wait. It is never zero or less. jitter is in [-1, 1]
// times the fraction by which the interval may differ.
func (p poll) after(interval time.Duration, jitter float64) (time.Duration, bool) {
	switch p {
	case pollBackoff:
		return 0, false
	case pollAgain:
		return pollConflicted, true
	case pollSoon:
		return pollApplying, true
	case pollHeal:
		return pollHealing, true
	case pollQuiet:
	}

	return max(interval+time.Duration(float64(interval)*jitter), time.Second), true
}
