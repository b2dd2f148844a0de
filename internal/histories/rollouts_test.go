package histories

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// careful is a workload that does what docs/rollouts.md asks for: it fails its
// health check first, keeps serving, then exits.
func careful(name string) *app {
	return &app{name: name, port: 8443, check: 8080, pulls: 5 * time.Second, warms: 3 * time.Second, drains: 90 * time.Second, failsCheck: true}
}

// patient is a workload that goes on serving, its health check too, for as long as
// a deregistered target gets new connections.
func patient(w *world, name string) *app {
	return &app{name: name, port: 8443, pulls: 5 * time.Second, warms: 3 * time.Second, drains: w.profile.DeregisteredFlows.Max + time.Minute}
}

// A rollout is an act in a world where everything is well and users connect. None of
// their connections may fail.
type rollout struct {
	reason string
	act    func(w *world)
	// bare says that the users see an empty group, and their refusals are no fault.
	bare bool
}

var rollouts = map[string]rollout{
	"ADaemonSetIsRolledInPlace": {reason: "an instance target outlives its pod: no call, and AWS's health check takes the traffic away meanwhile", act: func(w *world) {
		a := careful("web")
		a.daemonSet = true
		ds := &daemonSet{app: a, version: 1, unavailable: 1}
		w.machinesIn(6)
		users := w.serve(ds, a)
		w.do(func() { clear(w.judges.writes); ds.version++ })
		w.rolled(a, func() int { return ds.version }, 6)
		w.run(10 * time.Minute)
		w.wrote(0, 0)
		w.served(users, 2)
	}},
	"TwoBindingsShareAGroup": {reason: "what one binding keeps for a pod that restarts is not another's to remove, also after a restart of the process", act: func(w *world) {
		one, two := careful("one"), careful("two")
		two.port, two.check = 9443, 9080
		one.daemonSet, two.daemonSet = true, true
		sets := []*daemonSet{{app: one, version: 1, unavailable: 1}, {app: two, version: 1, unavailable: 1}}
		one.check, two.check = 0, 0 // the group has one health check port: the traffic's
		w.machinesIn(6)
		w.do(func() { w.controllers = append(w.controllers, sets[0], sets[1]) })
		arn := w.groupOf("both", one)
		w.failsCheck[one.port], w.failsCheck[two.port] = false, false
		w.bind("one", arn, one)
		w.bind("two", arn, two)
		w.settled(15 * time.Minute)
		w.do(func() { clear(w.judges.writes); sets[0].version++; sets[1].version++ })
		w.run(3 * time.Minute)
		w.do(func() { w.restart = time.Now() })
		w.rolled(one, func() int { return 2 }, 6)
		w.rolled(two, func() int { return 2 }, 6)
		w.run(10 * time.Minute)
		w.wrote(0, 0)
	}},
	"ADeploymentMovesWithGates": {reason: "an old pod is told to end when AWS calls a new one healthy, and its target leaves at once", act: func(w *world) {
		a := patient(w, "web")
		d := &deployment{app: a, version: 1, replicas: 4, surge: 1, gated: w.healthy}
		w.machinesIn(8)
		users := w.serve(d, a)
		w.do(func() { clear(w.judges.writes); d.version++ })
		w.rolled(a, func() int { return d.version }, 4)
		w.settled(20 * time.Minute)
		w.served(users, 2)
	}},
	"ADeploymentMovesAllAtOnce": {reason: "with a surge of all pods old ones end as new ones are called healthy, wherever these are", act: func(w *world) {
		a := patient(w, "web")
		d := &deployment{app: a, version: 1, replicas: 4, surge: 4, gated: w.healthy}
		w.machinesIn(8)
		users := w.serve(d, a)
		w.do(func() { clear(w.judges.writes); d.version++ })
		w.rolled(a, func() int { return d.version }, 4)
		w.settled(20 * time.Minute)
		w.served(users, 1)
	}},
	"TheSelectionChanges": {reason: "the old targets leave within the departure budget as the new ones become healthy", act: func(w *world) {
		blue, green := patient(w, "blue"), patient(w, "green")
		green.port = 9443
		w.machinesIn(12)
		d := &deployment{app: blue, version: 1, replicas: 6}
		other := &deployment{app: green, version: 1, replicas: 6}
		w.do(func() { w.controllers = append(w.controllers, other) })
		users := w.serve(d, blue)
		w.do(func() { w.service("blue", "green", intstr.FromInt32(9443)) })
		w.settled(time.Hour)
		w.run(10 * time.Minute)
		w.served(users, 2)
	}},
	"BlueGreen": {reason: "each of two weighted groups keeps what its binding wants, also while both are rolled; what has no weight and no pod is held until its binding is deleted", act: blueGreen},
	"ThePortChanges": {reason: "processes that listen on both ports while the Service's targetPort changes lose nobody", act: func(w *world) {
		a := patient(w, "web")
		w.machinesIn(6)
		d := &deployment{app: a, version: 1, replicas: 6}
		users := w.serve(d, a)
		w.do(func() {
			for _, p := range w.pods {
				w.sim.SetProbe(p.machine.id, 9443, awssim.Accepts)
			}
			w.service("web", "web", intstr.FromInt32(9443))
		})
		w.settled(time.Hour)
		w.run(10 * time.Minute)
		w.served(users, 2)
	}},
	"ScaleToZeroAndBack": {reason: "while no pod matches everything is held, and what comes back elsewhere takes over", bare: true, act: func(w *world) {
		a := patient(w, "web")
		w.machinesIn(8)
		d := &deployment{app: a, version: 1, replicas: 4}
		arn := w.serve(d, a)[0].arn
		held := w.emptying(arn, a)
		w.do(func() { d.replicas = 0 })
		w.until("no pod is left", time.Hour, func() bool { return len(w.pods) == 0 })
		w.run(news)
		w.do(func() { clear(w.judges.writes) })
		w.run(20 * time.Minute)
		w.wrote(0, 0)
		held()
		w.do(func() { d.replicas = 4 })
		w.settled(30 * time.Minute)
	}},
	"ScaleToZeroOneByOne": {reason: "the last target of a zone leaves when its process is gone, while the other zone serves; that of the last pod of all is held", bare: true, act: scaledToZeroOneByOne},
	"RegisteredWhenScheduled": {reason: "registration overlaps image pull and start, and AWS's check holds the traffic back", act: func(w *world) {
		a := patient(w, "web")
		a.pulls, a.warms = 2*time.Minute, time.Minute
		d := &deployment{app: a, version: 1, replicas: 4, surge: 4, gated: w.healthy}
		w.machinesIn(8)
		users := w.serve(d, a, func(b *binding) { b.policy.RegisterScheduled = true })
		began := time.Now()
		w.do(func() { d.version++ })
		took := w.until("the new pods are healthy", 30*time.Minute, func() bool {
			n := 0
			for _, p := range w.pods {
				if p.version == d.version && d.available(p) {
					n++
				}
			}
			return n == 4
		})
		// Image pull and start take 3 minutes, registration in AWS up to 5.
		if most := max(3*time.Minute, w.profile.Registration.Max) + 3*checkEvery + prompt; took > most {
			w.t.Errorf("the new pods were healthy %s after the rollout began, want %s: the times must overlap", took, most)
		}
		w.rolled(a, func() int { return d.version }, 4)
		w.run(time.Until(began.Add(time.Hour)))
		w.served(users, 2)
	}},
}

func TestRollouts(t *testing.T) {
	for name, r := range rollouts {
		for _, profile := range []awssim.Profile{awssim.Observed, awssim.Worst} {
			t.Run(name+"/"+profile.Name, func(t *testing.T) {
				t.Parallel()
				inWorld(t, profile, func(w *world) {
					r.act(w)
					w.do(func() {
						if n := failures(w.users); n > 0 && !r.bare {
							t.Errorf("%d connections failed", n)
						}
					})
				})
				if t.Failed() {
					t.Logf("reason: %s", r.reason)
				}
			})
		}
	}
}

// serve lets a controller run an app, binds it, and lets users connect once all is
// well. The binding, its Service and its group have the app's name.
func (w *world) serve(c controller, a *app, edit ...func(*binding)) []*user {
	w.t.Helper()
	w.do(func() { w.controllers = append(w.controllers, c) })
	arn := w.groupOf(a.name, a)
	w.bind(a.name, arn, a, edit...)
	w.settled(15 * time.Minute)
	return w.connect(arn, time.Second, 20*time.Second)
}

// healthy says that AWS calls a pod's target healthy: what its gate waits for.
func (w *world) healthy(p *running) bool {
	if now := time.Now(); now != w.gates.at {
		w.gates.at, w.gates.healthy = now, map[awssim.Key]bool{}
		for _, arn := range w.groups() {
			for _, t := range w.sim.Targets(arn) {
				w.gates.healthy[t.Key] = w.gates.healthy[t.Key] || t.State == awssim.Healthy
			}
		}
	}
	return w.gates.healthy[p.key()]
}

// rolled waits until all pods of an app are of its version, and ready.
func (w *world) rolled(a *app, version func() int, n int) {
	w.t.Helper()
	w.until("all pods are new", 3*time.Hour, func() bool {
		fresh := 0
		for _, p := range w.pods {
			if p.app != a {
				continue
			}
			if p.version != version() || p.pod.Status.Phase != corev1.PodRunning || !p.ready {
				return false
			}
			fresh++
		}
		return fresh == n
	})
}

// served asserts that users had at least so many serving targets in each zone.
func (w *world) served(users []*user, least int) {
	w.t.Helper()
	for _, u := range users {
		r := u.Report()
		if r.LeastServing[u.zone] < least {
			w.t.Errorf("least serving in %s: %d, want %d", u.zone, r.LeastServing[u.zone], least)
		}
		if r.Attempts < 60 {
			w.t.Errorf("only %d attempts to connect", r.Attempts)
		}
	}
}

// wrote asserts how many calls changed targets.
func (w *world) wrote(register, deregister int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.judges.writes; got["RegisterTargets"] != register || got["DeregisterTargets"] != deregister {
		w.t.Errorf("calls of RegisterTargets: %d, of DeregisterTargets: %d; want %d and %d\n%s",
			got["RegisterTargets"], got["DeregisterTargets"], register, deregister, w.calls())
	}
}
