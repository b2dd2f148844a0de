package binder_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// TestBinder drives the engine against the simulated AWS, with the real SDK, and
// asserts what AWS ends up with and how many calls that took.
func TestBinder(t *testing.T) {
	cases := map[string]struct {
		reason string
		aws    awssim.Options
		run    func(b *bench, arn string)
	}{
		"PodsBecomeTargetsInOneCall": {
			reason: "all pods that are there when a binding is made are registered by one call",
			run: func(b *bench, arn string) {
				b.world.run("web", 0, 1, 2, 3, 4)
				b.engine.Bind(b.order("web", arn))
				b.holds("five targets", arn, 0, 1, 2, 3, 4)
				b.ready("web")
				b.counts(1, 0)
			},
		},
		"AMoveIsRegisteredBeforeItIsDeregistered": {
			reason: "make before break: the new target is registered, then the old one leaves",
			run: func(b *bench, arn string) {
				b.world.run("web", 0, 1, 2)
				b.engine.Bind(b.order("web", arn))
				b.ready("web")
				b.sim.Reset()
				b.world.run("web", 1, 2, 4)
				b.holds("the move", arn, 1, 2, 4)
				b.counts(1, 1)
				if got := b.order1(); !slices.Equal(got, []string{"RegisterTargets", "DeregisterTargets"}) {
					b.t.Errorf("order of calls: %v", got)
				}
			},
		},
		"NoDescribeInTheHotPath": {
			reason: "a pod event leads to one RegisterTargets with nothing before it",
			run: func(b *bench, arn string) {
				b.world.run("web", 0)
				b.engine.Bind(b.order("web", arn))
				b.ready("web")
				b.sim.Reset()
				b.world.run("web", 0, 1)
				b.holds("the new target", arn, 0, 1)
				if first := b.sim.Calls()[0].Action; first != "RegisterTargets" {
					b.t.Errorf("the first call was %s", first)
				}
			},
		},
		"ARestartInSyncWritesNothing": {
			reason: "the first read tells what is registered, so nothing is registered again",
			run: func(b *bench, arn string) {
				b.world.run("web", 0, 1, 2)
				b.engine.Bind(b.order("web", arn))
				b.ready("web")
				b.stop()
				b.sim.Reset()
				b.start()
				b.engine.Bind(b.order("web", arn))
				b.ready("web")
				b.counts(0, 0)
			},
		},
		"AfterAStartNothingLeavesBeforeTheViewHasSettled": {
			reason: "a view that has been complete for less than 10 s is not evidence of an absence",
			run: func(b *bench, arn string) {
				b.world.run("web", 0, 1, 2)
				b.engine.Bind(b.order("web", arn))
				b.ready("web")
				b.stop()
				b.world.complete = time.Now()
				b.start()
				b.world.run("web", 0, 1, 3)
				b.engine.Bind(b.order("web", arn))
				b.holds("the new one is registered and the old one stays", arn, 0, 1, 2, 3)
				b.counts(2, 0)
			},
		},
		"AnIncompleteViewRegistersAndRemovesNothing": {
			reason: "doubt never drains",
			run: func(b *bench, arn string) {
				b.world.run("web", 0, 1, 2)
				b.engine.Bind(b.order("web", arn))
				b.ready("web")
				b.world.problem = "the watch of pods is broken"
				b.world.run("web", 3)
				b.holds("what is new is added", arn, 0, 1, 2, 3)
				b.condition("web", "ViewIncomplete", "the watch of pods is broken")
				b.counts(2, 0)
			},
		},
		"ARefusedTargetDoesNotStopTheOthers": {
			reason: "the ids that AWS names are left out and the others registered in the same round",
			run: func(b *bench, arn string) {
				b.sim.SetInstanceState(instance(3), awssim.Stopped)
				b.world.run("web", 0, 1, 2, 3, 4)
				b.engine.Bind(b.order("web", arn))
				b.holds("four of five", arn, 0, 1, 2, 4)
				b.counts(2, 0)
			},
		},
		"ARefusalThatNamesNobodyIsFoundByHalving": {
			reason: "when AWS's message names no target, the batch is halved until it is found",
			run: func(b *bench, arn string) {
				b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Contains: instance(3), Effect: awssim.Answer, Code: "InvalidTarget", Message: "One or more targets are not valid"})
				b.world.run("web", 0, 1, 2, 3, 4)
				b.engine.Bind(b.order("web", arn))
				b.holds("four of five", arn, 0, 1, 2, 4)
			},
		},
		"ADroppedTargetIsRepaired": {
			reason: "a read at the poll interval finds what somebody removed",
			run: func(b *bench, arn string) {
				b.world.run("web", 0, 1, 2)
				b.engine.Bind(b.order("web", arn))
				b.ready("web")
				b.stop()
				b.sim.DropTarget(arn, instance(1), port)
				b.start()
				b.engine.Bind(b.order("web", arn))
				b.holds("it is back", arn, 0, 1, 2)
			},
		},
		"AForeignTargetStays": {
			reason: "what this cluster's nodes do not explain is not ours",
			run: func(b *bench, arn string) {
				b.sim.SeedInstance(awssim.Instance{ID: "i-0f0f0f0f0f0f0f0f0", Region: region, Zone: zone(0), VPC: vpc})
				if err := b.sim.PutTarget(arn, "i-0f0f0f0f0f0f0f0f0", port); err != nil {
					b.t.Fatal(err)
				}
				o := b.order("web", arn)
				o.Group.Ours = false
				b.world.run("web", 0)
				b.engine.Bind(o)
				b.ready("web")
				b.condition("web", "ForeignTargets", "i-0f0f0f0f0f0f0f0f0:8443")
				b.counts(1, 0)
			},
		},
		"AReleaseTakesOursAndLeavesOthers": {
			reason: "a deleted binding leaves nothing of its own and touches nothing else",
			run: func(b *bench, arn string) {
				b.sim.SeedInstance(awssim.Instance{ID: "i-0f0f0f0f0f0f0f0f0", Region: region, Zone: zone(0), VPC: vpc})
				if err := b.sim.PutTarget(arn, "i-0f0f0f0f0f0f0f0f0", port); err != nil {
					b.t.Fatal(err)
				}
				o := b.order("web", arn)
				o.Group.Ours = false
				b.world.run("web", 0, 1, 2)
				b.engine.Bind(o)
				b.ready("web")
				b.engine.Release(o.Binding.UID)
				b.eventually("released", func() string {
					if s, _ := b.engine.Snapshot(o.Binding.UID); !s.Released {
						return "not yet"
					}
					return ""
				})
				if diff := cmp.Diff([]string{"i-0f0f0f0f0f0f0f0f0:8443"}, b.held(arn)); diff != "" {
					b.t.Error(diff)
				}
				b.counts(1, 1)
			},
		},
		"AGroupThatIsGoneHasNoTargets": {
			reason: "when a binding and its group are deleted at once, the group may go first, and nothing has failed",
			run: func(b *bench, arn string) {
				o := b.order("web", arn)
				b.world.run("web", 0, 1, 2)
				b.engine.Bind(o)
				b.ready("web")
				b.sim.DeleteTargetGroup(arn)
				b.engine.Release(o.Binding.UID)
				b.eventually("released", func() string {
					if s, _ := b.engine.Snapshot(o.Binding.UID); !s.Released {
						return "not yet"
					}
					return ""
				})
				b.mu.Lock()
				defer b.mu.Unlock()
				for _, e := range b.events {
					if e.Warning {
						b.t.Errorf("%s: %s", e.Reason, e.Message)
					}
				}
			},
		},
		"ASiblingsTargetsAreHandedOver": {
			reason: "what another binding of the cluster wants in the same group is not deregistered by a release",
			run: func(b *bench, arn string) {
				b.world.run("old", 0, 1, 2)
				b.world.run("new", 1, 2)
				old, fresh := b.order("old", arn), b.order("new", arn)
				b.engine.Bind(old)
				b.engine.Bind(fresh)
				b.ready("old")
				b.ready("new")
				b.engine.Release(old.Binding.UID)
				b.holds("the rename", arn, 1, 2)
			},
		},
		"AHangingGroupDelaysNoOther": {
			reason: "each group has its own goroutine and no lock is held across a call",
			run: func(b *bench, arn string) {
				other := b.group("other")
				remove := b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Contains: arn, Effect: awssim.Hang})
				defer remove()
				b.world.run("web", 0)
				b.world.run("other", 1)
				b.engine.Bind(b.order("web", arn))
				b.eventually("the first call hangs", func() string {
					if b.sim.Count("RegisterTargets") == 0 {
						return "no call yet"
					}
					return ""
				})
				b.engine.Bind(b.order("other", other))
				b.holds("the other group", other, 1)
				if got := b.held(arn); len(got) != 0 {
					b.t.Errorf("the hanging call took effect: %v", got)
				}
			},
		},
		"AThrottledCallIsTriedAgain": {
			reason: "throttling is an error that passes",
			run: func(b *bench, arn string) {
				b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Effect: awssim.Throttle, Times: 2})
				b.world.run("web", 0, 1)
				b.engine.Bind(b.order("web", arn))
				b.holds("at last", arn, 0, 1)
				b.ready("web")
			},
		},
		"ALostAnswerIsNeverTakenForAbsent": {
			reason: "a call of which nobody knows the effect is made again",
			run: func(b *bench, arn string) {
				b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Effect: awssim.LoseResponse, Times: 1})
				b.world.run("web", 0, 1)
				b.engine.Bind(b.order("web", arn))
				b.holds("both", arn, 0, 1)
				b.ready("web")
				b.counts(2, 0)
			},
		},
		"APausedBindingChangesNothing": {
			reason: "pause is read from the object itself before every write",
			run: func(b *bench, arn string) {
				b.world.run("web", 0, 1)
				o := b.order("web", arn)
				b.engine.Bind(o)
				b.ready("web")
				b.allow(o, binder.Live{NoRegister: "the binding is paused", NoDeregister: "the binding is paused"})
				b.sim.Reset()
				b.world.run("web", 0, 2)
				b.condition("web", "Ready", "") // it still is: the absence is young
				b.counts(0, 0)
				b.allow(o, binder.Live{})
				b.world.run("web", 0, 2)
				b.holds("after the pause", arn, 0, 2)
			},
		},
		"AnIPTargetIsRegisteredOnlyAfterItIsRecorded": {
			reason: "after a crash only status tells that an address is ours",
			run: func(b *bench, _ string) {
				b.sim.SeedSubnet(awssim.Subnet{VPC: vpc, Zone: zone(0), CIDR: "10.0.0.0/24"})
				arn, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: region, Name: "ips", Protocol: "TCP", Port: port, VPC: vpc, Type: "ip"})
				if err != nil {
					b.t.Fatal(err)
				}
				o := b.order("ips", arn)
				o.Group.Type = targets.TypeIP
				b.world.pods["ips"] = []targets.Pod{{
					PodRef: targets.PodRef{Namespace: "edge", Name: "p", UID: "p"}, Node: "node-0", IP: "10.0.0.7",
					HostNetwork: true, Phase: "Running", ContainersReady: true,
				}}
				b.engine.Bind(o)
				key := targets.Key{ID: "10.0.0.7", Port: port}
				b.eventually("it asks for the record", func() string {
					s, _ := b.engine.Snapshot(o.Binding.UID)
					return cmp.Diff([]targets.Key{key}, s.OwnIPs)
				})
				b.counts(0, 0)
				o.OwnIPs = map[targets.Key]bool{key: true}
				b.engine.Bind(o)
				b.eventually("registered", func() string { return cmp.Diff([]string{"10.0.0.7:8443"}, b.held(arn)) })
			},
		},
		"AGroupThatIsGoneIsToldAndNotWritten": {
			reason: "TargetGroupNotFound is a condition, not a loop",
			run: func(b *bench, arn string) {
				b.sim.DeleteTargetGroup(arn)
				b.world.run("web", 0)
				b.engine.Bind(b.order("web", arn))
				b.condition("web", "Ready", "does not exist")
				b.counts(0, 0)
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.aws)
			b.nodes(6)
			tc.run(b, b.group("web"))
			if t.Failed() {
				t.Logf("reason: %s", tc.reason)
			}
		})
	}
}

// counts asserts how many RegisterTargets and DeregisterTargets AWS got.
func (b *bench) counts(register, deregister int) {
	b.t.Helper()
	got := [2]int{b.sim.Count("RegisterTargets"), b.sim.Count("DeregisterTargets")}
	if diff := cmp.Diff([2]int{register, deregister}, got); diff != "" {
		b.t.Errorf("calls of RegisterTargets and DeregisterTargets: %s", diff)
	}
}

// order1 are the writes in order.
func (b *bench) order1() []string {
	var out []string
	for _, c := range b.sim.Calls() {
		if strings.HasSuffix(c.Action, "registerTargets") || c.Action == "RegisterTargets" {
			out = append(out, c.Action)
		}
	}
	return out
}

func (b *bench) allow(o binder.Order, l binder.Live) {
	b.mu.Lock()
	b.live[o.Binding.UID] = l
	b.mu.Unlock()
}

// condition waits for a condition whose message contains a text.
func (b *bench) condition(name, typ, text string) {
	b.t.Helper()
	b.eventually("condition "+typ, func() string {
		s, _ := b.engine.Snapshot(b.order(name, "").Binding.UID)
		for _, c := range s.Conditions {
			if c.Type == typ && strings.Contains(c.Message, text) {
				return ""
			}
		}
		return cmp.Diff(typ+": "+text, s.Conditions)
	})
}
