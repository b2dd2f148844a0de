package histories

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// aftermath is for how long trouble is felt after it has ended: what waits for its
// next try (30 s), a call that was given up and takes effect after all (40 s), and a
// read that tells of it.
const aftermath = 2 * time.Minute

// act is something that happens in random histories. do says what it did; empty if
// nothing.
type act struct {
	name   string
	weight int
	do     func(s *story) string
}

var acts = []act{
	{"rollout", 6, (*story).rollout},
	{"scale", 3, (*story).scale},
	{"pod", 8, (*story).podActs},
	{"node joins", 3, func(s *story) string { return s.addMachine(zones[s.r.IntN(2)]).name() }},
	{"node", 10, (*story).nodeActs},
	{"many nodes", 3, (*story).manyNodes},
	{"service", 2, (*story).serviceActs},
	{"api server", 4, (*story).serverActs},
	{"aws", 8, (*story).awsActs},
	{"behind our back", 2, (*story).strangerActs},
	{"process", 5, (*story).processActs},
	{"annotation", 4, (*story).annotationActs},
	{"clock", 2, (*story).clockActs},
}

func (s *story) rollout() string {
	n := s.r.IntN(len(s.sets) + len(s.deployments))
	if n < len(s.sets) {
		s.sets[n].version++
		return s.sets[n].app.name
	}
	d := s.deployments[n-len(s.sets)]
	d.version++
	return d.app.name
}

func (s *story) scale() string {
	if len(s.deployments) == 0 {
		return ""
	}
	d := s.deployments[s.r.IntN(len(s.deployments))]
	d.replicas = s.r.IntN(6)
	if d.replicas == 0 {
		s.later2(s.span(10*time.Second, 6*time.Minute), func() { d.replicas = 3 })
	}
	return fmt.Sprintf("%s to %d", d.app.name, d.replicas)
}

// later2 does something later, or when the history is mended.
func (s *story) later2(d time.Duration, do func()) {
	done := false
	once := func() {
		if !done {
			done = true
			do()
		}
	}
	s.agenda.after(d, once)
	s.undos = append(s.undos, once)
}

func (s *story) podActs() string {
	p := s.anyPod()
	if p == nil {
		return ""
	}
	switch s.r.IntN(4) {
	case 0:
		s.crash(p)
		return "crash of " + p.pod.Name
	case 1:
		s.falter(p, s.span(time.Second, 5*time.Minute))
		return p.pod.Name + " is not ready"
	case 2: // a crash loop
		for i := range 5 {
			s.agenda.after(time.Duration(i)*25*time.Second, func() { s.crash(p) })
		}
		return "crash loop of " + p.pod.Name
	}
	s.remove(p)
	return "deleted " + p.pod.Name
}

func (s *story) nodeActs() string {
	m := s.anyMachine()
	if m == nil {
		return ""
	}
	name := m.name()
	switch s.r.IntN(10) {
	case 0:
		s.cordon(m, true)
		s.later2(s.span(10*time.Second, 10*time.Minute), func() { s.cordon(m, false) })
		return "cordon " + name
	case 1, 2:
		s.karpenter(m, s.one(2))
		return "karpenter " + name
	case 3:
		s.autoscaler(m)
		return "cluster-autoscaler " + name
	case 4:
		s.spot(m)
		return "spot interruption " + name
	case 5:
		s.taint(m, "aws-node-termination-handler/rebalance-recommendation", corev1.TaintEffectNoSchedule)
		s.later2(s.span(time.Minute, 10*time.Minute), func() { s.untaint(m, "aws-node-termination-handler/rebalance-recommendation") })
		return "rebalance recommendation " + name
	case 6:
		s.stop(m, awssim.Stopped)
		s.later2(5*time.Minute, func() { s.deleteNode(m) })
		return "stopped " + name
	case 7:
		s.terminate(m)
		return "terminated " + name
	case 8:
		s.deleteNode(m)
		return "deleted the Node object of " + name
	}
	s.setReady(m, corev1.ConditionUnknown)
	s.later2(s.span(10*time.Second, 4*time.Minute), func() {
		if !m.off {
			s.setReady(m, corev1.ConditionTrue)
		}
	})
	return name + " is not reachable"
}

// manyNodes: something befalls most of them at once.
func (s *story) manyNodes() string {
	label := s.one(2)
	var hit []*machine
	for _, m := range s.machines {
		if !m.gone && !m.off && !s.one(5) {
			hit = append(hit, m)
		}
	}
	for _, m := range hit {
		if label {
			s.label(m, corev1.LabelNodeExcludeBalancers, true)
		} else {
			s.setReady(m, corev1.ConditionUnknown)
		}
	}
	undo := func() {
		for _, m := range hit {
			if label {
				s.label(m, corev1.LabelNodeExcludeBalancers, false)
			} else if !m.off {
				s.setReady(m, corev1.ConditionTrue)
			}
		}
	}
	s.later2(s.span(30*time.Second, 8*time.Minute), undo)
	return fmt.Sprintf("%d nodes, label=%t", len(hit), label)
}

func (s *story) serviceActs() string {
	all := s.apps()
	a := all[s.r.IntN(len(all))]
	what := "edited " + a.name
	if s.one(2) {
		what = "deleted " + a.name
		s.deleteService(a.name)
	} else {
		s.service(a.name, all[s.r.IntN(len(all))].name, intstr.FromInt32(a.port))
	}
	s.later2(s.span(5*time.Second, 4*time.Minute), func() { s.service(a.name, a.name, intstr.FromInt32(a.port)) })
	return what
}

func (s *story) serverActs() string {
	d := s.span(time.Second, 90*time.Second)
	s.trouble(d + 30*time.Second)
	switch s.r.IntN(4) {
	case 0:
		s.judges.saw = time.Now()
		s.api.cut()
		return "watches end"
	case 1:
		s.judges.saw = time.Now()
		s.api.compact()
		s.api.cut()
		return "watches end and cannot resume"
	case 2:
		s.api.setLag(d / 10)
		s.judges.lag = max(s.judges.lag, d/10)
		s.later2(d, func() { s.api.setLag(0) })
		// What is under way arrives late, whenever that ends; another lag may have begun.
		end := time.Now().Add(d + 30*time.Second)
		s.judges.lagging = latest(s.judges.lagging, end)
		s.agenda.after(time.Until(end), func() {
			if !time.Now().Before(s.judges.lagging) {
				s.judges.lag = 0
			}
		})
		return fmt.Sprintf("slow watches for %s", d)
	}
	s.api.setDown(true)
	s.judges.goesBlind()
	s.later2(d, func() { s.api.setDown(false); s.judges.sees() })
	return fmt.Sprintf("down for %s", d)
}

func (s *story) awsActs() string {
	effects := []awssim.Effect{awssim.Throttle, awssim.Deny, awssim.InternalFailure, awssim.Unavailable, awssim.LoseResponse, awssim.TakeLate, awssim.Hang}
	actions := []string{"RegisterTargets", "DeregisterTargets", "DescribeTargetHealth", ""}
	f := awssim.Fault{Service: awssim.ServiceELBv2, Action: actions[s.r.IntN(len(actions))], Effect: effects[s.r.IntN(len(effects))]}
	d := s.span(time.Second, 2*time.Minute)
	if s.one(2) {
		f.Times = 1 + s.r.IntN(3)
	}
	remove := s.sim.Fault(f)
	s.trouble(d + aftermath)
	s.later2(d, remove)
	return fmt.Sprintf("%s %s times=%d for %s", f.Effect, f.Action, f.Times, d)
}

// strangerActs: somebody removes or adds targets.
func (s *story) strangerActs() string {
	arns := s.groups()
	arn := arns[s.r.IntN(len(arns))]
	held := s.sim.Targets(arn)
	if s.one(2) || len(held) == 0 {
		s.serial++
		id := fmt.Sprintf("i-0f%015x", s.serial)
		s.sim.SeedInstance(awssim.Instance{ID: id, Region: region, Zone: zones[s.r.IntN(2)], VPC: vpc})
		s.sim.SetProbe(id, 7443, awssim.Accepts)
		if err := s.sim.PutTarget(arn, id, 7443); err != nil {
			return err.Error()
		}
		return "added " + id
	}
	k := held[s.r.IntN(len(held))].Key
	s.sim.DropTarget(arn, k.ID, k.Port)
	s.trouble(2 * time.Minute) // until the next poll
	s.judges.meddled = time.Now()
	return fmt.Sprintf("dropped %v", k)
}

func (s *story) processActs() string {
	down := s.span(0, 20*time.Second)
	s.trouble(down + aftermath)
	again := func() {
		s.restart = time.Now().Add(down)
		s.process.stop()
	}
	if s.one(2) {
		again()
		return fmt.Sprintf("killed, back after %s", down)
	}
	// At a call that is to come; or in the middle of one of which nobody will hear.
	n := 1 + s.r.IntN(4)
	lost := s.one(2)
	s.judges.onCall = func(c awssim.Call) {
		if n--; n == 0 {
			if lost {
				s.later2(time.Minute, s.sim.Fault(awssim.Fault{Action: c.Action, Effect: awssim.TakeLate, Times: 1}))
			}
			s.trouble(down + aftermath)
			again()
		}
	}
	return fmt.Sprintf("killed at call %d, back after %s", n, down)
}
