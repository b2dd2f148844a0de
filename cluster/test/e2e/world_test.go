package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	appLabel = "app"
	// app of the pods that tests select, and the name of their port.
	app, portName = "proxy", "https"
)

// A world is what one test in one scope has for itself.
type world struct {
	t     *testing.T
	scope scope
	// ns is its namespace.
	ns string
	// region is its region of AWS, with the nodes' instances.
	region string
	// port is the first of ten host ports that no other test uses, on any node.
	port int32

	bindings []binding
	// whole is the complete example, if the test uses it.
	whole *whole
}

var worlds atomic.Int32

func newWorld(t *testing.T, s scope) *world {
	n := worlds.Add(1)
	w := &world{t: t, scope: s, ns: fmt.Sprintf("e2e-%d", n), region: regionName(int(n)), port: 10000 + 10*n}
	it.SeedNetwork(w.region)
	for i := range nodes {
		w.seed(nodeName(i))
	}
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.ns}})
	t.Cleanup(w.cleanup)
	return w
}

// seed lets the instance of a node exist in the test's region, in security groups.
// Without any it admits everybody.
func (w *world) seed(node string, groups ...string) {
	w.t.Helper()
	n := &corev1.Node{}
	if err := it.Client().Get(w.t.Context(), client.ObjectKey{Name: node}, n); err != nil {
		w.t.Fatal(err)
	}
	it.Sim.SeedInstance(awssim.Instance{
		ID: stack.InstanceID(n), Region: w.region, Zone: n.Labels[corev1.LabelTopologyZone], VPC: stack.VPC,
		SecurityGroups: groups,
	})
}

// dump shows what happened if the test failed.
func (w *world) dump() {
	if !w.t.Failed() {
		return
	}
	for _, b := range w.bindings {
		w.t.Logf("%s\n%s", w.show(context.Background(), b), it.ProviderLogAbout(b.GetName(), 25))
	}
	if w.whole != nil {
		w.whole.dump()
	}
	w.t.Logf("the provider's log ends with\n%s", it.ProviderLog())
}

// cleanup does not wait for what it deletes: it only keeps the provider from
// working for tests that are over.
func (w *world) cleanup() {
	w.dump()
	ctx := context.Background()
	for _, b := range w.bindings {
		_ = it.Client().Delete(ctx, b)
	}
	if w.whole != nil {
		for _, o := range w.whole.managed {
			_ = it.Client().Delete(ctx, o)
		}
	}
	_ = it.Client().Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.ns}})
}

// show is a binding as kubectl describe shows it.
func (w *world) show(ctx context.Context, b client.Object) string {
	_ = it.Client().Get(ctx, client.ObjectKeyFromObject(b), b)
	b.SetManagedFields(nil)
	out, err := yaml.Marshal(b)
	if err != nil {
		return err.Error()
	}
	events, _ := w.events(ctx, b)
	return string(out) + strings.Join(events, "\n")
}

// create an object.
func (w *world) create(o client.Object) {
	w.t.Helper()
	if err := it.Client().Create(w.t.Context(), o); err != nil {
		w.t.Fatalf("cannot create %T %s: %v", o, o.GetName(), err)
	}
}

// bind creates a binding.
func (w *world) bind(name string, p parameters) binding {
	w.t.Helper()
	return w.apply(w.binding(name, p))
}

// apply creates a binding and remembers it.
func (w *world) apply(b binding) binding {
	w.t.Helper()
	w.create(b)
	w.bindings = append(w.bindings, b)
	return b
}

// remove an object.
func (w *world) remove(o client.Object) {
	w.t.Helper()
	if err := it.Client().Delete(w.t.Context(), o, client.GracePeriodSeconds(0)); client.IgnoreNotFound(err) != nil {
		w.t.Fatal(err)
	}
}

// patch merges into an object.
func (w *world) patch(o client.Object, patch string) {
	w.t.Helper()
	if err := it.Client().Patch(w.t.Context(), o, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		w.t.Fatal(err)
	}
}

// annotate an object; an empty value removes the annotation.
func (w *world) annotate(o client.Object, key, value string) {
	w.t.Helper()
	quoted := fmt.Sprintf("%q", value)
	if value == "" {
		quoted = "null"
	}
	w.patch(o, fmt.Sprintf(`{"metadata":{"annotations":{%q:%s}}}`, key, quoted))
}

// group makes a target group that somebody else has created, with a listener.
func (w *world) group(name string, change ...func(*awssim.TargetGroupSeed)) string {
	w.t.Helper()
	seed := awssim.TargetGroupSeed{Region: w.region, VPC: stack.VPC, Name: w.unique(name), Protocol: "TCP", Port: w.port}
	for _, c := range change {
		c(&seed)
	}
	arn, err := it.Sim.SeedTargetGroup(seed)
	if err != nil {
		w.t.Fatal(err)
	}
	w.listen(arn)
	return arn
}

// listen lets a listener use a target group.
func (w *world) listen(arn string) {
	w.t.Helper()
	if _, err := it.Sim.AttachListener(arn, awssim.Listener{Zones: stack.Zones}); err != nil {
		w.t.Fatal(err)
	}
}

// pod makes a hostNetwork pod on a node. It listens on the test's first port.
func (w *world) pod(name string, node int, change ...func(*corev1.Pod)) *corev1.Pod {
	w.t.Helper()
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name, Labels: map[string]string{appLabel: app}},
		Spec: corev1.PodSpec{
			NodeName: nodeName(node), HostNetwork: true,
			Containers: []corev1.Container{{
				Name: "proxy", Image: "registry.k8s.io/pause:3.10",
				Ports: []corev1.ContainerPort{{Name: portName, ContainerPort: w.port}},
			}},
		},
	}
	for _, c := range change {
		c(p)
	}
	w.create(p)
	return p
}

func nodeName(n int) string { return fmt.Sprintf("node-%d", n) }

// listeningOn is a change of pod: another port.
func listeningOn(port int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].Ports[0].ContainerPort = port }
}

// service makes a ClusterIP Service whose port 443, named https, leads to the
// target port of the pods.
func (w *world) service(name string, target intstr.IntOrString) *corev1.Service {
	w.t.Helper()
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{appLabel: app},
			Ports:    []corev1.ServicePort{{Name: "https", Port: 443, TargetPort: target}},
		},
	}
	w.create(s)
	return s
}

// instance of a node.
func (w *world) instance(node string) string {
	w.t.Helper()
	n := &corev1.Node{}
	if err := it.Client().Get(w.t.Context(), client.ObjectKey{Name: node}, n); err != nil {
		w.t.Fatal(err)
	}
	return stack.InstanceID(n)
}

// on are the targets of nodes at the test's first port.
func (w *world) on(nodes ...int) []string {
	w.t.Helper()
	var out []string
	for _, n := range nodes {
		out = append(out, w.target(nodeName(n), w.port))
	}
	return out
}

// target of a node, as "i-0a1b…:8443".
func (w *world) target(node string, port int32) string {
	w.t.Helper()
	return stack.Target{ID: w.instance(node), Port: port}.String()
}

func keyOf(namespace, name string) client.ObjectKey {
	return client.ObjectKey{Namespace: namespace, Name: name}
}

// address of a node in the VPC.
func address(n *corev1.Node) string {
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}

// of is the same world for a subtest.
func (w *world) of(t *testing.T) *world {
	sub := &world{t: t, scope: w.scope, ns: w.ns, region: w.region, port: w.port}
	t.Cleanup(sub.dump)
	return sub
}
