package binder

import (
	"time"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// Times of binding.md §7 and §8.
const (
	// readLag is for how long after a write a health read may still show what
	// was before it.
	readLag = 30 * time.Second
	// confirmAfter the last write of a burst comes one confirming read.
	confirmAfter = 15 * time.Second
	// lateAfter a call of which nobody knows the effect it is looked whether it had one
	// after all: that takes up to 40 s (design §8), and a read may lag.
	lateAfter = 75 * time.Second
	// Wishes to read again, by what is waited for. They count from when a read has come
	// back: with both calls it is 2 s from what one read missed to when a gate opens.
	wishRegistering   = 10 * time.Second
	wishChecking      = 1800 * time.Millisecond
	wishUnhealthy     = 15 * time.Second
	wishLongUnhealthy = 60 * time.Second
	longUnhealthy     = 15 * time.Minute
	// repairTakes is what a read and the registration that it leads to take: a quiet
	// group is read so much earlier, so that what somebody else changes is repaired
	// within the poll interval.
	repairTakes = time.Second
	// drainedAfter the deregistration delay a draining target is looked at once.
	drainedAfter = 5 * time.Second

	reasonRegistering = "Elb.RegistrationInProgress"
	reasonChecking    = "Elb.InitialHealthChecking"
)

// refusedFor is how long a refused target is left alone, by how often in a row
// it was refused.
var refusedFor = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute}

// A state is what is known of one target of a group.
type state struct {
	targets.Target
	// refusals in a row.
	refusals int
	// unhealthySince is since when AWS calls it unhealthy without a break.
	unhealthySince time.Time
	// leftAt is when it was deregistered last, or may have been.
	leftAt time.Time
	// doubtedAt is when a write of it failed last that may have an effect yet.
	doubtedAt time.Time
	// drainUntil is when it should be gone.
	drainUntil time.Time
	// staleUntil is until when a read may still tell the health that it had before
	// it was registered again; zero if it was not.
	staleUntil time.Time
}

// states are all targets of a group. They are a value of one goroutine at a time.
type states map[targets.Key]*state

func (s states) of(k targets.Key) *state {
	t := s[k]
	if t == nil {
		t = &state{Target: targets.Target{Key: k, Presence: targets.Absent}}
		s[k] = t
	}
	return t
}

// list copies the targets, for a plan.
func (s states) list() []targets.Target {
	out := make([]targets.Target, 0, len(s))
	for _, t := range s {
		out = append(out, t.Target)
	}
	return out
}

// registered are the keys that may be registered: what a view is asked about.
func (s states) registered() []targets.Key {
	out := make([]targets.Key, 0, len(s))
	for k, t := range s {
		if t.Presence == targets.Registered || t.Presence == targets.Unknown {
			out = append(out, k)
		}
	}
	return out
}

// wroteRegistered notes a RegisterTargets that succeeded.
func (s states) wroteRegistered(keys []targets.Key, now time.Time) {
	for _, k := range keys {
		t := s.of(k)
		if t.Presence != targets.Registered {
			if t.Presence != targets.Absent {
				t.staleUntil = now.Add(readLag)
			}
			t.Health, t.Reason, t.ReadAt = targets.HealthInitial, reasonRegistering, time.Time{}
		}
		t.Presence, t.LastWrite = targets.Registered, now
		t.RefusedUntil, t.Refusal, t.refusals = time.Time{}, "", 0
	}
}

// wroteDeregistered notes a DeregisterTargets that succeeded.
func (s states) wroteDeregistered(keys []targets.Key, now time.Time, drain time.Duration) {
	for _, k := range keys {
		t := s.of(k)
		t.Presence, t.LastWrite, t.leftAt = targets.Draining, now, now
		t.Health, t.Reason = targets.HealthDraining, "Target.DeregistrationInProgress"
		t.drainUntil = now.Add(drain)
	}
}

// doubted notes a write of which nobody knows whether it took effect.
func (s states) doubted(keys []targets.Key, now time.Time, register bool) {
	for _, k := range keys {
		t := s.of(k)
		t.Presence, t.LastWrite, t.doubtedAt = targets.Unknown, now, now
		if !register {
			t.leftAt = now
		}
	}
}

// refused notes targets that AWS will not register.
func (s states) refused(keys []targets.Key, now time.Time, why string) {
	for _, k := range keys {
		t := s.of(k)
		wait := refusedFor[min(t.refusals, len(refusedFor)-1)]
		t.refusals++
		t.RefusedUntil, t.Refusal = now.Add(wait), why
	}
}

// A reading is one target as DescribeTargetHealth told it.
type reading struct {
	targets.Key
	health targets.Health
	reason string
	// shifted: a zonal shift keeps traffic from it.
	shifted bool
}

func (r reading) presence() targets.Presence {
	if r.health == targets.HealthDraining {
		return targets.Draining
	}
	return targets.Registered
}

// merge takes in a full read of the group that began at began. A read may be up
// to readLag behind, so it changes only targets that were not written since,
// unless it agrees. It returns when to read again because of a disagreement;
// zero if there was none.
func (s states) merge(read []reading, began, now time.Time) time.Time {
	var again time.Time
	disagrees := func(t *state) {
		if at := t.LastWrite.Add(readLag + time.Second); at.After(again) {
			again = at
		}
	}
	seen := make(map[targets.Key]bool, len(read))
	for _, r := range read {
		seen[r.Key] = true
		t := s.of(r.Key)
		if t.written(began) && t.Presence != r.presence() || t.returned(began) {
			if t.Presence == targets.Unknown && t.Health != r.health {
				t.Health, t.Reason = targets.HealthUnread, "" // what it was it may be no more, and serve
			}
			disagrees(t)
			continue
		}
		t.take(r, began, now)
	}
	for k, t := range s {
		switch {
		case seen[k]:
		case t.written(began) && (t.Presence == targets.Registered || t.Presence == targets.Unknown):
			disagrees(t)
		case t.RefusedUntil.IsZero() && !now.Before(t.doubtedAt.Add(lateAfter)):
			delete(s, k)
		default: // what AWS refused is remembered, and what may come yet
			t.Presence, t.Health, t.Reason = targets.Absent, targets.HealthUnread, ""
		}
	}
	return again
}

// written says whether a read that began then may be older than our last write.
func (t *state) written(began time.Time) bool {
	return !t.LastWrite.IsZero() && t.LastWrite.After(began.Add(-readLag))
}

// returned says that it has been registered anew, and that a read that began then may
// tell of its health before it left.
func (t *state) returned(began time.Time) bool {
	return t.Presence == targets.Registered && t.LastWrite.After(t.leftAt) && t.leftAt.After(began.Add(-readLag))
}

func (t *state) take(r reading, began, now time.Time) {
	bad := r.health == targets.HealthUnhealthy || r.health == targets.HealthUnhealthyDraining
	switch {
	case !bad:
		t.unhealthySince = time.Time{}
	case t.unhealthySince.IsZero():
		t.unhealthySince = now
	}
	t.Presence, t.Health, t.Reason, t.Shifted = r.presence(), r.health, r.reason, r.shifted
	t.ReadAt = began
	if began.Before(t.staleUntil) && r.health != targets.HealthInitial {
		t.ReadAt = time.Time{}
	}
	if t.Presence == targets.Registered {
		t.RefusedUntil, t.Refusal, t.refusals = time.Time{}, "", 0
	}
}

// wish is when the group should be read again after a read at last, by what is
// waited for. Draining is not: it is looked at once when it should be over.
func (s states) wish(last, now time.Time, poll time.Duration) wish {
	w := wish{urgencyQuiet, last.Add(max(poll-repairTakes, poll/2)), last}
	sooner := func(u urgency, due time.Time) {
		if due.Before(w.due) {
			w.due = due
		}
		w.urgency = min(w.urgency, u)
	}
	for _, t := range s {
		switch {
		case t.Presence == targets.Draining:
			if end := t.drainUntil.Add(drainedAfter); end.After(last) && !t.drainUntil.IsZero() {
				sooner(urgencyQuiet, end)
			}
		case t.Presence == targets.Unknown:
			sooner(urgencyAwaited, t.LastWrite.Add(readLag+time.Second))
		case t.Health == targets.HealthInitial && t.Reason == reasonChecking:
			sooner(urgencyAwaited, last.Add(wishChecking))
		case t.Health == targets.HealthInitial:
			sooner(urgencyAwaited, last.Add(wishRegistering))
		case !t.unhealthySince.IsZero() && now.Sub(t.unhealthySince) > longUnhealthy:
			sooner(urgencyAwaited, last.Add(wishLongUnhealthy))
		case !t.unhealthySince.IsZero():
			sooner(urgencyAwaited, last.Add(wishUnhealthy))
		}
		// One confirming read after the last write of a burst.
		if confirm := t.LastWrite.Add(confirmAfter); !t.LastWrite.IsZero() && confirm.After(last) {
			sooner(urgencyAwaited, confirm)
		}
		if late := t.doubtedAt.Add(lateAfter); !t.doubtedAt.IsZero() && late.After(last) {
			sooner(urgencyAwaited, late)
		}
	}
	return w
}
