package composition

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// +kubebuilder:object:root=true
// +kubebuilder:resource:path=networkloadbalancerports,categories={nlb}
// +kubebuilder:printcolumn:name="PORT",type="integer",JSONPath=".spec.port"
// +kubebuilder:printcolumn:name="PROTOCOL",type="string",JSONPath=".spec.protocol"
// +kubebuilder:printcolumn:name="HEALTHY",type="integer",JSONPath=".status.healthy"
// +kubebuilder:printcolumn:name="REGISTERED",type="integer",JSONPath=".status.registered"

// A NetworkLoadBalancerPort is one port of a NetworkLoadBalancer, which makes it:
// do not write one yourself. Each port is a composite resource of its own because
// Crossplane bounds how often the resources of one may change.
type NetworkLoadBalancerPort struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec NetworkLoadBalancerPortSpec `json:"spec"`
	// +optional
	Status NetworkLoadBalancerPortStatus `json:"status,omitempty"`
}

// NetworkLoadBalancerPortSpec is a port with everything that its resources need.
type NetworkLoadBalancerPortSpec struct {
	Port `json:",inline"`

	// Region of the load balancer.
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region"`
	// VPCID of the targets.
	// +kubebuilder:validation:MaxLength=64
	VPCID string `json:"vpcId"`
	// LoadBalancerName is the name of the LoadBalancer object.
	// +kubebuilder:validation:MaxLength=253
	LoadBalancerName string `json:"loadBalancerName"`
	// SecurityGroupName is the name of the load balancer's SecurityGroup object.
	// +kubebuilder:validation:MaxLength=253
	SecurityGroupName string `json:"securityGroupName"`
	// Clients are who may connect.
	Clients Clients `json:"clients"`
	// NodeSecurityGroupID is the security group of the nodes.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	NodeSecurityGroupID *string `json:"nodeSecurityGroupId,omitempty"`
	// ManageNodeRules says whether the nodes' group gets rules.
	ManageNodeRules bool `json:"manageNodeRules"`
	// NodePorts are the ports of the nodes that this port has to open between load
	// balancer and nodes: those that no other port of the load balancer opens.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	NodePorts []NodePort `json:"nodePorts,omitempty"`

	// Namespace of the pods, for the cluster-scoped style.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Namespace *string `json:"namespace,omitempty"`
	// PodSelector selects the pods.
	// +optional
	PodSelector *metav1.LabelSelector `json:"podSelector,omitempty"`
	// ServiceName selects the pods of a Service.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ServiceName *string `json:"serviceName,omitempty"`
	// NodeSelector narrows the nodes.
	// +optional
	NodeSelector *metav1.LabelSelector `json:"nodeSelector,omitempty"`

	// HealthCheck of the targets.
	// +optional
	HealthCheck *v1alpha1.HealthCheck `json:"healthCheck,omitempty"`
	// DeregistrationDelaySeconds of the targets.
	DeregistrationDelaySeconds int32 `json:"deregistrationDelaySeconds"`
	// Tags of everything that is created in AWS.
	// +optional
	// +kubebuilder:validation:MaxProperties=30
	Tags map[string]v1alpha1.TagValue `json:"tags,omitempty"`
	// ProviderConfigRef names the credentials to use.
	// +optional
	ProviderConfigRef *ProviderConfigReference `json:"providerConfigRef,omitempty"`
}

// A NodePort is a port of the nodes as security groups know it.
type NodePort struct {
	// Protocol is tcp or udp.
	// +kubebuilder:validation:Enum=tcp;udp
	Protocol string `json:"protocol"`
	// Port, 1-65535.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
}

// NetworkLoadBalancerPortStatus is what there is of a port.
type NetworkLoadBalancerPortStatus struct {
	PortObservation `json:",inline"`
}

// PortObservation are the targets of a port. They change at most once a minute,
// but at once from and to none healthy.
type PortObservation struct {
	// Healthy targets, as AWS says.
	// +optional
	Healthy int32 `json:"healthy"`
	// Registered targets.
	// +optional
	Registered int32 `json:"registered"`
	// CountedAt is when these numbers were taken.
	// +optional
	CountedAt *metav1.Time `json:"countedAt,omitempty"`
}
