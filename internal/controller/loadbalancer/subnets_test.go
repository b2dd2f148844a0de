package loadbalancer

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// TestOnlyDeclaredAddressesAreCompared: what AWS shows besides would make a
// difference for ever.
func TestOnlyDeclaredAddressesAreCompared(t *testing.T) {
	s := func(v string) *string { return &v }
	aws := types.LoadBalancer{EnablePrefixForIpv6SourceNat: "on", AvailabilityZones: []types.AvailabilityZone{{
		SubnetId: s("subnet-a"), SourceNatIpv6Prefixes: []string{"2001:db8:0:a::/80"},
		LoadBalancerAddresses: []types.LoadBalancerAddress{
			{PrivateIPv4Address: s("10.0.0.9"), IPv6Address: s("2001:db8:0:a::9")}, {PrivateIPv4Address: s("10.0.0.10")},
		},
	}}}

	cases := map[string]struct {
		reason   string
		declared v1alpha1.SubnetMapping
		equal    bool
	}{
		"Nothing":       {"What is not declared is not managed.", v1alpha1.SubnetMapping{}, true},
		"Same":          {"It is as declared.", v1alpha1.SubnetMapping{PrivateIPv4Address: s("10.0.0.9")}, true},
		"Second":        {"A zone may have secondary addresses.", v1alpha1.SubnetMapping{PrivateIPv4Address: s("10.0.0.10")}, true},
		"OtherPrivate":  {"It is another.", v1alpha1.SubnetMapping{PrivateIPv4Address: s("10.0.0.11")}, false},
		"Written":       {"IPv6 can be written in several ways.", v1alpha1.SubnetMapping{IPv6Address: s("2001:0DB8:0:A:0:0:0:9")}, true},
		"OtherIPv6":     {"It is another.", v1alpha1.SubnetMapping{IPv6Address: s("2001:db8:0:a::8")}, false},
		"AutoAssigned":  {"Any prefix will do.", v1alpha1.SubnetMapping{SourceNATIPv6Prefix: s("auto_assigned")}, true},
		"Prefix":        {"It is as declared.", v1alpha1.SubnetMapping{SourceNATIPv6Prefix: s("2001:db8:0:a:0::/80")}, true},
		"OtherPrefix":   {"It is another.", v1alpha1.SubnetMapping{SourceNATIPv6Prefix: s("2001:db8:0:a:1::/80")}, false},
		"NewAllocation": {"It has none yet.", v1alpha1.SubnetMapping{AllocationID: s("eipalloc-1")}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.declared.SubnetID = "subnet-a"
			p := &v1alpha1.LoadBalancerParameters{SubnetMappings: []v1alpha1.SubnetMapping{tc.declared}}
			have := haveSubnets(aws, p.SubnetMappings)

			if want := wantSubnets(p, have); want.equal(have) != tc.equal {
				t.Errorf("\n%s\nhave %s, want %s", tc.reason, have, want)
			}
		})
	}
}
