package targets

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRegistering(t *testing.T) {
	refused := func(until time.Duration) func(*Target) {
		return func(t *Target) { t.Presence, t.RefusedUntil, t.Refusal = Absent, noon.Add(until), "not in this VPC" }
	}
	full := input(func(in *Input) { in.QuotaFull = true })
	checkRules(t, []rule{
		{"AbsentIsRegistered", "A target that AWS was seen not to hold is registered.",
			scene(node("a"), pod("a"), target("a", HealthUnused, presence(Absent))), []string{"+ i-a PodReady"}},
		{"DrainingIsRegistered", "A target that drains is registered again: it would be gone soon.",
			scene(node("a"), pod("a"), target("a", HealthDraining, presence(Draining))), []string{"+ i-a PodReady"}},
		{"DoubtIsRegistered", "A target in doubt is registered when wanted.",
			scene(node("a"), pod("a"), target("a", HealthHealthy, presence(Unknown))), []string{"+ i-a PodReady"}},
		{"DoubtIsNeverAbsent", "A target in doubt that must go is deregistered again.",
			scene(healthyElsewhere, node("a", leaving), target("a", HealthDraining, presence(Unknown))), []string{"- i-a NodeLeaving", elsewhere}},
		{"DrainingIsNotDeregistered", "What drains is on its way.",
			scene(healthyElsewhere, node("a", leaving), target("a", HealthDraining, presence(Draining))), []string{elsewhere}},
		{"RefusedWaits", "What AWS refused is not asked for before its time, and blocks no other.",
			scene(node("a"), pod("a"), target("a", HealthUnread, refused(time.Second)), node("b"), pod("b")), []string{"= i-a RefusedByAWS", "+ i-b PodReady"}},
		{"RefusedIsAskedAgain", "Then it is.",
			scene(node("a"), pod("a"), target("a", HealthUnread, refused(0))), []string{"+ i-a PodReady"}},
		{"NoRegister", "Management policies can forbid registration.",
			scene(node("a"), pod("a"), policy(func(p *Policy) { p.NoRegister = "observe only" })), []string{"= i-a RegistrationForbidden"}},
		{"NoDeregister", "A brake forbids every removal.",
			scene(healthyElsewhere, node("a", leaving), target("a", HealthUnused, dead), policy(func(p *Policy) { p.NoDeregister = "annotation hold" })),
			[]string{"= i-a DeregistrationForbidden", elsewhere}},
		{"QuotaAloneRegistersNothing", "Where a quota is exhausted and nothing can leave nothing is asked for.",
			scene(healthyElsewhere, full, node("a"), pod("a")), []string{"= i-a QuotaExhausted", elsewhere}},
		{"QuotaMakesRoom", "There as many leave as need room, over the budget if it must be, and as many are registered.",
			scene(healthyElsewhere, full, node("a"), pod("a"), node("b"), pod("b"),
				node("c", departing), pod("c"), target("c", HealthHealthy), node("d", departing), pod("d"), target("d", HealthHealthy), node("e", departing), pod("e"), target("e", HealthHealthy)),
			[]string{"+ i-a PodReady", "+ i-b PodReady", "- i-c NodeDeparting", "- i-d NodeDeparting", "~ i-e DepartureBudget", elsewhere}},
		{"QuotaObeysTheFloor", "The floor holds there too, and what finds no room waits.",
			scene(full, node("a"), pod("a"), node("b"), pod("b"), node("c", departing), pod("c"), target("c", HealthHealthy), node("d", departing), pod("d"), target("d", HealthHealthy)),
			[]string{"+ i-a PodReady", "= i-b QuotaExhausted", "- i-c NodeDeparting", "~ i-d Floor"}},
		{"QuotaIsEvenOverZones", "The zone that has the least is filled first.",
			scene(healthyElsewhere, full, node("a"), pod("a"), node("b", zone("z2")), pod("b"), node("c", leaving), target("c", HealthUnhealthy)),
			[]string{"= i-a QuotaExhausted", "+ i-b PodReady", "- i-c NodeLeaving", elsewhere}},
	})
	if p := NewPlan(scene(healthyElsewhere, full)); !p.DeregisterFirst {
		t.Error("Where a quota is exhausted departures must go first.")
	}
}

func TestPlanString(t *testing.T) {
	in := scene(healthyElsewhere, node("a"), pod("a"), node("b", leaving), pod("b"), target("b", HealthHealthy),
		node("c", leaving, zone("z2")), pod("c"), target("c", HealthHealthy), pod("y", func(p *Pod) { p.HostNetwork = false }))
	want := strings.Join([]string{
		"+ i-a:443 in z1 for edge/p-a: PodReady: the pod is ready",
		`- i-b:443 in z1 for edge/p-b: NodeLeaving: node "b" is leaving (taint x)`,
		`~ i-c:443 in z2 for edge/p-c: Floor: it is the last one that serves in its zone: node "c" is leaving (taint x)`,
		`skipped edge/p-b: node "b" is leaving (taint x)`,
		`skipped edge/p-c: node "c" is leaving (taint x)`,
		"skipped edge/p-y: does not use hostNetwork",
		"",
	}, "\n")
	if diff := cmp.Diff(want, NewPlan(in).String()); diff != "" {
		t.Errorf("A plan prints what it changes, what waits and why.\n-want +got:\n%s", diff)
	}
	in = scene(node("a"), target("a", HealthHealthy))
	if diff := cmp.Diff("held: no pod matches (emptyPolicy: Hold)\n", NewPlan(in).String()); diff != "" {
		t.Errorf("A plan that holds says why.\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff("", NewPlan(scene(healthyElsewhere)).String()); diff != "" {
		t.Errorf("A plan with nothing to do prints nothing.\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff("[2001:db8::1]:443", Key{"2001:db8::1", 443}.String()); diff != "" {
		t.Errorf("An IPv6 target is printed in brackets.\n-want +got:\n%s", diff)
	}
}

func TestPolicyDefaults(t *testing.T) {
	cases := map[string]struct {
		reason   string
		in, want Policy
	}{
		"Empty":    {"Defaults are those of binding.md.", Policy{}, Policy{NotReadyAfter: 5 * time.Minute, MaxUnavailable: 10, MaxUnavailablePercent: true}},
		"Number":   {"A number stays.", Policy{MaxUnavailable: 3, NotReadyAfter: time.Second}, Policy{MaxUnavailable: 3, NotReadyAfter: time.Second}},
		"NoShare":  {"Zero percent is a choice, though one may always leave.", Policy{MaxUnavailablePercent: true}, Policy{MaxUnavailablePercent: true, NotReadyAfter: 5 * time.Minute}},
		"Explicit": {"What is set stays.", Policy{MaxUnavailable: 50, MaxUnavailablePercent: true, Ownership: OwnershipShared}, Policy{MaxUnavailable: 50, MaxUnavailablePercent: true, Ownership: OwnershipShared, NotReadyAfter: 5 * time.Minute}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.in.WithDefaults()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
	shares := []struct{ max, healthy, want int }{{10, 9, 1}, {10, 19, 1}, {10, 20, 2}, {0, 50, 1}, {100, 7, 7}}
	for _, s := range shares {
		if got := (Policy{MaxUnavailable: s.max, MaxUnavailablePercent: true}).share(s.healthy); got != s.want {
			t.Errorf("%d %% of %d rounds down and is at least one: want %d, got %d", s.max, s.healthy, s.want, got)
		}
	}
	if got := (Policy{MaxUnavailable: 3}).share(100); got != 3 {
		t.Errorf("A number is taken as it is: want 3, got %d", got)
	}
}

func TestCount(t *testing.T) {
	in := scene(
		node("a"), pod("a"), target("a", HealthHealthy), node("b", zone("z2")), pod("b"), target("b", HealthInitial),
		node("c"), pod("c", starts), target("c", HealthUnhealthyDraining), node("d", zone("z2")), pod("d"),
		node("e"), target("e", HealthDraining, presence(Draining)), node("f"), pod("f"), target("f", HealthUnhealthy, presence(Unknown)),
		target("x", HealthHealthy), target("y", HealthHealthy, func(t *Target) { t.Zone = "" }),
	)
	want := Counts{
		Tally: Tally{Desired: 4, Registered: 3, Healthy: 1, Initial: 1, Unhealthy: 1, Draining: 1, Foreign: 2},
		Zones: map[string]Tally{
			"z1": {Desired: 2, Registered: 2, Healthy: 1, Unhealthy: 1, Draining: 1, Foreign: 1},
			"z2": {Desired: 2, Registered: 1, Initial: 1},
		},
	}
	if diff := cmp.Diff(want, Count(in.Targets, NewPlan(in))); diff != "" {
		t.Errorf("Targets are counted by state, in all and by zone, foreign ones apart.\n-want +got:\n%s", diff)
	}
}
