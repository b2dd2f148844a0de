package aws

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"time"
)

const (
	// window is how long a call waits for others that want the same kind.
	window = 20 * time.Millisecond
	// readTimeout ends a call that callers share, its wait for tokens included.
	readTimeout = time.Minute
	// interest is for how many of the ages that it was asked with a key counts as
	// one that will be asked for again.
	interest = 8
	// tidy is how often a shelf looks for what nobody needs: what was read
	// more than unasked ago, and asked for more than untouched ago.
	tidy      = 10 * time.Minute
	unasked   = time.Hour
	untouched = 24 * time.Hour
)

// lookup is how things of a kind are read.
type lookup[T any] struct {
	// size is how many keys go into one call.
	size int
	// read makes one call for keys, and returns what it got by each of its keys.
	// An absent one fails the call; it may be left out if there are several.
	read func(ctx context.Context, keys []string) (map[string]T, error)
	// all reads everything, and says in how many calls; nil if AWS has no such.
	all func(ctx context.Context) (things map[string]T, calls int, err error)
	// alone is true for a key that may not share a call; nil if all may.
	alone func(key string) bool
	// subjects that an answer depends on.
	subjects func(key string) []string
	// rotate spreads the ends of ages, key by key, so that what was read at one
	// time is not read again at one time.
	rotate bool
}

// shelf keeps answers, and shares calls among those who ask at a time. It has no
// goroutine but for calls under way, and no lock while it waits.
type shelf[T any] struct {
	lookup[T]

	ledger *ledger

	mu      sync.Mutex
	entries map[string]*item[T]
	// open is the trip that others may board; nil if there is none.
	open *trip[T]
	// listing is a trip under way that reads everything.
	listing *trip[T]
	// pages is how many calls the last of them took.
	pages  int
	tidied time.Time
}

// item is what is known under a key.
type item[T any] struct {
	value T
	// have is true if value is AWS's answer, read at a time, as of a count of the
	// ledger.
	have  bool
	at    time.Time
	count uint64
	// listed is true if it was read with everything else.
	listed bool

	// asked is when somebody last asked, and age how old the answer might be:
	// not 0 but before anybody asked so.
	asked time.Time
	age   time.Duration
	// habit of those who poll it.
	habit habit
	// suspect is a key that AWS refused: others must not suffer for it.
	suspect bool
	// ask that is not answered yet; nil if there is none.
	ask *ask[T]
}

// ask is a question that callers wait for.
type ask[T any] struct {
	key     string
	trip    *trip[T]
	waiting int

	done  chan struct{}
	value T
	err   error
}

func newShelf[T any](l *ledger, how lookup[T]) *shelf[T] {
	if how.subjects == nil {
		how.subjects = reliesOn
	}
	return &shelf[T]{lookup: how, ledger: l, entries: map[string]*item[T]{}}
}

// get returns what AWS says about a key, or said less than maxAge ago. A call that
// is under way counts as now, unless we wrote to the key since it began. Whoever
// gives up fails nobody else.
func (s *shelf[T]) get(ctx context.Context, key string, maxAge time.Duration) (T, error) {
	var none T
	if key == "" {
		return none, errors.New("cannot ask AWS for something without a name")
	}
	if err := ctx.Err(); err != nil {
		return none, &silenceError{err: err}
	}
	value, a := s.look(key, maxAge, priorityOf(ctx, ""))
	if a == nil {
		return value, nil
	}
	select {
	case <-a.done:
		return a.value, a.err
	case <-ctx.Done():
		s.leave(a)
		return none, &silenceError{shared: true, err: ctx.Err()}
	}
}

// look returns the answer that is there, or the ask to wait for.
func (s *shelf[T]) look(key string, maxAge time.Duration, p Priority) (T, *ask[T]) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.item(key)
	e.asked = now
	if maxAge > 0 {
		e.age = maxAge
		if s.size > 1 {
			e.habit = e.habit.asked(now, maxAge)
		}
	}
	if s.fresh(key, e, maxAge, now) {
		return e.value, nil
	}
	if a := e.ask; a != nil && s.joins(key, a.trip, p) {
		a.waiting++
		a.trip.waiting++
		a.trip.priority = min(a.trip.priority, p)
		return e.value, a
	}
	a := &ask[T]{key: key, waiting: 1, done: make(chan struct{})}
	e.ask = a
	s.board(a, e, p)
	return e.value, a
}

func (s *shelf[T]) item(key string) *item[T] {
	e := s.entries[key]
	if e == nil {
		e = &item[T]{}
		s.entries[key] = e
	}
	return e
}

func (s *shelf[T]) fresh(key string, e *item[T], maxAge time.Duration, now time.Time) bool {
	return e.have && maxAge > 0 && now.Before(s.expires(key, e.at, maxAge)) && s.ledger.holds(s.subjects(key), e.count, e.at)
}

// expires is when an answer of a time is too old. Where ages are rotated, each key
// has a time of its own in every maxAge at which its answer is.
func (s *shelf[T]) expires(key string, at time.Time, maxAge time.Duration) time.Time {
	if !s.rotate {
		return at.Add(maxAge)
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // A hash does not fail.
	phase := time.Duration(h.Sum64() % uint64(maxAge))
	return at.Add(-phase).Truncate(maxAge).Add(maxAge + phase)
}

// joins is true if a trip can answer who asks now. One that will wait for tokens
// behind callers of this priority cannot.
func (s *shelf[T]) joins(key string, t *trip[T], p Priority) bool {
	if t.gone {
		return false
	}
	return !t.departed || t.priority <= p && s.ledger.unchanged(s.subjects(key), t.count)
}

// leave takes out a caller that gave up.
func (s *shelf[T]) leave(a *ask[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := a.trip
	if t.asks[a.key] != a {
		return // Answered in the same moment.
	}
	a.waiting--
	t.waiting--
	if !t.departed && a.waiting == 0 {
		s.drop(a)
	}
	s.endUnwanted(t)
}

// drop forgets an ask.
func (s *shelf[T]) drop(a *ask[T]) {
	delete(a.trip.asks, a.key)
	if e := s.entries[a.key]; e != nil && e.ask == a {
		e.ask = nil
	}
}

// endUnwanted ends a trip that nobody waits for any more.
func (s *shelf[T]) endUnwanted(t *trip[T]) {
	if t.waiting > 0 || t.gone {
		return
	}
	t.gone = true
	if s.open == t {
		s.open = nil
	}
	if s.listing == t {
		s.listing = nil
	}
	if t.timer != nil {
		t.timer.Stop()
	}
	if t.cancel != nil {
		t.cancel()
	}
}

// sweep forgets what nobody needs.
func (s *shelf[T]) sweep(now time.Time) {
	if now.Sub(s.tidied) < tidy {
		return
	}
	s.tidied = now
	for k, e := range s.entries {
		if e.ask == nil && now.Sub(e.at) > unasked && now.Sub(e.asked) > untouched {
			delete(s.entries, k)
		}
	}
}
