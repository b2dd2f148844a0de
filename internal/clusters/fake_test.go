package clusters

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// A fakeResource is one resource of an API server: objects with versions, lists,
// streamed lists, watches that resume, and failures of each.
type fakeResource struct {
	mu      sync.Mutex
	empty   runtime.Object // a list, and what a bookmark looks like
	mark    runtime.Object
	objects map[objectKey]runtime.Object
	version int
	log     []watch.Event
	oldest  int // versions before it are compacted
	open    []*watch.RaceFreeFakeWatcher

	listErr, watchErr error
	noStreaming       bool
	lists, watches    int
}

func newFake(list, mark runtime.Object) *fakeResource {
	return &fakeResource{empty: list, mark: mark, objects: map[objectKey]runtime.Object{}, version: 100}
}

func keyOf(obj runtime.Object) objectKey {
	m, _ := meta.Accessor(obj)
	return objectKey{m.GetNamespace(), m.GetName()}
}

func (f *fakeResource) put(obj runtime.Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := watch.Added
	if f.objects[keyOf(obj)] != nil {
		kind = watch.Modified
	}
	f.record(kind, obj)
	f.objects[keyOf(obj)] = f.log[len(f.log)-1].Object
}

func (f *fakeResource) drop(obj runtime.Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.objects, keyOf(obj))
	f.record(watch.Deleted, obj)
}

func (f *fakeResource) record(kind watch.EventType, obj runtime.Object) {
	f.version++
	obj = obj.DeepCopyObject()
	m, _ := meta.Accessor(obj)
	m.SetResourceVersion(strconv.Itoa(f.version))
	event := watch.Event{Type: kind, Object: obj}
	f.log = append(f.log, event)
	for _, w := range f.open {
		w.Action(kind, obj)
	}
}

// set changes the failures.
func (f *fakeResource) set(change func(*fakeResource)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// cut ends all watches, as an API server does when it goes away.
func (f *fakeResource) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.open {
		w.Stop()
	}
	f.open = nil
}

// compact makes every watch that resumes start over with a list.
func (f *fakeResource) compact() {
	f.set(func(f *fakeResource) { f.version++; f.oldest = f.version })
}

func (f *fakeResource) ListWithContext(context.Context, metav1.ListOptions) (runtime.Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists++
	if f.listErr != nil {
		return nil, f.listErr
	}
	list := f.empty.DeepCopyObject()
	items := make([]runtime.Object, 0, len(f.objects))
	for _, obj := range f.objects {
		items = append(items, obj.DeepCopyObject())
	}
	if err := meta.SetList(list, items); err != nil {
		return nil, err
	}
	m, _ := meta.ListAccessor(list)
	m.SetResourceVersion(strconv.Itoa(f.version))
	return list, nil
}

func (f *fakeResource) WatchWithContext(_ context.Context, o metav1.ListOptions) (watch.Interface, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watches++
	initial := o.SendInitialEvents != nil && *o.SendInitialEvents
	from, _ := strconv.Atoi(o.ResourceVersion)
	switch {
	case f.watchErr != nil:
		return nil, f.watchErr
	case initial && f.noStreaming:
		return nil, apierrors.NewBadRequest("sendInitialEvents is forbidden for watch")
	case !initial && from < f.oldest:
		return nil, apierrors.NewResourceExpired("too old")
	}
	w := watch.NewRaceFreeFake()
	if initial {
		for _, obj := range f.objects {
			w.Add(obj)
		}
		mark := f.mark.DeepCopyObject()
		m, _ := meta.Accessor(mark)
		m.SetResourceVersion(strconv.Itoa(f.version))
		m.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
		w.Action(watch.Bookmark, mark)
	} else {
		for _, event := range f.log {
			m, _ := meta.Accessor(event.Object)
			if v, _ := strconv.Atoi(m.GetResourceVersion()); v > from {
				w.Action(event.Type, event.Object)
			}
		}
	}
	f.open = append(f.open, w)
	return w, nil
}

// A world is a Cluster on three fake resources, with some bindings' wake-ups.
type world struct {
	*Cluster
	pods, nodes, services *fakeResource

	mu    sync.Mutex
	woken map[string]int
}

func newWorld(o Options) *world {
	w := &world{
		pods:     newFake(&corev1.PodList{}, &corev1.Pod{}),
		nodes:    newFake(&corev1.NodeList{}, &corev1.Node{}),
		services: newFake(&corev1.ServiceList{}, &corev1.Service{}),
		woken:    map[string]int{},
	}
	if o.PermissionsFile == "" {
		o.PermissionsFile = "rbac.yaml"
	}
	w.Cluster = newCluster(o, nil, sources{pods: w.pods, nodes: w.nodes, services: w.services})
	return w
}

// inWorld runs a story in a bubble of its own time.
func inWorld(t *testing.T, o Options, story func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(o)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Start(ctx) }()
		story(t, w)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func (w *world) subscribe(id string, q Query) {
	w.Subscribe(id, q, func() {
		w.mu.Lock()
		w.woken[id]++
		w.mu.Unlock()
	})
}

// wakeups waits until all is quiet and returns who was woken since the last call.
func (w *world) wakeups() map[string]bool {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]bool{}
	for id := range w.woken {
		out[id] = true
	}
	clear(w.woken)
	return out
}

func aPod(name, node string, edits ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "edge", Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{"app": "proxy"}},
		Spec: corev1.PodSpec{
			NodeName: node, HostNetwork: true,
			Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "https", ContainerPort: 8443, HostPort: 8443, Protocol: corev1.ProtocolTCP}}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}},
	}
	for _, edit := range edits {
		edit(p)
	}
	return p
}

func aNode(i int, edits ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%d", i), Labels: map[string]string{corev1.LabelTopologyZone: "eu-west-1a"}},
		Spec:       corev1.NodeSpec{ProviderID: fmt.Sprintf("aws:///eu-west-1a/i-%08d", i)},
		Status: corev1.NodeStatus{
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("10.0.0.%d", i)}},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}
	for _, edit := range edits {
		edit(n)
	}
	return n
}

func key(i int, port int32) targets.Key {
	return targets.Key{ID: fmt.Sprintf("i-%08d", i), Port: port}
}
