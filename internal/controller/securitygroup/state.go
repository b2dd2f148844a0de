package securitygroup

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A state is what is compared. Nothing of it can be changed in AWS.
type state struct{ name, description, vpcID string }

// have is the state in AWS.
func have(g types.SecurityGroup) state {
	return state{name: str(g.GroupName), description: str(g.Description), vpcID: str(g.VpcId)}
}

// want is the state that is declared. What is not declared is as it is.
func want(p *v1alpha1.SecurityGroupParameters, s state) state {
	set(&s.name, p.Name)
	set(&s.description, p.Description)
	set(&s.vpcID, p.VPCID)

	return s
}

func set[T any](to, declared *T) {
	if declared != nil {
		*to = *declared
	}
}

// A difference is a field that is not as declared.
type difference struct{ field, have, want string }

// A change is what makes a group what it should be.
type change struct {
	// impossible: AWS cannot change these fields.
	impossible []difference
	// revoke the default egress rule.
	revoke bool
	tags   controller.TagChange
}

// plan decides what to change, but for tags and the default egress rule.
func plan(want, have state) change {
	var c change

	for _, d := range []difference{
		{"name", have.name, want.name},
		{"description", have.description, want.description},
		{"vpcId", have.vpcID, want.vpcID},
	} {
		if d.have != d.want {
			c.impossible = append(c.impossible, d)
		}
	}

	return c
}

func (c change) none() bool { return len(c.impossible) == 0 && !c.revoke && c.tags.None() }

// String says what differs, in a fixed order.
func (c change) String() string {
	var parts []string
	for _, d := range c.impossible {
		parts = append(parts, fmt.Sprintf("%s: %q → %q", d.field, d.have, d.want))
	}

	if c.revoke {
		parts = append(parts, "default egress rule revoked")
	}

	for _, k := range slices.Sorted(maps.Keys(c.tags.Set)) {
		parts = append(parts, fmt.Sprintf("tags[%s] → %q", k, c.tags.Set[k]))
	}

	for _, k := range c.tags.Remove {
		parts = append(parts, fmt.Sprintf("tags[%s] removed", k))
	}

	return strings.Join(parts, ", ")
}

// stalled says which field cannot be what it is declared to be.
func (c change) stalled(g *group) error {
	d := c.impossible[0]

	return controller.Stalled{Reason: controller.ReasonImmutable, Message: fmt.Sprintf(
		"spec.forProvider.%s is %q, but %s has %q and AWS cannot change it: set it to that, or create a new SecurityGroup",
		d.field, d.want, g, d.have)}
}

func createInput(name string, p *v1alpha1.SecurityGroupParameters, tags map[string]string) *ec2.CreateSecurityGroupInput {
	return &ec2.CreateSecurityGroupInput{
		GroupName:         &name,
		Description:       p.Description,
		VpcId:             p.VPCID,
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroup, Tags: sdkTags(tags)}},
	}
}

func sdkTags(tags map[string]string) []types.Tag {
	out := make([]types.Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		v := tags[k]
		out = append(out, types.Tag{Key: &k, Value: &v})
	}

	return out
}

// sdkKeys are tags without values, which are removed whatever their value is.
func sdkKeys(keys []string) []types.Tag {
	out := make([]types.Tag, 0, len(keys))
	for _, k := range keys {
		out = append(out, types.Tag{Key: &k})
	}

	return out
}

// observation is what status shows.
func observation(g types.SecurityGroup) v1alpha1.SecurityGroupObservation {
	return v1alpha1.SecurityGroupObservation{
		ID: str(g.GroupId), ARN: str(g.SecurityGroupArn), Name: str(g.GroupName), Description: str(g.Description), VPCID: str(g.VpcId),
	}
}
