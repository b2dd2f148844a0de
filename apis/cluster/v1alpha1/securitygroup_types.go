package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// SecurityGroupSpec is the desired state of a SecurityGroup.
type SecurityGroupSpec struct {
	xpv2.ClusterManagedResourceSpec `json:",inline"`

	v1alpha1.SecurityGroupSpec `json:",inline"`
}

// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories={crossplane,managed,nlb}
// +kubebuilder:printcolumn:name="READY",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status"
// +kubebuilder:printcolumn:name="SYNCED",type="string",JSONPath=".status.conditions[?(@.type=='Synced')].status"
// +kubebuilder:printcolumn:name="VPC",type="string",JSONPath=".status.atProvider.vpcId"
// +kubebuilder:printcolumn:name="EXTERNAL-NAME",type="string",JSONPath=".metadata.annotations.crossplane\\.io/external-name"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"

// A SecurityGroup is an EC2 security group. It never owns rules.
type SecurityGroup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec SecurityGroupSpec `json:"spec"`
	// +default={"observedGeneration":-1,"conditions":[{"type":"Synced","status":"Unknown","reason":"Pending","lastTransitionTime":"1970-01-01T00:00:00Z"},{"type":"Ready","status":"Unknown","reason":"Pending","lastTransitionTime":"1970-01-01T00:00:00Z"}]}
	// +optional
	Status v1alpha1.SecurityGroupStatus `json:"status,omitempty"`
}

// ForProvider returns the desired state of what is in AWS.
func (mg *SecurityGroup) ForProvider() *v1alpha1.SecurityGroupParameters { return &mg.Spec.ForProvider }

// ObservedState returns the whole status.
func (mg *SecurityGroup) ObservedState() *v1alpha1.SecurityGroupStatus { return &mg.Status }

// +kubebuilder:object:root=true

// SecurityGroupList is a list of SecurityGroups.
type SecurityGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SecurityGroup `json:"items"`
}
