package clusters

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

func TestPodsThatAreNotSelectedAnyMore(t *testing.T) {
	noPorts := func(p *corev1.Pod) { p.Spec.Containers[0].Ports = nil }
	ending := func(p *corev1.Pod) {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue})
	}
	typo := func(w *world) {
		w.services.put(aService("proxy", func(s *corev1.ServiceSpec) { s.Selector["app"] = "typo" }))
	}
	byNumber := func(w *world) {
		w.services.put(aService("proxy", func(s *corev1.ServiceSpec) {
			s.Selector["app"], s.Ports[0].TargetPort = "typo", intstr.FromInt32(8443)
		}))
	}
	cases := map[string]struct {
		reason string
		before func(w *world)
		after  func(w *world)
		want   []string
	}{
		"Selected": {"A pod that matches is none.", nil, func(*world) {}, nil},
		"Edited":   {"Who matched before an edit of the Service and goes on is told.", nil, typo, []string{"a"}},
		"Relabelled": {"So is who matched before an edit of its labels.", nil, func(w *world) {
			w.pods.put(aPod("a", "node-1", labelled("debug")))
		}, []string{"a"}},
		"Undeclared": {"It may serve on a port that it does not declare, which a number can select.", func(w *world) {
			w.pods.put(aPod("a", "node-1", noPorts))
		}, typo, []string{"a"}},
		"Started": {"After a restart it is known by the port that it declares.", typo, func(*world) {}, []string{"a"}},
		"StartedUndeclared": {"One that declares none and never matched may be anybody.", func(w *world) {
			w.pods.put(aPod("a", "node-1", noPorts))
			typo(w)
		}, func(*world) {}, nil},
		"Ending": {"While it ends it is there.", nil, func(w *world) {
			typo(w)
			w.pods.put(aPod("a", "node-1", func(p *corev1.Pod) {
				p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue})
			}))
		}, []string{"a"}},
		"Ended": {"When it has ended it is not.", nil, func(w *world) {
			typo(w)
			w.pods.put(aPod("a", "node-1", func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }))
		}, nil},
		"Deleted": {"Nor when it is deleted.", nil, func(w *world) {
			typo(w)
			synctest.Wait()
			w.pods.drop(aPod("a", "node-1"))
		}, nil},
		"OtherNode": {"Nor on another node.", nil, func(w *world) {
			w.pods.put(aPod("b", "node-2"))
			w.pods.drop(aPod("a", "node-1"))
			synctest.Wait()
			typo(w)
		}, nil},
		"Likelier": {"Of two the one that declares the port is named.", func(w *world) {
			w.pods.put(aPod("0", "node-1", noPorts))
		}, typo, []string{"a"}},
		"PointedElsewhere": {"While other pods make the target and go on, they are for the plan to judge.", func(w *world) {
			w.pods.put(aPod("b", "node-1", noPorts, labelled("typo")))
		}, byNumber, nil},
		"PointedAtOneThatEnds": {"When they end, the one that goes on beside them is told.", func(w *world) {
			w.pods.put(aPod("b", "node-1", noPorts, labelled("typo"), ending))
		}, byNumber, []string{"a"}},
		"PointedAtOneThatEnded": {"So it is when they are over.", func(w *world) {
			w.pods.put(aPod("b", "node-1", noPorts, labelled("typo"), func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }))
		}, byNumber, []string{"a"}},
		"Stranger": {"A stranger that takes the port is evidence of another kind.", nil, func(w *world) {
			w.pods.drop(aPod("a", "node-1"))
			w.pods.put(aPod("z", "node-1", in("other")))
		}, nil},
		"PortEdited": {"While a pod that matches makes another target, its old one is for the plan to judge.", nil, func(w *world) {
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
				for _, ours := range [][]targets.Key{{key(1, 8443)}, {{ID: "10.0.0.1", Port: 8443}}} {
					w.View("x", ours)
					tc.after(w)
					synctest.Wait()
					var got []string
					for _, p := range w.View("x", ours).Unselected {
						got = append(got, p.Name)
					}
					if diff := cmp.Diff(tc.want, got); diff != "" {
						t.Errorf("%s\nUnselected of %v: -want +got:\n%s", tc.reason, ours, diff)
					}
				}
			})
		})
	}
}

// TestWhatBecomesOfUnselectedPodsIsNews: the plan waits for their end.
func TestWhatBecomesOfUnselectedPodsIsNews(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		w.nodes.put(aNode(1))
		w.services.put(aService("proxy"))
		w.pods.put(aPod("a", "node-1"))
		w.subscribe("x", proxies(viaService))
		w.wakeups()
		w.View("x", []targets.Key{key(1, 8443)})
		w.services.put(aService("proxy", func(s *corev1.ServiceSpec) { s.Selector["app"] = "typo" }))
		w.wakeups()
		w.pods.put(aPod("a", "node-1", func(p *corev1.Pod) {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue})
		}))
		if !w.wakeups()["x"] {
			t.Error("A pod that was selected once is told to end: its target leaves with it.")
		}
		w.pods.drop(aPod("a", "node-1"))
		if !w.wakeups()["x"] {
			t.Error("It is gone: nothing serves there any more.")
		}
	})
}
