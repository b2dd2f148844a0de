package clusters

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

func TestStrangersOwnAPort(t *testing.T) {
	ours := []targets.Key{key(1, 8443)}
	stranger := func(edits ...func(*corev1.Pod)) *corev1.Pod {
		return aPod("z", "node-1", append([]func(*corev1.Pod){in("other")}, edits...)...)
	}
	port := func(edit func(*corev1.ContainerPort)) func(*corev1.Pod) {
		return func(p *corev1.Pod) { edit(&p.Spec.Containers[0].Ports[0]) }
	}
	yes := map[targets.Key]targets.PodRef{key(1, 8443): {Namespace: "other", Name: "z", UID: "uid-z"}}
	cases := map[string]struct {
		reason string
		before func(w *world)
		after  func(w *world)
		want   map[targets.Key]targets.PodRef
	}{
		"Takes": {"A stranger that runs on the target's port owns it.", nil, func(w *world) {
			w.pods.drop(aPod("a", "node-1"))
			w.pods.put(stranger())
		}, yes},
		"Ours": {"Not while a pod of ours accounts for the target, whatever its state.", nil, func(w *world) {
			w.pods.put(aPod("a", "node-1", func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }))
			w.pods.put(stranger())
		}, nil},
		"OursEnding": {"Nor while it ends: it may serve until then.", nil, func(w *world) {
			w.pods.put(aPod("a", "node-1", func(p *corev1.Pod) { now := metav1.Now(); p.DeletionTimestamp = &now }))
			w.pods.put(stranger())
		}, nil},
		"OtherPort": {"A stranger on another port does not.", nil, func(w *world) {
			w.pods.drop(aPod("a", "node-1"))
			w.pods.put(stranger(port(func(p *corev1.ContainerPort) { p.ContainerPort = 1 })))
		}, nil},
		"OtherProtocol": {"Nor one on that port of another protocol.", nil, func(w *world) {
			w.pods.drop(aPod("a", "node-1"))
			w.pods.put(stranger(port(func(p *corev1.ContainerPort) { p.Protocol = corev1.ProtocolUDP })))
		}, nil},
		"OtherNode": {"Nor one on another node.", nil, func(w *world) {
			w.pods.drop(aPod("a", "node-1"))
			w.pods.put(stranger(func(p *corev1.Pod) { p.Spec.NodeName = "node-2" }))
		}, nil},
		"NotRunning": {"Nor one that is not running yet.", nil, func(w *world) {
			w.pods.drop(aPod("a", "node-1"))
			w.pods.put(stranger(func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }))
		}, nil},
		"Leaving": {"Nor one that is about to stop.", nil, func(w *world) {
			w.pods.drop(aPod("a", "node-1"))
			w.pods.put(stranger(func(p *corev1.Pod) { p.Status.Conditions[0].Type = corev1.DisruptionTarget }))
		}, nil},
		"SelectorEdited": {"Our own pods do not become strangers by an edit of the Service.", nil, func(w *world) {
			w.services.put(aService("proxy", func(s *corev1.ServiceSpec) { s.Selector["app"] = "typo" }))
		}, nil},
		"Relabelled": {"Nor by an edit of their labels.", nil, func(w *world) {
			w.pods.put(aPod("a", "node-1", labelled("debug")))
		}, nil},
		"NewSelectorEdited": {"That holds for pods that came later, too.", nil, func(w *world) {
			w.pods.put(aPod("b", "node-1"))
			w.pods.drop(aPod("a", "node-1"))
			synctest.Wait()
			w.services.put(aService("proxy", func(s *corev1.ServiceSpec) { s.Selector["app"] = "typo" }))
		}, nil},
		"NewRelabelled": {"By an edit of their labels as well.", nil, func(w *world) {
			w.pods.put(aPod("b", "node-1"))
			w.pods.drop(aPod("a", "node-1"))
			w.pods.put(aPod("b", "node-1", labelled("debug")))
		}, nil},
		"Started": {"Nor by a restart of the provider while the Service is wrong.", func(w *world) {
			w.services.put(aService("proxy", func(s *corev1.ServiceSpec) { s.Selector["app"] = "typo" }))
		}, func(*world) {}, nil},
		"PortEdited": {"Nor by an edit of the port.", nil, func(w *world) {
			w.subscribe("x", proxies(viaService, func(q *Query) { q.Port = intstr.FromInt32(1) }))
		}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Options{}, func(t *testing.T, w *world) {
				w.nodes.put(aNode(1))
				w.nodes.put(aNode(2))
				w.services.put(aService("proxy"))
				w.pods.put(aPod("a", "node-1"))
				if tc.before != nil {
					tc.before(w)
				}
				w.subscribe("x", proxies(viaService))
				w.wakeups()
				w.View("x", ours)
				tc.after(w)
				synctest.Wait()
				if diff := cmp.Diff(tc.want, w.View("x", ours).Occupied); diff != "" {
					t.Errorf("%s\nOccupied: -want +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestNodesThatGoAndComeBack(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		w.nodes.put(aNode(1))
		w.subscribe("x", proxies())
		w.wakeups()
		w.View("x", []targets.Key{key(1, 8443)})
		gone := trimNode(aNode(1)).Node
		gone.GoneSince = time.Now()
		back := trimNode(aNode(1, func(n *corev1.Node) { n.Spec.ProviderID = "aws:///eu-west-1a/i-new" })).Node

		w.nodes.drop(aNode(1))
		if !w.wakeups()["x"] {
			t.Error("A node that is deleted concerns who has a target on its instance.")
		}
		check := func(reason string, byName, byInstance targets.Node) {
			t.Helper()
			synctest.Wait()
			nodes := w.View("x", []targets.Key{key(1, 8443)}).Nodes
			if diff := cmp.Diff([]*targets.Node{&byName, &byInstance}, []*targets.Node{nodes.ByName["node-1"], nodes.ByInstance["i-00000001"]}); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", reason, diff)
			}
		}
		check("A deleted node is remembered.", gone, gone)
		w.nodes.put(aNode(1, func(n *corev1.Node) { n.Spec.ProviderID = "aws:///eu-west-1a/i-new" }))
		check("Its name may come back on another instance; the first is still remembered.", back, gone)
		w.nodes.put(aNode(1))
		check("A node that is there again is not gone.", trimNode(aNode(1)).Node, trimNode(aNode(1)).Node)
		if len(w.nodeTable.gone) != 1 {
			t.Errorf("Only the instance that is not there any more is remembered: %v", w.nodeTable.gone)
		}
		time.Sleep(remembered)
		if _, ok := w.View("x", nil).Nodes.ByInstance["i-new"]; ok {
			t.Error("After a day a node is forgotten.")
		}
	})
}
