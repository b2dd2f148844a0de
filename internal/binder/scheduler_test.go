package binder_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const health = "DescribeTargetHealth"

// reads are the times of the calls of DescribeTargetHealth since a time.
func (b *bench) reads(since time.Time) []time.Time {
	var out []time.Time
	for _, c := range b.sim.Calls() {
		if c.Action == health && !c.At.Before(since) {
			out = append(out, c.At)
		}
	}
	return out
}

// within asserts that calls fit into a token bucket.
func (b *bench) within(what string, calls []time.Time, burst, perSecond float64) {
	b.t.Helper()
	if len(calls) == 0 {
		b.t.Fatalf("%s: there is none", what)
	}
	tokens, before := burst, calls[0]
	for i, at := range calls {
		tokens, before = min(burst, tokens+at.Sub(before).Seconds()*perSecond)-1, at
		if tokens < -0.01 {
			b.t.Fatalf("%s: number %d of %d came too soon, at %s", what, i, len(calls), at)
		}
	}
}

// settled lets a while pass, and forgets the calls until then.
func (b *bench) settled(d time.Duration) {
	time.Sleep(d) // The bubble's clock.
	b.sim.Reset()
}

func TestTwoBindingsOfAGroupShareItsReads(t *testing.T) {
	reads := func(bindings ...string) (n int) {
		inBubble(t, awssim.Options{Profile: awssim.Observed}, 10*time.Minute, func(_ *testing.T, b *bench) {
			b.nodes(6)
			arn := b.group("web")
			for _, name := range bindings {
				b.world.run(name, 0, 1, 2)
				b.engine.Bind(b.order(name, arn))
			}
			for _, name := range bindings {
				b.ready(name)
			}
			time.Sleep(time.Hour)
			n = b.sim.Count(health)
		})
		return n
	}
	alone, shared := reads("web"), reads("web", "also")
	t.Logf("%d reads in an hour, of which registration took minutes", alone)
	if diff := cmp.Diff(alone, shared); diff != "" {
		t.Errorf("reads of one binding, and of two: %s", diff)
	}
}

func TestDrainingIsReadOnceWhenItIsOver(t *testing.T) {
	inBubble(t, awssim.Options{Profile: awssim.Observed}, time.Hour, func(t *testing.T, b *bench) {
		b.nodes(6)
		arn := b.group("web")
		o := b.order("web", arn)
		o.Drain = 300 * time.Second
		b.world.run("web", 0, 1, 2)
		b.engine.Bind(o)
		b.ready("web")
		b.settled(10 * time.Minute)
		b.world.run("web", 1, 2)
		b.holds("one left", arn, 1, 2)
		left := time.Now()
		time.Sleep(30 * time.Minute)
		var after []time.Duration
		for _, at := range b.reads(left) {
			after = append(after, at.Sub(left).Round(time.Second))
		}
		// What is read lags by up to 30 s: so the first read, which confirms the
		// write, does not know of it, and is repeated.
		want := []time.Duration{15 * time.Second, 31 * time.Second, 305 * time.Second}
		if diff := cmp.Diff(want, after); diff != "" {
			t.Errorf("draining is read once when the delay is over\n-want, +got:\n%s", diff)
		}
	})
}

func TestQuietGroupsAreReadAtThePollInterval(t *testing.T) {
	const n = 300
	inBubble(t, awssim.Options{}, 10*time.Minute, func(t *testing.T, b *bench) {
		b.many(n)
		b.settled(30 * time.Minute)
		began := time.Now()
		time.Sleep(time.Hour)
		reads := b.reads(began)
		b.within("quiet reads", reads, 1, 1)
		// Of each 600 s one is left for the repair.
		if got := len(reads); got < 6*n*9/10 || got > 6*n+n/50 {
			t.Errorf("%d groups were read %d times in an hour", n, got)
		}
		if diff := cmp.Diff(len(reads), b.sim.Count()); diff != "" {
			t.Errorf("reads, and all calls: %s", diff)
		}
	})
}

// TestEndpointsAreApart: the same account, region and ARN at another endpoint is
// another group.
func TestEndpointsAreApart(t *testing.T) {
	inBubble(t, awssim.Options{}, 10*time.Minute, func(t *testing.T, b *bench) {
		first := b.many(1)[0]
		sim := awssim.New(awssim.Options{})
		t.Cleanup(sim.Close)
		other := &bench{t: t, sim: sim, access: accessAt(t, "http://other.test", aws.PoolOptions{HTTP: sim}), engine: b.engine, world: b.world}
		other.nodes(6)
		second := other.group("web-0")
		if first != second {
			t.Fatalf("the test needs one ARN in two places, got %s and %s", first, second)
		}
		other.world.run("elsewhere", 3)
		b.engine.Bind(other.order("elsewhere", second))
		other.ready("elsewhere")
		began := time.Now()
		time.Sleep(30 * time.Minute)
		if here, there := len(b.reads(began)), len(other.reads(began)); here < 2 || there < 2 {
			t.Errorf("the health was read %d times here and %d times there, want each at its poll interval", here, there)
		}
		other.holds("elsewhere", second, 3)
		b.holds("web-0", first, 0, 1)
	})
}

func TestABindingDecidesHowOftenItsQuietGroupIsRead(t *testing.T) {
	inBubble(t, awssim.Options{}, 10*time.Minute, func(t *testing.T, b *bench) {
		arn := b.many(1)[0]
		for _, tc := range []struct {
			reason string
			orders map[string]time.Duration
			want   int
		}{
			{"A binding that says nothing leaves it to the provider.", nil, 6},
			{"A binding asks for more.", map[string]time.Duration{"web-0": 2 * time.Minute}, 30},
			{"Of two bindings of a group the one that asks for more decides.", map[string]time.Duration{"second": 20 * time.Minute}, 30},
			{"It can take that back, and the other still counts.", map[string]time.Duration{"web-0": time.Hour}, 3},
		} {
			for name, poll := range tc.orders {
				o := b.order(name, arn)
				o.Poll = poll
				b.engine.Bind(o)
			}
			b.settled(30 * time.Minute)
			began := time.Now()
			time.Sleep(time.Hour)
			// An hour may begin just before a read.
			if got := len(b.reads(began)); got < tc.want-1 || got > tc.want+1 {
				t.Errorf("%s\nit was read %d times in an hour, want %d", tc.reason, got, tc.want)
			}
		}
	})
}

// many makes n groups with a binding each, whose targets are registered.
func (b *bench) many(n int) (arns []string) {
	b.nodes(6)
	for i := range n {
		name := fmt.Sprintf("web-%d", i)
		arns = append(arns, b.group(name))
		b.world.run(name, i%6, (i+1)%6)
		b.engine.Bind(b.order(name, arns[i]))
	}
	b.allReady(n)
	return arns
}

// allReady waits for the bindings that many makes.
func (b *bench) allReady(n int) {
	b.t.Helper()
	b.within10("all groups are read and written", func() bool {
		for i := range n {
			if s, ok := b.engine.Snapshot(types.UID(fmt.Sprintf("web-%d", i))); !ok || !s.Conditions[0].Status {
				return false
			}
		}
		return true
	})
}

func TestGroupsThatWaitAreReadThreeTimesASecond(t *testing.T) {
	const n = 60
	inBubble(t, awssim.Options{Profile: awssim.Observed}, 10*time.Minute, func(t *testing.T, b *bench) {
		arns := b.many(n)
		began := time.Now()
		for i := range n {
			b.world.run(fmt.Sprintf("web-%d", i), (i+3)%6, (i+4)%6)
		}
		time.Sleep(3 * time.Minute)
		reads := b.reads(began)
		b.within("reads", reads, 10, 3)
		if got := len(reads); got < 3*150 {
			t.Errorf("%d reads in 3 minutes while %d groups wait: less than there may be", got, n)
		}
		b.eventually("everybody has moved", func() string {
			for i, arn := range arns {
				if diff := cmp.Diff(want((i+3)%6, (i+4)%6), b.held(arn)); diff != "" {
					return diff
				}
			}
			return ""
		})
	})
}

func TestReadsThatFailStarveNobody(t *testing.T) {
	const n = 100
	inBubble(t, awssim.Options{TokenBuckets: true}, 10*time.Minute, func(t *testing.T, b *bench) {
		b.nodes(6)
		repair := b.sim.Fault(awssim.Fault{Action: health, Effect: awssim.Deny})
		for i := range n {
			name := fmt.Sprintf("web-%d", i)
			b.world.run(name, i%6)
			b.engine.Bind(b.order(name, b.group(name)))
		}
		time.Sleep(time.Minute)
		began := time.Now()
		time.Sleep(time.Minute)
		b.within("reads that fail", b.reads(began), 10, 3)
		asked := time.Now()
		if _, err := b.access.Read.TargetGroup(t.Context(), b.group("other"), 0); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(asked); took > 2*time.Second {
			t.Errorf("another kind's read waited %s", took)
		}
		repair()
		b.allReady(n)
	})
}

// TestANoisyNeighbour takes 70 % of every bucket of the account, and all pods move.
func TestANoisyNeighbour(t *testing.T) {
	const n = 40
	inBubble(t, awssim.Options{TokenBuckets: true, Latency: 60 * time.Millisecond}, 10*time.Minute, func(t *testing.T, b *bench) {
		arns := b.many(n)
		b.settled(time.Minute)
		b.sim.SetNeighbour(awssim.DefaultKey.Account, region, 0.7)
		began := time.Now()
		for i := range n {
			b.world.run(fmt.Sprintf("web-%d", i), (i+3)%6, (i+4)%6)
		}
		there := func(i int, got []string) bool {
			for _, k := range want((i+3)%6, (i+4)%6) {
				if !slices.Contains(got, k) {
					return false
				}
			}
			return true
		}
		b.within10("every new target is registered", func() bool {
			for i, arn := range arns {
				if !there(i, b.held(arn)) {
					return false
				}
			}
			return true
		})
		t.Logf("%d groups: all registered after %s", n, time.Since(began).Round(time.Second))
		b.within10("every old target is gone", func() bool {
			for i, arn := range arns {
				if cmp.Diff(want((i+3)%6, (i+4)%6), b.held(arn)) != "" {
					return false
				}
			}
			return true
		})
		throttled := 0
		for _, c := range b.sim.Calls() {
			if c.Code == "Throttling" || c.Code == "ThrottlingException" {
				throttled++
			}
		}
		t.Logf("all deregistered after %s; %d calls, %d of them throttled", time.Since(began).Round(time.Second), b.sim.Count(), throttled)
	})
}

// within10 waits for ten minutes of the bubble's clock at most.
func (b *bench) within10(what string, is func() bool) {
	b.t.Helper()
	for end := time.Now().Add(10 * time.Minute); !is(); time.Sleep(time.Second) {
		if time.Now().After(end) {
			b.t.Fatalf("not within 10 minutes: %s", what)
		}
	}
}

// TestWhileAGroupCannotBeReadTheLastOneStays: nobody knows by then who serves.
func TestWhileAGroupCannotBeReadTheLastOneStays(t *testing.T) {
	inBubble(t, awssim.Options{Profile: awssim.Observed}, 10*time.Minute, func(t *testing.T, b *bench) {
		b.nodes(6)
		arn := b.group("web")
		b.world.run("web", 1)
		b.engine.Bind(b.order("web", arn))
		time.Sleep(5 * time.Minute) // the one of the other zone is healthy, so AWS does not fail open
		b.world.run("web", 0, 1)
		time.Sleep(15 * time.Second)
		repair := b.sim.Fault(awssim.Fault{Action: health, Effect: awssim.Deny})
		time.Sleep(10 * time.Minute) // it becomes healthy, and nobody hears of it
		b.world.run("web", 0, 1, 2)
		b.world.change("web", func() { b.world.pods["web"][0].Terminating = true })
		time.Sleep(time.Minute)
		if diff := cmp.Diff(want(0, 1, 2), b.held(arn)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		repair()
		b.within10("the other one has become healthy", func() bool { return cmp.Diff(want(1, 2), b.held(arn)) == "" })
	})
}
