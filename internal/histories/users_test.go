package histories

import (
	"fmt"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// user is somebody who connects through a zone of a group's listener.
type user struct {
	*awssim.Traffic
	arn, zone string
	// seen is how many failures have been judged, before as many attempts.
	seen int
	// excused is how many of them no rule could have saved.
	excused int
}

// judgeUsers says which connections failed that the rules could have saved.
func (w *world) judgeUsers() {
	for _, u := range w.users {
		r := u.Report()
		for _, f := range r.Failures[min(u.seen, len(r.Failures)):] {
			u.seen++
			if why := w.saveable(u, f); why != "" {
				w.wrong("a connection in %s: %s %s: %s: %s", f.Zone, f.At.Format(time.TimeOnly), f.Outcome, f.Why, why)
				continue
			}
			u.excused++
		}
	}
}

// saveable says why a connection need not have failed; empty if it had to:
//
//   - its zone had nobody who had been ready for long enough to be registered and
//     found healthy;
//   - its target was deregistered, and nodes go on to send to it for some time;
//   - its process ended without a word, or restarted in place without failing its
//     health check first, and AWS had not had the time to notice;
//   - it left sooner than anybody could have acted, or while AWS or Kubernetes were
//     not well, or while somebody held its binding.
func (w *world) saveable(u *user, f awssim.Failure) string {
	if w.warm(u.arn, u.zone, f.At) == 0 {
		return ""
	}
	if f.Target.ID == "" {
		return "there are warm targets in the zone"
	}
	end, known := w.judges.down[f.Target]
	if !known {
		return "the process on " + w.what(f.Target) + " never ended"
	}
	dropped, told := w.judges.dropped[f.Target], end.told
	late := told.IsZero() || end.at.Sub(told) < w.given(f.Target, end, dropped) || w.judges.troubled.After(told) || w.warm(u.arn, u.zone, told) == 0 ||
		w.heldSince(u.arn, f.Target, told)
	switch {
	case f.At.Before(dropped.at.Add(w.profile.DeregisteredFlows.Max+news)) && (late || !dropped.at.After(told.Add(prompt))):
		return ""
	case late && f.At.Sub(end.at) < w.noticed():
		return ""
	}
	return fmt.Sprintf("%s was told to end at %s and ended at %s; it was deregistered at %s",
		w.what(f.Target), told.Format(time.TimeOnly), end.at.Format(time.TimeOnly), dropped.at.Format(time.TimeOnly))
}

// noticed is how long AWS may take to send nothing more to a dead process: two
// health checks that fail, and its nodes learn of it.
func (w *world) noticed() time.Duration { return 3*checkEvery + w.profile.UnhealthyFlows.Max }

// given is how long a process must serve after it was told to end, so that the
// rules can save its connections. In place it is AWS's check that takes it out, if
// it fails that first; nobody else does. Else it is deregistered; so is one that ends
// on a departing node: its target is not vacated, but leaves when the budget lets it
// (binding.md §3, "node stays", and §5 rule 7).
func (w *world) given(k awssim.Key, end ending, dropped dropping) time.Duration {
	switch {
	case !end.inPlace, dropped.departing && dropped.at.After(end.told):
		return w.profile.DeregisteredFlows.Max + prompt
	case w.failsCheck[k.Port]:
		return w.noticed()
	}
	return 24 * time.Hour
}

// warm counts the pods of a zone that serve, and have for long enough that AWS can
// know of it, if all was well since.
func (w *world) warm(arn, zone string, at time.Time) int {
	n := 0
	enough := w.profile.Registration.Max + 3*checkEvery + prompt + 2*tick
	seen := map[awssim.Key]bool{}
	w.selected(arn, func(p *running, k awssim.Key, since time.Time) {
		if leaving, departing := signals(p.machine); leaving || departing || !p.up || !p.ready || p.machine.off || p.machine.gone {
			return
		}
		began := latest(since, p.since, p.upSince, w.judges.troubled)
		if p.machine.zone == zone && at.Sub(began) > enough && !seen[k] {
			seen[k] = true
			n++
		}
	})
	return n
}

// failures is how many connections did not end as their users wanted.
func failures(users []*user) int {
	n := 0
	for _, u := range users {
		n += u.Report().Failed()
	}
	return n
}
