package awssim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	authorizeDoc = ec2Doc + "AuthorizeSecurityGroupIngress.html"
	revokeDoc    = ec2Doc + "RevokeSecurityGroupIngress.html"
	permitDoc    = ec2Doc + "IpPermission.html"
	prefixList   = "pl-0123456789abcdef0"
)

type permission = ec2types.IpPermission

func (*bench) cidr(protocol string, from, to int32, cidr string) permission {
	return permission{IpProtocol: &protocol, FromPort: &from, ToPort: &to, IpRanges: []ec2types.IpRange{{CidrIp: &cidr}}}
}

func peer(group string) permission {
	return permission{IpProtocol: aws.String("-1"), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &group}}}
}

func (b *bench) authorize(group string, permissions ...permission) error {
	_, err := b.ec2.AuthorizeSecurityGroupIngress(b.ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: permissions})
	return err
}

func tagged(tags []ec2types.Tag) string {
	var out []string
	for _, t := range tags {
		out = append(out, *t.Key+"="+*t.Value)
	}
	return strings.Join(out, ",")
}

func (b *bench) described(group string) []ec2types.SecurityGroupRule {
	b.t.Helper()
	out, err := b.ec2.DescribeSecurityGroupRules(b.ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{filter("group-id", group)}})
	b.ok(err)
	return out.SecurityGroupRules
}

// rules lists the rules of a group: "direction protocol from-to source description".
func (b *bench) rules(group string) []string {
	b.t.Helper()
	out := []string{}
	for _, r := range b.described(group) {
		direction, source := "ingress", aws.ToString(r.CidrIpv4)+aws.ToString(r.CidrIpv6)+aws.ToString(r.PrefixListId)
		if *r.IsEgress {
			direction = "egress"
		}
		if r.ReferencedGroupInfo != nil {
			source = *r.ReferencedGroupInfo.GroupId
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %d-%d %s %s", direction, *r.IpProtocol, *r.FromPort, *r.ToPort, source, aws.ToString(r.Description))))
	}
	slices.Sort(out)
	return out
}

// inbound is rules without the one that AWS makes.
func (b *bench) inbound(group string) []string {
	b.t.Helper()
	return slices.DeleteFunc(b.rules(group), func(r string) bool { return strings.HasPrefix(r, "egress") })
}

// only is the id of a group's only inbound rule.
func (b *bench) only(group string) string {
	b.t.Helper()
	for _, r := range b.described(group) {
		if !*r.IsEgress {
			return *r.SecurityGroupRuleId
		}
	}
	b.t.Fatal("no inbound rule")
	return ""
}

// authorizing is a rule that permissions are refused, and the group stays as it was.
func authorizing(code, reason, source string, p func(b *bench) []permission) rule {
	return rule{reason, source, func(b *bench) {
		web := b.securityGroup("web")
		b.ok(b.authorize(web, b.cidr("tcp", 80, 80, "10.0.0.0/8")))
		b.refused(b.authorize(web, p(b)...), code)
		diff(b.t, []string{"ingress tcp 80-80 10.0.0.0/8"}, b.inbound(web))
	}}
}

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	one := func(protocol string, from, to int32, cidr string) func(b *bench) []permission {
		return func(b *bench) []permission { return []permission{b.cidr(protocol, from, to, cidr)} }
	}
	const bad = "InvalidParameterValue"
	run(t, map[string]rule{
		"UnknownProtocol": authorizing(bad, "A protocol is a name or a number.", permitDoc, one("sctp", 1, 1, "10.0.0.0/8")),
		"Protocol256":     authorizing(bad, "A protocol's number is at most 255.", permitDoc, one("256", 1, 1, "10.0.0.0/8")),
		"PortTooLarge":    authorizing(bad, "A port is at most 65535.", permitDoc, one("tcp", 1, 65536, "10.0.0.0/8")),
		"PortsReversed":   authorizing(bad, "A range begins before it ends.", permitDoc, one("tcp", 81, 80, "10.0.0.0/8")),
		"AllPortsOfTCP":   authorizing(bad, "All ports of TCP are 0-65535.", permitDoc, one("tcp", -1, -1, "10.0.0.0/8")),
		"NoPorts": authorizing(bad, "TCP needs ports.", permitDoc, func(*bench) []permission {
			return []permission{{IpProtocol: aws.String("tcp"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("10.0.0.0/8")}}}}
		}),
		"ICMPCode":      authorizing(bad, "All types of ICMP have all codes.", permitDoc, one("icmp", -1, 3, "10.0.0.0/8")),
		"CIDRMalformed": authorizing(bad, "A CIDR has a prefix length.", authorizeDoc, one("tcp", 1, 1, "10.0.0.0")),
		"CIDROfIPv6":    authorizing(bad, "An IPv4 range is one of IPv4.", authorizeDoc, one("tcp", 1, 1, "2001:db8::/32")),
		"NoSource": authorizing("MissingParameter", "A rule has a source.", authorizeDoc, func(*bench) []permission {
			return []permission{{IpProtocol: aws.String("-1")}}
		}),
		"Duplicate": authorizing("InvalidPermission.Duplicate", "A rule that exists is refused, and the whole call.", "galaxyproject/cloudlaunch#56",
			func(b *bench) []permission {
				return []permission{b.cidr("tcp", 81, 81, "10.0.0.0/8"), b.cidr("6", 80, 80, "10.1.2.3/8")}
			}),
		"DuplicateDescribed": authorizing("InvalidPermission.Duplicate", "A description makes no other rule.", authorizeDoc, func(b *bench) []permission {
			p := b.cidr("tcp", 80, 80, "10.0.0.0/8")
			p.IpRanges[0].Description = aws.String("other")
			return []permission{p}
		}),
		"Twice": authorizing(bad, "A call has a rule once.", "hashicorp/terraform-provider-aws#2587", func(b *bench) []permission {
			return []permission{b.cidr("tcp", 81, 81, "10.0.0.0/8"), b.cidr("tcp", 81, 81, "10.9.0.0/8")}
		}),
		"Description": authorizing(bad, "A description has certain characters only.", ec2Doc+"IpRange.html", func(b *bench) []permission {
			p := b.cidr("tcp", 81, 81, "10.0.0.0/8")
			p.IpRanges[0].Description = aws.String("it's")
			return []permission{p}
		}),
		"UnknownPeer": authorizing("InvalidGroup.NotFound", "A group that is referred to exists.", authorizeDoc, func(*bench) []permission {
			return []permission{peer("sg-0123456789abcdef0")}
		}),
		"PeerElsewhere": authorizing("InvalidGroup.NotFound", "A group that is referred to is in the same VPC.", "hashicorp/terraform-provider-aws#1671",
			func(b *bench) []permission {
				b.sim.SeedVPC(awssim.DefaultAccount, region, "vpc-0aaaaaaaaaaaaaaa0")
				out, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{filter("vpc-id", "vpc-0aaaaaaaaaaaaaaa0")}})
				b.ok(err)
				return []permission{peer(*out.SecurityGroups[0].GroupId)}
			}),
		"UnknownPrefixList": authorizing("InvalidPrefixListID.NotFound", "A prefix list exists.", authorizeDoc, func(*bench) []permission {
			return []permission{{IpProtocol: aws.String("-1"), PrefixListIds: []ec2types.PrefixListId{{PrefixListId: aws.String(prefixList)}}}}
		}),
		"Quota": authorizing("RulesPerSecurityGroupLimitExceeded", "60 inbound rules per address family.", "vpc/latest/userguide/amazon-vpc-limits.html",
			func(b *bench) []permission {
				var out []permission
				for i := range int32(60) {
					out = append(out, b.cidr("tcp", 100+i, 100+i, "10.0.0.0/8"))
				}
				return out
			}),
		"QuotaOfPrefixList": authorizing("RulesPerSecurityGroupLimitExceeded", "A prefix list weighs its greatest number of entries.",
			"vpc/latest/userguide/amazon-vpc-limits.html", func(b *bench) []permission {
				b.sim.SeedPrefixList(awssim.DefaultAccount, region, prefixList, 60)
				return []permission{{IpProtocol: aws.String("-1"), PrefixListIds: []ec2types.PrefixListId{{PrefixListId: aws.String(prefixList)}}}}
			}),
	})
}

func TestGroupRuleRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"Canonical": {"Protocols and ranges come back in canonical form.", authorizeDoc, func(b *bench) {
			web := b.securityGroup("web")
			b.ok(b.authorize(web, b.cidr("6", 80, 80, "100.68.0.18/18"), b.cidr("17", 53, 53, "10.0.0.0/8"),
				b.cidr("1", -1, -1, "10.0.0.0/8"), b.cidr("50", 5, 5, "10.0.0.0/8")))
			diff(b.t, []string{
				"ingress 50 -1--1 10.0.0.0/8", "ingress icmp -1--1 10.0.0.0/8", "ingress tcp 80-80 100.68.0.0/18", "ingress udp 53-53 10.0.0.0/8",
			}, b.inbound(web))
		}},
		"OlderForm": {"DescribeSecurityGroups groups rules, and has no ports where all are meant.", permitDoc, func(b *bench) {
			web := b.securityGroup("web")
			b.ok(b.authorize(web, b.cidr("tcp", 80, 80, "10.0.0.0/8"), b.cidr("tcp", 80, 80, "192.168.0.0/16"), peer(web)))
			out, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{web}})
			b.ok(err)
			g := out.SecurityGroups[0]
			diff(b.t, []int{2, 2, 1}, []int{len(g.IpPermissions), len(g.IpPermissions[0].IpRanges), len(g.IpPermissionsEgress)})
			diff(b.t, []*int32{nil, nil}, []*int32{g.IpPermissions[1].FromPort, g.IpPermissions[1].ToPort})
			diff(b.t, awssim.DefaultAccount, *g.IpPermissions[1].UserIdGroupPairs[0].UserId)
		}},
		"Created": {"Authorizing returns the rules, with ids, ARNs and tags.", authorizeDoc, func(b *bench) {
			web := b.securityGroup("web")
			out, err := b.ec2.AuthorizeSecurityGroupEgress(b.ctx, &ec2.AuthorizeSecurityGroupEgressInput{
				GroupId: &web, IpPermissions: []permission{b.cidr("tcp", 80, 80, "10.0.0.0/8")},
				TagSpecifications: specified(ec2types.ResourceTypeSecurityGroupRule, "a", "1"),
			})
			b.ok(err)
			r := out.SecurityGroupRules[0]
			diff(b.t, "arn:aws:ec2:us-east-1:123456789012:security-group-rule/"+*r.SecurityGroupRuleId, *r.SecurityGroupRuleArn)
			diff(b.t, []any{true, "a=1", awssim.DefaultAccount}, []any{*r.IsEgress, tagged(r.Tags), *r.GroupOwnerId})
		}},
		"Directions": {"The same rule in both directions is two rules.", authorizeDoc, func(b *bench) {
			web, everywhere := b.securityGroup("web"), b.cidr("-1", 0, 0, "0.0.0.0/0")
			b.ok(b.authorize(web, everywhere))
			_, err := b.ec2.AuthorizeSecurityGroupEgress(b.ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &web, IpPermissions: []permission{everywhere}})
			b.refused(err, "InvalidPermission.Duplicate")
		}},
		"RevokeByID": {"A rule is revoked by id, and is not found then.", revokeDoc, func(b *bench) {
			web := b.securityGroup("web")
			b.ok(b.authorize(web, b.cidr("tcp", 80, 80, "10.0.0.0/8")))
			id := b.only(web)
			in := &ec2.RevokeSecurityGroupIngressInput{GroupId: &web, SecurityGroupRuleIds: []string{id}}
			out, err := b.ec2.RevokeSecurityGroupIngress(b.ctx, in)
			b.ok(err)
			diff(b.t, []string{id, "10.0.0.0/8"}, []string{*out.RevokedSecurityGroupRules[0].SecurityGroupRuleId, *out.RevokedSecurityGroupRules[0].CidrIpv4})
			_, err = b.ec2.RevokeSecurityGroupIngress(b.ctx, in)
			b.refused(err, "InvalidSecurityGroupRuleId.NotFound")
			_, err = b.ec2.DescribeSecurityGroupRules(b.ctx, &ec2.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{id}})
			b.refused(err, "InvalidSecurityGroupRuleId.NotFound")
		}},
		"RevokeDefaultEgress": {"The rule that AWS made can be revoked as any other.", revokeDoc, func(b *bench) {
			web := b.securityGroup("web")
			in := &ec2.RevokeSecurityGroupEgressInput{GroupId: &web, IpPermissions: []permission{
				{IpProtocol: aws.String("-1"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}},
			}}
			_, err := b.ec2.RevokeSecurityGroupEgress(b.ctx, in)
			b.ok(err)
			diff(b.t, []string{}, b.rules(web))
			_, err = b.ec2.RevokeSecurityGroupEgress(b.ctx, in)
			b.refused(err, "InvalidPermission.NotFound")
		}},
		"RevokeOtherDirection": {"A rule is revoked in its own direction and group.", revokeDoc, func(b *bench) {
			web, app := b.securityGroup("web"), b.securityGroup("app")
			b.ok(b.authorize(web, b.cidr("tcp", 80, 80, "10.0.0.0/8")))
			id := b.only(web)
			_, err := b.ec2.RevokeSecurityGroupEgress(b.ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &web, SecurityGroupRuleIds: []string{id}})
			b.refused(err, "InvalidSecurityGroupRuleId.NotFound")
			_, err = b.ec2.RevokeSecurityGroupIngress(b.ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &app, SecurityGroupRuleIds: []string{id}})
			b.refused(err, "InvalidSecurityGroupRuleId.NotFound")
		}},
		"Pages": {"Rules come in pages of 5-1000.", ec2Doc + "DescribeSecurityGroupRules.html", func(b *bench) {
			web := b.securityGroup("web")
			for port := range int32(6) {
				b.ok(b.authorize(web, b.cidr("tcp", port, port, "10.0.0.0/8")))
			}
			var pages []int
			p := ec2.NewDescribeSecurityGroupRulesPaginator(b.ec2, &ec2.DescribeSecurityGroupRulesInput{
				MaxResults: aws.Int32(5), Filters: []ec2types.Filter{filter("group-id", web)},
			})
			for p.HasMorePages() {
				out, err := p.NextPage(b.ctx)
				b.ok(err)
				pages = append(pages, len(out.SecurityGroupRules))
			}
			diff(b.t, []int{5, 2}, pages)
		}},
		"TopLevel": {"One rule can be given without a list.", authorizeDoc, func(b *bench) {
			web := b.securityGroup("web")
			_, err := b.ec2.AuthorizeSecurityGroupIngress(b.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &web, IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), CidrIp: aws.String("10.0.0.0/8"),
			})
			b.ok(err)
			diff(b.t, []string{"ingress tcp 80-80 10.0.0.0/8"}, b.inbound(web))
		}},
		"ByName": {"Groups of a VPC are not named by name.", ec2Doc + "AuthorizeSecurityGroupIngress.html", func(b *bench) {
			b.securityGroup("web")
			_, err := b.ec2.AuthorizeSecurityGroupIngress(b.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupName: aws.String("web"), IpPermissions: []permission{b.cidr("tcp", 80, 80, "10.0.0.0/8")},
			})
			b.refused(err, "InvalidParameterValue")
		}},
	})
}
