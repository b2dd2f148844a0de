package awssim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	ec2Doc         = "AWSEC2/latest/APIReference/API_"
	createGroupDoc = ec2Doc + "CreateSecurityGroup.html"
	deleteGroupDoc = ec2Doc + "DeleteSecurityGroup.html"
)

func filter(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: &name, Values: values}
}

// named lists the names of security groups that pass filters.
func (b *bench) named(filters ...ec2types.Filter) []string {
	b.t.Helper()
	out, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{Filters: filters})
	b.ok(err)
	names := []string{}
	for _, g := range out.SecurityGroups {
		names = append(names, *g.GroupName)
	}
	slices.Sort(names)
	return names
}

func (b *bench) deleteSecurityGroup(id string) error {
	_, err := b.ec2.DeleteSecurityGroup(b.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id})
	return err
}

func specified(kind ec2types.ResourceType, pairs ...string) []ec2types.TagSpecification {
	s := ec2types.TagSpecification{ResourceType: kind}
	for i := 0; i < len(pairs); i += 2 {
		s.Tags = append(s.Tags, ec2types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return []ec2types.TagSpecification{s}
}

func TestCreateSecurityGroupRefuses(t *testing.T) {
	t.Parallel()
	type in = ec2.CreateSecurityGroupInput
	creating := func(code, reason string, change func(*in)) rule {
		return rule{reason, createGroupDoc, func(b *bench) {
			b.securityGroup("taken")
			i := &in{GroupName: aws.String("web"), Description: aws.String("test"), VpcId: aws.String(vpc)}
			change(i)
			_, err := b.ec2.CreateSecurityGroup(b.ctx, i)
			b.refused(err, code)
			diff(b.t, []string{"default", "taken"}, b.named())
		}}
	}
	const bad = "InvalidParameterValue"
	run(t, map[string]rule{
		"NameTooLong":   creating(bad, "A name has at most 255 characters.", func(i *in) { i.GroupName = aws.String(strings.Repeat("a", 256)) }),
		"NameCharacter": creating(bad, "A name has certain characters only.", func(i *in) { i.GroupName = aws.String("a^b") }),
		"NameOfID":      creating(bad, "A name must not begin with sg-.", func(i *in) { i.GroupName = aws.String("SG-web") }),
		"NameDefault":   creating("InvalidGroup.Reserved", "The name default is AWS's.", func(i *in) { i.GroupName = aws.String("default") }),
		"NameTaken": creating("InvalidGroup.Duplicate", "A name is unique in its VPC, whatever its case.",
			func(i *in) { i.GroupName = aws.String("TAKEN") }),
		"DescriptionTooLong": creating(bad, "A description has at most 255 characters.", func(i *in) { i.Description = aws.String(strings.Repeat("a", 256)) }),
		"DescriptionCharacter": creating(bad, "A description has certain characters only.",
			func(i *in) { i.Description = aws.String("it's") }),
		"DescriptionEmpty": creating("MissingParameter", "A description is needed.", func(i *in) { i.Description = aws.String("") }),
		"UnknownVPC":       creating("InvalidVpcID.NotFound", "A VPC has to exist.", func(i *in) { i.VpcId = aws.String("vpc-0aaaaaaaaaaaaaaa0") }),
		"NoVPC":            creating("VPCIdNotSpecified", "Without a default VPC one has to be named.", func(i *in) { i.VpcId = nil }),
		"TagsOfOther": creating(bad, "Tags are for a security group.", func(i *in) {
			i.TagSpecifications = specified(ec2types.ResourceTypeInstance, "a", "b")
		}),
		"ReservedTag": creating(bad, "Tag keys must not begin with aws:.", func(i *in) {
			i.TagSpecifications = specified(ec2types.ResourceTypeSecurityGroup, "aws:a", "b")
		}),
		"DryRun": creating("DryRunOperation", "A dry run has no effect.", func(i *in) { i.DryRun = aws.Bool(true) }),
	})
}

func TestSecurityGroupRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"DefaultEgress": {"A new group lets everything out.", "vpc/latest/userguide/security-group-rules.html", func(b *bench) {
			diff(b.t, []string{"egress -1 -1--1 0.0.0.0/0"}, b.rules(b.securityGroup("web")))
		}},
		"DefaultEgressIPv6": {"In a VPC with IPv6 it lets IPv6 out too.", "vpc/latest/userguide/security-group-rules.html", func(b *bench) {
			diff(b.t, []string{"egress -1 -1--1 0.0.0.0/0", "egress -1 -1--1 ::/0"}, b.rules(b.networked().securityGroup("web")))
		}},
		"Create": {"A create returns the id, the ARN and the tags.", createGroupDoc, func(b *bench) {
			out, err := b.ec2.CreateSecurityGroup(b.ctx, &ec2.CreateSecurityGroupInput{
				GroupName: aws.String("web"), Description: aws.String("test"), VpcId: aws.String(vpc),
				TagSpecifications: specified(ec2types.ResourceTypeSecurityGroup, "a", "1"),
			})
			b.ok(err)
			diff(b.t, "arn:aws:ec2:us-east-1:123456789012:security-group/"+*out.GroupId, *out.SecurityGroupArn)
			diff(b.t, "a=1", tagged(out.Tags))
		}},
		"SameNameElsewhere": {"VPCs share no names.", createGroupDoc, func(b *bench) {
			b.securityGroup("web")
			b.sim.SeedVPC(awssim.DefaultAccount, region, "vpc-0aaaaaaaaaaaaaaa0")
			_, err := b.ec2.CreateSecurityGroup(b.ctx, &ec2.CreateSecurityGroupInput{
				GroupName: aws.String("web"), Description: aws.String("test"), VpcId: aws.String("vpc-0aaaaaaaaaaaaaaa0"),
			})
			b.ok(err)
		}},
		"Quota": {"A region has 2,500 groups.", "vpc/latest/userguide/amazon-vpc-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{SecurityGroups: 1}})
			_, err := b.ec2.CreateSecurityGroup(b.ctx, &ec2.CreateSecurityGroupInput{
				GroupName: aws.String("web"), Description: aws.String("test"), VpcId: aws.String(vpc),
			})
			b.refused(err, "SecurityGroupLimitExceeded")
		}},
		"Filters": {"Filters narrow; their values may have wildcards.", ec2Doc + "DescribeSecurityGroups.html", func(b *bench) {
			web, app := b.securityGroup("web/a"), b.securityGroup("app")
			b.ok(b.tag([]string{app}, "team", "edge"))
			b.ok(b.authorize(web, b.cidr("tcp", 80, 80, "10.1.0.0/16")))
			for _, c := range []struct {
				want    []string
				filters []ec2types.Filter
			}{
				{[]string{"app", "default", "web/a"}, nil},
				{[]string{"app"}, []ec2types.Filter{filter("group-name", "app")}},
				{[]string{}, []ec2types.Filter{filter("group-name", "App")}},
				{[]string{"web/a"}, []ec2types.Filter{filter("group-name", "w*a"), filter("vpc-id", vpc)}},
				{[]string{"app", "web/a"}, []ec2types.Filter{filter("group-id", web, app)}},
				{[]string{"app"}, []ec2types.Filter{filter("tag:team", "e?ge")}},
				{[]string{"app"}, []ec2types.Filter{filter("tag-key", "team")}},
				{[]string{"web/a"}, []ec2types.Filter{filter("ip-permission.cidr", "10.1.0.0/16")}},
				{[]string{}, []ec2types.Filter{filter("egress.ip-permission.cidr", "10.1.0.0/16")}},
			} {
				diff(b.t, c.want, b.named(c.filters...))
			}
			_, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{filter("typo", "x")}})
			b.refused(err, "InvalidParameterValue")
		}},
		"Unknown": {"One unknown id fails the whole call.", ec2Doc + "DescribeSecurityGroups.html", func(b *bench) {
			describe := func(ids ...string) error {
				_, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: ids})
				return err
			}
			web := b.securityGroup("web")
			b.ok(describe(web))
			b.refused(describe(web, "sg-0123456789abcdef0"), "InvalidGroup.NotFound")
			b.refused(describe("web"), "InvalidGroupId.Malformed")
			b.refused(b.deleteSecurityGroup("sg-0123456789abcdef0"), "InvalidGroup.NotFound")
		}},
		"Pages": {"A page has 5-1000 groups.", ec2Doc + "DescribeSecurityGroups.html", func(b *bench) {
			for i := range 6 {
				b.securityGroup(fmt.Sprint("g", i))
			}
			var pages []int
			p := ec2.NewDescribeSecurityGroupsPaginator(b.ec2, &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(5)})
			for p.HasMorePages() {
				out, err := p.NextPage(b.ctx)
				b.ok(err)
				pages = append(pages, len(out.SecurityGroups))
			}
			diff(b.t, []int{5, 2}, pages)
			_, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(4)})
			b.refused(err, "InvalidParameterValue")
		}},
		"DeleteDefault": {"The default group of a VPC stays.", deleteGroupDoc, func(b *bench) {
			out, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{filter("group-name", "default")}})
			b.ok(err)
			b.refused(b.deleteSecurityGroup(*out.SecurityGroups[0].GroupId), "CannotDelete")
		}},
		"DeleteReferenced": {"A group that another group's rule refers to stays.", deleteGroupDoc, func(b *bench) {
			web, app := b.securityGroup("web"), b.securityGroup("app")
			b.ok(b.authorize(app, peer(web)))
			b.ok(b.authorize(app, peer(app)))
			b.refused(b.deleteSecurityGroup(web), "DependencyViolation")
			b.ok(b.deleteSecurityGroup(app))
			b.ok(b.deleteSecurityGroup(web))
		}},
		"DeleteUsed": {"A group that an interface has stays.", deleteGroupDoc, func(b *bench) {
			web := b.securityGroup("web")
			release := b.sim.UseSecurityGroup(web)
			b.refused(b.deleteSecurityGroup(web), "DependencyViolation")
			release()
			b.ok(b.deleteSecurityGroup(web))
		}},
		"DeleteLingering": {"Interfaces of a deleted load balancer hold a group for minutes.", "facts/aws.md §1.10, 4", func(b *bench) {
			slow := steady
			slow.InterfaceRemoval = awssim.Span{Min: time.Minute, Max: time.Minute}
			b = newBench(b.t, awssim.Options{Profile: slow}).networked()
			web := b.securityGroup("web")
			lb := b.lb(func(i *createLB) { i.SecurityGroups = []string{web} })
			b.refused(b.deleteSecurityGroup(web), "DependencyViolation")
			b.ok(b.deleteLB(lb))
			b.refused(b.deleteSecurityGroup(web), "DependencyViolation")
			b.clock.Advance(time.Minute)
			b.ok(b.deleteSecurityGroup(web))
		}},
		"DeleteReplaced": {"A group that SetSecurityGroups replaced is free.", ec2Doc + "DeleteSecurityGroup.html", func(b *bench) {
			one, two := b.networked().securityGroup("one"), b.securityGroup("two")
			b.ok(b.setGroups(b.lb(func(i *createLB) { i.SecurityGroups = []string{one} }), two))
			b.ok(b.deleteSecurityGroup(one))
			b.refused(b.deleteSecurityGroup(two), "DependencyViolation")
		}},
		"Fresh": {"A new group, and a new rule, may not be found at first.", "AWSEC2/latest/devguide/eventual-consistency.html", func(b *bench) {
			slow := steady
			slow.SecurityGroupLag = awssim.Span{Min: 2 * time.Second, Max: 2 * time.Second}
			b = newBench(b.t, awssim.Options{Profile: slow})
			web := b.securityGroup("web")
			diff(b.t, []string{"default"}, b.named())
			b.refused(b.authorize(web, b.cidr("tcp", 80, 80, "10.0.0.0/8")), "InvalidGroup.NotFound")
			b.clock.Advance(2 * time.Second)
			b.ok(b.authorize(web, b.cidr("tcp", 80, 80, "10.0.0.0/8")))
			diff(b.t, []string{"egress -1 -1--1 0.0.0.0/0"}, b.rules(web))
			b.refused(b.authorize(web, b.cidr("tcp", 80, 80, "10.0.0.0/8")), "InvalidPermission.Duplicate")
			b.clock.Advance(2 * time.Second)
			diff(b.t, 2, len(b.rules(web)))
		}},
	})
}
