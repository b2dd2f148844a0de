package loadbalancer_test

import (
	"slices"
	"strings"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// everyField declares every field that can be changed.
func everyField(groups ...string) func(lb) {
	return with(func(p *v1alpha1.LoadBalancerParameters) {
		p.IPAddressType, p.EnablePrefixForIPv6SourceNAT = ptr("dualstack"), ptr(true)
		p.SubnetMappings = []v1alpha1.SubnetMapping{
			{SubnetID: subnetA, AllocationID: ptr(eip1), SourceNATIPv6Prefix: ptr("auto_assigned")},
			{SubnetID: subnetB, SourceNATIPv6Prefix: ptr("auto_assigned")},
		}
		p.SecurityGroupIDs, p.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = groups, ptr(false)
		p.MinimumCapacityUnits = ptr(int32(100))
		p.DeletionProtection, p.CrossZone, p.IPv6DenyAllIGWTraffic, p.ZonalShift = ptr(false), ptr(true), ptr(true), ptr(true)
		p.AccessLogs = &v1alpha1.AccessLogs{Enabled: true, Bucket: ptr("logs"), Prefix: ptr("edge")}
		p.DNSClientRoutingPolicy, p.SecondaryIPsPerSubnet = ptr("availability_zone_affinity"), ptr(int32(2))
		p.Tags = map[string]v1alpha1.TagValue{"app": "edge"}
	})
}

func TestEveryDriftIsRepairedByOneCallEach(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		a, b := e.group(t, "a"), e.group(t, "b")
		mg := e.balancer(t, "edge", everyField(a))
		e.UntilApplied(t, mg)
		e.Until(t, mg, "reserved", func() bool {
			c := mg.ObservedState().AtProvider.Capacity

			return c != nil && c.State == "provisioned" && c.MinimumCapacityUnits == 100
		})

		arn := meta.GetExternalName(mg)
		want := e.balancers()[0]

		if diff := cmp.Diff(map[string]string{
			"deletion_protection.enabled": "false", "load_balancing.cross_zone.enabled": "true", "access_logs.s3.enabled": "true",
			"access_logs.s3.bucket": "logs", "access_logs.s3.prefix": "edge", "ipv6.deny_all_igw_traffic": "true", "zonal_shift.config.enabled": "true",
			"dns_record.client_routing_policy": "availability_zone_affinity", "secondary_ips.auto_assigned.per_subnet": "2",
		}, want.Attributes); diff != "" {
			t.Fatalf("attributes: -want, +got:\n%s", diff)
		}

		e.Paused(t, mg, func() {
			var errs [6]error
			_, errs[0] = e.ELB.AddTags(t.Context(), &elbv2.AddTagsInput{ResourceArns: []string{arn}, Tags: []types.Tag{{Key: ptr("app"), Value: ptr("other")}}})
			_, errs[1] = e.ELB.SetSecurityGroups(t.Context(), &elbv2.SetSecurityGroupsInput{LoadBalancerArn: &arn, SecurityGroups: []string{b}, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: "on"})
			_, errs[2] = e.ELB.ModifyLoadBalancerAttributes(t.Context(), &elbv2.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &arn, Attributes: []types.LoadBalancerAttribute{
				{Key: ptr("deletion_protection.enabled"), Value: ptr("true")}, {Key: ptr("access_logs.s3.enabled"), Value: ptr("false")},
			}})
			_, errs[3] = e.ELB.SetSubnets(t.Context(), &elbv2.SetSubnetsInput{LoadBalancerArn: &arn, SubnetMappings: []types.SubnetMapping{{SubnetId: ptr(subnetA)}}})
			_, errs[4] = e.ELB.ModifyCapacityReservation(t.Context(), &elbv2.ModifyCapacityReservationInput{LoadBalancerArn: &arn, MinimumLoadBalancerCapacity: &types.MinimumLoadBalancerCapacity{CapacityUnits: ptr(int32(200))}})

			for _, err := range errs {
				kindtest.Must(t, err)
			}
		})
		e.Until(t, mg, "repaired", func() bool {
			// What status says of the capacity is from before the drift.
			capacity, err := e.ELB.DescribeCapacityReservation(t.Context(), &elbv2.DescribeCapacityReservationInput{LoadBalancerArn: &arn})
			kindtest.Must(t, err)

			return cmp.Equal(want, e.balancers()[0]) && *capacity.MinimumLoadBalancerCapacity.CapacityUnits == 100
		})
		e.UntilApplied(t, mg)

		if diff := cmp.Diff([]string{"AddTags", "ModifyCapacityReservation", "ModifyLoadBalancerAttributes", "SetSecurityGroups", "SetSubnets"}, slices.Sorted(slices.Values(successes(e)))); diff != "" {
			t.Errorf("one call for each part that differs: -want, +got:\n%s", diff)
		}
	})
}

// successes are the writes that AWS accepted: capacity that is pending may refuse
// subnets.
func successes(e *env) []string {
	var out []string

	for _, c := range e.Sim.Calls() {
		if c.Code == "" && slices.Contains(e.writes(), c.Action) {
			out = append(out, c.Action)
		}
	}

	return out
}

func TestChangesAreMadeInOrder(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		a, b := e.group(t, "a"), e.group(t, "b")
		mg := e.balancer(t, "edge", with(func(p *v1alpha1.LoadBalancerParameters) {
			p.SecurityGroupIDs = []string{a}
			p.SubnetMappings = p.SubnetMappings[:1]
		}))
		e.UntilApplied(t, mg)
		e.Sim.Reset()
		e.Change(t, mg, with(func(p *v1alpha1.LoadBalancerParameters) {
			p.Tags = map[string]v1alpha1.TagValue{"app": "edge"}
			p.SecurityGroupIDs = []string{b}
			p.SubnetMappings = append(p.SubnetMappings, v1alpha1.SubnetMapping{SubnetID: subnetB})
			p.IPAddressType = ptr("dualstack")
			p.CrossZone = ptr(true)
			p.MinimumCapacityUnits = ptr(int32(100))
		}))
		e.UntilApplied(t, mg)

		want := []string{"AddTags", "SetSecurityGroups", "SetSubnets", "ModifyLoadBalancerAttributes", "ModifyCapacityReservation"}
		if diff := cmp.Diff(want, e.writes()); diff != "" {
			t.Errorf("the address type goes with the subnets: -want, +got:\n%s", diff)
		}

		e.Sim.Reset()
		e.Change(t, mg, with(func(p *v1alpha1.LoadBalancerParameters) {
			p.IPAddressType, p.MinimumCapacityUnits = ptr("ipv4"), ptr(int32(0))
		}))
		e.UntilApplied(t, mg)

		if diff := cmp.Diff([]string{"SetIpAddressType", "ModifyCapacityReservation"}, slices.Compact(e.writes())); diff != "" {
			t.Errorf("alone it has a call of its own: -want, +got:\n%s", diff)
		}
	})
}

func TestWhatIsNoLongerDeclared(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.balancer(t, "edge", with(func(p *v1alpha1.LoadBalancerParameters) {
			p.CrossZone, p.DNSClientRoutingPolicy = ptr(true), ptr("availability_zone_affinity")
			p.Tags = map[string]v1alpha1.TagValue{"app": "edge"}
		}))
		e.UntilApplied(t, mg)
		e.Sim.Reset()
		e.Change(t, mg, with(func(p *v1alpha1.LoadBalancerParameters) {
			p.CrossZone, p.DNSClientRoutingPolicy, p.Tags = nil, nil, nil
		}))
		e.UntilApplied(t, mg)

		got := e.balancers()[0]
		if got.Attributes["load_balancing.cross_zone.enabled"] != "false" || got.Attributes["dns_record.client_routing_policy"] != "any_availability_zone" || got.Tags["app"] != "" {
			t.Errorf("attributes go back to AWS's defaults and tags go: %+v", got)
		}

		if diff := cmp.Diff([]string{"RemoveTags", "ModifyLoadBalancerAttributes"}, e.writes()); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}

		e.Until(t, mg, "forgotten", func() bool { return len(mg.ObservedState().AtProvider.ManagedAttributeKeys) == 0 })

		if got := e.Sim.Count("DescribeCapacityReservation"); got != 0 {
			t.Errorf("capacity is read %d times although it is not declared", got)
		}
	})
}

// mappings of subnets, each with an elastic IP address after a slash, an IPv6 address
// after a hash, or none.
func mappings(of ...string) func(lb) {
	return with(func(p *v1alpha1.LoadBalancerParameters) {
		p.SubnetMappings = nil

		for _, s := range of {
			s, ipv6, found := strings.Cut(s, "#")
			m := v1alpha1.SubnetMapping{}

			if found {
				p.IPAddressType, m.IPv6Address = ptr("dualstack"), &ipv6
			}

			subnet, eip, found := strings.Cut(s, "/")
			m.SubnetID = subnet

			if found {
				m.AllocationID = &eip
			}

			p.SubnetMappings = append(p.SubnetMappings, m)
		}
	})
}

func TestSubnetsChangeInSteps(t *testing.T) {
	cases := map[string]struct {
		reason         string
		before, after  []string
		stalled        bool
		accepted, asks int
	}{
		"Add":          {"One call.", []string{subnetA}, []string{subnetA, subnetB}, false, 1, 1},
		"Remove":       {"One call.", []string{subnetA, subnetB}, []string{subnetB}, false, 1, 1},
		"Move":         {"Another zone: one call.", []string{subnetA}, []string{subnetB}, false, 1, 1},
		"Swap":         {"In one zone: it is removed, then added.", []string{subnetA, subnetB}, []string{subnetA2, subnetB}, false, 2, 3},
		"SwapBoth":     {"A zone always stays.", []string{subnetA, subnetB}, []string{subnetA2, subnetB2}, false, 4, 8},
		"SwapOnly":     {"The last zone cannot be removed.", []string{subnetA}, []string{subnetA2}, true, 0, 2},
		"Address":      {"The zone is removed, then added.", []string{subnetA + "/" + eip1, subnetB}, []string{subnetA + "/" + eip2, subnetB}, false, 2, 2},
		"FirstAddress": {"A zone without elastic IP address gets one.", []string{subnetA, subnetB}, []string{subnetA, subnetB + "/" + eip2}, false, 2, 2},
		"IPv6":         {"The zone is removed, then added.", []string{subnetA + "#2001:db8:0:a::9", subnetB}, []string{subnetA + "#2001:db8:0:a::10", subnetB}, false, 2, 2},
		"AddressOnly":  {"The last zone cannot be removed.", []string{subnetA + "/" + eip1}, []string{subnetA + "/" + eip2}, true, 0, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				mg := e.balancer(t, "edge", mappings(tc.before...))
				e.UntilApplied(t, mg)
				e.Sim.Reset()
				e.Change(t, mg, mappings(tc.after...))

				if tc.stalled {
					if got := e.UntilStalled(t, mg); !strings.Contains(got, "add a subnet of another zone first") {
						t.Errorf("\n%s\nthe message is %q", tc.reason, got)
					}
				} else {
					e.UntilApplied(t, mg)
				}

				accepted, asks := 0, 0

				for _, c := range e.Sim.Calls() {
					if c.Action != "SetSubnets" {
						continue
					}

					asks++

					if c.Code == "" {
						accepted++
					}
				}

				// A stalled object is looked at again.
				if accepted != tc.accepted || asks != tc.asks && !tc.stalled {
					t.Errorf("\n%s\n%d of %d calls were accepted, want %d of %d", tc.reason, accepted, asks, tc.accepted, tc.asks)
				}
			})
		})
	}
}

// TestAnAddressThatLingersIsWaitedFor: within one zone an elastic IP address is free
// again minutes after the first of the two steps.
func TestAnAddressThatLingersIsWaitedFor(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.balancer(t, "edge", mappings(subnetA+"/"+eip1, subnetB))
		e.UntilApplied(t, mg)

		// The first call finds out that the zone is enabled; the one after its removal
		// meets the address.
		remove := e.Sim.Fault(awssim.Fault{
			Action: "SetSubnets", Contains: subnetA2, After: 1, Effect: awssim.Answer,
			Code: "InvalidConfigurationRequest", Message: "The allocation IDs are not available for use",
		})
		e.Change(t, mg, mappings(subnetA2+"/"+eip1, subnetB))
		e.Until(t, mg, "refused", func() bool { return kindtest.Is(mg, xpv2.TypeSynced, "False") })

		if kindtest.Is(mg, controller.TypeStalled, "True") {
			t.Errorf("time heals it: %+v", mg.ObservedState().Conditions)
		}

		remove()
		e.UntilApplied(t, mg)
	})
}

func TestProvisioningRefusesNothingForEver(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.balancer(t, "edge")
		e.UntilApplied(t, mg)
		e.Sim.SetLoadBalancerState(meta.GetExternalName(mg), "provisioning", "")

		remove := e.Sim.Fault(awssim.Fault{Action: "ModifyLoadBalancerAttributes", Effect: awssim.Answer, Code: "InvalidConfigurationRequest", Message: "The load balancer is not active"})
		e.Change(t, mg, with(func(p *v1alpha1.LoadBalancerParameters) { p.CrossZone = ptr(true) }))
		e.Until(t, mg, "refused", func() bool { return kindtest.Is(mg, xpv2.TypeSynced, "False") })

		if kindtest.Is(mg, controller.TypeStalled, "True") {
			t.Errorf("time heals it: %+v", mg.ObservedState().Conditions)
		}

		remove()
		e.Sim.SetLoadBalancerState(meta.GetExternalName(mg), "", "")
		e.UntilApplied(t, mg)
	})
}
