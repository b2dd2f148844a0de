package awssim_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const peeringDoc = "vpc/latest/peering/vpc-peering-security-groups.html"

// abroad is another account.
const abroad = "210987654321"

// abroad makes a security group of another account, in a VPC that is peered with the
// bench's, or not.
func (b *bench) abroad(peered bool) string {
	const id, other = "sg-0fedcba9876543210", "vpc-0bbbbbbbbbbbbbbb0"
	b.sim.SeedSecurityGroup(awssim.SecurityGroupSeed{Account: abroad, Region: region, ID: id, Name: "abroad", VPC: other})
	if peered {
		b.sim.SeedPeering(awssim.Peering{Region: region, Account: abroad, VPC: other, PeerVPC: vpc})
	}
	return id
}

func peerOf(account, group string) permission {
	p := peer(group)
	p.UserIdGroupPairs[0].UserId = &account
	return p
}

// ingressOf is the first rule of a group that lets something in.
func (b *bench) ingressOf(group string) ec2types.SecurityGroupRule {
	b.t.Helper()
	all := b.described(group)
	return all[slices.IndexFunc(all, func(r ec2types.SecurityGroupRule) bool { return !*r.IsEgress })]
}

func TestPeering(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"PeerOfAccount": authorizing("InvalidGroup.NotFound", "A group of another account is named with it.", peeringDoc, func(b *bench) []permission {
			return []permission{peer(b.abroad(true))}
		}),
		"PeerUnpeered": authorizing("InvalidGroup.NotFound", "The VPCs are peered.", peeringDoc, func(b *bench) []permission {
			return []permission{peerOf(abroad, b.abroad(false))}
		}),
		"PeerWithAccount": authorizing("InvalidGroupId.Malformed", "Account and id are two members.", "serverless/serverless#12688",
			func(b *bench) []permission { return []permission{peer(abroad + "/" + b.abroad(true))} }),
		"Peered": {"A group of a peered VPC is shown with its account, VPC and connection.", peeringDoc, func(b *bench) {
			web, other := b.securityGroup("web"), b.abroad(true)
			b.ok(b.authorize(web, peerOf(abroad, other)))
			got := b.ingressOf(web)
			info := got.ReferencedGroupInfo
			diff(b.t, []string{abroad, other, "vpc-0bbbbbbbbbbbbbbb0", "active", awssim.DefaultAccount}, []string{
				*info.UserId, *info.GroupId, *info.VpcId, *info.PeeringStatus, *got.GroupOwnerId,
			})
			b.refused(b.authorize(web, peerOf(abroad, other)), "InvalidPermission.Duplicate")
		}},
		"PeeredChanges": {"The id alone names what the rule refers to already.", "assumed: ModifySecurityGroupRules has no member for the account", func(b *bench) {
			web, other := b.securityGroup("web"), b.abroad(true)
			b.ok(b.authorize(web, peerOf(abroad, other)))
			_, err := b.ec2.ModifySecurityGroupRules(b.ctx, &ec2.ModifySecurityGroupRulesInput{GroupId: &web, SecurityGroupRules: []ec2types.SecurityGroupRuleUpdate{{
				SecurityGroupRuleId: b.ingressOf(web).SecurityGroupRuleId, SecurityGroupRule: &ec2types.SecurityGroupRuleRequest{
					IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), ReferencedGroupId: &other,
				},
			}}})
			b.ok(err)
		}},
		"PeeredStale": {"A group is deleted though a peered VPC refers to it; its account is not told any more.", peeringDoc + "#vpc-peering-stale-groups",
			func(b *bench) {
				const other = "vpc-0bbbbbbbbbbbbbbb0"
				b.sim.SeedPeering(awssim.Peering{Region: region, VPC: vpc, PeerVPC: other})
				b.sim.SeedSecurityGroup(awssim.SecurityGroupSeed{Region: region, ID: "sg-0fedcba9876543210", Name: "other", VPC: other})
				web := b.securityGroup("web")
				b.ok(b.authorize(web, peer("sg-0fedcba9876543210")))
				b.ok(b.deleteSecurityGroup("sg-0fedcba9876543210"))
				info := b.ingressOf(web).ReferencedGroupInfo
				diff(b.t, []string{"sg-0fedcba9876543210", ""}, []string{*info.GroupId, aws.ToString(info.UserId)})
			}},
	})
}
