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

// unready makes the binding's pod on a node unready, from now on.
func (b *bench) unready(id string, node int) {
	b.world.change(id, func() {
		pods := slices.Clone(b.world.pods[id])
		pods[node].ContainersReady, pods[node].UnreadySince = false, time.Now()
		b.world.pods[id] = pods
	})
}

func (b *bench) eventsOf(reason string) (of []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.podEvents {
		if e.Reason == reason {
			of = append(of, e.pod)
		}
	}
	return of
}

type podEvent struct {
	pod string
	binder.Event
}

func TestUnreadyPodsThatAWSCallsHealthyAreTold(t *testing.T) {
	const reason = "ReadinessNotSeen"
	check := targets.HealthCheck{Protocol: "TCP", Port: "traffic-port", Interval: 10 * time.Second, Unhealthy: 2}
	cases := map[string]struct {
		reason string
		check  targets.HealthCheck
		act    func(b *bench, arn string)
		// before and after are who has been told of 59 s and 10 minutes later.
		before, after []string
		reads         int
	}{
		"AWSDoesNotSeeIt": {
			reason: "it is told after 60 s, and only after a read that is younger than these", check: check,
			act: func(b *bench, _ string) { b.unready("web", 1) }, after: []string{"web-1"}, reads: 1,
		},
		"Often": {
			reason: "a pod that comes and goes is told once for its UID", check: check,
			act: func(b *bench, _ string) {
				b.unready("web", 1)
				time.Sleep(2 * time.Minute)
				b.world.run("web", 0, 1, 2)
				b.unready("web", 1)
			},
			before: []string{"web-1"}, after: []string{"web-1"},
		},
		"AClockThatIsSlow": {
			reason: "a node's clock says that the pod has been unready for an hour: only what was seen here counts", check: check,
			act: func(b *bench, _ string) {
				b.world.change("web", func() {
					pods := slices.Clone(b.world.pods["web"])
					pods[1].ContainersReady, pods[1].UnreadySince = false, time.Now().Add(-time.Hour)
					b.world.pods["web"] = pods
				})
			},
			after: []string{"web-1"}, reads: 1,
		},
		"ASlowHealthCheck": {
			reason: "AWS is given the time that its check takes: a pod unready for 70 s is not told of where it takes 90 s",
			check:  targets.HealthCheck{Protocol: "TCP", Port: "traffic-port", Interval: 30 * time.Second, Unhealthy: 3},
			act: func(b *bench, _ string) {
				b.unready("web", 1)
				time.Sleep(70 * time.Second)
				b.world.run("web", 0, 1, 2)
			},
		},
		"AWSSeesIt": {
			reason: "the health check does what it is there for", check: check,
			act: func(b *bench, _ string) {
				b.sim.SetAccepting(instance(1), port, false)
				b.unready("web", 1)
			},
			reads: 1,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, awssim.Options{}, time.Hour, func(t *testing.T, b *bench) {
				b.nodes(3)
				arn := b.group("web")
				o := b.order("web", arn)
				o.Group.Check = tc.check
				b.world.run("web", 0, 1, 2)
				b.engine.Bind(o)
				b.ready("web")
				b.settled(5 * time.Minute)
				tc.act(b, arn)
				time.Sleep(59 * time.Second)
				if diff := cmp.Diff(tc.before, b.eventsOf(reason)); diff != "" {
					t.Errorf("%s: told within 59 s: -want, +got:\n%s", tc.reason, diff)
				}
				time.Sleep(10 * time.Minute)
				if diff := cmp.Diff(tc.after, b.eventsOf(reason)); diff != "" {
					t.Errorf("%s: told: -want, +got:\n%s", tc.reason, diff)
				}
				if got := b.sim.Count(); tc.reads > 0 && got < tc.reads || got > 60 {
					t.Errorf("%s: %d calls", tc.reason, got)
				}
			})
		})
	}
}

// TestAnUnreadyPodCostsOneRead: a quiet group is read once for it, not once for each
// look.
func TestAnUnreadyPodCostsOneRead(t *testing.T) {
	inBubble(t, awssim.Options{}, 2*time.Hour, func(t *testing.T, b *bench) {
		b.nodes(3)
		arn := b.group("web")
		b.world.run("web", 0, 1, 2)
		b.engine.Bind(b.order("web", arn))
		b.ready("web")
		b.settled(5 * time.Minute)
		b.unready("web", 1)
		b.unready("web", 2)
		time.Sleep(time.Hour)
		if diff := cmp.Diff(1, b.sim.Count()); diff != "" {
			t.Errorf("calls: -want, +got:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"web-1", "web-2"}, b.eventsOf("ReadinessNotSeen")); diff != "" {
			t.Errorf("told: -want, +got:\n%s", diff)
		}
		if diff := cmp.Diff(1, b.countOf("ReadinessNotSeen")); diff != "" {
			t.Errorf("Events on the binding: -want, +got:\n%s", diff)
		}
	})
}

// countOf is how many Events with that reason the bindings have.
func (b *bench) countOf(reason string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		if e.Reason == reason {
			n++
		}
	}
	return n
}

// conditionOf is what a condition of a binding says.
func (b *bench) conditionOf(name, typ string) binder.Condition {
	s, _ := b.engine.Snapshot(types.UID(name))
	for _, c := range s.Conditions {
		if c.Type == typ {
			return c
		}
	}
	return binder.Condition{}
}

// TestHealthChecksThatAreDroppedAreTold: AWS's guide knows no reason that tells them from
// those that fail otherwise, and the API reference does.
func TestHealthChecksThatAreDroppedAreTold(t *testing.T) {
	for _, tc := range []struct {
		causes bool
		want   string
	}{{true, binder.ReasonTimeout}, {false, binder.ReasonNeverHealthy}} {
		t.Run(tc.want, func(t *testing.T) { droppedChecksAreTold(t, tc.causes, tc.want) })
	}
}

func droppedChecksAreTold(t *testing.T, causes bool, want string) {
	t.Helper()
	inBubble(t, awssim.Options{Profile: awssim.Observed, TellCauses: causes}, 10*time.Minute, func(t *testing.T, b *bench) {
		b.nodes(2)
		arn := b.group("web")
		for i := range 2 {
			b.sim.SetProbe(instance(i), port, awssim.TimesOut)
		}
		b.world.run("web", 0, 1)
		b.engine.Bind(b.order("web", arn))
		b.ready("web")
		began := time.Now()
		for b.conditionOf("web", "TargetsHealthy") == (binder.Condition{}) {
			if time.Since(began) > time.Hour {
				t.Fatal("nothing is said of targets that are never healthy")
			}
			time.Sleep(time.Second)
		}
		t.Logf("told after %s, of which AWS took some minutes to register", time.Since(began))
		if c := b.conditionOf("web", "TargetsHealthy"); c.Status || c.Reason != want {
			t.Errorf("%+v, want False and %s", c, want)
		}
		for i := range 2 {
			b.sim.SetProbe(instance(i), port, awssim.Accepts)
		}
		time.Sleep(10 * time.Minute)
		if c := b.conditionOf("web", "TargetsHealthy"); !c.Status || c.Reason != "Healthy" {
			t.Errorf("%+v, want True once the checks get through", c)
		}
	})
}

func TestDrainRiskIsTold(t *testing.T) {
	inBubble(t, awssim.Options{}, 10*time.Minute, func(t *testing.T, b *bench) {
		b.nodes(2)
		arn := b.group("web")
		o := b.order("web", arn)
		o.Group.Check = targets.HealthCheck{Protocol: "TCP", Port: "traffic-port", Interval: 5 * time.Second, Unhealthy: 2}
		b.world.run("web", 0, 1)
		b.engine.Bind(o)
		b.ready("web")
		c := b.conditionOf("web", "DrainRisk")
		if !c.Status || c.Reason != string(targets.RiskCheck) || !strings.Contains(c.Message, "preStop") {
			t.Errorf("%+v", c)
		}
		b.world.change("web", func() { b.world.problem = "the watch of pods is broken" })
		time.Sleep(time.Minute)
		s, _ := b.engine.Snapshot("web")
		if !slices.Contains(s.Undecided, "DrainRisk") {
			t.Errorf("a view that is not whole says nothing of pods: %+v", s)
		}
	})
}
