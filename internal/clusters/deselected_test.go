package clusters

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// TestAPodThatIsNotSelectedIsNotGone: what Kubernetes does not select any more is
// told from what is not there any more.
func TestAPodThatIsNotSelectedIsNotGone(t *testing.T) {
	typo := func(s *corev1.ServiceSpec) { s.Selector["app"] = "typo" }
	terminating := func(p *corev1.Pod) { now := metav1.Now(); p.DeletionTimestamp = &now }
	ended := func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }
	a := map[string]bool{"uid-a": true}
	cases := map[string]struct {
		reason string
		change func(w *world)
		want   map[string]bool
	}{
		"Selected":       {"What is selected is in the view's pods.", func(*world) {}, nil},
		"Relabelled":     {"A label was mistyped.", func(w *world) { w.pods.put(aPod("a", "node-1", labelled("typo"))) }, a},
		"SelectorEdited": {"The Service's selector was.", func(w *world) { w.services.put(aService("proxy", typo)) }, a},
		"ServiceDeleted": {"The Service is gone.", func(w *world) { w.services.drop(aService("proxy")) }, a},
		"NamespaceEdited": {"The binding looks elsewhere.", func(w *world) {
			w.subscribe("x", proxies(viaService, func(q *Query) { q.Namespace = "other" }))
		}, a},
		"PortEdited": {"A port that the Service does not have selects nothing.", func(w *world) {
			w.subscribe("x", proxies(viaService, func(q *Query) { q.Port = intstr.FromInt32(1) }))
		}, a},
		"Mended": {"It is selected again.", func(w *world) {
			w.services.put(aService("proxy", typo))
			synctest.Wait()
			w.services.put(aService("proxy"))
		}, nil},
		"Deleted": {"It was seen to be deleted.", func(w *world) { w.pods.drop(aPod("a", "node-1")) }, nil},
		"RelabelledAndTerminating": {"It is on its way out after all.", func(w *world) {
			w.pods.put(aPod("a", "node-1", labelled("typo")))
			w.pods.put(aPod("a", "node-1", labelled("typo"), terminating))
		}, nil},
		"RelabelledAndEnded": {"Its processes have ended.", func(w *world) {
			w.pods.put(aPod("a", "node-1", labelled("typo")))
			w.pods.put(aPod("a", "node-1", labelled("typo"), ended))
		}, nil},
		"RelabelledAndDeleted": {"It was seen to be deleted later.", func(w *world) {
			w.pods.put(aPod("a", "node-1", labelled("typo")))
			w.pods.drop(aPod("a", "node-1"))
		}, nil},
		"NeverSelected": {"Pods of others are no concern.", func(w *world) { w.pods.put(aPod("c", "node-1", labelled("other"))) }, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Options{}, func(t *testing.T, w *world) {
				w.nodes.put(aNode(1))
				w.services.put(aService("proxy"))
				w.pods.put(aPod("a", "node-1"))
				w.subscribe("x", proxies(viaService))
				w.wakeups()
				tc.change(w)
				synctest.Wait()
				if diff := cmp.Diff(tc.want, w.View("x", nil).Deselected); diff != "" {
					t.Errorf("%s\nDeselected: -want +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestTheEndOfAPodThatIsNotSelectedWakes(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		w.nodes.put(aNode(1))
		w.pods.put(aPod("a", "node-1"))
		w.subscribe("x", proxies())
		w.wakeups()
		w.pods.put(aPod("a", "node-1", labelled("typo")))
		w.wakeups()
		w.pods.put(aPod("a", "node-1", labelled("typo"), func(p *corev1.Pod) { now := metav1.Now(); p.DeletionTimestamp = &now }))
		if !w.wakeups()["x"] {
			t.Error("That it is terminating is evidence which a guarded removal waits for.")
		}
		w.pods.drop(aPod("a", "node-1", labelled("typo")))
		if !w.wakeups()["x"] {
			t.Error("So is that it is deleted.")
		}
	})
}

func TestAPodThatIsNotSelectedMayVanish(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		w.nodes.put(aNode(1))
		w.pods.put(aPod("a", "node-1"))
		w.subscribe("x", proxies())
		w.wakeups()
		w.pods.put(aPod("a", "node-1", labelled("typo")))
		w.wakeups()
		w.pods.set(func(f *fakeResource) { f.objects = map[objectKey]runtime.Object{} })
		w.pods.compact()
		w.pods.cut()
		time.Sleep(10 * time.Second)
		got := w.View("x", nil)
		if got.Deselected != nil || !got.Relisted[targets.Key{ID: "i-00000001", Port: 8443}] {
			t.Errorf("In a list it vanished, as one that is selected: %v, %v", got.Deselected, got.Relisted)
		}
		if !w.wakeups()["x"] {
			t.Error("The binding is woken.")
		}
	})
}
