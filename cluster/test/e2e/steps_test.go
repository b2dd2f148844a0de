package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// TestTheMainJob is the demo: a DaemonSet on nodes that come and go, with a
// TargetGroup of ours.
func TestTheMainJob(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		p := w.pool(8)
		p.join(0, 1, 2, 3, 4)
		w.create(p.daemonSet())
		w.service("proxy", named(portName))
		w.create(w.targetGroup("group", v1alpha1.TargetGroupParameters{
			Region: w.region, Protocol: ptr("TCP"), Port: &w.port, VPCID: ptr(stack.VPC),
		}))
		b := w.bind("b", parameters{
			TargetGroupARNRef: &v1alpha1.Reference{Name: w.meta("group").Name},
			ServiceRef:        &v1alpha1.ServiceReference{Name: "proxy", Port: named("https")},
			// What the binding did not make must survive it.
			Ownership: ptr("Shared"),
		})
		w.ready(b)
		arn := b.ObservedState().AtProvider.TargetGroupARN
		w.listen(arn)
		w.holds("each instance that runs a pod is a target, and no other", arn, p.targets(0, 1, 2, 3, 4)...)

		p.join(5, 6, 7)
		w.holds("three more nodes are three more targets", arn, p.targets(0, 1, 2, 3, 4, 5, 6, 7)...)
		w.healthy(b, 8)

		before := w.calls(arn)
		p.roll()
		w.tookSince(before, "rolling the DaemonSet in place", arn, calls{})
		w.holds("it changes nothing", arn, p.targets(0, 1, 2, 3, 4, 5, 6, 7)...)

		w.unreadyPods(p, arn)

		before = w.calls(arn)
		p.lose(2)
		w.holds("the target of a node that is gone leaves", arn, p.targets(0, 1, 3, 4, 5, 6, 7)...)
		w.tookSince(before, "a node that is gone", arn, calls{Deregister: 1})

		before = w.calls(arn)
		it.Sim.DropTarget(arn, w.instance(p.names[0]), w.port)
		w.holds("what somebody else removed is put back", arn, p.targets(0, 1, 3, 4, 5, 6, 7)...)
		w.tookSince(before, "the repair", arn, calls{Register: 1})

		before = w.calls(arn)
		w.remove(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "proxy"}})
		w.told("a Service that is deleted by mistake drains nothing, and it is said", b, message{
			condition: "Held=True", says: []string{"Service " + w.ns + "/proxy does not exist"},
		})
		w.ready(b)
		w.holds("the targets are held", arn, p.targets(0, 1, 3, 4, 5, 6, 7)...)
		w.service("proxy", named(portName))
		w.without("the Service is back", b, "Held")
		w.tookSince(before, "deleting and creating the Service", arn, calls{})

		foreign := "i-0123456789abcdef0"
		it.Sim.SeedInstance(awssim.Instance{ID: foreign, Region: w.region, Zone: stack.Zones[0], VPC: stack.VPC})
		if err := it.Sim.PutTarget(arn, foreign, w.port); err != nil {
			t.Fatal(err)
		}
		w.remove(b)
		w.gone("the binding goes when AWS holds nothing of it any more", b)
		w.holds("its targets go, and what it did not make stays", arn, fmt.Sprintf("%s:%d", foreign, w.port))
	})
}

// unreadyPods: seven of eight pods become unready, and nothing leaves. That
// nothing happens cannot be waited for; but events of pods come in order, so
// whoever has registered a pod that came later has seen that the others are
// unready.
func (w *world) unreadyPods(p *pool, arn string) {
	w.t.Helper()
	before := w.calls(arn)
	p.setReady(7, corev1.ConditionFalse)
	marker := w.pod("marker", 0)
	w.holds("unready pods stay registered: AWS's health check decides", arn,
		append(p.targets(0, 1, 2, 3, 4, 5, 6, 7), w.on(0)...)...)
	w.tookSince(before, "seven unready pods", arn, calls{Register: 1})

	p.setReady(7, corev1.ConditionTrue)
	w.remove(marker)
	w.holds("a pod without successor leaves at once", arn, p.targets(0, 1, 2, 3, 4, 5, 6, 7)...)
	w.tookSince(before, "the marker", arn, calls{Register: 1, Deregister: 1})
}

// A pool is nodes of a test's own, and a DaemonSet on those of them that joined.
type pool struct {
	*world
	names []string
	// ids of the instances, which outlive their nodes.
	ids []string
}

// pool adds nodes.
func (w *world) pool(n int) *pool {
	w.t.Helper()
	specs := local.Nodes(w.unique("node"), n, stack.Zones...)
	if err := it.AddNodes(w.t.Context(), specs...); err != nil {
		w.t.Fatal(err)
	}
	p := &pool{world: w}
	for _, s := range specs {
		w.seed(s.Name)
		p.names = append(p.names, s.Name)
		p.ids = append(p.ids, w.instance(s.Name))
	}
	return p
}

// targets of nodes at the test's first port.
func (p *pool) targets(nodes ...int) []string {
	var out []string
	for _, n := range nodes {
		out = append(out, fmt.Sprintf("%s:%d", p.ids[n], p.port))
	}
	return out
}

// join lets the DaemonSet run on nodes.
func (p *pool) join(nodes ...int) {
	p.t.Helper()
	for _, n := range nodes {
		if err := it.LabelNodes(p.t.Context(), "pool", p.ns, p.names[n]); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *pool) daemonSet() *appsv1.DaemonSet {
	// Its selector is narrower than the Service's: it would take over, and delete,
	// other pods that match.
	set := map[string]string{"set": "proxy"}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.ns, Name: "proxy"},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: set},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{appLabel: app, "set": "proxy"}},
				Spec: corev1.PodSpec{
					HostNetwork:  true,
					NodeSelector: map[string]string{"pool": p.ns},
					Containers: []corev1.Container{{
						Name: "proxy", Image: "registry.k8s.io/pause:3.10",
						Ports: []corev1.ContainerPort{{Name: portName, ContainerPort: p.port}},
					}},
				},
			},
		},
	}
}

// roll replaces every pod on its node and waits until that is done.
func (p *pool) roll() {
	p.t.Helper()
	set := p.daemonSet()
	p.patch(set, `{"spec":{"template":{"metadata":{"annotations":{"example.org/version":"2"}}}}}`)
	p.eventually("the DaemonSet has been rolled", func(ctx context.Context) error {
		if err := it.Client().Get(ctx, client.ObjectKeyFromObject(set), set); err != nil {
			return err
		}
		n := set.Status.DesiredNumberScheduled
		if set.Status.ObservedGeneration != set.Generation || set.Status.UpdatedNumberScheduled != n || set.Status.NumberReady != n {
			return fmt.Errorf("%+v", set.Status)
		}
		return nil
	})
}

// setReady sets the readiness of n pods, as kubelet would.
func (p *pool) setReady(n int, status corev1.ConditionStatus) {
	p.t.Helper()
	pods := &corev1.PodList{}
	if err := it.Client().List(p.t.Context(), pods, client.InNamespace(p.ns), client.HasLabels{"controller-revision-hash"}); err != nil {
		p.t.Fatal(err)
	}
	if len(pods.Items) < n {
		p.t.Fatalf("there are %d pods, want at least %d", len(pods.Items), n)
	}
	for _, pod := range pods.Items[:n] {
		for i, c := range pod.Status.Conditions {
			if slices.Contains([]corev1.PodConditionType{corev1.PodReady, corev1.ContainersReady}, c.Type) {
				pod.Status.Conditions[i].Status = status
				pod.Status.Conditions[i].LastTransitionTime = metav1.Now()
			}
		}
		if err := it.Client().Status().Update(p.t.Context(), &pod); err != nil {
			p.t.Fatal(err)
		}
	}
}

// lose a node together with its instance.
func (p *pool) lose(n int) {
	p.t.Helper()
	it.Sim.SetInstanceState(p.ids[n], awssim.ShuttingDown)
	if err := it.RemoveNode(p.t.Context(), p.names[n]); err != nil {
		p.t.Fatal(err)
	}
}
