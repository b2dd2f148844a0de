package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// deregisterEvery is which of the registration tokens goes to a deregistration
	// that has waited for too long, so that a storm of new pods cannot keep old
	// targets for ever.
	deregisterEvery = 5
	// deregisterPatience is for how long is not too long. When all pods of 200 groups
	// move at once, all new ones are registered by then; the old ones serve nobody,
	// and AWS's health checks have found that out.
	deregisterPatience = time.Minute
)

// Budget is our share of what a service of AWS grants to an account and region.
// All methods may be called by several goroutines; none holds a lock while it
// waits.
type Budget struct {
	categoryOf func(action string) Category

	mu      sync.Mutex
	buckets map[Category]*bucket
	// waiting is ordered by priority, then by arrival.
	waiting []*waiter
	// registered is how many registration tokens went to others than
	// deregistrations since the last that did.
	registered int
	timer      *time.Timer
	outcomes   map[outcome]uint64
}

type waiter struct {
	category Category
	priority Priority
	since    time.Time
	granted  chan struct{}
}

// Level is how a category stands.
type Level struct {
	// Tokens that are left, in calls.
	Tokens float64
	// PerSecond is the present rate, in calls: below the limit after throttling.
	PerSecond float64
	// Waiting is how many callers wait for a token.
	Waiting int
	// Calls is how many attempts were made since the start, and Throttled how
	// many of them AWS throttled. AccountWide counts all categories.
	Calls, Throttled uint64
}

// NewBudget returns a budget of ELBv2 with full buckets. A Pool makes one for each
// account and region.
func NewBudget(s Shares) *Budget { return newBudget(s.of(Limits()), CategoryOf) }

// NewEC2Budget is NewBudget for EC2. It has no category AccountWide.
func NewEC2Budget(s Shares) *Budget { return newBudget(s.of(EC2Limits()), EC2CategoryOf) }

func newBudget(limits map[Category]Limit, categoryOf func(string) Category) *Budget {
	b := &Budget{categoryOf: categoryOf, buckets: map[Category]*bucket{}, outcomes: map[outcome]uint64{}}
	now := time.Now()
	for c, l := range limits {
		b.buckets[c] = newBucket(l, now)
	}
	return b
}

// Acquire waits for a token of the category and an account-wide one, if there are
// such. Callers of
// one priority are served in the order in which they came; one that cannot be
// served yet does not hold up those of other categories. Priority 0 means
// PriorityNormal.
//
// It fails only if the context ends first, with an error of ClassThrottled, and
// takes no token then.
func (b *Budget) Acquire(ctx context.Context, c Category, p Priority) error {
	if err := ctx.Err(); err != nil {
		return &waitError{category: c, err: err}
	}
	if p == 0 {
		p = PriorityNormal
	}
	w := &waiter{category: c, priority: p, since: time.Now(), granted: make(chan struct{})}
	if err := b.enter(w); err != nil {
		return err
	}
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
		b.leave(w)
		return &waitError{category: c, err: ctx.Err()}
	}
}

// Return gives back a token that was acquired for a call that is not made.
func (b *Budget) Return(c Category) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.putBack(c)
	b.serve()
}

// Level returns how every category stands. Asking takes no token.
func (b *Budget) Level() map[Category]Level {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill()
	out := make(map[Category]Level, len(b.buckets))
	for c, k := range b.buckets {
		l := Level{Tokens: k.tokens, PerSecond: k.rate(), Calls: k.calls, Throttled: k.throttled}
		for _, w := range b.waiting {
			if w.category == c || c == AccountWide {
				l.Waiting++
			}
		}
		out[c] = l
	}
	return out
}

func (b *Budget) enter(w *waiter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buckets[w.category] == nil || w.category == AccountWide {
		return fmt.Errorf("cannot acquire a token: %q is no category of a call", w.category)
	}
	i, _ := slices.BinarySearchFunc(b.waiting, w.priority, func(o *waiter, p Priority) int {
		if o.priority <= p {
			return -1
		}
		return 1
	})
	b.waiting = slices.Insert(b.waiting, i, w)
	b.serve()
	return nil
}

// leave takes out a waiter that gave up. A token that it got in the same moment
// goes back.
func (b *Budget) leave(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiting, w); i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
	} else {
		b.putBack(w.category)
	}
	b.serve()
}

// both are the buckets that a call of the category takes from: its own, and the
// account's if there is one.
func (b *Budget) both(c Category) []*bucket {
	out := make([]*bucket, 0, 2)
	for _, name := range []Category{c, AccountWide} {
		if k := b.buckets[name]; k != nil {
			out = append(out, k)
		}
	}
	return out
}

func (b *Budget) putBack(c Category) {
	b.refill()
	for _, k := range b.both(c) {
		k.tokens = min(k.limit.Burst, k.tokens+1)
	}
}

func (b *Budget) refill() {
	now := time.Now()
	for _, k := range b.buckets {
		k.refill(now)
	}
}

// serve hands out what there is, and sees to it that it runs again when the next
// waiter can be served.
func (b *Budget) serve() {
	b.refill()
	for i := b.next(); i >= 0; i = b.next() {
		w := b.waiting[i]
		b.waiting = slices.Delete(b.waiting, i, i+1)
		b.take(w)
		close(w.granted)
	}
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if len(b.waiting) > 0 {
		b.timer = time.AfterFunc(b.soonest(), func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.serve()
		})
	}
}

func (b *Budget) take(w *waiter) {
	for _, k := range b.both(w.category) {
		k.tokens--
	}
	switch {
	case w.category != Registration:
	case w.priority == PriorityDeregister:
		b.registered = 0
	default:
		b.registered++
	}
}

// next is the waiter to serve now, or -1.
func (b *Budget) next() int {
	if b.registered >= deregisterEvery-1 {
		i := slices.IndexFunc(b.waiting, func(w *waiter) bool {
			return w.category == Registration && w.priority == PriorityDeregister && time.Since(w.since) >= deregisterPatience
		})
		if i >= 0 && b.wait(b.waiting[i]) == 0 {
			return i
		}
	}
	return slices.IndexFunc(b.waiting, func(w *waiter) bool { return b.wait(w) == 0 })
}

// wait is how long a waiter would wait if it were alone.
func (b *Budget) wait(w *waiter) time.Duration {
	own, account, needed := b.buckets[w.category], b.buckets[AccountWide], float64(whole)
	if account == nil {
		return own.until(whole)
	}
	if w.priority >= PriorityBackground {
		// A share so small that its bucket never holds the reserve must not
		// stop background calls for ever.
		needed += min(BackgroundReserve, account.limit.Burst/2)
		needed = min(needed, account.limit.Burst)
	}
	return max(own.until(whole), account.until(needed))
}

// soonest is when a waiter can be served next: at least a millisecond from now,
// so that rounding cannot make the timer spin.
func (b *Budget) soonest() time.Duration {
	d := b.wait(b.waiting[0])
	for _, w := range b.waiting[1:] {
		d = min(d, b.wait(w))
	}
	return max(d, time.Millisecond)
}

// attempted counts an attempt and learns from its outcome. AWS does not say
// whether the category or the account was exhausted: the category is slowed.
func (b *Budget) attempted(action string, class Class) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes[outcome{action, class}]++
	c := b.categoryOf(action)
	for _, k := range b.both(c) {
		k.calls++
	}
	if class != ClassThrottled {
		return
	}
	if account := b.buckets[AccountWide]; account != nil {
		account.throttled++
	}
	b.buckets[c].slow(time.Now())
}

// outcomesSoFar are the numbers of attempts since the start.
func (b *Budget) outcomesSoFar() map[outcome]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.outcomes)
}

// waitError is a context that ended before there was a token.
type waitError struct {
	category Category
	err      error
}

func (e *waitError) Error() string {
	return fmt.Sprintf("gave up waiting for our share of AWS's request rate (%s)", e.category)
}

func (e *waitError) Unwrap() error { return e.err }

// CanceledError tells the SDK not to retry: the time is over.
func (*waitError) CanceledError() bool { return true }
