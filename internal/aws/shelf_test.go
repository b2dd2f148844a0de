package aws

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// unlisted is a shelf of a library without a list.
func unlisted(l *library) *shelf[int] {
	return newShelf(newLedger(), lookup[int]{size: 20, read: l.read})
}

// askAll asks for all keys at once and returns the answers, errors by their code.
func askAll(t *testing.T, s *shelf[int], keys []string, maxAge time.Duration) map[string]any {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	out := map[string]any{}
	for _, k := range keys {
		wg.Go(func() {
			v, err := s.get(t.Context(), k, maxAge)
			mu.Lock()
			defer mu.Unlock()
			out[k] = v
			if err != nil {
				out[k] = Code(err)
			}
		})
	}
	wg.Wait()
	return out
}

func TestCallsAreShared(t *testing.T) {
	cases := map[string]struct {
		reason string
		keys   int
		times  int
		list   bool
		calls  int
		took   time.Duration
	}{
		"OneKey":       {"Who asks for the same at a time shares a call.", 1, 5, false, 1, window + 100*time.Millisecond},
		"FewKeys":      {"So does who asks for another, within the window.", 7, 1, false, 1, window + 100*time.Millisecond},
		"FullBatch":    {"A full call leaves at once.", 20, 2, false, 1, 100 * time.Millisecond},
		"ManyKeys":     {"AWS takes 20 at once.", 45, 1, false, 3, window + 100*time.Millisecond},
		"ManyWithList": {"A list is one call for all but those that were asked for before we knew.", 245, 1, true, 2, 100 * time.Millisecond},
		"FewWithList":  {"A list of a large account costs more than a call for a few.", 20, 1, true, 1, 100 * time.Millisecond},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, keys := books(tc.keys)
				s := unlisted(l)
				if tc.list {
					s.all = l.all
				}
				start := time.Now()
				want := map[string]any{}
				for i, k := range keys {
					want[k] = i
				}
				if diff := cmp.Diff(want, askAll(t, s, slices.Repeat(keys, tc.times), 0)); diff != "" {
					t.Errorf("-want, +got:\n%s", diff)
				}
				if len(l.calls) != tc.calls || time.Since(start) != tc.took {
					t.Errorf("%s\n%d calls in %s, want %d in %s: %q", tc.reason, len(l.calls), time.Since(start), tc.calls, tc.took, l.calls)
				}
			})
		})
	}
}

func TestAnUnknownKeyFailsNoOther(t *testing.T) {
	notFound := func(message string) func([]string) error {
		return func(keys []string) error {
			if slices.Contains(keys, "k03") {
				return &smithy.GenericAPIError{Code: "TargetGroupNotFound", Message: message}
			}
			return nil
		}
	}
	cases := map[string]struct {
		reason string
		list   bool
		keys   int
		fail   func([]string) error
		code   string
		most   int
	}{
		"Silent": {"AWS does not say which: halves.", false, 20, notFound("One or more target groups not found"), "TargetGroupNotFound", 11},
		"Named":  {"AWS says which: the others go together.", false, 20, notFound("Target groups 'k03' not found"), "TargetGroupNotFound", 3},
		"Refused": {"A key that is no ARN at all is refused.", false, 20, func(keys []string) error {
			if slices.Contains(keys, "k03") {
				return &smithy.GenericAPIError{Code: "ValidationError", Message: "not a valid ARN"}
			}
			return nil
		}, "ValidationError", 11},
		"Alone":  {"There is nobody else to try.", false, 4, func([]string) error { return &smithy.GenericAPIError{Code: "AccessDenied"} }, "AccessDenied", 1},
		"Listed": {"What a list lacks is asked for by itself.", true, 60, notFound("x"), "TargetGroupNotFound", 12},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, keys := books(tc.keys)
				l.fail = tc.fail
				s := unlisted(l)
				if tc.list {
					s.all = l.all
				}
				delete(l.things, "k03")
				got := askAll(t, s, keys, time.Minute)
				for i, k := range keys {
					want := any(i)
					if k == "k03" || tc.code == "AccessDenied" {
						want = tc.code
					}
					if got[k] != want {
						t.Errorf("%s: got %v, want %v", k, got[k], want)
					}
				}
				if len(l.calls) > tc.most {
					t.Errorf("%s\n%d calls, want at most %d: %q", tc.reason, len(l.calls), tc.most, l.calls)
				}
			})
		})
	}
}

func TestASuspectGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, keys := books(5)
		delete(l.things, "k03")
		s := unlisted(l)
		askAll(t, s, keys, time.Minute)
		l.calls = nil
		askAll(t, s, keys, 0)
		want := []string{"k00 k01 k02 k04", "k03"}
		if diff := cmp.Diff(want, slices.Sorted(slices.Values(l.calls))); diff != "" {
			t.Errorf("a key that AWS refused is asked for by itself\n-want, +got:\n%s", diff)
		}
		l.put("k03", 33)
		l.calls = nil
		if got := askAll(t, s, keys[3:4], time.Minute)["k03"]; got != 33 {
			t.Errorf("got %v, want 33: absence is never remembered", got)
		}
		time.Sleep(time.Minute)
		l.calls = nil
		askAll(t, s, keys, time.Minute)
		if diff := cmp.Diff([]string{strings.Join(keys, " ")}, l.calls); diff != "" {
			t.Errorf("what exists is no suspect any more\n-want, +got:\n%s", diff)
		}
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, keys := books(1)
		l.fail = func([]string) error { return errors.New("broken") }
		s := unlisted(l)
		if _, err := s.get(t.Context(), keys[0], time.Hour); err == nil || err.Error() != "broken" {
			t.Fatalf("got %v, want the library's error", err)
		}
		l.fail = nil
		if v, err := s.get(t.Context(), keys[0], time.Hour); v != 0 || err != nil {
			t.Errorf("got %v, %v, want an answer", v, err)
		}
	})
}

func TestAges(t *testing.T) {
	cases := map[string]struct {
		reason string
		passed time.Duration
		maxAge time.Duration
		calls  int
	}{
		"Young":  {"An answer serves until it is too old.", time.Minute - 200*time.Millisecond, time.Minute, 1},
		"Old":    {"Its age counts from when its call was made.", time.Minute, time.Minute, 2},
		"Now":    {"Whoever wants to know it now asks AWS.", time.Second, 0, 2},
		"Larger": {"The age is the caller's, not the answer's.", time.Minute, time.Hour, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, keys := books(1)
				s := unlisted(l)
				askAll(t, s, keys, time.Minute)
				time.Sleep(tc.passed)
				askAll(t, s, keys, tc.maxAge)
				if len(l.calls) != tc.calls {
					t.Errorf("%s\n%d calls, want %d", tc.reason, len(l.calls), tc.calls)
				}
			})
		})
	}
}

func TestRotatedAgesAreSpread(t *testing.T) {
	s := newShelf(newLedger(), lookup[int]{size: 1, rotate: true})
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	perSlot := make([]int, 18)
	for i := range 1800 {
		d := s.expires(fmt.Sprintf("arn:%d", i), now, 3*time.Hour).Sub(now)
		if d <= 0 || d > 3*time.Hour {
			t.Fatalf("an answer of now is good for %s, want at most 3h", d)
		}
		perSlot[min(17, int(d/(10*time.Minute)))]++
		if again := s.expires(fmt.Sprintf("arn:%d", i), now.Add(d), 3*time.Hour).Sub(now.Add(d)); again != 3*time.Hour {
			t.Fatalf("the next is good for %s, want 3h", again)
		}
	}
	for i, n := range perSlot {
		if n < 60 || n > 150 {
			t.Errorf("slot %d has %d of 1,800, want about 100", i, n)
		}
	}
}
