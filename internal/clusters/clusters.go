// Package clusters observes Kubernetes for TargetGroupBindings: pods, nodes and
// Services go in, complete and immutable targets.Views come out, and a change
// wakes exactly the bindings that it can concern.
//
// Pods are streamed with the field selector spec.hostNetwork=true, so that the
// pods of the cluster that can never be a target cost nothing here. Objects are
// trimmed to what a plan needs before they are kept.
//
// What a change costs: a pod event is matched against the bindings of its own
// namespace, and looked up among those that have a target on its node; a node
// event walks the pods of that node. Neither depends on the number of pods or
// bindings elsewhere. See BenchmarkPodEvent.
package clusters

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
)

// Options of a Cluster.
type Options struct {
	// Config says how the API server is reached.
	Config *rest.Config
	// HostPorts streams all pods and also keeps those that have a hostPort. It
	// is the provider's host-port flag.
	HostPorts bool
	// PermissionsFile is the manifest that grants what is read here; messages
	// about a missing permission name it.
	PermissionsFile string
	// Log may be nil.
	Log logging.Logger
}

// A Cluster observes one Kubernetes cluster. Its reflectors start with the first
// subscription that needs them, so that a provider without bindings reads
// nothing and needs no permission for it.
type Cluster struct {
	api       rest.Interface
	hostPorts bool
	file      string
	log       logging.Logger

	pods, nodes, services *stream

	// mu guards everything below and inside the tables, streams and
	// subscriptions. It is never held over a network call or a callback.
	mu        sync.Mutex
	ctx       context.Context // of Start; nil before
	stopped   bool
	running   sync.WaitGroup
	backwards time.Time

	podTable     podTable
	nodeTable    nodeTable
	serviceTable map[objectKey]*service
	subs         subscriptions
	gates        gateWatch
}

// New returns a Cluster that reads nothing until it is started and subscribed to.
func New(o Options) (*Cluster, error) {
	api, err := newAPI(o.Config)
	if err != nil {
		return nil, err
	}
	return newCluster(o, api, sourcesOf(api, o.HostPorts)), nil
}

func newCluster(o Options, api rest.Interface, from sources) *Cluster {
	c := &Cluster{
		api:          api,
		hostPorts:    o.HostPorts,
		file:         o.PermissionsFile,
		log:          o.Log,
		podTable:     newPodTable(),
		nodeTable:    newNodeTable(),
		serviceTable: map[objectKey]*service{},
		subs:         newSubscriptions(),
		gates:        gateWatch{pending: map[objectKey]*pod{}},
	}
	if c.log == nil {
		c.log = logging.NewNopLogger()
	}
	c.pods = newStream(c, "pods", from.pods, feed[pod]{
		trim: c.trimPod, put: c.putPod, drop: c.dropPod, replace: c.replacePods,
	}, &corev1.Pod{})
	c.nodes = newStream(c, "nodes", from.nodes, feed[node]{
		trim: trimNode, put: c.putNode, drop: c.dropNode, replace: c.replaceNodes,
	}, &corev1.Node{})
	c.services = newStream(c, "services", from.services, feed[service]{
		trim: trimService, put: c.putService, drop: c.dropService, replace: c.replaceServices,
	}, &corev1.Service{})
	return c
}

// Start runs the reflectors that subscriptions ask for until ctx is done, and
// returns when all of them have ended. It waits for nothing at start: a missing
// permission must not keep a manager from starting.
func (c *Cluster) Start(ctx context.Context) error {
	c.mu.Lock()
	if c.ctx != nil {
		c.mu.Unlock()
		return errors.New("the observation of the cluster was started twice")
	}
	c.ctx = ctx
	for _, s := range c.streams() {
		c.run(s)
	}
	c.mu.Unlock()

	<-ctx.Done()

	c.mu.Lock()
	c.stopped = true
	for _, s := range c.streams() {
		s.stopTimer()
	}
	c.mu.Unlock()
	c.running.Wait()
	return nil
}

// NeedLeaderElection is false: nothing is read before a binding subscribes, which
// only the leader's do.
func (c *Cluster) NeedLeaderElection() bool { return false }

func (c *Cluster) streams() []*stream {
	return []*stream{c.nodes, c.pods, c.services}
}

// run starts a stream once it is wanted and the Cluster is started; callers hold mu.
func (c *Cluster) run(s *stream) {
	if !s.wanted || s.running || c.ctx == nil || c.stopped {
		return
	}
	s.running = true
	ctx := c.ctx
	c.running.Go(func() { s.run(ctx) })
}

// Subscribe observes what q selects for the binding id. notify is called after
// each change that can concern it: of a pod that matches or did, of its Service,
// of a node that has its pods or targets, of a pod that takes the port of one of
// its targets, and of the completeness of what it needs. It must not block and
// may be called from several goroutines, once more after Unsubscribe included.
//
// Subscribing again replaces the query and the callback; with an equal query
// nothing is forgotten.
func (c *Cluster) Subscribe(id string, q Query, notify func()) {
	c.change(func(t *touched) {
		sub := c.subs.byID[id]
		switch {
		case sub == nil:
			sub = newSubscription(id, q)
			c.subs.add(sub)
		case sub.query.String() != q.String():
			c.subs.remove(sub)
			sub.query = q
			sub.refused, sub.refusedOf = nil, 0
			c.subs.add(sub)
		default:
			sub.notify = notify
			return
		}
		sub.notify = notify
		sub.since = c.podTable.seq
		sub.found = resolve(q, c.serviceOf(q))
		c.rematch(sub)
		t.add(sub)
		for _, s := range c.needs(sub) {
			s.wanted = true
			c.run(s)
		}
	})
}

// Unsubscribe forgets the binding id.
func (c *Cluster) Unsubscribe(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sub := c.subs.byID[id]; sub != nil {
		c.subs.remove(sub)
		c.subs.setRegistered(sub, nil)
	}
}

// needs are the streams without which a view of sub is not complete. Services are
// read only for bindings that name one.
func (c *Cluster) needs(sub *subscription) []*stream {
	if sub.query.Service == "" {
		return []*stream{c.nodes, c.pods}
	}
	return []*stream{c.nodes, c.pods, c.services}
}

// CompleteSince is since when the binding's views have been complete without a
// break; zero if they are not.
func (c *Cluster) CompleteSince(id string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub := c.subs.byID[id]
	if sub == nil || c.incomplete(sub, time.Now()) != "" {
		return time.Time{}
	}
	var since time.Time
	for _, s := range c.needs(sub) {
		if s.upSince.After(since) {
			since = s.upSince
		}
	}
	return since
}

// RanBackwards is when a list last had a lower resourceVersion than what had been
// seen before it, as after etcd was restored from a backup; zero if never.
func (c *Cluster) RanBackwards() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backwards
}

// touched collects the subscriptions that a change concerns, each once.
type touched struct {
	subs []*subscription
	// also is called besides; nil for nobody.
	also func()
}

func (t *touched) add(sub *subscription) {
	if !sub.touched {
		sub.touched = true
		t.subs = append(t.subs, sub)
	}
}

// change applies f to the state and then, outside the lock, wakes whom it touched.
func (c *Cluster) change(f func(*touched)) {
	var t touched
	c.mu.Lock()
	f(&t)
	wake := make([]func(), 0, len(t.subs))
	for _, sub := range t.subs {
		sub.touched = false
		if sub.notify != nil {
			wake = append(wake, sub.notify)
		}
	}
	if t.also != nil {
		wake = append(wake, t.also)
	}
	c.mu.Unlock()
	for _, notify := range wake {
		notify()
	}
}
