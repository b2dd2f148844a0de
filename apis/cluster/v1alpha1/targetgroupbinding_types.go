package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// TargetGroupBindingSpec is the desired state of a TargetGroupBinding.
// +kubebuilder:validation:XValidation:rule="!has(self.forProvider.serviceRef) || has(self.forProvider.serviceRef.namespace)",message="spec.forProvider.serviceRef.namespace is required: name the namespace of the Service"
// +kubebuilder:validation:XValidation:rule="!has(self.forProvider.podSelector) || has(self.forProvider.podSelector.namespace)",message="spec.forProvider.podSelector.namespace is required: name the namespace of the pods"
type TargetGroupBindingSpec struct {
	xpv2.ClusterManagedResourceSpec `json:",inline"`

	v1alpha1.TargetGroupBindingSpec `json:",inline"`
}

// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories={crossplane,managed,nlb}
// +kubebuilder:printcolumn:name="READY",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status"
// +kubebuilder:printcolumn:name="SYNCED",type="string",JSONPath=".status.conditions[?(@.type=='Synced')].status"
// +kubebuilder:printcolumn:name="TARGETS",type="integer",JSONPath=".status.atProvider.targets.registered"
// +kubebuilder:printcolumn:name="HEALTHY",type="integer",JSONPath=".status.atProvider.targets.healthy"
// +kubebuilder:printcolumn:name="EXTERNAL-NAME",type="string",JSONPath=".metadata.annotations.crossplane\\.io/external-name"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"

// A TargetGroupBinding keeps exactly the EC2 instances that run the selected
// hostNetwork pods registered in a target group, at the port that the pods
// listen on.
type TargetGroupBinding struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec TargetGroupBindingSpec `json:"spec"`
	// +default={"observedGeneration":-1,"conditions":[{"type":"Synced","status":"Unknown","reason":"Pending","lastTransitionTime":"1970-01-01T00:00:00Z"},{"type":"Ready","status":"Unknown","reason":"Pending","lastTransitionTime":"1970-01-01T00:00:00Z"}]}
	// +optional
	Status v1alpha1.TargetGroupBindingStatus `json:"status,omitempty"`
}

// ForProvider returns the desired state of what is in AWS.
func (mg *TargetGroupBinding) ForProvider() *v1alpha1.TargetGroupBindingParameters {
	return &mg.Spec.ForProvider
}

// ObservedState returns the whole status.
func (mg *TargetGroupBinding) ObservedState() *v1alpha1.TargetGroupBindingStatus { return &mg.Status }

// +kubebuilder:object:root=true

// TargetGroupBindingList is a list of TargetGroupBindings.
type TargetGroupBindingList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TargetGroupBinding `json:"items"`
}
