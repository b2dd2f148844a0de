package aws

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// trip is one call for many callers, and what follows from it. It does not end
// with any of them, but with the last.
type trip[T any] struct {
	// asks that are not answered yet, and how many callers wait for them.
	asks     map[string]*ask[T]
	waiting  int
	priority Priority
	// alone is true if nothing may be read with it.
	alone bool
	// timer ends the time in which others may board; nil if there is none.
	timer *time.Timer

	// departed is true once its call is being made: at a time, as of a count.
	departed bool
	at       time.Time
	count    uint64
	// ctx is its own, not a caller's.
	ctx    context.Context
	cancel context.CancelFunc
	// gone is true if there is nobody to answer any more.
	gone bool
}

// board finds a trip for an ask. It runs under the lock, as all but run, list and
// fetch do.
func (s *shelf[T]) board(a *ask[T], e *item[T], p Priority) {
	if s.size == 1 || e.suspect || s.alone != nil && s.alone(a.key) {
		t := &trip[T]{asks: map[string]*ask[T]{}, priority: p, alone: true}
		t.add(a)
		s.depart(t)
		return
	}
	if s.listing != nil && s.joins(a.key, s.listing, p) {
		s.listing.add(a)
		return
	}
	if s.open == nil {
		t := &trip[T]{asks: map[string]*ask[T]{}, priority: p}
		t.timer = time.AfterFunc(window, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.open == t {
				s.depart(t)
			}
		})
		s.open = t
	}
	t := s.open
	t.priority = min(t.priority, p)
	t.add(a)
	if len(t.asks) >= s.size {
		s.depart(t)
	}
}

func (t *trip[T]) add(a *ask[T]) {
	a.trip = t
	t.asks[a.key] = a
	t.waiting += a.waiting
}

// depart makes the call.
func (s *shelf[T]) depart(t *trip[T]) {
	if s.open == t {
		s.open = nil
	}
	if t.timer != nil {
		t.timer.Stop()
	}
	now := time.Now()
	s.sweep(now)
	t.departed, t.at, t.count = true, now, s.ledger.now()
	//nolint:gosec // The trip cancels it when it has returned or nobody waits any more.
	t.ctx, t.cancel = context.WithTimeout(WithPriority(context.Background(), t.priority), readTimeout)
	if s.all != nil && !t.alone && s.demand(now) > s.size*max(1, s.pages) {
		s.listing = t
		go s.list(t)
		return
	}
	keys := t.keys()
	go s.run(t, keys, s.passengers(t, keys, now))
}

// keys are those that wait, in order.
func (t *trip[T]) keys() []string {
	out := make([]string, 0, len(t.asks))
	for k := range t.asks {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// list reads everything. What is not in it is asked for by itself: that it does not
// exist is what AWS must say itself.
func (s *shelf[T]) list(t *trip[T]) {
	defer t.cancel()
	things, calls, err := s.all(t.ctx)
	for _, key := range s.listed(t, things, calls, err) {
		s.fetch(t, []string{key}, nil)
	}
}

// listed answers what a list answers, and returns the keys that it does not.
func (s *shelf[T]) listed(t *trip[T], things map[string]T, calls int, err error) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listing == t {
		s.listing = nil
	}
	if err == nil {
		s.pages = calls
	}
	for key, v := range things {
		s.keep(t, key, v, true)
	}
	for key, a := range t.asks {
		if v, ok := things[key]; ok || err != nil {
			s.answer(a, v, err)
		}
	}
	return t.keys()
}

// run reads keys, and passengers with them as far as there is room. Names and ARNs
// do not go into one call.
func (s *shelf[T]) run(t *trip[T], keys, passengers []string) {
	defer t.cancel()
	for _, arns := range []bool{true, false} {
		other := func(k string) bool { return isARN(k) != arns }
		some, more := slices.DeleteFunc(slices.Clone(keys), other), slices.DeleteFunc(slices.Clone(passengers), other)
		if len(some) > 0 {
			s.fetch(t, some, more[:max(0, min(len(more), s.size-len(some)))])
		}
	}
}

func isARN(key string) bool { return strings.HasPrefix(key, "arn:") }

// fetch reads keys. If AWS refuses all because of one, the others are read without
// it.
func (s *shelf[T]) fetch(t *trip[T], keys, passengers []string) {
	together := len(keys)+len(passengers) > 1
	got, err := s.read(t.ctx, slices.Concat(keys, passengers))
	if err == nil || !together || !blamesOne(err) {
		for _, key := range s.arrive(t, keys, got, err, together) {
			s.fetch(t, []string{key}, nil)
		}
		return
	}
	for _, part := range parts(keys, passengers, err) {
		s.fetch(t, part, nil)
	}
}

// blamesOne is true for an error that one key may have caused for all.
func blamesOne(err error) bool {
	c := Classify(err)
	return c == ClassNotFound || c == ClassTerminal
}

// parts are the keys to try again after an error: without the passengers; or else
// those that it names each by itself; or else in halves.
func parts(keys, passengers []string, err error) [][]string {
	if len(passengers) > 0 {
		return [][]string{keys}
	}
	var named [][]string
	var rest []string
	for _, k := range keys {
		if strings.Contains(err.Error(), k) {
			named = append(named, []string{k})
		} else {
			rest = append(rest, k)
		}
	}
	if len(named) > 0 && len(rest) > 0 {
		return append([][]string{rest}, named...)
	}
	return [][]string{keys[:len(keys)/2], keys[len(keys)/2:]}
}

// arrive answers what a call answers, and returns the keys that it left out
// together with others.
func (s *shelf[T]) arrive(t *trip[T], keys []string, got map[string]T, err error, together bool) (again []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, v := range got {
		s.keep(t, key, v, false)
	}
	for _, key := range keys {
		a := t.asks[key]
		v, ok := got[key]
		switch {
		case a == nil:
		case ok || err != nil:
			s.answer(a, v, err)
		case together:
			again = append(again, key)
		default:
			s.answer(a, v, fmt.Errorf("AWS's answer about %q is not about it", key))
		}
	}
	if err != nil && !together && blamesOne(err) {
		e := s.item(keys[0])
		e.suspect, e.have = true, false
	}
	return again
}

// keep puts a thing on the shelf, unless what is there was asked for later.
func (s *shelf[T]) keep(t *trip[T], key string, v T, listed bool) {
	e := s.item(key)
	if e.have && (e.at.After(t.at) || e.count > t.count) {
		return
	}
	e.value, e.have, e.at, e.count = v, true, t.at, t.count
	e.listed, e.suspect = listed, false
}

// answer ends an ask.
func (s *shelf[T]) answer(a *ask[T], v T, err error) {
	a.value, a.err = v, err
	s.drop(a)
	close(a.done)
	a.trip.waiting -= a.waiting
	s.endUnwanted(a.trip)
}

// demand is how many keys are wanted that no list has answered: each would need a
// call or a place in one.
func (s *shelf[T]) demand(now time.Time) int {
	n := 0
	for _, e := range s.entries {
		if e.ask != nil || e.wanted(now) && (!e.listed || now.Sub(e.at) >= e.age) {
			n++
		}
	}
	return n
}

// wanted is true for a key that somebody polls.
func (e *item[T]) wanted(now time.Time) bool {
	return !e.suspect && now.Sub(e.asked) < interest*e.age
}

// passengers are keys that nobody waits for, but that somebody will ask for while
// an answer of now is good: the soonest first. A call with them costs no more than
// one without.
func (s *shelf[T]) passengers(t *trip[T], keys []string, now time.Time) []string {
	if t.alone || len(keys) >= s.size {
		return nil
	}
	soon := map[string]time.Time{}
	for k, e := range s.entries {
		if e.ask != nil || e.suspect || s.alone != nil && s.alone(k) {
			continue
		}
		if at, ok := e.needed(now); ok {
			soon[k] = at
		}
	}
	return slices.SortedFunc(maps.Keys(soon), func(a, b string) int {
		return cmp.Or(soon[a].Compare(soon[b]), strings.Compare(a, b))
	})
}

// needed is when somebody will ask for what is too old then; false if nobody will
// within an age.
func (e *item[T]) needed(now time.Time) (time.Time, bool) {
	old := now.Sub(e.at) >= e.age
	if next, ok := e.habit.next(now, e.age); ok {
		// What was read more than an age before is no answer then.
		if opens := next.Add(-e.age); !now.Before(opens) && (old || e.at.Before(opens)) {
			return next, true
		}
	}
	// Whoever has just asked may be one who asks all the time. There may be room.
	return e.asked.Add(pollAges * e.age), old && now.Sub(e.asked) < e.age
}
