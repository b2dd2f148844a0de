package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// LoadBalancerSpec is the part of a LoadBalancer's spec that both scopes share,
// with the rules that need the whole spec.
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.subnetMappings)",message="spec.forProvider.subnetMappings is required when managementPolicies allow Create or Update: name one subnet for each availability zone"
// +kubebuilder:validation:XValidation:rule="!has(self.managementPolicies) || size(self.managementPolicies) == 0 || self.managementPolicies == ['*'] || ('Observe' in self.managementPolicies && !('*' in self.managementPolicies) && (!('Delete' in self.managementPolicies) || 'Create' in self.managementPolicies || !('Update' in self.managementPolicies || 'LateInitialize' in self.managementPolicies)))",message="spec.managementPolicies must be [\"*\"], [] or a set with Observe, such as [Observe] or [Observe, Create, Update]; Delete beside Update or LateInitialize needs Create, too"
type LoadBalancerSpec struct {
	ForProvider LoadBalancerParameters `json:"forProvider"`
}

// LoadBalancerParameters are the desired state of a Network Load Balancer.
// Source: ELBv2 API reference, CreateLoadBalancer, SetSubnets, SetSecurityGroups,
// SetIpAddressType, ModifyLoadBalancerAttributes and ModifyCapacityReservation.
// +kubebuilder:validation:XValidation:rule="self.region == oldSelf.region",message="region cannot be changed: create a new LoadBalancer in the other region"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.name) || (has(self.name) && self.name == oldSelf.name)",message="name cannot be changed in AWS: create a new LoadBalancer with the other name"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.scheme) || (has(self.scheme) && self.scheme == oldSelf.scheme)",message="scheme cannot be changed in AWS: create a new LoadBalancer with the other scheme"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.secondaryIpsPerSubnet) || (has(self.secondaryIpsPerSubnet) && self.secondaryIpsPerSubnet >= oldSelf.secondaryIpsPerSubnet)",message="secondaryIpsPerSubnet can only grow in AWS: create a new LoadBalancer for fewer addresses"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.securityGroupIds) || size(oldSelf.securityGroupIds) == 0 || !has(self.securityGroupIds) || size(self.securityGroupIds) > 0 || (has(self.securityGroupIdRefs) && size(self.securityGroupIdRefs) > 0) || has(self.securityGroupIdSelector)",message="securityGroupIds cannot become empty: AWS never removes the last security group of a load balancer; create a new LoadBalancer without, or remove the field to leave them as they are"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.securityGroupIdRefs) || size(oldSelf.securityGroupIdRefs) == 0 || !has(self.securityGroupIdRefs) || size(self.securityGroupIdRefs) > 0 || (has(self.securityGroupIds) && size(self.securityGroupIds) > 0) || has(self.securityGroupIdSelector)",message="securityGroupIdRefs cannot become empty: AWS never removes the last security group of a load balancer; create a new LoadBalancer without, or remove the field to leave them as they are"
// +kubebuilder:validation:XValidation:rule="!has(self.subnetMappings) || !self.subnetMappings.exists(m, has(m.allocationId)) || !has(self.scheme) || self.scheme == 'internet-facing'",message="subnetMappings[].allocationId needs scheme internet-facing: an internal load balancer has no elastic IP addresses"
// +kubebuilder:validation:XValidation:rule="!has(self.subnetMappings) || !self.subnetMappings.exists(m, has(m.privateIPv4Address)) || (has(self.scheme) && self.scheme == 'internal')",message="subnetMappings[].privateIPv4Address needs scheme internal"
// +kubebuilder:validation:XValidation:rule="!has(self.subnetMappings) || !self.subnetMappings.exists(m, has(m.ipv6Address) || has(m.sourceNatIpv6Prefix)) || (has(self.ipAddressType) && self.ipAddressType == 'dualstack')",message="subnetMappings[].ipv6Address and sourceNatIpv6Prefix need ipAddressType dualstack"
// +kubebuilder:validation:XValidation:rule="!has(self.enablePrefixForIpv6SourceNat) || !self.enablePrefixForIpv6SourceNat || (has(self.ipAddressType) && self.ipAddressType == 'dualstack' && has(self.subnetMappings) && self.subnetMappings.all(m, has(m.sourceNatIpv6Prefix)))",message="enablePrefixForIpv6SourceNat needs ipAddressType dualstack and a sourceNatIpv6Prefix in each of subnetMappings"
type LoadBalancerParameters struct {
	// Region of the load balancer, such as eu-west-1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region"`

	// Name of the load balancer in AWS: up to 32 letters, digits and hyphens, not
	// beginning with internal-, unique per account and region among all load
	// balancers. Default: derived from the object's name. Cannot be changed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('internal-')",message="name must not begin with internal-, which AWS reserves"
	Name *string `json:"name,omitempty"`

	// Scheme is internet-facing (AWS's default) or internal. Cannot be changed.
	// +optional
	// +kubebuilder:validation:Enum=internet-facing;internal
	Scheme *string `json:"scheme,omitempty"`

	// IPAddressType is ipv4 (AWS's default) or dualstack.
	// +optional
	// +kubebuilder:validation:Enum=ipv4;dualstack
	IPAddressType *string `json:"ipAddressType,omitempty"`

	// SubnetMappings are the subnets, one for each availability zone, and the
	// addresses in them. Removing one takes up to 3 minutes in AWS and ends the
	// connections of its zone.
	// +optional
	// +listType=map
	// +listMapKey=subnetId
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	SubnetMappings []SubnetMapping `json:"subnetMappings,omitempty"`

	// SecurityGroupIDs of the load balancer, sg-…, united with those of the
	// references and the selector. A load balancer that was created without any
	// can never get one, and one that has some can never lose the last.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^sg-[0-9a-f]+$`
	SecurityGroupIDs []string `json:"securityGroupIds,omitempty"`
	// SecurityGroupIDRefs name SecurityGroup objects.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	SecurityGroupIDRefs []Reference `json:"securityGroupIdRefs,omitempty"`
	// SecurityGroupIDSelector selects SecurityGroup objects by their labels; it
	// may select several.
	// +optional
	SecurityGroupIDSelector *Selector `json:"securityGroupIdSelector,omitempty"`

	// EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic applies the inbound
	// rules to traffic from AWS PrivateLink too. AWS's default is true.
	// +optional
	EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic *bool `json:"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic,omitempty"`

	// EnablePrefixForIPv6SourceNAT uses the prefixes of the subnets for source
	// NAT, which UDP listeners on dualstack need.
	// +optional
	EnablePrefixForIPv6SourceNAT *bool `json:"enablePrefixForIpv6SourceNat,omitempty"`

	// MinimumCapacityUnits reserves load balancer capacity units (LCU; one is 2.2
	// Mbps). 0 resets the reservation. Decreases are limited to two a day.
	// (AWS: MinimumLoadBalancerCapacity.CapacityUnits.)
	// +optional
	// +kubebuilder:validation:Minimum=0
	MinimumCapacityUnits *int32 `json:"minimumCapacityUnits,omitempty"`

	// DeletionProtection refuses deletion, in AWS, while it is on. AWS's default
	// is false. (AWS: deletion_protection.enabled.)
	// +optional
	DeletionProtection *bool `json:"deletionProtection,omitempty"`

	// CrossZone balances across availability zones. AWS's default is false.
	// (AWS: load_balancing.cross_zone.enabled.)
	// +optional
	CrossZone *bool `json:"crossZone,omitempty"`

	// AccessLogs of TLS listeners. (AWS: access_logs.s3.*.)
	// +optional
	AccessLogs *AccessLogs `json:"accessLogs,omitempty"`

	// IPv6DenyAllIGWTraffic blocks internet gateway access. AWS's default is
	// false, and true for internal. (AWS: ipv6.deny_all_igw_traffic.)
	// +optional
	IPv6DenyAllIGWTraffic *bool `json:"ipv6DenyAllIgwTraffic,omitempty"`

	// ZonalShift lets Amazon Application Recovery Controller shift a zone away.
	// AWS's default is false. (AWS: zonal_shift.config.enabled.)
	// +optional
	ZonalShift *bool `json:"zonalShift,omitempty"`

	// DNSClientRoutingPolicy says how clients are kept in their zone. AWS's default
	// is any_availability_zone. (AWS: dns_record.client_routing_policy.)
	// +optional
	// +kubebuilder:validation:Enum=any_availability_zone;partial_availability_zone_affinity;availability_zone_affinity
	DNSClientRoutingPolicy *string `json:"dnsClientRoutingPolicy,omitempty"`

	// SecondaryIPsPerSubnet adds private addresses, 0-7, for more connections to
	// each target. It can never be decreased.
	// (AWS: secondary_ips.auto_assigned.per_subnet.)
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=7
	SecondaryIPsPerSubnet *int32 `json:"secondaryIpsPerSubnet,omitempty"`

	// Attributes of the load balancer that have no field here, by AWS's keys. A
	// key that has a field is refused.
	// +optional
	// +kubebuilder:validation:MaxProperties=20
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['deletion_protection.enabled', 'load_balancing.cross_zone.enabled', 'access_logs.s3.enabled', 'access_logs.s3.bucket', 'access_logs.s3.prefix', 'ipv6.deny_all_igw_traffic', 'zonal_shift.config.enabled', 'dns_record.client_routing_policy', 'secondary_ips.auto_assigned.per_subnet']))",message="attributes must not name a key that has a field of its own: set that field"
	Attributes map[string]AttributeValue `json:"attributes,omitempty"`

	// Tags of the load balancer besides those that the provider sets. A tag that
	// is removed here is removed in AWS; tags that others set stay. At most 30,
	// since AWS allows 50 in all. A key must not begin with aws:.
	// +optional
	// +kubebuilder:validation:MaxProperties=30
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('aws:') && size(k) <= 128)",message="a tag key has at most 128 characters and must not begin with aws:, which AWS reserves"
	Tags map[string]TagValue `json:"tags,omitempty"`
}

// AttributeValue is the value of an attribute in AWS, a string of at most 1,024
// characters.
// +kubebuilder:validation:MaxLength=1024
type AttributeValue string

// SubnetMapping is a subnet of a load balancer, and its addresses there.
type SubnetMapping struct {
	// SubnetID, subnet-…, one for each availability zone.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^subnet-[0-9a-f]+$`
	SubnetID string `json:"subnetId"`
	// AllocationID of an elastic IP address, for scheme internet-facing.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^eipalloc-[0-9a-f]+$`
	AllocationID *string `json:"allocationId,omitempty"`
	// PrivateIPv4Address in the subnet, for scheme internal.
	// +optional
	// +kubebuilder:validation:MaxLength=15
	PrivateIPv4Address *string `json:"privateIPv4Address,omitempty"`
	// IPv6Address in the subnet, for dualstack.
	// +optional
	// +kubebuilder:validation:MaxLength=39
	IPv6Address *string `json:"ipv6Address,omitempty"`
	// SourceNATIPv6Prefix is an /80 prefix of the subnet, or auto_assigned.
	// +optional
	// +kubebuilder:validation:MaxLength=43
	SourceNATIPv6Prefix *string `json:"sourceNatIpv6Prefix,omitempty"`
}

// AccessLogs are written to an S3 bucket.
// +kubebuilder:validation:XValidation:rule="!self.enabled || has(self.bucket)",message="accessLogs.bucket is required when accessLogs.enabled is true"
type AccessLogs struct {
	// Enabled turns access logs on.
	Enabled bool `json:"enabled"`
	// Bucket in S3.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=63
	Bucket *string `json:"bucket,omitempty"`
	// Prefix in the bucket.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Prefix *string `json:"prefix,omitempty"`
}

// LoadBalancerStatus is the observed state of a LoadBalancer.
type LoadBalancerStatus struct {
	xpv2.ManagedResourceStatus `json:",inline"`

	// AtProvider is what AWS says of the load balancer.
	// +optional
	AtProvider LoadBalancerObservation `json:"atProvider,omitempty"`
}

// LoadBalancerObservation is what AWS says of a load balancer.
type LoadBalancerObservation struct {
	// ARN of the load balancer.
	// +optional
	ARN string `json:"arn,omitempty"`
	// Name in AWS.
	// +optional
	Name string `json:"name,omitempty"`
	// DNSName of the load balancer.
	// +optional
	DNSName string `json:"dnsName,omitempty"`
	// CanonicalHostedZoneID of the DNS name, for alias records.
	// +optional
	CanonicalHostedZoneID string `json:"canonicalHostedZoneId,omitempty"`
	// VPCID of its subnets.
	// +optional
	VPCID string `json:"vpcId,omitempty"`
	// Scheme is internet-facing or internal.
	// +optional
	Scheme string `json:"scheme,omitempty"`
	// IPAddressType is ipv4 or dualstack.
	// +optional
	IPAddressType string `json:"ipAddressType,omitempty"`
	// State of the load balancer.
	// +optional
	State *LoadBalancerState `json:"state,omitempty"`
	// AvailabilityZones with the addresses in them, sorted by zone.
	// +optional
	// +listType=map
	// +listMapKey=zoneName
	AvailabilityZones []AvailabilityZone `json:"availabilityZones,omitempty"`
	// SecurityGroupIDs of the load balancer, sorted.
	// +optional
	// +listType=set
	SecurityGroupIDs []string `json:"securityGroupIds,omitempty"`
	// Capacity that is reserved. Only while minimumCapacityUnits is managed.
	// +optional
	Capacity *CapacityObservation `json:"capacity,omitempty"`
	// EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic is whether inbound rules
	// apply to traffic from AWS PrivateLink. Only of an object that may only observe.
	// +optional
	EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic *bool `json:"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic,omitempty"`
	// EnablePrefixForIPv6SourceNAT is whether prefixes are used for source NAT. Only of
	// an object that may only observe.
	// +optional
	EnablePrefixForIPv6SourceNAT *bool `json:"enablePrefixForIpv6SourceNat,omitempty"`
	// Attributes as AWS has them, by AWS's keys. Only of an object that may only
	// observe: they are there to be copied.
	// +optional
	Attributes map[string]string `json:"attributes,omitempty"`
	// ManagedTagKeys are the keys of the tags that we set.
	// +optional
	// +listType=set
	ManagedTagKeys []string `json:"managedTagKeys,omitempty"`
	// ManagedAttributeKeys are the keys of the attributes that we set: one that is
	// no longer wanted goes back to AWS's default.
	// +optional
	// +listType=set
	ManagedAttributeKeys []string `json:"managedAttributeKeys,omitempty"`
}

// LoadBalancerState is the state of a load balancer.
type LoadBalancerState struct {
	// Code is provisioning, active, active_impaired or failed.
	Code string `json:"code"`
	// Reason of the state.
	// +optional
	Reason string `json:"reason,omitempty"`
}

// AvailabilityZone is a zone of a load balancer.
type AvailabilityZone struct {
	// ZoneName, such as eu-west-1a.
	ZoneName string `json:"zoneName"`
	// SubnetID in the zone.
	SubnetID string `json:"subnetId"`
	// Addresses in the zone.
	// +optional
	// +listType=atomic
	Addresses []LoadBalancerAddress `json:"addresses,omitempty"`
	// SourceNATIPv6Prefixes in the zone.
	// +optional
	// +listType=set
	SourceNATIPv6Prefixes []string `json:"sourceNatIpv6Prefixes,omitempty"`
}

// LoadBalancerAddress is an address of a load balancer in a zone.
type LoadBalancerAddress struct {
	// AllocationID of the elastic IP address.
	// +optional
	AllocationID string `json:"allocationId,omitempty"`
	// IPAddress is the public address.
	// +optional
	IPAddress string `json:"ipAddress,omitempty"`
	// IPv6Address in the subnet.
	// +optional
	IPv6Address string `json:"ipv6Address,omitempty"`
	// PrivateIPv4Address in the subnet.
	// +optional
	PrivateIPv4Address string `json:"privateIPv4Address,omitempty"`
}

// CapacityObservation is the reserved capacity.
type CapacityObservation struct {
	// MinimumCapacityUnits that are reserved.
	// +optional
	MinimumCapacityUnits int32 `json:"minimumCapacityUnits,omitempty"`
	// State is provisioned, pending, rebalancing or failed; the worst of the zones.
	// +optional
	State string `json:"state,omitempty"`
	// Reason of the state.
	// +optional
	Reason string `json:"reason,omitempty"`
	// DecreaseRequestsRemaining today.
	// +optional
	DecreaseRequestsRemaining int32 `json:"decreaseRequestsRemaining,omitempty"`
}
