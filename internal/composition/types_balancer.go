package composition

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// +kubebuilder:object:root=true
// +kubebuilder:resource:path=networkloadbalancers,categories={nlb}
// +kubebuilder:printcolumn:name="DNS-NAME",type="string",JSONPath=".status.dnsName"
// +kubebuilder:printcolumn:name="ZONE-ID",type="string",JSONPath=".status.canonicalHostedZoneId"
// +kubebuilder:printcolumn:name="HEALTHY",type="string",JSONPath=".status.healthy"
// +kubebuilder:printcolumn:name="PROBLEM",type="string",priority=1,JSONPath=".status.conditions[?(@.type=='Problem')].message"

// A NetworkLoadBalancer is a Network Load Balancer in front of hostNetwork pods,
// with all that belongs to it: security group and rules, and for each port a
// target group, a listener and a binding that keeps the pods' nodes registered.
type NetworkLoadBalancer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec NetworkLoadBalancerSpec `json:"spec"`
	// +optional
	Status NetworkLoadBalancerStatus `json:"status,omitempty"`
}

// NetworkLoadBalancerSpec is what a claim asks for.
// +kubebuilder:validation:XValidation:rule="has(self.environment) || has(self.region)",message="spec.region is required, unless spec.environment names an EnvironmentConfig that has it"
// +kubebuilder:validation:XValidation:rule="has(self.environment) || has(self.vpcId)",message="spec.vpcId is required, unless spec.environment names an EnvironmentConfig that has it"
// +kubebuilder:validation:XValidation:rule="has(self.environment) || has(self.subnetMappings)",message="spec.subnetMappings is required, unless spec.environment names an EnvironmentConfig that has it: name one subnet for each availability zone"
// +kubebuilder:validation:XValidation:rule="has(self.environment) || has(self.clients)",message="spec.clients is required, unless spec.environment names an EnvironmentConfig that has it: say who may connect"
// +kubebuilder:validation:XValidation:rule="has(self.environment) || has(self.nodeSecurityGroupId) || (has(self.manageNodeRules) && !self.manageNodeRules)",message="spec.nodeSecurityGroupId is required, unless spec.environment names an EnvironmentConfig that has it: name the security group of the nodes, or write manageNodeRules: false and keep its rules yourself"
// +kubebuilder:validation:XValidation:rule="has(self.environment) || (has(self.healthCheck) && has(self.healthCheck.port) && self.healthCheck.port != 'traffic-port') || !self.ports.exists(p, p.protocol in ['UDP', 'TCP_UDP'])",message="spec.healthCheck.port is required with protocols UDP and TCP_UDP: AWS checks over TCP, so name a port on which the pods answer HTTP"
// +kubebuilder:validation:XValidation:rule="has(self.podSelector) != has(self.serviceName)",message="select the pods in exactly one way: podSelector or serviceName"
// +kubebuilder:validation:XValidation:rule="!has(self.podSelector) || (has(self.podSelector.matchLabels) && size(self.podSelector.matchLabels) > 0) || (has(self.podSelector.matchExpressions) && size(self.podSelector.matchExpressions) > 0)",message="spec.podSelector needs matchLabels or matchExpressions: an empty one would select every pod of the namespace"
// +kubebuilder:validation:XValidation:rule="has(self.serviceName) || !self.ports.exists(p, has(p.servicePort))",message="ports[].servicePort needs serviceName"
// +kubebuilder:validation:XValidation:rule="self.ports.all(p, self.ports.exists_one(q, q.port == p.port))",message="a port is there twice: a load balancer listens once on each; TCP and UDP on one port are protocol TCP_UDP"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.region) || (has(self.region) && self.region == oldSelf.region)",message="spec.region cannot be changed: create a new load balancer in the other region"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.vpcId) || (has(self.vpcId) && self.vpcId == oldSelf.vpcId)",message="spec.vpcId cannot be changed: create a new load balancer in the other VPC"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.scheme) || (has(self.scheme) && self.scheme == oldSelf.scheme)",message="spec.scheme cannot be changed in AWS: create a new load balancer with the other scheme"
type NetworkLoadBalancerSpec struct {
	Settings `json:",inline"`

	// Environment names an EnvironmentConfig whose data hold the settings that the
	// claim leaves out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Environment *string `json:"environment,omitempty"`

	// PodSelector selects the hostNetwork pods by their labels, in the claim's
	// namespace.
	// +optional
	PodSelector *metav1.LabelSelector `json:"podSelector,omitempty"`
	// ServiceName selects the pods that a Service of the claim's namespace selects.
	// Its nodePort is never used.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ServiceName *string `json:"serviceName,omitempty"`
	// NodeSelector narrows the nodes whose pods become targets.
	// +optional
	NodeSelector *metav1.LabelSelector `json:"nodeSelector,omitempty"`

	// Ports that the load balancer listens on, at most 20.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Ports []Port `json:"ports"`
}

// A Port of a load balancer, and where its traffic goes.
// +kubebuilder:validation:XValidation:rule="self.protocol != 'TLS' || has(self.certificateArns)",message="protocol TLS needs certificateArns: the first is the default certificate"
// +kubebuilder:validation:XValidation:rule="self.protocol == 'TLS' || !(has(self.certificateArns) || has(self.sslPolicy) || has(self.alpnPolicy) || has(self.targetProtocol))",message="certificateArns, sslPolicy, alpnPolicy and targetProtocol need protocol TLS"
// +kubebuilder:validation:XValidation:rule="!has(self.tcpIdleTimeoutSeconds) || self.protocol in ['TCP', 'TCP_UDP']",message="tcpIdleTimeoutSeconds needs protocol TCP or TCP_UDP: AWS fixes it for TLS (350 s) and UDP (120 s)"
// +kubebuilder:validation:XValidation:rule="!has(self.preserveClientIp) || self.preserveClientIp || !(self.protocol in ['UDP', 'TCP_UDP'])",message="preserveClientIp cannot be false with protocols UDP and TCP_UDP: AWS always preserves the address there"
type Port struct {
	// Port that clients connect to, 1-65535.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`

	// Protocol is TCP (default), TLS (which the load balancer ends), UDP or TCP_UDP.
	// +optional
	// +kubebuilder:default=TCP
	// +kubebuilder:validation:Enum=TCP;TLS;UDP;TCP_UDP
	Protocol string `json:"protocol,omitempty"`

	// TargetPort is the port of the node that the pods listen on, 1-65535. Default:
	// the same as port. It is a number because security groups know no names.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	TargetPort *int32 `json:"targetPort,omitempty"`

	// ServicePort is the name or the number of the Service's port. Default: port.
	// +optional
	// +kubebuilder:validation:XIntOrString
	ServicePort *intstr.IntOrString `json:"servicePort,omitempty"`

	// CertificateARNs of ACM or IAM, for TLS: the first is the default, the others
	// are chosen by the name that the client asks for (SNI).
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=25
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^arn:[a-z0-9-]+:(acm|iam):.+$`
	CertificateARNs []string `json:"certificateArns,omitempty"`

	// SSLPolicy for TLS. Default ELBSecurityPolicy-TLS13-1-2-2021-06.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	SSLPolicy *string `json:"sslPolicy,omitempty"`

	// ALPNPolicy for TLS. AWS's default is None.
	// +optional
	// +kubebuilder:validation:Enum=HTTP1Only;HTTP2Only;HTTP2Optional;HTTP2Preferred;None
	ALPNPolicy *string `json:"alpnPolicy,omitempty"`

	// TargetProtocol of a TLS port is what the pods speak: TCP (default) or TLS.
	// +optional
	// +kubebuilder:validation:Enum=TCP;TLS
	TargetProtocol *string `json:"targetProtocol,omitempty"`

	// TCPIdleTimeoutSeconds, 60-6000. AWS's default is 350.
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=6000
	TCPIdleTimeoutSeconds *int32 `json:"tcpIdleTimeoutSeconds,omitempty"`

	// PreserveClientIP lets the pods see the client's address. Default true.
	// +optional
	PreserveClientIP *bool `json:"preserveClientIp,omitempty"`

	// ProxyProtocolV2 tells the pods the client's address in a header. Default
	// false.
	// +optional
	ProxyProtocolV2 *bool `json:"proxyProtocolV2,omitempty"`
}

// NetworkLoadBalancerStatus is what there is of a load balancer.
type NetworkLoadBalancerStatus struct {
	// DNSName of the load balancer.
	// +optional
	DNSName string `json:"dnsName,omitempty"`
	// CanonicalHostedZoneID of the DNS name, for alias records.
	// +optional
	CanonicalHostedZoneID string `json:"canonicalHostedZoneId,omitempty"`
	// LoadBalancerARN of the load balancer.
	// +optional
	LoadBalancerARN string `json:"loadBalancerArn,omitempty"`
	// SecurityGroupID of the load balancer.
	// +optional
	SecurityGroupID string `json:"securityGroupId,omitempty"`
	// Healthy has the healthy and the registered targets of all ports, such as
	// "443: 3/3, 80: 2/3".
	// +optional
	Healthy string `json:"healthy,omitempty"`
	// Ports with their targets, sorted.
	// +optional
	// +listType=map
	// +listMapKey=port
	Ports []PortStatus `json:"ports,omitempty"`
}

// PortStatus is what there is of a port.
type PortStatus struct {
	// Port that clients connect to.
	Port int32 `json:"port"`
	// PortObservation of the port.
	PortObservation `json:",inline"`
}
