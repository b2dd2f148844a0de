package targetgroupbinding

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// engineConditions are the types that are decided besides Ready, by the engine most
// of them. One that does not apply is removed.
var engineConditions = []xpv2.ConditionType{"Held", "ViewIncomplete", "DeparturesWaiting", "Yielding", "ForeignTargets", "Skipped", "Guarded", "Braked", "TargetsHealthy", "DrainRisk", "GatesNotSet", "SharesPods"}

// report copies a snapshot of the binding's generation into status, or says that there
// is none yet.
func (e *external) report(ctx context.Context, b Binding, snap binder.Snapshot, known bool) {
	if !known && e.served {
		return // After a start nobody knows until the group was read: what was said stays.
	}
	if !known || snap.Generation != b.GetGeneration() {
		b.SetConditions(controller.NotReady(controller.ReasonApplying, "the engine is about to plan for this generation"))
		return
	}
	e.tell(ctx, b, snap)
}

// asOf is a snapshot as it is told while the spec has that generation: an earlier one
// that is served does not make this one ready.
func asOf(generation int64, snap binder.Snapshot) binder.Snapshot {
	if snap.Generation == generation {
		return snap
	}
	snap.Conditions = append(slices.DeleteFunc(slices.Clone(snap.Conditions), isType("Ready")), binder.Condition{
		Type: "Ready", Reason: string(controller.ReasonApplying), Message: "this spec cannot be served: Synced says why; the one before it goes on being served",
	})
	return snap
}

// tell copies a snapshot into status, of whatever generation it is.
func (e *external) tell(ctx context.Context, b Binding, snap binder.Snapshot) {
	status := b.ObservedState()
	at := &status.AtProvider
	at.Targets = counts(snap.Counts.Tally)
	at.Zones = nil
	for _, zone := range slices.Sorted(maps.Keys(snap.Counts.Zones)) {
		at.Zones = append(at.Zones, v1alpha1.ZoneTargetCounts{Name: zone, TargetCounts: *counts(snap.Counts.Zones[zone])})
	}
	at.Skipped, at.SkippedTotal = nil, int32(snap.SkippedTotal)
	for _, s := range snap.Skipped {
		at.Skipped = append(at.Skipped, v1alpha1.SkippedPod{Pod: s.Pod.Namespace + "/" + s.Pod.Name, Reason: s.Reason})
	}
	at.Ports = snap.Ports
	at.OwnedTargets = recordIPs(snap.OwnIPs)
	at.Foreign = recordIPs(snap.Foreign)

	conditions := snap.Conditions
	nothing := slices.ContainsFunc(conditions, selectsNothing)
	if hint := e.hint(ctx, b, snap); hint != "" && !nothing && !slices.ContainsFunc(conditions, isType("Skipped")) {
		conditions = append(slices.Clone(conditions), binder.Condition{Type: "Skipped", Status: true, Reason: string(targets.RuleNotHostNetwork), Message: hint})
	}
	if e.twin != nil && !nothing {
		if other := e.twin(b); other != nil {
			conditions = append(slices.Clone(conditions), shared(other))
		}
	}
	for _, t := range engineConditions {
		if !slices.ContainsFunc(conditions, isType(t)) && !slices.Contains(snap.Undecided, string(t)) {
			status.Conditions = slices.DeleteFunc(status.Conditions, func(c xpv2.Condition) bool { return c.Type == t })
		}
	}
	for _, c := range conditions {
		c.Message = advised(b.ForProvider(), c)
		switch c.Reason {
		case binder.ReasonTimeout:
			c.Message += ": " + e.firewall(ctx, b)
		case binder.ReasonNeverHealthy:
			c.Message += ": either nothing answers on the port of the check, or " + e.firewall(ctx, b)
		}
		if was := b.GetCondition(xpv2.ConditionType(c.Type)); news(c, was) {
			e.event(refOf(b), binder.Event{Warning: true, Reason: c.Reason, Message: c.Message})
		}
		b.SetConditions(condition(c))
	}
}

// reasonNothingSelected: the Service that is named selects no pods.
const reasonNothingSelected = "NothingSelected"

// advised is a condition's message with the field that it is about and what to
// do, which the engine does not know.
func advised(p *v1alpha1.TargetGroupBindingParameters, c binder.Condition) string {
	switch {
	case c.Reason == reasonNothingSelected:
		return "spec.forProvider.serviceRef: " + c.Message + "; correct the Service, or the reference"
	case c.Reason == string(targets.RuleNoPort) && p.ServiceRef != nil:
		return c.Message + "; correct the targetPort of the Service that spec.forProvider.serviceRef names, or the pods' ports"
	case c.Reason == string(targets.RuleNoPort):
		return c.Message + "; correct spec.forProvider.podSelector.port, or the pods' ports"
	}
	return c.Message
}

// news says that a condition is a problem which has not been told before, so that
// it is worth an Event too. What status has survives a restart.
func news(c binder.Condition, was xpv2.Condition) bool {
	problem := false
	switch c.Type {
	case "Ready":
		problem = slices.Contains([]string{reasonNothingSelected, "TargetGroupNotFound", "TargetGroupUnreadable"}, c.Reason)
	case "ViewIncomplete":
		// After each start there is a moment before the first lists.
		problem = !strings.Contains(c.Message, "not synced yet")
	case "ForeignTargets":
		problem = c.Reason == "ToBeTakenOver" || c.Reason == "ComesBack"
	case "Held", "Yielding", "DeparturesWaiting", "Skipped", "Guarded", "Braked", "GatesNotSet", "SharesPods":
		problem = true
	case "TargetsHealthy":
		problem = !c.Status
	}
	return problem && (was.Status != condition(c).Status || string(was.Reason) != c.Reason || was.Message != c.Message)
}

// selectsNothing says of a condition that the binding's Service selects no pods for
// it, so that it shares none.
func selectsNothing(c binder.Condition) bool {
	return c.Type == "Ready" && c.Reason == reasonNothingSelected
}

func isType(t xpv2.ConditionType) func(binder.Condition) bool {
	return func(c binder.Condition) bool { return c.Type == string(t) }
}

func condition(c binder.Condition) xpv2.Condition {
	status := corev1.ConditionFalse
	if c.Status {
		status = corev1.ConditionTrue
	}
	return xpv2.Condition{
		Type: xpv2.ConditionType(c.Type), Status: status, Reason: xpv2.ConditionReason(c.Reason), Message: c.Message,
		LastTransitionTime: metav1.Now(),
	}
}

func counts(c targets.Tally) *v1alpha1.TargetCounts {
	return &v1alpha1.TargetCounts{
		Desired: int32(c.Desired), Registered: int32(c.Registered), Healthy: int32(c.Healthy), Initial: int32(c.Initial),
		Unhealthy: int32(c.Unhealthy), Draining: int32(c.Draining), Foreign: int32(c.Foreign),
	}
}

// hint explains a selection that yields nothing although pods match: only
// hostNetwork pods are streamed, so the others are counted by one small List.
func (e *external) hint(ctx context.Context, b Binding, snap binder.Snapshot) string {
	if snap.Counts.Desired > 0 || snap.Counts.Registered > 0 || snap.SkippedTotal > 0 {
		return ""
	}
	if text, ok := e.hints.get(b, ""); ok {
		return text
	}
	n, err := e.cluster.CountMatching(ctx, queryOf(b, ""))
	if err != nil {
		return "" // a missing permission is told by the view
	}
	text := ""
	if n.Pods > 0 {
		text = fmt.Sprintf("%s pods match, none uses hostNetwork: set spec.hostNetwork: true in the pods", n)
	}
	e.hints.put(b, "", text)
	return text
}
