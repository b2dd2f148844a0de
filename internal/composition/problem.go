package composition

import (
	"slices"
	"strings"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// TypeProblem is the condition of a claim that says what somebody has to look at.
const TypeProblem = "Problem"

// quiet are the reasons of Ready=False that pass, or that another resource causes
// which has a reason of its own.
var quiet = []xpv2.ConditionReason{"", "Creating", "Deleting", "Pending", "Applying", "Observing", "Registering", "WaitingForReference", "Available"}

// telling are conditions of a binding that are worth telling when they are True.
var telling = []xpv2.ConditionType{"Guarded", "Held", "ViewIncomplete", "GatesNotSet", "Yielding", "DeparturesWaiting", "Skipped", "ForeignTargets", "SharesPods"}

// worst returns the problem of the observed resources that comes first: one that
// only a change of the claim heals before one that may pass, that before one that
// is only worth knowing. It is always the same one for the same resources.
func worst(req Request) (*Problem, error) {
	var found [3]*Problem

	for _, name := range inOrder(req.Observed) {
		o := req.Observed[name]

		seen, err := decode[struct {
			head

			Status xpv2.ConditionedStatus `json:"status"`
		}](o)
		if err != nil {
			return nil, err
		}

		p, rank := problemOf(seen.Status.Conditions)
		if p == nil || found[rank] != nil {
			continue
		}

		// A nested composite resource names its resource itself.
		if !strings.HasSuffix(seen.Kind, kindPort) {
			p.Message = seen.Kind + " " + seen.Metadata.Name + ": " + p.Message
		} else {
			p.Message = "port " + seen.Metadata.Labels[labelPort] + ": " + p.Message
		}

		found[rank] = p
	}

	for _, p := range found {
		if p != nil {
			return p, nil
		}
	}

	return nil, nil
}

// problemOf returns what the conditions of one resource say, and how bad it is: 0 is
// worst.
func problemOf(conditions []xpv2.Condition) (*Problem, int) {
	told := func(c xpv2.Condition, rank int) (*Problem, int) {
		return &Problem{Reason: string(c.Reason), Message: c.Message, Stalled: rank == 0}, rank
	}

	nested := conditionOf(conditions, TypeProblem)

	switch stalled := conditionOf(conditions, "Stalled"); {
	case stalled.Status == "True" && nested.Status == "True":
		return told(nested, 0)
	case stalled.Status == "True":
		return told(stalled, 0)
	case nested.Status == "True":
		return told(nested, 1)
	}

	if synced := conditionOf(conditions, xpv2.TypeSynced); synced.Status == "False" {
		return told(synced, 1)
	}

	if ready := conditionOf(conditions, xpv2.TypeReady); ready.Status == "False" && !slices.Contains(quiet, ready.Reason) {
		return told(ready, 1)
	}

	// A binding says so only after minutes.
	if healthy := conditionOf(conditions, "TargetsHealthy"); healthy.Status == "False" {
		return told(healthy, 2)
	}

	for _, t := range telling {
		// At the start of the provider there is a moment before the first lists.
		if c := conditionOf(conditions, t); c.Status == "True" && !strings.Contains(c.Message, "not synced yet") {
			return told(c, 2)
		}
	}

	return nil, 0
}

func conditionOf(conditions []xpv2.Condition, t xpv2.ConditionType) xpv2.Condition {
	for _, c := range conditions {
		if c.Type == t {
			return c
		}
	}

	return xpv2.Condition{Type: t, Status: "Unknown"}
}
