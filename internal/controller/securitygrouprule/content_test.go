package securitygrouprule

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

func p[T any](v T) *T { return &v }

func TestContentHasOneForm(t *testing.T) {
	type params = v1alpha1.SecurityGroupRuleParameters

	cases := map[string]struct {
		reason   string
		declared params
		aws      types.SecurityGroupRule
	}{
		"HostBits": {
			"AWS clears them.",
			params{Protocol: p("tcp"), FromPort: p(int32(80)), ToPort: p(int32(81)), CIDRIPv4: p("10.1.2.3/8")},
			types.SecurityGroupRule{IpProtocol: p("tcp"), FromPort: p(int32(80)), ToPort: p(int32(81)), CidrIpv4: p("10.0.0.0/8")},
		},
		"IPv6": {
			"AWS shortens it and clears host bits.",
			params{Protocol: p("udp"), FromPort: p(int32(53)), ToPort: p(int32(53)), CIDRIPv6: p("2001:0DB8::0001/64")},
			types.SecurityGroupRule{IpProtocol: p("udp"), FromPort: p(int32(53)), ToPort: p(int32(53)), CidrIpv6: p("2001:db8::/64")},
		},
		"Number": {
			"AWS gives the name.",
			params{Protocol: p("6"), FromPort: p(int32(1)), ToPort: p(int32(2)), PrefixListID: p("pl-1")},
			types.SecurityGroupRule{IpProtocol: p("tcp"), FromPort: p(int32(1)), ToPort: p(int32(2)), PrefixListId: p("pl-1")},
		},
		"ZerosInFront": {
			"It is a number.",
			params{Protocol: p("017"), FromPort: p(int32(1)), ToPort: p(int32(2)), PrefixListID: p("pl-1")},
			types.SecurityGroupRule{IpProtocol: p("udp"), FromPort: p(int32(1)), ToPort: p(int32(2)), PrefixListId: p("pl-1")},
		},
		"ICMP": {
			"Without a type all are meant.",
			params{Protocol: p("58"), CIDRIPv6: p("::/0")},
			types.SecurityGroupRule{IpProtocol: p("icmpv6"), FromPort: p(int32(-1)), ToPort: p(int32(-1)), CidrIpv6: p("::/0")},
		},
		"All": {
			"AWS says -1 or nothing.",
			params{Protocol: p("-1"), CIDRIPv4: p("0.0.0.0/0")},
			types.SecurityGroupRule{IpProtocol: p("-1"), CidrIpv4: p("0.0.0.0/0")},
		},
		"OtherProtocol": {
			"It has no ports, whatever AWS says.",
			params{Protocol: p("47"), CIDRIPv4: p("0.0.0.0/0")},
			types.SecurityGroupRule{IpProtocol: p("47"), FromPort: p(int32(0)), ToPort: p(int32(0)), CidrIpv4: p("0.0.0.0/0")},
		},
		"Egress": {
			"The direction is part of it.",
			params{Direction: p("egress"), Protocol: p("-1"), CIDRIPv4: p("0.0.0.0/0")},
			types.SecurityGroupRule{IsEgress: p(true), IpProtocol: p("-1"), CidrIpv4: p("0.0.0.0/0")},
		},
		"Group": {
			"AWS adds the account.",
			params{Protocol: p("-1"), ReferencedSecurityGroupIDRef: &v1alpha1.Reference{Name: "a"}},
			types.SecurityGroupRule{IpProtocol: p("-1"), ReferencedGroupInfo: &types.ReferencedSecurityGroup{GroupId: p("sg-1"), UserId: p("1")}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			id := ""
			if tc.aws.ReferencedGroupInfo != nil {
				id = "sg-1"
			}

			got, err := content{}.declare(&tc.declared, id)
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(contentOf(tc.aws), got, cmp.AllowUnexported(content{}, source{})); diff != "" {
				t.Errorf("\n%s\n-AWS's, +declared:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestWrongRangeIsStalled(t *testing.T) {
	cases := map[string]v1alpha1.SecurityGroupRuleParameters{
		"spec.forProvider.cidrIpv4": {CIDRIPv4: p("10.0.0.300/8")},
		"spec.forProvider.cidrIpv6": {CIDRIPv6: p("10.0.0.0/8")},
	}
	for field, params := range cases {
		_, err := content{}.declare(&params, "")
		if err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("the error must name %s: %v", field, err)
		}
	}
}
