package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// ProviderConfigSpec is how to reach AWS, and as whom.
// +kubebuilder:validation:XValidation:rule="!has(self.credentials.secretRef) || !has(self.credentials.secretRef.namespace)",message="spec.credentials.secretRef.namespace is not for a namespaced ProviderConfig: it reads Secrets of its own namespace; remove it, or use a ClusterProviderConfig"
// +kubebuilder:validation:XValidation:rule="!has(self.credentials.webIdentity) || !has(self.credentials.webIdentity.tokenSecretRef) || !has(self.credentials.webIdentity.tokenSecretRef.namespace)",message="spec.credentials.webIdentity.tokenSecretRef.namespace is not for a namespaced ProviderConfig: it reads Secrets of its own namespace; remove it, or use a ClusterProviderConfig"
type ProviderConfigSpec struct {
	v1alpha1.ProviderConfigSpec `json:",inline"`
}

// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,categories={crossplane,provider,nlb}
// +kubebuilder:printcolumn:name="SOURCE",type="string",JSONPath=".spec.credentials.source"
// +kubebuilder:printcolumn:name="USERS",type="integer",JSONPath=".status.users"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"

// A ProviderConfig says how the resources of its namespace reach AWS. Unless the
// provider runs with --namespaced-provider-configs=trusted it has sources Secret
// and WebIdentity with a token Secret only, and no endpoint.
type ProviderConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ProviderConfigSpec            `json:"spec"`
	Status v1alpha1.ProviderConfigStatus `json:"status,omitempty"`
}

// AWS returns the configuration.
func (pc *ProviderConfig) AWS() *v1alpha1.ProviderConfigSpec { return &pc.Spec.ProviderConfigSpec }

// +kubebuilder:object:root=true

// ProviderConfigList is a list of ProviderConfigs.
type ProviderConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ProviderConfig `json:"items"`
}

// ClusterProviderConfigSpec is how to reach AWS, and as whom.
// +kubebuilder:validation:XValidation:rule="!has(self.credentials.secretRef) || has(self.credentials.secretRef.namespace)",message="spec.credentials.secretRef.namespace is required: name the namespace of the Secret"
// +kubebuilder:validation:XValidation:rule="!has(self.credentials.webIdentity) || !has(self.credentials.webIdentity.tokenSecretRef) || has(self.credentials.webIdentity.tokenSecretRef.namespace)",message="spec.credentials.webIdentity.tokenSecretRef.namespace is required: name the namespace of the Secret"
type ClusterProviderConfigSpec struct {
	v1alpha1.ProviderConfigSpec `json:",inline"`
}

// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories={crossplane,provider,nlb}
// +kubebuilder:printcolumn:name="SOURCE",type="string",JSONPath=".spec.credentials.source"
// +kubebuilder:printcolumn:name="USERS",type="integer",JSONPath=".status.users"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"

// A ClusterProviderConfig says how namespaced resources of any namespace reach
// AWS.
type ClusterProviderConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ClusterProviderConfigSpec     `json:"spec"`
	Status v1alpha1.ProviderConfigStatus `json:"status,omitempty"`
}

// AWS returns the configuration.
func (pc *ClusterProviderConfig) AWS() *v1alpha1.ProviderConfigSpec {
	return &pc.Spec.ProviderConfigSpec
}

// +kubebuilder:object:root=true

// ClusterProviderConfigList is a list of ClusterProviderConfigs.
type ClusterProviderConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterProviderConfig `json:"items"`
}

// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:resource:scope=Namespaced,categories={crossplane,provider,nlb}
// +kubebuilder:printcolumn:name="CONFIG-NAME",type="string",JSONPath=".providerConfigRef.name"
// +kubebuilder:printcolumn:name="RESOURCE-KIND",type="string",JSONPath=".resourceRef.kind"
// +kubebuilder:printcolumn:name="RESOURCE-NAME",type="string",JSONPath=".resourceRef.name"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"

// A ProviderConfigUsage says that a resource uses a provider configuration.
type ProviderConfigUsage struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	xpv2.TypedProviderConfigUsage `json:",inline"`
}

// +kubebuilder:object:root=true

// ProviderConfigUsageList is a list of ProviderConfigUsages.
type ProviderConfigUsageList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ProviderConfigUsage `json:"items"`
}
