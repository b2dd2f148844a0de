package securitygroup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A group is a security group as it is in AWS.
type group struct {
	sdk  types.SecurityGroup
	tags map[string]string
}

func newGroup(sdk types.SecurityGroup) *group {
	g := &group{sdk: sdk, tags: map[string]string{}}
	for _, t := range sdk.Tags {
		g.tags[str(t.Key)] = str(t.Value)
	}

	return g
}

func (g *group) id() string { return str(g.sdk.GroupId) }

func (g *group) String() string { return fmt.Sprintf("security group %q", str(g.sdk.GroupName)) }

func (g *group) found() controller.Found {
	return controller.Found{
		What: g.String() + " of VPC " + str(g.sdk.VpcId), ExternalName: g.id(), Tags: g.tags,
		Otherwise: "set spec.forProvider.name to another name (AWS does not tell the case of letters)",
	}
}

// find the group of an object, or nil if AWS has none. What the external name
// names is adopted. Anything else that has the object's name must be ours.
func (e *external) find(ctx context.Context, mg SecurityGroup) (*group, error) {
	external := meta.GetExternalName(mg)

	sdk, err := e.named(ctx, mg, external)
	if err != nil || sdk == nil {
		return nil, err
	}

	g := newGroup(*sdk)
	if external == g.id() || external == str(sdk.GroupName) || e.onlyObserves() {
		return g, nil
	}

	err = controller.Claim(mg, e.clusterID, g.found())
	if err != nil && e.deleting {
		// There is nothing of ours to delete.
		return nil, nil //nolint:nilnil // Absent is no error.
	}

	if err != nil {
		return nil, err
	}

	return g, nil
}

// onlyObserves says that nothing in AWS may be changed, so that nothing can be
// taken over by mistake.
func (e *external) onlyObserves() bool {
	return !e.policies.ShouldCreate() && !e.policies.ShouldUpdate() && !e.policies.ShouldDelete()
}

// named returns the group that the external name names, and if that is an id of a
// group that is gone, the group of the same name.
func (e *external) named(ctx context.Context, mg SecurityGroup, external string) (*types.SecurityGroup, error) {
	if isID(external) {
		sdk, err := e.read.SecurityGroup(ctx, external, e.maxAge)
		if found, err := exactly(external, sdk, err); err != nil || found != nil {
			return found, err
		}
	}

	vpc, name := vpcOf(mg), e.name(mg)

	switch {
	case vpc != "":
		sdk, err := e.read.SecurityGroupByName(ctx, vpc, name, e.maxAge)

		return exactly(name, sdk, err)
	case isID(external):
		return nil, nil //nolint:nilnil // Absent is no error.
	}

	return e.anywhere(ctx, name)
}

// exactly returns what was found, or nil if AWS says exactly that there is none.
func exactly(name string, sdk types.SecurityGroup, err error) (*types.SecurityGroup, error) {
	switch {
	case aws.IsNotFound(err, codeNotFound):
		return nil, nil //nolint:nilnil // Absent is no error.
	case err != nil:
		return nil, controller.Failed("describe security group "+name, err)
	}

	return &sdk, nil
}

// anywhere returns the one group of a name, whatever its VPC. It is for a group
// that is only observed.
func (e *external) anywhere(ctx context.Context, name string) (*types.SecurityGroup, error) {
	found, err := e.list(ctx, "group-name", name, func(g types.SecurityGroup) bool { return str(g.GroupName) == name })
	if err != nil || len(found) == 0 {
		return nil, err
	}

	if len(found) == 1 {
		return &found[0], nil
	}

	vpcs := make([]string, len(found))
	for i, g := range found {
		vpcs[i] = str(g.VpcId)
	}

	slices.Sort(vpcs)

	return nil, controller.Stalled{Reason: controller.ReasonInvalid, Message: fmt.Sprintf(
		"security group %q exists in several VPCs (%s): set spec.forProvider.vpcId to one of them", name, strings.Join(vpcs, ", "))}
}

// reclaim is for a name that AWS says is taken, though no group has exactly that
// name: either ours is seen only now, or the case of its letters differs. The
// error is what AWS said.
func (e *external) reclaim(ctx context.Context, mg SecurityGroup, name string, refused error) error {
	found, err := e.list(ctx, "vpc-id", vpcOf(mg), func(g types.SecurityGroup) bool { return strings.EqualFold(str(g.GroupName), name) })
	if err != nil {
		return err
	}

	if len(found) != 1 {
		return refused
	}

	g := newGroup(found[0])
	if err := controller.Claim(mg, e.clusterID, g.found()); err != nil {
		return err
	}

	if meta.GetExternalName(mg) == "" {
		meta.SetExternalName(mg, g.id())
	}

	return nil
}

// list the groups that pass. In the value of a filter * and ? stand for any
// letters, so that it may find more than is meant.
func (e *external) list(ctx context.Context, filter, value string, pass func(types.SecurityGroup) bool) ([]types.SecurityGroup, error) {
	var (
		found []types.SecurityGroup
		page  = int32(1000)
		in    = &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: &filter, Values: []string{value}}}, MaxResults: &page}
	)

	for pages := ec2.NewDescribeSecurityGroupsPaginator(e.ec2, in); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, controller.Failed("describe security groups of "+filter+" "+value, err)
		}

		for _, g := range out.SecurityGroups {
			if pass(g) {
				found = append(found, g)
			}
		}
	}

	return found, nil
}

// name of the group in AWS: that of the external name, of the spec, of the group
// that there was, or derived.
func (e *external) name(mg SecurityGroup) string {
	external, was := meta.GetExternalName(mg), mg.ObservedState().AtProvider.Name

	switch {
	case external != "" && !isID(external):
		return external
	case mg.ForProvider().Name != nil:
		return *mg.ForProvider().Name
	case external != "" && was != "":
		return was
	}

	name := controller.DefaultName(e.clusterID, mg.GetNamespace(), mg.GetName())
	if isID(name) {
		// AWS keeps names like this for ids.
		return "nlb-" + name
	}

	return name
}

func vpcOf(mg SecurityGroup) string {
	if vpc := mg.ForProvider().VPCID; vpc != nil {
		return *vpc
	}

	return mg.ObservedState().AtProvider.VPCID
}

// isID tells sg-… from a name, which cannot begin like that.
func isID(s string) bool { return strings.HasPrefix(s, "sg-") }

func str(s *string) string {
	if s == nil {
		return ""
	}

	return *s
}
