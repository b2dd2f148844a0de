package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A history is every version of a test's objects that the API server has had: what
// was said only for a moment, too.
type history struct {
	mu sync.Mutex
	// versions of each object, by "Kind name", and what its conditions have said,
	// as "Ready=False Creating: message".
	versions map[string]int
	said     map[string][]string
}

// follow begins the history of the example's objects. It ends with the test.
func (e *whole) follow() *history {
	e.t.Helper()
	h := &history{versions: map[string]int{}, said: map[string][]string{}}
	c, err := client.NewWithWatch(it.Config(), client.Options{Scheme: it.Client().Scheme()})
	if err != nil {
		e.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	e.t.Cleanup(func() { stop(); running.Wait() })
	ours := map[string]bool{}
	kinds := map[string]bool{}
	for _, o := range e.managed {
		ours[of(o)] = true
		if kinds[o.GetKind()] {
			continue
		}
		kinds[o.GetKind()] = true
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(o.GroupVersionKind())
		list.SetKind(o.GetKind() + "List")
		events, err := c.Watch(ctx, list, client.InNamespace(o.GetNamespace()))
		if err != nil {
			e.t.Fatal(err)
		}
		running.Go(func() {
			defer events.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case event, open := <-events.ResultChan():
					if !open {
						return
					}
					if u, ok := event.Object.(*unstructured.Unstructured); ok && ours[of(u)] {
						h.add(u)
					}
				}
			}
		})
	}
	return h
}

func of(o *unstructured.Unstructured) string { return o.GetKind() + " " + o.GetName() }

func (h *history) add(u *unstructured.Unstructured) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.versions[of(u)]++
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok {
			h.said[of(u)] = append(h.said[of(u)], fmt.Sprintf("%v=%v %v: %v", c["type"], c["status"], c["reason"], c["message"]))
		}
	}
}

// never fails the test if any object has ever said what begins so.
func (h *history) never(t *testing.T, reason, begin string) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for object, said := range h.said {
		for _, s := range said {
			if strings.HasPrefix(s, begin) {
				t.Errorf("%s, but %s said %q", reason, object, s)
			}
		}
	}
}

// most fails the test if an object has had more versions than it may.
func (h *history) most(t *testing.T, reason string, may func(kind string) int) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for object, n := range h.versions {
		kind, _, _ := strings.Cut(object, " ")
		if n > may(kind) {
			t.Errorf("%s: %s had %d versions, more than %d:\n%s", reason, object, n, may(kind), strings.Join(h.said[object], "\n"))
		}
	}
}
