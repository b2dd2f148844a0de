package clusters

import (
	"fmt"
	"runtime"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	benchPods  = 5000
	benchNodes = 500
	benchSubs  = 300
)

// podOf is a pod as an API server sends it, with what is trimmed away.
func podOf(i, namespaces int) *corev1.Pod {
	return aPod(fmt.Sprintf("proxy-%d-%05d", i%benchSubs, i), fmt.Sprintf("node-%d", i%benchNodes), in(fmt.Sprintf("team-%d", i%namespaces)), owner("DaemonSet"),
		func(p *corev1.Pod) {
			p.Labels = map[string]string{
				"app": fmt.Sprintf("proxy-%d", i%benchSubs), "controller-revision-hash": "5d4f8c7b9", "pod-template-generation": "7",
				"app.kubernetes.io/part-of": "edge", "app.kubernetes.io/managed-by": "flux",
			}
			p.Status.PodIP = fmt.Sprintf("10.0.%d.%d", i%benchNodes/250, i%250)
			p.Spec.Containers[0].Env = make([]corev1.EnvVar, 30)
		})
}

// benchWorld is 5,000 pods on 500 nodes and 300 bindings with about 17 pods each.
func benchWorld(namespaces int) *world {
	w := newWorld(Options{})
	w.change(func(t *touched) {
		nodes := make([]*node, benchNodes)
		for i := range nodes {
			nodes[i] = trimNode(aNode(i))
		}
		w.replaceNodes(nodes, t)
		pods := make([]*pod, benchPods)
		for i := range pods {
			pods[i] = w.trimPod(podOf(i, namespaces))
		}
		w.replacePods(pods, t)
	})
	for i := range benchSubs {
		id := fmt.Sprintf("binding-%d", i)
		w.Subscribe(id, proxies(func(q *Query) {
			q.Namespace = fmt.Sprintf("team-%d", i%namespaces)
			q.PodSelector = labels.SelectorFromSet(labels.Set{"app": fmt.Sprintf("proxy-%d", i)})
		}), func() {})
		var registered []targets.Key
		for n := range 17 {
			registered = append(registered, key((i+n*benchSubs)%benchNodes, 8443))
		}
		w.View(id, registered)
	}
	return w
}

// BenchmarkPodEvent is one pod that turns unready and ready again, from the
// decoded object to the wake-up, and then with the view that follows.
func BenchmarkPodEvent(b *testing.B) {
	for _, namespaces := range []int{1, 30} {
		w := benchWorld(namespaces)
		states := [2]*corev1.Pod{podOf(7, namespaces), podOf(7, namespaces)}
		states[1].Status.Conditions[0].Status = corev1.ConditionFalse
		f := feed[pod]{c: w.Cluster, stream: w.Cluster.pods, trim: w.trimPod, put: w.putPod}
		i := 0
		event := func() {
			i++
			if err := f.Update(states[i%2]); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("namespaces=%d", namespaces), func(b *testing.B) {
			for b.Loop() {
				event()
			}
		})
		b.Run(fmt.Sprintf("namespaces=%d/view", namespaces), func(b *testing.B) {
			keys := w.subs.byID["binding-7"].registered
			for b.Loop() {
				event()
				w.View("binding-7", keys)
			}
		})
	}
}

func BenchmarkNodeEventAndView(b *testing.B) {
	w := benchWorld(1)
	keys := w.subs.byID["binding-7"].registered
	i := 0
	for b.Loop() {
		i++
		n := trimNode(aNode(7))
		n.Ready = i%2 == 0
		w.change(func(t *touched) { w.putNode(n, t) })
		w.View("binding-7", keys)
	}
}

// TestMemoryPerPod keeps the budget: 5,000 hostNetwork pods in a process of 80 MB.
func TestMemoryPerPod(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	w := newWorld(Options{})
	before := heap()
	for i := range benchPods {
		w.change(func(t *touched) { w.putPod(w.trimPod(podOf(i, 30)), t) })
	}
	each := int64(heap()-before) / benchPods
	runtime.KeepAlive(w)
	t.Logf("%d bytes per pod, %.1f MB for %d", each, float64(each*benchPods)/1e6, benchPods)
	if each > 1500 {
		t.Errorf("A pod costs %d bytes; 1,500 at most.", each)
	}
}
