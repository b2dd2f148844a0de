package histories

import (
	"slices"
	"strings"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// emptying judges from now on what leaves a group while the last pods of an app end,
// by binding.md §5:
//
//   - the last target of a zone stays as long as a process is on it (rule 4). When
//     that is gone it may leave, as long as some pod matches yet (rule 6): one of
//     another zone that is ending, or one of its own whose target has left before;
//   - when no pod matches, not even one that is ending, everything stays (rule 3).
//
// So a zone is held, or was left without a process on its last target, and what ends
// first decides which. What it returns asserts that, and is called in the end.
func (w *world) emptying(arn string, a *app) (held func() map[string]bool) {
	left := map[string]bool{}
	heard := len(w.events())
	w.do(func() {
		w.judges.onCall = func(c awssim.Call) {
			if c.Action != "DeregisterTargets" || c.TargetGroupARN != arn {
				return
			}
			leave := named(c)
			if len(w.where(func(p *running) bool { return p.app == a })) == 0 && time.Since(w.lastGone(a)) > news {
				w.wrong("DeregisterTargets names %d targets, and no pod matches", len(leave))
			}
			for zone, keys := range w.held(arn, leave...) {
				if len(keys) > 0 {
					continue
				}
				left[zone] = true
				for _, k := range leave {
					m := w.machineOf(k.ID)
					if p := m.listens[k.Port]; m.zone == zone && p != nil && p.up {
						w.wrong("DeregisterTargets names %s, the last one in %s, and its process is there", w.what(k), zone)
					}
				}
			}
		}
	})
	return func() map[string]bool {
		w.t.Helper()
		is := map[string]bool{}
		for _, e := range w.events()[heard:] {
			if strings.Contains(e, "DeregisteredTargets") && !strings.Contains(e, string(targets.RulePodDeparted)) {
				w.t.Errorf("something left for another reason than its own pod's end: %s", e)
			}
		}
		w.do(func() {
			w.judges.onCall = nil
			for zone, keys := range w.held(arn) {
				is[zone] = len(keys) > 0
				if is[zone] == left[zone] {
					w.t.Errorf("%s: holds %v, and its last target was taken out: %t", zone, keys, left[zone])
				}
			}
		})
		return is
	}
}

// events are those of the bindings so far.
func (w *world) events() []string {
	w.hearing.Lock()
	defer w.hearing.Unlock()
	return slices.Clone(w.heard)
}

// held are the targets of a group by zone, but for some and those that drain.
func (w *world) held(arn string, without ...awssim.Key) map[string][]awssim.Key {
	out := map[string][]awssim.Key{}
	for _, zone := range zones {
		out[zone] = nil
	}
	for _, t := range w.sim.Targets(arn) {
		if t.State != awssim.Draining && !slices.Contains(without, t.Key) {
			out[t.Zone] = append(out[t.Zone], t.Key)
		}
	}
	return out
}

// lastGone is when the last Pod object of an app was removed.
func (w *world) lastGone(a *app) time.Time {
	var at time.Time
	for k, last := range w.judges.last {
		if k.Port == a.port {
			at = latest(at, last.at)
		}
	}
	return at
}

// scaledToZeroOneByOne ends the last pod of one zone while that of the other serves.
func scaledToZeroOneByOne(w *world) {
	a := patient(w, "web")
	w.machinesIn(4)
	d := &deployment{app: a, version: 1, replicas: 2}
	arn := w.serve(d, a)[0].arn
	held := w.emptying(arn, a)
	var last *running
	w.do(func() { d.replicas = 1 })
	w.until("one pod is left", time.Hour, func() bool {
		for _, p := range w.pods {
			last = p
		}
		return len(w.pods) == 1
	})
	w.settled(20 * time.Minute)
	w.do(func() { d.replicas = 0 })
	w.until("no pod is left", time.Hour, func() bool { return len(w.pods) == 0 })
	w.run(20 * time.Minute)
	for zone, is := range held() {
		if want := zone == last.machine.zone; is != want {
			w.t.Errorf("%s is held: %t, want %t: the last pod was in %s", zone, is, want, last.machine.zone)
		}
	}
	w.do(func() { d.replicas = 2 })
	w.settled(30 * time.Minute)
}
