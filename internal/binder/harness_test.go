package binder_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	region = "eu-west-1"
	vpc    = "vpc-0a1b2c3d"
	port   = 8443
	// patience is how long a test waits for what must come. It is no timing: a
	// test that passes never waits that long.
	patience = 30 * time.Second
)

// bench is a simulated AWS, a Kubernetes that the test writes by hand, and an
// engine between them.
type bench struct {
	t      *testing.T
	sim    *awssim.Sim
	access *aws.Access
	engine *binder.Binder
	world  *world
	// poll is the interval at which a quiet group is read.
	poll time.Duration
	log  logging.Logger
	// gates of pods; nil for none.
	gates *gates

	mu        sync.Mutex
	live      map[types.UID]binder.Live
	notified  map[types.UID]int
	events    []binder.Event
	podEvents []podEvent
	born      bool
	stop      func()
}

// heir says whether a binding was just created that the engine does not know.
func (b *bench) heir(born bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.born = born
}

func newBench(t *testing.T, o awssim.Options) *bench {
	t.Helper()
	sim := awssim.New(o)
	url, err := sim.Start()
	if err != nil {
		t.Fatal(err)
	}
	return benchAt(t, sim, url, aws.PoolOptions{UserAgent: "test"}, time.Minute)
}

// inBubble runs a test whose clock moves when nothing else does, with an AWS in
// memory.
func inBubble(t *testing.T, o awssim.Options, poll time.Duration, run func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := awssim.New(o)
		run(t, benchAt(t, sim, "http://aws.test", aws.PoolOptions{HTTP: sim}, poll))
	})
}

func benchAt(t *testing.T, sim *awssim.Sim, url string, o aws.PoolOptions, poll time.Duration) *bench {
	t.Helper()
	b := &bench{t: t, sim: sim, world: newWorld(), live: map[types.UID]binder.Live{}, notified: map[types.UID]int{}, poll: poll}
	t.Cleanup(b.sim.Close)
	b.access = accessAt(t, url, o)
	b.start()
	t.Cleanup(func() { b.stop() })
	return b
}

func accessAt(t *testing.T, url string, o aws.PoolOptions) *aws.Access {
	t.Helper()
	a, err := aws.NewPool(o).Access(context.Background(), aws.Config{
		Credentials: aws.Credentials{Source: aws.SourceSecret, Static: aws.StaticCredentials{
			AccessKeyID: awssim.DefaultKey.ID, SecretAccessKey: awssim.DefaultKey.Secret,
		}},
		EndpointURL: url,
	}, region)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// start runs a new engine, as a process that has just begun.
func (b *bench) start() {
	b.engine = binder.New(binder.Options{
		Clusters: b.world, Poll: b.poll, Log: b.log, Gates: b.gatesOrNone(),
		Live: func(r binder.Ref) binder.Live {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.live[r.UID]
		},
		Heir: func(binder.Ref, func(types.UID) bool) bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.born
		},
		Notify: func(r binder.Ref) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.notified[r.UID]++
		},
		Event: func(_ binder.Ref, e binder.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, e)
		},
		PodEvent: func(p targets.PodRef, e binder.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.podEvents = append(b.podEvents, podEvent{p.Name, e})
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.engine.Start(ctx)
	}()
	b.stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
}

// group seeds a target group whose listener makes targets healthy.
func (b *bench) group(name string) string {
	b.t.Helper()
	arn, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: region, Name: name, Protocol: "TCP", Port: port, VPC: vpc})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.sim.AttachListener(arn, awssim.Listener{Zones: []string{"eu-west-1a", "eu-west-1b"}}); err != nil {
		b.t.Fatal(err)
	}
	return arn
}

func instance(i int) string { return fmt.Sprintf("i-%017x", i) }

func zone(i int) string { return "eu-west-1" + string(rune('a'+i%2)) }

// nodes makes n nodes with running instances.
func (b *bench) nodes(n int) {
	for i := range n {
		b.sim.SeedInstance(awssim.Instance{ID: instance(i), Region: region, Zone: zone(i), VPC: vpc})
	}
	b.world.nodes(n)
}

func (b *bench) order(name, arn string) binder.Order {
	return binder.Order{
		Binding:    binder.Ref{Group: "nlb.m.crossplane.io", Namespace: "edge", Name: name, UID: types.UID(name)},
		Generation: 1, Access: b.access, Drain: time.Second,
		Group: targets.Group{ARN: arn, Protocol: "TCP", Type: targets.TypeInstance, Ours: true},
		Query: clusters.Query{Namespace: "edge", Service: name},
	}
}

// held are the registered targets that AWS has, draining ones left out.
func (b *bench) held(arn string) []string {
	var out []string
	for _, t := range b.sim.Targets(arn) {
		if t.State != "draining" {
			out = append(out, fmt.Sprintf("%s:%d", t.ID, t.Port))
		}
	}
	slices.Sort(out)
	return out
}

func want(nodes ...int) []string {
	var out []string
	for _, i := range nodes {
		out = append(out, fmt.Sprintf("%s:%d", instance(i), port))
	}
	slices.Sort(out)
	return out
}

// eventually waits until check says nothing any more.
func (b *bench) eventually(what string, check func() string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		problem := check()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: %s", what, problem)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (b *bench) holds(what, arn string, nodes ...int) {
	b.t.Helper()
	b.eventually(what, func() string { return cmp.Diff(want(nodes...), b.held(arn)) })
}

func (b *bench) ready(name string) {
	b.t.Helper()
	b.eventually(name+" is Ready", func() string {
		s, ok := b.engine.Snapshot(types.UID(name))
		if !ok || len(s.Conditions) == 0 {
			return "no snapshot"
		}
		if c := s.Conditions[0]; !c.Status {
			return c.Reason + ": " + c.Message
		}
		return ""
	})
}

// world is a Kubernetes that a test writes by hand.
type world struct {
	mu      sync.Mutex
	nodeSet *targets.Nodes
	pods    map[string][]targets.Pod
	problem string
	missing map[string]string
	// blind are what single bindings cannot see.
	blind map[string]string
	// deselected are UIDs of pods that are there and not selected, relisted targets
	// whose pods vanished; backwards is when a resourceVersion ran so.
	deselected map[string]map[string]bool
	relisted   map[string]map[targets.Key]bool
	backwards  time.Time
	complete   time.Time
	notify     map[string]func()
	// news are the bindings that have a pod which became ready just now.
	news map[string]bool
}

func newWorld() *world {
	return &world{
		pods: map[string][]targets.Pod{}, missing: map[string]string{}, blind: map[string]string{}, notify: map[string]func(){},
		deselected: map[string]map[string]bool{}, relisted: map[string]map[targets.Key]bool{}, news: map[string]bool{},
		complete: time.Now().Add(-time.Hour),
		nodeSet:  &targets.Nodes{ByName: map[string]*targets.Node{}, ByInstance: map[string]*targets.Node{}, ByAddress: map[string]*targets.Node{}},
	}
}

func (w *world) nodes(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	set := &targets.Nodes{ByName: map[string]*targets.Node{}, ByInstance: map[string]*targets.Node{}, ByAddress: map[string]*targets.Node{}}
	for i := range n {
		node := targets.Node{Name: fmt.Sprintf("node-%d", i), InstanceID: instance(i), Zone: zone(i), Ready: true}
		set.ByName[node.Name], set.ByInstance[node.InstanceID] = &node, &node
	}
	w.nodeSet = set
}

// run says on which nodes the binding's pods run.
func (w *world) run(id string, nodes ...int) {
	var pods []targets.Pod
	for _, i := range nodes {
		name := fmt.Sprintf("%s-%d", id, i)
		pods = append(pods, targets.Pod{
			PodRef: targets.PodRef{Namespace: "edge", Name: name, UID: name}, Node: fmt.Sprintf("node-%d", i),
			HostNetwork: true, Phase: "Running", ContainersReady: true,
		})
	}
	w.change(id, func() { w.pods[id] = pods })
}

func (w *world) change(id string, f func()) {
	w.mu.Lock()
	f()
	notify := w.notify[id]
	w.mu.Unlock()
	if notify != nil {
		notify()
	}
}

func (w *world) Subscribe(id string, _ clusters.Query, notify func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notify[id] = notify
}

func (w *world) Unsubscribe(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.notify, id)
}

func (w *world) View(id string, _ []targets.Key) targets.View {
	w.mu.Lock()
	defer w.mu.Unlock()
	return targets.View{
		Incomplete: w.problem + w.blind[id], Missing: w.missing[id], Selection: targets.Selection{Port: port},
		Pods: slices.Clone(w.pods[id]), Nodes: w.nodeSet,
		Deselected: maps.Clone(w.deselected[id]), Relisted: maps.Clone(w.relisted[id]),
	}
}

// ReadySince is true for the bindings that the test says have a new pod.
func (w *world) ReadySince(id string, _ time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.news[id]
}

// hasNews says whether a binding has a new pod.
func (w *world) hasNews(id string, news bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.news[id] = news
}

func (w *world) RanBackwards() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.backwards
}

func (w *world) CompleteSince(id string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.problem+w.blind[id] != "" {
		return time.Time{}
	}
	return w.complete
}
