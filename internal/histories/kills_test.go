package histories

import (
	"fmt"
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// How a call fares with which the process dies.
const (
	lost  = "without an effect"
	taken = "with an effect"
	late  = "with an effect 40 s later"
)

// TestKilledAtEveryCall lives through a rollout again and again, and each time the
// process dies with the next call, reads included: nobody may notice.
func TestKilledAtEveryCall(t *testing.T) {
	for _, fate := range []string{lost, taken, late} {
		t.Run(fate, func(t *testing.T) {
			t.Parallel()
			n := 1
			for ; killedAt(t, n, fate) && !t.Failed(); n++ {
			}
			if n < 20 {
				t.Errorf("the rollout took %d calls: there must be more to die with", n)
			}
		})
	}
}

// killedAt is a rollout whose process dies with its nth call; false if it took fewer.
func killedAt(t *testing.T, n int, fate string) (happened bool) {
	t.Helper()
	inWorld(t, awssim.Observed, func(w *world) {
		w.title = func() string { return fmt.Sprintf("killed at call %d, %s", n, fate) }
		a := patient(w, "web")
		// A new leader comes after 15 s, and 30 s later it believes what AWS tells.
		a.drains += time.Minute
		d := &deployment{app: a, version: 1, replicas: 4, surge: 4, gated: w.healthy}
		w.machinesIn(8)
		w.do(func() { w.controllers = append(w.controllers, d) })
		arn := w.groupOf(a.name, a)
		w.bind(a.name, arn, a)
		w.settled(15 * time.Minute)
		w.connect(arn, 5*time.Second, 20*time.Second)
		w.do(func() {
			d.version++
			left := n
			w.judges.onCall = func(c awssim.Call) {
				if left--; left == 0 {
					happened = true
					w.die(c, fate)
				}
			}
		})
		w.rolled(a, func() int { return 2 }, 4)
		w.settled(20 * time.Minute)
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
