package histories

import (
	"fmt"
	"regexp"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	// guardWindow, guardFree and guardPercent are binding.md §5: how many targets may
	// leave without evidence within a time, and guardedFor is how long the others wait.
	guardWindow  = 5 * time.Minute
	guardFree    = 2
	guardPercent = 30
	guardedFor   = 10 * time.Minute
)

// hash is what condition Guarded names for approval.
var hash = regexp.MustCompile(`approve=([0-9a-f]+)`)

// annotationActs: somebody holds a binding for a while, approves what the Guard holds,
// or approves something else.
func (s *story) annotationActs() string {
	b := s.bindings[s.r.IntN(len(s.bindings))]
	guarded := ""
	for _, c := range b.conditions {
		if found := hash.FindStringSubmatch(c.Message); c.Type == "Guarded" && found != nil {
			guarded = found[1]
		}
	}
	switch n := s.r.IntN(4); {
	case n < 2:
		s.hold(b, true)
		s.later2(s.span(5*time.Second, 10*time.Minute), func() { s.hold(b, false) })
		return "hold of " + b.name
	case n == 2 && guarded != "":
		s.approve(b, guarded)
		b.consented = time.Now()
		return "approval for " + b.name
	}
	s.approve(b, fmt.Sprintf("%010x", s.r.Uint64()>>24))
	return "approval of something else for " + b.name
}

func (w *world) hold(b *binding, on bool) {
	switch {
	case on && b.held.IsZero():
		b.held = time.Now()
	case !on && !b.held.IsZero():
		b.held, b.released = time.Time{}, time.Now()
	}
	w.process.enqueue(b.uid)
}

func (w *world) approve(b *binding, what string) {
	b.approved = what
	w.process.enqueue(b.uid)
}

// clockActs: somebody sets Kubernetes' clock, which is as if somebody set ours and
// AWS's: what has been noted before is as it was.
func (s *story) clockActs() string {
	if s.skew = 0; !s.one(4) {
		s.skew = s.span(-12*time.Hour, 12*time.Hour)
	}
	return fmt.Sprintf("Kubernetes is %s ahead", s.skew)
}

// heldSince says that the binding which made a target was held, at some time since
// then.
func (w *world) heldSince(arn string, k awssim.Key, then time.Time) bool {
	for _, b := range w.bindings {
		if b.group.ARN == arn && b.port == k.Port && (!b.held.IsZero() || b.released.After(then)) {
			return true
		}
	}
	return false
}

// judgeBrakes: nothing leaves that somebody holds; and of the targets of a group whose
// process serves, while its own pod has not been told to end and its node gives no sign,
// no more than max(2, 30 %) of the healthy ones leave within five minutes and are not
// back and healthy, unless that has waited or somebody has approved it. Whose pod a process is the judge knows from
// the host: that a Service once pointed at other pods there, and they ended, is nothing
// to it.
func (w *world) judgeBrakes(arn string, keys []awssim.Key) {
	now := time.Now()
	all := w.judges.unproven[arn]
	if all == nil {
		all = map[awssim.Key]time.Time{}
		w.judges.unproven[arn] = all
	}
	fresh := 0
	for _, k := range keys {
		m := w.machineOf(k.ID)
		if m == nil || m.gone && w.process.began.After(m.signalled) {
			continue // nobody can know whose it is: no Node object of it was ever seen
		}
		for _, b := range w.bindings {
			if b.group.ARN == arn && b.port == k.Port && !b.held.IsZero() && now.Sub(b.held) > news {
				w.wrong("DeregisterTargets names %s, and %s is held", w.what(k), b.name)
			}
		}
		if w.unproven(arn, k, m) {
			all[k] = now
			fresh++
		}
	}
	healthy := map[awssim.Key]bool{}
	for _, t := range w.sim.Targets(arn) {
		if t.State == awssim.Healthy || w.judges.read[arn][t.Key].State == awssim.Healthy {
			healthy[t.Key] = true
		}
	}
	for k, at := range all {
		is, _ := w.sim.Target(arn, k.ID, k.Port)
		back := is.State == awssim.Healthy && now.Sub(at) > time.Minute // by then each call has had its effect
		if back || now.Sub(at) >= guardWindow {
			delete(all, k)
			continue
		}
		healthy[k] = true
	}
	if most := max(guardFree, len(healthy)*guardPercent/100); fresh > 0 && len(all) > most {
		w.wrong("DeregisterTargets of %v: %d targets of %d that nobody saw go have left, %d may", keys, len(all), len(healthy), most)
	}
}

// unproven says that a target's process serves and nobody has seen its pod or its node
// go, nor a stranger come, and that its binding has neither waited for long enough nor
// been told to go on.
func (w *world) unproven(arn string, k awssim.Key, m *machine) bool {
	leaving, departing := signals(m)
	if time.Since(m.signalled) <= news+w.judges.lag {
		return false // it may have given a sign until a moment ago
	}
	p := m.listens[k.Port]
	if p == nil || !p.up || !p.ended.IsZero() || leaving || departing || m.off || m.gone ||
		w.judges.read[arn][k].State != awssim.Healthy || w.stranger(arn, k, p) {
		return false
	}
	for _, b := range w.bindings {
		if b.group.ARN != arn || b.port != k.Port {
			continue
		}
		if time.Since(b.consented) < guardWindow || time.Since(w.edited[b.service]) >= guardedFor {
			return false
		}
	}
	return true
}
