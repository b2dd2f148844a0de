package loadbalancer

import (
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A state is what is compared, besides attributes and tags. The first fields
// cannot be changed in AWS.
type state struct {
	name, scheme string

	groups      groups
	subnets     subnets
	addressType string
	// units of capacity that are reserved; 0 unless that is managed.
	units int32
}

// groups are what SetSecurityGroups sets.
type groups struct {
	// ids, sorted and with commas between them.
	ids string
	// enforce inbound rules on PrivateLink: on, off, or empty without groups.
	enforce string
}

// have is the state in AWS.
func have(b *balancer, p *v1alpha1.LoadBalancerParameters) state {
	s := state{
		name: b.name(), scheme: string(b.sdk.Scheme), addressType: string(b.sdk.IpAddressType),
		groups: groups{
			ids:     joined(b.sdk.SecurityGroups),
			enforce: sdk.ToString(b.sdk.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic),
		},
		subnets: haveSubnets(b.sdk, p.SubnetMappings),
	}
	if b.capacity != nil && b.capacity.MinimumLoadBalancerCapacity != nil {
		s.units = sdk.ToInt32(b.capacity.MinimumLoadBalancerCapacity.CapacityUnits)
	}

	return s
}

// want is the state that is declared. What is not declared is as it is. referred
// are the security groups that references yield.
func want(p *v1alpha1.LoadBalancerParameters, referred []string, s state) state {
	declare(&s.name, p.Name)
	declare(&s.scheme, p.Scheme)
	declare(&s.addressType, p.IPAddressType)
	declare(&s.units, p.MinimumCapacityUnits)

	if ids := wantedGroups(p, referred); len(ids) > 0 {
		s.groups.ids = joined(ids)
	}

	if v := p.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic; v != nil {
		s.groups.enforce = onOff(*v)
	}

	if s.addressType == string(types.IpAddressTypeIpv4) {
		// AWS refuses IPv4 as long as it is on.
		s.subnets.sourceNAT = "off"
	}

	s.subnets = wantSubnets(p, s.subnets)

	return s
}

// wantedGroups are those of the spec and those that its references yield; none if
// they are not managed here.
func wantedGroups(p *v1alpha1.LoadBalancerParameters, referred []string) []string {
	return slices.Concat(p.SecurityGroupIDs, referred)
}

// A change is what makes a load balancer what it should be.
type change struct {
	// What differs. Subnets are changed with the address type if both differ.
	tags                                   controller.TagChange
	groups, subnets, addressType, capacity bool
	attributes                             controller.AttributeChange
	// attributeKeys are those to remember as ours.
	attributeKeys  []string
	haveAttributes map[string]string
	// have and want are what was compared.
	have, want  state
	differences []controller.Difference
}

// plan decides what to change.
func plan(want, have state, tags controller.TagChange, attributes controller.AttributeChange) change {
	c := change{
		have: have, want: want, tags: tags, attributes: attributes,
		groups:      want.groups != have.groups,
		subnets:     !want.subnets.equal(have.subnets),
		addressType: want.addressType != have.addressType,
		capacity:    want.units != have.units,
	}

	d := controller.Differ(nil, "securityGroupIds", have.groups.ids, want.groups.ids)
	d = controller.Differ(d, "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", have.groups.enforce, want.groups.enforce)
	d = controller.Differ(d, "subnetMappings", have.subnets.String(), want.subnets.String())
	d = controller.Differ(d, "enablePrefixForIpv6SourceNat", have.subnets.sourceNAT, want.subnets.sourceNAT)
	d = controller.Differ(d, "ipAddressType", have.addressType, want.addressType)
	c.differences = controller.Differ(d, "minimumCapacityUnits", have.units, want.units)

	return c
}

// impossible is the first difference that AWS cannot change, or nil.
func impossible(b *balancer, want, have state, attributes map[string]string) error {
	d := controller.Differ(nil, "name", have.name, want.name)
	d = controller.Differ(d, "scheme", have.scheme, want.scheme)

	switch {
	case len(d) > 0:
		return d[0].Immutable(b.String(), kind)
	case have.groups.ids == "" && want.groups.ids != "":
		return controller.Stalled{Reason: controller.ReasonImmutable, Message: "spec.forProvider.securityGroupIds: " + b.String() +
			" was created without security groups, so AWS will never let it have any: remove them, or create a new LoadBalancer"}
	case have.groups.ids == "" && want.groups.enforce != have.groups.enforce:
		return controller.Stalled{Reason: controller.ReasonInvalid, Message: "spec.forProvider.enforceSecurityGroupInboundRulesOnPrivateLinkTraffic needs security groups, and " +
			b.String() + " has none: remove it, or create a new LoadBalancer with securityGroupIds"}
	case fewer(b.attributes, attributes):
		d = controller.Differ(nil, "secondaryIpsPerSubnet", b.attributes[keySecondaryIPs], attributes[keySecondaryIPs])

		return d[0].Immutable(b.String(), kind)
	}

	return nil
}

func (c change) none() bool {
	return len(c.differences) == 0 && c.attributes.None() && c.tags.None()
}

// String says what differs, in a fixed order.
func (c change) String() string {
	return controller.Describe(c.differences, c.attributes.Changes(c.haveAttributes), c.tags)
}

func joined(ids []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(ids))), ",")
}

func declare[T any](to, declared *T) {
	if declared != nil {
		*to = *declared
	}
}

func onOff(v bool) string {
	if v {
		return "on"
	}

	return "off"
}
