package binder

import (
	"cmp"
	"context"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	// Between two tries of a read that failed.
	readRetryFirst = 5 * time.Second
	readRetryLast  = 30 * time.Second
	// readGone is between two looks at a group that does not exist.
	readGone = time.Minute
	// newly is how young the readiness of a pod is that may not have been seen by the
	// process before this one.
	newly = 2 * time.Minute
)

// readState is what is known of the group's reads.
type readState struct {
	// began is when the last successful read began, and done when it came back; zero
	// before the first.
	began, done time.Time
	// ended is when the last read came back, well or not; zero before the first.
	ended    time.Time
	inFlight bool
	// priority of a first read that is in flight, and what gives it up.
	priority aws.Priority
	giveUp   context.CancelFunc
	// failures in a row.
	failures int
	retryAt  time.Time
	againAt  time.Time
	err      error
	errSince time.Time
}

// wish is when the group should be read again, with what its targets wish.
func (r *readState) wish(s states, now time.Time, poll time.Duration) wish {
	if r.err != nil {
		return wish{urgencyAwaited, r.retryAt, r.ended}
	}
	w := s.wish(r.done, now, poll)
	if !r.againAt.IsZero() && r.againAt.Before(w.due) {
		w.urgency, w.due = urgencyAwaited, r.againAt
	}
	return w
}

// failed notes a read that failed.
func (r *readState) failed(err error, now time.Time) {
	if r.err == nil {
		r.errSince = now
	}
	r.err, r.retryAt = err, now.Add(min(readRetryFirst<<min(r.failures, 10), readRetryLast))
	r.failures++
}

// succeeded notes a read that did not.
func (r *readState) succeeded(began, now, again time.Time) {
	r.began, r.done, r.againAt = began, now, again
	r.err, r.errSince, r.failures = nil, time.Time{}, 0
}

// askForRead tells the scheduler when the group wants to be read, and is true
// before the first read has ended, well or not: nothing is to be written before it
// tells what is registered already, so that a restart with everything in sync
// writes nothing. The first read does not wait for the scheduler.
func (g *group) askForRead() (first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if first = g.read.ended.IsZero(); first {
		g.readFirst()
		return true
	}
	if !g.read.inFlight {
		g.scheduler.want(g, g.inherited(g.gateWish(g.evidence(g.guardedWish(g.read.wish(g.targets, time.Now(), g.poll()))))))
	}
	return false
}

// readFirst sees to it that the first read is under way, with the priority that it
// has by now. Callers hold mu.
func (g *group) readFirst() {
	p := g.firstPriority(time.Now())
	if g.read.inFlight {
		if p >= g.read.priority {
			return
		}
		g.read.giveUp() // it waits for a token behind all others
		g.read.inFlight = false
	}
	if g.access() == nil || g.ctx.Err() != nil {
		return
	}
	ctx, giveUp := context.WithCancel(aws.WithPriority(g.ctx, p))
	g.read.inFlight, g.read.priority, g.read.giveUp = true, p, giveUp
	access := g.access()
	g.b.running.Go(func() {
		defer giveUp()
		g.readOnce(ctx, access)
	})
}

// firstPriority is that of the first read. After a restart there are as many as there
// are groups, and AWS grants a few a second: the groups that may have to register a
// pod go first, and those of bindings that an earlier process has served go last.
// Callers hold mu.
func (g *group) firstPriority(now time.Time) aws.Priority {
	p := aws.PriorityBackground
	for _, bd := range g.bindings {
		switch {
		case g.b.o.Clusters.ReadySince(string(bd.order.Binding.UID), now.Add(-newly)):
			return aws.PriorityRegister
		case len(bd.order.Ports) == 0:
			p = aws.PriorityNormal
		}
	}
	return p
}

// poll is the shortest interval at which a binding wants the quiet group to be read;
// callers hold mu.
func (g *group) poll() time.Duration {
	var shortest time.Duration
	for _, bd := range g.bindings {
		poll := cmp.Or(bd.order.Poll, g.b.o.Poll)
		if shortest == 0 || poll < shortest {
			shortest = poll
		}
	}
	return cmp.Or(shortest, g.b.o.Poll)
}

// startRead starts a read whose token is taken; false if there is to be none.
func (g *group) startRead() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.read.inFlight {
		return false // it asks again when it has ended
	}
	access := g.access()
	if access == nil || g.ctx.Err() != nil {
		return false // there is nobody to read for
	}
	g.read.inFlight = true
	g.b.running.Go(func() { g.readOnce(aws.Prepaid(g.ctx), access) })
	return true
}

// staleAfter is how old a word of AWS's may be that a target is not healthy: longer
// than between two reads of a group that has such a one, with others in turn.
const staleAfter = 90 * time.Second

// blurred says that the last read may be older than the last write of the process
// before this one: what it tells of may have been deregistered since.
func (g *group) blurred() bool { return g.read.began.Before(g.born.Add(readLag)) }

// inherited is a wish with what the process before this one may have left. A
// departure that waits because the first read is blurred waits for the next; and a
// call that was given up with that process may take effect after all.
func (g *group) inherited(w wish) wish {
	sooner := func(u urgency, due time.Time) {
		if due.Before(w.due) {
			w.urgency, w.due = min(u, w.urgency), due
		}
	}
	if g.read.err != nil {
		return w
	}
	if late := g.born.Add(lateAfter); g.read.began.Before(late) {
		sooner(urgencyQuiet, late)
	}
	for _, bd := range g.bindings {
		if g.blurred() && len(bd.plan.Waiting) > 0 {
			sooner(urgencyAwaited, g.born.Add(readLag+time.Second))
		}
	}
	return w
}

// known are the group's targets for a plan. While the group cannot be read nobody
// knows who serves, nor so soon after a start that AWS may tell of what was before
// the last write; and a target that was not healthy may have become so. Callers
// hold mu.
func (g *group) known(now time.Time) []targets.Target {
	out := g.targets.list()
	old, unsure := now.Sub(g.read.done) > staleAfter, g.read.err != nil || g.blurred()
	for i, t := range out {
		awaited := t.Health == targets.HealthInitial || t.Health == targets.HealthUnhealthy || t.Health == targets.HealthUnhealthyDraining
		out[i].Stale = unsure || old && awaited
		if g.blurred() && t.LastWrite.IsZero() {
			out[i].ReadAt = time.Time{} // for all that is known it has been deregistered
		}
	}
	return out
}

// access is that of the oldest order; callers hold mu.
func (g *group) access() *aws.Access {
	for _, bd := range g.sorted() {
		return bd.order.Access
	}
	return nil
}

func (g *group) readOnce(ctx context.Context, access *aws.Access) {
	began := time.Now()
	read, err := describe(ctx, access, g.key.arn)
	now := time.Now()

	g.mu.Lock()
	if ctx.Err() != nil {
		g.mu.Unlock() // it was given up, or the group was
		return
	}
	g.read.inFlight, g.read.ended = false, now
	switch {
	case err == nil:
		g.read.succeeded(began, now, g.targets.merge(read, began, now))
		g.goneSince = time.Time{}
		g.spans.read(g.targets, began, now, g.b.measured.healthy.WithLabelValues(g.key.account, g.key.region), g.b.measured.gone.WithLabelValues(g.key.account, g.key.region))
	case aws.IsNotFound(err, "TargetGroupNotFound"):
		g.gone(now)
		g.read.failed(err, now)
		g.read.retryAt = now.Add(readGone)
	default:
		g.read.failed(err, now)
	}
	g.regate(now)
	g.mu.Unlock()
	g.askForRead() // the group's goroutine may be busy with a call
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

			shifted: shifted(d.AdministrativeOverride),
		})
	}
	return read, nil
}

// shifted says that a zonal shift keeps traffic from a target, by the load balancer
// or by DNS alone.
func shifted(o *types.AdministrativeOverride) bool {
	return o != nil && (o.State == types.TargetAdministrativeOverrideStateEnumZonalShiftActive ||
		o.State == types.TargetAdministrativeOverrideStateEnumZonalShiftDelegatedToDns)
}

// gone notes that AWS says that the group does not exist; callers hold mu.
func (g *group) gone(now time.Time) {
	if g.goneSince.IsZero() {
		g.goneSince = now
	}
}
