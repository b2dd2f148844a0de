package targetgroup_test

import (
	"slices"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroup"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestMain(m *testing.M) { kindtest.Main(m) }

const kind = "TargetGroup"

type env struct {
	*kindtest.Typed[targetgroup.TargetGroup]
}

func bothScopes(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()
	kindtest.BothScopesOf(t, kind, targetgroup.SetupGated, func(t *testing.T, e *kindtest.Typed[targetgroup.TargetGroup]) { test(t, &env{e}) })
}

// namespacedOnly is for a test of what only that scope has.
func namespacedOnly(t *testing.T) *env {
	t.Helper()

	return &env{kindtest.InScope[targetgroup.TargetGroup](t, namespacedapi.SchemeGroupVersion, kind, targetgroup.SetupGated)}
}

func ptr[T any](v T) *T { return &v }

// group makes a TargetGroup.
func (e *env) group(t *testing.T, name string, mutate ...func(targetgroup.TargetGroup)) targetgroup.TargetGroup {
	t.Helper()

	base := func(tg targetgroup.TargetGroup) {
		*tg.ForProvider() = v1alpha1.TargetGroupParameters{
			Region: kindtest.Region, Name: ptr("edge"), Protocol: ptr("TCP"), Port: ptr(int32(443)), VPCID: ptr(kindtest.VPC),
			HealthCheck: &v1alpha1.HealthCheck{IntervalSeconds: ptr(int32(10))},
		}
	}

	return e.New(t, name, slices.Concat([]func(targetgroup.TargetGroup){base}, mutate)...)
}

// groups in AWS.
func (e *env) groups() []awssim.TargetGroup {
	return e.Sim.TargetGroups(awssim.DefaultKey.Account, kindtest.Region)
}

// sdk is the one group that AWS has, as a reader gets it.
func (e *env) sdk(t *testing.T) types.TargetGroup {
	t.Helper()

	out, err := e.ELB.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{})
	kindtest.Must(t, err)

	if len(out.TargetGroups) != 1 {
		t.Fatalf("AWS has %d target groups, want 1", len(out.TargetGroups))
	}

	return out.TargetGroups[0]
}
