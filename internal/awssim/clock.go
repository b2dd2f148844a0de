package awssim

import (
	"sync"
	"time"
)

// Clock is the time that the simulated AWS lives in.
type Clock interface {
	// Now is the present time.
	Now() time.Time
	// After sends once, when d has passed. A d of zero or less sends at once.
	After(d time.Duration) <-chan time.Time
}

// RealClock is the machine's clock.
type RealClock struct{}

// Now is time.Now.
func (RealClock) Now() time.Time { return time.Now() }

// After is time.After.
func (RealClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// ManualClock stands still until it is advanced. It is safe for use by several
// goroutines.
type ManualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []timer
}

type timer struct {
	at   time.Time
	fire chan time.Time
}

// NewManualClock returns a clock that stands at start; the zero time means now.
// Credentials from AssumeRole carry an expiry of this clock, and an SDK compares
// it with its own: a clock that starts in the past hands out expired credentials.
func NewManualClock(start time.Time) *ManualClock {
	if start.IsZero() {
		start = time.Now()
	}
	return &ManualClock{now: start}
}

// Now is where the clock stands.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After sends when the clock has been advanced by d.
func (c *ManualClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	fire := make(chan time.Time, 1)
	if d <= 0 {
		fire <- c.now
		return fire
	}
	c.timers = append(c.timers, timer{at: c.now.Add(d), fire: fire})
	return fire
}

// Advance moves the clock by d and fires what has become due. It panics if d is
// negative: AWS's clock does not run backwards.
func (c *ManualClock) Advance(d time.Duration) {
	if d < 0 {
		panic("awssim: clock moved backwards")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	waiting := c.timers[:0]
	for _, t := range c.timers {
		if t.at.After(c.now) {
			waiting = append(waiting, t)
			continue
		}
		t.fire <- c.now
	}
	c.timers = waiting
}

// Waiting is how many After channels have not fired. A test can poll it to know
// that a delayed call has arrived.
func (c *ManualClock) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}
