package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func TestPodsAreSelectedByServiceOrByLabel(t *testing.T) {
	bothScopes(t, func(_ *testing.T, w *world) {
		// The pods are there from the start, so that nothing but the way in which
		// they are selected differs.
		for i := range 3 {
			w.pod(nodeName(i), i)
		}
		w.pod("other", 3, func(p *corev1.Pod) { p.Labels[appLabel] = "other" })
		w.service("by-name", named(portName))
		w.service("by-number", numbered(w.port))
		for _, c := range []struct {
			name, reason string
			selection    parameters
		}{
			{"service-name-name", "a port of the Service by its name leads to a port of the pods by its name",
				parameters{ServiceRef: &v1alpha1.ServiceReference{Name: "by-name", Port: named("https")}}},
			{"service-number-name", "a port of the Service by its number leads to a port of the pods by its name",
				parameters{ServiceRef: &v1alpha1.ServiceReference{Name: "by-name", Port: numbered(443)}}},
			{"service-name-number", "a port of the Service by its name leads to a port of the pods by its number",
				parameters{ServiceRef: &v1alpha1.ServiceReference{Name: "by-number", Port: named("https")}}},
			{"service-number-number", "a port of the Service by its number leads to a port of the pods by its number",
				parameters{ServiceRef: &v1alpha1.ServiceReference{Name: "by-number", Port: numbered(443)}}},
			{"pods-name", "a podSelector finds the host port by the name of the container's port",
				parameters{PodSelector: podsWith(app, named(portName))}},
			{"pods-number", "a podSelector's number is the host port",
				parameters{PodSelector: podsWith(app, numbered(w.port))}},
		} {
			arn := w.group(c.name)
			p := c.selection
			p.TargetGroupARN = &arn
			b := w.bind(c.name, p)
			w.holds(c.reason, arn, w.on(0, 1, 2)...)
			w.ready(b)
			w.tookSince(calls{}, c.reason+", with one call", arn, calls{Register: 1})
		}
	})
}

func TestTwoPodsOnOneInstanceAreTwoTargets(t *testing.T) {
	bothScopes(t, func(_ *testing.T, w *world) {
		arn := w.group("g")
		// Without the policy the other pod on the node counts as a successor for two
		// minutes.
		b := w.bind("b", parameters{
			TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName)), InPlaceRestart: ptr("Deregister"),
		})
		first := w.pod("first", 0)
		w.pod("second", 0, listeningOn(w.port+1))
		w.holds("a named port is looked up in each pod", arn,
			w.target(nodeName(0), w.port), w.target(nodeName(0), w.port+1))
		w.ready(b)
		w.healthy(b, 2)

		w.remove(first)
		w.holds("only the target of the pod that is gone leaves", arn, w.target(nodeName(0), w.port+1))
	})
}

func TestTwoPodsOnOneInstanceAndPortAreOneTarget(t *testing.T) {
	bothScopes(t, func(_ *testing.T, w *world) {
		arn := w.group("g")
		first := w.pod("first", 0)
		w.pod("second", 0)
		w.pod("elsewhere", 1)
		b := w.bind("b", parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))})
		w.holds("an instance and port is one target however many pods there are", arn, w.on(0, 1)...)
		w.ready(b)

		before := w.calls(arn)
		w.remove(first)
		w.pod("marker", 2)
		// Events of pods come in order: whoever knows of the last pod knows that the
		// first is gone.
		w.holds("the other pod keeps the target", arn, w.on(0, 1, 2)...)
		w.tookSince(before, "the pod that is gone took no call", arn, calls{Register: 1})
	})
}

func TestPodWithoutHostNetworkIsNoTarget(t *testing.T) {
	bothScopes(t, func(_ *testing.T, w *world) {
		arn := w.group("g")
		onPodNetwork := func(p *corev1.Pod) { p.Spec.HostNetwork = false }
		w.pod("inside", 0, onPodNetwork)
		b := w.bind("b", parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))})
		w.told("why nothing is registered can be seen", b, message{
			condition: "Skipped=True", says: []string{"none uses hostNetwork", "set spec.hostNetwork: true"},
		})
		w.pod("outside", 1)
		w.holds("it does not keep others from being registered", arn, w.on(1)...)
		w.ready(b)
	})
}

func TestNodeWithoutProviderIDIsSkipped(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		arn := w.group("g")
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: w.unique("bare")}}
		w.create(node)
		t.Cleanup(func() { _ = it.RemoveNode(context.Background(), node.Name) })
		w.pod("bare", 0, func(p *corev1.Pod) { p.Spec.NodeName = node.Name })
		w.pod("good", 1)
		b := w.bind("b", parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))})
		w.holds("it does not keep others from being registered", arn, w.on(1)...)
		w.told("the pod, the node and what it lacks are named", b, message{
			condition: "Skipped=True", says: []string{"bare", node.Name, "no EC2 instance id in its providerID"},
		})
		w.ready(b)
	})
}

func TestTargetGroupOfTypeIPTakesAddresses(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		arn := w.group("g", func(s *awssim.TargetGroupSeed) { s.Type = "ip" })
		b := w.bind("b", parameters{TargetGroupARN: &arn, TargetType: ptr("ip"), PodSelector: podsWith(app, named(portName))})
		pods := []*corev1.Pod{w.pod("a", 0), w.pod("b", 1)}
		var want []string
		for _, p := range pods {
			node := &corev1.Node{}
			if err := it.Client().Get(t.Context(), keyOf("", p.Spec.NodeName), node); err != nil {
				t.Fatal(err)
			}
			want = append(want, fmt.Sprintf("%s:%d", address(node), w.port))
		}
		w.holds("a hostNetwork pod has its node's address", arn, want...)
		w.ready(b)
		if got := b.ObservedState().AtProvider.OwnedTargets; !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("status.atProvider.ownedTargets is %v, want %v: what is ours cannot be told from addresses", got, want)
		}
		w.remove(pods[0])
		w.holds("it leaves with its pod", arn, want[1])
	})
}
