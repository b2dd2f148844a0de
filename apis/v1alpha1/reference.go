package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// A Reference names an object of this provider, in the referring object's own
// scope and namespace. It is resolved on every reconcile and never written back.
type Reference struct {
	// Name of the referenced object.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// A Selector selects an object of this provider by its labels, in the selecting
// object's own scope and namespace. It must select exactly one where one is
// wanted.
// +kubebuilder:validation:XValidation:rule="has(self.matchLabels) && size(self.matchLabels) > 0 || has(self.matchControllerRef) && self.matchControllerRef",message="a selector needs matchLabels, matchControllerRef: true, or both"
type Selector struct {
	// MatchLabels are labels that the selected object must have.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	MatchLabels map[string]string `json:"matchLabels,omitempty"`

	// MatchControllerRef selects only an object that has the same controller
	// (such as a composite resource) as the selecting one.
	// +optional
	MatchControllerRef *bool `json:"matchControllerRef,omitempty"`
}

// ReasonPending is the reason that conditions Synced and Ready have until the
// first reconcile. The schema's default status of each managed resource has them,
// Unknown, with observedGeneration -1: GitOps tools would otherwise take a new
// object without conditions for a healthy one.
const ReasonPending xpv2.ConditionReason = "Pending"
