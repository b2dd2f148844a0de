package binder

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	key  = targets.Key{ID: "i-0a1b2c3d4e5f60718", Port: 8443}
)

func at(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }

func TestMerge(t *testing.T) {
	healthy := []reading{{Key: key, health: targets.HealthHealthy}}
	cases := map[string]struct {
		reason string
		held   *state
		read   []reading
		// began is when the read began; it is taken in a second later.
		began int
		want  targets.Presence
		// health, where it is what the case is about.
		health targets.Health
		// unread: its health is not known any more.
		unread bool
		again  bool
		// kept: it is remembered though AWS does not have it.
		kept bool
	}{
		"AnUnknownTargetIsTakenIn": {
			reason: "a target that AWS has and we do not know is registered",
			read:   healthy, began: 0, want: targets.Registered,
		},
		"AnOldRegistrationThatIsMissingIsAbsent": {
			reason: "30 s after the last write a read is believed",
			held:   &state{Target: targets.Target{Presence: targets.Registered, LastWrite: at(0)}},
			began:  31, want: targets.Absent,
		},
		"AYoungRegistrationThatIsMissingStays": {
			reason: "a read may lag behind our own write by 30 s: it says nothing against it, and is repeated",
			held:   &state{Target: targets.Target{Presence: targets.Registered, LastWrite: at(0)}},
			began:  29, want: targets.Registered, again: true,
		},
		"AYoungDeregistrationThatIsStillThereStays": {
			reason: "the same for a deregistration",
			held:   &state{Target: targets.Target{Presence: targets.Draining, LastWrite: at(0)}},
			read:   healthy, began: 10, want: targets.Draining, again: true,
		},
		"AYoungReadThatAgreesCounts": {
			reason: "health is taken from a read that agrees about the registration, however young",
			held:   &state{Target: targets.Target{Presence: targets.Registered, LastWrite: at(0)}},
			read:   healthy, began: 1, want: targets.Registered,
		},
		"HealthBeforeItLeftIsNotItsHealth": {
			reason: "a target that was deregistered and registered again has to become healthy again, whatever a read says that may be older",
			held:   &state{Target: targets.Target{Presence: targets.Registered, Health: targets.HealthInitial, LastWrite: at(10)}, leftAt: at(0)},
			read:   healthy, began: 20, want: targets.Registered, health: targets.HealthInitial, again: true,
		},
		"HealthAfterItCameBackIsItsHealth": {
			reason: "when no read can be so old it is believed",
			held:   &state{Target: targets.Target{Presence: targets.Registered, Health: targets.HealthInitial, LastWrite: at(10)}, leftAt: at(0)},
			read:   healthy, began: 31, want: targets.Registered, health: targets.HealthHealthy,
		},
		"AWriteDuringTheReadWins": {
			reason: "a read that began before a write cannot know of it",
			held:   &state{Target: targets.Target{Presence: targets.Registered, LastWrite: at(5)}},
			began:  4, want: targets.Registered, again: true,
		},
		"ADoubtIsEndedByALaterRead": {
			reason: "what nobody knew is known when the lag is over",
			held:   &state{Target: targets.Target{Presence: targets.Unknown, LastWrite: at(0)}},
			read:   healthy, began: 31, want: targets.Registered,
		},
		"ADoubtIsNotEndedByAYoungRead": {
			reason: "a timed-out call may still take effect, so a young read proves nothing",
			held:   &state{Target: targets.Target{Presence: targets.Unknown, LastWrite: at(0)}},
			began:  5, want: targets.Unknown, again: true,
		},
		"HealthBeforeADoubtIsNoMore": {
			reason: "one that was unhealthy when it should have left, and did not leave, may serve meanwhile: a young read that says so is not proof, but a doubt",
			held:   &state{Target: targets.Target{Presence: targets.Unknown, Health: targets.HealthUnhealthy, LastWrite: at(0)}},
			read:   healthy, began: 5, want: targets.Unknown, unread: true, again: true,
		},
		"HealthBeforeADoubtThatIsConfirmedStays": {
			reason: "as long as AWS says the same nothing is in doubt about it",
			held:   &state{Target: targets.Target{Presence: targets.Unknown, Health: targets.HealthHealthy, LastWrite: at(0)}},
			read:   healthy, began: 5, want: targets.Unknown, health: targets.HealthHealthy, again: true,
		},
		"DrainingIsTakenIn": {
			reason: "a target that somebody else deregistered is draining",
			held:   &state{Target: targets.Target{Presence: targets.Registered, LastWrite: at(0)}},
			read:   []reading{{Key: key, health: targets.HealthDraining, reason: "Target.DeregistrationInProgress"}}, began: 40, want: targets.Draining,
		},
		"ACallThatMayTakeEffectYetIsRemembered": {
			reason: "a call that timed out can register the target 40 s later, and then it must be looked for",
			held:   &state{Target: targets.Target{Presence: targets.Unknown, LastWrite: at(0)}, doubtedAt: at(0)},
			began:  31, want: targets.Absent, kept: true,
		},
		"ARefusalIsRemembered": {
			reason: "a target that AWS refused is in no read, and must not be forgotten for that",
			held:   &state{Target: targets.Target{Presence: targets.Absent, RefusedUntil: at(60), Refusal: "no"}},
			began:  31, want: targets.Absent, kept: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := states{}
			if tc.held != nil {
				tc.held.Key = key
				s[key] = tc.held
			}
			again := s.merge(tc.read, at(tc.began), at(tc.began+1))
			got := targets.Absent
			if held := s[key]; held != nil {
				got = held.Presence
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: presence: %s", tc.reason, diff)
			}
			if kept := s[key] != nil; tc.want == targets.Absent && kept != tc.kept {
				t.Errorf("%s: kept: %t", tc.reason, kept)
			}
			if held := s[key]; tc.health != "" && cmp.Diff(tc.health, held.Health) != "" {
				t.Errorf("%s: health: %s", tc.reason, held.Health)
			}
			if held := s[key]; tc.unread && held.Health != targets.HealthUnread {
				t.Errorf("%s: health: %s", tc.reason, held.Health)
			}
			if diff := cmp.Diff(tc.again, !again.IsZero()); diff != "" {
				t.Errorf("%s: read again: %s", tc.reason, diff)
			}
		})
	}
}

func TestWish(t *testing.T) {
	const quiet = 600
	registered := func(h targets.Health, reason string) *state {
		return &state{Target: targets.Target{Key: key, Presence: targets.Registered, Health: h, Reason: reason}}
	}
	cases := map[string]struct {
		reason string
		held   *state
		now    int
		// want is when, in seconds.
		want float64
		// urgency of the wish.
		urgency urgency
	}{
		"AQuietGroupIsReadSoThatARepairIsWithinThePollInterval": {
			reason: "nobody waits for anything, but what somebody dropped is registered within the interval", held: registered(targets.HealthHealthy, ""), now: 0, want: quiet - 1, urgency: urgencyQuiet,
		},
		"RegistrationIsLookedAtEvery10Seconds": {
			reason: "it takes minutes", held: registered(targets.HealthInitial, reasonRegistering), now: 0, want: 10, urgency: urgencyAwaited,
		},
		"FirstChecksAreLookedAtEvery2SecondsWithTheCalls": {
			reason: "it is a matter of seconds", held: registered(targets.HealthInitial, reasonChecking), now: 0, want: 1.8, urgency: urgencyAwaited,
		},
		"WhatMayTakeEffectYetIsLookedAtWhenItMust": {
			reason: "a call that timed out may undo what came after it, up to 40 s later, and a read lags by 30 s",
			held:   &state{Target: registered(targets.HealthHealthy, "").Target, doubtedAt: at(0)}, now: 10, want: 75, urgency: urgencyAwaited,
		},
		"AnUnhealthyTargetIsLookedAtEvery15Seconds": {
			reason: "it may come back", held: &state{Target: registered(targets.HealthUnhealthy, "").Target, unhealthySince: at(0)}, now: 10, want: 15, urgency: urgencyAwaited,
		},
		"ALongUnhealthyTargetIsLookedAtEveryMinute": {
			reason: "after 15 minutes nobody waits any more",
			held:   &state{Target: registered(targets.HealthUnhealthy, "").Target, unhealthySince: at(-1000)}, now: 0, want: 60, urgency: urgencyAwaited,
		},
		"DrainingIsLookedAtOnceWhenItIsOver": {
			reason: "draining is not waited for",
			held:   &state{Target: targets.Target{Key: key, Presence: targets.Draining}, drainUntil: at(300)}, now: 0, want: 305, urgency: urgencyQuiet,
		},
		"AWriteIsConfirmedOnceAfter15Seconds": {
			reason: "one confirming read follows the last write of a burst",
			held:   &state{Target: targets.Target{Key: key, Presence: targets.Registered, Health: targets.HealthHealthy, LastWrite: at(-3)}}, now: 0, want: 12, urgency: urgencyAwaited,
		},
		"ADoubtIsLookedAtWhenTheLagIsOver": {
			reason: "only then does a read prove anything",
			held:   &state{Target: targets.Target{Key: key, Presence: targets.Unknown, LastWrite: at(-20)}}, now: 0, want: 11, urgency: urgencyAwaited,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := states{key: tc.held}.wish(noon, at(tc.now), quiet*time.Second)
			want := wish{tc.urgency, noon.Add(time.Duration(tc.want * float64(time.Second))), noon}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(wish{})); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
}

func TestRefusalsAreAskedAgainAfter1And2And5Minutes(t *testing.T) {
	s := states{}
	var waits []time.Duration
	for range 4 {
		s.refused([]targets.Key{key}, noon, "not running")
		waits = append(waits, s[key].RefusedUntil.Sub(noon))
	}
	want := []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 5 * time.Minute}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Error(diff)
	}
}

func TestReady(t *testing.T) {
	key := []targets.Key{key}
	cases := map[string]struct {
		reason string
		facts  facts
		want   Condition
		next   time.Time
	}{
		"WhatIsWantedIsThere": {
			reason: "registered once under this generation, zero included", facts: facts{once: true},
			want: Condition{Type: "Ready", Reason: "Available", Status: true},
		},
		"ANewGenerationIsNotReadyBeforeItsTargetsAreRegistered": {
			reason: "GitOps waits for this", facts: facts{absent: key, absentSince: noon},
			want: Condition{Type: "Ready", Reason: "Registering", Message: "not registered yet: i-0a1b2c3d4e5f60718:8443"},
		},
		"RegistrationsInFlightDoNotUnsetIt": {
			reason: "a rollout must not make a binding unready", facts: facts{once: true, absent: key, absentSince: at(-29)},
			want: Condition{Type: "Ready", Reason: "Available", Status: true}, next: at(1),
		},
		"WhatIsMissingFor30SecondsUnsetsIt": {
			reason: "then something is wrong", facts: facts{once: true, absent: key, absentSince: at(-30)},
			want: Condition{Type: "Ready", Reason: "Registering", Message: "not registered yet: i-0a1b2c3d4e5f60718:8443"},
		},
		"HeldIsNoError": {
			reason: "the Service is gone but its targets serve", facts: facts{once: true, missing: "Service edge/web does not exist", held: "no pod matches"},
			want: Condition{Type: "Ready", Reason: "Available", Status: true},
		},
		"ASelectionOfNothingIsTold": {
			reason: "there is nothing to hold either", facts: facts{once: true, missing: "Service edge/web does not exist"},
			want: Condition{Type: "Ready", Reason: "NothingSelected", Message: "Service edge/web does not exist"},
		},
		"AMissingPermissionIsTold": {
			reason: "it never was ready", facts: facts{incomplete: "cannot list pods"},
			want: Condition{Type: "Ready", Reason: "Observing", Message: "cannot list pods"},
		},
		"ABrokenWatchDoesNotUnsetIt": {
			reason: "what is registered serves; condition ViewIncomplete tells of it", facts: facts{once: true, incomplete: "the watch of pods is broken"},
			want: Condition{Type: "Ready", Reason: "Available", Status: true},
		},
		"AGroupThatIsGoneFor30SecondsUnsetsIt": {
			reason: "a short NotFound may be AWS's eventual consistency", facts: facts{once: true, groupGone: true, goneSince: at(-30)},
			want: Condition{Type: "Ready", Reason: "TargetGroupNotFound", Message: "the target group does not exist in AWS: create it again, or delete this binding"},
		},
		"AGroupThatIsGoneForLessDoesNot": {
			reason: "the same", facts: facts{once: true, groupGone: true, goneSince: at(-10)},
			want: Condition{Type: "Ready", Reason: "Available", Status: true}, next: at(20),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, next := ready(tc.facts, noon)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.next, next); diff != "" {
				t.Errorf("%s: next: %s", tc.reason, diff)
			}
		})
	}
}
