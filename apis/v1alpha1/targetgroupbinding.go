package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TargetGroupBindingSpec is the part of a TargetGroupBinding's spec that both
// scopes share.
// +kubebuilder:validation:XValidation:rule="!has(self.managementPolicies) || size(self.managementPolicies) == 0 || self.managementPolicies == ['*'] || ('Observe' in self.managementPolicies && !('*' in self.managementPolicies) && (!('Delete' in self.managementPolicies) || 'Create' in self.managementPolicies || !('Update' in self.managementPolicies || 'LateInitialize' in self.managementPolicies)))",message="spec.managementPolicies must be [\"*\"], [] or a set with Observe, such as [Observe] or [Observe, Create, Update]; Delete beside Update or LateInitialize needs Create, too"
type TargetGroupBindingSpec struct {
	ForProvider TargetGroupBindingParameters `json:"forProvider"`
}

// TargetGroupBindingParameters say which pods are kept registered in which
// target group.
// +kubebuilder:validation:XValidation:rule="self.region == oldSelf.region",message="region cannot be changed: create a new TargetGroupBinding for the other region"
// +kubebuilder:validation:XValidation:rule="(has(self.targetGroupArn) ? 1 : 0) + (has(self.targetGroupArnRef) ? 1 : 0) + (has(self.targetGroupArnSelector) ? 1 : 0) + (has(self.targetGroupName) ? 1 : 0) + (has(self.targetGroupTags) ? 1 : 0) == 1",message="name the target group in exactly one way: targetGroupArn, targetGroupArnRef, targetGroupArnSelector, targetGroupName or targetGroupTags"
// +kubebuilder:validation:XValidation:rule="has(self.serviceRef) != has(self.podSelector)",message="select the pods in exactly one way: serviceRef or podSelector"
type TargetGroupBindingParameters struct {
	// Region of the target group, such as eu-west-1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region"`

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
	// TargetGroupName is the name of an existing target group in AWS.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	TargetGroupName *string `json:"targetGroupName,omitempty"`
	// TargetGroupTags find an existing target group by its AWS tags: all of them
	// must be equal and exactly one group must have them.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=10
	TargetGroupTags map[string]TagValue `json:"targetGroupTags,omitempty"`

	// TargetType is instance or ip. It must equal the target group's when set.
	// +optional
	// +kubebuilder:validation:Enum=instance;ip
	TargetType *string `json:"targetType,omitempty"`

	// ServiceRef selects the pods that a Service selects. The Service may be of
	// type ClusterIP (also headless), NodePort or LoadBalancer; its nodePort is
	// never used.
	// +optional
	ServiceRef *ServiceReference `json:"serviceRef,omitempty"`
	// PodSelector selects pods by their labels.
	// +optional
	PodSelector *PodSelector `json:"podSelector,omitempty"`
	// NodeSelector narrows the nodes whose pods become targets.
	// +optional
	NodeSelector *metav1.LabelSelector `json:"nodeSelector,omitempty"`

	// Ownership says what is done with targets that this binding did not make:
	// Shared leaves them alone, Exclusive removes them. When it is not set it is
	// Exclusive if this cluster created the group, else Shared.
	// +optional
	// +kubebuilder:validation:Enum=Exclusive;Shared
	Ownership *string `json:"ownership,omitempty"`

	// EmptyPolicy says what is done when no pod matches at all: Hold (default)
	// keeps the targets, Deregister removes them.
	// +optional
	// +kubebuilder:validation:Enum=Hold;Deregister
	EmptyPolicy *string `json:"emptyPolicy,omitempty"`

	// InPlaceRestart says what is done when a pod goes away and another is
	// expected on the same node: Keep (default) leaves the target registered,
	// Deregister removes it.
	// +optional
	// +kubebuilder:validation:Enum=Keep;Deregister
	InPlaceRestart *string `json:"inPlaceRestart,omitempty"`

	// NotReady says what is done with the target of a pod that is not ready.
	// +optional
	NotReady *NotReady `json:"notReady,omitempty"`

	// Departures limit how fast targets may leave.
	// +optional
	Departures *Departures `json:"departures,omitempty"`

	// RegisterWhen says when a pod's target is registered: Ready (default) or
	// Scheduled, as soon as the pod is bound to a node, so that registration
	// overlaps image pull and start; AWS's health check holds traffic back.
	// +optional
	// +kubebuilder:validation:Enum=Ready;Scheduled
	RegisterWhen *string `json:"registerWhen,omitempty"`
}

// A ServiceReference names a Service and one of its ports.
type ServiceReference struct {
	// Name of the Service.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Namespace of the Service. Only, and always, on the cluster-scoped kind: the
	// namespaced kind looks in its own namespace.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Namespace *string `json:"namespace,omitempty"`
	// Port is the name or the number of a port of the Service. Its targetPort
	// says which port of the pod is meant.
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == string || (self >= 1 && self <= 65535)",message="serviceRef.port is a number from 1 to 65535, or the name of a port of the Service"
	Port intstr.IntOrString `json:"port"`
}

// A PodSelector selects pods and one of their ports.
type PodSelector struct {
	// Namespace of the pods. Only, and always, on the cluster-scoped kind: the
	// namespaced kind looks in its own namespace.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Namespace *string `json:"namespace,omitempty"`
	// LabelSelector that a pod must match.
	LabelSelector metav1.LabelSelector `json:"labelSelector"`
	// Port is a host port number, or the name of a container's port. A name has a
	// letter, so a number in quotes is none.
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 1 && self <= 65535 : self.matches('[a-z]')",message="podSelector.port is a number from 1 to 65535, without quotes, or the name of a container's port"
	Port intstr.IntOrString `json:"port"`
}

// NotReady says what is done with the target of a pod that is not ready.
type NotReady struct {
	// Policy is Retain (default: AWS's health check takes the target out and
	// back) or Deregister.
	// +optional
	// +kubebuilder:validation:Enum=Retain;Deregister
	Policy *string `json:"policy,omitempty"`
	// AfterSeconds without a break that a pod must have been not ready before
	// its target may be deregistered, 30-86400. Default 300.
	// +optional
	// +kubebuilder:validation:Minimum=30
	// +kubebuilder:validation:Maximum=86400
	AfterSeconds *int32 `json:"afterSeconds,omitempty"`
}

// Departures limit how fast targets may leave.
type Departures struct {
	// MaxUnavailable of a zone's healthy targets that may have left without a
	// replacement: a number, or a percentage such as 10% (default; at least 1).
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 1 && self <= 1000 : self.matches('^([1-9][0-9]?|100)%$')",message="departures.maxUnavailable is a number from 1 to 1000 or a percentage from 1% to 100%"
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable,omitempty"`
}

// TargetGroupBindingStatus is the observed state of a TargetGroupBinding.
type TargetGroupBindingStatus struct {
	xpv2.ManagedResourceStatus `json:",inline"`

	// AtProvider is what the binding has found and done.
	// +optional
	AtProvider TargetGroupBindingObservation `json:"atProvider,omitempty"`
}

// TargetGroupBindingObservation is what a binding has found and done.
type TargetGroupBindingObservation struct {
	// TargetGroupARN of the group that is bound.
	// +optional
	TargetGroupARN string `json:"targetGroupArn,omitempty"`
	// TargetType of the group, instance or ip.
	// +optional
	TargetType string `json:"targetType,omitempty"`
	// Targets counted by state.
	// +optional
	Targets *TargetCounts `json:"targets,omitempty"`
	// Zones has the same counts for each availability zone.
	// +optional
	// +listType=map
	// +listMapKey=name
	Zones []ZoneTargetCounts `json:"zones,omitempty"`
	// Skipped are pods that match but cannot be targets, sorted, at most 20.
	// +optional
	// +listType=atomic
	Skipped []SkippedPod `json:"skipped,omitempty"`
	// SkippedTotal is the number of all such pods.
	// +optional
	SkippedTotal int32 `json:"skippedTotal,omitempty"`
	// Ports are the host ports that this binding has used, at most 16. A target
	// with another port is not ours.
	// +optional
	// +listType=set
	Ports []int32 `json:"ports,omitempty"`
	// OwnedTargets are, for target type ip, the targets that this binding
	// registers, as address:port. They are recorded before the first write.
	// +optional
	// +listType=set
	OwnedTargets []string `json:"ownedTargets,omitempty"`
	// Foreign are some of the targets that are not ours, at most 5.
	// +optional
	// +listType=set
	Foreign []string `json:"foreign,omitempty"`
}

// TargetCounts are numbers of targets.
type TargetCounts struct {
	// Desired targets: those that should be registered.
	Desired int32 `json:"desired"`
	// Registered targets that are ours.
	Registered int32 `json:"registered"`
	// Healthy ones of these, as AWS says.
	Healthy int32 `json:"healthy"`
	// Initial ones: AWS is still registering or checking them.
	Initial int32 `json:"initial"`
	// Unhealthy ones.
	Unhealthy int32 `json:"unhealthy"`
	// Draining ones: deregistered, but not yet gone.
	Draining int32 `json:"draining"`
	// Foreign targets, which are not ours.
	Foreign int32 `json:"foreign"`
}

// ZoneTargetCounts are the numbers of targets in an availability zone.
type ZoneTargetCounts struct {
	// Name of the availability zone.
	Name         string `json:"name"`
	TargetCounts `json:",inline"`
}

// A SkippedPod matches but cannot be a target.
type SkippedPod struct {
	// Pod as namespace/name.
	Pod string `json:"pod"`
	// Reason why it cannot be a target.
	Reason string `json:"reason"`
}
