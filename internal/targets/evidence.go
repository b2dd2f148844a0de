package targets

import "slices"

// proven says that a target which a rule removes has evidence for it: somebody
// saw its pod or its node go, or ordered it target by target.
//
//	rule                                       | evidence
//	binding deleted, instance dead, port taken | the rule itself
//	node leaving, node departing               | the node's signal
//	not ready for long, excluded               | the pod's own state
//	nodeSelector, foreign in a group of ours   | none
//	foreign, after its announcement            | it was shown for as long as the Guard waits
//	any other                                  | the pod was seen terminating, ended or
//	                                           | deleted, or its Node object deleted
//
// A changed selection is none: a mistyped label, another selector or port, a
// Service that is gone. The pods are still there, whatever selects them. Nor is the
// end of pods that only a changed selection pointed at the target.
func (w *world) proven(s *spot, by Rule) bool {
	switch by {
	case RuleReleased, RuleDead, RuleOccupied, RuleNodeLeaving, RuleNodeDeparting, RuleNotReady, RuleExcluded:
		return true
	case RuleForeignLeaves:
		return !w.Group.Ours
	case RuleNodeRefused:
		return false
	}
	return !w.lost(s) && (w.podWent(s) || !s.node.GoneSince.IsZero())
}

// lost: its pods vanished in a re-list. Nobody saw them go, and a server that was
// restored from a backup may never have known them.
func (w *world) lost(s *spot) bool { return len(s.pods) == 0 && w.View.Relisted[s.Key] }

// podWent: its pods are terminating, or the last one was there and is deleted or
// over; and no other one goes on that may be who serves. Of a target whose pod was
// never seen nobody can tell.
func (w *world) podWent(s *spot) bool {
	seen := len(s.pods) > 0 || s.claim.Pod.UID != "" && !w.lost(s)
	return seen && going(s) && !w.outlived(s)
}

// outlived: of a target whose pods are going or gone, one that made it and does not
// any more, or one that declares its port, is there as far as anybody knows. Its
// process may serve.
func (w *world) outlived(s *spot) bool {
	_, owned := w.owner(s)
	return owned || w.alive[s.claim.Pod.UID] || w.alive[s.claim.Maker.UID]
}

// owner is a pod that is not selected, goes on and declares the port of a target
// whose pods do not go on.
func (w *world) owner(s *spot) (Pod, bool) {
	pod, there := w.View.Unselected[s.Key]
	return pod, there && !pod.Terminating && w.Group.declaredBy(pod, s.Port)
}

// maker is the pod that had a target before those that make it now, if it goes on and
// none of them declares the port: a Service was edited, and they may never have
// served there.
func (w *world) maker(s *spot) PodRef {
	if slices.ContainsFunc(s.pods, func(p Pod) bool { return w.Group.declaredBy(p, s.Port) }) {
		return PodRef{}
	}
	for _, pod := range []PodRef{s.claim.Maker, s.claim.Pod} {
		if slices.ContainsFunc(s.pods, func(p Pod) bool { return p.UID == pod.UID }) {
			break
		}
		if w.alive[pod.UID] {
			return pod
		}
	}
	return PodRef{}
}

// alivePods are UIDs of pods that exist and are not on their way out, whether they
// are selected or were.
func alivePods(v View) map[string]bool {
	alive := map[string]bool{}
	for uid := range v.Deselected {
		alive[uid] = true
	}
	for _, p := range v.Pods {
		if !over(p) && !p.Terminating {
			alive[p.UID] = true
		}
	}
	return alive
}
