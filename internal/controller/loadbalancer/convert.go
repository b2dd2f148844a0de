package loadbalancer

import (
	"cmp"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// createInput declares what the spec declares, and nothing else. Attributes,
// capacity and enforcement are set afterwards, which is all that AWS offers.
func createInput(name string, p *v1alpha1.LoadBalancerParameters, referred []string, tags map[string]string) *elbv2.CreateLoadBalancerInput {
	in := &elbv2.CreateLoadBalancerInput{
		Name:           &name,
		Type:           types.LoadBalancerTypeEnumNetwork,
		Scheme:         types.LoadBalancerSchemeEnum(sdk.ToString(p.Scheme)),
		IpAddressType:  types.IpAddressType(sdk.ToString(p.IPAddressType)),
		SubnetMappings: sdkMappings(wantSubnets(p, subnets{}).mappings, true),
		Tags:           controller.ELBv2Tags(tags),
	}

	if ids := wantedGroups(p, referred); len(ids) > 0 {
		in.SecurityGroups = strings.Split(joined(ids), ",")
	}

	if v := p.EnablePrefixForIPv6SourceNAT; v != nil {
		in.EnablePrefixForIpv6SourceNat = types.EnablePrefixForIpv6SourceNatEnum(onOff(*v))
	}

	return in
}

func sdkMappings(mappings []mapping, prefixes bool) []types.SubnetMapping {
	out := make([]types.SubnetMapping, len(mappings))
	for i, m := range mappings {
		out[i] = types.SubnetMapping{
			SubnetId: sdk.String(m.subnet), AllocationId: given(m.allocation), PrivateIPv4Address: given(m.private), IPv6Address: given(m.ipv6),
		}
		if prefixes {
			out[i].SourceNatIpv6Prefix = given(m.prefix)
		}
	}

	return out
}

func given(s string) *string {
	if s == "" {
		return nil
	}

	return &s
}

// subnetsInput sets mappings, and the address type and source NAT with them.
func subnetsInput(arn string, mappings []mapping, want, have state) *elbv2.SetSubnetsInput {
	dual := want.addressType == string(types.IpAddressTypeDualstack)
	in := &elbv2.SetSubnetsInput{
		LoadBalancerArn: &arn, SubnetMappings: sdkMappings(mappings, want.subnets.sourceNAT == "on"), IpAddressType: types.IpAddressType(want.addressType),
	}

	if !dual {
		// Addresses that AWS has there end with dualstack.
		for i := range in.SubnetMappings {
			in.SubnetMappings[i].IPv6Address = nil
		}
	}

	// An IPv4 load balancer has no source NAT, and AWS need not be told so.
	if dual || want.subnets.sourceNAT != have.subnets.sourceNAT {
		in.EnablePrefixForIpv6SourceNat = types.EnablePrefixForIpv6SourceNatEnum(want.subnets.sourceNAT)
	}

	return in
}

func groupsInput(arn string, g groups) *elbv2.SetSecurityGroupsInput {
	return &elbv2.SetSecurityGroupsInput{
		LoadBalancerArn: &arn, SecurityGroups: strings.Split(g.ids, ","),
		EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: types.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum(g.enforce),
	}
}

func capacityInput(arn string, units int32) *elbv2.ModifyCapacityReservationInput {
	if units == 0 {
		return &elbv2.ModifyCapacityReservationInput{LoadBalancerArn: &arn, ResetCapacityReservation: sdk.Bool(true)}
	}

	return &elbv2.ModifyCapacityReservationInput{
		LoadBalancerArn: &arn, MinimumLoadBalancerCapacity: &types.MinimumLoadBalancerCapacity{CapacityUnits: &units},
	}
}

func attributesInput(arn string, keys []string, values map[string]string) *elbv2.ModifyLoadBalancerAttributesInput {
	in := &elbv2.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &arn}
	for _, k := range keys {
		in.Attributes = append(in.Attributes, types.LoadBalancerAttribute{Key: &k, Value: sdk.String(values[k])})
	}

	return in
}

// observation is what status shows.
func observation(b *balancer) v1alpha1.LoadBalancerObservation {
	lb := b.sdk
	o := v1alpha1.LoadBalancerObservation{
		ARN:                   b.arn(),
		Name:                  b.name(),
		DNSName:               sdk.ToString(lb.DNSName),
		CanonicalHostedZoneID: sdk.ToString(lb.CanonicalHostedZoneId),
		VPCID:                 sdk.ToString(lb.VpcId),
		Scheme:                string(lb.Scheme),
		IPAddressType:         string(lb.IpAddressType),
		SecurityGroupIDs:      slices.Sorted(slices.Values(lb.SecurityGroups)),
		Capacity:              capacity(b.capacity),
	}
	if lb.State != nil {
		o.State = &v1alpha1.LoadBalancerState{Code: string(lb.State.Code), Reason: sdk.ToString(lb.State.Reason)}
	}

	for _, z := range lb.AvailabilityZones {
		zone := v1alpha1.AvailabilityZone{
			ZoneName: sdk.ToString(z.ZoneName), SubnetID: sdk.ToString(z.SubnetId),
			SourceNATIPv6Prefixes: slices.Sorted(slices.Values(z.SourceNatIpv6Prefixes)),
		}
		for _, a := range z.LoadBalancerAddresses {
			zone.Addresses = append(zone.Addresses, v1alpha1.LoadBalancerAddress{
				AllocationID: sdk.ToString(a.AllocationId), IPAddress: sdk.ToString(a.IpAddress),
				IPv6Address: sdk.ToString(a.IPv6Address), PrivateIPv4Address: sdk.ToString(a.PrivateIPv4Address),
			})
		}

		slices.SortFunc(zone.Addresses, func(a, b v1alpha1.LoadBalancerAddress) int {
			return cmp.Or(strings.Compare(a.IPAddress, b.IPAddress), strings.Compare(a.PrivateIPv4Address, b.PrivateIPv4Address), strings.Compare(a.IPv6Address, b.IPv6Address))
		})

		o.AvailabilityZones = append(o.AvailabilityZones, zone)
	}

	slices.SortFunc(o.AvailabilityZones, func(a, b v1alpha1.AvailabilityZone) int { return strings.Compare(a.ZoneName, b.ZoneName) })

	return o
}

// capacity that is reserved, with the state of the worst zone.
func capacity(c *elbv2.DescribeCapacityReservationOutput) *v1alpha1.CapacityObservation {
	if c == nil {
		return nil
	}

	o := &v1alpha1.CapacityObservation{DecreaseRequestsRemaining: sdk.ToInt32(c.DecreaseRequestsRemaining)}
	if c.MinimumLoadBalancerCapacity != nil {
		o.MinimumCapacityUnits = sdk.ToInt32(c.MinimumLoadBalancerCapacity.CapacityUnits)
	}

	worst := []types.CapacityReservationStateEnum{"", types.CapacityReservationStateEnumProvisioned, types.CapacityReservationStateEnumRebalancing,
		types.CapacityReservationStateEnumPending, types.CapacityReservationStateEnumFailed}

	for _, z := range c.CapacityReservationState {
		if z.State != nil && slices.Index(worst, z.State.Code) > slices.Index(worst, types.CapacityReservationStateEnum(o.State)) {
			o.State, o.Reason = string(z.State.Code), sdk.ToString(z.State.Reason)
		}
	}

	return o
}

// connection is what applications need.
func connection(b *balancer) managed.ConnectionDetails {
	return managed.ConnectionDetails{
		"dnsName":               []byte(sdk.ToString(b.sdk.DNSName)),
		"canonicalHostedZoneId": []byte(sdk.ToString(b.sdk.CanonicalHostedZoneId)),
		"arn":                   []byte(b.arn()),
	}
}
