package histories

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	endpoint = "http://aws.test"
	// statusTakes is how long a reconcile takes to write status.
	statusTakes = 30 * time.Millisecond
	// reconciled is how often a binding is reconciled if nobody asks.
	reconciled = 10 * time.Minute
)

// process is the provider's process, as far as bindings go: the engine, what it
// sees of Kubernetes, and the managed reconciler, which carries orders one way and
// snapshots the other. Only status survives it.
type process struct {
	w       *world
	ctx     context.Context
	stop    context.CancelFunc
	pool    *aws.Pool
	cluster *clusters.Cluster
	engine  *binder.Binder
	running sync.WaitGroup
	began   time.Time

	mu    sync.Mutex
	queue []types.UID
	wake  chan struct{}
}

// start a new process; callers hold no lock.
func (w *world) start() {
	cluster, err := clusters.New(clusters.Options{Config: w.api.config(), PermissionsFile: "rbac.yaml"})
	if err != nil {
		w.t.Fatal(err)
	}
	p := &process{w: w, cluster: cluster, wake: make(chan struct{}, 1), began: time.Now()}
	p.pool = aws.NewPool(aws.PoolOptions{HTTP: w.sim, UserAgent: "histories"})
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.engine = binder.New(binder.Options{
		Clusters: cluster, Live: p.live,
		Notify: func(r binder.Ref) { p.enqueue(r.UID) },
		Event: func(_ binder.Ref, e binder.Event) {
			w.hearing.Lock()
			defer w.hearing.Unlock()
			w.heard = append(w.heard, time.Now().Format(time.TimeOnly)+" "+e.Reason+": "+e.Message)
		},
		Gates: gates{cluster, w},
	})
	p.running.Go(func() { _ = cluster.Start(p.ctx) })
	p.running.Go(func() { _ = p.engine.Start(p.ctx) })
	p.running.Go(p.reconcile)
	w.mu.Lock()
	w.process, w.restart = p, time.Time{}
	w.judges.newProcess()
	for _, b := range w.bindings {
		p.enqueue(b.uid)
	}
	w.mu.Unlock()
}

// kill ends the process as SIGKILL does: what it knew is lost, and what it asked of
// AWS may or may not have happened.
func (p *process) kill() {
	p.stop()
	p.running.Wait()
}

// killed replaces a process that was killed.
func (w *world) killed() {
	w.process.kill()
	w.start()
}

// live is what the informer says of a binding.
func (p *process) live(r binder.Ref) binder.Live {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	b := p.w.bindingOf(r.UID)
	switch {
	case b == nil || b.gone:
		return binder.Live{Gone: true}
	}
	live := binder.Live{Approved: b.approved, Stopped: b.stopped()}
	if b.deleted {
		live.NoRegister = "the binding is being deleted"
	}
	if !b.held.IsZero() {
		live.NoDeregister = "annotation nlb.crossplane.io/hold is true"
	}
	return live
}

func (w *world) bindingOf(uid types.UID) *binding {
	if i := slices.IndexFunc(w.bindings, func(b *binding) bool { return b.uid == uid }); i >= 0 {
		return w.bindings[i]
	}
	return nil
}

func (p *process) enqueue(uid types.UID) {
	p.mu.Lock()
	if !slices.Contains(p.queue, uid) {
		p.queue = append(p.queue, uid)
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *process) next() (types.UID, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return "", false
	}
	uid := p.queue[0]
	p.queue = p.queue[1:]
	return uid, true
}

// reconcile is the managed reconciler's loop.
func (p *process) reconcile() {
	again := time.NewTicker(reconciled)
	defer again.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.wake:
		case <-again.C:
			p.w.mu.Lock()
			for _, b := range p.w.bindings {
				p.enqueue(b.uid)
			}
			p.w.mu.Unlock()
		}
		for uid, ok := p.next(); ok && p.ctx.Err() == nil; uid, ok = p.next() {
			p.reconcileOne(uid)
		}
	}
}

// reconcileOne hands an order in and writes what the engine knows into status.
func (p *process) reconcileOne(uid types.UID) {
	p.w.mu.Lock()
	b := p.w.bindingOf(uid)
	deleted, gone := b.deleted, b.gone
	p.w.mu.Unlock()
	if gone {
		p.engine.Forget(uid)
		return
	}
	snap, known := p.engine.Snapshot(uid)
	if !deleted || !known {
		order, err := p.order(b)
		if err != nil {
			time.AfterFunc(time.Second, func() { p.enqueue(uid) })
			return
		}
		p.engine.Bind(order)
	}
	if deleted {
		p.engine.Release(uid)
	}
	if !known {
		return
	}
	select {
	case <-time.After(statusTakes):
	case <-p.ctx.Done():
		return
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if deleted && (snap.Released || snap.GroupGone) {
		b.gone = true
		p.enqueue(uid)
		return
	}
	owns := map[targets.Key]bool{}
	for _, k := range snap.OwnIPs {
		owns[k] = true
	}
	if !maps.Equal(owns, b.owns) {
		p.enqueue(uid)
	}
	b.ports, b.owns, b.conditions = slices.Clone(snap.Ports), owns, snap.Conditions
}

func (p *process) order(b *binding) (binder.Order, error) {
	p.w.mu.Lock()
	o := binder.Order{
		Binding:    binder.Ref{Group: "nlb.m.crossplane.io", Namespace: namespace, Name: b.name, UID: b.uid},
		Generation: b.generation, Created: b.created, Group: b.group, Drain: b.drain, Policy: b.policy,
		Query: clusters.Query{Namespace: namespace, Service: b.service, Port: intstr.FromInt32(443), GroupProtocol: b.group.Protocol},
		Poll:  b.poll, Ports: slices.Clone(b.ports), OwnIPs: maps.Clone(b.owns),
	}
	key, in := b.key, b.region
	p.w.mu.Unlock()
	o.Live = p.live(o.Binding)
	var err error
	o.Access, err = p.pool.Access(p.ctx, accessOf(key), in)
	return o, err
}

func accessOf(key awssim.AccessKey) aws.Config {
	return aws.Config{
		Credentials: aws.Credentials{Source: aws.SourceSecret, Static: aws.StaticCredentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret}},
		EndpointURL: endpoint,
	}
}
