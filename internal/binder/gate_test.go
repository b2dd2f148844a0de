package binder_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// gates are the pods' gates, and what the API server makes of patches.
type gates struct {
	w *world

	mu     sync.Mutex
	notify func()
	// bindings by name, all in namespace edge.
	bindings map[string]binder.Named
	// stale: pods are not seen to change by patches.
	stale bool
	// none: there is no binding.
	none bool
	// fail is what a patch meets.
	fail func(ctx context.Context) error
	// calls are all tries; said what was written, by pod.
	calls  int
	said   map[string][]said
	events []string
}

type said struct {
	what string
	at   time.Time
}

func (b *bench) gatesOrNone() binder.Gates {
	if b.gates == nil {
		return nil
	}
	return b.gates
}

// inGatedBubble runs a test with gates, whose clock moves when nothing else does.
func inGatedBubble(t *testing.T, run func(t *testing.T, b *bench)) {
	t.Helper()
	inBubble(t, awssim.Options{Profile: awssim.Observed, Latency: 60 * time.Millisecond}, 10*time.Minute, func(t *testing.T, b *bench) {
		b.stop()
		b.gates = &gates{w: b.world, bindings: map[string]binder.Named{}, said: map[string][]said{}}
		b.start()
		b.nodes(6)
		run(t, b)
	})
}

// bind makes a binding that gates can name.
func (b *bench) bind(name, arn string) binder.Order {
	o := b.order(name, arn)
	b.gates.set(func(g *gates) { g.bindings[name] = binder.Named{UID: o.Binding.UID} })
	b.engine.Bind(o)
	return o
}

func (g *gates) set(change func(*gates)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(g)
}

// gatedPod is a ready pod on a node, whose gate names a binding.
func gatedPod(name, binding string, node int) targets.Pod {
	return targets.Pod{
		PodRef: targets.PodRef{Namespace: "edge", Name: name, UID: name}, Node: fmt.Sprintf("node-%d", node),
		HostNetwork: true, Phase: "Running", ContainersReady: true, ReadySince: time.Now(),
		Gates: []targets.Gate{{Binding: binding}},
	}
}

// pods says which pods a binding has.
func (b *bench) pods(id string, pods ...targets.Pod) {
	b.world.change(id, func() { b.world.pods[id] = pods })
	b.gates.poke()
}

func (g *gates) poke() {
	g.mu.Lock()
	notify := g.notify
	g.mu.Unlock()
	if notify != nil {
		notify()
	}
}

func (g *gates) WatchGates(notify func()) {
	g.set(func(g *gates) { g.notify = notify })
	notify()
}

func (g *gates) PendingGates() (out []targets.Pod) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	for _, pods := range g.w.pods {
		for _, p := range pods {
			if slices.ContainsFunc(p.Gates, func(g targets.Gate) bool { return g.Status != targets.GateTrue }) {
				out = append(out, p)
			}
		}
	}
	return out
}

func (g *gates) HasPod(ref targets.PodRef) bool {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	for _, pods := range g.w.pods {
		if slices.ContainsFunc(pods, func(p targets.Pod) bool { return p.PodRef == ref }) {
			return true
		}
	}
	return false
}

func (g *gates) Bindings() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.none
}

func (g *gates) Named(_, name string) (binder.Named, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, ok := g.bindings[name]
	return n, ok
}

func (g *gates) PodEvent(pod targets.PodRef, e binder.Event) {
	g.set(func(g *gates) { g.events = append(g.events, pod.Name+": "+e.Message) })
}

func (g *gates) SetGate(ctx context.Context, ref targets.PodRef, binding string, v targets.GateVerdict) error {
	g.mu.Lock()
	g.calls++
	fail, stale := g.fail, g.stale
	g.mu.Unlock()
	if fail != nil {
		if err := fail(ctx); err != nil {
			return err
		}
	}
	if !g.HasPod(ref) {
		return binder.ErrPodGone
	}
	g.set(func(g *gates) {
		g.said[ref.Name] = append(g.said[ref.Name], said{string(v.Status) + " " + string(v.Reason), time.Now()})
	})
	if stale {
		return nil
	}
	g.w.mu.Lock()
	var notify []func()
	for id, pods := range g.w.pods {
		pods = slices.Clone(pods)
		for i := range pods {
			if pods[i].PodRef != ref {
				continue
			}
			pods[i].Gates = slices.Clone(pods[i].Gates)
			for j := range pods[i].Gates {
				if pods[i].Gates[j].Binding == binding {
					pods[i].Gates[j].Status, pods[i].Gates[j].Opened = v.Status, v.Status == targets.GateTrue
				}
			}
			notify = append(notify, g.w.notify[id])
		}
		g.w.pods[id] = pods
	}
	g.w.mu.Unlock()
	for _, f := range notify {
		if f != nil {
			f()
		}
	}
	g.poke()
	return nil
}

// tries are all patches that were tried.
func (g *gates) tries() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

// history is what a pod's gate has said, and when it became True.
func (g *gates) history(pod string) (what []string, opened time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.said[pod] {
		what = append(what, s.what)
		if strings.HasPrefix(s.what, "True") && opened.IsZero() {
			opened = s.at
		}
	}
	return what, opened
}

// opens waits until a gate is True, and returns when that was.
func (b *bench) opens(pod string, within time.Duration) time.Time {
	b.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		what, opened := b.gates.history(pod)
		if !opened.IsZero() {
			return opened
		}
		if time.Now().After(end) {
			b.t.Fatalf("the gate of %s did not open within %s; it said %q", pod, within, what)
		}
	}
}

// healthySince waits until AWS calls a target healthy.
func (b *bench) healthySince(arn string, node int) time.Time {
	b.t.Helper()
	for end := time.Now().Add(time.Hour); ; time.Sleep(10 * time.Millisecond) {
		if t, ok := b.sim.Target(arn, instance(node), port); ok && t.State == awssim.Healthy {
			return time.Now()
		}
		if time.Now().After(end) {
			b.t.Fatalf("AWS does not call node %d healthy within an hour", node)
		}
	}
}

func (b *bench) says(pod string, want ...string) {
	b.t.Helper()
	if got, _ := b.gates.history(pod); !cmp.Equal(want, got) {
		b.t.Errorf("what the gate of %s said:\n%s", pod, cmp.Diff(want, got))
	}
}

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

// TestGatesEndWhateverHappens: for each cause that AWS's health check is not, a gate
// opens after the time that binding.md §9 gives it.
func TestGatesEndWhateverHappens(t *testing.T) {
	cases := map[string]struct {
		reason string
		run    func(b *bench, arn string)
		want   string
		after  time.Duration
		warned bool
	}{
		"NoListener": {
			reason: "nothing routes to the group",
			run: func(b *bench, _ string) {
				arn, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: region, Name: "unused", Protocol: "TCP", Port: port, VPC: vpc})
				if err != nil {
					b.t.Fatal(err)
				}
				b.bind("web", arn)
				b.pods("web", gatedPod("p", "web", 0))
			},
			want: "True NotInUse", after: 45 * time.Second,
		},
		"Excluded": {
			reason: "a pod that is taken out by hand is no target",
			run: func(b *bench, arn string) {
				b.bind("web", arn)
				p := gatedPod("p", "web", 0)
				p.Excluded = true
				b.pods("web", p)
			},
			want: "True PodExcluded", after: time.Second, warned: true,
		},
		"RefusedByAWS": {
			reason: "the instance is stopped, as far as AWS knows",
			run: func(b *bench, arn string) {
				b.sim.SetInstanceState(instance(0), awssim.Stopped)
				b.bind("web", arn)
				b.pods("web", gatedPod("p", "web", 0))
			},
			want: "True RefusedByAWS", after: 10*time.Minute + time.Second, warned: true,
		},
		"RegistrationDenied": {
			reason: "the provider lacks a permission in AWS",
			run: func(b *bench, arn string) {
				b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Effect: awssim.Deny})
				b.bind("web", arn)
				b.pods("web", gatedPod("p", "web", 0))
			},
			want: "True NotRegistered", after: 10*time.Minute + time.Second, warned: true,
		},
		"UnreadableFromTheStart": {
			reason: "health cannot be read at all",
			run: func(b *bench, arn string) {
				b.sim.Fault(awssim.Fault{Action: health, Effect: awssim.Deny})
				b.bind("web", arn)
				b.pods("web", gatedPod("p", "web", 0))
			},
			want: "True AWSUnreadable", after: 10*time.Minute + time.Second, warned: true,
		},
		"ObserveOnly": {
			reason: "the binding may register nothing",
			run: func(b *bench, arn string) {
				b.allow(b.order("web", arn), binder.Live{NoRegister: "managementPolicies", NoDeregister: "managementPolicies"})
				b.bind("web", arn)
				b.pods("web", gatedPod("p", "web", 0))
			},
			want: "True RegistrationForbidden", after: time.Second, warned: true,
		},
		"PausedBeforeThePod": {
			reason: "a paused binding looks after nobody",
			run: func(b *bench, arn string) {
				stop := targets.Stop{Rule: targets.RuleGatePaused, Reason: "paused"}
				b.bind("web", arn)
				b.allow(b.order("web", arn), binder.Live{NoRegister: "paused", NoDeregister: "paused", Stopped: stop})
				b.gates.set(func(g *gates) { g.bindings["web"] = binder.Named{UID: "web", Stopped: stop} })
				b.pods("web", gatedPod("p", "web", 0))
			},
			want: "True BindingPaused", after: time.Second, warned: true,
		},
		"PausedWhileItWaits": {
			reason: "nobody tells the engine of a pause",
			run: func(b *bench, arn string) {
				b.bind("web", arn)
				b.pods("web", gatedPod("p", "web", 0))
				b.holds("registered", arn, 0)
				b.gates.set(func(g *gates) {
					g.bindings["web"] = binder.Named{UID: "web", Stopped: targets.Stop{Rule: targets.RuleGatePaused, Reason: "paused"}}
				})
			},
			want: "True BindingPaused", after: 3 * time.Second, warned: true,
		},
		"Absent": {
			reason: "there is no such binding",
			run: func(b *bench, arn string) {
				b.bind("web", arn)
				b.pods("stray", gatedPod("p", "nowhere", 0))
			},
			want: "True BindingNotFound", after: 2*time.Minute + 3*time.Second, warned: true,
		},
		"NotSelected": {
			reason: "the binding selects other pods",
			run: func(b *bench, arn string) {
				b.bind("web", arn)
				b.pods("stray", gatedPod("p", "web", 0))
			},
			want: "True NotSelected", after: 2*time.Minute + 3*time.Second, warned: true,
		},
		"Inactive": {
			reason: "the binding waits for its credentials",
			run: func(b *bench, _ string) {
				b.gates.set(func(g *gates) { g.bindings["web"] = binder.Named{UID: "web"} })
				b.pods("stray", gatedPod("p", "web", 0))
			},
			want: "True BindingInactive", after: 10*time.Minute + 3*time.Second, warned: true,
		},
		"Deleted": {
			reason: "gates True first",
			run: func(b *bench, arn string) {
				o := b.bind("web", arn)
				b.pods("web", gatedPod("p", "web", 0))
				b.holds("registered", arn, 0)
				began := time.Now()
				b.engine.OpenGates(b.t.Context(), o.Binding)
				if _, opened := b.gates.history("p"); opened.IsZero() || time.Since(began) > time.Second {
					b.t.Errorf("OpenGates returned after %s, before the gate was open", time.Since(began))
				}
			},
			want: "True BindingDeleted", after: time.Second, warned: true,
		},
		"ZonalShift": {
			reason: "no gate depends on health in a zone that traffic is kept from",
			run: func(b *bench, _ string) {
				arn := b.shifted(zone(0))
				b.sim.SetAccepting(instance(0), port, false)
				b.bind("web", arn)
				b.pods("web", gatedPod("p", "web", 0))
			},
			want: "True ZonalShift", after: 45 * time.Second,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inGatedBubble(t, func(t *testing.T, b *bench) {
				began := time.Now()
				tc.run(b, b.group("web"))
				opened := b.opens("p", 20*time.Minute)
				what, _ := b.gates.history("p")
				if last := what[len(what)-1]; last != tc.want {
					t.Errorf("%s: the gate says %q, want %q", tc.reason, last, tc.want)
				}
				if took := opened.Sub(began); took > tc.after {
					t.Errorf("%s: it opened after %s, want %s", tc.reason, took, tc.after)
				}
				time.Sleep(time.Minute)
				b.gates.set(func(g *gates) {
					if warned := len(g.events) > 0; warned != tc.warned || len(g.events) > 1 {
						t.Errorf("%s: Events %q, want one: %t", tc.reason, g.events, tc.warned)
					}
				})
			})
		})
	}
}

// shifted makes a group that a zonal shift keeps traffic from in a zone.
func (b *bench) shifted(zone string) string {
	b.t.Helper()
	var subnets []string
	for i, z := range []string{"eu-west-1a", "eu-west-1b"} {
		subnets = append(subnets, b.sim.SeedSubnet(awssim.Subnet{Region: region, VPC: vpc, Zone: z, CIDR: fmt.Sprintf("10.0.%d.0/24", i)}))
	}
	lb, err := b.sim.SeedLoadBalancer(awssim.LoadBalancerSeed{Region: region, Name: "edge", Subnets: subnets, Attributes: map[string]string{"zonal_shift.config.enabled": "true"}})
	if err != nil {
		b.t.Fatal(err)
	}
	arn, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: region, Name: "shifted", Protocol: "TCP", Port: port, VPC: vpc})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.sim.SeedListener(lb, "TCP", port, arn); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.sim.ShiftAway(lb, zone); err != nil {
		b.t.Fatal(err)
	}
	return arn
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
