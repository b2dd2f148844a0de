package targets

import (
	"fmt"
	"slices"
)

// departure says what may hold back a target that is to leave.
type departure int

const (
	// atOnce: rules 1 to 3 stand above the floor.
	atOnce departure = iota
	// aboveFloor: rule 6; the floor (rule 4) may hold it.
	aboveFloor
	// onBudget: rule 7; the floor and the zone's departure budget may hold it.
	onBudget
	// onBudgetAlways: as onBudget, and costs budget even if AWS calls it
	// unhealthy. A not-ready pod's target is, and many at once must not leave.
	onBudgetAlways
)

func keep(rule Rule, reason string) *verdict { return &verdict{rule: rule, reason: reason} }

func leave(how departure, rule Rule, reason string) *verdict {
	return &verdict{rule: rule, reason: reason, leave: true, how: how}
}

// decide meets a registered target that is not wanted with the rules of
// binding.md §5, in order; the first that has a verdict decides. Rule 4, the
// floor, is not here: it depends on what else leaves (depart.go).
func (w *world) decide(s *spot) verdict {
	for _, rule := range []func(*spot) *verdict{
		w.notOurs,       // §6
		w.blind,         // rule 1
		w.released,      // §10
		w.certainlyDead, // rule 2
		w.empty,         // rule 3
		w.settled,       // rule 5
		w.departed,      // rule 6
	} {
		if v := rule(s); v != nil {
			return w.brake(*v)
		}
	}
	return w.brake(*w.unwanted(s)) // rule 7
}

// brake turns a removal into a verdict to keep where removals are forbidden.
func (w *world) brake(v verdict) verdict {
	if !v.leave || w.Policy.NoDeregister == "" {
		return v
	}
	kept := keep(RuleNoDeregister, fmt.Sprintf("%s; it stays: %s", v.reason, w.Policy.NoDeregister))
	kept.braked = v.rule
	return *kept
}

func (w *world) notOurs(s *spot) *verdict {
	switch {
	case s.sibling:
		return keep(RuleSibling, "another binding of this cluster wants it, or has made it")
	case s.ours:
		return nil
	}
	return w.foreignStays(s)
}

func (w *world) blind(*spot) *verdict {
	switch {
	case w.View.Incomplete != "":
		return keep(RuleIncomplete, "the view of the cluster is not complete: "+w.View.Incomplete)
	case w.Unread:
		return keep(RuleUnread, "the target group was not read yet")
	}
	return nil
}

func (w *world) released(*spot) *verdict {
	if w.Releasing {
		return leave(atOnce, RuleReleased, "the binding is being deleted")
	}
	return nil
}

// certainlyDead. A dead target with a wanted pod never comes here: AWS refuses to
// register a stopped instance, so it would be gone until long after its start.
func (w *world) certainlyDead(s *spot) *verdict {
	if s.dead() {
		return leave(atOnce, RuleDead, "its instance is stopped or terminated (Target.InvalidState)")
	}
	if pod, taken := w.View.Occupied[s.Key]; taken && len(s.pods) == 0 {
		return leave(atOnce, RuleOccupied, fmt.Sprintf("pod %s/%s, which is not selected, owns the port now", pod.Namespace, pod.Name))
	}
	return nil
}

func (w *world) empty(*spot) *verdict {
	switch {
	case len(w.pods) > 0:
		return nil
	case w.Policy.EmptyDeregister:
		return leave(atOnce, RuleEmpty, w.emptiness()+" (emptyPolicy: Deregister)")
	}
	return keep(RuleHeld, w.emptiness()+" (emptyPolicy: Hold)")
}

func (w *world) emptiness() string {
	if w.View.Missing != "" {
		return w.View.Missing
	}
	return "no pod matches"
}

func (w *world) settled(s *spot) *verdict {
	switch {
	case w.unplaced[s.claim.Pod.UID] && len(s.pods) == 0:
		return keep(RuleDoubt, "the node of its pod is not known")
	case !s.ours && len(s.pods) == 0:
		return nil
	case w.retained(s):
		return keep(RuleRetained, "its pod is there and not ready; AWS's health check decides")
	case w.vacated(s) && len(s.pods) > 0:
		return keep(RuleVacated, "its pod is terminating and a successor is expected on the node")
	case w.vacated(s):
		return keep(RuleVacated, "its pod is gone and a successor is expected on the node")
	}
	return nil
}

func (w *world) departed(s *spot) *verdict {
	switch {
	case s.node.Class == NodeLeaving:
		return leave(aboveFloor, RuleNodeLeaving, fmt.Sprintf("node %q is leaving (%s)", s.node.Name, s.node.Signal))
	case !going(s) || w.moved(s) || !s.ours && len(s.pods) == 0:
		return nil
	case !w.successorExpected(s):
		return leave(aboveFloor, RulePodDeparted, "its pod is terminating or gone and no successor is expected on the node")
	case w.class(s) == NodeStays && w.Policy.RestartDeregister:
		return leave(aboveFloor, RuleRestart, "its pod restarts in place (inPlaceRestart: Deregister)")
	case w.class(s) == NodeStays && len(w.support(s)) == 0:
		return leave(aboveFloor, RuleNoSuccessor, "its pod is gone and no successor came")
	}
	return nil
}

func (w *world) unwanted(s *spot) *verdict {
	switch {
	case !s.ours && len(s.pods) == 0:
		return leave(onBudget, RuleForeignLeaves, "it is foreign and ownership is Exclusive")
	case w.refused(s):
		return leave(onBudget, RuleNodeRefused, fmt.Sprintf("nodeSelector does not select node %q", s.node.Name))
	case w.class(s) == NodeDeparting:
		return leave(onBudget, RuleNodeDeparting, fmt.Sprintf("node %q is departing (%s)", s.node.Name, s.node.Signal))
	case slices.ContainsFunc(s.pods, stays):
		return leave(onBudgetAlways, RuleNotReady, "its pod has not been ready for long and AWS calls it unhealthy (notReady.policy: Deregister)")
	case len(s.pods) > 0:
		return leave(onBudget, RuleExcluded, "its pod is excluded by annotation nlb.crossplane.io/exclude")
	}
	return leave(onBudget, RuleSelection, "no pod is selected on this port any more")
}
