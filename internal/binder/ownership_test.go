package binder_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// strangers are instances of nobody's cluster, registered by somebody.
var strangers = []string{"i-0f0f0f0f0f0f0f0f0", "i-0f0f0f0f0f0f0f0f1"}

func (b *bench) register(arn string, ids ...string) {
	b.t.Helper()
	for i, id := range ids {
		b.sim.SeedInstance(awssim.Instance{ID: id, Region: region, Zone: zone(i), VPC: vpc})
		if err := b.sim.PutTarget(arn, id, port); err != nil {
			b.t.Fatal(err)
		}
	}
}

// exclusive is an order for a group that was not created here.
func (b *bench) exclusive(name, arn string) binder.Order {
	o := b.order(name, arn)
	o.Group.Ours, o.Policy.Ownership, o.Policy.MaxUnavailable = false, targets.OwnershipExclusive, 10
	return o
}

func (b *bench) foreignIn(arn string) []string {
	return slices.DeleteFunc(b.held(arn), func(t string) bool { return !strings.HasPrefix(t, "i-0f") })
}

// TestTakeover: foreign targets are shown, the group is tagged, then they leave.
func TestTakeover(t *testing.T) {
	taken := func(t *testing.T, b *bench) (string, binder.Order) {
		t.Helper()
		b.nodes(4)
		arn := b.group("web")
		b.register(arn, strangers...)
		b.world.run("web", 0, 1, 2, 3)
		o := b.exclusive("web", arn)
		b.engine.Bind(o)
		b.ready("web")
		return arn, o
	}
	claims := func(b *bench) bool { s, _ := b.engine.Snapshot("web"); return s.Claim }
	t.Run("InOrder", func(t *testing.T) {
		inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
			arn, o := taken(t, b)
			first := b.conditionNow("web", "ForeignTargets")
			if !strings.HasPrefix(first, "ToBeTakenOver: ownership is Exclusive") || !strings.Contains(first, "the first not before 2000-01-01T00:10:") {
				t.Errorf("condition ForeignTargets is %q", first)
			}
			time.Sleep(9 * time.Minute)
			if got := b.conditionNow("web", "ForeignTargets"); got != first || claims(b) {
				t.Errorf("what is shown does not change with time: %q", got)
			}
			time.Sleep(2 * time.Minute)
			if got := b.conditionNow("web", "ForeignTargets"); !strings.HasPrefix(got, "Claiming") || !claims(b) || len(b.foreignIn(arn)) != 2 {
				t.Errorf("the group has to be tagged first: %q", got)
			}
			o.Claimed = true
			b.engine.Bind(o)
			time.Sleep(time.Second)
			if diff := cmp.Diff(want(0, 1, 2, 3), b.held(arn)); diff != "" || claims(b) {
				t.Errorf("then they leave: %s", diff)
			}
		})
	})
	t.Run("AnotherOwner", func(t *testing.T) {
		inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
			arn, o := taken(t, b)
			o.OwnedBy = "other/edge/web"
			b.engine.Bind(o)
			time.Sleep(time.Hour)
			if got := b.conditionNow("web", "Yielding"); !strings.HasPrefix(got, "OwnedByAnother: the target group has tag nlb.crossplane.io/exclusive-owner=other/edge/web") || claims(b) {
				t.Errorf("condition Yielding is %q", got)
			}
			if got := b.foreignIn(arn); len(got) != 2 {
				t.Errorf("foreign targets left: %v are there", got)
			}
		})
	})
	t.Run("ARestartShowsThemAnew", func(t *testing.T) {
		inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
			arn, o := taken(t, b)
			o.Claimed = true
			b.engine.Bind(o)
			time.Sleep(9 * time.Minute)
			b.stop()
			b.start()
			b.engine.Bind(o)
			time.Sleep(9 * time.Minute)
			if got := b.foreignIn(arn); len(got) != 2 {
				t.Errorf("they were not shown for ten minutes by this process: %v are there", got)
			}
			time.Sleep(2 * time.Minute)
			if got := b.foreignIn(arn); len(got) != 0 {
				t.Errorf("now they were: %v are there", got)
			}
		})
	})
	t.Run("ASecondOwnerThatComesBack", func(t *testing.T) {
		inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
			arn, o := taken(t, b)
			o.Claimed = true
			b.engine.Bind(o)
			for range 30 {
				time.Sleep(12 * time.Minute)
				b.register(arn, strangers...)
			}
			time.Sleep(time.Hour)
			if got := b.sim.Count("DeregisterTargets"); got != 2 {
				t.Errorf("%d DeregisterTargets, want 2: the first, and one after the first return", got)
			}
			if got := b.conditionNow("web", "ForeignTargets"); !strings.HasPrefix(got, "ComesBack") {
				t.Errorf("condition ForeignTargets is %q", got)
			}
			o.Generation++
			b.engine.Bind(o)
			time.Sleep(15 * time.Minute)
			if got := b.foreignIn(arn); len(got) != 0 {
				t.Errorf("another spec starts anew: %v are there", got)
			}
		})
	})
}

// TestTwoBindingsTwoClustersAPerson share a group: each acts on its own targets only.
func TestTwoBindingsTwoClustersAPerson(t *testing.T) {
	inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
		b.nodes(6)
		arn := b.group("web")
		b.register(arn, strangers[0]) // another cluster's
		for _, name := range []string{"one", "two"} {
			o := b.order(name, arn)
			o.Group.Ours = false
			b.engine.Bind(o)
		}
		b.world.run("one", 0, 1, 2)
		b.world.run("two", 2, 3, 4)
		b.ready("one")
		b.ready("two")
		time.Sleep(time.Minute)
		b.world.run("one", 0, 1) // the target of node 2 is wanted by the other
		time.Sleep(5 * time.Minute)
		if diff := cmp.Diff(want(0, 1, 2, 3, 4), slices.DeleteFunc(b.held(arn), func(t string) bool { return strings.HasPrefix(t, "i-0f") })); diff != "" {
			t.Errorf("what the other binding wants stays: %s", diff)
		}
		b.sim.DropTarget(arn, instance(3), port) // a person
		b.register(arn, strangers[1])            // as well
		time.Sleep(2 * time.Minute)
		if diff := cmp.Diff(want(0, 1, 2, 3, 4), slices.DeleteFunc(b.held(arn), func(t string) bool { return strings.HasPrefix(t, "i-0f") })); diff != "" {
			t.Errorf("what somebody removed comes back: %s", diff)
		}
		if got := b.foreignIn(arn); len(got) != 2 {
			t.Errorf("what others registered stays: %v", got)
		}
		if got := b.sim.Count("DeregisterTargets"); got != 0 {
			t.Errorf("%d DeregisterTargets, want none", got)
		}
		for _, name := range []string{"one", "two"} {
			if got := b.conditionNow(name, "ForeignTargets"); !strings.HasPrefix(got, "NotOurs") {
				t.Errorf("%s: condition ForeignTargets is %q", name, got)
			}
		}
	})
}

// TestARenameHasNoGap: a binding is deleted and another one created for the same
// pods and group, in whatever order the two are seen.
func TestARenameHasNoGap(t *testing.T) {
	cases := map[string]struct {
		reason string
		rename func(b *bench, old, fresh binder.Order)
	}{
		"CreatedFirst": {"the new one's targets are its before the old one lets go", func(b *bench, old, fresh binder.Order) {
			b.engine.Bind(fresh)
			b.engine.Release(old.Binding.UID)
		}},
		"DeletedFirst": {"the old one waits for a binding that was just created", func(b *bench, old, fresh binder.Order) {
			b.heir(true)
			b.engine.Release(old.Binding.UID)
			time.Sleep(20 * time.Second) // its reference is resolved, AWS is asked
			b.engine.Bind(fresh)
			b.heir(false)
		}},
		"DeletedFirstAndTheNewOneIsBlind": {"that a new one cannot see its pods yet is no reason to let go", func(b *bench, old, fresh binder.Order) {
			b.world.change("new", func() { b.world.blind["new"] = "services are not synced yet" })
			b.world.run("new")
			fresh.Created = time.Now().Add(-time.Hour) // by the API server's clock
			b.engine.Bind(fresh)
			b.engine.Release(old.Binding.UID)
			time.Sleep(20 * time.Second)
			b.world.change("new", func() { b.world.blind["new"] = "" })
			b.world.run("new", 0, 1, 2, 3)
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, awssim.Options{Profile: awssim.Observed}, time.Minute, func(t *testing.T, b *bench) {
				b.nodes(4)
				arn := b.group("web")
				b.world.run("old", 0, 1, 2, 3)
				b.world.run("new", 0, 1, 2, 3)
				old, fresh := b.order("old", arn), b.order("new", arn)
				b.engine.Bind(old)
				b.ready("old")
				time.Sleep(10 * time.Minute)
				b.sim.Reset()
				users := b.sim.StartClient(awssim.Client{TargetGroup: arn, Holds: time.Minute})
				tc.rename(b, old, fresh)
				time.Sleep(5 * time.Minute)
				if s, _ := b.engine.Snapshot(old.Binding.UID); !s.Released {
					t.Error("the old one is not released")
				}
				b.engine.Forget(old.Binding.UID)
				time.Sleep(10 * time.Minute)
				b.counts(0, 0)
				if diff := cmp.Diff(want(0, 1, 2, 3), b.held(arn)); diff != "" {
					t.Errorf("%s: %s", tc.reason, diff)
				}
				if got := users.Stop(); got.Failed() > 0 || got.Attempts < 800 {
					t.Errorf("users saw a gap: %s", got)
				}
				s, _ := b.engine.Snapshot(types.UID("new"))
				if s.Counts.Healthy != 4 {
					t.Errorf("the new one counts %+v", s.Counts.Tally)
				}
			})
		})
	}
}
