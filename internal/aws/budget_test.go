package aws

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// plenty makes every bucket but those of s too large to matter.
func plenty(s Shares) Shares {
	out := Shares{AccountWide: 1000, ResourceIntensive: 1000, Registration: 1000, NonMutating: 1000, Mutating: 1000}
	for c, v := range s {
		out[c] = v
	}
	return out
}

// drain takes n tokens and fails the test if one has to be waited for.
func drain(t *testing.T, b *Budget, c Category, p Priority, n int) {
	t.Helper()
	start := time.Now()
	for range n {
		if err := b.Acquire(t.Context(), c, p); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(start); d != 0 {
		t.Fatalf("%d tokens of %s took %s; want them at once", n, c, d)
	}
}

// want is one who asks for a token, by name.
type want struct {
	name     string
	category Category
	priority Priority
}

// order lets all ask in turn, and returns the names in the order of service.
func order(t *testing.T, b *Budget, wants []want) []string {
	t.Helper()
	served := make(chan string, len(wants))
	for _, w := range wants {
		go func() {
			if err := b.Acquire(t.Context(), w.category, w.priority); err == nil {
				served <- w.name
			}
		}()
		synctest.Wait()
	}
	var got []string
	for range wants {
		got = append(got, <-served)
	}
	return got
}

func TestBudgetRates(t *testing.T) {
	cases := map[string]struct {
		reason   string
		category Category
		burst    int
		next     time.Duration
	}{
		"RegistrationIsAllOurs":    {"We take all of registration but what jitter needs: 18 of 20 at once, then 4 a second.", Registration, 18, 250 * time.Millisecond},
		"ReadsAreHalfOurs":         {"Half of 40 and of 10 a second is ours.", NonMutating, 20, 200 * time.Millisecond},
		"MutationsHaveTheirBucket": {"AWS grants 20 mutations, then 3 a second; 18 of them leave at once.", Mutating, 18, 333333 * time.Microsecond},
		"IntensiveOnesAreRare":     {"AWS grants 10, then one in 5 seconds; 9 of them leave at once.", ResourceIntensive, 9, 5 * time.Second},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := NewBudget(nil)
				drain(t, b, tc.category, PriorityNormal, tc.burst)
				start := time.Now()
				if err := b.Acquire(t.Context(), tc.category, PriorityNormal); err != nil {
					t.Fatal(err)
				}
				if got := time.Since(start); got.Round(2*time.Millisecond) != tc.next.Round(2*time.Millisecond) {
					t.Errorf("%s\nthe token after the burst took %s, want %s", tc.reason, got, tc.next)
				}
			})
		})
	}
}

// TestJitterIsNoReasonToThrottle: AWS's bucket is the size that is documented, and each
// call takes up to 400 ms more on its way than another.
func TestJitterIsNoReasonToThrottle(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			b, random, start := NewBudget(nil), rand.New(rand.NewPCG(seed, 0)), time.Now()
			arrivals := make([]time.Duration, 400)
			for i := range arrivals {
				if err := b.Acquire(t.Context(), Registration, PriorityRegister); err != nil {
					t.Fatal(err)
				}
				arrivals[i] = time.Since(start) + time.Duration(random.IntN(400))*time.Millisecond
			}
			slices.Sort(arrivals)
			tokens, last, refused := Limits()[Registration].Burst, time.Duration(0), 0
			for _, at := range arrivals {
				tokens, last = min(Limits()[Registration].Burst, tokens+(at-last).Seconds()*Limits()[Registration].PerSecond), at
				if tokens < whole {
					refused++
					continue
				}
				tokens--
			}
			if refused > 0 {
				t.Errorf("seed %d: AWS refused %d of %d calls, want none", seed, refused, len(arrivals))
			}
			if last > 97*time.Second {
				t.Errorf("seed %d: 400 calls took %s; AWS's own budget is 95 s", seed, last)
			}
		})
	}
}

func TestBudgetOrder(t *testing.T) {
	r, d, n, g := PriorityRegister, PriorityDeregister, PriorityNormal, PriorityBackground
	cases := map[string]struct {
		reason string
		shares Shares
		drain  Category
		// tokens that the drained bucket has; 20 unless it is said.
		tokens int
		wants  []want
		want   []string
	}{
		"FirstComeFirstServed": {
			reason: "Callers of one priority are served in the order in which they came.",
			shares: Shares{NonMutating: 0.5}, drain: NonMutating,
			wants: []want{{"a", NonMutating, n}, {"b", NonMutating, n}, {"c", NonMutating, n}},
			want:  []string{"a", "b", "c"},
		},
		"RegistrationsFirst": {
			reason: "When the account is exhausted, what a ready pod waits for goes before a read that came earlier.",
			shares: Shares{AccountWide: 0.5}, drain: NonMutating,
			wants: []want{{"health", NonMutating, g}, {"read", NonMutating, n}, {"deregister", Registration, d}, {"register", Registration, r}},
			want:  []string{"register", "deregister", "read", "health"},
		},
		"NoPriorityMeansNormal": {
			reason: "A caller that names no priority is not served before those that do.",
			shares: Shares{AccountWide: 0.5}, drain: NonMutating,
			wants: []want{{"none", NonMutating, 0}, {"register", Registration, r}},
			want:  []string{"register", "none"},
		},
		"RegistrationsBeforeDeregistrationsThatJustCame": {
			reason: "While pods wait to be registered, targets that serve nobody do not take their tokens.",
			shares: Shares{Registration: 1}, drain: Registration, tokens: 18,
			wants: []want{{"d1", Registration, d}, {"r1", Registration, r}, {"r2", Registration, r}, {"d2", Registration, d}, {"r3", Registration, r}},
			want:  []string{"r1", "r2", "r3", "d1", "d2"},
		},
		"ExhaustedCategoriesHoldUpOnlyThemselves": {
			reason: "A registration that waits for a registration token must not stop reads.",
			shares: Shares{Registration: 1}, drain: Registration, tokens: 18,
			wants: []want{{"register", Registration, r}, {"read", NonMutating, n}},
			want:  []string{"read", "register"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := NewBudget(plenty(tc.shares))
				tokens := tc.tokens
				if tokens == 0 {
					tokens = 20
				}
				drain(t, b, tc.drain, r, tokens)
				if diff := cmp.Diff(tc.want, order(t, b, tc.wants)); diff != "" {
					t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestBackgroundLeavesTheReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(plenty(Shares{AccountWide: 0.5})) // 20, then 5 a second
		drain(t, b, NonMutating, PriorityBackground, 10)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := b.Acquire(ctx, NonMutating, PriorityBackground); err == nil {
			t.Error("a background read took one of the last 10 account-wide tokens")
		}
		drain(t, b, Registration, PriorityRegister, 10)
	})
}

func TestBackgroundIsServedFromASmallShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A bucket of one token never holds a reserve of ten.
		b := NewBudget(plenty(Shares{AccountWide: 0.01}))
		for range 3 {
			if err := b.Acquire(t.Context(), NonMutating, PriorityBackground); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestGivingUpHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(plenty(Shares{Registration: 1}))
		drain(t, b, Registration, PriorityRegister, 18)
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() { first <- b.Acquire(ctx, Registration, PriorityRegister) }()
		synctest.Wait()
		second := make(chan error, 1)
		go func() { second <- b.Acquire(t.Context(), Registration, PriorityRegister) }()
		synctest.Wait()

		cancel()
		err := <-first
		if !errors.Is(err, context.Canceled) || Classify(err) != ClassThrottled {
			t.Errorf("who gave up got %v (%s), want context.Canceled of class Throttled", err, Classify(err))
		}
		if err := <-second; err != nil {
			t.Errorf("one who gave up failed the next: %v", err)
		}
		if got := time.Since(start).Round(time.Millisecond); got != 250*time.Millisecond {
			t.Errorf("the next waited %s, want 250ms: who gave up takes no token", got)
		}
	})
}

func TestATokenThatComesTooLateGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(plenty(Shares{Registration: 1}))
		w := &waiter{category: Registration, priority: PriorityRegister, granted: make(chan struct{})}
		if err := b.enter(w); err != nil {
			t.Fatal(err)
		}
		b.leave(w)
		drain(t, b, Registration, PriorityRegister, 18)
	})
}

func TestReturnedTokensAreThereAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(plenty(Shares{Registration: 1}))
		drain(t, b, Registration, PriorityRegister, 18)
		b.Return(Registration)
		drain(t, b, Registration, PriorityRegister, 1)
	})
}

func TestAnEndedContextTakesNothing(t *testing.T) {
	b := NewBudget(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Acquire(ctx, Mutating, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if got := b.Level()[Mutating].Tokens; got != 18 {
		t.Errorf("%v tokens are left, want all 18", got)
	}
}

func TestUnknownCategoriesAreRefused(t *testing.T) {
	for _, c := range []Category{"", "lambda", AccountWide} {
		if err := NewBudget(nil).Acquire(t.Context(), c, 0); err == nil {
			t.Errorf("a token of category %q was granted", c)
		}
	}
}

func TestThrottlingHalvesARateAndItRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(nil)
		rate := func() float64 { return float64(int(b.Level()[Registration].PerSecond*100+0.5)) / 100 }
		var got []float64
		step := func(d time.Duration, throttled int) {
			time.Sleep(d)
			for range throttled {
				b.attempted("RegisterTargets", ClassThrottled)
			}
			got = append(got, rate())
		}
		step(0, 3) // One burst: one event.
		if left := b.Level()[Registration].Tokens; left != 0 {
			t.Errorf("%v tokens are left after throttling, want none: AWS has none", left)
		}
		step(2*time.Second, 1)
		step(2*time.Second, 1)
		step(2*time.Second, 1)
		step(time.Minute, 0)
		step(20*time.Minute, 0)
		want := []float64{2, 1.01, 0.51, 0.5, 0.9, 4}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("registrations a second, limit 4: halved for each event, not below an eighth, back within minutes\n-want, +got:\n%s", diff)
		}
		if r := b.Level()[NonMutating].PerSecond; r != 5 {
			t.Errorf("reads go on at %v a second, want 5: they were not throttled", r)
		}
	})
}

func TestLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(nil)
		drain(t, b, Registration, PriorityRegister, 18)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = b.Acquire(ctx, Registration, PriorityRegister) }()
		synctest.Wait()
		b.attempted("RegisterTargets", ClassNone)
		b.attempted("DescribeTags", ClassThrottled)
		want := map[Category]Level{
			AccountWide:       {Tokens: 2, PerSecond: 5, Waiting: 1, Calls: 2, Throttled: 1},
			ResourceIntensive: {Tokens: 9, PerSecond: 0.2},
			Registration:      {Tokens: 0, PerSecond: 4, Waiting: 1, Calls: 1},
			NonMutating:       {Tokens: 0, PerSecond: 2.5, Calls: 1, Throttled: 1},
			Mutating:          {Tokens: 18, PerSecond: 3},
		}
		if diff := cmp.Diff(want, b.Level()); diff != "" {
			t.Errorf("metrics read this\n-want, +got:\n%s", diff)
		}
		cancel()
		synctest.Wait()
	})
}

func TestActionsHaveTheCategoriesOfAWS(t *testing.T) {
	got := map[string]Category{}
	for _, a := range []string{"RegisterTargets", "DeregisterTargets", "DescribeTargetHealth", "DescribeTags", "CreateTargetGroup", "AddTags", "CreateLoadBalancer", "SetSubnets", "SetSecurityGroups"} {
		got[a] = CategoryOf(a)
	}
	want := map[string]Category{
		"RegisterTargets": Registration, "DeregisterTargets": Registration,
		"DescribeTargetHealth": NonMutating, "DescribeTags": NonMutating,
		"CreateTargetGroup": Mutating, "AddTags": Mutating, "SetSecurityGroups": Mutating,
		"CreateLoadBalancer": ResourceIntensive, "SetSubnets": ResourceIntensive,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}
