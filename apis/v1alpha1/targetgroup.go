package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// TargetGroupSpec is the part of a TargetGroup's spec that both scopes share,
// with the rules that need the whole spec.
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.protocol)",message="spec.forProvider.protocol is required when managementPolicies allow Create or Update: set it to TCP, TLS, UDP, TCP_UDP, QUIC or TCP_QUIC"
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.port)",message="spec.forProvider.port is required when managementPolicies allow Create or Update: set it to the port that targets receive traffic on by default"
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.vpcId)",message="spec.forProvider.vpcId is required when managementPolicies allow Create or Update: set it to the VPC of the targets"
// +kubebuilder:validation:XValidation:rule="!has(self.managementPolicies) || size(self.managementPolicies) == 0 || self.managementPolicies == ['*'] || ('Observe' in self.managementPolicies && !('*' in self.managementPolicies) && (!('Delete' in self.managementPolicies) || 'Create' in self.managementPolicies || !('Update' in self.managementPolicies || 'LateInitialize' in self.managementPolicies)))",message="spec.managementPolicies must be [\"*\"], [] or a set with Observe, such as [Observe] or [Observe, Create, Update]; Delete beside Update or LateInitialize needs Create, too"
type TargetGroupSpec struct {
	ForProvider TargetGroupParameters `json:"forProvider"`
}

// TargetGroupParameters are the desired state of a Network Load Balancer target
// group. Source: ELBv2 API reference, CreateTargetGroup and ModifyTargetGroup.
// +kubebuilder:validation:XValidation:rule="self.region == oldSelf.region",message="region cannot be changed: create a new TargetGroup in the other region"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.name) || (has(self.name) && self.name == oldSelf.name)",message="name cannot be changed in AWS: create a new TargetGroup with the other name"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.protocol) || (has(self.protocol) && self.protocol == oldSelf.protocol)",message="protocol cannot be changed in AWS: create a new TargetGroup with the other protocol"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.port) || (has(self.port) && self.port == oldSelf.port)",message="port cannot be changed in AWS: create a new TargetGroup with the other port"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.vpcId) || (has(self.vpcId) && self.vpcId == oldSelf.vpcId)",message="vpcId cannot be changed in AWS: create a new TargetGroup in the other VPC"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.targetType) || (has(self.targetType) && self.targetType == oldSelf.targetType)",message="targetType cannot be changed in AWS: create a new TargetGroup with the other target type"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.ipAddressType) || (has(self.ipAddressType) && self.ipAddressType == oldSelf.ipAddressType)",message="ipAddressType cannot be changed in AWS: create a new TargetGroup with the other address type"
// +kubebuilder:validation:XValidation:rule="!has(self.protocol) || !(self.protocol in ['UDP', 'TCP_UDP', 'QUIC', 'TCP_QUIC']) || (has(self.healthCheck) && has(self.healthCheck.port) && self.healthCheck.port != 'traffic-port')",message="healthCheck.port is required for protocols UDP, TCP_UDP, QUIC and TCP_QUIC: AWS checks over TCP, so name a port on which the target answers TCP, HTTP or HTTPS"
// +kubebuilder:validation:XValidation:rule="!has(self.protocol) || !(self.protocol in ['UDP', 'TCP_UDP']) || !has(self.preserveClientIp) || self.preserveClientIp",message="preserveClientIp cannot be false for protocols UDP and TCP_UDP: AWS always preserves the address there"
// +kubebuilder:validation:XValidation:rule="!has(self.protocol) || !(self.protocol in ['UDP', 'TCP_UDP']) || !has(self.unhealthyTargets) || !has(self.unhealthyTargets.connectionTermination) || !self.unhealthyTargets.connectionTermination",message="unhealthyTargets.connectionTermination cannot be true for protocols UDP and TCP_UDP"
type TargetGroupParameters struct {
	// Region of the target group, such as eu-west-1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region"`

	// Name of the target group in AWS: up to 32 letters, digits and hyphens,
	// unique per account and region. Default: derived from the object's name.
	// Cannot be changed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$`
	Name *string `json:"name,omitempty"`

	// Protocol for traffic to the targets. Cannot be changed.
	// +optional
	// +kubebuilder:validation:Enum=TCP;TLS;UDP;TCP_UDP;QUIC;TCP_QUIC
	Protocol *string `json:"protocol,omitempty"`

	// Port that a target receives traffic on unless it was registered with its
	// own, 1-65535. A TargetGroupBinding always registers the pod's own port.
	// Cannot be changed.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`

	// VPCID of the targets, vpc-…. Cannot be changed.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^vpc-[0-9a-f]+$`
	VPCID *string `json:"vpcId,omitempty"`

	// TargetType is instance (AWS's default), ip or alb. Cannot be changed.
	// +optional
	// +kubebuilder:validation:Enum=instance;ip;alb
	TargetType *string `json:"targetType,omitempty"`

	// IPAddressType of the targets, ipv4 (AWS's default) or ipv6. Cannot be
	// changed.
	// +optional
	// +kubebuilder:validation:Enum=ipv4;ipv6
	IPAddressType *string `json:"ipAddressType,omitempty"`

	// HealthCheck of the targets. A field that is left out is not managed: AWS's
	// default applies when the group is created and later changes stay.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.path) || (has(self.protocol) && self.protocol in ['HTTP', 'HTTPS'])",message="healthCheck.path needs healthCheck.protocol HTTP or HTTPS: a TCP check has no path"
	// +kubebuilder:validation:XValidation:rule="!has(self.matcher) || (has(self.protocol) && self.protocol in ['HTTP', 'HTTPS'])",message="healthCheck.matcher needs healthCheck.protocol HTTP or HTTPS: a TCP check has no response code"
	// +kubebuilder:validation:XValidation:rule="!has(self.timeoutSeconds) || !has(self.intervalSeconds) || self.timeoutSeconds <= self.intervalSeconds",message="healthCheck.timeoutSeconds must not be larger than healthCheck.intervalSeconds"
	HealthCheck *HealthCheck `json:"healthCheck,omitempty"`

	// DeregistrationDelaySeconds for which a deregistered target drains, 0-3600.
	// AWS's default is 300. (AWS: deregistration_delay.timeout_seconds.)
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	DeregistrationDelaySeconds *int32 `json:"deregistrationDelaySeconds,omitempty"`

	// ConnectionTerminationOnDeregistration ends connections when the delay is
	// over. AWS's default is false, and true for UDP and TCP_UDP.
	// (AWS: deregistration_delay.connection_termination.enabled.)
	// +optional
	ConnectionTerminationOnDeregistration *bool `json:"connectionTerminationOnDeregistration,omitempty"`

	// CrossZone is true, false or use_load_balancer_configuration, which is AWS's
	// default. (AWS: load_balancing.cross_zone.enabled.)
	// +optional
	// +kubebuilder:validation:Enum="true";"false";use_load_balancer_configuration
	CrossZone *string `json:"crossZone,omitempty"`

	// PreserveClientIP lets targets see the client's address. AWS's default is true,
	// and false for target type ip with TCP or TLS. It cannot be false for UDP and
	// TCP_UDP. (AWS: preserve_client_ip.enabled.)
	// +optional
	PreserveClientIP *bool `json:"preserveClientIp,omitempty"`

	// ProxyProtocolV2 prepends connection information. AWS's default is false.
	// (AWS: proxy_protocol_v2.enabled.)
	// +optional
	ProxyProtocolV2 *bool `json:"proxyProtocolV2,omitempty"`

	// Stickiness by source address. AWS's default is false. (AWS:
	// stickiness.enabled; stickiness.type is always source_ip.)
	// +optional
	Stickiness *bool `json:"stickiness,omitempty"`

	// TargetGroupHealth says when a group counts as unhealthy.
	// +optional
	TargetGroupHealth *TargetGroupHealth `json:"targetGroupHealth,omitempty"`

	// UnhealthyTargets says what becomes of connections to unhealthy targets.
	// +optional
	UnhealthyTargets *UnhealthyTargets `json:"unhealthyTargets,omitempty"`

	// Attributes of the target group that have no field here, by AWS's keys. A key
	// that has a field is refused.
	// +optional
	// +kubebuilder:validation:MaxProperties=20
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['deregistration_delay.timeout_seconds', 'deregistration_delay.connection_termination.enabled', 'load_balancing.cross_zone.enabled', 'preserve_client_ip.enabled', 'proxy_protocol_v2.enabled', 'stickiness.enabled', 'stickiness.type', 'target_group_health.dns_failover.minimum_healthy_targets.count', 'target_group_health.dns_failover.minimum_healthy_targets.percentage', 'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count', 'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage', 'target_health_state.unhealthy.connection_termination.enabled', 'target_health_state.unhealthy.draining_interval_seconds']))",message="attributes must not name a key that has a field of its own: set that field"
	Attributes map[string]AttributeValue `json:"attributes,omitempty"`

	// Tags of the target group besides those that the provider sets. A tag that
	// is removed here is removed in AWS; tags that others set stay. At most 30,
	// since AWS allows 50 in all. A key must not begin with aws:.
	// +optional
	// +kubebuilder:validation:MaxProperties=30
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('aws:') && size(k) <= 128)",message="a tag key has at most 128 characters and must not begin with aws:, which AWS reserves"
	Tags map[string]TagValue `json:"tags,omitempty"`
}

// TargetGroupHealth says when a group counts as unhealthy.
type TargetGroupHealth struct {
	// DNSFailover: below it the zone is taken out of DNS.
	// (AWS: target_group_health.dns_failover.*.)
	// +optional
	DNSFailover *HealthyTargets `json:"dnsFailover,omitempty"`
	// UnhealthyStateRouting: below it traffic goes to all targets of the zone,
	// unhealthy ones included. (AWS: target_group_health.unhealthy_state_routing.*.)
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.minimumCount) || self.minimumCount != 'off'",message="targetGroupHealth.unhealthyStateRouting.minimumCount must be a number: AWS cannot turn it off"
	UnhealthyStateRouting *HealthyTargets `json:"unhealthyStateRouting,omitempty"`
}

// HealthyTargets are the least number of healthy targets.
type HealthyTargets struct {
	// MinimumCount of healthy targets: a number from 1, or off. AWS's default is 1.
	// +optional
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^(off|[1-9][0-9]*)$`
	MinimumCount *string `json:"minimumCount,omitempty"`
	// MinimumPercentage of healthy targets: 1-100, or off, which is AWS's default.
	// +optional
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^(off|[1-9][0-9]?|100)$`
	MinimumPercentage *string `json:"minimumPercentage,omitempty"`
}

// UnhealthyTargets says what becomes of connections to unhealthy targets.
// +kubebuilder:validation:XValidation:rule="!has(self.drainingIntervalSeconds) || self.drainingIntervalSeconds == 0 || (has(self.connectionTermination) && !self.connectionTermination)",message="unhealthyTargets.drainingIntervalSeconds needs connectionTermination: false"
type UnhealthyTargets struct {
	// ConnectionTermination ends connections to a target that becomes unhealthy.
	// AWS's default is true; it cannot be true for UDP and TCP_UDP.
	// (AWS: target_health_state.unhealthy.connection_termination.enabled.)
	// +optional
	ConnectionTermination *bool `json:"connectionTermination,omitempty"`
	// DrainingIntervalSeconds for which an unhealthy target keeps its connections,
	// 0-360000. (AWS: target_health_state.unhealthy.draining_interval_seconds.)
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=360000
	DrainingIntervalSeconds *int32 `json:"drainingIntervalSeconds,omitempty"`
}

// TagValue is the value of an AWS tag, at most 256 characters.
// +kubebuilder:validation:MaxLength=256
type TagValue string

// HealthCheck is how AWS checks the health of targets. Source: ELBv2 API
// reference, CreateTargetGroup; user guide, "Health checks for Network Load
// Balancer target groups". The rules between its fields stand where it is
// desired, not here: what AWS reports must never be refused.
type HealthCheck struct {
	// Protocol of the check: TCP (AWS's default), HTTP or HTTPS.
	// +optional
	// +kubebuilder:validation:Enum=TCP;HTTP;HTTPS
	Protocol *string `json:"protocol,omitempty"`

	// Port of the check: traffic-port (AWS's default) or a number, 1-65535.
	// +optional
	// +kubebuilder:validation:MaxLength=12
	// +kubebuilder:validation:Pattern=`^(traffic-port|[1-9][0-9]{0,4})$`
	Port *string `json:"port,omitempty"`

	// Path to request, for HTTP and HTTPS. AWS's default is /.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Path *string `json:"path,omitempty"`

	// IntervalSeconds between two checks of a target, 5-300. AWS's default is 30.
	// +optional
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=300
	IntervalSeconds *int32 `json:"intervalSeconds,omitempty"`

	// TimeoutSeconds after which no answer is a failure, 2-120. AWS's default is
	// 10 for TCP and HTTPS and 6 for HTTP.
	// +optional
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=120
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`

	// HealthyThreshold is the number of successes in a row that make a target
	// healthy, 2-10. AWS's default is 5. (AWS: HealthyThresholdCount.)
	// +optional
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=10
	HealthyThreshold *int32 `json:"healthyThreshold,omitempty"`

	// UnhealthyThreshold is the number of failures in a row that make a target
	// unhealthy, 2-10. AWS's default is 2. (AWS: UnhealthyThresholdCount.)
	// +optional
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=10
	UnhealthyThreshold *int32 `json:"unhealthyThreshold,omitempty"`

	// Matcher of response codes, for HTTP and HTTPS: a code, a list such as
	// "200,204" or a range such as "200-399" (AWS's default), within 200-599.
	// (AWS: Matcher.HttpCode.)
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[2-5][0-9]{2}([-,][2-5][0-9]{2})*$`
	Matcher *string `json:"matcher,omitempty"`
}

// TargetGroupStatus is the observed state of a TargetGroup.
type TargetGroupStatus struct {
	xpv2.ManagedResourceStatus `json:",inline"`

	// AtProvider is what AWS says of the target group.
	// +optional
	AtProvider TargetGroupObservation `json:"atProvider,omitempty"`
}

// TargetGroupObservation is what AWS says of a target group.
type TargetGroupObservation struct {
	// ARN of the target group.
	// +optional
	ARN string `json:"arn,omitempty"`
	// Name in AWS.
	// +optional
	Name string `json:"name,omitempty"`
	// Protocol for traffic to the targets.
	// +optional
	Protocol string `json:"protocol,omitempty"`
	// Port that targets receive traffic on by default.
	// +optional
	Port int32 `json:"port,omitempty"`
	// VPCID of the targets.
	// +optional
	VPCID string `json:"vpcId,omitempty"`
	// TargetType is instance, ip or alb.
	// +optional
	TargetType string `json:"targetType,omitempty"`
	// IPAddressType is ipv4 or ipv6.
	// +optional
	IPAddressType string `json:"ipAddressType,omitempty"`
	// HealthCheck as it is in AWS.
	// +optional
	HealthCheck *HealthCheck `json:"healthCheck,omitempty"`
	// LoadBalancerArns of the load balancers that route to the group; at most
	// one.
	// +optional
	// +listType=set
	LoadBalancerARNs []string `json:"loadBalancerArns,omitempty"`
	// Attributes as AWS has them, by AWS's keys. Only of an object that may only
	// observe: they are there to be copied.
	// +optional
	Attributes map[string]string `json:"attributes,omitempty"`
	// ManagedTagKeys are the keys of the tags that we set: one that is no longer
	// wanted is removed in AWS.
	// +optional
	// +listType=set
	ManagedTagKeys []string `json:"managedTagKeys,omitempty"`
	// ManagedAttributeKeys are the keys of the attributes that we set: one that is
	// no longer wanted goes back to AWS's default.
	// +optional
	// +listType=set
	ManagedAttributeKeys []string `json:"managedAttributeKeys,omitempty"`
}
