package histories

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// departure is something that befalls nodes which serve a DaemonSet, whose processes
// do what they should.
type departure struct {
	reason string
	nodes  int
	// act does it; what follows is judged.
	act func(w *world, all []*machine)
	// lasts is how long the world goes on, least the serving targets that each zone
	// must have had.
	lasts time.Duration
	least int
	// registers and deregisters are how many calls that takes; -1 is any number.
	registers, deregisters int
	// left are the nodes whose targets are gone in the end.
	left []int
	// tolerates: the pods stay, whatever the taints.
	tolerates bool
}

var departuresOf = map[string]departure{
	"KarpenterThinksBetterOfIt": {
		reason: "a disruption costs one target of the zone at most, and it comes back when that is undone",
		nodes:  10, lasts: 20 * time.Minute, least: 4, registers: 1, deregisters: 1,
		act: func(w *world, all []*machine) { w.karpenter(all[0], true) },
	},
	"KarpenterTerminates": {
		reason: "the target leaves with the disruption, before the instance does",
		nodes:  10, lasts: 20 * time.Minute, least: 4, deregisters: 1, left: []int{0},
		act: func(w *world, all []*machine) { w.karpenter(all[0], false) },
	},
	"KarpenterTerminatesWhatToleratesEverything": {
		reason: "pods that no eviction ends are deregistered by what is said of their node",
		nodes:  10, lasts: 20 * time.Minute, least: 4, deregisters: 2, left: []int{0, 1}, tolerates: true,
		act: func(w *world, all []*machine) {
			w.karpenter(all[0], false)
			w.agenda.after(5*time.Minute, func() { w.karpenter(all[1], false) })
		},
	},
	"ClusterAutoscaler": {
		reason: "a candidate for deletion is none yet; what is to be deleted leaves at once",
		nodes:  10, lasts: 20 * time.Minute, least: 4, deregisters: 1, left: []int{0},
		act: func(w *world, all []*machine) { w.autoscaler(all[0]) },
	},
	"SpotInterruption": {
		reason: "of two minutes none is wasted",
		nodes:  10, lasts: 20 * time.Minute, least: 4, deregisters: 1, left: []int{0},
		act: func(w *world, all []*machine) { w.spot(all[0]) },
	},
	"RebalanceIsRecommended": {
		reason: "a recommendation that is withdrawn costs one target of the zone at most",
		nodes:  10, lasts: 20 * time.Minute, least: 4, registers: 1, deregisters: 1,
		act: func(w *world, all []*machine) {
			w.taint(all[0], "aws-node-termination-handler/rebalance-recommendation", corev1.TaintEffectNoSchedule)
			w.agenda.after(2*time.Minute, func() { w.untaint(all[0], "aws-node-termination-handler/rebalance-recommendation") })
		},
	},
	"AllAreCordoned": {
		reason: "cordon says nothing about what runs on a node",
		nodes:  10, lasts: 20 * time.Minute, least: 5,
		act: func(w *world, all []*machine) {
			for _, m := range all {
				w.cordon(m, true)
			}
		},
	},
	"EightyPercentAreNotReady": {
		reason: "that kubelets are not heard says nothing about processes that serve",
		nodes:  10, lasts: 20 * time.Minute, least: 5,
		act: func(w *world, all []*machine) {
			for _, m := range all[:8] {
				w.setReady(m, corev1.ConditionUnknown)
			}
			w.agenda.after(15*time.Minute, func() {
				for _, m := range all[:8] {
					w.setReady(m, corev1.ConditionTrue)
				}
			})
		},
	},
	"TheNodeObjectIsDeletedAndComesBack": {
		reason: "a kubelet that registers again finds its target as it was, if its pods are there yet",
		nodes:  10, lasts: 10 * time.Minute, least: 5,
		act: func(w *world, all []*machine) {
			w.deleteNode(all[0])
			w.agenda.after(20*time.Second, func() { w.rejoin(all[0]) })
		},
	},
	"TheNodeObjectIsDeleted": {
		reason: "the target leaves when its pod is gone from the API, and the zone keeps the others",
		nodes:  10, lasts: 10 * time.Minute, least: 4, deregisters: 1, left: []int{0},
		act: func(w *world, all []*machine) { w.deleteNode(all[0]) },
	},
	"InstancesAreTerminatedBehindKubernetes": {
		reason: "AWS stops to send there by itself; the target goes when Kubernetes knows",
		nodes:  10, lasts: 20 * time.Minute, least: 4, deregisters: -1, left: []int{0},
		act: func(w *world, all []*machine) { w.terminate(all[0]) },
	},
	"AnInstanceIsStoppedBehindKubernetes": {
		reason: "while its pod is said to be ready its target waits for it",
		nodes:  10, lasts: 20 * time.Minute, least: 4,
		act: func(w *world, all []*machine) { w.stop(all[0], awssim.Stopped) },
	},
	"EKSLabelsFiftyNodesAtOnce": {
		reason: "of 25 targets in a zone 23 go on serving, whatever is announced, and the old ones leave as new ones become healthy",
		nodes:  50, lasts: time.Hour, least: 23, registers: -1, deregisters: -1,
		act: func(w *world, all []*machine) {
			for _, m := range all {
				w.label(m, corev1.LabelNodeExcludeBalancers, true)
			}
			for i := range 3 {
				w.agenda.after(time.Minute, func() { w.addMachine(zones[i%2]) })
			}
		},
	},
	"HalfAreLabelledWhileHealthIsNotKnown": {
		reason: "nothing leaves while AWS does not know which targets are healthy, and when it does again those that were there before have replaced nothing",
		nodes:  20, lasts: 50 * time.Minute, least: 9, deregisters: 1,
		act: func(w *world, all []*machine) {
			restore := w.sim.LoseHealth(w.groups()[0])
			w.agenda.after(11*time.Minute, func() {
				for _, m := range all[:10] {
					w.label(m, corev1.LabelNodeExcludeBalancers, true)
				}
			})
			w.agenda.after(25*time.Minute, func() {
				if n := w.judges.writes["DeregisterTargets"]; n > 0 {
					w.wrong("%d calls of DeregisterTargets while health is not known", n)
				}
				restore()
			})
		},
	},
	"EKSReplacesFiftyNodes": {
		reason: "the same to its end: new nodes come, and each old one is drained and terminated in its turn",
		nodes:  50, lasts: 90 * time.Minute, least: 23, registers: -1, deregisters: -1, left: allOf(50), tolerates: true,
		act: func(w *world, all []*machine) {
			for _, m := range all {
				w.label(m, corev1.LabelNodeExcludeBalancers, true)
			}
			for i := range 50 {
				w.agenda.after(time.Minute, func() { w.addMachine(zones[i%2]) })
			}
			for i, m := range all {
				w.agenda.after(30*time.Minute+time.Duration(i)*45*time.Second, func() { w.terminate(m) })
			}
		},
	},
}

func allOf(n int) []int {
	var out []int
	for i := range n {
		out = append(out, i)
	}
	return out
}

func TestNodesThatGoAway(t *testing.T) {
	for name, d := range departuresOf {
		for _, profile := range []awssim.Profile{awssim.Observed, awssim.Worst} {
			t.Run(name+"/"+profile.Name, func(t *testing.T) {
				t.Parallel()
				inWorld(t, profile, func(w *world) { d.run(w) })
				if t.Failed() {
					t.Logf("reason: %s", d.reason)
				}
			})
		}
	}
}

func (d departure) run(w *world) {
	a := careful("web")
	a.daemonSet, a.tolerates = true, d.tolerates
	all := w.machinesIn(d.nodes)
	users := w.serve(&daemonSet{app: a, version: 1, unavailable: 1}, a)
	w.run(2 * time.Minute) // the engine has heard of all that are healthy
	w.do(func() { clear(w.judges.writes); d.act(w, all) })
	w.run(d.lasts)
	w.served(users, d.least)
	w.do(func() {
		for action, want := range map[string]int{"RegisterTargets": d.registers, "DeregisterTargets": d.deregisters} {
			if got := w.judges.writes[action]; want >= 0 && got != want {
				w.t.Errorf("%d calls of %s, want %d\n%s", got, action, want, w.calls())
			}
		}
		for _, i := range d.left {
			if held, ok := w.sim.Target(users[0].arn, all[i].id, a.port); ok && held.State != awssim.Draining {
				w.t.Errorf("the target of %s is still there: %s\n%s", all[i].name(), held.State, w.calls())
			}
		}
	})
}
