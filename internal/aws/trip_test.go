package aws

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGivingUpFailsNobodyElse(t *testing.T) {
	cases := map[string]struct {
		reason string
		after  time.Duration
	}{
		"InWindow":  {"before the call is made", window / 2},
		"UnderWay":  {"while it is under way", window + 50*time.Millisecond},
		"AtTheSame": {"when it leaves", window},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, keys := books(2)
				s := unlisted(l)
				hasty, cancel := context.WithCancel(t.Context())
				gaveUp := make(chan error, 2)
				for _, k := range keys {
					go func() {
						_, err := s.get(hasty, k, 0)
						gaveUp <- err
					}()
				}
				synctest.Wait()
				go func() {
					time.Sleep(tc.after)
					cancel()
				}()
				if v, err := s.get(t.Context(), keys[1], 0); v != 1 || err != nil {
					t.Errorf("somebody gave up %s: got %v, %v, want an answer", tc.reason, v, err)
				}
				for range keys {
					// The read may still wait for its turn, which is no fault of AWS.
					const want = "gave up waiting for a read: AWS is slow, or our share of its request rate is used up"
					if err := <-gaveUp; Classify(err) != ClassTransient || Describe(err) != want {
						t.Errorf("got %v, want a Transient error for who gave up: %s", err, want)
					}
				}
				if len(l.calls) != 1 || l.ended != 0 {
					t.Errorf("%d calls, %d ended, want 1 and 0", len(l.calls), l.ended)
				}
			})
		})
	}
}

func TestTheLastOneEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, keys := books(1)
		l.latency = time.Hour
		s := unlisted(l)
		for _, d := range []time.Duration{window / 2, 2 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			_, _ = s.get(ctx, keys[0], 0)
			cancel()
		}
		synctest.Wait()
		if len(l.calls) != 1 || l.ended != 1 {
			t.Errorf("%d calls, %d ended, want 1: the first ended before its call, the second with it", len(l.calls), l.ended)
		}
		l.latency = 0
		if v, err := s.get(t.Context(), keys[0], 0); v != 0 || err != nil {
			t.Errorf("got %v, %v, want an answer: a dead call is not joined", v, err)
		}
	})
}

func TestAHangingCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, keys := books(1)
		l.latency = 24 * time.Hour
		start := time.Now()
		_, err := unlisted(l).get(context.Background(), keys[0], 0)
		if err == nil || time.Since(start) > readTimeout+window {
			t.Errorf("got %v after %s, want an error after %s", err, time.Since(start), readTimeout)
		}
	})
}

func TestCallsUnderWayAreJoined(t *testing.T) {
	cases := map[string]struct {
		reason string
		do     func(s *shelf[int])
		second Priority
		calls  int
	}{
		"Join":       {"A call under way counts as now.", func(*shelf[int]) {}, PriorityNormal, 1},
		"AfterWrite": {"It may have been answered before the write.", func(s *shelf[int]) { s.ledger.write([]string{"k00"}, time.Now()) }, PriorityNormal, 2},
		"OtherWrite": {"A write to another thing does not matter.", func(s *shelf[int]) { s.ledger.write([]string{"k01"}, time.Now()) }, PriorityNormal, 1},
		"Anything":   {"A write to nobody knows what does.", func(s *shelf[int]) { s.ledger.write(nil, time.Now()) }, PriorityNormal, 2},
		"Urgent":     {"One that waits behind others does not serve who is before them.", func(*shelf[int]) {}, PriorityRegister, 2},
		"Patient":    {"The other way round it does.", func(*shelf[int]) {}, PriorityBackground, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, keys := books(1)
				s := unlisted(l)
				go func() { _, _ = s.get(t.Context(), keys[0], 0) }()
				time.Sleep(window + 10*time.Millisecond)
				tc.do(s)
				if _, err := s.get(WithPriority(t.Context(), tc.second), keys[0], 0); err != nil {
					t.Fatal(err)
				}
				if len(l.calls) != tc.calls {
					t.Errorf("%s\n%d calls, want %d", tc.reason, len(l.calls), tc.calls)
				}
			})
		})
	}
}

// TestTimeDoesNotRunBackwards: a call that began earlier ends later.
func TestTimeDoesNotRunBackwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		s := newShelf(newLedger(), lookup[int]{size: 20, read: func(_ context.Context, keys []string) (map[string]int, error) {
			version := int(calls.Add(1))
			time.Sleep(10 * time.Second / time.Duration(version*version))
			return map[string]int{keys[0]: version}, nil
		}})
		go func() { _, _ = s.get(WithPriority(t.Context(), PriorityBackground), "k", 0) }()
		time.Sleep(time.Second)
		first, err := s.get(t.Context(), "k", 0)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		second, err := s.get(t.Context(), "k", time.Hour)
		if err != nil || first != 2 || second != 2 {
			t.Errorf("got %d and then %d, %v, want 2 twice: what was asked for later stays", first, second, err)
		}
	})
}

func TestWritesGoThrough(t *testing.T) {
	cases := map[string]struct {
		reason string
		write  []string
		settle time.Duration
		wait   time.Duration
		// calls of a read after the write, a second one at once, and a third
		// after wait, all with an age of an hour.
		calls []int
	}{
		"Other":    {"What was read of others stays.", []string{"k01"}, 0, time.Second, []int{0, 0, 0}},
		"Own":      {"What was read before a write is not given to who asks after.", []string{"k00"}, 0, time.Second, []int{1, 1, 1}},
		"Settling": {"What is read just after a write may be what was before: it is not kept.", []string{"k00"}, 10 * time.Second, 11 * time.Second, []int{1, 2, 3}},
		"Anything": {"A write to nobody knows what is one to everything.", nil, 0, time.Second, []int{1, 1, 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, keys := books(1)
				s := unlisted(l)
				askAll(t, s, keys, time.Hour)
				l.calls = nil
				s.ledger.write(tc.write, time.Now().Add(tc.settle))
				var got []int
				for i := range 3 {
					if i == 2 {
						time.Sleep(tc.wait)
					}
					askAll(t, s, keys, time.Hour)
					got = append(got, len(l.calls))
				}
				if diff := cmp.Diff(tc.calls, got); diff != "" {
					t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
				}
				askAll(t, s, keys, time.Hour)
				if len(l.calls) != got[2] {
					t.Error("an answer of later is kept")
				}
			})
		})
	}
}

func TestPassengers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, keys := books(40)
		s := unlisted(l)
		askAll(t, s, keys, 30*time.Second)
		l.calls = nil
		time.Sleep(110 * time.Second)
		askAll(t, s, keys[:1], 30*time.Second)
		if diff := cmp.Diff([]string{strings.Join(keys[:20], " ")}, l.calls); diff != "" {
			t.Errorf("with one that is polled go those that will be next\n-want, +got:\n%s", diff)
		}
		for _, k := range keys[1:20] {
			time.Sleep(time.Second)
			askAll(t, s, []string{k}, 30*time.Second)
		}
		if len(l.calls) != 1 {
			t.Errorf("they need no call then: %q", l.calls)
		}
		delete(l.things, "k21") // and everybody polls on
		l.calls = nil
		askAll(t, s, keys[20:21], 30*time.Second)
		want := []string{strings.Join(keys[20:40], " "), "k20"}
		if diff := cmp.Diff(want, l.calls); diff != "" {
			t.Errorf("a passenger that is gone costs one call more\n-want, +got:\n%s", diff)
		}
	})
}

func TestIdleAndForgetful(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, keys := books(60)
		s := unlisted(l)
		s.all = l.all
		askAll(t, s, keys, time.Minute)
		// The bubble ends with an error if a goroutine is left.
		time.Sleep(untouched + time.Hour)
		askAll(t, s, keys[:1], time.Minute)
		if len(s.entries) != 1 {
			t.Errorf("%d keys are kept, want the one that is asked for", len(s.entries))
		}
	})
}

func TestTheLedgerIsBounded(t *testing.T) {
	l := newLedger()
	count := l.now()
	for i := range 3 * remembered {
		l.write([]string{strings.Repeat("x", i)}, time.Now().Add(-time.Second))
	}
	if len(l.writes) > remembered {
		t.Errorf("%d subjects are remembered, want at most %d", len(l.writes), remembered)
	}
	if l.unchanged([]string{"x"}, count) {
		t.Error("what was forgotten must count as written")
	}
}
