package loadbalancer_test

import (
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

const prefix = "2001:db8:0:a:1::/80"

// A drift is something that somebody changes in AWS, and the call that puts it back.
type drift struct {
	name, repair string
	change       func(e *env, arn string) error
}

// drifts has one for each field of everyField that AWS can change back.
func drifts(t *testing.T, group, other string) []drift {
	t.Helper()

	attribute := func(key, value string) drift {
		return drift{key, "ModifyLoadBalancerAttributes", func(e *env, arn string) error {
			_, err := e.ELB.ModifyLoadBalancerAttributes(t.Context(), &elbv2.ModifyLoadBalancerAttributesInput{
				LoadBalancerArn: &arn, Attributes: []types.LoadBalancerAttribute{{Key: &key, Value: &value}},
			})

			return err
		}}
	}
	groups := func(name, id string, enforce types.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum) drift {
		return drift{name, "SetSecurityGroups", func(e *env, arn string) error {
			_, err := e.ELB.SetSecurityGroups(t.Context(), &elbv2.SetSecurityGroupsInput{
				LoadBalancerArn: &arn, SecurityGroups: []string{id}, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: enforce,
			})

			return err
		}}
	}
	subnets := func(name string, addressType types.IpAddressType, nat types.EnablePrefixForIpv6SourceNatEnum, mappings ...types.SubnetMapping) drift {
		return drift{name, "SetSubnets", func(e *env, arn string) error {
			_, err := e.ELB.SetSubnets(t.Context(), &elbv2.SetSubnetsInput{
				LoadBalancerArn: &arn, IpAddressType: addressType, EnablePrefixForIpv6SourceNat: nat, SubnetMappings: mappings,
			})

			return err
		}}
	}
	a, b := types.SubnetMapping{SubnetId: ptr(subnetA)}, types.SubnetMapping{SubnetId: ptr(subnetB)}

	return []drift{
		attribute("deletion_protection.enabled", "true"), attribute("load_balancing.cross_zone.enabled", "false"),
		attribute("access_logs.s3.enabled", "false"), attribute("access_logs.s3.bucket", "others"), attribute("access_logs.s3.prefix", "other"),
		attribute("ipv6.deny_all_igw_traffic", "false"), attribute("zonal_shift.config.enabled", "false"),
		attribute("dns_record.client_routing_policy", "any_availability_zone"),
		groups("securityGroupIds", other, "off"), groups("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", group, "on"),
		subnets("subnetMappings", "dualstack", "on", a),
		subnets("ipAddressType", "ipv4", "off", a, b),
		subnets("enablePrefixForIpv6SourceNat", "dualstack", "off", a, b),
		subnets("sourceNatIpv6Prefix", "dualstack", "on",
			types.SubnetMapping{SubnetId: ptr(subnetA), SourceNatIpv6Prefix: ptr("2001:db8:0:a:2::/80")}, b),
		{"tags", "AddTags", func(e *env, arn string) error {
			_, err := e.ELB.RemoveTags(t.Context(), &elbv2.RemoveTagsInput{ResourceArns: []string{arn}, TagKeys: []string{"app"}})

			return err
		}},
		{"minimumCapacityUnits", "ModifyCapacityReservation", func(e *env, arn string) error {
			_, err := e.ELB.ModifyCapacityReservation(t.Context(), &elbv2.ModifyCapacityReservationInput{LoadBalancerArn: &arn, ResetCapacityReservation: ptr(true)})

			return err
		}},
	}
}

func TestDriftOfEachFieldIsRepairedByOneCall(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		a, b := e.group(t, "a"), e.group(t, "b")
		mg := e.balancer(t, "edge", everyField(a), with(func(p *v1alpha1.LoadBalancerParameters) {
			p.SubnetMappings[0].SourceNATIPv6Prefix = ptr(prefix)
		}))
		e.UntilApplied(t, mg)

		reserved := func() bool {
			c := mg.ObservedState().AtProvider.Capacity

			return c != nil && c.State == "provisioned" && c.MinimumCapacityUnits == 100
		}
		e.Until(t, mg, "reserved", reserved)

		arn, want := meta.GetExternalName(mg), e.balancers()[0]

		for _, d := range drifts(t, a, b) {
			e.Paused(t, mg, func() { kindtest.Must(t, d.change(e, arn)) })
			e.Until(t, mg, d.name+" repaired", func() bool { return cmp.Equal(want, e.balancers()[0]) && len(successes(e)) > 0 && reserved() })
			e.UntilApplied(t, mg)

			if diff := cmp.Diff([]string{d.repair}, successes(e)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", d.name, diff)
			}

			if got := e.sdk(t).AvailabilityZones[0].SourceNatIpv6Prefixes; !cmp.Equal(got, []string{prefix}) {
				t.Errorf("%s: the prefix is %v", d.name, got)
			}
		}
	})
}

// TestMoreSecondaryAddressesThanDeclaredStay: AWS never takes one back, so that is
// said, and not asked for again and again.
func TestMoreSecondaryAddressesThanDeclaredStay(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.balancer(t, "edge", with(func(p *v1alpha1.LoadBalancerParameters) { p.SecondaryIPsPerSubnet = ptr(int32(2)) }))
		e.UntilApplied(t, mg)
		e.Paused(t, mg, func() {
			arn := meta.GetExternalName(mg)
			_, err := e.ELB.ModifyLoadBalancerAttributes(t.Context(), &elbv2.ModifyLoadBalancerAttributesInput{
				LoadBalancerArn: &arn, Attributes: []types.LoadBalancerAttribute{{Key: ptr("secondary_ips.auto_assigned.per_subnet"), Value: ptr("3")}},
			})
			kindtest.Must(t, err)
		})

		e.UntilStalled(t, mg)

		if c := mg.GetCondition(controller.TypeStalled); c.Reason != controller.ReasonImmutable {
			t.Errorf("it is %+v", c)
		}

		if got := successes(e); len(got) > 0 {
			t.Errorf("AWS got %v", got)
		}

		e.Change(t, mg, with(func(p *v1alpha1.LoadBalancerParameters) { p.SecondaryIPsPerSubnet = ptr(int32(3)) }))
		e.UntilApplied(t, mg)
	})
}

// TestIPv4EndsWhatOnlyDualstackHas: source NAT and IPv6 addresses need not be taken
// back one by one.
func TestIPv4EndsWhatOnlyDualstackHas(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.balancer(t, "edge", with(func(p *v1alpha1.LoadBalancerParameters) {
			p.IPAddressType, p.EnablePrefixForIPv6SourceNAT = ptr("dualstack"), ptr(true)
			p.SubnetMappings[0].IPv6Address = ptr("2001:db8:0:a::9")

			for i := range p.SubnetMappings {
				p.SubnetMappings[i].SourceNATIPv6Prefix = ptr("auto_assigned")
			}
		}))
		e.UntilApplied(t, mg)
		e.Sim.Reset()
		e.Change(t, mg, with(func(p *v1alpha1.LoadBalancerParameters) {
			p.IPAddressType, p.EnablePrefixForIPv6SourceNAT = ptr("ipv4"), nil
			p.SubnetMappings = []v1alpha1.SubnetMapping{{SubnetID: subnetA}, {SubnetID: subnetB}}
		}))
		e.UntilApplied(t, mg)

		if diff := cmp.Diff([]string{"SetSubnets"}, e.writes()); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}

		if got := e.sdk(t); got.IpAddressType != "ipv4" || len(got.AvailabilityZones[0].SourceNatIpv6Prefixes) > 0 {
			t.Errorf("AWS has %+v", got)
		}
	})
}

// TestPrefixesWithoutSourceNATAreNoDifference: AWS shows none then, so that the spec
// would never be applied.
func TestPrefixesWithoutSourceNATAreNoDifference(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		on := with(func(p *v1alpha1.LoadBalancerParameters) {
			p.IPAddressType, p.EnablePrefixForIPv6SourceNAT = ptr("dualstack"), ptr(true)
			p.SubnetMappings[0].SourceNATIPv6Prefix, p.SubnetMappings[1].SourceNATIPv6Prefix = ptr(prefix), ptr("auto_assigned")
		})
		mg := e.balancer(t, "edge", on)
		e.UntilApplied(t, mg)
		e.Sim.Reset()
		e.Change(t, mg, with(func(p *v1alpha1.LoadBalancerParameters) { p.EnablePrefixForIPv6SourceNAT = ptr(false) }))
		e.UntilApplied(t, mg)
		e.Change(t, mg, on)
		e.UntilApplied(t, mg)

		if diff := cmp.Diff([]string{"SetSubnets", "SetSubnets"}, e.writes()); diff != "" {
			t.Errorf("off, and on again: -want, +got:\n%s", diff)
		}
	})
}
