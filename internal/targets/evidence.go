package targets

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
// Service that is gone. The pods are still there, whatever selects them.
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
// over. Of a target whose pod was never seen nobody can tell.
func (w *world) podWent(s *spot) bool {
	if len(s.pods) > 0 {
		return going(s)
	}
	uid := s.claim.Pod.UID
	return uid != "" && !w.alive[uid] && !w.lost(s)
}

// aliveUnselected: the last pod of the target is there, as far as anybody knows,
// and does not make it any more. Its process may serve.
func (w *world) aliveUnselected(s *spot) bool {
	return len(s.pods) == 0 && w.alive[s.claim.Pod.UID]
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
