package local_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
)

// podsRunning waits until n pods with the app label are ready, and returns them.
func podsRunning(t testing.TB, c client.Client, n int, opts ...client.ListOption) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	eventually(t, func() (bool, error) {
		if err := c.List(t.Context(), &pods, opts...); err != nil {
			return true, err
		}
		ready := 0
		for _, p := range pods.Items {
			for _, condition := range p.Status.Conditions {
				if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue && p.Status.Phase == corev1.PodRunning {
					ready++
				}
			}
		}
		if ready == n && len(pods.Items) == n {
			return true, nil
		}
		return false, fmt.Errorf("%d of %d pods are ready, want %d", ready, len(pods.Items), n)
	})
	return pods.Items
}

func TestHostNetworkPodsHaveTheAddressOfTheirNode(t *testing.T) {
	cp := localtest.ControlPlane(t)
	specs := []local.NodeSpec{
		{Name: "edge-a", Zone: "eu-west-1a", IP: "10.9.0.1", InstanceID: "i-0aaaaaaaaaaaaaaaa"},
		{Name: "edge-b", Zone: "eu-west-1b", IP: "10.9.0.2"},
		{Name: "edge-c", Zone: "eu-west-1c", IP: "10.9.0.3"},
	}
	others := []local.NodeSpec{{Name: "other-a", Zone: "eu-west-1a"}, {Name: "other-b", Zone: "eu-west-1b"}}
	if err := cp.AddNodes(t.Context(), append(inPool("edge", specs), others...)...); err != nil {
		t.Fatal(err)
	}
	if err := cp.Client().Create(t.Context(), hostNetworkDaemonSet("edge")); err != nil {
		t.Fatal(err)
	}

	type addresses struct{ Host, Pod string }
	got := map[string]addresses{}
	for _, p := range podsRunning(t, cp.Client(), 3, client.MatchingLabels{"app": "edge"}) {
		got[p.Spec.NodeName] = addresses{Host: p.Status.HostIP, Pod: p.Status.PodIP}
	}
	want := map[string]addresses{
		"edge-a": {"10.9.0.1", "10.9.0.1"}, "edge-b": {"10.9.0.2", "10.9.0.2"}, "edge-c": {"10.9.0.3", "10.9.0.3"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a daemon set has a pod on each node of its pool, at the node's address (-want, +got):\n%s", diff)
	}

	var node corev1.Node
	if err := cp.Client().Get(t.Context(), client.ObjectKey{Name: "edge-a"}, &node); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("aws:///eu-west-1a/i-0aaaaaaaaaaaaaaaa", node.Spec.ProviderID); diff != "" {
		t.Errorf("a node has the provider ID that the AWS cloud provider gives it (-want, +got):\n%s", diff)
	}
	if diff := cmp.Diff("eu-west-1a", node.Labels[corev1.LabelTopologyZone]); diff != "" {
		t.Errorf("a node is labelled with its zone (-want, +got):\n%s", diff)
	}
}

func TestPodsOfADeploymentAreScheduledAndHaveTheirOwnAddress(t *testing.T) {
	cp := localtest.ControlPlane(t)
	if err := cp.AddNodes(t.Context(), local.NodeSpec{Name: "web-a", Zone: "eu-west-1a", Labels: map[string]string{"pool": "web"}}); err != nil {
		t.Fatal(err)
	}
	if err := cp.Client().Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Selector: selector("web"),
			Template: podTemplate("web", corev1.PodSpec{NodeSelector: map[string]string{"pool": "web"}}),
		},
	}); err != nil {
		t.Fatal(err)
	}
	pod := podsRunning(t, cp.Client(), 1, client.MatchingLabels{"app": "web"})[0]
	if pod.Spec.NodeName != "web-a" {
		t.Errorf("the pod is on node %q: the scheduler binds it to the only one it fits", pod.Spec.NodeName)
	}
	if pod.Status.PodIP == "" || pod.Status.PodIP == pod.Status.HostIP {
		t.Errorf("the pod is at %q on %q: without host network it has an address of its own", pod.Status.PodIP, pod.Status.HostIP)
	}
	// The field selector finds it among those without host network only.
	podsRunning(t, cp.Client(), 1, client.MatchingLabels{"app": "web"}, client.MatchingFields{"spec.hostNetwork": "false"})
	podsRunning(t, cp.Client(), 0, client.MatchingLabels{"app": "web"}, client.MatchingFields{"spec.hostNetwork": "true"})
}

func TestFieldSelectorFindsHostNetworkPods(t *testing.T) {
	cp := localtest.ControlPlane(t)
	if err := cp.AddNodes(t.Context(), inPool("select", []local.NodeSpec{{Name: "select-a", Zone: "eu-west-1a"}})...); err != nil {
		t.Fatal(err)
	}
	if err := cp.Client().Create(t.Context(), hostNetworkDaemonSet("select")); err != nil {
		t.Fatal(err)
	}
	podsRunning(t, cp.Client(), 1, client.MatchingLabels{"app": "select"}, client.MatchingFields{"spec.hostNetwork": "true"})
	podsRunning(t, cp.Client(), 0, client.MatchingLabels{"app": "select"}, client.MatchingFields{"spec.hostNetwork": "false"})
}

// BenchmarkFiftyNodes times fifty new nodes and then a daemon set's fifty pods.
func BenchmarkFiftyNodes(b *testing.B) {
	cp := localtest.ControlPlane(b)
	for i := range b.N {
		pool := fmt.Sprintf("bench-%d-%d", b.N, i)
		began := time.Now()
		if err := cp.AddNodes(b.Context(), inPool(pool, local.Nodes(pool, 50, "eu-west-1a", "eu-west-1b", "eu-west-1c"))...); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/nodes")
		began = time.Now()
		if err := cp.Client().Create(b.Context(), hostNetworkDaemonSet(pool)); err != nil {
			b.Fatal(err)
		}
		podsRunning(b, cp.Client(), 50, client.MatchingLabels{"app": pool})
		b.ReportMetric(time.Since(began).Seconds(), "s/pods")
	}
}
