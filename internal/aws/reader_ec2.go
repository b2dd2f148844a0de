package aws

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
)

const (
	// noGroup is what EC2 answers where there is no such security group.
	noGroup = "InvalidGroup.NotFound"
	// ec2Page is EC2's largest.
	ec2Page = 1000
)

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

// readGroups asks for several by a filter, which leaves out those that do not
// exist, and for one by its id, so that AWS itself says that it does not.
func (r *Reader) readGroups(ctx context.Context, ids []string) (map[string]types.SecurityGroup, error) {
	in := &ec2.DescribeSecurityGroupsInput{GroupIds: ids}
	if len(ids) > 1 {
		in = &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{filter("group-id", ids...)}, MaxResults: sdk.Int32(ec2Page)}
	}
	list, err := r.describeGroups(ctx, in)
	return under(list, func(g types.SecurityGroup) *string { return g.GroupId }), err
}

// readGroupName takes a VPC's id and a name. A filter is the only way to ask for
// both, and a complete answer without a group is that there is none.
func (r *Reader) readGroupName(ctx context.Context, key string) (string, error) {
	vpc, name, _ := strings.Cut(key, "/")
	list, err := r.describeGroups(ctx, &ec2.DescribeSecurityGroupsInput{
		Filters: []types.Filter{filter("vpc-id", vpc), filter("group-name", literally(name))}, MaxResults: sdk.Int32(ec2Page),
	})
	if err != nil {
		return "", err
	}
	for _, g := range list {
		if sdk.ToString(g.GroupName) == name && sdk.ToString(g.VpcId) == vpc {
			return sdk.ToString(g.GroupId), nil
		}
	}
	return "", &smithy.GenericAPIError{Code: noGroup, Message: fmt.Sprintf("The security group %q does not exist in VPC %q", name, vpc)}
}

// literally takes the meaning from what is a pattern in a filter.
func literally(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(s)
}

func (r *Reader) describeGroups(ctx context.Context, in *ec2.DescribeSecurityGroupsInput) ([]types.SecurityGroup, error) {
	list, _, err := everything(ctx, ec2.NewDescribeSecurityGroupsPaginator(r.ec2, in),
		func(o *ec2.DescribeSecurityGroupsOutput) []types.SecurityGroup { return o.SecurityGroups })
	return list, err
}

func (r *Reader) readGroupRules(ctx context.Context, ids []string) (map[string][]types.SecurityGroupRule, error) {
	in := &ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{filter("group-id", ids...)}, MaxResults: sdk.Int32(ec2Page)}
	list, _, err := everything(ctx, ec2.NewDescribeSecurityGroupRulesPaginator(r.ec2, in),
		func(o *ec2.DescribeSecurityGroupRulesOutput) []types.SecurityGroupRule { return o.SecurityGroupRules })
	if err != nil {
		return nil, err
	}
	found := map[string][]types.SecurityGroupRule{}
	for _, id := range ids {
		found[id] = nil
	}
	for _, rule := range list {
		id := sdk.ToString(rule.GroupId)
		found[id] = append(found[id], rule)
	}
	return found, nil
}
