// Package binder is the engine of TargetGroupBindings: orders and Kubernetes
// changes go in, RegisterTargets and DeregisterTargets calls and snapshots come
// out.
//
// Each target group has one goroutine of its own that plans (package targets),
// takes a token of the account's budget, plans again with what is known by then,
// and makes one call. Nothing else registers, deregisters or reads health. A
// call that hangs delays its own group and no other; no lock is held across one.
//
// The managed reconciler hands in orders and copies snapshots into status. It is
// asked for a reconcile when there is something new to tell.
package binder

import (
	"context"
	"sync"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// An Observer is what the engine needs of package clusters.
type Observer interface {
	Subscribe(id string, q clusters.Query, notify func())
	Unsubscribe(id string)
	View(id string, registered []targets.Key) targets.View
	CompleteSince(id string) time.Time
	ReadySince(id string, then time.Time) bool
	RanBackwards() time.Time
}

// Ref names a TargetGroupBinding.
type Ref struct {
	// Group is the API group, which tells the scope.
	Group           string
	Namespace, Name string
	UID             types.UID
}

// String is group and namespaced name, for logs and messages.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Name
	}
	return r.Namespace + "/" + r.Name
}

// An Order says what a binding wants. It is immutable: a change is a new order.
type Order struct {
	Binding    Ref
	Generation int64
	// Served says that status tells of this generation that it is Ready. A process that
	// has just begun goes on from there.
	Served bool
	// Created decides between two Exclusive bindings of a group: the older acts.
	Created time.Time
	// Access to the account and region of the group.
	Access *aws.Access
	Group  targets.Group
	// Provisional says that not all is known of the group yet: nothing is deregistered
	// until another order comes.
	Provisional bool
	// Drain is the group's deregistration delay.
	Drain time.Duration
	// Poll is the interval at which the group is read while it is quiet; 0 is the
	// Binder's. The shortest of a group's bindings decides.
	Poll time.Duration
	// Requested is a token; with another one the group is read again at once.
	Requested string
	Query     clusters.Query
	Policy    targets.Policy
	// Ports and OwnIPs are what status recorded so far.
	Ports  []int32
	OwnIPs map[targets.Key]bool
	// Claimed says that the group's tag TagExclusiveOwner names this binding, OwnedBy
	// is what it says if it names another one.
	Claimed bool
	OwnedBy string
	// Live is what was read with the order, so that the engine looks again when it
	// is another one than it last acted by.
	Live Live
}

// Live is what is read from the binding itself, from the informer, before every
// write: an order may be older than a pause or a deletion.
type Live struct {
	// Gone says that the object does not exist any more.
	Gone bool
	// NoRegister and NoDeregister say why that must not be done now; empty if it
	// may.
	NoRegister, NoDeregister string
	// Stopped is why it looks after the readiness gates of no pod; zero if it does.
	Stopped targets.Stop
	// Approved is the plan hash that annotation nlb.crossplane.io/approve names.
	Approved string
}

// Event is something to tell on the binding.
type Event struct {
	Warning         bool
	Reason, Message string
}

// Options of a Binder.
type Options struct {
	Clusters Observer
	// Live reads the binding from the informer.
	Live func(Ref) Live
	// Heir says that another binding which may want the targets of one that is being
	// deleted was just created, and is not among those that are known. Nil is never.
	Heir func(r Ref, known func(types.UID) bool) bool
	// Notify asks for a reconcile of the binding. It must not block.
	Notify func(Ref)
	// Event records an Event on the binding. It must not block.
	Event func(Ref, Event)
	// PodEvent records an Event on a pod; nil for none. It must not block.
	PodEvent func(targets.PodRef, Event)
	// Gates of pods; nil for none.
	Gates Gates
	// Poll is the interval at which a quiet group is read. Default 10 minutes.
	Poll time.Duration
	Log  logging.Logger
}

// A Binder keeps target groups in step with pods.
type Binder struct {
	o        Options
	brakes   *brakes
	measured histograms

	mu     sync.Mutex
	ctx    context.Context // of Start; nil before
	groups map[groupKey]*group
	// schedulers of health reads. They are few, and live as long as the Binder.
	schedulers map[*aws.Budget]*scheduler
	of         map[types.UID]*group
	running    sync.WaitGroup

	patches *patches
	keeper  *keeper
}

// groupKey is where a group is: a simulated AWS is a place of its own, as it is for the
// account's budget.
type groupKey struct{ endpoint, account, region, arn string }

// New returns a Binder that does nothing until it is started.
func New(o Options) *Binder {
	if o.Poll <= 0 {
		o.Poll = 10 * time.Minute
	}
	if o.Log == nil {
		o.Log = logging.NewNopLogger()
	}
	b := &Binder{o: o, brakes: newBrakes(), measured: newHistograms(), groups: map[groupKey]*group{}, schedulers: map[*aws.Budget]*scheduler{}, of: map[types.UID]*group{}}
	b.patches, b.keeper = newPatches(b), newKeeper(b)
	return b
}

// NeedLeaderElection is true: only one process may write.
func (b *Binder) NeedLeaderElection() bool { return true }

// Start runs the groups until ctx is done and returns when all have stopped.
func (b *Binder) Start(ctx context.Context) error {
	b.mu.Lock()
	b.ctx = ctx
	for _, s := range b.schedulers {
		b.goOn(s.run)
	}
	for _, g := range b.groups {
		b.run(g)
	}
	if b.o.Gates != nil {
		b.goOn(b.patches.run)
		b.goOn(b.keeper.run)
	}
	b.mu.Unlock()
	<-ctx.Done()
	b.running.Wait()
	return nil
}

// run starts a group's goroutine; callers hold mu.
func (b *Binder) run(g *group) {
	if b.ctx == nil || b.ctx.Err() != nil {
		return
	}
	g.ctx, g.stop = context.WithCancel(b.ctx)
	b.running.Go(func() { g.run(g.ctx) })
}

// goOn runs something until the Binder ends; callers hold mu.
func (b *Binder) goOn(run func(context.Context)) {
	if ctx := b.ctx; ctx != nil && ctx.Err() == nil {
		b.running.Go(func() { run(ctx) })
	}
}

// scheduler of an account and region, which have one budget; callers hold mu.
func (b *Binder) scheduler(budget *aws.Budget) *scheduler {
	s := b.schedulers[budget]
	if s == nil {
		s = newScheduler(budget)
		b.schedulers[budget] = s
		b.goOn(s.run)
	}
	return s
}

// Bind hands in an order. One that names another group than before moves the
// binding there; the targets that it had in the old group stay.
func (b *Binder) Bind(o Order) {
	key := groupKey{o.Access.Endpoint, o.Access.Account, o.Access.Region, o.Group.ARN}
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.of[o.Binding.UID]; old != nil && old.key != key {
		b.detach(old, o.Binding.UID)
	}
	g := b.groups[key]
	if g == nil {
		g = newGroup(b, key, b.scheduler(o.Access.Budget))
		b.groups[key] = g
		b.run(g)
	}
	b.of[o.Binding.UID] = g
	b.brakes.add(o.Binding.UID)
	if g.bind(o) {
		b.o.Clusters.Subscribe(string(o.Binding.UID), o.Query, g.poke)
		g.poke()
	}
}

// Release asks for the binding's targets to be deregistered. Snapshot says when
// AWS holds nothing of it any more. It is false if the binding is not known.
func (b *Binder) Release(uid types.UID) bool {
	b.mu.Lock()
	g := b.of[uid]
	b.mu.Unlock()
	if g == nil {
		return false
	}
	g.release(uid)
	return true
}

// Forget drops a binding and changes nothing in AWS: its object is gone.
func (b *Binder) Forget(uid types.UID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g := b.of[uid]; g != nil {
		b.detach(g, uid)
	}
}

// detach removes a binding from its group, and the group with its last binding;
// callers hold mu.
func (b *Binder) detach(g *group, uid types.UID) {
	delete(b.of, uid)
	b.brakes.remove(uid)
	b.o.Clusters.Unsubscribe(string(uid))
	if g.drop(uid) == 0 {
		delete(b.groups, g.key)
		g.scheduler.forget(g)
		if g.stop != nil {
			g.stop()
		}
		return
	}
	g.poke()
}

// Snapshot is what is known of the binding now; false if it has no order yet.
func (b *Binder) Snapshot(uid types.UID) (Snapshot, bool) {
	b.mu.Lock()
	g := b.of[uid]
	b.mu.Unlock()
	if g == nil {
		return Snapshot{}, false
	}
	return g.snapshot(uid)
}
