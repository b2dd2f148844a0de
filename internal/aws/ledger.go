package aws

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go/middleware"
)

const (
	// settles is how long after a write what is read may be what was before: AWS
	// answers from replicas.
	settles = 10 * time.Second
	// doubtful is the same after a write without an answer: it may take effect
	// when the connection is long gone.
	doubtful = time.Minute
	// remembered is how many subjects a ledger knows before it starts anew.
	remembered = 4096
)

// ledger is what we wrote in a place: an answer of AWS that was asked for before
// is not given to anybody who asks after. Every client writes into it, by a step
// of the SDK's middleware, so that a call site cannot forget to.
type ledger struct {
	mu sync.Mutex
	// count goes up with every write; what is read is as of a count.
	count  uint64
	writes map[string]write
	// floor is the count of the last write to anything at all.
	floor uint64
}

type write struct {
	count uint64
	until time.Time
}

func newLedger() *ledger { return &ledger{writes: map[string]write{}} }

// now is the count that a read which begins now is as of.
func (l *ledger) now() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// write notes an end of a write. Without a subject it was to anything.
func (l *ledger) write(subjects []string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	if len(subjects) == 0 {
		l.floor = l.count
	}
	for _, s := range subjects {
		l.writes[s] = write{l.count, later(until, l.writes[s].until)}
	}
	if len(l.writes) <= remembered {
		return
	}
	l.floor = l.count
	now := time.Now()
	for s, w := range l.writes {
		if now.After(w.until) {
			delete(l.writes, s)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// unchanged is true if none of the subjects was written since a count.
func (l *ledger) unchanged(subjects []string, count uint64) bool {
	return l.holds(subjects, count, time.Time{})
}

// holds is true if what was read at a time, as of a count, is what is there, as
// far as we have to do with it. The zero time does not ask about AWS's replicas.
func (l *ledger) holds(subjects []string, count uint64, at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if count < l.floor {
		return false
	}
	for _, s := range subjects {
		w, ok := l.writes[s]
		if ok && (count < w.count || !at.IsZero() && at.Before(w.until)) {
			return false
		}
	}
	return true
}

// install makes a client write into the ledger.
func (l *ledger) install(s *middleware.Stack) error {
	return s.Initialize.Add(scribe{l}, middleware.Before)
}

// scribe notes a call in the ledger when it has ended, whatever its end.
type scribe struct{ ledger *ledger }

// ID names the step.
func (scribe) ID() string { return "provider-nlb/Ledger" }

// HandleInitialize makes the call.
func (s scribe) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	action := middleware.GetOperationName(ctx)
	out, metadata, err := next.HandleInitialize(ctx, in)
	if writes(action) {
		s.ledger.write(subjectsOf(action, in.Parameters), time.Now().Add(unsettled(err)))
	}
	return out, metadata, err
}

// writes is false for an action that changes nothing that is ever kept: targets
// and their health are not.
func writes(action string) bool {
	switch action {
	case "RegisterTargets", "DeregisterTargets":
		return false
	}
	return !strings.HasPrefix(action, "Describe")
}

// unsettled is how long it takes until one can be sure of what a write did.
func unsettled(err error) time.Duration {
	switch Classify(err) {
	case ClassTransient, ClassThrottled, ClassUnknown:
		return doubtful
	}
	return settles
}
