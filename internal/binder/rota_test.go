package binder

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// spent is a rota that has made reads in the last moment.
func spent(reads, quiet, passed int) *rota {
	r := newRota()
	r.reads.ReserveN(noon, reads)
	r.quiet.ReserveN(noon, quiet)
	r.passed = passed
	return r
}

func TestRota(t *testing.T) {
	due := func(u urgency, due, last int) wish { return wish{u, at(due), at(last)} }
	cases := map[string]struct {
		reason string
		rota   *rota
		wishes map[string]wish
		want   string
		again  time.Time
	}{
		"NobodyWishesAnything": {
			reason: "there is nothing to wait for", rota: newRota(),
		},
		"AWishIsNotFulfilledBeforeItIsDue": {
			reason: "a read that nobody asks for yet is wasted", rota: newRota(),
			wishes: map[string]wish{"a": due(urgencyAwaited, 7, 0), "b": due(urgencyGate, 9, 0)}, again: at(7),
		},
		"GatesComeFirst": {
			reason: "a rollout waits for them", rota: newRota(),
			wishes: map[string]wish{"a": due(urgencyQuiet, -9, -90), "b": due(urgencyAwaited, -5, -50), "c": due(urgencyGate, 0, -1)}, want: "c",
		},
		"WhatIsAwaitedComesBeforeWhatIsQuiet": {
			reason: "nobody waits for a quiet group", rota: newRota(),
			wishes: map[string]wish{"a": due(urgencyQuiet, -9, -90), "b": due(urgencyAwaited, 0, -1)}, want: "b",
		},
		"EqualsTakeTurns": {
			reason: "the one that was read the longest ago is next, whatever its wish", rota: newRota(),
			wishes: map[string]wish{"a": due(urgencyAwaited, -8, -10), "b": due(urgencyAwaited, -1, -11)}, want: "b",
		},
		"OneInFourGoesToTheLessUrgent": {
			reason: "gates must not keep a departure waiting for ever", rota: spent(0, 0, turns-1),
			wishes: map[string]wish{"a": due(urgencyGate, -8, -10), "b": due(urgencyAwaited, -60, -61)}, want: "b",
		},
		"EqualsNeverOvertake": {
			reason: "among equals turns are fair already", rota: spent(0, 0, turns-1),
			wishes: map[string]wish{"a": due(urgencyAwaited, -60, -62), "b": due(urgencyAwaited, -30, -90)}, want: "b",
		},
		"ABurstOf10IsFree": {
			reason: "the tenth read of a moment is still made", rota: spent(readBurst-1, 0, 0),
			wishes: map[string]wish{"a": due(urgencyAwaited, 0, -10)}, want: "a",
		},
		"AfterABurstThreeASecond": {
			reason: "the account is others', too", rota: spent(readBurst, 0, 0),
			wishes: map[string]wish{"a": due(urgencyGate, 0, -10)}, again: noon.Add(time.Second / readsPerSecond),
		},
		"QuietReadsAreOneASecond": {
			reason: "there may be hundreds of quiet groups", rota: spent(1, 1, 0),
			wishes: map[string]wish{"a": due(urgencyQuiet, 0, -600)}, again: at(1),
		},
		"QuietReadsHoldUpNobody": {
			reason: "the limit of quiet reads is theirs alone", rota: spent(1, 1, turns-1),
			wishes: map[string]wish{"a": due(urgencyQuiet, -60, -600), "b": due(urgencyAwaited, 0, -2)}, want: "b",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, again := tc.rota.next(noon, tc.wishes)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
			if tc.want == "" && again.Sub(tc.again).Abs() > time.Millisecond {
				t.Errorf("%s: again at %s, want %s", tc.reason, again, tc.again)
			}
		})
	}
}

// A ward is a world of groups that are read as a rota says, on a clock of its own.
type ward struct {
	t      *testing.T
	random *rand.Rand
	rota   *rota
	now    time.Time
	wishes map[string]wish
	// interval that a group wishes, by its key.
	interval map[string]time.Duration
	// back is when a read that is under way returns.
	back map[string]time.Time
	// reads of each group, all reads, and the quiet ones.
	reads      map[string][]time.Time
	all, quiet []time.Time
	// steady worlds do not change their minds.
	steady bool
}

func newWard(t *testing.T, seed uint64, groups int, steady bool, urgencies ...urgency) *ward {
	w := &ward{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), rota: newRota(), now: noon, steady: steady,
		wishes: map[string]wish{}, interval: map[string]time.Duration{}, back: map[string]time.Time{}, reads: map[string][]time.Time{},
	}
	for i := range groups {
		key := fmt.Sprintf("group-%03d", i)
		w.interval[key] = []time.Duration{2 * time.Second, 10 * time.Second, 15 * time.Second, time.Minute}[w.random.IntN(4)]
		u := urgencies[w.random.IntN(len(urgencies))]
		if u == urgencyQuiet {
			w.interval[key] = 10 * time.Minute
		}
		w.wishes[key] = wish{u, w.now.Add(w.interval[key]), w.now}
	}
	return w
}

// live for a while.
func (w *ward) live(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); {
		key, again := w.rota.next(w.now, w.wishes)
		if key != "" {
			w.read(key)
			continue
		}
		if len(w.wishes) > 0 && !again.After(w.now) {
			w.t.Fatalf("nothing to read at %s, and the time to ask again is %s", w.now, again)
		}
		w.now = w.wake(again)
	}
}

// wake is when something happens: a read returns, or the rota is asked again.
func (w *ward) wake(again time.Time) time.Time {
	next := again
	for _, at := range w.back {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for key, at := range w.back {
		if !at.After(next) {
			delete(w.back, key)
			w.ask(key, at)
		}
	}
	return next
}

// ask wishes for the next read of a group.
func (w *ward) ask(key string, now time.Time) {
	u := urgencyAwaited
	switch {
	case w.interval[key] == 10*time.Minute:
		u = urgencyQuiet
	case !w.steady && w.random.IntN(2) == 0:
		u = urgencyGate
	}
	w.wishes[key] = wish{u, now.Add(w.interval[key]), now}
}

func (w *ward) read(key string) {
	wish := w.wishes[key]
	if wish.due.After(w.now) {
		w.t.Errorf("%s was read at %s, and was due at %s", key, w.now, wish.due)
	}
	w.rota.take(w.now, key, w.wishes)
	delete(w.wishes, key)
	w.reads[key] = append(w.reads[key], w.now)
	w.all = append(w.all, w.now)
	if wish.urgency == urgencyQuiet {
		w.quiet = append(w.quiet, w.now)
	}
	took := 50 * time.Millisecond
	if !w.steady && w.random.IntN(20) == 0 {
		took = 8 * time.Second
	}
	w.back[key] = w.now.Add(took)
}

// within asserts that the reads fit into a token bucket.
func (w *ward) within(what string, reads []time.Time, burst, perSecond float64) {
	w.t.Helper()
	tokens, before := burst, noon
	for i, at := range reads {
		tokens, before = min(burst, tokens+at.Sub(before).Seconds()*perSecond)-1, at
		if tokens < -0.01 {
			w.t.Fatalf("%s: number %d came too soon, %s after the one before", what, i, at.Sub(reads[max(0, i-1)]))
		}
	}
}

// gap is the longest time between two reads of a group, the end included.
func (w *ward) gap(key string) time.Duration {
	before, most := noon, time.Duration(0)
	for _, at := range append(slices.Clone(w.reads[key]), w.now) {
		most, before = max(most, at.Sub(before)), at
	}
	return most
}

// TestLawsOfTheRota lives random lives of up to 60 groups whose reads take up to
// 8 s, with gates that come and go.
func TestLawsOfTheRota(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			n := 1 + int(seed)*2
			w := newWard(t, seed, n, false, urgencyGate, urgencyAwaited, urgencyQuiet)
			w.live(30 * time.Minute)
			w.within("reads", w.all, readBurst, readsPerSecond)
			w.within("quiet reads", w.quiet, 1, quietPerSecond)
			for key, interval := range w.interval {
				// One read in four is for who waits the longest: at worst all others
				// are before it.
				worst := interval + 8*time.Second + time.Duration(n*turns)*time.Second/readsPerSecond + 2*time.Second
				if got := w.gap(key); got > worst {
					t.Errorf("%s was not read for %s, want %s at most", key, got, worst)
				}
			}
		})
	}
}

// TestAGroupIsReadAtItsWishOrInTurn: the interval is max(wish, groups waiting / rate)
// on average, and never more than the sum, which it is for groups that became due
// together.
func TestAGroupIsReadAtItsWishOrInTurn(t *testing.T) {
	const slack, life = time.Second, 30 * time.Minute
	for _, n := range []int{1, 6, 7, 20, 60, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWard(t, uint64(n), n, true, urgencyAwaited)
			w.live(life)
			round := time.Duration(n) * time.Second / readsPerSecond
			for key, wish := range w.interval {
				if mean, want := life/time.Duration(len(w.reads[key])+1), max(wish, round)+slack; mean > want {
					t.Errorf("%s wishes %s and was read every %s, want %s", key, wish, mean, want)
				}
				if worst := w.gap(key); worst > wish+round+slack {
					t.Errorf("%s wishes %s and was not read for %s", key, wish, worst)
				}
			}
		})
	}
}

// TestQuietGroupsAreStretched: 900 of them take 15 minutes for a round, not 10.
func TestQuietGroupsAreStretched(t *testing.T) {
	const n = 900
	w := newWard(t, 1, n, true, urgencyQuiet)
	w.live(time.Hour)
	w.within("quiet reads", w.quiet, 1, quietPerSecond)
	for key := range w.interval {
		if got, want := w.gap(key), (10+n/60)*time.Minute; got > want {
			t.Errorf("%s was not read for %s, want %s at most", key, got, want)
		}
	}
	if got := len(w.quiet); got < 49*60 {
		t.Errorf("%d quiet reads in 50 minutes: less than one a second", got)
	}
}
