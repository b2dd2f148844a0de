package aws

import "time"

const (
	// recovery is how long a rate takes from nothing back to its limit: a rate
	// that was halved once is whole again after half of it.
	recovery = 10 * time.Minute
	// slowest is the least part of its limit that throttling leaves to a rate.
	slowest = 1.0 / 8
	// throttleOnce is how long further throttling counts as the same event: all
	// calls of one burst are throttled together.
	throttleOnce = time.Second
	// whole is one token but for rounding.
	whole = 1 - 1e-6
)

// bucket is a token bucket that learns from throttling. Its caller holds a lock.
type bucket struct {
	limit  Limit
	tokens float64
	// factor is the part of the limit's rate that is in use, at most 1.
	factor float64
	at     time.Time
	slowed time.Time

	calls, throttled uint64
}

func newBucket(l Limit, now time.Time) *bucket {
	return &bucket{limit: l, tokens: l.Burst, factor: 1, at: now}
}

func (b *bucket) rate() float64 { return b.limit.PerSecond * b.factor }

// refill adds what came back since the last time.
func (b *bucket) refill(now time.Time) {
	passed := now.Sub(b.at).Seconds()
	if passed <= 0 {
		return
	}
	b.tokens = min(b.limit.Burst, b.tokens+passed*b.rate())
	b.factor = min(1, b.factor+passed/recovery.Seconds())
	b.at = now
}

// slow reacts to a throttled call. AWS's bucket is empty, whoever emptied it, so
// what we have saved is worth nothing.
func (b *bucket) slow(now time.Time) {
	b.refill(now)
	b.throttled++
	if !b.slowed.IsZero() && now.Sub(b.slowed) < throttleOnce {
		return
	}
	b.slowed = now
	b.tokens = 0
	b.factor = max(slowest, b.factor/2)
}

// until is how long it takes until the bucket holds n tokens.
func (b *bucket) until(n float64) time.Duration {
	if b.tokens >= n {
		return 0
	}
	return time.Duration((n - b.tokens) / b.rate() * float64(time.Second))
}
