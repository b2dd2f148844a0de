package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
)

// ListenerSpec is the part of a Listener's spec that both scopes share, with the
// rules that need the whole spec.
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.port)",message="spec.forProvider.port is required when managementPolicies allow Create or Update: set it to the port that clients connect to"
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.protocol)",message="spec.forProvider.protocol is required when managementPolicies allow Create or Update: set it to TCP, TLS, UDP, TCP_UDP, QUIC or TCP_QUIC"
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.forward)",message="spec.forProvider.forward is required when managementPolicies allow Create or Update: name the target group that traffic goes to"
// +kubebuilder:validation:XValidation:rule="(has(self.managementPolicies) && !('*' in self.managementPolicies || 'Create' in self.managementPolicies || 'Update' in self.managementPolicies)) || has(self.forProvider.loadBalancerArn) || has(self.forProvider.loadBalancerArnRef) || has(self.forProvider.loadBalancerArnSelector)",message="name the load balancer in exactly one way: loadBalancerArn, loadBalancerArnRef or loadBalancerArnSelector"
// +kubebuilder:validation:XValidation:rule="!has(self.managementPolicies) || size(self.managementPolicies) == 0 || self.managementPolicies == ['*'] || ('Observe' in self.managementPolicies && !('*' in self.managementPolicies) && (!('Delete' in self.managementPolicies) || 'Create' in self.managementPolicies || !('Update' in self.managementPolicies || 'LateInitialize' in self.managementPolicies)))",message="spec.managementPolicies must be [\"*\"], [] or a set with Observe, such as [Observe] or [Observe, Create, Update]; Delete beside Update or LateInitialize needs Create, too"
type ListenerSpec struct {
	ForProvider ListenerParameters `json:"forProvider"`
}

// ListenerParameters are the desired state of a listener of a Network Load
// Balancer. Source: ELBv2 API reference, CreateListener, ModifyListener,
// AddListenerCertificates, ModifyListenerAttributes and CreateRule.
// +kubebuilder:validation:XValidation:rule="self.region == oldSelf.region",message="region cannot be changed: create a new Listener in the other region"
// +kubebuilder:validation:XValidation:rule="(has(self.loadBalancerArn) ? 1 : 0) + (has(self.loadBalancerArnRef) ? 1 : 0) + (has(self.loadBalancerArnSelector) ? 1 : 0) <= 1",message="name the load balancer in exactly one way: loadBalancerArn, loadBalancerArnRef or loadBalancerArnSelector"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.loadBalancerArn) || !has(self.loadBalancerArn) || self.loadBalancerArn == oldSelf.loadBalancerArn",message="loadBalancerArn cannot be changed in AWS: create a new Listener on the other load balancer"
// +kubebuilder:validation:XValidation:rule="!has(self.certificateArns) || (has(self.protocol) && self.protocol == 'TLS')",message="certificateArns need protocol TLS"
// +kubebuilder:validation:XValidation:rule="!has(self.protocol) || self.protocol != 'TLS' || has(self.certificateArns)",message="protocol TLS needs certificateArns: the first is the default certificate"
// +kubebuilder:validation:XValidation:rule="!has(self.sslPolicy) || (has(self.protocol) && self.protocol == 'TLS')",message="sslPolicy needs protocol TLS"
// +kubebuilder:validation:XValidation:rule="!has(self.alpnPolicy) || (has(self.protocol) && self.protocol == 'TLS')",message="alpnPolicy needs protocol TLS"
// +kubebuilder:validation:XValidation:rule="!has(self.tcpIdleTimeoutSeconds) || !has(self.protocol) || self.protocol in ['TCP', 'TCP_UDP', 'TCP_QUIC']",message="tcpIdleTimeoutSeconds needs protocol TCP, TCP_UDP or TCP_QUIC: AWS fixes it for TLS (350 s) and UDP (120 s)"
type ListenerParameters struct {
	// Region of the load balancer, such as eu-west-1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region"`

	// LoadBalancerARN of the load balancer. Cannot be changed.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^arn:[a-z0-9-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/net/[^/]+/[0-9a-f]+$`
	LoadBalancerARN *string `json:"loadBalancerArn,omitempty"`
	// LoadBalancerARNRef names a LoadBalancer object.
	// +optional
	LoadBalancerARNRef *Reference `json:"loadBalancerArnRef,omitempty"`
	// LoadBalancerARNSelector selects a LoadBalancer object by its labels.
	// +optional
	LoadBalancerARNSelector *Selector `json:"loadBalancerArnSelector,omitempty"`

	// Port that clients connect to, 1-65535, unique on the load balancer.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`

	// Protocol for connections from clients.
	// +optional
	// +kubebuilder:validation:Enum=TCP;TLS;UDP;TCP_UDP;QUIC;TCP_QUIC
	Protocol *string `json:"protocol,omitempty"`

	// Forward says where traffic goes. (AWS: DefaultActions.)
	// +optional
	Forward *Forward `json:"forward,omitempty"`

	// CertificateARNs of ACM or IAM, for TLS: the first is the default, the others
	// are chosen by the name that the client asks for (SNI). AWS's quota is 25 for each
	// load balancer, and can be raised.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^arn:[a-z0-9-]+:(acm|iam):.+$`
	CertificateARNs []string `json:"certificateArns,omitempty"`

	// SSLPolicy for TLS. AWS's default is ELBSecurityPolicy-2016-08.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	SSLPolicy *string `json:"sslPolicy,omitempty"`

	// ALPNPolicy for TLS. AWS's default is None.
	// +optional
	// +kubebuilder:validation:Enum=HTTP1Only;HTTP2Only;HTTP2Optional;HTTP2Preferred;None
	ALPNPolicy *string `json:"alpnPolicy,omitempty"`

	// TCPIdleTimeoutSeconds, 60-6000. AWS's default is 350.
	// (AWS: tcp.idle_timeout.seconds.)
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=6000
	TCPIdleTimeoutSeconds *int32 `json:"tcpIdleTimeoutSeconds,omitempty"`

	// Rules of a dualstack load balancer, which forward by the address family of
	// the client. They are the listener's only rules besides the default.
	// +optional
	// +listType=map
	// +listMapKey=priority
	// +kubebuilder:validation:MaxItems=10
	Rules []ListenerRule `json:"rules,omitempty"`

	// Tags of the listener besides those that the provider sets. A tag that is
	// removed here is removed in AWS; tags that others set stay. At most 30, since
	// AWS allows 50 in all. A key must not begin with aws:.
	// +optional
	// +kubebuilder:validation:MaxProperties=30
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('aws:') && size(k) <= 128)",message="a tag key has at most 128 characters and must not begin with aws:, which AWS reserves"
	Tags map[string]TagValue `json:"tags,omitempty"`
}

// Forward says which target groups traffic goes to.
type Forward struct {
	// TargetGroups, at most 5. A single one gets all traffic.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	TargetGroups []ForwardTargetGroup `json:"targetGroups"`
	// Stickiness keeps a client at the target group that it was sent to first.
	// +optional
	Stickiness *bool `json:"stickiness,omitempty"`
}

// ForwardTargetGroup is a target group that traffic is forwarded to.
// +kubebuilder:validation:XValidation:rule="(has(self.targetGroupArn) ? 1 : 0) + (has(self.targetGroupArnRef) ? 1 : 0) + (has(self.targetGroupArnSelector) ? 1 : 0) == 1",message="name the target group in exactly one way: targetGroupArn, targetGroupArnRef or targetGroupArnSelector"
type ForwardTargetGroup struct {
	// TargetGroupARN of the target group.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^arn:[a-z0-9-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/[^/]+/[0-9a-f]+$`
	TargetGroupARN *string `json:"targetGroupArn,omitempty"`
	// TargetGroupARNRef names a TargetGroup object.
	// +optional
	TargetGroupARNRef *Reference `json:"targetGroupArnRef,omitempty"`
	// TargetGroupARNSelector selects a TargetGroup object by its labels.
	// +optional
	TargetGroupARNSelector *Selector `json:"targetGroupArnSelector,omitempty"`
	// Weight of the target group among several, 0-999. Default 1.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=999
	Weight *int32 `json:"weight,omitempty"`
}

// ListenerRule forwards the clients of an address family.
type ListenerRule struct {
	// Priority, 1-50000, unique on the listener. The lowest number is first.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=50000
	Priority int32 `json:"priority"`
	// SourceIPAddressType of the client: ipv4 or ipv6.
	// +kubebuilder:validation:Enum=ipv4;ipv6
	SourceIPAddressType string `json:"sourceIpAddressType"`
	// Forward says where traffic goes.
	Forward Forward `json:"forward"`
}

// ListenerStatus is the observed state of a Listener.
type ListenerStatus struct {
	xpv2.ManagedResourceStatus `json:",inline"`

	// AtProvider is what AWS says of the listener.
	// +optional
	AtProvider ListenerObservation `json:"atProvider,omitempty"`
}

// ListenerObservation is what AWS says of a listener.
type ListenerObservation struct {
	// ARN of the listener.
	// +optional
	ARN string `json:"arn,omitempty"`
	// LoadBalancerARN of the load balancer.
	// +optional
	LoadBalancerARN string `json:"loadBalancerArn,omitempty"`
	// Port that clients connect to.
	// +optional
	Port int32 `json:"port,omitempty"`
	// Protocol for connections from clients.
	// +optional
	Protocol string `json:"protocol,omitempty"`
	// SSLPolicy in force.
	// +optional
	SSLPolicy string `json:"sslPolicy,omitempty"`
	// ALPNPolicy in force.
	// +optional
	ALPNPolicy string `json:"alpnPolicy,omitempty"`
	// TargetGroupARNs that the listener and its rules forward to, sorted.
	// +optional
	// +listType=set
	TargetGroupARNs []string `json:"targetGroupArns,omitempty"`
	// CertificateARNs, the default one first, the others sorted.
	// +optional
	// +listType=set
	CertificateARNs []string `json:"certificateArns,omitempty"`
	// ManagedTagKeys are the keys of the tags that we set.
	// +optional
	// +listType=set
	ManagedTagKeys []string `json:"managedTagKeys,omitempty"`
	// ManagedAttributeKeys are the keys of the attributes that we set.
	// +optional
	// +listType=set
	ManagedAttributeKeys []string `json:"managedAttributeKeys,omitempty"`
	// ManagedRulePriorities are the priorities of the rules that we set.
	// +optional
	// +listType=set
	ManagedRulePriorities []int32 `json:"managedRulePriorities,omitempty"`
	// ManagedCertificateARNs are the certificates besides the default that we set.
	// +optional
	// +listType=set
	ManagedCertificateARNs []string `json:"managedCertificateArns,omitempty"`
}
