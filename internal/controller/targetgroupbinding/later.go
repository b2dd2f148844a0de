package targetgroupbinding

import (
	"context"
	"sync"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

const (
	// laterAtOnce are the groups that are read at a time: as many as share a call.
	laterAtOnce = 20
	// laterWithin bounds the reads of one group.
	laterWithin = time.Minute
)

// later reads the tags and attributes of groups behind everything else, once in a
// process. After a restart there are as many as there are groups, at a few calls a
// second; a binding that an earlier process has served need not wait for them to
// register pods.
type later struct {
	mu sync.Mutex
	// read says of each group whether its read has ended, well or not.
	read map[laterKey]bool
	// queue are those whose turn has not come, in order, and running is how many
	// goroutines take from it: one for each group would be hundreds after a restart.
	queue   []laterRead
	running int
}

// A laterRead is a group to be read, and what is called then.
type laterRead struct {
	key    laterKey
	access *aws.Access
	then   func()
}

// laterKey names a group: a simulated AWS is a place of its own.
type laterKey struct{ endpoint, arn string }

func newLater() *later {
	return &later{read: map[laterKey]bool{}}
}

// ended says whether the group's tags and attributes were read. If not, it sees to it
// that they are, and calls then.
func (l *later) ended(access *aws.Access, arn string, then func()) bool {
	key := laterKey{access.Endpoint, arn}
	l.mu.Lock()
	defer l.mu.Unlock()
	done, begun := l.read[key]
	if !begun {
		l.read[key] = false
		l.queue = append(l.queue, laterRead{key, access, then})
		if l.running < laterAtOnce {
			l.running++
			go l.run()
		}
	}
	return done
}

// run reads until nobody waits.
func (l *later) run() {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			l.running--
			l.mu.Unlock()
			return
		}
		next := l.queue[0]
		l.queue = l.queue[1:]
		l.mu.Unlock()

		l.readAll(next.access, next.key.arn)

		l.mu.Lock()
		l.read[next.key] = true
		l.mu.Unlock()
		next.then()
	}
}

// know notes that the group was read otherwise.
func (l *later) know(access *aws.Access, arn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read[laterKey{access.Endpoint, arn}] = true
}

// readAll fills what the reader keeps. What fails fails again when the binding is
// reconciled next, and is told there.
func (l *later) readAll(access *aws.Access, arn string) {
	ctx, cancel := context.WithTimeout(context.Background(), laterWithin)
	defer cancel()
	ctx = aws.WithPriority(ctx, aws.PriorityBackground)
	if _, err := access.Read.Tags(ctx, arn, laterWithin); err == nil {
		_, _ = access.Read.TargetGroupAttributes(ctx, arn, laterWithin)
	}
}
