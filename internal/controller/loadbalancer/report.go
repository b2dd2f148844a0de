package loadbalancer

import (
	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// Reasons of Ready=False besides Creating.
const (
	reasonFailed   xpv2.ConditionReason = "Failed"
	reasonImpaired xpv2.ConditionReason = "ActiveImpaired"
)

// ready tells AWS's state, and what cannot be undone.
func ready(s types.LoadBalancerState, attributes controller.AttributeChange) xpv2.Condition {
	reason := sdk.ToString(s.Reason)

	switch s.Code {
	case types.LoadBalancerStateEnumActive:
		return controller.Available().WithMessage(attributes.Note())
	case types.LoadBalancerStateEnumFailed:
		return controller.NotReady(reasonFailed, "AWS could not set the load balancer up: "+reason)
	case types.LoadBalancerStateEnumActiveImpaired:
		return controller.NotReady(reasonImpaired, "it routes traffic, but AWS lacks what it needs to scale: "+reason)
	case types.LoadBalancerStateEnumProvisioning:
	}

	return controller.NotReady(xpv2.ReasonCreating, "AWS is setting the load balancer up")
}

// show what AWS has.
func (e *external) show(s *v1alpha1.LoadBalancerStatus) {
	tags, attributes := s.AtProvider.ManagedTagKeys, s.AtProvider.ManagedAttributeKeys
	s.AtProvider = observation(e.balancer)
	s.AtProvider.ManagedTagKeys, s.AtProvider.ManagedAttributeKeys = tags, attributes
}

// showAll that could be declared besides, for an import.
func (e *external) showAll(o *v1alpha1.LoadBalancerObservation) {
	on := func(v string) *bool {
		if v == "" {
			return nil
		}

		return sdk.Bool(v == "on")
	}
	o.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = on(sdk.ToString(e.balancer.sdk.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic))
	o.EnablePrefixForIPv6SourceNAT = on(string(e.balancer.sdk.EnablePrefixForIpv6SourceNat))
	o.Attributes = e.balancer.attributes
}

// record what AWS has, and what of it is ours to take back.
func (e *external) record(s *v1alpha1.LoadBalancerStatus) {
	e.show(s)

	if e.onlyObserves() {
		e.showAll(&s.AtProvider)
	}

	if e.policies.ShouldUpdate() {
		s.AtProvider.ManagedTagKeys = controller.ManagedTagKeys(e.tags, e.change.tags)
		s.AtProvider.ManagedAttributeKeys = e.change.attributeKeys
	}
}
