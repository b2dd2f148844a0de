package binder

import (
	"context"
	"sync"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

// idle is how long nothing looks again if nobody asks to.
const idle = time.Hour

// A scheduler has the health of an account's and region's groups read, as its rota
// says. One read of a group serves all bindings of it.
type scheduler struct {
	// budget is the account's and region's, of which it takes what others leave.
	budget *aws.Budget
	wake   chan struct{}

	mu     sync.Mutex
	rota   *rota
	wishes map[string]wish
	groups map[string]*group
}

func newScheduler(b *aws.Budget) *scheduler {
	return &scheduler{
		budget: b, wake: make(chan struct{}, 1),
		rota: newRota(), wishes: map[string]wish{}, groups: map[string]*group{},
	}
}

// want says when a group wants to be read, instead of what it said before.
func (s *scheduler) want(g *group, w wish) {
	s.mu.Lock()
	news := s.wishes[g.key.arn] != w || s.groups[g.key.arn] != g
	s.wishes[g.key.arn], s.groups[g.key.arn] = w, g
	s.mu.Unlock()
	if news {
		poke(s.wake)
	}
}

// forget drops a group's wish.
func (s *scheduler) forget(g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups[g.key.arn] == g {
		delete(s.wishes, g.key.arn)
		delete(s.groups, g.key.arn)
	}
}

func (s *scheduler) run(ctx context.Context) {
	each(ctx, s.wake, s.serve)
}

// serve starts all reads that can be made now and returns when to look again.
func (s *scheduler) serve(ctx context.Context) time.Time {
	for {
		now := time.Now()
		s.mu.Lock()
		key, again := s.rota.next(now, s.wishes)
		s.mu.Unlock()
		if key == "" {
			return earliest(now.Add(idle), again)
		}
		if err := s.budget.Acquire(ctx, aws.NonMutating, aws.PriorityBackground); err != nil {
			return now.Add(idle) // the context is done
		}
		// Who is read is decided only now: a gate may have come while others had
		// the account's tokens.
		if g := s.take(time.Now()); g == nil || !g.startRead() {
			s.budget.Return(aws.NonMutating)
		}
	}
}

// take takes out the wish of the group to read now; nil if there is none.
func (s *scheduler) take(now time.Time) *group {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, _ := s.rota.next(now, s.wishes)
	if key == "" {
		return nil
	}
	g := s.groups[key]
	s.rota.take(now, key, s.wishes)
	delete(s.wishes, key)
	delete(s.groups, key)
	return g
}

// each calls step when it is woken and at the time that step returned last, until
// the context is done.
func each(ctx context.Context, wake <-chan struct{}, step func(context.Context) time.Time) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-timer.C:
		}
		next := step(ctx)
		if ctx.Err() != nil {
			return
		}
		timer.Reset(max(time.Until(next), time.Millisecond))
	}
}

// poke wakes who waits for a channel of one. It never blocks, and many are one.
func poke(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// due is when a group should be read; zero if it has no wish.
func (s *scheduler) due(g *group) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wishes[g.key.arn].due
}
