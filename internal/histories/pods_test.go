package histories

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// app is a workload and how its processes behave.
type app struct {
	name string
	// port of the host that takes traffic; check is the port of the health check,
	// the same unless it is set.
	port, check int32
	// pulls is how long a pod is Pending on its node, warms how long it then runs
	// before it is ready.
	pulls, warms time.Duration
	// drains is how long a process that is told to end goes on serving; with
	// failsCheck it fails its health check meanwhile.
	drains     time.Duration
	failsCheck bool
	daemonSet  bool
	// tolerates every taint.
	tolerates bool
	// undeclared: its pods do not declare the port, as they need not.
	undeclared bool
	// gates are the bindings that its pods' readiness gates name.
	gates []string
}

// running is a pod with its process.
type running struct {
	app     *app
	pod     *corev1.Pod
	machine *machine
	version int
	serial  int
	// made is when the pod was bound.
	made time.Time
	// up: the process accepts connections.
	up      bool
	upSince time.Time
	// ready, and since when that has not changed; since Kubernetes was told.
	ready bool
	since time.Time
	// ended is when it was told to end; zero if it was not.
	ended time.Time
	// mark is counted up by whatever makes earlier plans of the kubelet void.
	mark int
	gone bool
	// passed are the readiness gates that are True.
	passed map[string]bool
}

func (p *running) key() awssim.Key { return awssim.Key{ID: p.machine.id, Port: p.app.port} }

// start makes a pod that is bound to a machine.
func (k *kube) start(a *app, m *machine, version int) *running {
	uid := k.uid()
	p := &running{app: a, machine: m, version: version, serial: k.serial, since: time.Now(), made: time.Now(), passed: map[string]bool{}}
	owner := "ReplicaSet"
	if a.daemonSet {
		owner = "DaemonSet"
	}
	yes := true
	p.pod = &corev1.Pod{
		TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: fmt.Sprintf("%s-%d", a.name, k.serial), UID: uid, Labels: map[string]string{"app": a.name},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: owner, Name: a.name, UID: "owner", Controller: &yes}},
		},
		Spec: corev1.PodSpec{
			NodeName: m.name(), HostNetwork: true,
			Containers: []corev1.Container{{Name: "proxy", Image: "proxy", Ports: []corev1.ContainerPort{
				{Name: "https", ContainerPort: a.port, HostPort: a.port, Protocol: corev1.ProtocolTCP},
			}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	if a.undeclared {
		p.pod.Spec.Containers[0].Ports = nil
	}
	for _, binding := range a.gates {
		p.pod.Spec.ReadinessGates = append(p.pod.Spec.ReadinessGates, corev1.PodReadinessGate{ConditionType: gateOf(binding)})
	}
	k.pods[uid] = p
	k.api.put("pods", p.pod)
	k.later(p, a.pulls, func() { k.listen(p) })
	return p
}

// later does something for a pod, unless its fate has changed meanwhile.
func (k *kube) later(p *running, d time.Duration, do func()) {
	mark := p.mark
	k.clock.after(d, func() {
		if p.mark == mark && !p.gone {
			do()
		}
	})
}

// listen starts the process. While another one has the port it crashes, and the
// kubelet tries again.
func (k *kube) listen(p *running) {
	m := p.machine
	switch other := m.listens[p.app.port]; {
	case m.off:
		return
	case other != nil && other != p:
		k.later(p, 2*time.Second, func() { k.listen(p) })
		return
	}
	m.listens[p.app.port] = p
	p.up, p.upSince = true, time.Now()
	k.probe(p, awssim.Accepts, awssim.Accepts)
	k.tell(p, corev1.PodRunning, false)
	k.later(p, p.app.warms, func() { k.tell(p, corev1.PodRunning, true) })
}

// probe is what connections and health checks find.
func (k *kube) probe(p *running, traffic, check awssim.Probe) {
	k.sim.SetProbe(p.machine.id, p.app.port, traffic)
	if p.app.check != 0 {
		k.sim.SetProbe(p.machine.id, p.app.check, check)
	}
}

// tell writes a pod's status, if its node still talks.
func (k *kube) tell(p *running, phase corev1.PodPhase, ready bool) {
	if p.machine.off {
		return
	}
	if p.ready != ready {
		p.since = time.Now()
	}
	p.ready = ready
	p.pod.Status.Phase = phase
	p.pod.Status.HostIP = p.machine.node.Status.Addresses[0].Address
	p.pod.Status.PodIP = p.pod.Status.HostIP
	set(&p.pod.Status, corev1.PodCondition{Type: corev1.ContainersReady, Status: truth(ready), LastTransitionTime: metav1.NewTime(p.since.Add(k.skew))})
	k.conclude(p)
}

// remove deletes a pod as everybody does: it is told to end, and is gone when its
// process is.
func (k *kube) remove(p *running) {
	if p.gone || !p.ended.IsZero() {
		return
	}
	p.ended = time.Now()
	now := k.now()
	grace := int64(p.app.drains.Seconds()) + 30
	p.pod.DeletionTimestamp, p.pod.DeletionGracePeriodSeconds = &now, &grace
	k.api.put("pods", p.pod)
	if p.machine.off {
		return // nobody ends it
	}
	p.mark++
	if !p.up {
		k.later(p, time.Second, func() { k.forget(p) })
		return
	}
	if p.app.failsCheck {
		k.probe(p, awssim.Accepts, awssim.Refuses)
	}
	k.later(p, p.app.drains, func() {
		// It has stopped to accept, and finishes what it has.
		k.probe(p, awssim.Finishing, awssim.Refuses)
		k.down(p)
		k.later(p, time.Second, func() {
			k.dies(p, awssim.Refuses)
			k.later(p, time.Second, func() { k.forget(p) })
		})
	})
}

// dies: the process is gone, and Kubernetes does not know yet.
func (k *kube) dies(p *running, found awssim.Probe) {
	m := p.machine
	p.mark++
	k.down(p)
	if m.listens[p.app.port] == p {
		delete(m.listens, p.app.port)
		k.probe(p, found, found)
	}
}

// down: the process accepts no more.
func (k *kube) down(p *running) {
	if p.up {
		p.up = false
		k.quit(p)
	}
}

// crash ends the process without a word; the kubelet starts it again.
func (k *kube) crash(p *running) {
	if !p.up || !p.ended.IsZero() || p.machine.off || p.gone {
		return
	}
	k.dies(p, awssim.Refuses)
	k.tell(p, corev1.PodRunning, false)
	k.later(p, crashRestart, func() { k.listen(p) })
}

// falter: the process is there and calls itself not ready for a while.
func (k *kube) falter(p *running, d time.Duration) {
	if !p.ready || !p.ended.IsZero() || p.machine.off || p.gone {
		return
	}
	k.tell(p, corev1.PodRunning, false)
	k.later(p, d, func() { k.tell(p, corev1.PodRunning, true) })
}

// forget removes the Pod object. Its process may live on where its Node object is
// gone and the instance is not.
func (k *kube) forget(p *running) {
	if p.gone {
		return
	}
	p.gone = true
	delete(k.pods, p.pod.UID)
	k.api.remove("pods", p.pod)
	k.went(p)
}

// daemonSet keeps a pod on each machine, and rolls them over in place.
type daemonSet struct {
	app     *app
	version int
	// unavailable is how many may be missing during a rollout.
	unavailable int
}

func (d *daemonSet) sync(k *kube) {
	missing := 0
	var old []*running
	for _, m := range k.machines {
		if m.gone {
			continue
		}
		mine := k.where(func(p *running) bool { return p.app == d.app && p.machine == m })
		switch {
		case len(mine) == 0 && (!m.closed() || d.app.tolerates && !m.off):
			k.start(d.app, m, d.version)
			missing++
		case len(mine) > 0 && (!mine[0].available() || !mine[0].ended.IsZero()):
			missing++
		case len(mine) > 0 && mine[0].version != d.version:
			old = append(old, mine[0])
		}
	}
	for _, p := range old[:min(len(old), max(0, d.unavailable-missing))] {
		k.remove(p)
	}
}

func (d *daemonSet) done(k *kube) bool {
	for _, m := range k.open() {
		mine := k.where(func(p *running) bool { return p.app == d.app && p.machine == m })
		if len(mine) != 1 || !mine[0].rests(d.version) {
			return false
		}
	}
	return true
}

// rests: it is ready, of the latest version, and nobody ends it.
func (p *running) rests(version int) bool {
	return p.available() && p.ended.IsZero() && p.version == version && !p.machine.off && !p.machine.gone
}

// deployment keeps a number of pods, no two on one machine, and rolls them over by
// way of new ones elsewhere.
type deployment struct {
	app      *app
	version  int
	replicas int
	surge    int
	// gated says when a pod counts as ready, beside its readiness gates. Nil: at once.
	gated func(*running) bool
}

func (d *deployment) available(p *running) bool {
	return p.available() && p.ended.IsZero() && (d.gated == nil || d.gated(p))
}

func (d *deployment) sync(k *kube) {
	mine := k.where(func(p *running) bool { return p.app == d.app && p.ended.IsZero() })
	var old, fresh []*running
	available := 0
	for _, p := range mine {
		if p.version == d.version {
			fresh = append(fresh, p)
		} else {
			old = append(old, p)
		}
		if d.available(p) {
			available++
		}
	}
	for len(fresh) < d.replicas && len(old)+len(fresh) < d.replicas+d.surge {
		m := d.place(k)
		if m == nil {
			break
		}
		fresh = append(fresh, k.start(d.app, m, d.version))
	}
	// Old ones that are not available go at once, others when there are too many.
	for _, p := range old {
		if d.available(p) {
			if available <= d.replicas {
				continue
			}
			available--
		}
		k.remove(p)
	}
	for _, p := range fresh[min(len(fresh), d.replicas):] {
		k.remove(p)
	}
}

func (d *deployment) done(k *kube) bool {
	mine := k.where(func(p *running) bool { return p.app == d.app })
	for _, p := range mine {
		if !p.rests(d.version) {
			return false
		}
	}
	return len(mine) == d.replicas
}

// place is the scheduler: an open machine without a pod on the port, in the zone
// that has the fewest new ones, as with matchLabelKeys: [pod-template-hash].
func (d *deployment) place(k *kube) *machine {
	taken, byZone := map[*machine]bool{}, map[string]int{}
	for _, p := range k.pods {
		if p.app.port == d.app.port {
			taken[p.machine] = true
		}
		if p.app == d.app && p.version == d.version && p.ended.IsZero() {
			byZone[p.machine.zone]++
		}
	}
	var best *machine
	for _, m := range k.open() {
		if !taken[m] && (best == nil || byZone[m.zone] < byZone[best.zone]) {
			best = m
		}
	}
	return best
}

// drain evicts what can be evicted from a machine.
func (k *kube) drain(m *machine) {
	for _, p := range k.on(m) {
		if !p.app.daemonSet {
			k.remove(p)
		}
	}
}
