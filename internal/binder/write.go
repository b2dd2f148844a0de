package binder

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	// Between two tries of a call that failed, jittered.
	retryFirst = 250 * time.Millisecond
	retryLast  = 30 * time.Second
	// quotaAgain is when a registration that a quota refused is tried again.
	quotaAgain = time.Minute
)

// writeState is what is known of the group's writes.
type writeState struct {
	failures int
	retryAt  time.Time
	quotaAt  time.Time
	// room is how many registrations are asked for at a time since a quota refused
	// more; 0 is none.
	room int
	err  error
}

// notBefore is when the next write may be tried. A group that does not exist is
// only read from time to time.
func (g *group) notBefore() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.goneSince.IsZero() {
		return time.Now().Add(readGone)
	}
	return g.write.retryAt
}

func (w *writeState) quotaFull(now time.Time) bool {
	return !w.quotaAt.IsZero() && now.Sub(w.quotaAt) < quotaAgain
}

func (w *writeState) succeeded() {
	w.failures, w.retryAt = 0, time.Time{}
	w.err = nil
}

func (w *writeState) failed(err error, now time.Time) {
	w.err = err
	wait := min(retryFirst<<min(w.failures, 10), retryLast)
	w.failures++
	// Half of the wait is jitter, so that groups that failed together do not
	// come back together.
	w.retryAt = now.Add(wait/2 + rand.N(wait/2+1))
}

// An operation is one call: targets of one binding to register or deregister.
// order is the binding's as of then: it can change while the call is made.
type operation struct {
	register bool
	binding  *binding
	order    Order
	changes  []targets.Change
}

func (o operation) empty() bool { return len(o.changes) == 0 }

func (o operation) keys() []targets.Key {
	keys := make([]targets.Key, len(o.changes))
	for i, c := range o.changes {
		keys[i] = c.Key
	}
	return keys
}

// choose picks the next call: registrations of any binding come before
// deregistrations, unless a quota is exhausted. Callers hold mu.
func (g *group) choose(all []*binding) operation {
	pick := func(register bool) operation {
		for _, bd := range all {
			changes := bd.plan.Deregister
			if register {
				changes = bd.writable(bd.plan.Register)
			}
			if len(changes) > 0 {
				return operation{register, bd, bd.order, slices.Clone(changes[:min(len(changes), chunk)])}
			}
		}
		return operation{}
	}
	first := true
	for _, bd := range all {
		if bd.plan.DeregisterFirst {
			first = false
		}
	}
	if op := pick(first); !op.empty() {
		return op
	}
	return pick(!first)
}

// writable are the registrations that may be made. An ip target must stand in
// status before it is registered: after a crash nothing else would tell that it
// is ours.
func (bd *binding) writable(changes []targets.Change) []targets.Change {
	if bd.order.Group.Type != targets.TypeIP {
		return changes
	}
	var out []targets.Change
	for _, c := range changes {
		if bd.order.OwnIPs[c.Key] {
			out = append(out, c)
		}
	}
	return out
}

// carryOut takes a token and then makes the one call that is right by then.
func (g *group) carryOut(ctx context.Context) {
	g.mu.Lock()
	all := g.sorted()
	op := g.choose(all)
	g.mu.Unlock()
	if op.empty() {
		return
	}
	access, priority := op.order.Access, aws.PriorityDeregister
	if op.register {
		priority = aws.PriorityRegister
	}
	if err := access.Budget.Acquire(ctx, aws.Registration, priority); err != nil {
		return // the context is done
	}
	// What has changed while waiting for the token is in this call, or makes it
	// needless.
	op, _ = g.plan(time.Now())
	if op.empty() {
		access.Budget.Return(aws.Registration)
		return
	}
	g.call(aws.Prepaid(ctx), op)
}

// call makes the call and notes what came of it.
func (g *group) call(ctx context.Context, op operation) {
	requestID, err := send(ctx, op, g.key.arn)
	now := time.Now()
	g.mu.Lock()
	keys := op.keys()
	if err == nil {
		g.spans.wrote(op.register, keys, g.targets, now)
	}
	switch class := aws.Classify(err); {
	case err == nil && op.register:
		g.targets.wroteRegistered(keys, now)
		g.write.succeeded()
	case err == nil:
		g.targets.wroteDeregistered(keys, now, op.order.Drain)
		g.write.succeeded()
		g.write.quotaAt = time.Time{} // there is room again
	case op.register && (aws.Code(err) == "InvalidTarget" || class == aws.ClassTerminal):
		g.mu.Unlock()
		g.audit(op, requestID, err)
		g.refuse(ctx, op, err)
		return
	case class == aws.ClassQuota:
		// Some of it may fit: half as much is tried at once, then half of that.
		g.write.quotaAt, g.write.room = now, len(op.changes)/2
		if g.write.err = err; g.write.room == 0 {
			g.write.failed(err, now)
		}
	case aws.IsNotFound(err, "TargetGroupNotFound"):
		g.gone(now)
	case class == aws.ClassTransient || class == aws.ClassUnknown:
		// Nobody knows whether it took effect.
		g.targets.doubted(keys, now, op.register)
		g.write.failed(err, now)
	default: // refused for certain: throttled, denied
		g.write.failed(err, now)
	}
	g.mu.Unlock()
	g.audit(op, requestID, err)
}

// refuse sets aside the targets that AWS refuses, so that the others are
// registered in the same round. When AWS's message names none of them, they are
// found by halving.
func (g *group) refuse(ctx context.Context, op operation, err error) {
	bad := refusedOf(op, aws.InvalidTargetIDs(err))
	if len(bad) == 0 && len(op.changes) > 1 {
		half := len(op.changes) / 2
		for _, part := range [][]targets.Change{op.changes[:half], op.changes[half:]} {
			g.call(ctx, operation{op.register, op.binding, op.order, part})
		}
		return
	}
	if len(bad) == 0 {
		bad = op.keys()
	}
	g.mu.Lock()
	g.targets.refused(bad, time.Now(), aws.Describe(err))
	g.mu.Unlock()
}

func refusedOf(op operation, ids []string) []targets.Key {
	var bad []targets.Key
	for _, c := range op.changes {
		if slices.Contains(ids, c.ID) {
			bad = append(bad, c.Key)
		}
	}
	return bad
}
