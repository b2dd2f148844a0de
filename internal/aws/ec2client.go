package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// ec2Client is EC2 by functions of the SDK's client instead of by the client itself. A
// client that is in an interface brings all of EC2's 700 actions into the program, for
// the linker cannot tell that nobody calls them by reflection: a third of it, of which
// much is in memory.
type ec2Client struct {
	createSecurityGroup    ec2Call[ec2.CreateSecurityGroupInput, ec2.CreateSecurityGroupOutput]
	describeSecurityGroups ec2Call[ec2.DescribeSecurityGroupsInput, ec2.DescribeSecurityGroupsOutput]
	deleteSecurityGroup    ec2Call[ec2.DeleteSecurityGroupInput, ec2.DeleteSecurityGroupOutput]

	authorizeIngress ec2Call[ec2.AuthorizeSecurityGroupIngressInput, ec2.AuthorizeSecurityGroupIngressOutput]
	authorizeEgress  ec2Call[ec2.AuthorizeSecurityGroupEgressInput, ec2.AuthorizeSecurityGroupEgressOutput]
	describeRules    ec2Call[ec2.DescribeSecurityGroupRulesInput, ec2.DescribeSecurityGroupRulesOutput]
	modifyRules      ec2Call[ec2.ModifySecurityGroupRulesInput, ec2.ModifySecurityGroupRulesOutput]
	revokeIngress    ec2Call[ec2.RevokeSecurityGroupIngressInput, ec2.RevokeSecurityGroupIngressOutput]
	revokeEgress     ec2Call[ec2.RevokeSecurityGroupEgressInput, ec2.RevokeSecurityGroupEgressOutput]

	createTags ec2Call[ec2.CreateTagsInput, ec2.CreateTagsOutput]
	deleteTags ec2Call[ec2.DeleteTagsInput, ec2.DeleteTagsOutput]
}

// ec2Call is an action of EC2.
type ec2Call[I, O any] func(context.Context, *I, ...func(*ec2.Options)) (*O, error)

var _ EC2 = &ec2Client{}

func newEC2(o ec2.Options) *ec2Client {
	c := ec2.New(o)
	return &ec2Client{
		createSecurityGroup: c.CreateSecurityGroup, describeSecurityGroups: c.DescribeSecurityGroups, deleteSecurityGroup: c.DeleteSecurityGroup,
		authorizeIngress: c.AuthorizeSecurityGroupIngress, authorizeEgress: c.AuthorizeSecurityGroupEgress,
		describeRules: c.DescribeSecurityGroupRules, modifyRules: c.ModifySecurityGroupRules,
		revokeIngress: c.RevokeSecurityGroupIngress, revokeEgress: c.RevokeSecurityGroupEgress,
		createTags: c.CreateTags, deleteTags: c.DeleteTags,
	}
}

// CreateSecurityGroup is the SDK's.
func (c *ec2Client) CreateSecurityGroup(ctx context.Context, in *ec2.CreateSecurityGroupInput, o ...func(*ec2.Options)) (*ec2.CreateSecurityGroupOutput, error) {
	return c.createSecurityGroup(ctx, in, o...)
}

// DescribeSecurityGroups is the SDK's.
func (c *ec2Client) DescribeSecurityGroups(ctx context.Context, in *ec2.DescribeSecurityGroupsInput, o ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	return c.describeSecurityGroups(ctx, in, o...)
}

// DeleteSecurityGroup is the SDK's.
func (c *ec2Client) DeleteSecurityGroup(ctx context.Context, in *ec2.DeleteSecurityGroupInput, o ...func(*ec2.Options)) (*ec2.DeleteSecurityGroupOutput, error) {
	return c.deleteSecurityGroup(ctx, in, o...)
}

// AuthorizeSecurityGroupIngress is the SDK's.
func (c *ec2Client) AuthorizeSecurityGroupIngress(ctx context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, o ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	return c.authorizeIngress(ctx, in, o...)
}

// AuthorizeSecurityGroupEgress is the SDK's.
func (c *ec2Client) AuthorizeSecurityGroupEgress(ctx context.Context, in *ec2.AuthorizeSecurityGroupEgressInput, o ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupEgressOutput, error) {
	return c.authorizeEgress(ctx, in, o...)
}

// DescribeSecurityGroupRules is the SDK's.
func (c *ec2Client) DescribeSecurityGroupRules(ctx context.Context, in *ec2.DescribeSecurityGroupRulesInput, o ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	return c.describeRules(ctx, in, o...)
}

// ModifySecurityGroupRules is the SDK's.
func (c *ec2Client) ModifySecurityGroupRules(ctx context.Context, in *ec2.ModifySecurityGroupRulesInput, o ...func(*ec2.Options)) (*ec2.ModifySecurityGroupRulesOutput, error) {
	return c.modifyRules(ctx, in, o...)
}

// RevokeSecurityGroupIngress is the SDK's.
func (c *ec2Client) RevokeSecurityGroupIngress(ctx context.Context, in *ec2.RevokeSecurityGroupIngressInput, o ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	return c.revokeIngress(ctx, in, o...)
}

// RevokeSecurityGroupEgress is the SDK's.
func (c *ec2Client) RevokeSecurityGroupEgress(ctx context.Context, in *ec2.RevokeSecurityGroupEgressInput, o ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupEgressOutput, error) {
	return c.revokeEgress(ctx, in, o...)
}

// CreateTags is the SDK's.
func (c *ec2Client) CreateTags(ctx context.Context, in *ec2.CreateTagsInput, o ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	return c.createTags(ctx, in, o...)
}

// DeleteTags is the SDK's.
func (c *ec2Client) DeleteTags(ctx context.Context, in *ec2.DeleteTagsInput, o ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error) {
	return c.deleteTags(ctx, in, o...)
}
