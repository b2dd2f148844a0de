package awssim_test

import (
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	lagging       = "aws/containers-roadmap#470"
	attributesDoc = "network/edit-target-group-attributes.html"
	groupHealth   = "network/target-group-health.html"
)

func TestTrafficRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"Healthy": {"Healthy targets share the connections of their zone.", healthDoc, func(b *bench) {
			e := b.edge(nil)
			got := e.during(time.Minute, holding(10*time.Second))
			e.saw(got, awssim.Report{Attempts: 61, Connected: 61, Open: 10, LeastServing: map[string]int{zoneA: 2, zoneB: 2}})
			if share(got, e.b...) != 0 || share(got, e.a[0]) < 10 || share(got, e.a[1]) < 10 {
				e.t.Errorf("connections by target: %v", got.Targets)
			}
		}},
		"CrossZone": {"With cross-zone load balancing a node uses the targets of all zones.", "network/network-load-balancers.html#cross-zone-load-balancing", func(b *bench) {
			e := b.edge(nil)
			e.ok(e.setLB(e.lb, "load_balancing.cross_zone.enabled", "true"))
			if got := e.during(time.Minute, nil); share(got, e.b...) < 15 || share(got, e.a...) < 15 {
				e.t.Errorf("connections by target: %v", got.Targets)
			}
		}},
		"Initial": {"A new target gets nothing until it is healthy.", healthDoc, func(b *bench) {
			e := b.edge(nil)
			id := "i-0123456789abcdef0"
			e.sim.SeedInstance(awssim.Instance{ID: id, Zone: zoneA, VPC: vpc})
			e.ok(e.register(e.group, id))
			// 100 seconds of registration, then a health check at once and four more.
			if got := e.during(139*time.Second, nil); share(got, id) != 0 {
				e.t.Errorf("%d connections to an initial target", share(got, id))
			}
			if got := e.during(time.Minute, nil); share(got, id) == 0 {
				e.t.Errorf("no connections to a healthy target: %v", got.Targets)
			}
		}},
		"UnhealthyGetsMore": {"An unhealthy target gets new connections for 30-40 seconds more.", lagging, func(b *bench) {
			e := b.edge(nil)
			e.sim.SetAccepting(e.a[0], 8080, false)
			e.clock.Advance(20 * time.Second)
			diff(e.t, awssim.Unhealthy, e.stateOf(e.a[0]))
			if got := e.during(10*time.Second, nil); share(got, e.a[0]) == 0 {
				e.t.Error("no connections to a target that has just become unhealthy")
			}
			e.clock.Advance(30 * time.Second)
			if got := e.during(time.Minute, nil); share(got, e.a[0]) != 0 {
				e.t.Errorf("%d connections to an unhealthy target", share(got, e.a[0]))
			}
		}},
		"NeverHealthyGetsNothing": {"A target that fails its first checks was never sent to, so nodes have nothing to learn.", healthDoc, func(b *bench) {
			e := b.edge(nil)
			id := "i-0123456789abcdef0"
			e.sim.SeedInstance(awssim.Instance{ID: id, Zone: zoneA, VPC: vpc})
			e.sim.SetAccepting(id, 8080, false)
			e.ok(e.register(e.group, id))
			if got := e.during(10*time.Minute, nil); share(got, id) != 0 {
				e.t.Errorf("%d connections to a target that never was healthy", share(got, id))
			}
			diff(e.t, awssim.Unhealthy, e.stateOf(id))
		}},
		"UnhealthyCuts": {"Connections of an unhealthy target are cut.", attributesDoc, func(b *bench) {
			e := b.edge(nil)
			client := e.through(holding(time.Hour))
			e.clock.Advance(time.Minute)
			mine := share(client.Report(), e.a[0])
			e.sim.SetAccepting(e.a[0], 8080, false)
			e.clock.Advance(5 * time.Minute)
			if got := client.Stop(); got.Reset < mine || got.Refused+got.TimedOut != 0 {
				e.t.Errorf("want at least %d reset: %s", mine, got)
			}
		}},
		"UnhealthyDrains": {"Without connection termination they end with the draining interval.", attributesDoc, func(b *bench) {
			e := b.edge(nil)
			e.ok(e.setAttribute(e.group, "target_health_state.unhealthy.connection_termination.enabled", "false"))
			e.ok(e.setAttribute(e.group, "target_health_state.unhealthy.draining_interval_seconds", "600"))
			client := e.through(holding(time.Hour))
			e.sim.SetAccepting(e.a[0], 8080, false)
			e.clock.Advance(10 * time.Minute)
			diff(e.t, 0, client.Report().Reset)
			e.clock.Advance(time.Minute)
			if got := client.Stop(); got.Reset == 0 {
				e.t.Errorf("no connection was reset: %s", got)
			}
		}},
		"UnhealthyKeeps": {"Without connection termination and interval connections stay.", attributesDoc, func(b *bench) {
			e := b.edge(nil)
			e.ok(e.setAttribute(e.group, "target_health_state.unhealthy.connection_termination.enabled", "false"))
			client := e.through(holding(time.Hour))
			e.sim.SetAccepting(e.a[0], 8080, false)
			e.clock.Advance(30 * time.Minute)
			diff(e.t, 0, client.Stop().Failed())
		}},
		"FailOpen": {"A zone without a healthy target uses all, and cuts no connection.", healthDoc, func(b *bench) {
			e := b.edge(nil)
			client := e.through(holding(time.Hour))
			for _, id := range e.a {
				e.sim.SetAccepting(id, 8080, false)
			}
			e.clock.Advance(10 * time.Minute)
			e.saw(client.Stop(), awssim.Report{Attempts: 601, Connected: 601, Open: 601, LeastServing: map[string]int{zoneA: 2, zoneB: 2}})
		}},
		"FailOpenThreshold": {"The threshold of healthy targets can be set.", groupHealth, func(b *bench) {
			e := b.edge(nil)
			e.ok(e.setAttribute(e.group, "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "51"))
			e.sim.SetAccepting(e.a[0], 8080, false)
			e.clock.Advance(10 * time.Minute)
			if got := e.during(time.Minute, nil); share(got, e.a[0]) == 0 {
				e.t.Errorf("connections by target: %v", got.Targets)
			}
		}},
		"DeregisteredGetsMore": {"A deregistered target gets new connections for two minutes, whatever its delay.", lagging, func(b *bench) {
			e := b.edge(nil)
			e.ok(e.setAttribute(e.group, "deregistration_delay.timeout_seconds", "0"))
			e.ok(e.deregister(e.group, e.a[0]))
			e.sim.SetAccepting(e.a[0], 80, false)
			if got := e.during(119*time.Second, nil); got.Refused < 30 {
				e.t.Errorf("want many refused: %s", got)
			}
			e.clock.Advance(time.Second)
			diff(e.t, 0, e.during(time.Minute, nil).Failed())
		}},
		"DeregisteredKeeps": {"Connections outlive the deregistration of their target.", attributesDoc, func(b *bench) {
			e := b.edge(nil)
			client := e.through(holding(time.Hour))
			e.clock.Advance(time.Minute)
			e.ok(e.deregister(e.group, e.a[0]))
			e.clock.Advance(30 * time.Minute)
			diff(e.t, 0, client.Stop().Failed())
		}},
		"DeregisteredCuts": {"With connection termination they end with the deregistration delay.", attributesDoc, func(b *bench) {
			e := b.edge(nil)
			e.ok(e.setAttribute(e.group, "deregistration_delay.connection_termination.enabled", "true"))
			client := e.through(holding(time.Hour))
			e.clock.Advance(time.Minute)
			e.ok(e.deregister(e.group, e.a[0]))
			e.clock.Advance(299 * time.Second)
			diff(e.t, 0, client.Report().Reset)
			e.clock.Advance(time.Second)
			if got := client.Stop(); got.Reset != share(got, e.a[0]) {
				e.t.Errorf("%d connections to the target: %s", share(got, e.a[0]), got)
			}
		}},
		"Reregistered": {"A draining target that is registered again starts anew.", "design §8", func(b *bench) {
			e := b.edge(nil)
			e.ok(e.deregister(e.group, e.a[0]))
			e.clock.Advance(2 * time.Minute)
			e.ok(e.register(e.group, e.a[0]))
			diff(e.t, awssim.Initial, e.stateOf(e.a[0]))
			if got := e.during(time.Minute, nil); share(got, e.a[0]) != 0 {
				e.t.Errorf("%d connections to an initial target", share(got, e.a[0]))
			}
		}},
		"ProcessGone": {"Connections end with the process that has them, unless it finishes them first.", "RFC 9293 §3.5.2", func(b *bench) {
			e := b.edge(nil)
			client := e.through(holding(time.Minute))
			e.clock.Advance(30 * time.Second)
			e.sim.SetProbe(e.a[0], 80, awssim.Finishing)
			diff(e.t, 0, client.Report().Reset)
			e.sim.SetAccepting(e.a[0], 80, false)
			if got := client.Report(); got.Reset != share(got, e.a[0]) {
				e.t.Errorf("%d connections to the target: %s", share(got, e.a[0]), got)
			}
			e.clock.Advance(time.Minute)
			if got := client.Stop(); got.Refused == 0 || got.LeastServing[zoneA] != 1 {
				e.t.Errorf("want refused connections and one serving target: %s", got)
			}
		}},
		"InstanceStopped": {"A stopped instance gets connections until nodes know; they time out.", lagging, func(b *bench) {
			e := b.edge(nil)
			client := e.through(holding(time.Hour))
			e.clock.Advance(time.Minute)
			mine := share(client.Report(), e.a[0])
			e.sim.SetInstanceState(e.a[0], awssim.Stopped)
			e.clock.Advance(time.Minute)
			if got := client.Stop(); got.TimedOut == 0 || got.Reset != mine {
				e.t.Errorf("want some timed out and %d reset: %s", mine, got)
			}
			diff(e.t, 0, e.during(time.Minute, nil).Failed())
		}},
		"Hangs": {"A process that hangs answers nobody.", healthDoc, func(b *bench) {
			e := b.edge(nil)
			for _, id := range e.a {
				e.sim.SetProbe(id, 80, awssim.TimesOut)
			}
			e.saw(e.during(9*time.Second, nil), awssim.Report{Attempts: 10, TimedOut: 10})
		}},
		"NoTarget": {"A node without targets refuses.", "assumed: no page says it", func(b *bench) {
			e := b.edge(nil)
			e.sim.DropTarget(e.group, e.a[0], 80)
			e.sim.DropTarget(e.group, e.a[1], 80)
			e.saw(e.during(9*time.Second, nil), awssim.Report{Attempts: 10, Refused: 10, LeastServing: map[string]int{zoneA: 0, zoneB: 2}})
		}},
	})
}

// TestTrafficIsTheSameAgain: what a client sees follows from its seed and from
// what happens, not from how a test moves the clock.
func TestTrafficIsTheSameAgain(t *testing.T) {
	t.Parallel()
	history := func(steps int) awssim.Report {
		e := newBench(t, awssim.Options{}).edge(nil)
		client := e.through(holding(7 * time.Second))
		advance := func(d time.Duration) {
			for range steps {
				e.clock.Advance(d / time.Duration(steps))
				client.Report()
			}
		}
		advance(time.Minute)
		e.sim.SetAccepting(e.a[0], 8080, false)
		advance(2 * time.Minute)
		e.ok(e.deregister(e.group, e.a[1]))
		e.sim.SetAccepting(e.a[1], 80, false)
		advance(10 * time.Minute)
		got := client.Stop()
		for i := range got.Failures {
			got.Failures[i].At = time.Time{}
		}
		return got
	}
	one, two := history(1), history(600)
	diff(t, one, two)
	if one.Reset == 0 || one.Refused == 0 {
		t.Errorf("the history shows nothing: %s", one)
	}
}
