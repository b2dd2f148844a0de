package binder_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// ends marks pods of a binding as about to stop.
func (b *bench) ends(name string, pods ...int) {
	b.world.change(name, func() {
		for _, i := range pods {
			b.world.pods[name][i].Terminating = true
		}
	})
}

// TestAfterARestartTheFirstReadMayBeOld: AWS may still tell of a target that the
// process before this one has deregistered, and that is no replacement.
func TestAfterARestartTheFirstReadMayBeOld(t *testing.T) {
	inBubble(t, awssim.Options{Profile: awssim.Worst}, 10*time.Minute, func(t *testing.T, b *bench) {
		b.nodes(6)
		arn := b.group("web")
		b.world.run("web", 0, 2, 1)
		b.engine.Bind(b.order("web", arn))
		time.Sleep(8 * time.Minute) // all are healthy
		b.world.run("web", 0, 2, 1, 4)
		b.ends("web", 1)
		b.within10("the first one of the zone leaves", func() bool { return cmp.Diff(want(0, 1, 4), b.held(arn)) == "" })
		b.stop()
		b.start()
		b.engine.Bind(b.order("web", arn))
		b.ends("web", 0)
		time.Sleep(2 * time.Minute)
		if diff := cmp.Diff(want(0, 1, 4), b.held(arn)); diff != "" {
			t.Errorf("the last one that serves in its zone left while its successor was not healthy: -want +got:\n%s", diff)
		}
		b.within10("it leaves when its successor is healthy", func() bool { return cmp.Diff(want(1, 4), b.held(arn)) == "" })
	})
}

// TestWhatAProcessLeftBehindIsFound: a call that was given up when the process was
// killed takes effect 40 s later, and nobody has written since.
func TestWhatAProcessLeftBehindIsFound(t *testing.T) {
	inBubble(t, awssim.Options{Profile: awssim.Observed}, 10*time.Minute, func(t *testing.T, b *bench) {
		b.nodes(6)
		arn := b.group("web")
		b.world.run("web", 0, 2)
		b.engine.Bind(b.order("web", arn))
		time.Sleep(8 * time.Minute)
		b.sim.Fault(awssim.Fault{Action: "DeregisterTargets", Effect: awssim.TakeLate, Times: 1})
		b.ends("web", 0)
		time.Sleep(time.Second)
		b.stop()
		b.start()
		b.world.run("web", 0, 2) // its successor came at once
		b.engine.Bind(b.order("web", arn))
		time.Sleep(time.Minute) // the call has taken effect
		began := time.Now()
		b.within10("it is registered again", func() bool { return cmp.Diff(want(0, 2), b.held(arn)) == "" })
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %s to find that a target was gone", took)
		}
	})
}

// TestAfterARestartAGateWaitsForASureRead: AWS may still call a target healthy that the
// process before this one has deregistered, and a pod that has come to its node since
// would open its gate for that.
func TestAfterARestartAGateWaitsForASureRead(t *testing.T) {
	inGatedBubble(t, func(t *testing.T, b *bench) {
		arn := b.group("web")
		b.bind("web", arn)
		b.pods("web", gatedPod("stays", "web", 2), gatedPod("goes", "web", 0))
		b.opens("stays", 20*time.Minute)
		b.opens("goes", 20*time.Minute)
		b.ends("web", 1)
		b.within10("it is deregistered", func() bool { return cmp.Diff(want(2), b.held(arn)) == "" })
		b.stop()
		b.start()
		b.bind("web", arn)
		began := time.Now()
		b.pods("web", gatedPod("stays", "web", 2), gatedPod("comes", "web", 0))
		b.opens("comes", 20*time.Minute)
		if held, _ := b.sim.Target(arn, instance(0), port); held.State != awssim.Healthy {
			t.Errorf("the gate opened after %s, and the target is %q", time.Since(began), held.State)
		}
		b.stop()
		b.start()
		b.bind("web", arn)
		began = time.Now()
		b.pods("web", gatedPod("stays", "web", 2), gatedPod("comes", "web", 0), gatedPod("again", "web", 2))
		if took := b.opens("again", time.Minute).Sub(began); took > 35*time.Second {
			t.Errorf("a gate whose target was healthy all the time opened after %s, want half a minute and a read", took)
		}
	})
}
