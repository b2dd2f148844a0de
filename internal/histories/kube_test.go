package histories

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// What Kubernetes takes for its own doings; the defaults of its components.
const (
	// noticed: the node lifecycle controller calls a silent node Unknown.
	noticed = 40 * time.Second
	// evicted: pods without a toleration leave a node that cannot be reached.
	evicted = 300 * time.Second
	// collected: pods of a node that does not exist are removed.
	collected = 40 * time.Second
	// crashRestart is how long a container that has crashed is down.
	crashRestart = 10 * time.Second
)

// machine is an EC2 instance with the node that it makes.
type machine struct {
	node     *corev1.Node
	id, zone string
	// off: the instance is stopped or terminated.
	off bool
	// gone: the Node object is deleted.
	gone bool
	// listens has the pod whose process has a port.
	listens map[int32]*running
	// signalled is when its taints and labels changed last.
	signalled time.Time
}

func (m *machine) name() string { return m.node.Name }

// closed says whether new pods are kept off.
func (m *machine) closed() bool {
	return m.off || m.gone || m.node.Spec.Unschedulable || m.node.DeletionTimestamp != nil ||
		slices.ContainsFunc(m.node.Spec.Taints, func(t corev1.Taint) bool { return t.Effect != corev1.TaintEffectPreferNoSchedule })
}

// kube is a model of Kubernetes: what its components do with nodes and pods, and
// say of them. Callers hold the world's lock.
type kube struct {
	api      *apiServer
	sim      *awssim.Sim
	clock    *agenda
	machines []*machine
	pods     map[types.UID]*running
	services map[string]*corev1.Service
	// edited is when a Service was made, changed or deleted last.
	edited map[string]time.Time
	serial int
	// skew is how much later Kubernetes' clock is than the provider's.
	skew        time.Duration
	controllers []controller
	// went is told of each Pod object that is removed, quit of each process that
	// accepts no more.
	went, quit func(*running)
}

// controller is one of the loops of kube-controller-manager.
type controller interface {
	sync(k *kube)
	// done says that everything is as it should be, and nothing goes on.
	done(k *kube) bool
}

func (k *kube) now() metav1.Time { return metav1.NewTime(time.Now().Add(k.skew)) }

// addMachine starts an instance that joins the cluster.
func (k *kube) addMachine(zone string) *machine {
	k.serial++
	m := &machine{id: fmt.Sprintf("i-%017x", k.serial), zone: zone, listens: map[int32]*running{}}
	address := fmt.Sprintf("10.0.%d.%d", k.serial/250, k.serial%250+1)
	k.sim.SeedInstance(awssim.Instance{ID: m.id, Region: region, Zone: zone, VPC: vpc, PrivateIP: address})
	m.node = &corev1.Node{
		TypeMeta:   metav1.TypeMeta{Kind: "Node", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Name: "node-" + m.id[12:], UID: k.uid(), Labels: map[string]string{corev1.LabelTopologyZone: zone}},
		Spec:       corev1.NodeSpec{ProviderID: "aws:///" + zone + "/" + m.id},
		Status: corev1.NodeStatus{
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}
	m.signalled = time.Now()
	k.machines = append(k.machines, m)
	k.api.put("nodes", m.node)
	return m
}

func (k *kube) uid() types.UID {
	k.serial++
	return types.UID(fmt.Sprintf("00000000-0000-0000-0000-%012d", k.serial))
}

// edit changes a Node object that is still there.
func (k *kube) edit(m *machine, change func(*corev1.Node)) {
	if m.gone {
		return
	}
	change(m.node)
	m.signalled = time.Now()
	k.api.put("nodes", m.node)
}

func (k *kube) taint(m *machine, key string, effect corev1.TaintEffect) {
	k.edit(m, func(n *corev1.Node) { n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: effect}) })
}

func (k *kube) untaint(m *machine, key string) {
	k.edit(m, func(n *corev1.Node) {
		n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == key })
	})
}

func (k *kube) label(m *machine, key string, on bool) {
	k.edit(m, func(n *corev1.Node) {
		if on {
			n.Labels[key] = "true"
		} else {
			delete(n.Labels, key)
		}
	})
}

func (k *kube) cordon(m *machine, on bool) {
	k.edit(m, func(n *corev1.Node) { n.Spec.Unschedulable = on })
}

// setReady is the node's condition, with the taint that the node lifecycle
// controller puts with it. It says nothing of the pods' containers.
func (k *kube) setReady(m *machine, status corev1.ConditionStatus) {
	keys := map[corev1.ConditionStatus]string{corev1.ConditionFalse: corev1.TaintNodeNotReady, corev1.ConditionUnknown: corev1.TaintNodeUnreachable}
	k.edit(m, func(n *corev1.Node) {
		n.Status.Conditions[0].Status = status
		n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, func(t corev1.Taint) bool {
			return t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable
		})
		if key := keys[status]; key != "" {
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: corev1.TaintEffectNoExecute})
		}
	})
}

// stop an instance behind Kubernetes' back. The node goes silent; its pods are
// evicted from it by mark after a time, and stay there, since no kubelet ends them.
func (k *kube) stop(m *machine, state awssim.InstanceState) {
	if m.off {
		return
	}
	m.off = true
	k.sim.SetInstanceState(m.id, state)
	for _, p := range k.on(m) {
		k.dies(p, awssim.TimesOut)
	}
	k.clock.after(noticed, func() {
		if m.off {
			k.setReady(m, corev1.ConditionUnknown)
		}
	})
	k.clock.after(noticed+evicted, func() {
		for _, p := range k.on(m) {
			if m.off && !p.app.daemonSet {
				k.remove(p)
			}
		}
	})
}

// terminate is stop, and the cloud controller deletes the Node object in the end.
func (k *kube) terminate(m *machine) {
	k.stop(m, awssim.Terminated)
	k.clock.after(noticed+20*time.Second, func() { k.deleteNode(m) })
}

// deleteNode deletes the Node object, whatever the instance does. Its pods are
// collected; the processes of an instance that lives go on.
func (k *kube) deleteNode(m *machine) {
	if m.gone {
		return
	}
	m.gone, m.signalled = true, time.Now()
	k.api.remove("nodes", m.node)
	k.clock.after(collected, func() {
		for _, p := range k.on(m) {
			if m.gone {
				k.forget(p)
			}
		}
	})
}

// on are the pods on a machine, in order.
func (k *kube) on(m *machine) []*running {
	return k.where(func(p *running) bool { return p.machine == m })
}

// where are the pods of a kind, in the order in which they were made.
func (k *kube) where(is func(*running) bool) []*running {
	var out []*running
	for _, p := range k.pods {
		if is(p) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *running) int { return a.serial - b.serial })
	return out
}

// open are the machines that take new pods.
func (k *kube) open() []*machine {
	return slices.DeleteFunc(slices.Clone(k.machines), (*machine).closed)
}

// service makes or changes a Service.
func (k *kube) service(name, app string, port intstr.IntOrString) {
	s := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{Kind: "Service", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name)},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": app},
			Ports:    []corev1.ServicePort{{Name: "https", Port: 443, TargetPort: port, Protocol: corev1.ProtocolTCP}},
		},
	}
	k.services[name], k.edited[name] = s, time.Now()
	k.api.put("services", s)
}

func (k *kube) deleteService(name string) {
	if s := k.services[name]; s != nil {
		delete(k.services, name)
		k.edited[name] = time.Now()
		k.api.remove("services", s)
	}
}
