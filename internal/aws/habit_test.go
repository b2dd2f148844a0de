package aws

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestHabit(t *testing.T) {
	const none = -1
	cases := map[string]struct {
		reason string
		// asks and now in minutes, of a key that is polled every ten.
		asks []float64
		now  float64
		want float64
	}{
		"Nobody":      {"Nobody asked.", nil, 3, none},
		"Once":        {"Who asked once comes again.", []float64{1}, 3, 11},
		"Polled":      {"Who came again is expected a poll later, not before.", []float64{1, 10, 20.5}, 22, 30.5},
		"Late":        {"Polls vary.", []float64{1}, 11.5, 11},
		"Gone":        {"Who is very late does not come.", []float64{1}, 14, none},
		"Two":         {"Of two who poll, the first comes first.", []float64{1, 5}, 6, 11},
		"TwoOneCame":  {"When that one has come, the other is next.", []float64{1, 5, 11.2}, 12, 15},
		"TwoOneGone":  {"When that one has gone, the other stays.", []float64{1, 5}, 14, 15},
		"LooksAgain":  {"Who looks again at once has a new poll ahead.", []float64{1, 1.05, 1.1}, 3, 11.1},
		"ManyForgets": {"Of very many, the last are remembered.", []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 9.1, 12},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			epoch := time.Unix(0, 0)
			at := func(minutes float64) time.Time { return epoch.Add(time.Duration(minutes * float64(time.Minute))) }
			age := MaxAge(pollEvery)
			var h habit
			for _, m := range tc.asks {
				h = h.asked(at(m), age)
			}
			next, ok := h.next(at(tc.now), age)
			got := float64(none)
			if ok {
				got = next.Sub(epoch).Minutes()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
