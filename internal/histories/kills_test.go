package histories

import (
	"flag"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

var everyFate = flag.Bool("every-fate", false, "let the process die with each call in every way, not in one of them by turns")

// How a call fares with which the process dies.
const (
	lost  = "without an effect"
	taken = "with an effect"
	late  = "with an effect 40 s later"
)

var fates = []string{lost, taken, late}

// A killing is a rollout in whose middle the process dies.
type killing struct {
	reason string
	// begin makes a world in which all is well and returns its group, what starts the
	// rollout, and what waits for its end.
	begin func(w *world) (arn string, act, ends func())
	// calls that the rollout takes at least.
	calls int
}

var killings = map[string]killing{
	"InPlace": {
		reason: "that a target is vacated is known from pods alone, and what is not known leaves nobody out",
		calls:  10,
		begin: func(w *world) (string, func(), func()) {
			a := careful("web")
			a.daemonSet = true
			ds := &daemonSet{app: a, version: 1, unavailable: 1}
			w.machinesIn(6)
			arn := w.under(ds, a, func(b *binding) { b.poll = time.Minute }) // reads are all its calls
			return arn, func() { clear(w.judges.writes); ds.version++ }, func() {
				w.rolled(a, func() int { return 2 }, 6)
				w.run(5 * time.Minute)
				w.wrote(0, 0)
			}
		},
	},
	"Moving": {
		reason: "what was registered is found again, and what AWS calls healthy lets an old pod end",
		calls:  20,
		begin: func(w *world) (string, func(), func()) {
			a := survivor(w, "web")
			d := &deployment{app: a, version: 1, replicas: 4, surge: 4, gated: w.healthy}
			w.machinesIn(8)
			arn := w.under(d, a)
			return arn, func() { d.version++ }, func() { w.rolled(a, func() int { return 2 }, 4) }
		},
	},
	"MovingWithReadinessGates": {
		reason: "a gate that one process has not opened is opened by the next, for AWS's word alone",
		calls:  20,
		begin: func(w *world) (string, func(), func()) {
			a := survivor(w, "web")
			a.gates = []string{"web"}
			d := &deployment{app: a, version: 1, replicas: 4, surge: 2}
			w.machinesIn(8)
			arn := w.under(d, a)
			return arn, func() { d.version++ }, func() { w.rolled(a, func() int { return 2 }, 4) }
		},
	},
	"TheSelectionChanges": {
		reason: "what has left and what may leave is told from AWS, not from memory: the budget is not spent twice",
		calls:  20,
		begin: func(w *world) (string, func(), func()) {
			blue, green := survivor(w, "blue"), survivor(w, "green")
			green.port = 9443
			w.machinesIn(8)
			other := &deployment{app: green, version: 1, replicas: 4}
			w.do(func() { w.controllers = append(w.controllers, other) })
			arn := w.under(&deployment{app: blue, version: 1, replicas: 4}, blue)
			return arn, func() { w.service("blue", "green", intstr.FromInt32(9443)) }, func() {}
		},
	},
	"NodesDepart": {
		reason: "what is announced for many nodes at once leaves one for one, whoever counts",
		calls:  20,
		begin: func(w *world) (string, func(), func()) {
			a := survivor(w, "web")
			a.daemonSet, a.tolerates = true, true
			old := w.machinesIn(6)
			arn := w.under(&daemonSet{app: a, version: 1, unavailable: 1}, a)
			return arn, func() {
				for _, m := range old[:4] {
					w.label(m, corev1.LabelNodeExcludeBalancers, true)
				}
				for i := range 4 {
					w.addMachine(zones[i%2])
				}
			}, func() {}
		},
	},
}

// survivor is a patient workload that serves for as long as a new leader needs, too: it
// comes after 15 s, and 30 s later it believes what AWS tells.
func survivor(w *world, name string) *app {
	a := patient(w, name)
	a.drains += time.Minute
	return a
}

// under lets a controller run an app and binds it to a group, until all is well.
func (w *world) under(c controller, a *app, edit ...func(*binding)) string {
	w.t.Helper()
	w.do(func() { w.controllers = append(w.controllers, c) })
	arn := w.groupOf(a.name, a)
	w.bind(a.name, arn, a, edit...)
	w.settled(15 * time.Minute)
	return arn
}

// TestKilledAtEveryCall lives through a rollout again and again, and each time the
// process dies with the next call, reads included: nobody may notice. make test lets
// every call fare in every way without the race detector, and in turns with it.
func TestKilledAtEveryCall(t *testing.T) {
	for name, k := range killings {
		if !*everyFate {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				k.sweep(t, fates)
			})
			continue
		}
		for _, fate := range fates {
			t.Run(name+"/"+fate, func(t *testing.T) {
				t.Parallel()
				k.sweep(t, []string{fate})
			})
		}
	}
}

// sweep dies with each call, which fares as the fates say in turn.
func (k killing) sweep(t *testing.T, fates []string) {
	n := 1
	for ; k.at(t, n, fates[n%len(fates)]) && !t.Failed(); n++ {
	}
	if n <= k.calls {
		t.Errorf("the rollout took %d calls: there must be more to die with", n-1)
	}
	t.Logf("%s: the process died at each of %d calls", k.reason, n-1)
}

// at is the rollout whose process dies with its nth call; false if it took fewer.
func (k killing) at(t *testing.T, n int, fate string) (happened bool) {
	t.Helper()
	inWorld(t, awssim.Observed, func(w *world) {
		w.title = func() string { return fmt.Sprintf("killed at call %d, %s", n, fate) }
		arn, act, ends := k.begin(w)
		w.connect(arn, 5*time.Second, 20*time.Second)
		w.do(func() {
			act()
			left := n
			w.judges.onCall = func(c awssim.Call) {
				if left--; left == 0 {
					happened = true
					w.die(c, fate)
				}
			}
		})
		ends()
		w.settled(time.Hour)
		w.do(func() {
			if failed := failures(w.users); failed > 0 {
				t.Errorf("%d connections failed", failed)
			}
		})
	})
	return happened
}

// die with a call. It must not take longer than a new leader needs, but for what
// the call does.
func (w *world) die(c awssim.Call, fate string) {
	w.trouble(aftermath)
	w.restart = time.Now().Add(15 * time.Second)
	switch fate {
	case lost:
		w.process.stop()
		return
	case taken:
		w.sim.Fault(awssim.Fault{Action: c.Action, Effect: awssim.LoseResponse, Times: 1})
	case late:
		w.sim.Fault(awssim.Fault{Action: c.Action, Effect: awssim.TakeLate, Times: 1})
	}
	time.AfterFunc(2*latency, w.process.stop)
}
