package binder_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

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
