package histories

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// karpenter disrupts a node. It may think better of it; else it evicts the pods,
// deletes the Node object, whose finalizer waits, and terminates the instance.
func (w *world) karpenter(m *machine, undone bool) {
	w.leaving++
	w.taint(m, "karpenter.sh/disrupted", corev1.TaintEffectNoSchedule)
	w.agenda.after(90*time.Second, func() {
		if undone {
			w.untaint(m, "karpenter.sh/disrupted")
			w.leaving--
			return
		}
		now := w.now()
		w.edit(m, func(n *corev1.Node) { n.DeletionTimestamp, n.Finalizers = &now, []string{"karpenter.sh/termination"} })
		w.evict(m, func() { w.terminate(m); w.leaving-- })
	})
}

// autoscaler scales a node down.
func (w *world) autoscaler(m *machine) {
	w.leaving++
	w.taint(m, "DeletionCandidateOfClusterAutoscaler", corev1.TaintEffectPreferNoSchedule)
	w.agenda.after(time.Minute, func() {
		w.taint(m, "ToBeDeletedByClusterAutoscaler", corev1.TaintEffectNoSchedule)
		w.evict(m, func() { w.terminate(m); w.leaving-- })
	})
}

// spot is an interruption with two minutes' notice, as the termination handler
// passes it on.
func (w *world) spot(m *machine) {
	w.leaving++
	w.taint(m, "aws-node-termination-handler/spot-itn", corev1.TaintEffectNoSchedule)
	w.cordon(m, true)
	w.drain(m)
	w.agenda.after(2*time.Minute, func() { w.terminate(m); w.leaving-- })
}

// evict drains a machine and then does something, when what can be evicted is gone.
func (w *world) evict(m *machine, then func()) {
	var wait func()
	wait = func() {
		w.cordon(m, true)
		w.drain(m)
		if slices.ContainsFunc(w.on(m), func(p *running) bool { return !p.app.daemonSet }) && !m.off && !m.gone {
			w.agenda.after(5*time.Second, wait)
			return
		}
		then()
	}
	wait()
}

// restore a node to what it was.
func (w *world) restore(m *machine) {
	w.edit(m, func(n *corev1.Node) {
		n.Spec.Taints, n.Spec.Unschedulable = nil, false
		n.Status.Conditions[0].Status = corev1.ConditionTrue
		delete(n.Labels, corev1.LabelNodeExcludeBalancers)
	})
}

// rejoin is a kubelet that makes its Node object anew.
func (w *world) rejoin(m *machine) {
	if !m.gone {
		return
	}
	m.gone, m.signalled = false, time.Now()
	m.node.UID = w.uid()
	w.api.put("nodes", m.node)
}
