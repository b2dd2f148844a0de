package aws

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
)

// slack is how long a call and what follows from it may take in these worlds.
const slack = time.Second

var errThrottling = &smithy.GenericAPIError{Code: "Throttling", Message: "Rate exceeded"}

// chronicle is a library that knows what was there when.
type chronicle struct {
	*library

	t *testing.T
	s *shelf[int]

	mu sync.Mutex
	// told is the version of a key that our last write left, by the time at which
	// its writer knew.
	told    map[string]int
	history map[string][]event
}

type event struct {
	at      time.Time
	version int // 0 is absent
}

// set changes a key; ours is what we write ourselves.
func (c *chronicle) set(key string, absent, ours bool) {
	c.library.mu.Lock()
	c.mu.Lock()
	h := c.history[key]
	version := len(h) + 1
	e := event{at: time.Now(), version: version}
	c.things[key] = version
	if absent {
		e.version = 0
		delete(c.things, key)
	}
	c.history[key] = append(h, e)
	c.mu.Unlock()
	c.library.mu.Unlock()
	if !ours {
		return
	}
	time.Sleep(c.latency / 2) // The answer is on its way.
	c.s.ledger.write([]string{key}, time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told[key] = max(c.told[key], version)
}

// at is the version of a key, and where it is in the history.
func (c *chronicle) at(key string, when time.Time) int {
	h := c.history[key]
	i, _ := slices.BinarySearchFunc(h, when, func(e event, t time.Time) int { return e.at.Compare(t) })
	return i // Those before it may have been there at that moment.
}

// ask asks, and judges the answer.
func (c *chronicle) ask(ctx context.Context, key string, maxAge time.Duration) {
	start := time.Now()
	c.mu.Lock()
	told := c.told[key]
	c.mu.Unlock()
	got, err := c.s.get(ctx, key, maxAge)
	c.mu.Lock()
	defer c.mu.Unlock()
	if took := time.Since(start); took > 2*slack {
		c.t.Errorf("%s took %s", key, took)
	}
	switch {
	case err != nil && ctx.Err() != nil:
	case IsNotFound(err, "TargetGroupNotFound"):
		for _, e := range c.history[key][max(0, c.at(key, start.Add(-slack))-1):] {
			if e.version == 0 {
				return
			}
		}
		c.t.Errorf("%s was never absent, and is said to be", key)
	case Code(err) == "Throttling":
	case errors.Is(err, context.Canceled), err != nil:
		c.t.Errorf("%s: somebody else's error: %v", key, err)
	case got < told:
		c.t.Errorf("%s: got version %d, and we wrote %d before", key, got, told)
	case got < c.at(key, start.Add(-maxAge-slack)):
		c.t.Errorf("%s: got version %d, which is older than %s", key, got, maxAge)
	}
}

// TestLawsOfSharedLookups lives random lives of callers who ask, give up and
// write, beside others who create, change and delete, and an AWS that throttles.
func TestLawsOfSharedLookups(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { live(t, seed) })
		})
	}
}

func live(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	l, keys := books(6 + random.IntN(70))
	l.latency = 20 * time.Millisecond
	c := &chronicle{library: l, t: t, told: map[string]int{}, history: map[string][]event{}}
	c.s = unlisted(l)
	if seed%2 == 0 {
		c.s.all = l.all
	}
	for _, k := range keys {
		c.set(k, random.IntN(10) == 0, false)
	}
	throttle := rand.New(rand.NewPCG(seed, 1))
	l.fail = func([]string) error { // Runs under the library's lock.
		if seed%3 == 0 && throttle.IntN(5) == 0 {
			return errThrottling
		}
		return nil
	}
	var wg sync.WaitGroup
	for i := range 30 {
		own := rand.New(rand.NewPCG(seed, 2+uint64(i)))
		wg.Go(func() {
			for range 60 {
				time.Sleep(time.Duration(own.IntN(300)) * time.Millisecond)
				c.act(own, keys)
			}
		})
	}
	wg.Wait()
	time.Sleep(2 * readTimeout)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.open != nil || c.s.listing != nil {
		t.Error("a trip is left when nobody asks")
	}
	for k, e := range c.s.entries {
		if e.ask != nil {
			t.Errorf("%s: an ask is left when nobody asks", k)
		}
	}
}

func (c *chronicle) act(random *rand.Rand, keys []string) {
	key := keys[random.IntN(len(keys))]
	switch random.IntN(20) {
	case 0:
		c.set(key, false, true)
	case 1:
		c.set(key, false, false)
	case 2:
		c.set(key, random.IntN(3) == 0, random.IntN(2) == 0)
	case 3, 4, 5, 6:
		ctx, cancel := context.WithTimeout(c.t.Context(), time.Duration(random.IntN(60))*time.Millisecond)
		defer cancel()
		c.ask(ctx, key, time.Duration(random.IntN(3))*time.Second)
	default:
		ctx := WithPriority(c.t.Context(), Priority(1+random.IntN(4)))
		c.ask(ctx, key, time.Duration(random.IntN(3))*time.Second)
	}
}
