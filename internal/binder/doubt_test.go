package binder_test

import (
	"fmt"
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

// deselect takes the pods of nodes out of a binding's selection. They go on
// running.
func (w *world) deselect(id string, nodes ...int) {
	w.change(id, func() {
		gone := map[string]bool{}
		for _, i := range nodes {
			gone[fmt.Sprintf("%s-%d", id, i)] = true
		}
		w.deselected[id] = gone
		w.pods[id] = slices.DeleteFunc(slices.Clone(w.pods[id]), func(p targets.Pod) bool { return gone[p.UID] })
	})
}

// mended: what is there is seen again.
func (w *world) mended(id string, nodes ...int) {
	w.mu.Lock()
	w.deselected[id], w.relisted[id], w.missing[id], w.problem = nil, nil, "", ""
	w.mu.Unlock()
	w.run(id, nodes...)
}

// conditionNow is a condition's message; empty if it is not there or not True.
func (b *bench) conditionNow(name, typ string) string {
	s, _ := b.engine.Snapshot(types.UID(name))
	for _, c := range s.Conditions {
		if c.Type == typ && (c.Status || typ == "Ready") {
			return strings.TrimSpace(c.Reason + ": " + c.Message)
		}
	}
	return ""
}

// TestDoubtNeverDrains: whatever makes Kubernetes or AWS look empty, the targets
// stay, a condition says why, and all goes on by itself when it has passed.
func TestDoubtNeverDrains(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5}
	deny := func(action, code string) func(b *bench) func() {
		return func(b *bench) func() {
			return b.sim.Fault(awssim.Fault{Action: action, Effect: awssim.Answer, Status: 403, Code: code, Message: "no"})
		}
	}
	cases := map[string]struct {
		reason string
		// doubt arises; what it returns ends it.
		doubt func(b *bench) func()
		// anew: a process has just started.
		anew bool
		// condition that says why, and a part of its reason and message.
		condition, text string
	}{
		"MistypedLabel": {
			reason: "pods that run and are not selected are no evidence", condition: "Guarded", text: "TooManyWithoutEvidence: too many targets would leave",
			doubt: func(b *bench) func() { b.world.deselect("web", 0, 1, 2, 3); return func() {} },
		},
		"MistypedServiceSelector": {
			reason: "emptyPolicy Hold", condition: "Held", text: "no pod matches",
			doubt: func(b *bench) func() { b.world.deselect("web", all...); return func() {} },
		},
		"ServiceDeleted": {
			reason: "emptyPolicy Hold", condition: "Held", text: "Service edge/web does not exist",
			doubt: func(b *bench) func() {
				b.world.mu.Lock()
				b.world.missing["web"] = "Service edge/web does not exist"
				b.world.mu.Unlock()
				b.world.deselect("web", all...)
				return func() {}
			},
		},
		"NamespaceDeleted": {
			reason: "emptyPolicy Hold, also when the pods were seen to go", condition: "Held", text: "Service edge/web does not exist",
			doubt: func(b *bench) func() {
				b.world.mu.Lock()
				b.world.missing["web"] = "Service edge/web does not exist"
				b.world.mu.Unlock()
				b.world.run("web")
				return func() {}
			},
		},
		"TargetGroupUnreadable": {
			reason: "what is registered is not known", anew: true, condition: "Ready", text: "TargetGroupUnreadable",
			doubt: func(b *bench) func() {
				b.world.run("web", 0)
				return deny("DescribeTargetHealth", "AccessDenied")(b)
			},
		},
		"CredentialsExpired": {
			reason: "no call succeeds", anew: true, condition: "Ready", text: "ExpiredToken",
			doubt: func(b *bench) func() {
				b.world.run("web", 0)
				return deny("", "ExpiredToken")(b)
			},
		},
		"WatchBroken": {
			reason: "what is missing may be there", condition: "ViewIncomplete", text: "the watch of pods is broken",
			doubt: func(b *bench) func() {
				b.world.mu.Lock()
				b.world.problem = "the watch of pods is broken"
				b.world.mu.Unlock()
				b.world.run("web")
				return func() {}
			},
		},
		"CacheNotSynced": {
			reason: "a process that has just started has seen nothing", anew: true, condition: "ViewIncomplete", text: "pods are not synced yet",
			doubt: func(b *bench) func() {
				b.world.mu.Lock()
				b.world.problem = "pods are not synced yet"
				b.world.mu.Unlock()
				b.world.run("web", 0)
				return func() {}
			},
		},
		"LostInARelist": {
			reason: "pods that vanished while nobody watched were not seen to be deleted", condition: "Guarded", text: "LostInRelist: pods vanished",
			doubt: func(b *bench) func() {
				b.world.mu.Lock()
				b.world.relisted["web"] = map[targets.Key]bool{{ID: instance(1), Port: port}: true}
				b.world.mu.Unlock()
				b.world.run("web", 0, 2, 3, 4, 5)
				return func() {}
			},
		},
		"RestoredFromABackup": {
			reason: "pods that etcd has forgotten run", condition: "Braked", text: "ClusterRestored: nothing is deregistered before",
			doubt: func(b *bench) func() {
				b.world.mu.Lock()
				b.world.backwards = time.Now()
				b.world.mu.Unlock()
				b.world.run("web", 0, 1)
				return func() {}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
				b.nodes(7)
				arn := b.group("web")
				b.world.run("web", all...)
				b.engine.Bind(b.order("web", arn))
				b.ready("web")
				time.Sleep(5 * time.Minute)
				if tc.anew {
					b.stop()
				}
				end := tc.doubt(b)
				if tc.anew {
					b.start()
					b.engine.Bind(b.order("web", arn))
				}
				time.Sleep(8 * time.Minute)
				if diff := cmp.Diff(want(all...), b.held(arn)); diff != "" || b.sim.Count("DeregisterTargets") > 0 {
					t.Errorf("%s: %s", tc.reason, diff)
				}
				if got := b.conditionNow("web", tc.condition); !strings.Contains(got, tc.text) {
					t.Errorf("condition %s is %q, want %q", tc.condition, got, tc.text)
				}
				end()
				b.world.mended("web", all...)
				time.Sleep(3 * time.Minute)
				if got := b.conditionNow("web", tc.condition); strings.Contains(got, tc.text) && tc.condition != "Braked" {
					t.Errorf("afterwards condition %s is still %q", tc.condition, got)
				}
				if n := b.sim.Count("DeregisterTargets"); n > 0 {
					t.Errorf("%d DeregisterTargets, want none", n)
				}
				b.world.run("web", 0, 1, 2, 3, 4, 6)
				time.Sleep(time.Minute)
				if diff := cmp.Diff(want(0, 1, 2, 3, 4, 6), b.held(arn)); diff != "" {
					t.Errorf("afterwards it follows again: %s", diff)
				}
			})
		})
	}
}

// TestTheGuardEnds: what is guarded leaves after ten minutes, or when somebody
// says so on the binding, and then at once.
func TestTheGuardEnds(t *testing.T) {
	guardedBench := func(t *testing.T, b *bench) (arn, hash string) {
		t.Helper()
		b.nodes(6)
		arn = b.group("web")
		b.world.run("web", 0, 1, 2, 3, 4, 5)
		b.engine.Bind(b.order("web", arn))
		b.ready("web")
		time.Sleep(time.Minute)
		b.world.deselect("web", 0, 1, 2, 3)
		time.Sleep(time.Minute)
		text := b.conditionNow("web", "Guarded")
		_, hash, _ = strings.Cut(text, "kubectl annotate --overwrite targetgroupbindings.nlb.m.crossplane.io -n edge web nlb.crossplane.io/approve=")
		if hash == "" {
			t.Fatalf("the condition names the command: %q", text)
		}
		return arn, hash
	}
	t.Run("ByTime", func(t *testing.T) {
		inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
			arn, hash := guardedBench(t, b)
			time.Sleep(8*time.Minute + 50*time.Second)
			if got := b.conditionNow("web", "Guarded"); !strings.Contains(got, hash) {
				t.Errorf("the hash does not change while the same wait: %q", got)
			}
			b.counts(1, 0)
			time.Sleep(30 * time.Second)
			if diff := cmp.Diff(want(4, 5), b.held(arn)); diff != "" {
				t.Errorf("they leave, but for the floor: %s", diff)
			}
		})
	})
	t.Run("ByHealth", func(t *testing.T) {
		inBubble(t, awssim.Options{}, time.Hour, func(t *testing.T, b *bench) {
			arn, _ := guardedBench(t, b)
			b.sim.SetAccepting(instance(0), port, false)
			time.Sleep(3 * time.Minute) // three checks, 30 s apart, have to fail
			if diff := cmp.Diff(want(1, 2, 3, 4, 5), b.held(arn)); diff != "" {
				t.Errorf("somebody looks whether AWS calls it unhealthy, and then it leaves: %s", diff)
			}
		})
	})
	t.Run("ByApproval", func(t *testing.T) {
		inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
			arn, hash := guardedBench(t, b)
			o := b.order("web", arn)
			o.Live.Approved = "0123456789"
			b.allow(o, o.Live)
			b.engine.Bind(o)
			time.Sleep(time.Second)
			b.counts(1, 0)
			o.Live.Approved = hash
			b.allow(o, o.Live)
			b.engine.Bind(o)
			time.Sleep(time.Second)
			if diff := cmp.Diff(want(4, 5), b.held(arn)); diff != "" {
				t.Errorf("an order that brings the approval is enough to act: %s", diff)
			}
			b.counts(1, 1)
		})
	})
}

// TestBrakesAreReadBeforeEveryWrite: a brake that is put on between the plan and
// the call is in time, and one that is taken off lets all go on.
func TestBrakesAreReadBeforeEveryWrite(t *testing.T) {
	inBubble(t, awssim.Options{}, time.Minute, func(t *testing.T, b *bench) {
		b.nodes(6)
		arn := b.group("web")
		b.world.run("web", 0, 1, 2)
		o := b.order("web", arn)
		b.engine.Bind(o)
		b.ready("web")
		time.Sleep(time.Minute)
		// The registration hangs: the deregistration after it is planned already.
		remove := b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Effect: awssim.Delay, Delay: 3 * time.Second})
		b.world.run("web", 1, 2, 4)
		time.Sleep(time.Second)
		o.Live.NoDeregister = "annotation nlb.crossplane.io/hold is true"
		b.allow(o, o.Live)
		time.Sleep(20 * time.Second)
		remove()
		if diff := cmp.Diff(want(0, 1, 2, 4), b.held(arn)); diff != "" {
			t.Errorf("what was planned stays: %s", diff)
		}
		b.counts(2, 0)
		if got := b.conditionNow("web", "Braked"); got != "DeregistrationForbidden: annotation nlb.crossplane.io/hold is true, so these targets stay: "+want(0)[0] {
			t.Errorf("condition Braked is %q", got)
		}
		o.Live = binder.Live{}
		b.allow(o, o.Live)
		b.engine.Bind(o)
		time.Sleep(time.Second)
		if diff := cmp.Diff(want(1, 2, 4), b.held(arn)); diff != "" {
			t.Errorf("an order without the brake is enough to act: %s", diff)
		}
	})
}
