package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func securityGroups() kind {
	type parameters = v1alpha1.SecurityGroupParameters

	const key, value = "stage", "second"

	made := func(t *testing.T, w *world) []types.SecurityGroup {
		t.Helper()

		all, err := w.EC2.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{})
		kindtest.Must(t, err)

		return slices.DeleteFunc(all.SecurityGroups, func(g types.SecurityGroup) bool {
			return *g.GroupName == "default" || strings.HasPrefix(*g.GroupName, seeded)
		})
	}

	return stallAsForeign(kind{
		name: "SecurityGroup", named: true,
		minimal: func(_ *testing.T, w *world, mg resource.Managed) {
			*params[parameters](mg) = parameters{
				Region: kindtest.Region, Name: &w.name, Description: ptr("conformance"), VPCID: ptr(kindtest.VPC),
			}
		},
		more: func(_ *testing.T, _ *world, mg resource.Managed) {
			params[parameters](mg).RevokeDefaultEgress = ptr(true)
		},
		bare: func(mg resource.Managed) { *params[parameters](mg) = parameters{Region: kindtest.Region} },
		change: func(_ *world, mg resource.Managed) {
			params[parameters](mg).Tags = map[string]v1alpha1.TagValue{key: value}
		},
		changed: func(t *testing.T, w *world) bool {
			groups := made(t, w)

			return len(groups) == 1 && slices.ContainsFunc(groups[0].Tags, func(tag types.Tag) bool { return *tag.Key == key && *tag.Value == value })
		},
		drift: func(t *testing.T, w *world) {
			_, err := w.EC2.DeleteTags(t.Context(), &ec2.DeleteTagsInput{
				Resources: []string{*made(t, w)[0].GroupId}, Tags: []types.Tag{{Key: ptr(key)}},
			})
			kindtest.Must(t, err)
		},
		found: func(t *testing.T, w *world) (out []string) {
			for _, g := range made(t, w) {
				out = append(out, *g.GroupId)
			}

			return out
		},
		foreign: func(t *testing.T, w *world, _ resource.Managed) string { return w.makeSecurityGroup(t, w.name) },
		blocked: "DependencyViolation", taken: "InvalidGroup.Duplicate", gone: "InvalidGroup.NotFound", polled: "DescribeSecurityGroups",
		create: "CreateSecurityGroup", modify: "CreateTags", remove: "DeleteSecurityGroup", describe: "DescribeSecurityGroups",
	})
}

func securityGroupRules() kind {
	type parameters = v1alpha1.SecurityGroupRuleParameters

	const description = "second"

	made := func(t *testing.T, w *world) []types.SecurityGroupRule {
		t.Helper()

		all, err := w.EC2.DescribeSecurityGroupRules(t.Context(), &ec2.DescribeSecurityGroupRulesInput{})
		kindtest.Must(t, err)

		// Every group begins with a rule that lets everything out, the VPC's own with
		// one that lets its members in.
		return slices.DeleteFunc(all.SecurityGroupRules, func(r types.SecurityGroupRule) bool { return r.CidrIpv4 == nil || *r.IsEgress })
	}

	return stallAsForeign(kind{
		name: "SecurityGroupRule",
		minimal: func(t *testing.T, w *world, mg resource.Managed) {
			group := w.seedSecurityGroup(t)
			*params[parameters](mg) = parameters{
				Region: kindtest.Region, SecurityGroupID: &group, Direction: ptr("ingress"),
				Protocol: ptr("tcp"), FromPort: ptr(int32(443)), ToPort: ptr(int32(443)), CIDRIPv4: ptr("10.0.0.0/8"),
			}
		},
		bare:   func(mg resource.Managed) { *params[parameters](mg) = parameters{Region: kindtest.Region} },
		refers: "SecurityGroup",
		refer: func(mg resource.Managed, name string) {
			params[parameters](mg).SecurityGroupID, params[parameters](mg).SecurityGroupIDRef = nil, &v1alpha1.Reference{Name: name}
		},
		change: func(_ *world, mg resource.Managed) { params[parameters](mg).Description = ptr(description) },
		changed: func(t *testing.T, w *world) bool {
			rules := made(t, w)

			return len(rules) == 1 && rules[0].Description != nil && *rules[0].Description == description
		},
		drift: func(t *testing.T, w *world) {
			r := made(t, w)[0]
			_, err := w.EC2.ModifySecurityGroupRules(t.Context(), &ec2.ModifySecurityGroupRulesInput{
				GroupId: r.GroupId, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{
					SecurityGroupRuleId: r.SecurityGroupRuleId, SecurityGroupRule: &types.SecurityGroupRuleRequest{
						IpProtocol: r.IpProtocol, FromPort: r.FromPort, ToPort: r.ToPort, CidrIpv4: r.CidrIpv4, Description: ptr("drift"),
					},
				}},
			})
			kindtest.Must(t, err)
		},
		found: func(t *testing.T, w *world) (out []string) {
			for _, r := range made(t, w) {
				out = append(out, *r.SecurityGroupRuleId)
			}

			return out
		},
		foreign: func(t *testing.T, w *world, mg resource.Managed) string {
			p := params[parameters](mg)
			out, err := w.EC2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: p.SecurityGroupID, IpPermissions: []types.IpPermission{{
					IpProtocol: p.Protocol, FromPort: p.FromPort, ToPort: p.ToPort, IpRanges: []types.IpRange{{CidrIp: p.CIDRIPv4}},
				}},
			})
			kindtest.Must(t, err)

			return *out.SecurityGroupRules[0].SecurityGroupRuleId
		},
		taken: "InvalidPermission.Duplicate", gone: "InvalidSecurityGroupRuleId.NotFound", polled: "DescribeSecurityGroupRules",
		create: "AuthorizeSecurityGroupIngress", modify: "ModifySecurityGroupRules", remove: "RevokeSecurityGroupIngress",
		describe: "DescribeSecurityGroupRules",
	})
}
