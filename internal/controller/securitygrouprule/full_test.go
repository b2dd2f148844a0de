package securitygrouprule_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// A group has room for 60 rules of a direction and an address family. One more is told
// by AWS's own code, waits for room, and is made when there is some.
func TestRuleOfAFullGroupIsToldAndHeals(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		var ranges []types.IpRange
		for i := range 60 {
			ranges = append(ranges, types.IpRange{CidrIp: ptr(fmt.Sprintf("192.0.2.%d/32", i))})
		}

		others := []types.IpPermission{{IpProtocol: ptr("tcp"), FromPort: ptr(int32(22)), ToPort: ptr(int32(22)), IpRanges: ranges}}
		_, err := e.EC2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &e.groupID, IpPermissions: others})
		kindtest.Must(t, err)

		r := e.rule(t, "https")
		e.Until(t, r, "told", func() bool {
			return strings.Contains(r.GetCondition(xpv2.TypeSynced).Message, "RulesPerSecurityGroupLimitExceeded")
		})

		if kindtest.Is(r, controller.TypeStalled, "True") || kindtest.Is(r, xpv2.TypeReady, "True") {
			t.Errorf("room may be made: it is not stalled, and not ready: %+v", r.ObservedState().Conditions)
		}

		// An address of the other family has its own room.
		e.UntilApplied(t, e.rule(t, "https-ipv6", with(func(p *params) { p.CIDRIPv4, p.CIDRIPv6 = nil, ptr("2001:db8::/32") })))

		others[0].IpRanges = ranges[:1]
		_, err = e.EC2.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &e.groupID, IpPermissions: others})
		kindtest.Must(t, err)
		e.UntilApplied(t, r)
	})
}
