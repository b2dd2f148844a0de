package controller

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// Condition types besides Ready and Synced.
const (
	// TypeStalled is kstatus's: True means that waiting will not help.
	TypeStalled xpv2.ConditionType = "Stalled"
	// TypeDeletionBlocked says what keeps AWS from deleting.
	TypeDeletionBlocked xpv2.ConditionType = "DeletionBlocked"
	// TypeDrifted says what in AWS differs from the spec while the management
	// policies forbid to change it: what a full import would do.
	TypeDrifted xpv2.ConditionType = "Drifted"
)

// Reasons of Ready=False.
const (
	ReasonWaitingForReference xpv2.ConditionReason = "WaitingForReference"
	// ReasonApplying: what does the work has not looked at this generation yet. It is
	// over in a moment.
	ReasonApplying xpv2.ConditionReason = "Applying"
	// ReasonMissing: it does not exist in AWS and the management policies forbid
	// to create it.
	ReasonMissing xpv2.ConditionReason = "Missing"
)

// Available is Ready=True.
func Available() xpv2.Condition { return xpv2.Available() }

// NotReady is Ready=False. Whether time heals it is decided by its reason: see
// Kind.Quiet.
func NotReady(reason xpv2.ConditionReason, message string) xpv2.Condition {
	return condition(xpv2.TypeReady, corev1.ConditionFalse, reason, message)
}

// WaitingForReference is Ready=False until an event ends the wait.
func WaitingForReference(w Waiting) xpv2.Condition {
	return NotReady(ReasonWaitingForReference, w.Error())
}

// DeletionBlocked says that AWS cannot delete yet: its error code, and what still
// uses the resource, by name if it is ours. An external client's Delete sets it
// and returns no error.
func DeletionBlocked(code, message string) xpv2.Condition {
	return condition(TypeDeletionBlocked, corev1.ConditionTrue, xpv2.ConditionReason(code), message)
}

// reasonUpdateForbidden is why what differs is left as it is.
const reasonUpdateForbidden xpv2.ConditionReason = "UpdateForbidden"

func drifted(diff string) xpv2.Condition {
	return condition(TypeDrifted, corev1.ConditionTrue, reasonUpdateForbidden, "spec.managementPolicies do not allow Update: "+diff)
}

func stalled(s Stalled) xpv2.Condition {
	return condition(TypeStalled, corev1.ConditionTrue, s.Reason, s.Message)
}

func condition(t xpv2.ConditionType, s corev1.ConditionStatus, r xpv2.ConditionReason, message string) xpv2.Condition {
	return xpv2.Condition{Type: t, Status: s, LastTransitionTime: metav1.Now(), Reason: r, Message: message}
}

// stamp says that every condition but the runtime's own Synced is about this
// generation. SetConditions alone would not: it takes a condition without
// generation for equal to one of an earlier generation.
func stamp(conditions []xpv2.Condition, generation int64) {
	for i := range conditions {
		if conditions[i].Type != xpv2.TypeSynced {
			conditions[i].ObservedGeneration = generation
		}
	}
}

// settle brings conditions into the order Synced, Ready, others, which GitOps
// tools rely on, and keeps the time of a transition that was none.
func settle(now, before []xpv2.Condition) []xpv2.Condition {
	rank := func(t xpv2.ConditionType) int {
		return map[xpv2.ConditionType]int{xpv2.TypeSynced: -2, xpv2.TypeReady: -1}[t]
	}
	out := slices.Clone(now)
	slices.SortStableFunc(out, func(a, b xpv2.Condition) int { return rank(a.Type) - rank(b.Type) })

	for i, c := range out {
		was := slices.IndexFunc(before, func(b xpv2.Condition) bool { return b.Type == c.Type && b.Status == c.Status })
		if was >= 0 {
			out[i].LastTransitionTime = before[was].LastTransitionTime
		}
	}

	return out
}
