package binder

import (
	"context"
	"sync"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"golang.org/x/time/rate"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	// readsPerSecond and readBurst bound the health reads of an account and
	// region (binding.md §8). First reads of a group do not count: nothing may
	// be deregistered before them.
	readsPerSecond = 3
	readBurst      = 10
	// readRetry is between two tries of a read that failed.
	readRetry = 5 * time.Second
	// readGone is between two looks at a group that does not exist.
	readGone = time.Minute
)

// readers are the health schedulers, one for each account and region.
type readers struct {
	mu sync.Mutex
	of map[[2]string]*rate.Limiter
}

// limiter is the one that all groups of an account and region wait at, in turn.
// So a group's interval is its wish, or longer when many are waiting.
func (r *readers) limiter(account, region string) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = map[[2]string]*rate.Limiter{}
	}
	key := [2]string{account, region}
	if r.of[key] == nil {
		r.of[key] = rate.NewLimiter(readsPerSecond, readBurst)
	}
	return r.of[key]
}

// readState is what is known of the group's reads.
type readState struct {
	// done is when the last successful read came back; zero before the first.
	done     time.Time
	inFlight bool
	// tried says that a first read has ended, well or not.
	tried    bool
	retryAt  time.Time
	againAt  time.Time
	err      error
	errSince time.Time
}

// awaitsFirstRead says that nothing is to be written yet: the first read tells
// what is registered already, so that a restart with everything in sync writes
// nothing. When that read fails, registrations go ahead without it.
func (g *group) awaitsFirstRead() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.read.tried
}

// readIfDue starts a read if one is due and none is under way, and returns when
// the next will be.
func (g *group) readIfDue(ctx context.Context) time.Time {
	now, quiet := time.Now(), g.b.quiet()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.read.inFlight {
		return now.Add(time.Hour) // it wakes the group
	}
	at := g.read.retryAt
	first := g.read.done.IsZero()
	if !first && at.IsZero() {
		at = earliest(g.targets.nextRead(g.read.done, now, quiet), g.read.againAt)
	}
	if at.After(now) {
		return at
	}
	access := g.access()
	if access == nil {
		return now.Add(time.Hour) // the next order wakes the group
	}
	g.read.inFlight, g.read.againAt, g.read.retryAt = true, time.Time{}, time.Time{}
	g.b.running.Go(func() { g.readOnce(ctx, access, first) })
	return now.Add(time.Hour)
}

// access is that of the oldest order; callers hold mu.
func (g *group) access() *aws.Access {
	for _, bd := range g.sorted() {
		return bd.order.Access
	}
	return nil
}

func (g *group) readOnce(ctx context.Context, access *aws.Access, first bool) {
	priority := aws.PriorityBackground
	if first {
		priority = aws.PriorityNormal
	} else if err := g.b.readers.limiter(access.Account, access.Region).Wait(ctx); err != nil {
		return // the context is done
	}
	began := time.Now()
	read, err := describe(aws.WithPriority(ctx, priority), access, g.key.arn)
	now := time.Now()

	g.mu.Lock()
	g.read.inFlight, g.read.tried = false, true
	if err == nil {
		g.read.againAt = g.targets.merge(read, began, now)
		g.read.done, g.read.err, g.read.errSince = now, nil, time.Time{}
		g.goneSince = time.Time{}
	} else {
		if g.read.err == nil {
			g.read.errSince = now
		}
		g.read.err, g.read.retryAt = err, now.Add(readRetry)
		if aws.IsNotFound(err, "TargetGroupNotFound") {
			g.gone(now)
			g.read.retryAt = now.Add(readGone)
		}
	}
	g.mu.Unlock()
	g.poke()
}

// describe reads all targets of a group. DescribeTargetHealth has no pages.
func describe(ctx context.Context, access *aws.Access, arn string) ([]reading, error) {
	out, err := access.ELBv2.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if err != nil {
		return nil, err
	}
	read := make([]reading, 0, len(out.TargetHealthDescriptions))
	for _, d := range out.TargetHealthDescriptions {
		if d.Target == nil || d.TargetHealth == nil {
			continue
		}
		read = append(read, reading{
			Key:    targets.Key{ID: awssdk.ToString(d.Target.Id), Port: awssdk.ToInt32(d.Target.Port)},
			health: targets.Health(d.TargetHealth.State),
			reason: string(d.TargetHealth.Reason),
		})
	}
	return read, nil
}

// gone notes that AWS says that the group does not exist; callers hold mu.
func (g *group) gone(now time.Time) {
	if g.goneSince.IsZero() {
		g.goneSince = now
	}
}
