package binder_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

func TestAGateFollowsAWS(t *testing.T) {
	inGatedBubble(t, func(t *testing.T, b *bench) {
		arn := b.group("web")
		b.bind("web", arn)
		b.pods("web", gatedPod("p", "web", 0))
		healthy := b.healthySince(arn, 0)
		if late := b.opens("p", time.Minute).Sub(healthy); late > 2500*time.Millisecond {
			t.Errorf("the gate opened %s after AWS called the target healthy", late)
		}
		b.says("p", "False Elb.RegistrationInProgress", "False Elb.InitialHealthChecking", "True Healthy")
		time.Sleep(time.Hour)
		b.says("p", "False Elb.RegistrationInProgress", "False Elb.InitialHealthChecking", "True Healthy")
	})
}

// TestGatesOfSixGroups: each of six groups that wait is read every 2 s.
func TestGatesOfSixGroups(t *testing.T) {
	const n = 6
	inGatedBubble(t, func(t *testing.T, b *bench) {
		var wait sync.WaitGroup
		late := make([]time.Duration, n)
		for i := range n {
			name := fmt.Sprintf("web-%d", i)
			arn := b.group(name)
			b.bind(name, arn)
			b.pods(name, gatedPod("p-"+name, name, i))
			wait.Go(func() {
				healthy := b.healthySince(arn, i)
				late[i] = b.opens("p-"+name, time.Minute).Sub(healthy)
			})
		}
		wait.Wait()
		slices.Sort(late)
		t.Logf("gates opened after AWS said healthy: %s", late)
		if late[n-1] > 2500*time.Millisecond {
			t.Errorf("the last gate opened %s after AWS called its target healthy, want 2 s and a call", late[n-1])
		}
	})
}

// TestGatesGoFirst: a group that a gate waits for is read at its wish, however many
// others wait for something else.
func TestGatesGoFirst(t *testing.T) {
	const n = 60
	inGatedBubble(t, func(t *testing.T, b *bench) {
		for i := range n {
			name := fmt.Sprintf("web-%d", i)
			b.world.run(name, i%6)
			b.engine.Bind(b.order(name, b.group(name)))
		}
		for _, node := range []int{0, 2, 3, 4, 5} {
			b.sim.SetAccepting(instance(node), port, false) // They wait for long.
		}
		arn := b.group("web")
		b.bind("web", arn)
		b.pods("web", gatedPod("old", "web", 1))
		healthy := b.healthySince(arn, 1)
		if late := b.opens("old", time.Minute).Sub(healthy); late > 2500*time.Millisecond {
			t.Errorf("the gate opened %s after AWS called the target healthy", late)
		}
		began := time.Now()
		b.pods("web", gatedPod("new", "web", 1))
		if took := b.opens("new", time.Minute).Sub(began); took > 2*time.Second {
			t.Errorf("the gate of a successor opened after %s", took)
		}
	})
}

// TestAGateWaitsForNoCall: a call of its own group that hangs does not keep a gate
// from opening.
func TestAGateWaitsForNoCall(t *testing.T) {
	inGatedBubble(t, func(t *testing.T, b *bench) {
		arn := b.group("web")
		b.bind("web", arn)
		b.pods("web", gatedPod("p", "web", 0))
		b.holds("registered", arn, 0)
		b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Effect: awssim.Hang})
		b.pods("web", gatedPod("p", "web", 0), gatedPod("q", "web", 1))
		healthy := b.healthySince(arn, 0)
		if late := b.opens("p", time.Minute).Sub(healthy); late > 2500*time.Millisecond {
			t.Errorf("the gate opened %s after AWS called the target healthy", late)
		}
	})
}

// TestGateOfASuccessor: on the same node and port AWS's health may be that of the
// predecessor, so it is read again; and nothing else is asked of AWS.
func TestGateOfASuccessor(t *testing.T) {
	inGatedBubble(t, func(t *testing.T, b *bench) {
		arn := b.group("web")
		b.bind("web", arn)
		b.pods("web", gatedPod("old", "web", 0))
		b.opens("old", 10*time.Minute)
		b.settled(time.Hour)

		starts := gatedPod("new", "web", 0)
		starts.ContainersReady, starts.ReadySince = false, time.Time{}
		b.pods("web", starts)
		time.Sleep(time.Minute)
		b.says("new")
		began := time.Now()
		b.pods("web", gatedPod("new", "web", 0))
		if took := b.opens("new", time.Minute).Sub(began); took > time.Second {
			t.Errorf("the gate of a pod whose target is healthy opened after %s", took)
		}
		b.says("new", "True Healthy")
		b.counts(0, 0)
		if reads := len(b.reads(began)); reads != 1 {
			t.Errorf("%d reads, want one", reads)
		}
	})
}

// TestGateOfATargetThatWasRegisteredAgain: what is read of it may be up to 30 s old,
// from when its predecessor was healthy.
func TestGateOfATargetThatWasRegisteredAgain(t *testing.T) {
	for _, lag := range []time.Duration{time.Millisecond, 29 * time.Second} {
		inBubble(t, awssim.Options{Profile: lagging(lag)}, 10*time.Minute, func(t *testing.T, b *bench) {
			b.stop()
			b.gates = &gates{w: b.world, bindings: map[string]binder.Named{}, said: map[string][]said{}}
			b.start()
			b.nodes(6)
			arn := b.group("web")
			b.bind("web", arn)
			b.pods("web", gatedPod("old", "web", 0), gatedPod("other", "web", 2))
			b.opens("old", 10*time.Minute)
			b.settled(time.Hour)
			b.pods("web", gatedPod("other", "web", 2))
			b.eventually("it leaves", func() string {
				return cmp.Diff([]string{fmt.Sprintf("%s:%d", instance(2), port)}, b.held(arn))
			})
			b.pods("web", gatedPod("new", "web", 0), gatedPod("other", "web", 2))
			b.holds("it is back", arn, 0, 2)
			healthy := b.healthySince(arn, 0)
			opened := b.opens("new", 10*time.Minute)
			if opened.Before(healthy) {
				t.Errorf("lag %s: the gate opened %s before AWS called the target healthy again", lag, healthy.Sub(opened))
			}
		})
	}
}

func lagging(lag time.Duration) awssim.Profile {
	p := awssim.Observed
	p.HealthReadLag = awssim.Span{Min: lag, Max: lag}
	return p
}

// TestASlowAPIServerDelaysNoRegistration: patches are made by others than the group.
func TestASlowAPIServerDelaysNoRegistration(t *testing.T) {
	inGatedBubble(t, func(t *testing.T, b *bench) {
		arn := b.group("web")
		hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		b.gates.set(func(g *gates) { g.fail = hang })
		b.bind("web", arn)
		var pods []targets.Pod
		for i := range 3 {
			pods = append(pods, gatedPod(fmt.Sprintf("p-%d", i), "web", i))
		}
		b.pods("web", pods...)
		time.Sleep(30 * time.Second)
		if b.gates.tries() == 0 {
			t.Fatal("no patch was tried")
		}
		began := time.Now()
		b.pods("web", append(pods, gatedPod("late", "web", 4))...)
		b.holds("all four", arn, 0, 1, 2, 4)
		if took := time.Since(began); took > time.Second {
			t.Errorf("a pod was registered %s after it was ready", took)
		}
		time.Sleep(5 * time.Minute) // all are healthy, and nothing could be said
		b.condition("web", "GatesNotSet", "deadline")
		b.gates.set(func(g *gates) { g.fail = nil })
		began = time.Now()
		for _, pod := range []string{"p-0", "p-1", "p-2", "late"} {
			if took := b.opens(pod, time.Minute).Sub(began); took > 15*time.Second {
				t.Errorf("the gate of %s opened %s after the API server answered again", pod, took)
			}
			b.says(pod, "True Healthy")
		}
		b.eventually("it is not told any more", func() string { return b.told("web", "GatesNotSet") })
	})
}

// told is what a condition of that type says; empty if there is none.
func (b *bench) told(name, typ string) string {
	s, _ := b.engine.Snapshot(types.UID(name))
	for _, c := range s.Conditions {
		if c.Type == typ {
			return c.Message
		}
	}
	return ""
}

// TestWhatIsToBeTrueStaysSo: while no answer of the API server is heard, nobody knows
// whether a gate is True already, and one that is True is never False again.
func TestWhatIsToBeTrueStaysSo(t *testing.T) {
	inGatedBubble(t, func(_ *testing.T, b *bench) {
		arn := b.group("web")
		b.bind("web", arn)
		b.pods("web", gatedPod("p", "web", 0))
		b.holds("the target", arn, 0)
		time.Sleep(10 * time.Second)
		before, _ := b.gates.history("p")
		b.gates.set(func(g *gates) { g.fail = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() } })
		b.healthySince(arn, 0)
		time.Sleep(5 * time.Second) // it is read, and True is tried to be said
		b.sim.SetAccepting(instance(0), port, false)
		time.Sleep(15 * time.Minute) // AWS calls it unhealthy, and is asked
		b.gates.set(func(g *gates) { g.fail = nil })
		b.opens("p", time.Minute)
		time.Sleep(10 * time.Minute)
		b.says("p", append(before, "True Healthy")...)
	})
}

func TestGatesWithoutPermission(t *testing.T) {
	inGatedBubble(t, func(t *testing.T, b *bench) {
		arn := b.group("web")
		refused := errors.New("lacks permission (verb patch on pods/status)")
		b.gates.set(func(g *gates) { g.fail = func(context.Context) error { return refused } })
		b.bind("web", arn)
		b.pods("web", gatedPod("p", "web", 0))
		b.healthySince(arn, 0)
		b.condition("web", "GatesNotSet", "verb patch on pods/status")
		b.ready("web")
		before := b.gates.tries()
		time.Sleep(10 * time.Minute)
		if tries := b.gates.tries() - before; tries < 60 || tries > 90 {
			t.Errorf("%d tries in ten minutes, want one in about 8 s", tries)
		}
		b.gates.set(func(g *gates) { g.fail = nil })
		granted := time.Now()
		if took := b.opens("p", time.Minute).Sub(granted); took > 10*time.Second {
			t.Errorf("the permission was used %s after it was granted", took)
		}
		b.eventually("it is not told any more", func() string { return b.told("web", "GatesNotSet") })
	})
}

// TestWhatWasPatchedIsRemembered: pods that are streamed may be older than what was
// written, and a gate that is True is never written again.
func TestWhatWasPatchedIsRemembered(t *testing.T) {
	inGatedBubble(t, func(t *testing.T, b *bench) {
		arn := b.group("web")
		b.gates.set(func(g *gates) { g.stale = true })
		b.bind("web", arn)
		b.pods("web", gatedPod("p", "web", 0), gatedPod("q", "web", 2))
		b.opens("p", 10*time.Minute)
		b.opens("q", 10*time.Minute)
		before, _ := b.gates.history("p")
		b.settled(time.Minute)
		time.Sleep(time.Hour)
		if reads := b.sim.Count(health); reads > 7 {
			t.Errorf("%d reads in an hour: nothing waits for them", reads)
		}
		b.sim.SetAccepting(instance(0), port, false)
		time.Sleep(time.Hour)
		b.says("p", before...)
	})
}

// TestAClusterScopedBindingYieldsItsName: a gate means the namespaced binding first.
func TestAClusterScopedBindingYieldsItsName(t *testing.T) {
	inGatedBubble(t, func(_ *testing.T, b *bench) {
		arn := b.group("web")
		o := b.order("web", arn)
		o.Binding = binder.Ref{Group: "nlb.crossplane.io", Name: "web", UID: "cluster-web"}
		b.engine.Bind(o)
		b.gates.set(func(g *gates) { g.bindings["web"] = binder.Named{UID: "namespaced-web"} })
		b.pods("cluster-web", gatedPod("p", "web", 0))
		b.holds("registered all the same", arn, 0)
		time.Sleep(5 * time.Minute)
		b.says("p") // The namespaced one does not work yet.
		b.gates.set(func(g *gates) { g.bindings["web"] = binder.Named{UID: "cluster-web"} })
		b.engine.Release("nobody")
		b.pods("cluster-web", gatedPod("p", "web", 0))
		b.opens("p", time.Minute)
		b.says("p", "True Healthy")
	})
}

// TestPodsAreStreamedAtOnce: after a restart the first list of all pods takes the
// longest, so it begins when it is known that there are bindings, before any of them is
// reconciled. A provider without bindings reads none.
func TestPodsAreStreamedAtOnce(t *testing.T) {
	inGatedBubble(t, func(t *testing.T, b *bench) {
		streams := func() (is bool) {
			b.gates.set(func(g *gates) { is = g.notify != nil })
			return is
		}
		b.stop()
		b.gates.set(func(g *gates) { g.none, g.notify = true, nil })
		b.start()
		time.Sleep(5 * time.Second)
		if streams() {
			t.Error("pods are streamed, and there is no binding")
		}
		b.gates.set(func(g *gates) { g.none = false })
		time.Sleep(200 * time.Millisecond)
		if !streams() {
			t.Error("pods are not streamed 0.2 s after the first binding is known")
		}
	})
}
