package targetgroup_test

import (
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroup"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestHealthCheckDriftIsRepaired(t *testing.T) {
	type in = elbv2.ModifyTargetGroupInput

	drifts := map[string]in{
		"protocol":           {HealthCheckProtocol: "HTTPS"},
		"port":               {HealthCheckPort: ptr("81")},
		"path":               {HealthCheckPath: ptr("/other")},
		"matcher":            {Matcher: &types.Matcher{HttpCode: ptr("204")}},
		"intervalSeconds":    {HealthCheckIntervalSeconds: ptr(int32(30))},
		"timeoutSeconds":     {HealthCheckTimeoutSeconds: ptr(int32(4))},
		"healthyThreshold":   {HealthyThresholdCount: ptr(int32(9))},
		"unhealthyThreshold": {UnhealthyThresholdCount: ptr(int32(9))},
	}

	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) {
			tg.ForProvider().HealthCheck = &v1alpha1.HealthCheck{
				Protocol: ptr("HTTP"), Port: ptr("80"), Path: ptr("/ready"), Matcher: ptr("200"), IntervalSeconds: ptr(int32(20)),
				TimeoutSeconds: ptr(int32(5)), HealthyThreshold: ptr(int32(3)), UnhealthyThreshold: ptr(int32(4)),
			}
		})
		e.UntilApplied(t, tg)

		want := e.sdk(t)

		for name, drift := range drifts {
			drift.TargetGroupArn = want.TargetGroupArn

			e.Paused(t, tg, func() {
				_, err := e.ELB.ModifyTargetGroup(t.Context(), &drift)
				kindtest.Must(t, err)
			})
			e.Until(t, tg, "repaired "+name, func() bool { return e.Sim.Count("ModifyTargetGroup") > 0 })
			e.UntilApplied(t, tg)

			got := e.sdk(t)
			if diff := cmp.Diff(healthCheck(want), healthCheck(got)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", name, diff)
			}

			if n := e.Sim.Count("ModifyTargetGroup"); n != 1 {
				t.Errorf("%s was repaired by %d calls, want 1", name, n)
			}
		}
	})
}

// healthCheck of a group, in words.
func healthCheck(g types.TargetGroup) []any {
	return []any{
		string(g.HealthCheckProtocol), *g.HealthCheckPort, *g.HealthCheckPath, *g.Matcher.HttpCode,
		*g.HealthCheckIntervalSeconds, *g.HealthCheckTimeoutSeconds, *g.HealthyThresholdCount, *g.UnhealthyThresholdCount,
	}
}
