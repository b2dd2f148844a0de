package composition

import (
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// Settings are what an environment may decide for all of its load balancers. A
// claim's own value replaces that of the environment as a whole; tags are united.
type Settings struct {
	// Region of the load balancer, such as eu-west-1. Required here or in the
	// environment. Cannot be changed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Region *string `json:"region,omitempty"`

	// VPCID of the nodes, vpc-…. Required here or in the environment. Cannot be
	// changed.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^vpc-[0-9a-f]+$`
	VPCID *string `json:"vpcId,omitempty"`

	// SubnetMappings are the subnets of the load balancer, one for each availability
	// zone, and its static addresses in them: allocationId with scheme
	// internet-facing, privateIPv4Address with internal. Required here or in the
	// environment.
	// +optional
	// +listType=map
	// +listMapKey=subnetId
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	SubnetMappings []v1alpha1.SubnetMapping `json:"subnetMappings,omitempty"`

	// Scheme is internal (default) or internet-facing. Cannot be changed.
	// +optional
	// +kubebuilder:validation:Enum=internal;internet-facing
	Scheme *string `json:"scheme,omitempty"`

	// IPAddressType is ipv4 (default) or dualstack.
	// +optional
	// +kubebuilder:validation:Enum=ipv4;dualstack
	IPAddressType *string `json:"ipAddressType,omitempty"`

	// CrossZone balances across availability zones. Default false: traffic stays in
	// the zone that it arrives in.
	// +optional
	CrossZone *bool `json:"crossZone,omitempty"`

	// DeletionProtection refuses deletion, in AWS, while it is on. Default false.
	// +optional
	DeletionProtection *bool `json:"deletionProtection,omitempty"`

	// Clients are who may connect. Required here or in the environment.
	// +optional
	Clients *Clients `json:"clients,omitempty"`

	// NodeSecurityGroupID is the security group of the nodes, sg-…: the load
	// balancer may reach its members only, and it lets the load balancer in.
	// Required here or in the environment, unless manageNodeRules is false.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^sg-[0-9a-f]+$`
	NodeSecurityGroupID *string `json:"nodeSecurityGroupId,omitempty"`

	// ManageNodeRules says whether the security group of the nodes gets rules that
	// let the load balancer in, by its own group and never by addresses. Default
	// true. With false somebody else keeps those rules.
	// +optional
	ManageNodeRules *bool `json:"manageNodeRules,omitempty"`

	// HealthCheck of the targets, the same for all ports. With a port of its own,
	// it is HTTP by default, which a process can fail while it goes on serving;
	// without, TCP on the traffic port. Default: every 5 s, a timeout of 2 s, and 2
	// checks in a row decide.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.path) || (has(self.protocol) ? self.protocol != 'TCP' : has(self.port) && self.port != 'traffic-port')",message="healthCheck.path needs protocol HTTP or HTTPS: a TCP check has no path"
	// +kubebuilder:validation:XValidation:rule="!has(self.matcher) || (has(self.protocol) ? self.protocol != 'TCP' : has(self.port) && self.port != 'traffic-port')",message="healthCheck.matcher needs protocol HTTP or HTTPS: a TCP check has no response code"
	// +kubebuilder:validation:XValidation:rule="(has(self.timeoutSeconds) ? self.timeoutSeconds : 2) <= (has(self.intervalSeconds) ? self.intervalSeconds : 5)",message="healthCheck.timeoutSeconds (default 2) must not be larger than healthCheck.intervalSeconds (default 5)"
	HealthCheck *v1alpha1.HealthCheck `json:"healthCheck,omitempty"`

	// DeregistrationDelaySeconds for which a target that leaves, or fails its health
	// check, keeps its connections, 0-3600. Default 300.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	DeregistrationDelaySeconds *int32 `json:"deregistrationDelaySeconds,omitempty"`

	// Tags of everything that is created in AWS, at most 30.
	// +optional
	// +kubebuilder:validation:MaxProperties=30
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('aws:') && size(k) <= 128)",message="a tag key has at most 128 characters and must not begin with aws:, which AWS reserves"
	Tags map[string]v1alpha1.TagValue `json:"tags,omitempty"`

	// ProviderConfigRef names the credentials to use. Default: default, a
	// ClusterProviderConfig.
	// +optional
	ProviderConfigRef *ProviderConfigReference `json:"providerConfigRef,omitempty"`
}

// Clients are who may connect to a load balancer. At least one must be named.
// +kubebuilder:validation:XValidation:rule="has(self.cidrs) || has(self.prefixListIds) || has(self.securityGroupIds)",message="clients: say who may connect: cidrs, prefixListIds or securityGroupIds"
type Clients struct {
	// CIDRs of IPv4 and IPv6 addresses, such as 10.0.0.0/8.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:Pattern=`^([0-9.]+/[0-9]{1,2}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*/[0-9]{1,3})$`
	CIDRs []string `json:"cidrs,omitempty"`

	// PrefixListIDs, pl-….
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^pl-[0-9a-f]+$`
	PrefixListIDs []string `json:"prefixListIds,omitempty"`

	// SecurityGroupIDs, sg-…, whose members may connect.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^sg-[0-9a-f]+$`
	SecurityGroupIDs []string `json:"securityGroupIds,omitempty"`
}

// A ProviderConfigReference names a ProviderConfig.
type ProviderConfigReference struct {
	// Kind is ClusterProviderConfig or ProviderConfig. Leave it out in a legacy
	// claim, whose kinds know ProviderConfig only.
	// +optional
	// +kubebuilder:validation:Enum=ClusterProviderConfig;ProviderConfig
	Kind *string `json:"kind,omitempty"`

	// Name of the configuration.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}
