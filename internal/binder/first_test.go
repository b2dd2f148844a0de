package binder_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// TestAfterARestartWhoHasANewPodIsReadFirst: there are more groups than AWS lets us
// read in half a minute, and one of them has a pod to register.
func TestAfterARestartWhoHasANewPodIsReadFirst(t *testing.T) {
	const groups, last = 150, 149
	for name, late := range map[string]bool{"KnownAtOnce": false, "SeenWhenAllWait": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, awssim.Options{Latency: 60 * time.Millisecond, TokenBuckets: true}, time.Hour, func(t *testing.T, b *bench) {
				b.nodes(6)
				var arns []string
				for i := range groups {
					id := fmt.Sprintf("web-%d", i)
					arns = append(arns, b.group(id))
					if err := b.sim.PutTarget(arns[i], instance(0), port); err != nil {
						t.Fatal(err)
					}
					b.world.run(id, 0)
				}
				began := time.Now()
				b.world.hasNews("web-149", !late)
				for i := range groups {
					o := b.order(fmt.Sprintf("web-%d", i), arns[i])
					o.Ports = []int32{port} // as status has it
					b.engine.Bind(o)
				}
				if late {
					time.Sleep(3 * time.Second)
					b.world.hasNews("web-149", true)
				}
				b.world.run("web-149", 0, 1)
				b.holds("the new pod", arns[last], 0, 1)
				took := time.Since(began)
				if late {
					took -= 3 * time.Second
				}
				if took > time.Second {
					t.Errorf("it was registered after %s, behind the reads of %d groups", took, groups-1)
				}
				b.within10("all are read in the end", func() bool {
					read := map[string]bool{}
					for _, c := range b.sim.Calls() {
						if c.Action == "DescribeTargetHealth" {
							read[c.TargetGroupARN] = true
						}
					}
					return len(read) == groups
				})
				b.counts(1, 0)
			})
		})
	}
}

// TestAProvisionalOrderDeregistersNothing: what is not known of the group may forbid
// it.
func TestAProvisionalOrderDeregistersNothing(t *testing.T) {
	inBubble(t, awssim.Options{}, time.Hour, func(t *testing.T, b *bench) {
		b.nodes(6)
		arn := b.group("web")
		b.world.run("web", 0, 2, 4)
		b.engine.Bind(b.order("web", arn))
		b.ready("web")
		o := b.order("web", arn)
		o.Provisional = true
		b.engine.Bind(o)
		b.world.run("web", 0, 3)
		b.holds("registered, and none deregistered", arn, 0, 2, 3, 4)
		time.Sleep(10 * time.Minute)
		b.counts(2, 0)
		b.engine.Bind(b.order("web", arn))
		b.holds("now they leave", arn, 0, 3)
		if got := b.order1(); !slices.Contains(got, "DeregisterTargets") {
			t.Errorf("calls: %v", got)
		}
	})
}

// TestAProcessGoesOnFromWhatWasReady: registrations in flight do not unset it, nor does
// that the pods have not all been listed yet.
func TestAProcessGoesOnFromWhatWasReady(t *testing.T) {
	for name, served := range map[string]bool{"Served": true, "New": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, awssim.Options{}, time.Hour, func(t *testing.T, b *bench) {
				b.nodes(6)
				arn := b.group("web")
				b.world.run("web", 0, 2)
				b.world.change("web", func() { b.world.problem = "pods are not synced yet" })
				o := b.order("web", arn)
				o.Served = served
				b.engine.Bind(o)
				b.within10("it is planned", func() bool { _, known := b.engine.Snapshot("web"); return known })
				if s, _ := b.engine.Snapshot("web"); s.Conditions[0].Status != served {
					t.Errorf("it is %+v, want Ready %t", s.Conditions[0], served)
				}
				b.world.change("web", func() { b.world.problem = "" })
				b.holds("the pods", arn, 0, 2)
				b.ready("web")
			})
		})
	}
}
