package targets

import (
	"fmt"
	"slices"
)

// verdict is a decision about one spot, with its reason.
type verdict struct {
	rule   Rule
	reason string
	// leave: it is to be deregistered; how says what may hold it back.
	leave bool
	how   departure
	// braked is the rule that would remove it, if removals are forbidden; guarded
	// the verdict of one that the Guard holds.
	braked  Rule
	guarded *verdict
}

// wanted says whether a spot should be registered (binding.md §3).
//
//	pod                                             | wanted
//	ready, node stays and is selected               | yes
//	not yet ready, registerWhen Scheduled           | while the group has a healthy target
//	ready, node departing, nothing else in the zone | yes
//	anything else                                   | no
func (w *world) wanted(s *spot) (verdict, bool) {
	if w.class(s) != NodeStays || w.refused(s) {
		return verdict{}, false
	}
	if slices.ContainsFunc(s.pods, serves) {
		return verdict{rule: RulePodReady, reason: "the pod is ready"}, true
	}
	if w.Policy.RegisterScheduled && w.anyHealthy && slices.ContainsFunc(s.pods, starting) {
		return verdict{rule: RulePodScheduled, reason: "the pod is bound to its node and starting (registerWhen: Scheduled)"}, true
	}
	return verdict{}, false
}

// class is what the node's signals mean here. A departing node counts as one that
// stays where its zone has nothing else: what leaves there would have to come
// back at once, and registering takes minutes.
func (w *world) class(s *spot) NodeClass {
	if s.node.Class == NodeDeparting && w.bare[w.area(s)] {
		return NodeStays
	}
	return s.node.Class
}

// bareZones are those in which no node that stays has a target that is wanted or
// that waits for its pod to come back.
func (w *world) bareZones() map[string]bool {
	bare := map[string]bool{}
	for _, s := range w.spots {
		if s.node.Class == NodeDeparting {
			bare[w.area(s)] = true
		}
	}
	for _, s := range w.spots {
		if s.node.Class != NodeStays || !bare[w.area(s)] {
			continue
		}
		_, wanted := w.wanted(s)
		settled := s.ours && s.registered() && w.certainlyDead(s) == nil && w.settled(s) != nil
		if wanted || settled {
			delete(bare, w.area(s))
		}
	}
	return bare
}

// refused by nodeSelector.
func (w *world) refused(s *spot) bool { return w.View.NodeRefused[s.node.Name] }

// retained: a pod is there and may become ready again. AWS's health check takes
// its target out and back; see notReadyForLong for the one way out.
func (w *world) retained(s *spot) bool {
	return w.class(s) == NodeStays && !w.refused(s) && slices.ContainsFunc(s.pods, stays) && !w.notReadyForLong(s)
}

// notReadyForLong (binding.md §3, row 3), all of:
//   - notReady.policy is Deregister, and the target had no ready pod for that long,
//     in a view that is whole;
//   - the node is Ready: a node that is not says nothing about the pod;
//   - AWS calls the target unhealthy: initial, unused or unread is no evidence;
//   - some other pod is ready: when none is, the fault is hardly the pod's;
//   - it is not about to be registered again because it is starting.
func (w *world) notReadyForLong(s *spot) bool {
	if !w.mayBeNotReady(s) {
		return false
	}
	return !w.Now.Before(w.unreadySince(s).Add(w.Policy.NotReadyAfter))
}

func (w *world) mayBeNotReady(s *spot) bool {
	if w.blind(s) != nil || slices.ContainsFunc(s.pods, ready) {
		return false
	}
	unhealthy := !s.target.Stale && (s.target.Health == HealthUnhealthy || s.target.Health == HealthUnhealthyDraining)
	again := w.Policy.RegisterScheduled && slices.ContainsFunc(s.pods, starting)
	return w.Policy.NotReadyDeregister && s.node.Ready && unhealthy && w.anyReady && !again
}

// vacated: the pods are terminating or gone, a successor is expected on the node,
// and it has not yet been waited for long enough. While a pod object exists it
// is waited for without end.
func (w *world) vacated(s *spot) bool {
	if w.class(s) != NodeStays || w.Policy.RestartDeregister || !w.successorExpected(s) || w.moved(s) {
		return false
	}
	return going(s) && !w.successorOverdue(s)
}

// going: every pod that made the target is terminating or gone.
func going(s *spot) bool {
	return !slices.ContainsFunc(s.pods, func(p Pod) bool { return !p.Terminating })
}

func (w *world) successorOverdue(s *spot) bool {
	return len(s.pods) == 0 && !w.Now.Before(w.vacatedAt(s).Add(VacatedFor))
}

// successorExpected: the node stays, and the pod comes back by its nature, or
// another matching pod is already bound there. Of a target whose pod was never
// seen nothing is known, so its pod may come back.
func (w *world) successorExpected(s *spot) bool {
	if !s.known || !s.node.GoneSince.IsZero() || s.node.Class == NodeLeaving || w.refused(s) {
		return false
	}
	if len(s.pods) == 0 && s.claim.Pod == (PodRef{}) {
		return true
	}
	if s.claim.Returns && len(s.pods) == 0 || slices.ContainsFunc(s.pods, returns) {
		return true
	}
	return slices.ContainsFunc(w.onNode[s.node.Name], stays)
}

// moved: the pod that made this target goes on and does not make it any more: the
// selection, the pod's labels or its port changed.
func (w *world) moved(s *spot) bool {
	pod, there := w.former(s)
	return there && !pod.Terminating
}

// former is the pod that made this target and makes it no more, while it is there.
// Of a target whose pod was never seen it is one that runs on its port.
func (w *world) former(s *spot) (Pod, bool) {
	if len(s.pods) > 0 {
		return Pod{}, false
	}
	if pod, there := w.pods[s.claim.Pod.UID]; there {
		return pod, true
	}
	pod, there := w.View.Unselected[s.Key]
	its := s.claim.Pod == (PodRef{}) || s.claim.Pod.UID == pod.UID
	return pod, there && its && !w.Releasing
}

// unavailable says why a pod that makes this target does not make it a wanted
// one, for reasons that do not lie in its readiness; nil if there is none.
func (w *world) unavailable(s *spot, pod Pod) *Skip {
	switch {
	case pod.Excluded:
		return skipped(pod, RuleExcluded, "is excluded by annotation nlb.crossplane.io/exclude")
	case w.refused(s):
		return skipped(pod, RuleNodeRefused, fmt.Sprintf("nodeSelector does not select node %q", s.node.Name))
	case w.class(s) == NodeLeaving:
		return skipped(pod, RuleNodeLeaving, fmt.Sprintf("node %q is leaving (%s)", s.node.Name, s.node.Signal))
	case w.class(s) == NodeDeparting && !s.registered():
		return skipped(pod, RuleNodeDeparting, fmt.Sprintf("node %q is departing (%s) and its zone has other targets", s.node.Name, s.node.Signal))
	}
	return nil
}
