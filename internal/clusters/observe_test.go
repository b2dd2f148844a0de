package clusters

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

func proxies(edits ...func(*Query)) Query {
	q := Query{
		Namespace: "edge", Port: intstr.FromString("https"), GroupProtocol: "TCP",
		PodSelector: labels.SelectorFromSet(labels.Set{"app": "proxy"}),
	}
	for _, edit := range edits {
		edit(&q)
	}
	return q
}

func viaService(q *Query) { q.PodSelector, q.Service = nil, "proxy" }

func podNames(v targets.View) []string {
	names := []string{}
	for _, p := range v.Pods {
		names = append(names, p.Name)
	}
	return names
}

func labelled(app string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels = map[string]string{"app": app} }
}

func in(namespace string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Namespace = namespace }
}

func TestNothingIsReadBeforeTheFirstBinding(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		synctest.Wait()
		if w.pods.lists+w.pods.watches+w.nodes.lists+w.nodes.watches != 0 {
			t.Error("A provider without bindings must not need permission to read pods.")
		}
		w.subscribe("a", proxies())
		if !w.wakeups()["a"] || w.View("a", nil).Incomplete != "" {
			t.Error("The first binding starts the observation and is woken when it is complete.")
		}
		if w.services.lists+w.services.watches != 0 {
			t.Error("Services are read only for a binding that names one.")
		}
		w.subscribe("b", proxies(viaService))
		w.wakeups()
		if w.services.watches == 0 {
			t.Error("Services are read once a binding names one.")
		}
		if got := w.View("nobody", nil).Incomplete; got == "" {
			t.Error("The view of a binding that is not subscribed must not be trusted.")
		}
	})
}

func TestChangesReachThoseThatTheyConcern(t *testing.T) {
	heartbeat := func(n *corev1.Node) { n.Status.Conditions[0].LastHeartbeatTime = metav1.NewTime(time.Unix(9, 0)) }
	cases := map[string]struct {
		reason string
		change func(w *world)
		want   map[string]bool
	}{
		"NewPod":         {"A pod that matches concerns its binding only.", func(w *world) { w.pods.put(aPod("new", "node-2")) }, map[string]bool{"pods": true, "service": true}},
		"OtherNamespace": {"An equal pod of another namespace concerns nobody.", func(w *world) { w.pods.put(aPod("new", "node-2", in("other"))) }, map[string]bool{}},
		"OtherPod":       {"A pod that matches nothing concerns nobody.", func(w *world) { w.pods.put(aPod("new", "node-2", labelled("x"))) }, map[string]bool{}},
		"Relabelled":     {"A pod that no longer matches concerns whom it left and whom it joined.", func(w *world) { w.pods.put(aPod("a", "node-1", labelled("idle"))) }, map[string]bool{"pods": true, "service": true, "idle": true}},
		"Deleted":        {"So does a pod that is gone; it also gave back a target's port.", func(w *world) { w.pods.drop(aPod("a", "node-1")) }, map[string]bool{"pods": true, "service": true, "idle": true}},
		"Unchanged":      {"A change of what is not looked at concerns nobody.", func(w *world) { w.pods.put(aPod("a", "node-1", func(p *corev1.Pod) { p.Status.Message = "x" })) }, map[string]bool{}},
		"Heartbeat":      {"A node's heartbeat concerns nobody.", func(w *world) { w.nodes.put(aNode(1, heartbeat)) }, map[string]bool{}},
		"NodeReady": {"A node concerns those that have pods there or a target.", func(w *world) {
			w.nodes.put(aNode(1, func(n *corev1.Node) { n.Status.Conditions[0].Status = "False" }))
		}, map[string]bool{"pods": true, "service": true, "idle": true}},
		"EmptyNode":    {"A node without either concerns nobody.", func(w *world) { w.nodes.drop(aNode(2)) }, map[string]bool{}},
		"NodeLabel":    {"A label of a node concerns nobody whose nodeSelector says the same.", func(w *world) { w.nodes.put(aNode(1, label("x", "y"))) }, map[string]bool{}},
		"NodeRefused":  {"It concerns those whose nodeSelector now says otherwise.", func(w *world) { w.nodes.put(aNode(1, label("pool", "old"))) }, map[string]bool{"pods": true}},
		"Service":      {"A Service concerns those that name it.", func(w *world) { w.services.drop(aService("proxy")) }, map[string]bool{"service": true}},
		"OtherService": {"Another does not.", func(w *world) { w.services.put(aService("other")) }, map[string]bool{}},
		"ServiceSame": {"Nor does a nodePort.", func(w *world) {
			w.services.put(aService("proxy", func(s *corev1.ServiceSpec) { s.Ports[0].NodePort = 1 }))
		}, map[string]bool{}},
		"Stranger": {"A stranger on a target's port concerns who has the target.", func(w *world) { w.pods.put(aPod("new", "node-1", in("other"))) }, map[string]bool{"idle": true}},
	}
	notOld, err := labels.Parse("pool!=old")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Options{}, func(t *testing.T, w *world) {
				w.nodes.put(aNode(1))
				w.nodes.put(aNode(2))
				w.services.put(aService("proxy"))
				w.pods.put(aPod("a", "node-1"))
				w.subscribe("pods", proxies(func(q *Query) { q.NodeSelector = notOld }))
				w.subscribe("service", proxies(viaService))
				w.subscribe("idle", proxies(func(q *Query) { q.PodSelector = labels.SelectorFromSet(labels.Set{"app": "idle"}) }))
				w.wakeups()
				w.View("idle", []targets.Key{key(1, 8443)})
				tc.change(w)
				if diff := cmp.Diff(tc.want, w.wakeups()); diff != "" {
					t.Errorf("%s\nwoken: -want +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestAViewIsWhatKubernetesSays(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		old, _ := labels.Parse("pool!=old")
		w.nodes.put(aNode(1))
		w.nodes.put(aNode(2, label("pool", "old")))
		w.services.put(aService("proxy"))
		w.pods.put(aPod("b", "node-2"))
		w.pods.put(aPod("a", "node-1"))
		w.pods.put(aPod("c", "node-1", labelled("other")))
		w.subscribe("x", proxies(viaService, func(q *Query) { q.NodeSelector = old }))
		w.wakeups()
		got := w.View("x", nil)
		c := w.Cluster
		want := targets.View{
			Selection:   targets.Selection{PortName: "https"},
			Pods:        []targets.Pod{c.trimPod(aPod("a", "node-1")).Pod, c.trimPod(aPod("b", "node-2")).Pod},
			Nodes:       indexNodes([]*node{trimNode(aNode(1)), trimNode(aNode(2))}),
			NodeRefused: map[string]bool{"node-2": true},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		w.nodes.put(aNode(1, label("pool", "old")))
		w.nodes.put(aNode(2))
		w.wakeups()
		if diff := cmp.Diff(map[string]bool{"node-1": true}, w.View("x", nil).NodeRefused); diff != "" {
			t.Errorf("Labels of nodes may change: -want +got:\n%s", diff)
		}
		w.services.drop(aService("proxy"))
		w.wakeups()
		got = w.View("x", nil)
		if got.Missing != "Service edge/proxy does not exist" || len(got.Pods) != 0 {
			t.Errorf("Without the Service nothing is selected, and it is said: %q, %v", got.Missing, podNames(got))
		}
		w.subscribe("x", proxies(func(q *Query) { q.PodSelector = labels.SelectorFromSet(labels.Set{"app": "other"}) }))
		if diff := cmp.Diff([]string{"c"}, podNames(w.View("x", nil))); diff != "" {
			t.Errorf("Another query replaces the first: -want +got:\n%s", diff)
		}
		w.View("x", []targets.Key{key(1, 8443)})
		w.Unsubscribe("x")
		w.pods.put(aPod("d", "node-1", labelled("other")))
		w.wakeups()
		if len(w.subs.byNamespace)+len(w.subs.byService)+len(w.subs.byInstance) != 0 {
			t.Error("Nothing of a binding is left after Unsubscribe.")
		}
	})
}

func TestARelistIsNotADeletion(t *testing.T) {
	for name, streaming := range map[string]bool{"StreamedList": true, "PlainList": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Options{}, func(t *testing.T, w *world) {
				w.pods.set(func(f *fakeResource) { f.noStreaming = !streaming })
				w.nodes.put(aNode(1))
				w.nodes.put(aNode(2))
				for _, p := range []*corev1.Pod{aPod("a", "node-1"), aPod("b", "node-2"), aPod("c", "node-2", labelled("x"))} {
					w.pods.put(p)
				}
				w.subscribe("x", proxies())
				w.wakeups()

				w.pods.drop(aPod("a", "node-1"))
				synctest.Wait()
				if got := w.View("x", nil); got.Relisted != nil || len(got.Pods) != 1 {
					t.Errorf("A pod whose deletion was seen is just gone: %v %v", got.Relisted, podNames(got))
				}

				// The watch misses the deletion of b and of c.
				w.pods.set(func(f *fakeResource) { f.objects = map[objectKey]runtime.Object{} })
				w.pods.compact()
				w.pods.cut()
				time.Sleep(10 * time.Second)
				got := w.View("x", nil)
				if diff := cmp.Diff(map[targets.Key]bool{key(2, 8443): true, {ID: "10.0.0.2", Port: 8443}: true}, got.Relisted); diff != "" || len(got.Pods) != 0 {
					t.Errorf("A pod that is missing in a list vanished: -want +got:\n%s", diff)
				}
				if !w.wakeups()["x"] {
					t.Error("The binding is woken.")
				}

				w.pods.put(aPod("b2", "node-2"))
				w.pods.drop(aPod("b2", "node-2"))
				synctest.Wait()
				if got := w.View("x", nil).Relisted; got != nil {
					t.Errorf("A successor whose deletion was seen ends that: %v", got)
				}
			})
		})
	}
}

func TestARecreatedPodIsAnotherPod(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		w.nodes.put(aNode(1))
		w.nodes.put(aNode(2))
		w.pods.put(aPod("a", "node-1"))
		w.subscribe("x", proxies())
		w.wakeups()
		w.pods.set(func(f *fakeResource) { clear(f.objects) })
		w.pods.put(aPod("a", "node-2", func(p *corev1.Pod) { p.UID = types.UID("uid-a2") }))
		synctest.Wait()
		got := w.View("x", nil)
		if got.Relisted != nil || len(got.Pods) != 1 || got.Pods[0].UID != "uid-a2" {
			t.Errorf("An event replaces a pod by its namesake: %+v", got.Pods)
		}
		w.pods.set(func(f *fakeResource) {
			clear(f.objects)
			p := aPod("a", "node-1", func(p *corev1.Pod) { p.UID = types.UID("uid-a3") })
			f.objects[keyOf(p)] = p
		})
		w.pods.compact()
		w.pods.cut()
		time.Sleep(10 * time.Second)
		if diff := cmp.Diff(map[targets.Key]bool{key(2, 8443): true, {ID: "10.0.0.2", Port: 8443}: true}, w.View("x", nil).Relisted); diff != "" {
			t.Errorf("In a list, the first one vanished: -want +got:\n%s", diff)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		for i := range 8 {
			id := fmt.Sprintf("binding-%d", i)
			all.Go(func() {
				for n := range 50 {
					w.subscribe(id, proxies(viaService, func(q *Query) { q.Port = intstr.FromInt32(int32(443 + n%2)) }))
					w.nodes.put(aNode(n%5, label("n", fmt.Sprint(n))))
					w.pods.put(aPod(id, fmt.Sprintf("node-%d", n%5), labelled([]string{"proxy", "x"}[n%2])))
					w.services.put(aService("proxy", func(s *corev1.ServiceSpec) { s.Ports[0].Port = int32(443 + n%2) }))
					v := w.View(id, []targets.Key{key(n%5, 8443)})
					_ = w.CompleteSince(id)
					time.Sleep(time.Millisecond) // of the bubble's time: watches are read meanwhile
					if n%10 == 9 {
						w.pods.compact()
						w.pods.cut()
						w.Unsubscribe(id)
					}
					for _, p := range v.Pods {
						_ = v.Nodes.ByName[p.Node]
					}
				}
				w.subscribe(id, proxies())
			})
		}
		all.Wait()
		time.Sleep(time.Minute)
		want := []string{}
		for i := range 8 {
			p := aPod(fmt.Sprintf("binding-%d", i), "node-1")
			w.pods.put(p)
			want = append(want, p.Name)
		}
		w.wakeups()
		v := w.View("binding-3", nil)
		if diff := cmp.Diff(want, podNames(v)); diff != "" || v.Incomplete != "" {
			t.Errorf("In the end everybody sees the same world. %s -want +got:\n%s", v.Incomplete, diff)
		}
	})
}
