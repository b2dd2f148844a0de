package controller

import (
	"context"
	"fmt"
	"sync"
	"time"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// attention is for how long a worker stays with a reconcile. One that takes longer waits
// for AWS, and goes on without it.
const attention = 500 * time.Millisecond

// A lane is what may hang together: a region, as a provider configuration reaches it.
type lane struct {
	config configKey
	region string
}

// lanes keep the workers of a kind for those that do not wait: a reconcile that takes
// long goes on by itself, and when as many as there are workers are under way in a lane,
// the others of that lane wait their turn, without a worker. So an account that hangs, or
// whose tokens are used up, delays nobody else, and has no more calls under way than if
// it were alone. Nothing runs while there is nothing to do.
//
// No object is reconciled twice at a time.
type lanes struct {
	inner  reconcile.Reconciler
	laneOf func(context.Context, reconcile.Request) lane
	// most reconciles under way in a lane.
	most int

	mu     sync.Mutex
	queue  workqueue.TypedRateLimitingInterface[reconcile.Request]
	visits map[reconcile.Request]*visit
	// busy is how many reconciles are under way, or are about to be, and waiting are
	// those that come next, by lane.
	busy    map[lane]int
	waiting map[lane][]reconcile.Request
	// alone counts the reconciles that go on without a worker. After closed there are
	// no new ones.
	alone  sync.WaitGroup
	closed bool
}

// A visit is an object that is being reconciled, or is to be.
type visit struct {
	lane lane
	// admitted: it waits no more, and a worker will come; running: one has come.
	admitted, running bool
	// alone: the worker has left it; again: something happened meanwhile.
	alone, again bool

	// done is closed when it has ended, with result and err.
	done   chan struct{}
	result reconcile.Result
	err    error
}

func newLanes(inner reconcile.Reconciler, most int, of func(context.Context, reconcile.Request) lane) *lanes {
	return &lanes{
		inner: inner, laneOf: of, most: most,
		visits: map[reconcile.Request]*visit{}, busy: map[lane]int{}, waiting: map[lane][]reconcile.Request{},
	}
}

// lane of an object; that of nobody if it is gone, or names no configuration: there is
// little to wait for then.
func (k Kind[I]) lane(mgr ctrl.Manager) func(context.Context, reconcile.Request) lane {
	return func(ctx context.Context, req reconcile.Request) lane {
		o := k.object(mgr)
		if err := mgr.GetClient().Get(ctx, req.NamespacedName, o); err != nil {
			return lane{}
		}

		mg, ok := o.(I)
		if !ok {
			return lane{}
		}

		config, err := keyOf(mg)
		if err != nil {
			return lane{}
		}

		in := lane{config: config}
		if k.Region != nil {
			in.region = k.Region(mg)
		}

		return in
	}
}

// source is told the queue.
func (l *lanes) source(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.queue = q

	return nil
}

// Start waits for the reconciles without a worker when everything ends, as the controller
// does for its workers.
func (l *lanes) Start(ctx context.Context) error {
	<-ctx.Done()

	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()

	l.alone.Wait()

	return nil
}

// visiting says that an object waits or is being reconciled.
func (l *lanes) visiting(req reconcile.Request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.visits[req] != nil
}

// Reconcile with the attention of a worker.
func (l *lanes) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	v := l.enter(req, l.laneOf(ctx, req))
	if v == nil {
		return reconcile.Result{}, nil
	}

	go l.run(ctx, req, v)

	timer := time.NewTimer(attention)
	defer timer.Stop()

	select {
	case <-v.done:
	case <-timer.C:
		if l.leave(v) {
			return reconcile.Result{}, nil
		}

		<-v.done
	}

	return v.result, v.err
}

// enter returns the visit that begins now; nil if it has to wait, or has begun before.
func (l *lanes) enter(req reconcile.Request, in lane) *visit {
	l.mu.Lock()
	defer l.mu.Unlock()

	v := l.visits[req]

	switch {
	case v == nil:
		v = &visit{lane: in}
		l.visits[req] = v

		if l.busy[in] >= l.most {
			l.waiting[in] = append(l.waiting[in], req)

			return nil
		}

		l.busy[in]++
	case v.running:
		v.again = true

		return nil
	case !v.admitted:
		return nil
	}

	v.running, v.done = true, make(chan struct{})

	return v
}

// leave a visit alone; false if its worker has to stay, since it has just ended or
// everything ends.
func (l *lanes) leave(v *visit) bool {
	l.mu.Lock()
	defer l.mu.Unlock()

	select {
	case <-v.done:
		return false
	default:
	}

	if l.closed {
		return false
	}

	v.alone = true
	l.alone.Add(1)

	return true
}

func (l *lanes) run(ctx context.Context, req reconcile.Request, v *visit) {
	v.result, v.err = l.recovered(ctx, req)
	next, queue := l.end(req, v)

	if next != nil {
		queue.Add(*next)
	}

	if !v.alone {
		return
	}

	defer l.alone.Done()

	// What the controller does with what a worker returns.
	switch {
	case v.err != nil, v.result.Requeue: //nolint:staticcheck // The runtime still asks for it.
		queue.AddRateLimited(req)
	case v.result.RequeueAfter > 0:
		queue.Forget(req)
		queue.AddAfter(req, v.result.RequeueAfter)
	default:
		queue.Forget(req)
	}

	if v.again {
		queue.Add(req)
	}
}

// end a visit. It returns who comes next in its lane, who must be queued; nil if nobody
// waits.
func (l *lanes) end(req reconcile.Request, v *visit) (*reconcile.Request, workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	l.mu.Lock()
	defer l.mu.Unlock()

	delete(l.visits, req)
	close(v.done)

	waiting := l.waiting[v.lane]
	if len(waiting) > 0 {
		l.waiting[v.lane] = waiting[1:]
		l.visits[waiting[0]].admitted = true

		return &waiting[0], l.queue
	}

	delete(l.waiting, v.lane)

	if l.busy[v.lane]--; l.busy[v.lane] == 0 {
		delete(l.busy, v.lane)
	}

	return nil, l.queue
}

// recovered is the inner Reconcile, whose panic is an error, as it is to a controller.
func (l *lanes) recovered(ctx context.Context, req reconcile.Request) (result reconcile.Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			for _, fn := range utilruntime.PanicHandlers {
				fn(ctx, r)
			}

			err = fmt.Errorf("panic: %v [recovered]", r)
		}
	}()

	return l.inner.Reconcile(ctx, req)
}
