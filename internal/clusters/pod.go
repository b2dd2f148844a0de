package clusters

import (
	"reflect"
	"time"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// excludeAnnotation takes a pod out by hand (binding.md §2).
const excludeAnnotation = "nlb.crossplane.io/exclude"

// An objectKey names an object within its kind.
type objectKey struct{ namespace, name string }

// A pod is a Pod trimmed to what plans and selectors need. It never changes once
// it is in the table.
type pod struct {
	targets.Pod
	labels labelSet
	// shared keep the interned namespace and node name alive.
	shared [2]unique.Handle[string]
	// seq numbers pods by UID in the order in which they were first seen.
	seq uint64
}

func (p *pod) key() objectKey { return objectKey{p.Namespace, p.Name} }

// same says that nothing which concerns us differs.
func (p *pod) same(o *pod) bool {
	return p.labels == o.labels && reflect.DeepEqual(p.Pod, o.Pod)
}

// trimPod returns nil for a pod that can never be a target: neither hostNetwork
// nor, in host-port mode, with a hostPort. So a pod that is not streamed and one
// that is left out here look the same.
func (c *Cluster) trimPod(obj any) *pod {
	in, ok := obj.(*corev1.Pod)
	if !ok {
		return nil
	}
	ports := trimPorts(in)
	if !in.Spec.HostNetwork && (!c.hostPorts || !hasHostPort(ports)) {
		return nil
	}
	out := &pod{
		Pod: targets.Pod{
			PodRef:      targets.PodRef{Name: in.Name, UID: string(in.UID)},
			IP:          in.Status.PodIP,
			HostNetwork: in.Spec.HostNetwork,
			Phase:       phase(in.Status.Phase),
			Terminating: terminating(in),
			Excluded:    in.Annotations[excludeAnnotation] == "true",
			Static:      in.Annotations[corev1.MirrorPodAnnotationKey] != "",
			PreStop:     eachContainer(in, hasPreStop),
			Grace:       graceOf(in),
			Ports:       ports,
		},
		labels: compact(in.Labels),
		shared: [2]unique.Handle[string]{unique.Make(in.Namespace), unique.Make(in.Spec.NodeName)},
	}
	out.Namespace, out.Node = out.shared[0].Value(), out.shared[1].Value()
	if owner := metav1.GetControllerOfNoCopy(in); owner != nil {
		out.DaemonSet = owner.Kind == "DaemonSet"
	}
	if out.IP == "" && out.HostNetwork {
		out.IP = in.Status.HostIP
	}
	out.ContainersReady, out.UnreadySince = readiness(in)
	out.Gates, out.ReadySince = trimGates(in)
	return out
}

// terminating: a deletionTimestamp, or condition DisruptionTarget=True, which is
// set before an eviction deletes the pod.
func terminating(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil {
		return true
	}
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == corev1.DisruptionTarget {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// readiness reads condition ContainersReady and, if it is False, since when.
func readiness(p *corev1.Pod) (bool, time.Time) {
	for i := range p.Status.Conditions {
		c := &p.Status.Conditions[i]
		if c.Type != corev1.ContainersReady {
			continue
		}
		if c.Status == corev1.ConditionFalse {
			return false, c.LastTransitionTime.UTC()
		}
		return c.Status == corev1.ConditionTrue, time.Time{}
	}
	return false, time.Time{}
}

// phase returns the constant, so that the decoded string can be freed.
func phase(p corev1.PodPhase) string {
	for _, known := range []corev1.PodPhase{corev1.PodRunning, corev1.PodPending, corev1.PodSucceeded, corev1.PodFailed} {
		if p == known {
			return string(known)
		}
	}
	return string(corev1.PodUnknown)
}

// trimPorts are the ports of containers and of init containers that keep running.
func trimPorts(p *corev1.Pod) []targets.Port {
	var out []targets.Port
	eachContainer(p, func(c *corev1.Container) bool {
		for _, port := range c.Ports {
			if protocol, ok := trimProtocol(port.Protocol); ok {
				out = append(out, targets.Port{
					Name: port.Name, Protocol: protocol, Container: port.ContainerPort, Host: port.HostPort, HostIP: port.HostIP,
					PreStop: hasPreStop(c),
				})
			}
		}
		return false
	})
	return out
}

// eachContainer visits the containers, and the init containers that keep running,
// until one says true, and says whether one did.
func eachContainer(p *corev1.Pod, visit func(*corev1.Container) bool) bool {
	for i := range p.Spec.Containers {
		if visit(&p.Spec.Containers[i]) {
			return true
		}
	}
	for i := range p.Spec.InitContainers {
		if r := p.Spec.InitContainers[i].RestartPolicy; r != nil && *r == corev1.ContainerRestartPolicyAlways && visit(&p.Spec.InitContainers[i]) {
			return true
		}
	}
	return false
}

func hasPreStop(c *corev1.Container) bool { return c.Lifecycle != nil && c.Lifecycle.PreStop != nil }

// graceOf is the pod's termination grace period; the API server writes the default
// into every pod.
func graceOf(p *corev1.Pod) time.Duration {
	if s := p.Spec.TerminationGracePeriodSeconds; s != nil {
		return time.Duration(*s) * time.Second
	}
	return corev1.DefaultTerminationGracePeriodSeconds * time.Second
}

// trimProtocol is false for what no Network Load Balancer forwards.
func trimProtocol(p corev1.Protocol) (targets.Protocol, bool) {
	switch p {
	case corev1.ProtocolTCP, "":
		return targets.ProtocolTCP, true
	case corev1.ProtocolUDP:
		return targets.ProtocolUDP, true
	default:
		return "", false
	}
}

func hasHostPort(ports []targets.Port) bool {
	for _, p := range ports {
		if p.Host != 0 {
			return true
		}
	}
	return false
}

// A podTable holds pods by namespace, for selectors, and by node.
type podTable struct {
	byNamespace map[string]map[objectKey]*pod
	byNode      map[string]map[objectKey]*pod
	seq         uint64
	listed      bool
}

func newPodTable() podTable {
	return podTable{byNamespace: map[string]map[objectKey]*pod{}, byNode: map[string]map[objectKey]*pod{}}
}

func (t *podTable) get(key objectKey) *pod { return t.byNamespace[key.namespace][key] }

func (t *podTable) put(p *pod) {
	t.remove(p.key())
	insert(t.byNamespace, p.Namespace, p.key(), p)
	if p.Node != "" {
		insert(t.byNode, p.Node, p.key(), p)
	}
}

func (t *podTable) remove(key objectKey) {
	if p := t.get(key); p != nil {
		erase(t.byNamespace, p.Namespace, key)
		erase(t.byNode, p.Node, key)
	}
}

// insert and erase keep a map of maps without empty inner maps.
func insert[A, B comparable, V any](m map[A]map[B]V, a A, b B, v V) {
	if m[a] == nil {
		m[a] = map[B]V{}
	}
	m[a][b] = v
}

func erase[A, B comparable, V any](m map[A]map[B]V, a A, b B) {
	delete(m[a], b)
	if len(m[a]) == 0 {
		delete(m, a)
	}
}
