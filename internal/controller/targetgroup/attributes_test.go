package targetgroup_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroup"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

type kv = map[string]string

// allAttributes declares every field that is an attribute, with another value
// than AWS's default.
func allAttributes(p *v1alpha1.TargetGroupParameters) {
	p.DeregistrationDelaySeconds = ptr(int32(60))
	p.ConnectionTerminationOnDeregistration = ptr(true)
	p.CrossZone = ptr("true")
	p.PreserveClientIP = ptr(false)
	p.ProxyProtocolV2 = ptr(true)
	p.Stickiness = ptr(true)
	p.TargetGroupHealth = &v1alpha1.TargetGroupHealth{
		DNSFailover:           &v1alpha1.HealthyTargets{MinimumCount: ptr("3"), MinimumPercentage: ptr("50")},
		UnhealthyStateRouting: &v1alpha1.HealthyTargets{MinimumCount: ptr("2"), MinimumPercentage: ptr("20")},
	}
	p.UnhealthyTargets = &v1alpha1.UnhealthyTargets{ConnectionTermination: ptr(false), DrainingIntervalSeconds: ptr(int32(30))}
}

// declared is what AWS has then.
func declared() kv {
	return kv{
		"deregistration_delay.timeout_seconds":                                           "60",
		"deregistration_delay.connection_termination.enabled":                            "true",
		"load_balancing.cross_zone.enabled":                                              "true",
		"preserve_client_ip.enabled":                                                     "false",
		"proxy_protocol_v2.enabled":                                                      "true",
		"stickiness.enabled":                                                             "true",
		"stickiness.type":                                                                "source_ip",
		"target_group_health.dns_failover.minimum_healthy_targets.count":                 "3",
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            "50",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      "2",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "20",
		"target_health_state.unhealthy.connection_termination.enabled":                   "false",
		"target_health_state.unhealthy.draining_interval_seconds":                        "30",
	}
}

// attributes of the one group that AWS has.
func (e *env) attributes(t *testing.T) kv {
	t.Helper()

	out, err := e.ELB.DescribeTargetGroupAttributes(t.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: e.sdk(t).TargetGroupArn})
	kindtest.Must(t, err)

	got := kv{}
	for _, a := range out.Attributes {
		got[*a.Key] = *a.Value
	}

	return got
}

func (e *env) setAttribute(t *testing.T, key, value string) {
	t.Helper()

	_, err := e.ELB.ModifyTargetGroupAttributes(t.Context(), &elbv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: e.sdk(t).TargetGroupArn, Attributes: []types.TargetGroupAttribute{{Key: &key, Value: &value}},
	})
	kindtest.Must(t, err)
}

func TestAttributesAreDeclaredByOneCall(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) { allAttributes(tg.ForProvider()) })
		e.UntilApplied(t, tg)

		if diff := cmp.Diff(declared(), e.attributes(t)); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}

		want := slices.Sorted(maps.Keys(declared()))
		if diff := cmp.Diff(want, tg.ObservedState().AtProvider.ManagedAttributeKeys); diff != "" {
			t.Errorf("the memory: -want, +got:\n%s", diff)
		}

		if got := e.Sim.Count("ModifyTargetGroupAttributes"); got != 1 {
			t.Errorf("attributes were set by %d calls, want 1", got)
		}
	})
}

func TestUndeclaredAttributesAreNotRead(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge")
		e.UntilApplied(t, tg)

		if got := e.Sim.Count("DescribeTargetGroupAttributes", "ModifyTargetGroupAttributes"); got != 0 {
			t.Errorf("none is declared, but there were %d calls", got)
		}
	})
}

func TestAttributeDriftIsRepaired(t *testing.T) {
	drifts := declared()
	maps.Copy(drifts, kv{
		"deregistration_delay.timeout_seconds":                                           "61",
		"deregistration_delay.connection_termination.enabled":                            "false",
		"load_balancing.cross_zone.enabled":                                              "false",
		"preserve_client_ip.enabled":                                                     "true",
		"proxy_protocol_v2.enabled":                                                      "false",
		"stickiness.enabled":                                                             "false",
		"target_group_health.dns_failover.minimum_healthy_targets.count":                 "off",
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            "off",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      "1",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
		"target_health_state.unhealthy.draining_interval_seconds":                        "0",
	})
	// It cannot differ on its own: AWS refuses true while there is an interval, and
	// there is only one type of stickiness.
	delete(drifts, "target_health_state.unhealthy.connection_termination.enabled")
	delete(drifts, "stickiness.type")

	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) { allAttributes(tg.ForProvider()) })
		e.UntilApplied(t, tg)

		for _, key := range slices.Sorted(maps.Keys(drifts)) {
			e.Paused(t, tg, func() { e.setAttribute(t, key, drifts[key]) })
			e.Until(t, tg, "repaired "+key, func() bool { return e.attributes(t)[key] == declared()[key] })

			if got := e.Sim.Count("ModifyTargetGroupAttributes"); got != 1 {
				t.Errorf("%s was repaired by %d calls, want 1", key, got)
			}
		}
	})
}

func TestAttributesThatNobodyDeclaredStay(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) { tg.ForProvider().ProxyProtocolV2 = ptr(true) })
		e.UntilApplied(t, tg)
		e.setAttribute(t, "deregistration_delay.timeout_seconds", "7")
		e.Sim.Reset()
		e.Until(t, tg, "read twice", func() bool { return e.Sim.Count("DescribeTargetGroupAttributes") > 1 })

		if got := e.Sim.Count("ModifyTargetGroupAttributes"); got != 0 {
			t.Errorf("what somebody else set was changed by %d calls", got)
		}
	})
}

func TestAttributesThatAreNoLongerDeclaredGoBackToTheDefault(t *testing.T) {
	cases := map[string]struct {
		reason     string
		protocol   string
		targetType string
		declare    func(*v1alpha1.TargetGroupParameters)
		want       kv
	}{
		"TCP": {"The defaults of a TCP group.", "TCP", "instance", allAttributes, kv{
			"deregistration_delay.timeout_seconds": "300", "deregistration_delay.connection_termination.enabled": "false",
			"load_balancing.cross_zone.enabled": "use_load_balancer_configuration", "preserve_client_ip.enabled": "true",
			"proxy_protocol_v2.enabled": "false", "stickiness.enabled": "false", "stickiness.type": "source_ip",
			"target_group_health.dns_failover.minimum_healthy_targets.count":                 "1",
			"target_group_health.dns_failover.minimum_healthy_targets.percentage":            "off",
			"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      "1",
			"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
			"target_health_state.unhealthy.connection_termination.enabled":                   "true",
			"target_health_state.unhealthy.draining_interval_seconds":                        "0",
		}},
		"UDP": {"UDP ends flows by itself, and cannot end those of unhealthy targets.", "UDP", "instance",
			func(p *v1alpha1.TargetGroupParameters) {
				p.ConnectionTerminationOnDeregistration = ptr(false)
				p.UnhealthyTargets = &v1alpha1.UnhealthyTargets{ConnectionTermination: ptr(false), DrainingIntervalSeconds: ptr(int32(5))}
			}, kv{
				"deregistration_delay.connection_termination.enabled":          "true",
				"target_health_state.unhealthy.connection_termination.enabled": "false",
				"target_health_state.unhealthy.draining_interval_seconds":      "0",
			}},
		"IP": {"Addresses do not see the client by default.", "TCP", "ip",
			func(p *v1alpha1.TargetGroupParameters) { p.PreserveClientIP = ptr(true) },
			kv{"preserve_client_ip.enabled": "false"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) {
					p := tg.ForProvider()
					p.Protocol, p.TargetType, p.HealthCheck.Port = &tc.protocol, &tc.targetType, ptr("8080")
					tc.declare(p)
				})
				e.UntilApplied(t, tg)
				e.Sim.Reset()
				e.change(t, tg, func(p *v1alpha1.TargetGroupParameters) {
					*p = v1alpha1.TargetGroupParameters{
						Region: p.Region, Name: p.Name, Protocol: p.Protocol, Port: p.Port, VPCID: p.VPCID,
						TargetType: p.TargetType, HealthCheck: p.HealthCheck,
					}
				})
				e.UntilApplied(t, tg)
				e.Until(t, tg, "forgotten", func() bool { return len(tg.ObservedState().AtProvider.ManagedAttributeKeys) == 0 })

				got := e.attributes(t)
				maps.DeleteFunc(got, func(k, _ string) bool { return tc.want[k] == "" })

				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
				}

				if got := e.Sim.Count("ModifyTargetGroupAttributes"); got != 1 {
					t.Errorf("\n%s\nthere were %d calls, want 1", tc.reason, got)
				}
			})
		})
	}
}

func TestUnknownAttributeIsStalled(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) {
			tg.ForProvider().Attributes = map[string]v1alpha1.AttributeValue{"no.such_key": "1"}
		})
		e.Until(t, tg, "stalled", func() bool { return kindtest.Is(tg, controller.TypeStalled, "True") })

		if got := tg.GetCondition(controller.TypeStalled).Message; !strings.Contains(got, "set the attributes of") || !strings.Contains(got, "no.such_key") {
			t.Errorf("the message says what failed and why: %q", got)
		}

		e.change(t, tg, func(p *v1alpha1.TargetGroupParameters) { p.Attributes = nil })
		e.UntilApplied(t, tg)

		if len(e.groups()) != 1 || meta.GetExternalName(tg) == "" {
			t.Errorf("the group that was made is kept: %q", meta.GetExternalName(tg))
		}
	})
}

func TestGroupThatIsOnlyObservedKeepsItsAttributes(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.seed(t, nil)

		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) {
			tg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe"})
			allAttributes(tg.ForProvider())
		})
		e.UntilApplied(t, tg)

		if got := e.Sim.Count("ModifyTargetGroupAttributes"); got != 0 || len(tg.ObservedState().AtProvider.ManagedAttributeKeys) != 0 {
			t.Errorf("%d calls; the memory is %v", got, tg.ObservedState().AtProvider.ManagedAttributeKeys)
		}
	})
}

func TestAttributesWaitForTheGroupToBeSeen(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.Sim.Fault(awssim.Fault{
			Action: "ModifyTargetGroupAttributes", Times: 1, Effect: awssim.Answer, Code: "TargetGroupNotFound", Message: "not yet",
		})

		tg := e.group(t, "edge", func(tg targetgroup.TargetGroup) { tg.ForProvider().ProxyProtocolV2 = ptr(true) })
		e.UntilApplied(t, tg)

		if got := e.attributes(t)["proxy_protocol_v2.enabled"]; got != "true" {
			t.Errorf("the attribute is %q", got)
		}
	})
}
