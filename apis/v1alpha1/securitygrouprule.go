package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// SecurityGroupRuleSpec is the part of a SecurityGroupRule's spec that both scopes
// share, with the rules that need the whole spec.
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || (has(self.forProvider.direction) && has(self.forProvider.protocol))",message="spec.forProvider.direction and protocol are required when managementPolicies allow Create or Update"
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || (has(self.forProvider.cidrIpv4) ? 1 : 0) + (has(self.forProvider.cidrIpv6) ? 1 : 0) + (has(self.forProvider.prefixListId) ? 1 : 0) + (has(self.forProvider.referencedSecurityGroupId) ? 1 : 0) + (has(self.forProvider.referencedSecurityGroupIdRef) ? 1 : 0) + (has(self.forProvider.referencedSecurityGroupIdSelector) ? 1 : 0) == 1",message="say who in exactly one way: cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId, referencedSecurityGroupIdRef or referencedSecurityGroupIdSelector"
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.securityGroupId) || has(self.forProvider.securityGroupIdRef) || has(self.forProvider.securityGroupIdSelector)",message="name the security group in exactly one way: securityGroupId, securityGroupIdRef or securityGroupIdSelector"
// +kubebuilder:validation:XValidation:rule="!has(self.managementPolicies) || size(self.managementPolicies) == 0 || self.managementPolicies == ['*'] || ('Observe' in self.managementPolicies && !('*' in self.managementPolicies) && (!('Delete' in self.managementPolicies) || 'Create' in self.managementPolicies || !('Update' in self.managementPolicies || 'LateInitialize' in self.managementPolicies)))",message="spec.managementPolicies must be [\"*\"], [] or a set with Observe, such as [Observe] or [Observe, Create, Update]; Delete beside Update or LateInitialize needs Create, too"
type SecurityGroupRuleSpec struct {
	ForProvider SecurityGroupRuleParameters `json:"forProvider"`
}

// SecurityGroupRuleParameters are the desired state of one rule of a security
// group. Source: EC2 API reference, AuthorizeSecurityGroupIngress and …Egress,
// ModifySecurityGroupRules.
// +kubebuilder:validation:XValidation:rule="self.region == oldSelf.region",message="region cannot be changed: create a new SecurityGroupRule in the other region"
// +kubebuilder:validation:XValidation:rule="(has(self.securityGroupId) ? 1 : 0) + (has(self.securityGroupIdRef) ? 1 : 0) + (has(self.securityGroupIdSelector) ? 1 : 0) <= 1",message="name the security group in exactly one way: securityGroupId, securityGroupIdRef or securityGroupIdSelector"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.securityGroupId) || !has(self.securityGroupId) || self.securityGroupId == oldSelf.securityGroupId",message="securityGroupId cannot be changed in AWS: create a new SecurityGroupRule in the other security group"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.direction) || (has(self.direction) && self.direction == oldSelf.direction)",message="direction cannot be changed in AWS: create a new SecurityGroupRule"
// +kubebuilder:validation:XValidation:rule="(!has(oldSelf.cidrIpv4) || has(self.cidrIpv4)) && (!has(oldSelf.cidrIpv6) || has(self.cidrIpv6)) && (!has(oldSelf.prefixListId) || has(self.prefixListId)) && (!(has(oldSelf.referencedSecurityGroupId) || has(oldSelf.referencedSecurityGroupIdRef) || has(oldSelf.referencedSecurityGroupIdSelector)) || has(self.referencedSecurityGroupId) || has(self.referencedSecurityGroupIdRef) || has(self.referencedSecurityGroupIdSelector))",message="the kind of source cannot be changed in AWS (cidrIpv4, cidrIpv6, prefixListId, security group): create a new SecurityGroupRule"
// +kubebuilder:validation:XValidation:rule="has(self.fromPort) == has(self.toPort)",message="set both fromPort and toPort, or neither"
// +kubebuilder:validation:XValidation:rule="!has(self.fromPort) || !has(self.toPort) || !has(self.protocol) || self.protocol in ['icmp', 'icmpv6', '1', '58'] || self.fromPort <= self.toPort",message="fromPort must not be larger than toPort"
// +kubebuilder:validation:XValidation:rule="!has(self.protocol) || !(self.protocol in ['tcp', 'udp', '6', '17']) || has(self.fromPort)",message="fromPort and toPort are required for tcp and udp"
// +kubebuilder:validation:XValidation:rule="!has(self.protocol) || self.protocol in ['tcp', 'udp', 'icmp', 'icmpv6', '6', '17', '1', '58'] || !has(self.fromPort)",message="protocol -1 and protocols other than tcp, udp, icmp and icmpv6 mean all ports: remove fromPort and toPort"
type SecurityGroupRuleParameters struct {
	// Region of the security group, such as eu-west-1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region"`

	// SecurityGroupID of the group that has the rule, sg-…. Cannot be changed.
	// (AWS: GroupId.)
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^sg-[0-9a-f]+$`
	SecurityGroupID *string `json:"securityGroupId,omitempty"`
	// SecurityGroupIDRef names a SecurityGroup object.
	// +optional
	SecurityGroupIDRef *Reference `json:"securityGroupIdRef,omitempty"`
	// SecurityGroupIDSelector selects a SecurityGroup object by its labels.
	// +optional
	SecurityGroupIDSelector *Selector `json:"securityGroupIdSelector,omitempty"`

	// Direction is ingress or egress. Cannot be changed.
	// +optional
	// +kubebuilder:validation:Enum=ingress;egress
	Direction *string `json:"direction,omitempty"`

	// Protocol is tcp, udp, icmp, icmpv6, a protocol number, or -1 for all.
	// (AWS: IpProtocol.)
	// +optional
	// +kubebuilder:validation:MaxLength=6
	// +kubebuilder:validation:Pattern=`^(tcp|udp|icmp|icmpv6|-1|[0-9]{1,3})$`
	Protocol *string `json:"protocol,omitempty"`

	// FromPort begins the range of ports, 0-65535; for ICMP it is the type, or -1
	// for all.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	// +kubebuilder:validation:Maximum=65535
	FromPort *int32 `json:"fromPort,omitempty"`
	// ToPort ends the range of ports, 0-65535; for ICMP it is the code, or -1 for
	// all.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	// +kubebuilder:validation:Maximum=65535
	ToPort *int32 `json:"toPort,omitempty"`

	// CIDRIPv4 is a range of IPv4 addresses. AWS clears its host bits.
	// +optional
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:Pattern=`^[0-9.]+/[0-9]{1,2}$`
	CIDRIPv4 *string `json:"cidrIpv4,omitempty"`
	// CIDRIPv6 is a range of IPv6 addresses. AWS clears its host bits.
	// +optional
	// +kubebuilder:validation:MaxLength=43
	// +kubebuilder:validation:Pattern=`^[0-9a-fA-F:.]+/[0-9]{1,3}$`
	CIDRIPv6 *string `json:"cidrIpv6,omitempty"`
	// PrefixListID of a prefix list, pl-….
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^pl-[0-9a-f]+$`
	PrefixListID *string `json:"prefixListId,omitempty"`
	// ReferencedSecurityGroupID is a security group whose members are meant, sg-…, of
	// the same VPC or of a peered one; that of another account is 123456789012/sg-….
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^([0-9]{12}/)?sg-[0-9a-f]+$`
	ReferencedSecurityGroupID *string `json:"referencedSecurityGroupId,omitempty"`
	// ReferencedSecurityGroupIDRef names a SecurityGroup object.
	// +optional
	ReferencedSecurityGroupIDRef *Reference `json:"referencedSecurityGroupIdRef,omitempty"`
	// ReferencedSecurityGroupIDSelector selects a SecurityGroup object by its labels.
	// +optional
	ReferencedSecurityGroupIDSelector *Selector `json:"referencedSecurityGroupIdSelector,omitempty"`

	// Description of the rule, up to 255 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*$`
	Description *string `json:"description,omitempty"`

	// Tags of the rule besides those that the provider sets. A tag that is removed
	// here is removed in AWS; tags that others set stay. At most 30, since AWS
	// allows 50 in all. A key must not begin with aws:.
	// +optional
	// +kubebuilder:validation:MaxProperties=30
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('aws:') && size(k) <= 128)",message="a tag key has at most 128 characters and must not begin with aws:, which AWS reserves"
	Tags map[string]TagValue `json:"tags,omitempty"`
}

// SecurityGroupRuleStatus is the observed state of a SecurityGroupRule.
type SecurityGroupRuleStatus struct {
	xpv2.ManagedResourceStatus `json:",inline"`

	// AtProvider is what AWS says of the rule.
	// +optional
	AtProvider SecurityGroupRuleObservation `json:"atProvider,omitempty"`
}

// SecurityGroupRuleObservation is what AWS says of a rule.
type SecurityGroupRuleObservation struct {
	// ID of the rule, sgr-….
	// +optional
	ID string `json:"id,omitempty"`
	// ARN of the rule.
	// +optional
	ARN string `json:"arn,omitempty"`
	// SecurityGroupID of the group that has the rule.
	// +optional
	SecurityGroupID string `json:"securityGroupId,omitempty"`
	// Direction is ingress or egress.
	// +optional
	Direction string `json:"direction,omitempty"`
	// Protocol as AWS writes it.
	// +optional
	Protocol string `json:"protocol,omitempty"`
	// FromPort begins the range of ports; -1 is all.
	// +optional
	FromPort *int32 `json:"fromPort,omitempty"`
	// ToPort ends the range of ports; -1 is all.
	// +optional
	ToPort *int32 `json:"toPort,omitempty"`
	// Source is the CIDR, prefix list or security group, as AWS writes it; a security
	// group of another account with that: 123456789012/sg-….
	// +optional
	Source string `json:"source,omitempty"`
	// ManagedTagKeys are the keys of the tags that we set.
	// +optional
	// +listType=set
	ManagedTagKeys []string `json:"managedTagKeys,omitempty"`
}
