package securitygrouprule_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// A security group of another account is declared as AWS's guides write it, and named
// to AWS by two members. What AWS shows is the same form, so that it can be copied.
func TestGroupOfAnotherAccount(t *testing.T) {
	const account, group, vpc = "210987654321", "sg-0fedcba9876543210", "vpc-0b"

	bothScopes(t, func(t *testing.T, e *env) {
		e.Sim.SeedSecurityGroup(awssim.SecurityGroupSeed{Account: account, Region: kindtest.Region, ID: group, Name: "other", VPC: vpc})
		e.Sim.SeedPeering(awssim.Peering{Region: kindtest.Region, Account: account, VPC: vpc, PeerVPC: kindtest.VPC})

		r := e.rule(t, "peer", with(func(p *params) { p.CIDRIPv4, p.ReferencedSecurityGroupID = nil, ptr(account+"/"+group) }))
		e.UntilApplied(t, r)

		if got, want := r.ObservedState().AtProvider.Source, account+"/"+group; got != want {
			t.Errorf("status shows %q, want %q", got, want)
		}

		info := e.sdk(t).ReferencedGroupInfo
		if diff := cmp.Diff([]string{account, group}, []string{*info.UserId, *info.GroupId}); diff != "" {
			t.Errorf("AWS has, -want, +got:\n%s", diff)
		}

		e.repaired(t, r, modified("toPort", func(r *types.SecurityGroupRuleRequest) { r.ToPort = ptr(int32(444)) }))
		e.Sim.Reset()
		e.Change(t, r, func() { r.ForProvider().Description = ptr("peers") })
		e.UntilApplied(t, r)

		if diff := cmp.Diff([]string{"ModifySecurityGroupRules"}, e.Writes()); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}

		// The same group without its account is no difference: its id says all.
		e.Sim.Reset()
		e.Change(t, r, func() { r.ForProvider().ReferencedSecurityGroupID = ptr(group) })
		e.UntilApplied(t, r)

		if got := e.Writes(); len(got) > 0 {
			t.Errorf("AWS got %v", got)
		}

		kindtest.Must(t, e.Client.Delete(t.Context(), r))
		e.UntilGone(t, r)

		if got := e.rules(t, e.groupID); len(got) > 0 {
			t.Errorf("AWS still has %v", got)
		}
	})
}
