package targets

import (
	"slices"
	"time"
)

// vacatedAt is since when the target has had no pod object; now, if no plan has
// noted it: after a restart, a hold or a broken view timers start again.
func (w *world) vacatedAt(s *spot) time.Time {
	if s.claim.VacatedAt.IsZero() {
		return w.Now
	}
	return s.claim.VacatedAt
}

// unreadySince is since when no pod of the target was ready. What a plan has seen
// counts first: if the last one saw a ready pod, the time starts now. Kubernetes' own
// note counts where no plan was, and where it is of a ready moment that none saw; a
// pod that never was ready continues the time of the one before it.
func (w *world) unreadySince(s *spot) time.Time {
	since := s.claim.UnreadySince
	if since.IsZero() && s.claim.Pod != (PodRef{}) {
		return w.Now
	}
	for _, pod := range s.pods {
		if pod.UnreadySince.After(since) {
			since = w.here(pod.UnreadySince)
		}
	}
	if since.IsZero() {
		return w.Now
	}
	return since
}

// here is a time that another clock has noted, by the clock of this process. From then
// on it is as old as it was plus what has passed, though somebody sets the wall clock:
// the note itself has a wall clock's reading only.
func (w *world) here(noted time.Time) time.Time { return w.Now.Add(-w.Now.Sub(noted)) }

// remember makes the memory for the next plan. Pods that are seen are believed in
// any view; that a pod is not there is believed only when absence is known: in a
// whole view of a group that was read, and not while everything is held (what is
// held must not find its time run out when the first pod comes back).
func (w *world) remember(waiting []Change, departures map[string]Departures, absence bool) Memory {
	memory := Memory{Claims: map[Key]Claim{}, Departures: departures}
	isWaiting := map[Key]bool{}
	for _, change := range waiting {
		isWaiting[change.Key] = true
	}
	for _, s := range w.spots {
		claim, remembered := w.claimOf(s, absence)
		if isWaiting[s.Key] && claim.WaitingSince.IsZero() {
			claim.WaitingSince = w.Now
		}
		if !isWaiting[s.Key] && absence {
			claim.WaitingSince = time.Time{}
		}
		if remembered || isWaiting[s.Key] {
			memory.Claims[s.Key] = claim
		}
	}
	return memory
}

func (w *world) claimOf(s *spot, absence bool) (Claim, bool) {
	claim := s.claim
	if len(s.pods) > 0 {
		claim.Maker = w.maker(s)
		claim.Pod, claim.Node, claim.Zone = s.pod(), s.pods[0].Node, s.zone
		claim.Returns = slices.ContainsFunc(s.pods, returns)
		claim.VacatedAt, claim.UnreadySince = time.Time{}, time.Time{}
		if !slices.ContainsFunc(s.pods, ready) {
			claim.UnreadySince = w.unreadySince(s)
		}
		return claim, true
	}
	if !absence {
		claim.VacatedAt = time.Time{}
		return claim, s.claimed
	}
	if !s.registered() || !s.ours {
		return claim, false
	}
	claim.Zone = s.zone
	if s.known {
		claim.Node = s.node.Name
	}
	if !w.moved(s) {
		claim.VacatedAt = w.vacatedAt(s)
	}
	return claim, true
}
