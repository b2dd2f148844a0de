package histories

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// A mistake takes what serves out of sight, on eight machines of which each has a pod of
// "web", whose binding it is, and one of "other", which listens on a port of its own.
// Nothing may leave for nine minutes, after which it is mended.
type mistake struct {
	reason string
	// undeclared: no pod declares its port.
	undeclared bool
	// inTurn: pods end in turn, and before the others are seen to end too few may have
	// ended for the Guard to hold their targets.
	inTurn bool
	act    func(m mistaken)
	mend   func(m mistaken)
}

// mistaken is the world of a mistake.
type mistaken struct {
	*world

	web, other *deployment
	binding    *binding
}

var mistakes = map[string]mistake{
	"TheServiceIsPointedAtPodsThatEnd": {
		reason: "that they end is no evidence of the end of those that serve on the port",
		act: func(m mistaken) {
			m.do(func() { m.other.replicas = 1 })
			m.run(10 * time.Second)
			m.do(m.pointElsewhere)
		},
		mend: mistaken.pointBack,
	},
	"TheServiceIsPointedAtPodsThatEndLater": {
		reason: "nor is it when they have had the targets for a while",
		inTurn: true,
		act:    mistaken.pointElsewhereForAWhile,
		mend:   mistaken.pointBack,
	},
	"ThePodsDeclareNoPort": {
		reason:     "who had the targets before is remembered for as long as its pod goes on",
		undeclared: true,
		inTurn:     true,
		act:        mistaken.pointElsewhereForAWhile,
		mend:       mistaken.pointBack,
	},
	"AndTheProcessIsRestarted": {
		reason: "who declares the port is known to a process that has never seen it selected",
		inTurn: true,
		act: func(m mistaken) {
			m.do(m.pointElsewhere)
			m.run(10 * time.Second)
			m.do(func() { m.restart = time.Now() })
			m.run(time.Minute)
			m.do(func() { m.other.replicas = 1 })
		},
		mend: mistaken.pointBack,
	},
	"ABackupIsRestored": {
		reason: "what a list lacks was not seen to be deleted, were it one pod only",
		act: func(m mistaken) {
			m.do(func() { m.api.lose("pods", m.of(m.web)[0].pod) })
		},
		mend: func(m mistaken) { m.api.put("pods", m.of(m.web)[0].pod) },
	},
}

func TestNothingLeavesByMistake(t *testing.T) {
	for name, mk := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, awssim.Observed, func(w *world) {
				m := mistakenWorld(w, mk.undeclared)
				w.do(func() { clear(w.judges.writes) })
				mk.act(m)
				w.run(9 * time.Minute)
				m.stayed(mk.inTurn)
				w.do(func() { mk.mend(m) })
				w.settled(10 * time.Minute)
				m.stayed(mk.inTurn)
				w.do(func() {
					if n := failures(w.users); n > 0 {
						t.Errorf("%d connections failed", n)
					}
				})
			})
			if t.Failed() {
				t.Logf("reason: %s", mk.reason)
			}
		})
	}
}

// pointElsewhereForAWhile lets the other pods have the targets, and then end.
func (m mistaken) pointElsewhereForAWhile() {
	m.do(m.pointElsewhere)
	m.run(time.Minute)
	m.do(func() { m.other.replicas = 1 })
}

// stayed says that nothing was written, or that no more has left than the Guard lets
// leave without evidence: two of eight.
func (m mistaken) stayed(inTurn bool) {
	m.t.Helper()
	if !inTurn {
		m.wrote(0, 0)
		return
	}
	m.do(func() {
		there := 0
		for _, t := range m.sim.Targets(m.binding.group.ARN) {
			if t.State != awssim.Draining {
				there++
			}
		}
		if there < 6 {
			m.t.Errorf("%d of 8 targets are there, want 6 at least\n%s", there, m.calls())
		}
	})
}

// TestABrakeIsReleasedWhileNobodyCanSee: what a hold has kept leaves when it ends, but
// not on what was known of Kubernetes before it could not be watched any more.
func TestABrakeIsReleasedWhileNobodyCanSee(t *testing.T) {
	inWorld(t, awssim.Observed, func(w *world) {
		m := mistakenWorld(w, false)
		w.do(func() {
			clear(w.judges.writes)
			w.hold(m.binding, true)
			m.web.replicas = 6
		})
		w.until("two pods are gone", 10*time.Minute, func() bool { return len(m.of(m.web)) == 6 })
		w.run(time.Minute)
		w.do(func() { w.api.setDown(true); w.judges.goesBlind() })
		w.run(2 * news)
		w.do(func() { w.hold(m.binding, false) })
		w.run(2 * time.Minute)
		w.wrote(0, 0)
		w.do(func() { w.api.setDown(false); w.judges.sees() })
		w.settled(10 * time.Minute)
	})
}

func mistakenWorld(w *world, undeclared bool) mistaken {
	w.machinesIn(8)
	web, other := patient(w, "web"), patient(w, "other")
	other.port = 9443
	web.undeclared, other.undeclared = undeclared, undeclared
	m := mistaken{world: w, web: &deployment{app: web, version: 1, replicas: 8}, other: &deployment{app: other, version: 1, replicas: 8}}
	w.do(func() { w.controllers = append(w.controllers, m.other) })
	w.serve(m.web, web)
	w.do(func() { m.binding = w.bindings[0] })
	return m
}

// of are the pods of a workload.
func (m mistaken) of(d *deployment) []*running {
	return m.where(func(p *running) bool { return p.app == d.app })
}

func (m mistaken) pointElsewhere() {
	m.service(m.web.app.name, m.other.app.name, intstr.FromInt32(m.web.app.port))
}

func (m mistaken) pointBack() {
	m.service(m.web.app.name, m.web.app.name, intstr.FromInt32(m.web.app.port))
}
