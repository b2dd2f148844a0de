package securitygroup_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygroup"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestCreateUpdateDelete(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		sg := e.group(t, "edge", func(sg securitygroup.SecurityGroup) {
			sg.ForProvider().Tags = map[string]v1alpha1.TagValue{"app": "edge", "team": "edge"}
		})
		e.UntilApplied(t, sg)

		g := e.sdk(t)
		want := v1alpha1.SecurityGroupObservation{
			ID: *g.GroupId, ARN: *g.SecurityGroupArn, Name: "edge", Description: "for tests", VPCID: kindtest.VPC,
			ManagedTagKeys: sg.ObservedState().AtProvider.ManagedTagKeys,
		}
		if diff := cmp.Diff(want, sg.ObservedState().AtProvider); diff != "" || meta.GetExternalName(sg) != *g.GroupId {
			t.Errorf("external name %q; -want, +got:\n%s", meta.GetExternalName(sg), diff)
		}

		if !has(g, map[string]string{"app": "edge", "team": "edge", controller.TagCluster: kindtest.Cluster, "crossplane-name": "edge"}) {
			t.Errorf("tags are %v", g.Tags)
		}

		if diff := cmp.Diff([]string{"egress -1 0.0.0.0/0"}, e.rules(t, *g.GroupId)); diff != "" {
			t.Errorf("AWS's default rule stays: -want, +got:\n%s", diff)
		}

		e.Sim.Reset()
		e.Change(t, sg, func() { sg.ForProvider().Tags = map[string]v1alpha1.TagValue{"new": "1"} })
		e.UntilApplied(t, sg)

		if diff := cmp.Diff([]int{1, 1}, []int{e.Sim.Count("CreateTags"), e.Sim.Count("DeleteTags")}); diff != "" {
			t.Errorf("one call to set and one to remove tags: -want, +got:\n%s", diff)
		}

		if g = e.sdk(t); !has(g, map[string]string{"new": "1", "team": "platform"}) || has(g, map[string]string{"app": "edge"}) {
			t.Errorf("a tag that is no longer wanted goes, a default comes back: %v", g.Tags)
		}

		kindtest.Must(t, e.Client.Delete(t.Context(), sg))
		e.UntilGone(t, sg)

		if len(e.groups(t)) != 0 {
			t.Errorf("it is still in AWS")
		}
	})
}

func TestTagDriftIsRepaired(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		sg := e.group(t, "edge")
		e.UntilApplied(t, sg)

		e.Paused(t, sg, func() {
			_, err := e.EC2.CreateTags(t.Context(), &ec2.CreateTagsInput{
				Resources: []string{meta.GetExternalName(sg)},
				Tags:      []types.Tag{{Key: ptr("team"), Value: ptr("x")}, {Key: ptr("foreign"), Value: ptr("1")}},
			})
			kindtest.Must(t, err)
		})
		e.Until(t, sg, "repaired", func() bool { return has(e.sdk(t), map[string]string{"team": "platform", "foreign": "1"}) })

		if got := e.Sim.Count("CreateTags"); got != 1 {
			t.Errorf("it was repaired by %d calls, want 1", got)
		}
	})
}

func TestDefaultEgressIsRevokedOnce(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		sg := e.group(t, "edge", func(sg securitygroup.SecurityGroup) { sg.ForProvider().RevokeDefaultEgress = ptr(true) })
		e.UntilApplied(t, sg)

		id := meta.GetExternalName(sg)
		if got := e.rules(t, id); len(got) != 0 || !sg.ObservedState().AtProvider.DefaultEgressRevoked {
			t.Errorf("rules are %v, recorded: %v", got, sg.ObservedState().AtProvider.DefaultEgressRevoked)
		}

		_, err := e.EC2.AuthorizeSecurityGroupEgress(t.Context(), &ec2.AuthorizeSecurityGroupEgressInput{
			GroupId: &id, IpPermissions: []types.IpPermission{{IpProtocol: ptr("-1"), IpRanges: []types.IpRange{{CidrIp: ptr("0.0.0.0/0")}}}},
		})
		kindtest.Must(t, err)
		e.Sim.Reset()
		e.Until(t, sg, "looked at again", func() bool { return e.Sim.Count("DescribeSecurityGroups") > 1 })

		if got := e.Sim.Count("RevokeSecurityGroupEgress"); got != 0 {
			t.Errorf("what somebody allowed later was revoked %d times", got)
		}
	})
}

func TestDefaultEgressIsRevokedThoughTheFirstTryFailed(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.Sim.Fault(awssim.Fault{Action: "RevokeSecurityGroupEgress", Times: 1, Effect: awssim.Answer, Code: "InvalidGroup.NotFound", Message: "not yet"})

		sg := e.group(t, "edge", func(sg securitygroup.SecurityGroup) { sg.ForProvider().RevokeDefaultEgress = ptr(true) })
		e.UntilApplied(t, sg)

		if got := e.rules(t, meta.GetExternalName(sg)); len(got) != 0 {
			t.Errorf("rules are %v", got)
		}
	})
}

func TestDefaultEgressOfAnAdoptedGroupStays(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		id := e.seed(t, "edge", nil)
		sg := e.group(t, "edge", func(sg securitygroup.SecurityGroup) {
			meta.SetExternalName(sg, id)
			sg.ForProvider().RevokeDefaultEgress = ptr(true)
		})
		e.UntilApplied(t, sg)

		if got := e.rules(t, id); len(got) != 1 {
			t.Errorf("we have not created it, but its rules are %v", got)
		}
	})
}

func TestNewGroupThatIsNotSeenYetIsNotMadeTwice(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.Sim.Fault(awssim.Fault{Action: "DescribeSecurityGroups", After: 1, Times: 3, Effect: awssim.Answer, Code: "InvalidGroup.NotFound", Message: "not yet"})
		sg := e.group(t, "edge")
		e.UntilApplied(t, sg)

		if got := e.Sim.Count("CreateSecurityGroup"); got != 1 {
			t.Errorf("it was created %d times", got)
		}
	})
}

func TestOutOfBandDeletionIsRepaired(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		sg := e.group(t, "edge")
		e.UntilApplied(t, sg)

		// For 30 s after a creation absence is taken for AWS's lag.
		before := meta.GetExternalName(sg)
		e.Change(t, sg, func() { meta.SetExternalCreateSucceeded(sg, time.Now().Add(-time.Minute)) })

		_, err := e.EC2.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: &before})
		kindtest.Must(t, err)
		e.Until(t, sg, "made again", func() bool {
			id := sg.ObservedState().AtProvider.ID

			return id != "" && id != before && kindtest.Is(sg, xpv2.TypeReady, "True")
		})

		if got := meta.GetExternalName(sg); got != before {
			t.Errorf("the external name was changed to %q, against Git", got)
		}
	})
}

func TestDeletionWaitsForARuleOfAnotherGroup(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		other := e.seed(t, "other", nil)
		sg := e.group(t, "edge")
		e.UntilApplied(t, sg)

		id := meta.GetExternalName(sg)
		out, err := e.EC2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &other, IpPermissions: []types.IpPermission{{IpProtocol: ptr("-1"), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &id}}}},
		})
		kindtest.Must(t, err)
		kindtest.Must(t, e.Client.Delete(t.Context(), sg))
		e.Until(t, sg, "blocked", func() bool { return kindtest.Is(sg, controller.TypeDeletionBlocked, "True") })

		got := sg.GetCondition(controller.TypeDeletionBlocked)
		if !kindtest.Is(sg, xpv2.TypeSynced, "True") || got.Reason != "DependencyViolation" || !strings.Contains(got.Message, "a rule of another security group") {
			t.Errorf("waiting is no error, and says for what: %+v", sg.ObservedState().Conditions)
		}

		_, err = e.EC2.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{
			GroupId: &other, SecurityGroupRuleIds: []string{*out.SecurityGroupRules[0].SecurityGroupRuleId},
		})
		kindtest.Must(t, err)
		e.UntilGone(t, sg)
	})
}

func TestDerivedNameIsNoID(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		sg := e.group(t, "sg-web", func(sg securitygroup.SecurityGroup) { sg.ForProvider().Name = nil })
		e.UntilApplied(t, sg)

		want := "nlb-sg-web"
		if e.Namespace != "" {
			want = e.Namespace + "-sg-web"
		}

		if got := *e.sdk(t).GroupName; got != want {
			t.Errorf("the name is %q, want %q", got, want)
		}
	})
}
