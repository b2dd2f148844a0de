package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// SchemeGroupVersion is the group and version of the kinds in this package.
var SchemeGroupVersion = schema.GroupVersion{Group: "nlb.crossplane.io", Version: "v1alpha1"}

// AddToScheme adds the kinds of this package to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(SchemeGroupVersion,
		&ProviderConfig{}, &ProviderConfigList{},
		&ProviderConfigUsage{}, &ProviderConfigUsageList{},
		&LoadBalancer{}, &LoadBalancerList{},
		&Listener{}, &ListenerList{},
		&SecurityGroup{}, &SecurityGroupList{},
		&SecurityGroupRule{}, &SecurityGroupRuleList{},
		&TargetGroup{}, &TargetGroupList{},
		&TargetGroupBinding{}, &TargetGroupBindingList{},
	)
	metav1.AddToGroupVersion(s, SchemeGroupVersion)
	return nil
}
