package binder_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
