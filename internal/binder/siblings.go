package binder

import (
	"slices"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// siblings tells a plan what the other bindings of the group have there. A target
// that one of them keeps for a pod of its own is as little another's to remove as
// one that it wants: its pod may be restarting in place, or not be ready. Callers
// hold mu.
func (g *group) siblings(bd *binding, in *targets.Input) {
	in.Siblings, in.SiblingPorts, in.SiblingIPs = map[targets.Key]bool{}, map[int32]bool{}, map[targets.Key]bool{}
	for _, other := range g.bindings {
		if other == bd {
			continue
		}
		for _, port := range other.ports {
			in.SiblingPorts[port] = true
		}
		for k := range other.order.OwnIPs {
			in.SiblingIPs[k] = true
		}
		if other.releasing {
			continue // what it has is handed over
		}
		for _, k := range other.plan.Wanted {
			in.Siblings[k] = true
		}
		for _, kept := range other.plan.Keep {
			if keepsForPod(kept, other.plan) {
				in.Siblings[kept.Key] = true
			}
		}
	}
}

// keepsForPod: a target of its own stays for a pod that it has seen there. One of
// which it knows nothing it keeps for a while too, but has no more right to it than
// another binding that used the port.
func keepsForPod(kept targets.Change, plan targets.Plan) bool {
	if kept.Pod == (targets.PodRef{}) || kept.Rule == targets.RuleSibling {
		return false
	}
	return slices.Contains(plan.Ours, kept.Key)
}
