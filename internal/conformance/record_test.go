package conformance

import (
	"context"
	"sync"
	"testing"
	"time"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// A version of an object is what everybody who watches it gets to see.
type version struct {
	*unstructured.Unstructured

	// at is when it came.
	at time.Time
	// made and changed say what AWS had when the version came: something of the
	// kind, and what the table's change declares.
	made, changed bool
}

// A recording has every version of an object since it began.
type recording struct {
	stop func()

	mu       sync.Mutex
	versions []version
	gone     bool
}

// record the versions of an object, which need not exist yet.
func (w *world) record(t *testing.T, mg resource.Managed) *recording {
	t.Helper()

	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(w.GV.WithKind(w.kind.name + "List"))

	ctx, cancel := context.WithCancel(context.Background())
	events, err := w.Client.Watch(ctx, list, client.InNamespace(mg.GetNamespace()), client.MatchingFields{"metadata.name": mg.GetName()})
	kindtest.Must(t, err)

	r := &recording{}

	var running sync.WaitGroup

	running.Go(func() {
		for e := range events.ResultChan() {
			if u, ok := e.Object.(*unstructured.Unstructured); ok {
				r.take(e.Type, version{u, time.Now(), len(w.kind.found(t, w)) > 0, w.kind.changed(t, w)})
			}
		}
	})

	r.stop = sync.OnceFunc(func() { events.Stop(); cancel(); running.Wait() })
	t.Cleanup(r.stop)

	return r
}

func (r *recording) take(e watch.EventType, v version) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if e == watch.Deleted {
		r.gone = true
	} else {
		r.versions = append(r.versions, v)
	}
}

// all ends the recording when it has the object's present version, and returns all
// of them.
func (r *recording) all(t *testing.T, w *world, mg resource.Managed) []version {
	t.Helper()

	eventually(t, "the watch has caught up", func() bool {
		err := w.Client.Get(t.Context(), client.ObjectKeyFromObject(mg), mg)

		r.mu.Lock()
		defer r.mu.Unlock()

		if kerrors.IsNotFound(err) {
			return r.gone
		}

		return err == nil && len(r.versions) > 0 && r.versions[len(r.versions)-1].GetResourceVersion() == mg.GetResourceVersion()
	})
	r.stop()

	return r.versions
}

// eventually waits for what must come.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()

	const patience = 90 * time.Second

	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		return is(), nil
	})
	if err != nil {
		t.Fatalf("never: %s", what)
	}
}

func (v version) conditions() []map[string]any {
	list, _, _ := unstructured.NestedSlice(v.Object, "status", "conditions")

	var out []map[string]any

	for _, c := range list {
		if m, ok := c.(map[string]any); ok {
			out = append(out, m)
		}
	}

	return out
}
