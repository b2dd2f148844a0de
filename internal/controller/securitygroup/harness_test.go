package securitygroup_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygroup"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestMain(m *testing.M) { kindtest.Main(m) }

// An env has the objects of this kind.
type env struct{ *kindtest.Env }

func bothScopes(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()
	kindtest.BothScopes(t, func(t *testing.T, e *kindtest.Env) { test(t, &env{e}) }, securitygroup.SetupGated)
}

// group makes a SecurityGroup.
func (e *env) group(t *testing.T, name string, mutate ...func(securitygroup.SecurityGroup)) securitygroup.SecurityGroup {
	t.Helper()

	m := metav1.ObjectMeta{Namespace: e.Namespace, Name: name}

	var sg securitygroup.SecurityGroup = &namespacedapi.SecurityGroup{ObjectMeta: m}
	if e.Namespace == "" {
		sg = &clusterapi.SecurityGroup{ObjectMeta: m}
	}

	*sg.ForProvider() = v1alpha1.SecurityGroupParameters{
		Region: kindtest.Region, Name: ptr("edge"), Description: ptr("for tests"), VPCID: ptr(kindtest.VPC),
	}

	for _, f := range mutate {
		f(sg)
	}

	e.Create(t, sg)

	return sg
}

func ptr[T any](v T) *T { return &v }

// groups in AWS besides the VPC's default one.
func (e *env) groups(t *testing.T) []types.SecurityGroup {
	t.Helper()

	out, err := e.EC2.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{})
	kindtest.Must(t, err)

	return slices.DeleteFunc(out.SecurityGroups, func(g types.SecurityGroup) bool { return *g.GroupName == "default" })
}

// sdk is the one group that AWS has.
func (e *env) sdk(t *testing.T) types.SecurityGroup {
	t.Helper()

	found := e.groups(t)
	if len(found) != 1 {
		t.Fatalf("AWS has %d security groups, want 1", len(found))
	}

	return found[0]
}

// rules of a group in AWS, as direction protocol source.
func (e *env) rules(t *testing.T, id string) []string {
	t.Helper()

	out, err := e.EC2.DescribeSecurityGroupRules(t.Context(), &ec2.DescribeSecurityGroupRulesInput{
		Filters: []types.Filter{{Name: ptr("group-id"), Values: []string{id}}},
	})
	kindtest.Must(t, err)

	var found []string

	for _, r := range out.SecurityGroupRules {
		direction := map[bool]string{false: "ingress", true: "egress"}[*r.IsEgress]
		found = append(found, strings.Join([]string{direction, *r.IpProtocol, text(r.CidrIpv4) + text(r.CidrIpv6)}, " "))
	}

	slices.Sort(found)

	return found
}

func text(s *string) string {
	if s == nil {
		return ""
	}

	return *s
}

// seed makes a group that somebody else has created.
func (e *env) seed(t *testing.T, name string, tags map[string]string) (id string) {
	t.Helper()

	in := &ec2.CreateSecurityGroupInput{GroupName: &name, Description: ptr("for tests"), VpcId: ptr(kindtest.VPC)}
	for k, v := range tags {
		in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroup, Tags: append(tagsOf(in), types.Tag{Key: &k, Value: &v})}}
	}

	out, err := e.EC2.CreateSecurityGroup(t.Context(), in)
	kindtest.Must(t, err)
	e.Sim.Reset()

	return *out.GroupId
}

func tagsOf(in *ec2.CreateSecurityGroupInput) []types.Tag {
	if len(in.TagSpecifications) == 0 {
		return nil
	}

	return in.TagSpecifications[0].Tags
}

// has says whether tags are among those that the group has.
func has(g types.SecurityGroup, want map[string]string) bool {
	got := map[string]string{}
	for _, t := range g.Tags {
		got[*t.Key] = *t.Value
	}

	for k, v := range maps.All(want) {
		if got[k] != v {
			return false
		}
	}

	return true
}

func isStalled(sg resource.Managed) bool { return kindtest.Is(sg, controller.TypeStalled, "True") }
