package targets

import "time"

// Times of binding.md.
const (
	// VacatedFor is how long a target stays after its last pod object is gone
	// while a successor is expected (§3).
	VacatedFor = 120 * time.Second
	// WaitingTooLong is when a departure that waits becomes a condition (§5.7).
	WaitingTooLong = 10 * time.Minute
	// DefaultNotReadyAfter is notReady.afterSeconds (§3).
	DefaultNotReadyAfter = 300 * time.Second
	// DefaultMaxUnavailable is departures.maxUnavailable, in percent (§4).
	DefaultMaxUnavailable = 10
)

// Why a target is wanted (§3), or is wanted and yet not registered.
const (
	// RulePodReady (§3 row 1): a ready pod on a node that is not going.
	RulePodReady Rule = "PodReady"
	// RulePodScheduled (§3 row 2): registerWhen Scheduled, not yet ready.
	RulePodScheduled Rule = "PodScheduled"
	// RuleRefused (§2, §7): AWS refused it and is not asked again yet.
	RuleRefused Rule = "RefusedByAWS"
	// RuleNoRegister (§5): registration is forbidden by policy.
	RuleNoRegister Rule = "RegistrationForbidden"
	// RuleQuota (§5): a quota is exhausted and nothing made room for it yet.
	RuleQuota Rule = "QuotaExhausted"
)

// Rules 1 to 3 of §5, and what stands above them.
const (
	// RuleSibling (§6): another binding of this cluster wants it.
	RuleSibling Rule = "WantedBySibling"
	// RuleForeign (§6): not ours, not touched.
	RuleForeign Rule = "Foreign"
	// RuleIncomplete (§5 rule 1): the view of Kubernetes is not whole.
	RuleIncomplete Rule = "ViewIncomplete"
	// RuleUnread (§5 rule 1): the group was not yet read in this process.
	RuleUnread Rule = "GroupUnread"
	// RuleReleased (§10): the binding is being deleted.
	RuleReleased Rule = "Released"
	// RuleDead (§5 rule 2): the instance is stopped or terminated.
	RuleDead Rule = "InstanceDead"
	// RuleOccupied (§5 rule 2): a pod that is not ours owns the port now.
	RuleOccupied Rule = "PortTaken"
	// RuleHeld and RuleEmpty (§5 rule 3): no pod matches; emptyPolicy decides.
	RuleHeld  Rule = "EmptyHold"
	RuleEmpty Rule = "EmptyDeregister"
	// RuleNoDeregister (§5, brakes): removal is forbidden by policy.
	RuleNoDeregister Rule = "DeregistrationForbidden"
)

// Rules 4 to 7 of §5.
const (
	// RuleFloor (§5 rule 4): the last healthy target of a zone stays.
	RuleFloor Rule = "Floor"
	// RuleVacated (§3 row 4, §5 rule 5): a successor is expected.
	RuleVacated Rule = "Vacated"
	// RuleRetained (§3 row 3, §5 rule 5): a pod is there but not ready.
	RuleRetained Rule = "Retained"
	// RuleDoubt (§5, "absence is not evidence"): a matching pod's node is not
	// known, so the pod may be on this target.
	RuleDoubt Rule = "NodeInDoubt"
	// RuleNodeLeaving (§4, §5 rule 6): the node is going for certain.
	RuleNodeLeaving Rule = "NodeLeaving"
	// RulePodDeparted (§3 row 5, §5 rule 6): no successor is expected.
	RulePodDeparted Rule = "PodDeparted"
	// RuleNoSuccessor (§3 row 4): a successor was expected and did not come.
	RuleNoSuccessor Rule = "NoSuccessor"
	// RuleRestart (§3 row 4): inPlaceRestart Deregister.
	RuleRestart Rule = "InPlaceRestart"
	// RuleNotReady (§3 row 3): notReady.policy Deregister, for long enough.
	RuleNotReady Rule = "NotReady"
	// RuleNodeDeparting (§4, §5 rule 7): the node's departure is announced.
	RuleNodeDeparting Rule = "NodeDeparting"
	// RuleExcluded (§2, §5 rule 7): the pod is taken out by annotation.
	RuleExcluded Rule = "PodExcluded"
	// RuleNodeRefused (§5 rule 7): nodeSelector refuses the node.
	RuleNodeRefused Rule = "NodeNotSelected"
	// RuleSelection (§5 rule 7): no pod is selected on this port any more.
	RuleSelection Rule = "SelectionChanged"
	// RuleForeignLeaves (§5 rule 7, §6): foreign under Exclusive.
	RuleForeignLeaves Rule = "ForeignUnderExclusive"
	// RuleBudget (§4): rule 7 would remove it, the departure budget is spent.
	RuleBudget Rule = "DepartureBudget"
)

// Why a pod that matches is no target (§2).
const (
	RuleNotHostNetwork Rule = "NotHostNetwork"
	RuleNoPort         Rule = "NoSuchPort"
	RuleUnbound        Rule = "NotBound"
	RuleNodeUnknown    Rule = "NodeUnknown"
	RuleNoInstance     Rule = "NoInstanceID"
	RuleNoAddress      Rule = "NoAddress"
)
