package binder

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

func TestTargetsHealthy(t *testing.T) {
	is := func(h targets.Health, reason string, since int) *state {
		s := &state{Target: targets.Target{Presence: targets.Registered, Health: h, Reason: reason}}
		if h == targets.HealthUnhealthy {
			s.unhealthySince = at(since)
		}
		return s
	}
	healthy, initial := is(targets.HealthHealthy, "", 0), is(targets.HealthInitial, reasonChecking, 0)
	timeout := func(since int) *state { return is(targets.HealthUnhealthy, reasonTargetTimeout, since) }
	failing := func(since int) *state { return is(targets.HealthUnhealthy, reasonTargetFailed, since) }
	wrong := func(since int) *state { return is(targets.HealthUnhealthy, "Target.ResponseCodeMismatch", since) }
	fresh, old := healthMemory{}, healthMemory{since: at(-3600), ever: true}
	type verdict struct {
		Reason    string
		Status    bool
		Undecided bool
	}
	undecided := verdict{Undecided: true}
	cases := map[string]struct {
		reason string
		memory healthMemory
		own    []*state
		want   verdict
		next   time.Time
	}{
		"WithoutTargetsNothingIsSaid": {reason: "scaled to zero is neither healthy nor not"},
		"WhatAWSDoesNotCheckIsNotSaid": {
			reason: "a group in no listener is unused", own: []*state{is(targets.HealthUnused, "Target.NotInUse", 0)},
		},
		"AllHealthyIsTrueAtOnce":       {reason: "there is nothing to wait for", own: []*state{healthy, healthy}, want: verdict{"Healthy", true, false}},
		"NewTargetsDoNotUnsetIt":       {reason: "a rollout registers", memory: old, own: []*state{healthy, initial}, want: verdict{"Healthy", true, false}},
		"NothingIsSaidOfAFirstStart":   {reason: "registration takes minutes", own: []*state{initial, initial}, want: undecided},
		"AFewMinutesUnhealthyAreNoise": {reason: "health comes and goes in a rollout", memory: old, own: []*state{healthy, failing(-299)}, want: verdict{"Healthy", true, false}, next: at(1)},
		"AfterAStartNobodyKnows": {
			reason: "what is unhealthy at the first read may have been so for hours: what status says stays",
			own:    []*state{healthy, failing(0)}, want: undecided, next: at(300),
		},
		"OneUnhealthyFor5Minutes": {
			reason: "somebody should look", memory: old, own: []*state{healthy, failing(-300)}, want: verdict{"TargetsUnhealthy", false, false},
		},
		"NoneHealthyFor5Minutes": {
			reason: "the group serves nobody, or fails open", memory: old, own: []*state{failing(-300), failing(-1)},
			want: verdict{"NoTargetHealthy", false, false}, next: at(299),
		},
		"NeverHealthyAndAllTimeOut": {
			reason: "something drops the packets", memory: fresh, own: []*state{timeout(-300), timeout(-300)},
			want: verdict{"HealthChecksTimeOut", false, false},
		},
		"TimingOutForLess": {
			reason: "it takes 5 minutes", memory: fresh, own: []*state{timeout(-299)}, want: undecided, next: at(1),
		},
		"NewOnesWhileAllTimeOut": {
			reason: "a target that is checked for the first time says nothing yet", memory: fresh, own: []*state{timeout(-300), initial},
			want: verdict{"HealthChecksTimeOut", false, false},
		},
		"NeverHealthyAndNobodySaysWhy": {
			reason: "this is all that AWS's guide has, also for checks that are dropped", memory: fresh, own: []*state{failing(-300), failing(-301)},
			want: verdict{"NeverHealthy", false, false},
		},
		"FailingForLess": {
			reason: "it takes 5 minutes", memory: fresh, own: []*state{failing(-299)}, want: undecided, next: at(1),
		},
		"OneThatAnswers": {
			reason: "checks get through", memory: fresh, own: []*state{failing(-300), wrong(-300)}, want: verdict{"NoTargetHealthy", false, false},
		},
		"OneThatDoesNotTimeOut": {
			reason: "an AWS that tells timeouts apart says that checks get through", memory: fresh, own: []*state{timeout(-300), failing(-300)}, want: verdict{"NoTargetHealthy", false, false},
		},
		"HealthyOnce": {
			reason: "the checks were allowed: processes hang, rather than that a firewall drops", memory: old, own: []*state{timeout(-300)},
			want: verdict{"NoTargetHealthy", false, false},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			memory := tc.memory
			got := memory.judge(tc.own, noon)
			if diff := cmp.Diff(tc.want, verdict{got.Reason, got.Status, got.undecided}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.next, got.next); diff != "" {
				t.Errorf("%s: next: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestUrgent: what can come often must wait for its turn.
func TestUrgent(t *testing.T) {
	is := func(typ, reason, message string, status bool) Snapshot {
		return Snapshot{Generation: 1, Conditions: []Condition{{typ, reason, message, status}}}
	}
	ready, waiting := is("Ready", "Available", "", true), is("Ready", "Registering", "a", false)
	ip := func(ids ...string) (s Snapshot) {
		for _, id := range ids {
			s.OwnIPs = append(s.OwnIPs, targets.Key{ID: id, Port: 1})
		}
		return s
	}
	cases := map[string]struct {
		reason   string
		was, now Snapshot
		want     bool
	}{
		"TheFirstReady":      {"GitOps waits for it.", waiting, ready, true},
		"ANewGeneration":     {"Its author waits for it.", ready, Snapshot{Generation: 2, Conditions: ready.Conditions}, true},
		"Held":               {"Somebody may have made a mistake.", Snapshot{}, is("Held", "NoPodMatches", "", true), true},
		"AnotherListOfReady": {"A rollout may change it with each pod.", waiting, is("Ready", "Registering", "b", false), false},
		"NoLongerReady":      {"It was not for 30 s, so a few more do not matter.", ready, waiting, false},
		"Health":             {"It can wait.", ready, Snapshot{Generation: 1, Conditions: append(ready.Conditions, Condition{Type: conditionHealthy})}, false},
		"AnAddressToRecord":  {"Its registration waits for it.", ip("a", "c"), ip("a", "b", "c"), true},
		"AnAddressToForget":  {"Nothing waits for that.", ip("a", "b"), ip("b"), false},
		"Released":           {"The deletion waits for it.", ready, Snapshot{Generation: 1, Conditions: ready.Conditions, Released: true}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := isUrgent(tc.now, tc.was); got != tc.want {
				t.Errorf("isUrgent() = %t: %s", got, tc.reason)
			}
		})
	}
}
