package binder_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// four bindings, each of a group of its own, with pods on four nodes.
func four(b *bench) (names, arns []string) {
	b.nodes(5)
	for i := range 4 {
		name := fmt.Sprintf("web%d", i)
		names, arns = append(names, name), append(arns, b.group(name))
		b.world.run(name, 0, 1, 2, 3)
		b.engine.Bind(b.order(name, arns[i]))
		b.ready(name)
	}
	time.Sleep(time.Minute)
	return names, arns
}

// stopped is what the metric says.
func (b *bench) stopped() string {
	text := `
		# HELP provider_nlb_deregistration_stopped 1 while the process deregisters nothing because of a storm of removals or a restored cluster, else 0.
		# TYPE provider_nlb_deregistration_stopped gauge
		provider_nlb_deregistration_stopped `
	for _, v := range []string{"0", "1"} {
		if testutil.CollectAndCompare(b.engine, strings.NewReader(text+v+"\n"), "provider_nlb_deregistration_stopped") == nil {
			return v
		}
	}
	return "?"
}

// TestAStormStopsEverything: one mistake that few targets of many bindings show is
// as bad as one that many of one do.
func TestAStormStopsEverything(t *testing.T) {
	inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
		names, arns := four(b)
		before := b.stopped()
		for _, n := range names {
			b.world.deselect(n, 0)
			time.Sleep(10 * time.Second)
		}
		if got := before + b.stopped(); got != "01" {
			t.Errorf("the metric was, then is %s", got)
		}
		// The first two could not be told from a change of two bindings.
		left := b.sim.Count("DeregisterTargets")
		if left > 2 {
			t.Errorf("%d bindings lost a target before it was noticed", left)
		}
		for _, n := range names {
			if got := b.conditionNow(n, "Braked"); !strings.HasPrefix(got, "RemovalsEverywhere: nothing is deregistered before 2000-01-01T00:1") {
				t.Errorf("%s: condition Braked is %q", n, got)
			}
		}
		// Evidence does not help meanwhile: everything stays.
		b.sim.SetInstanceState(instance(1), awssim.Stopped)
		b.world.run(names[0], 2, 3)
		time.Sleep(9 * time.Minute)
		if got := b.sim.Count("DeregisterTargets"); got != left {
			t.Errorf("%d were deregistered while nothing may be", got-left)
		}
		time.Sleep(time.Minute)
		if got := b.conditionNow(names[3], "Braked") + b.stopped(); got != "0" {
			t.Errorf("it has ended, and says %q", got)
		}
		for i, n := range names[1:] {
			if diff := cmp.Diff(false, strings.Contains(strings.Join(b.held(arns[i+1]), " "), want(0)[0])); diff != "" {
				t.Errorf("%s: what is still meant is done by itself, and makes no new storm: %s", n, diff)
			}
		}
	})
}

func TestWhatIsNoStorm(t *testing.T) {
	leaves := func(b *bench, names []string) {
		b.world.mu.Lock()
		set := *b.world.nodeSet
		b.world.mu.Unlock()
		gone := *set.ByName["node-0"]
		gone.Class, gone.Signal = targets.NodeLeaving, "taint ToBeDeletedByClusterAutoscaler"
		b.world.change(names[0], func() {
			next := targets.Nodes{ByName: map[string]*targets.Node{}, ByInstance: map[string]*targets.Node{}, ByAddress: set.ByAddress}
			for n, node := range set.ByName {
				if n == gone.Name {
					node = &gone
				}
				next.ByName[n], next.ByInstance[node.InstanceID] = node, node
			}
			b.world.nodeSet = &next
		})
		for _, n := range names {
			b.world.change(n, func() {})
		}
	}
	cases := map[string]struct {
		reason string
		happen func(b *bench, names []string)
		leave  int
	}{
		"ANodeThatLeaves":    {"a node has targets of all bindings, and its signal is evidence", leaves, 4},
		"PodsThatAreDeleted": {"a rollout of everything is seen pod by pod", func(b *bench, names []string) { each(names, func(n string) { b.world.run(n, 1, 2, 3, 4) }) }, 4},
		"HalfOfTheBindings":  {"two of four are no storm", func(b *bench, names []string) { each(names[:2], func(n string) { b.world.deselect(n, 0) }) }, 2},
		"OneAfterTheOther": {"nor are all, a minute apart", func(b *bench, names []string) {
			each(names, func(n string) { b.world.deselect(n, 0); time.Sleep(time.Minute) })
		}, 4},
		"BindingsThatAreGone": {"deleting bindings is an order", func(b *bench, names []string) {
			each(names, func(n string) { b.engine.Release(b.order(n, "").Binding.UID) })
		}, 4},
		"AStormOfThree": {"three bindings are too few to tell", func(b *bench, names []string) {
			b.engine.Forget(b.order(names[3], "").Binding.UID)
			each(names[:3], func(n string) { b.world.deselect(n, 0) })
		}, 3},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
				names, _ := four(b)
				tc.happen(b, names)
				time.Sleep(30 * time.Second)
				if got := b.sim.Count("DeregisterTargets"); got != tc.leave || b.stopped() != "0" {
					t.Errorf("%s: %d DeregisterTargets, want %d; stopped: %s", tc.reason, got, tc.leave, b.stopped())
				}
			})
		})
	}
}

func each(names []string, f func(string)) {
	for _, n := range names {
		f(n)
	}
}
