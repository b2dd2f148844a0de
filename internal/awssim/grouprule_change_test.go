package awssim_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func (b *bench) tag(ids []string, pairs ...string) error {
	in := &ec2.CreateTagsInput{Resources: ids}
	for i := 0; i < len(pairs); i += 2 {
		in.Tags = append(in.Tags, ec2types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	_, err := b.ec2.CreateTags(b.ctx, in)
	return err
}

func TestModifyGroupRuleRules(t *testing.T) {
	t.Parallel()
	const doc, describeDoc = ec2Doc + "ModifySecurityGroupRules.html", ec2Doc + "UpdateSecurityGroupRuleDescriptionsIngress.html"
	type request = ec2types.SecurityGroupRuleRequest
	// ready is a group with one rule that has a description.
	ready := func(b *bench) (group, id string) {
		group = b.securityGroup("web")
		p := b.cidr("tcp", 80, 80, "10.0.0.0/8")
		p.IpRanges[0].Description = aws.String("web")
		b.ok(b.authorize(group, p))
		return group, b.only(group)
	}
	modify := func(b *bench, group, id string, r request) error {
		_, err := b.ec2.ModifySecurityGroupRules(b.ctx, &ec2.ModifySecurityGroupRulesInput{
			GroupId: &group, SecurityGroupRules: []ec2types.SecurityGroupRuleUpdate{{SecurityGroupRuleId: &id, SecurityGroupRule: &r}},
		})
		return err
	}
	tcp := func(port int32, cidr string) request {
		return request{IpProtocol: aws.String("tcp"), FromPort: &port, ToPort: &port, CidrIpv4: &cidr}
	}
	run(t, map[string]rule{
		"Overwrites": {"A rule is overwritten, its description too.", doc, func(b *bench) {
			group, id := ready(b)
			b.ok(modify(b, group, id, tcp(443, "10.1.1.1/16")))
			diff(b.t, []string{"ingress tcp 443-443 10.1.0.0/16"}, b.inbound(group))
			diff(b.t, id, b.only(group))
		}},
		"SourceType": {"The kind of a source stays.", "facts/aws.md §2", func(b *bench) {
			group, id := ready(b)
			b.refused(modify(b, group, id, request{IpProtocol: aws.String("-1"), CidrIpv6: aws.String("::/0")}), "InvalidParameterValue")
		}},
		"TwoSources": {"A rule has one source.", doc, func(b *bench) {
			group, id := ready(b)
			r := tcp(80, "10.0.0.0/8")
			r.CidrIpv6 = aws.String("::/0")
			b.refused(modify(b, group, id, r), "InvalidParameterValue")
		}},
		"Duplicate": {"A rule does not become another.", doc, func(b *bench) {
			group, id := ready(b)
			b.ok(b.authorize(group, b.cidr("tcp", 81, 81, "10.0.0.0/8")))
			b.refused(modify(b, group, id, tcp(81, "10.0.0.0/8")), "InvalidPermission.Duplicate")
		}},
		"OtherGroup": {"A rule is one of the group.", doc, func(b *bench) {
			_, id := ready(b)
			b.refused(modify(b, b.securityGroup("app"), id, tcp(81, "10.0.0.0/8")), "InvalidSecurityGroupRuleId.NotFound")
		}},
		"DescriptionByID": {"Descriptions change by id.", describeDoc, func(b *bench) {
			group, id := ready(b)
			_, err := b.ec2.UpdateSecurityGroupRuleDescriptionsIngress(b.ctx, &ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{
				GroupId: &group, SecurityGroupRuleDescriptions: []ec2types.SecurityGroupRuleDescription{{SecurityGroupRuleId: &id, Description: aws.String("new")}},
			})
			b.ok(err)
			diff(b.t, []string{"ingress tcp 80-80 10.0.0.0/8 new"}, b.inbound(group))
		}},
		"DescriptionByPermission": {"Descriptions change by permission, if the rule exists.", describeDoc, func(b *bench) {
			group, _ := ready(b)
			for cidr, code := range map[string]string{"10.0.0.0/8": "", "10.0.0.0/9": "InvalidPermission.NotFound"} {
				p := b.cidr("tcp", 80, 80, cidr)
				p.IpRanges[0].Description = aws.String("new")
				_, err := b.ec2.UpdateSecurityGroupRuleDescriptionsIngress(b.ctx, &ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{
					GroupId: &group, IpPermissions: []permission{p},
				})
				if code == "" {
					b.ok(err)
					continue
				}
				b.refused(err, code)
			}
			diff(b.t, []string{"ingress tcp 80-80 10.0.0.0/8 new"}, b.inbound(group))
		}},
	})
}

func TestEC2TagRules(t *testing.T) {
	t.Parallel()
	const doc, deleteDoc = ec2Doc + "CreateTags.html", ec2Doc + "DeleteTags.html"
	list := func(b *bench, filters ...ec2types.Filter) []string {
		out, err := b.ec2.DescribeTags(b.ctx, &ec2.DescribeTagsInput{Filters: filters})
		b.ok(err)
		lines := []string{}
		for _, t := range out.Tags {
			lines = append(lines, fmt.Sprint(t.ResourceType, " ", *t.Key, "=", *t.Value))
		}
		return lines
	}
	run(t, map[string]rule{
		"Both": {"Groups and rules have tags; a key is overwritten.", doc, func(b *bench) {
			web := b.securityGroup("web")
			b.ok(b.tag([]string{web, *b.described(web)[0].SecurityGroupRuleId}, "a", "1"))
			b.ok(b.tag([]string{web, *b.described(web)[0].SecurityGroupRuleId}, "a", "2", "b", ""))
			diff(b.t, []string{"security-group a=2", "security-group b=", "security-group-rule a=2", "security-group-rule b="}, list(b))
			diff(b.t, []string{"security-group a=2"}, list(b, filter("resource-type", "security-group"), filter("key", "a")))
			diff(b.t, 2, len(list(b, filter("tag:a", "2"))))
			diff(b.t, "a=2,b=", tagged(b.described(web)[0].Tags))
		}},
		"Unknown": {"One unknown resource fails the whole call.", doc, func(b *bench) {
			web := b.securityGroup("web")
			b.refused(b.tag([]string{web, "sg-0123456789abcdef0"}, "a", "1"), "InvalidGroup.NotFound")
			b.refused(b.tag([]string{web, "sgr-0123456789abcdef0"}, "a", "1"), "InvalidSecurityGroupRuleId.NotFound")
			b.refused(b.tag([]string{web, "web"}, "a", "1"), "InvalidID")
			diff(b.t, []string{}, list(b))
		}},
		"Reserved": {"Tag keys must not begin with aws:.", doc, func(b *bench) {
			b.refused(b.tag([]string{b.securityGroup("web")}, "aws:a", "1"), "InvalidParameterValue")
		}},
		"Twice": {"A call has a key once.", doc, func(b *bench) {
			b.refused(b.tag([]string{b.securityGroup("web")}, "a", "1", "a", "2"), "InvalidParameterValue")
		}},
		"Fifty": {"A resource has at most 50 tags.", doc, func(b *bench) {
			var many []string
			for i := range 51 {
				many = append(many, fmt.Sprint("k", i), "x")
			}
			b.refused(b.tag([]string{b.securityGroup("web")}, many...), "TagLimitExceeded")
		}},
		"Delete": {"A tag is deleted by key, or by key and value; all are without tags.", deleteDoc, func(b *bench) {
			web := b.securityGroup("web")
			b.ok(b.tag([]string{web}, "a", "1", "b", "2", "c", "3"))
			remove := func(tags ...ec2types.Tag) {
				_, err := b.ec2.DeleteTags(b.ctx, &ec2.DeleteTagsInput{Resources: []string{web}, Tags: tags})
				b.ok(err)
			}
			remove(ec2types.Tag{Key: aws.String("a")}, ec2types.Tag{Key: aws.String("b"), Value: aws.String("3")})
			diff(b.t, []string{"security-group b=2", "security-group c=3"}, list(b))
			remove()
			diff(b.t, []string{}, list(b))
		}},
	})
}

func TestEC2TokenBuckets(t *testing.T) {
	t.Parallel()
	const doc = "AWSEC2/latest/devguide/ec2-api-throttling.html"
	throttling := func(want, again int, call func(b *bench) error) rule {
		return rule{"Each action has a bucket of its own, by its kind.", doc, func(b *bench) {
			b = newBench(b.t, awssim.Options{TokenBuckets: true})
			spend := func() int {
				for n := range 1000 {
					if err := call(b); err != nil {
						b.refused(err, "RequestLimitExceeded")
						return n
					}
				}
				b.t.Fatal("never throttled")
				return 0
			}
			diff(b.t, want, spend())
			b.clock.Advance(time.Second)
			diff(b.t, again, spend())
			// Another action has its own.
			b.securityGroup("fresh")
		}}
	}
	describe := func(filters ...ec2types.Filter) func(b *bench) error {
		return func(b *bench) error {
			_, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{Filters: filters})
			return err
		}
	}
	run(t, map[string]rule{
		"Filtered":   throttling(100, 20, describe(filter("vpc-id", vpc))),
		"Unfiltered": throttling(50, 10, describe()),
		"Mutating": throttling(50, 5, func(b *bench) error {
			_, err := b.ec2.DeleteSecurityGroup(b.ctx, &ec2.DeleteSecurityGroupInput{GroupId: aws.String("sg-0123456789abcdef0"), DryRun: aws.Bool(true)})
			return permitted(err)
		}),
		"Tagging": throttling(100, 10, func(b *bench) error {
			_, err := b.ec2.CreateTags(b.ctx, &ec2.CreateTagsInput{
				Resources: []string{"sg-0123456789abcdef0"}, Tags: []ec2types.Tag{{Key: aws.String("a")}}, DryRun: aws.Bool(true),
			})
			return permitted(err)
		}),
	})
}

// permitted forgets that a call was a dry run.
func permitted(err error) error {
	var refusal smithy.APIError
	if errors.As(err, &refusal) && refusal.ErrorCode() == "DryRunOperation" {
		return nil
	}
	return err
}
