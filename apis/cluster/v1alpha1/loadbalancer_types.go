package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// LoadBalancerSpec is the desired state of a LoadBalancer.
type LoadBalancerSpec struct {
	xpv2.ClusterManagedResourceSpec `json:",inline"`

	v1alpha1.LoadBalancerSpec `json:",inline"`
}

// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories={crossplane,managed,nlb}
// +kubebuilder:printcolumn:name="READY",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status"
// +kubebuilder:printcolumn:name="SYNCED",type="string",JSONPath=".status.conditions[?(@.type=='Synced')].status"
// +kubebuilder:printcolumn:name="STATE",type="string",JSONPath=".status.atProvider.state.code"
// +kubebuilder:printcolumn:name="DNS-NAME",type="string",JSONPath=".status.atProvider.dnsName"
// +kubebuilder:printcolumn:name="EXTERNAL-NAME",type="string",JSONPath=".metadata.annotations.crossplane\\.io/external-name"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"

// A LoadBalancer is an AWS Network Load Balancer.
type LoadBalancer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec LoadBalancerSpec `json:"spec"`
	// +default={"observedGeneration":-1,"conditions":[{"type":"Synced","status":"Unknown","reason":"Pending","lastTransitionTime":"1970-01-01T00:00:00Z"},{"type":"Ready","status":"Unknown","reason":"Pending","lastTransitionTime":"1970-01-01T00:00:00Z"}]}
	// +optional
	Status v1alpha1.LoadBalancerStatus `json:"status,omitempty"`
}

// ForProvider returns the desired state of what is in AWS.
func (mg *LoadBalancer) ForProvider() *v1alpha1.LoadBalancerParameters { return &mg.Spec.ForProvider }

// ObservedState returns the whole status.
func (mg *LoadBalancer) ObservedState() *v1alpha1.LoadBalancerStatus { return &mg.Status }

// +kubebuilder:object:root=true

// LoadBalancerList is a list of LoadBalancers.
type LoadBalancerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LoadBalancer `json:"items"`
}
