package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// SecurityGroupRuleSpec is the desired state of a SecurityGroupRule.
type SecurityGroupRuleSpec struct {
	xpv2.ManagedResourceSpec `json:",inline"`

	v1alpha1.SecurityGroupRuleSpec `json:",inline"`
}

// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,categories={crossplane,managed,nlb}
// +kubebuilder:printcolumn:name="READY",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status"
// +kubebuilder:printcolumn:name="SYNCED",type="string",JSONPath=".status.conditions[?(@.type=='Synced')].status"
// +kubebuilder:printcolumn:name="DIRECTION",type="string",JSONPath=".status.atProvider.direction"
// +kubebuilder:printcolumn:name="PROTOCOL",type="string",JSONPath=".status.atProvider.protocol"
// +kubebuilder:printcolumn:name="FROM-PORT",type="integer",JSONPath=".status.atProvider.fromPort"
// +kubebuilder:printcolumn:name="TO-PORT",type="integer",JSONPath=".status.atProvider.toPort"
// +kubebuilder:printcolumn:name="SOURCE",type="string",JSONPath=".status.atProvider.source"
// +kubebuilder:printcolumn:name="EXTERNAL-NAME",type="string",JSONPath=".metadata.annotations.crossplane\\.io/external-name"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"

// A SecurityGroupRule is one rule of a security group.
type SecurityGroupRule struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec SecurityGroupRuleSpec `json:"spec"`
	// +default={"observedGeneration":-1,"conditions":[{"type":"Synced","status":"Unknown","reason":"Pending","lastTransitionTime":"1970-01-01T00:00:00Z"},{"type":"Ready","status":"Unknown","reason":"Pending","lastTransitionTime":"1970-01-01T00:00:00Z"}]}
	// +optional
	Status v1alpha1.SecurityGroupRuleStatus `json:"status,omitempty"`
}

// ForProvider returns the desired state of what is in AWS.
func (mg *SecurityGroupRule) ForProvider() *v1alpha1.SecurityGroupRuleParameters {
	return &mg.Spec.ForProvider
}

// ObservedState returns the whole status.
func (mg *SecurityGroupRule) ObservedState() *v1alpha1.SecurityGroupRuleStatus { return &mg.Status }

// +kubebuilder:object:root=true

// SecurityGroupRuleList is a list of SecurityGroupRules.
type SecurityGroupRuleList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SecurityGroupRule `json:"items"`
}
