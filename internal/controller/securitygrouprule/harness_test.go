package securitygrouprule_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygroup"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygrouprule"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestMain(m *testing.M) { kindtest.Main(m) }

type (
	params = v1alpha1.SecurityGroupRuleParameters
	object = securitygrouprule.SecurityGroupRule
)

// An env has the objects of this kind and security groups, and one group in AWS
// that somebody else has created.
type env struct {
	*kindtest.Env
	groupID string
}

func bothScopes(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()
	kindtest.BothScopes(t, func(t *testing.T, k *kindtest.Env) {
		e := &env{Env: k}
		e.groupID = e.seedGroup(t, "seeded")
		test(t, e)
	}, securitygroup.SetupGated, securitygrouprule.SetupGated)
}

func (e *env) seedGroup(t *testing.T, name string) string {
	t.Helper()

	out, err := e.EC2.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: &name, Description: ptr("for tests"), VpcId: ptr(kindtest.VPC),
	})
	kindtest.Must(t, err)
	e.Sim.Reset()

	return *out.GroupId
}

// rule makes a SecurityGroupRule: HTTPS from 10.0.0.0/8 into the seeded group.
func (e *env) rule(t *testing.T, name string, mutate ...func(object)) object {
	t.Helper()

	m := metav1.ObjectMeta{Namespace: e.Namespace, Name: name}

	var r object = &namespacedapi.SecurityGroupRule{ObjectMeta: m}
	if e.Namespace == "" {
		r = &clusterapi.SecurityGroupRule{ObjectMeta: m}
	}

	*r.ForProvider() = params{
		Region: kindtest.Region, SecurityGroupID: &e.groupID, Direction: ptr("ingress"),
		Protocol: ptr("tcp"), FromPort: ptr(int32(443)), ToPort: ptr(int32(443)), CIDRIPv4: ptr("10.0.0.0/8"),
	}

	for _, f := range mutate {
		f(r)
	}

	e.Create(t, r)

	return r
}

// with changes what is declared.
func with(f func(*params)) func(object) { return func(r object) { f(r.ForProvider()) } }

func external(name string) func(object) { return func(r object) { meta.SetExternalName(r, name) } }

func policies(p ...xpv2.ManagementAction) func(object) {
	return func(r object) { r.SetManagementPolicies(p) }
}

// group makes a SecurityGroup.
func (e *env) group(t *testing.T, name string) securitygroup.SecurityGroup {
	t.Helper()

	m := metav1.ObjectMeta{Namespace: e.Namespace, Name: name, Labels: map[string]string{"name": name}}

	var sg securitygroup.SecurityGroup = &namespacedapi.SecurityGroup{ObjectMeta: m}
	if e.Namespace == "" {
		sg = &clusterapi.SecurityGroup{ObjectMeta: m}
	}

	*sg.ForProvider() = v1alpha1.SecurityGroupParameters{
		Region: kindtest.Region, Name: &name, Description: ptr("for tests"), VPCID: ptr(kindtest.VPC), RevokeDefaultEgress: ptr(true),
	}
	e.Create(t, sg)

	return sg
}

func ptr[T any](v T) *T { return &v }

// rules of a group in AWS, but for its default one.
func (e *env) rules(t *testing.T, groupID string) []types.SecurityGroupRule {
	t.Helper()

	out, err := e.EC2.DescribeSecurityGroupRules(t.Context(), &ec2.DescribeSecurityGroupRulesInput{
		Filters: []types.Filter{{Name: ptr("group-id"), Values: []string{groupID}}},
	})
	kindtest.Must(t, err)

	var found []types.SecurityGroupRule

	for _, r := range out.SecurityGroupRules {
		if !*r.IsEgress || len(r.Tags) > 0 {
			found = append(found, r)
		}
	}

	return found
}

// sdk is the one rule of the seeded group.
func (e *env) sdk(t *testing.T) types.SecurityGroupRule {
	t.Helper()

	found := e.rules(t, e.groupID)
	if len(found) != 1 {
		t.Fatalf("the group has %d rules, want 1: %+v", len(found), found)
	}

	return found[0]
}

// seed adds the rule that rule declares, as somebody else.
func (e *env) seed(t *testing.T, tags map[string]string) (id string) {
	t.Helper()

	in := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &e.groupID, IpPermissions: []types.IpPermission{{
		IpProtocol: ptr("tcp"), FromPort: ptr(int32(443)), ToPort: ptr(int32(443)), IpRanges: []types.IpRange{{CidrIp: ptr("10.0.0.0/8")}},
	}}}

	spec := types.TagSpecification{ResourceType: types.ResourceTypeSecurityGroupRule}
	for k, v := range tags {
		spec.Tags = append(spec.Tags, types.Tag{Key: &k, Value: &v})
	}

	if len(tags) > 0 {
		in.TagSpecifications = []types.TagSpecification{spec}
	}

	out, err := e.EC2.AuthorizeSecurityGroupIngress(t.Context(), in)
	kindtest.Must(t, err)
	e.Sim.Reset()

	return *out.SecurityGroupRules[0].SecurityGroupRuleId
}

func tagsOf(r types.SecurityGroupRule) map[string]string {
	out := map[string]string{}
	for _, t := range r.Tags {
		out[*t.Key] = *t.Value
	}

	return out
}

func isStalled(mg resource.Managed) bool { return kindtest.Is(mg, controller.TypeStalled, "True") }
