package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// SecurityGroupSpec is the part of a SecurityGroup's spec that both scopes share,
// with the rules that need the whole spec.
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.vpcId)",message="spec.forProvider.vpcId is required when managementPolicies allow Create or Update: set it to the VPC of the security group"
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.description)",message="spec.forProvider.description is required when managementPolicies allow Create or Update: AWS wants one and never lets it change"
// +kubebuilder:validation:XValidation:rule="!has(self.managementPolicies) || size(self.managementPolicies) == 0 || self.managementPolicies == ['*'] || ('Observe' in self.managementPolicies && !('*' in self.managementPolicies) && (!('Delete' in self.managementPolicies) || 'Create' in self.managementPolicies || !('Update' in self.managementPolicies || 'LateInitialize' in self.managementPolicies)))",message="spec.managementPolicies must be [\"*\"], [] or a set with Observe, such as [Observe] or [Observe, Create, Update]; Delete beside Update or LateInitialize needs Create, too"
type SecurityGroupSpec struct {
	ForProvider SecurityGroupParameters `json:"forProvider"`
}

// SecurityGroupParameters are the desired state of a security group. It never
// owns rules: each is a SecurityGroupRule. Source: EC2 API reference,
// CreateSecurityGroup.
// +kubebuilder:validation:XValidation:rule="self.region == oldSelf.region",message="region cannot be changed: create a new SecurityGroup in the other region"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.name) || (has(self.name) && self.name == oldSelf.name)",message="name cannot be changed in AWS: create a new SecurityGroup with the other name"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.description) || (has(self.description) && self.description == oldSelf.description)",message="description cannot be changed in AWS: create a new SecurityGroup with the other description"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.vpcId) || (has(self.vpcId) && self.vpcId == oldSelf.vpcId)",message="vpcId cannot be changed in AWS: create a new SecurityGroup in the other VPC"
type SecurityGroupParameters struct {
	// Region of the security group, such as eu-west-1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region"`

	// Name of the security group in AWS: up to 255 characters, not beginning with
	// sg-, unique in its VPC whatever the case of its letters. Default: derived
	// from the object's name. Cannot be changed. (AWS: GroupName.)
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+$`
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('sg-')",message="name must not begin with sg-, which is for ids"
	Name *string `json:"name,omitempty"`

	// Description of the security group, up to 255 characters. Cannot be changed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+$`
	Description *string `json:"description,omitempty"`

	// VPCID of the VPC, vpc-…. Cannot be changed.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^vpc-[0-9a-f]+$`
	VPCID *string `json:"vpcId,omitempty"`

	// RevokeDefaultEgress removes, once, after we have created the group, the rule
	// that AWS gives it to allow all outbound traffic.
	// +optional
	RevokeDefaultEgress *bool `json:"revokeDefaultEgress,omitempty"`

	// Tags of the security group besides those that the provider sets. A tag that
	// is removed here is removed in AWS; tags that others set stay. At most 30,
	// since AWS allows 50 in all. A key must not begin with aws:.
	// +optional
	// +kubebuilder:validation:MaxProperties=30
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('aws:') && size(k) <= 128)",message="a tag key has at most 128 characters and must not begin with aws:, which AWS reserves"
	Tags map[string]TagValue `json:"tags,omitempty"`
}

// SecurityGroupStatus is the observed state of a SecurityGroup.
type SecurityGroupStatus struct {
	xpv2.ManagedResourceStatus `json:",inline"`

	// AtProvider is what AWS says of the security group.
	// +optional
	AtProvider SecurityGroupObservation `json:"atProvider,omitempty"`
}

// SecurityGroupObservation is what AWS says of a security group.
type SecurityGroupObservation struct {
	// ID of the security group, sg-….
	// +optional
	ID string `json:"id,omitempty"`
	// ARN of the security group.
	// +optional
	ARN string `json:"arn,omitempty"`
	// Name in AWS.
	// +optional
	Name string `json:"name,omitempty"`
	// Description in AWS.
	// +optional
	Description string `json:"description,omitempty"`
	// VPCID of the VPC.
	// +optional
	VPCID string `json:"vpcId,omitempty"`
	// DefaultEgressRevoked says that revokeDefaultEgress has been carried out.
	// +optional
	DefaultEgressRevoked bool `json:"defaultEgressRevoked,omitempty"`
	// ManagedTagKeys are the keys of the tags that we set.
	// +optional
	// +listType=set
	ManagedTagKeys []string `json:"managedTagKeys,omitempty"`
}
