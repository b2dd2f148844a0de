package binder

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// Gates is what the engine needs to look after pods' readiness gates.
type Gates interface {
	// PendingGates returns the pods that have a gate which is not True, but for
	// those that end. It must be cheap.
	PendingGates() []targets.Pod
	// WatchGates streams pods from now on, and calls notify after each change of
	// what PendingGates returns. notify does not block.
	WatchGates(notify func())
	// HasPod says whether a pod still exists.
	HasPod(pod targets.PodRef) bool
	// SetGate writes a gate's condition, for the pod of that UID only. It returns
	// ErrPodGone if there is none.
	SetGate(ctx context.Context, pod targets.PodRef, binding string, v targets.GateVerdict) error
	// Bindings says whether there are any bindings.
	Bindings() bool
	// Named is the binding that a gate of a pod in the namespace names; false if
	// there is none.
	Named(namespace, name string) (Named, bool)
	// PodEvent records an Event on a pod. It must not block.
	PodEvent(pod targets.PodRef, e Event)
}

// Named is a binding that a gate names, as it is now.
type Named struct {
	UID types.UID
	// Stopped is why it looks after no pod; zero if it does.
	Stopped targets.Stop
}

// gateWatch is what is known of the gates that name one binding, from plan to plan.
type gateWatch struct {
	// seen are the pods that match and whose gate is not True, by UID.
	seen map[string]gateSeen
	// awaits: some gate waits for an answer of AWS. due is when it should be asked
	// because of them; zero if other wishes will do.
	awaits bool
	due    time.Time
	// waiting gates, and since when the oldest has.
	waiting int
	oldest  time.Time
}

type gateSeen struct {
	// readySince is the pod's own time, which tells one readiness from the next.
	readySince time.Time
	// readyAt is when it was seen here: what a later read says, it says of the pod
	// that is ready. Node clocks may differ from ours.
	readyAt time.Time
}

// gate decides the gates of the pods that match a binding, hands what is to be said
// to the patches, and returns when time alone would change that. It makes no call.
// Callers hold mu.
func (g *group) gate(bd *binding, in targets.Input, now time.Time) time.Time {
	never := now.Add(idle)
	if g.b.o.Gates == nil {
		return never
	}
	gating := targets.Gating{Stopped: bd.stopped(), Of: map[string]targets.Gated{}, Obstacle: g.obstacle()}
	if g.read.err != nil {
		gating.UnreadableSince = g.read.errSince
	}
	named := sync.OnceValue(func() bool { return g.named(bd) })
	pods := map[string]targets.PodRef{}
	seen := map[string]gateSeen{}
	for _, pod := range in.View.Pods {
		gate, pending := g.b.patches.pending(pod, bd.order.Binding.Name)
		if !pending || bd.live.Gone || !named() {
			continue
		}
		s, known := bd.gates.seen[pod.UID]
		if !known || !s.readySince.Equal(pod.ReadySince) || !pod.ContainersReady {
			s = gateSeen{readySince: pod.ReadySince}
		}
		if pod.ContainersReady && s.readyAt.IsZero() {
			s.readyAt = now
		}
		seen[pod.UID], pods[pod.UID] = s, pod.PodRef
		gating.Of[pod.UID] = targets.Gated{Gate: gate, ReadyAt: s.readyAt}
	}
	bd.gates = gateWatch{seen: seen}
	next := never
	for uid, v := range targets.DecideGates(in, bd.plan, gating) {
		next = earliest(next, v.Next)
		g.await(&bd.gates, seen[uid], v, now)
		if v.Status != targets.GateUnset {
			g.b.patches.want(patch{pod: pods[uid], name: bd.order.Binding.Name, binding: bd.order.Binding.UID, verdict: v})
		}
	}
	return next
}

// stopped is why the binding looks after no pod; nil if it does.
func (bd *binding) stopped() *targets.Stop {
	if s := stop(bd.live.Stopped); s != nil || !bd.releasing {
		return s
	}
	return &stoppedByDeletion
}

var stoppedByDeletion = targets.Stop{Rule: targets.RuleGateDeleting, Reason: "its TargetGroupBinding is being deleted"}

// named says that a gate with the binding's name means this one, in the one namespace
// that it selects in: the namespaced binding comes first.
func (g *group) named(bd *binding) bool {
	if bd.order.Binding.Namespace != "" {
		return true
	}
	named, found := g.b.o.Gates.Named(bd.order.Query.Namespace, bd.order.Binding.Name)
	return found && named.UID == bd.order.Binding.UID
}

// await notes what a gate waits for.
func (g *group) await(w *gateWatch, s gateSeen, v targets.GateVerdict, now time.Time) {
	if v.Status != targets.GateTrue && !s.readyAt.IsZero() {
		w.waiting++
		if w.oldest.IsZero() || s.readyAt.Before(w.oldest) {
			w.oldest = s.readyAt
		}
	}
	if v.Awaits == targets.AwaitsNothing {
		return
	}
	w.awaits = true
	if v.Awaits == targets.AwaitsRead {
		// At once; or, if a read has just told nothing, at the pace of one that waits.
		due := now
		if again := g.read.ended.Add(wishChecking); g.read.ended.After(s.readyAt) && again.After(due) {
			due = again
			if sure := g.born.Add(readLag + time.Second); sure.After(due) {
				due = sure
			}
		}
		if w.due.IsZero() || due.Before(w.due) {
			w.due = due
		}
	}
}

// gateWish makes a wish to read that of gates, if some wait; callers hold mu.
func (g *group) gateWish(w wish) wish {
	for _, bd := range g.bindings {
		if !bd.gates.awaits {
			continue
		}
		if w.urgency == urgencyAwaited {
			w.urgency = urgencyGate
		}
		if due := bd.gates.due; !due.IsZero() && g.read.err == nil {
			w.urgency = urgencyGate
			if due.Before(w.due) {
				w.due = due
			}
		}
	}
	return w
}

// regate decides gates again after a read: the group's goroutine may be busy with a
// call. Callers hold mu.
func (g *group) regate(now time.Time) {
	for _, bd := range g.bindings {
		if bd.planned && bd.gates.awaits {
			g.gate(bd, g.input(bd, now), now)
		}
	}
}

// obstacle is why AWS takes no registrations; callers hold mu.
func (g *group) obstacle() string {
	switch {
	case !g.goneSince.IsZero():
		return "the target group does not exist in AWS"
	case g.write.err != nil:
		return aws.Describe(g.write.err)
	}
	return ""
}

// looksAfter says whether the binding has planned, and whether its plan saw the pod
// among those that it selects.
func (b *Binder) looksAfter(uid types.UID, pod string) (works, selects bool) {
	b.mu.Lock()
	g := b.of[uid]
	b.mu.Unlock()
	if g == nil {
		return false, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	bd := g.bindings[uid]
	if bd == nil || !bd.planned {
		return false, false
	}
	_, selects = bd.gates.seen[pod]
	return true, selects
}

// gatesWaiting are the gates of ready pods that wait, and since when the oldest has.
func (bd *binding) gatesWaiting() (n int, oldest time.Time) {
	return bd.gates.waiting, bd.gates.oldest
}
