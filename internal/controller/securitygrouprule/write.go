package securitygrouprule

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// AWS has its own calls for each direction.

// authorize makes the rule, with its tags.
func (e *external) authorize(ctx context.Context, want state) (id string, err error) {
	var (
		made        []types.SecurityGroupRule
		permissions = []types.IpPermission{permission(want, e.sourceAccount)}
		tags        = []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroupRule, Tags: sdkTags(e.tags)}}
	)

	if want.content.egress {
		in := &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &e.groupID, IpPermissions: permissions, TagSpecifications: tags}
		if out, failed := e.ec2.AuthorizeSecurityGroupEgress(ctx, in); failed != nil {
			err = failed
		} else {
			made = out.SecurityGroupRules
		}
	} else {
		in := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &e.groupID, IpPermissions: permissions, TagSpecifications: tags}
		if out, failed := e.ec2.AuthorizeSecurityGroupIngress(ctx, in); failed != nil {
			err = failed
		} else {
			made = out.SecurityGroupRules
		}
	}

	if err == nil && len(made) != 1 {
		err = fmt.Errorf("AWS answered with %d rules", len(made))
	}

	if err != nil {
		return "", err
	}

	return newRule(made[0]).id(), nil
}

// revoke a rule.
func (e *external) revoke(ctx context.Context, r *rule) error {
	ids := []string{r.id()}

	if r.content.egress {
		_, err := e.ec2.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &e.groupID, SecurityGroupRuleIds: ids})

		return err
	}

	_, err := e.ec2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &e.groupID, SecurityGroupRuleIds: ids})

	return err
}
