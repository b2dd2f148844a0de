package binder

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	// settleAfter is how long a binding's views must have been complete before
	// it may deregister, after a start or a broken watch.
	settleAfter = 10 * time.Second
	// notifyEvery limits how often changes that are not urgent are told.
	notifyEvery = 10 * time.Second
	// chunk is the most targets that one call names. AWS documents no limit, but
	// rejects large batches at times (kubernetes#101592).
	chunk = 100
	// portsKept bounds the host ports that a binding remembers (status.ports).
	portsKept = 16
)

// A group is one target group and the bindings that want targets in it.
type group struct {
	b         *Binder
	key       groupKey
	scheduler *scheduler
	wake      chan struct{}
	// born is when this process first knew of it.
	born time.Time
	// ctx is that of its goroutine and its reads; nil before the Binder is started.
	ctx  context.Context
	stop context.CancelFunc

	// mu guards everything below. It is never held across a call.
	mu       sync.Mutex
	bindings map[types.UID]*binding
	targets  states
	spans    spans
	read     readState
	write    writeState
	// goneSince is since when AWS has said that the group does not exist; zero if
	// it does.
	goneSince time.Time
}

// A binding is one TargetGroupBinding in a group.
type binding struct {
	order     Order
	releasing bool
	// born is when its first order came, by the clock of this process.
	born    time.Time
	memory  targets.Memory
	plan    targets.Plan
	planned bool
	// live is what was read of the binding itself for the last plan, and unproven
	// are the removals without evidence that it had.
	live     Live
	unproven []targets.Key

	// ports that it has used, the latest last.
	ports []int32

	gates gateWatch

	// yields to an older Exclusive binding of the group; nil if it need not.
	yields *binding

	// done is the last generation whose wanted targets were all registered once.
	done         int64
	missingSince time.Time

	// health is what is remembered of the targets' health; unready are the pods that
	// are not ready, by UID, and askRead is when a read is wanted to know whether AWS
	// sees that; zero if it is not.
	health  healthMemory
	unready map[string]unreadyPod
	askRead time.Time

	// warned is the last refusal that was told; zero if the last call was none.
	warned Event

	snap       Snapshot
	notifiedAt time.Time
	dirty      bool
}

func newGroup(b *Binder, key groupKey, s *scheduler) *group {
	return &group{
		b: b, key: key, scheduler: s, wake: make(chan struct{}, 1), born: time.Now(),
		bindings: map[types.UID]*binding{}, targets: states{}, spans: newSpans(),
	}
}

// poke makes the group look again. It never blocks, and many pokes are one.
func (g *group) poke() { poke(g.wake) }

// bind takes in an order and says whether it changes anything.
func (g *group) bind(o Order) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	bd := g.bindings[o.Binding.UID]
	if bd == nil {
		bd = &binding{ports: slices.Clone(o.Ports), done: -1, born: time.Now()}
		if o.Served {
			bd.done = o.Generation
		}
		g.bindings[o.Binding.UID] = bd
	} else if bd.order.Requested != o.Requested {
		g.read.againAt = time.Now()
	}
	changed := !sameOrder(bd.order, o) || bd.live != o.Live
	if bd.order.Generation != o.Generation {
		bd.memory.Takeover.Left = nil // the user has seen to it: the takeover may be tried again
	}
	bd.order = o
	return changed
}

// sameOrder compares what can change the engine's doings.
func sameOrder(a, b Order) bool {
	return a.Binding == b.Binding && a.Generation == b.Generation && a.Access == b.Access &&
		a.Claimed == b.Claimed && a.OwnedBy == b.OwnedBy && a.Group == b.Group && a.Provisional == b.Provisional &&
		a.Drain == b.Drain && a.Poll == b.Poll && a.Requested == b.Requested && a.Policy == b.Policy &&
		a.Query.String() == b.Query.String() && maps.Equal(a.OwnIPs, b.OwnIPs)
}

func (g *group) release(uid types.UID) {
	g.mu.Lock()
	if bd := g.bindings[uid]; bd != nil {
		bd.releasing = true
	}
	g.mu.Unlock()
	g.poke()
}

// drop removes a binding and says how many are left.
func (g *group) drop(uid types.UID) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.bindings, uid)
	return len(g.bindings)
}

func (g *group) snapshot(uid types.UID) (Snapshot, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	bd := g.bindings[uid]
	if bd == nil || !bd.planned {
		return Snapshot{}, false
	}
	return bd.snap, true
}

// run is the group's life.
func (g *group) run(ctx context.Context) { each(ctx, g.wake, g.step) }

// step does all that can be done now and returns when to look again at the
// latest.
func (g *group) step(ctx context.Context) time.Time {
	for ctx.Err() == nil {
		if g.askForRead() {
			return time.Now().Add(idle) // the first read wakes the group
		}
		op, next := g.plan(time.Now())
		g.askForRead() // what the plan or a gate waits for may be AWS's word
		if op.empty() {
			return next
		}
		if wait := g.notBefore(); time.Now().Before(wait) {
			return earliest(next, wait)
		}
		g.carryOut(ctx)
	}
	return time.Now()
}

// plan plans for every binding of the group, keeps the snapshots, and returns
// the one call to make now and when time alone would change the plan.
func (g *group) plan(now time.Time) (operation, time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := now.Add(idle)
	if g.b.brakes.restoredAt(g.b.o.Clusters.RanBackwards()) {
		g.b.braked("a resourceVersion ran backwards")
	}
	all := g.sorted()
	owner := g.exclusive(all)
	for _, bd := range all {
		if !bd.planned {
			// What a new binding wants must be known before another one of the
			// group lets go of it.
			g.planOne(bd, owner, now)
		}
	}
	for again := true; again; {
		again = false
		for _, bd := range all {
			next = earliest(next, g.planOne(bd, owner, now))
			again = g.brake(bd, now) || again
		}
	}
	return g.choose(all), next
}

// planOne plans for one binding and returns when time alone would change that.
func (g *group) planOne(bd, owner *binding, now time.Time) time.Time {
	in := g.input(bd, now)
	heir := g.awaitHeir(bd, &in, now)
	var shares bool
	if bd.yields, shares = bd.mayNotOwn(owner); shares {
		in.Policy.Ownership = targets.OwnershipShared
	}
	bd.plan = targets.NewPlan(in)
	bd.memory, bd.planned = bd.plan.Memory, true
	bd.remember(in.View.Selection)
	next := earliest(g.publish(bd, in, now), bd.plan.Next)
	_, released := g.b.brakes.now(now)
	next = earliest(earliest(next, released), heir)
	next = earliest(next, g.gate(bd, in, now))
	since := g.b.o.Clusters.CompleteSince(string(bd.order.Binding.UID))
	if trusted := since.Add(settleAfter); !since.IsZero() && trusted.After(now) {
		next = earliest(next, trusted)
	}
	return next
}

// sorted are the bindings, the oldest first.
func (g *group) sorted() []*binding {
	all := slices.Collect(maps.Values(g.bindings))
	slices.SortFunc(all, func(a, b *binding) int {
		if c := a.order.Created.Compare(b.order.Created); c != 0 {
			return c
		}
		return compare(a.order.Binding.UID, b.order.Binding.UID)
	})
	return all
}

func ownership(o Order) targets.Ownership {
	if o.Policy.Ownership == targets.OwnershipDefault && o.Group.Ours {
		return targets.OwnershipExclusive
	}
	return o.Policy.Ownership
}

// exclusive is the binding that acts as the group's only owner: the oldest of
// those that are Exclusive.
func (g *group) exclusive(all []*binding) *binding {
	for _, bd := range all {
		if ownership(bd.order) == targets.OwnershipExclusive && !bd.releasing {
			return bd
		}
	}
	return nil
}

// input gathers what a binding's plan is made of.
func (g *group) input(bd *binding, now time.Time) targets.Input {
	o := bd.order
	id := string(o.Binding.UID)
	view := g.b.o.Clusters.View(id, g.targets.registered())
	since := g.b.o.Clusters.CompleteSince(id)
	in := targets.Input{
		Now: now, Group: o.Group, Policy: o.Policy.WithDefaults(), View: view, Targets: g.known(now),
		Unread:    o.Provisional || g.read.done.IsZero() || since.IsZero() || g.unsettled(since, now),
		UsedPorts: bd.ports, OwnIPs: o.OwnIPs,
		QuotaFull: g.write.quotaFull(now), QuotaRoom: g.write.room,
		Claimed: o.Claimed, Releasing: bd.releasing, Memory: bd.memory,
	}
	g.siblings(bd, &in)
	live := g.b.o.Live(o.Binding)
	bd.live, in.Policy.Approved = live, live.Approved
	if live.NoRegister != "" {
		in.Policy.NoRegister = live.NoRegister
	}
	if live.NoDeregister != "" {
		in.Policy.NoDeregister = live.NoDeregister
	}
	if live.Gone {
		in.Policy.NoRegister, in.Policy.NoDeregister = "the binding is gone", "the binding is gone"
	}
	if brake, _ := g.b.brakes.now(now); brake.Message != "" && in.Policy.NoDeregister == "" {
		in.Policy.NoDeregister = brake.Message
	}
	return in
}

// unsettled says that the view has been complete only since the process started
// or a watch broke, and not for long enough to trust an absence in it. A release
// waits for it too: what a sibling wants must be known first.
func (g *group) unsettled(since, now time.Time) bool { return now.Sub(since) < settleAfter }

// remember keeps the ports that the binding uses. What it wants now counts, and
// so does a port that is selected by number while no pod is there.
func (bd *binding) remember(s targets.Selection) {
	used := make([]int32, 0, 2)
	if s.Port != 0 {
		used = append(used, s.Port)
	}
	for _, k := range bd.plan.Wanted {
		if !slices.Contains(used, k.Port) {
			used = append(used, k.Port)
		}
	}
	for _, p := range used {
		if !slices.Contains(bd.ports, p) {
			bd.ports = append(bd.ports, p)
		}
	}
	if extra := len(bd.ports) - portsKept; extra > 0 {
		bd.ports = slices.Clone(bd.ports[extra:])
	}
}

func earliest(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

func compare[T ~string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
