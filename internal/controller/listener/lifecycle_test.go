package listener_test

import (
	"slices"
	"testing"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestCreateByReferenceAndDelete(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.listener(t, with(func(p *v1alpha1.ListenerParameters) {
			p.LoadBalancerARN, p.LoadBalancerARNRef = nil, &v1alpha1.Reference{Name: "edge"}
			p.Forward = &v1alpha1.Forward{TargetGroups: []v1alpha1.ForwardTargetGroup{
				{TargetGroupARNRef: &v1alpha1.Reference{Name: "a"}, Weight: ptr(int32(9))},
				{TargetGroupARNSelector: &v1alpha1.Selector{MatchLabels: map[string]string{"group": "b"}}},
			}}
		}))
		e.Until(t, mg, "waiting", func() bool { return mg.GetCondition(xpv2.TypeReady).Reason == controller.ReasonWaitingForReference })
		e.loadBalancer(t, "edge", e.lb)
		e.targetGroup(t, "a", e.a)
		e.targetGroup(t, "b", e.b)
		e.UntilApplied(t, mg)

		l := e.sdk(t)
		if got := meta.GetExternalName(mg); got != *l.ListenerArn || mg.ObservedState().AtProvider.LoadBalancerARN != e.lb {
			t.Errorf("external name %q, AWS has %q", got, *l.ListenerArn)
		}

		weights := map[string]int32{}
		for _, g := range l.DefaultActions[0].ForwardConfig.TargetGroups {
			weights[*g.TargetGroupArn] = *g.Weight
		}

		if diff := cmp.Diff(map[string]int32{e.a: 9, e.b: 1}, weights); diff != "" {
			t.Errorf("weights: -want, +got:\n%s", diff)
		}

		kindtest.Must(t, e.Client.Delete(t.Context(), mg))
		e.UntilGone(t, mg)

		if got := e.listeners(t); len(got) > 0 {
			t.Errorf("it is still in AWS")
		}
	})
}

func TestUpdate(t *testing.T) {
	cases := map[string]struct {
		reason         string
		before, change func(*env) func(obj)
		writes         []string
	}{
		"Forward": {"To another target group.", nil, func(e *env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.Forward = to(e.b) })
		}, []string{"ModifyListener"}},
		"Weights": {"To several, with stickiness.", nil, func(e *env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) {
				p.Forward = to(e.a, 1, e.b, 99)
				p.Forward.Stickiness = ptr(true)
			})
		}, []string{"ModifyListener"}},
		"WeightOfOne": {"It has no meaning.", nil, func(e *env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.Forward = to(e.a, 7) })
		}, nil},
		"Order": {"It has no meaning.", func(e *env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.Forward = to(e.a, 1, e.b, 99) })
		}, func(e *env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.Forward = to(e.b, 99, e.a, 1) })
		}, nil},
		"Port": {"It is changed in place.", nil, func(*env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.Port = ptr(int32(8443)) })
		}, []string{"ModifyListener"}},
		"IdleTimeout": {"It is an attribute.", nil, func(*env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.TCPIdleTimeoutSeconds = ptr(int32(600)) })
		}, []string{"ModifyListenerAttributes"}},
		"NoIdleTimeout": {"It goes back to AWS's default.", func(*env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.TCPIdleTimeoutSeconds = ptr(int32(600)) })
		}, func(*env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.TCPIdleTimeoutSeconds = nil })
		}, []string{"ModifyListenerAttributes"}},
		"ToTLS": {"With a further certificate.", nil, func(e *env) func(obj) { return e.tls() }, []string{"ModifyListener", "AddListenerCertificates"}},
		"FromTLS": {"Certificates and policies go.", func(e *env) func(obj) { return e.tls() }, func(*env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) {
				p.Protocol, p.CertificateARNs, p.SSLPolicy, p.ALPNPolicy = ptr("TCP"), nil, nil, nil
			})
		}, []string{"ModifyListener"}},
		"Certificates": {"Another default, another further one.", func(e *env) func(obj) { return e.tls() }, func(*env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.CertificateARNs = []string{cert + "1", cert + "3"} })
		}, []string{"AddListenerCertificates", "RemoveListenerCertificates"}},
		"DefaultCertificate": {"One call.", func(e *env) func(obj) { return e.tls() }, func(*env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.CertificateARNs = []string{cert + "3", cert + "2"} })
		}, []string{"ModifyListener"}},
		"Policies": {"One call.", func(e *env) func(obj) { return e.tls() }, func(*env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) {
				p.SSLPolicy, p.ALPNPolicy = ptr("ELBSecurityPolicy-2016-08"), ptr("None")
			})
		}, []string{"ModifyListener"}},
		"Rules": {"Two families.", nil, func(e *env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) {
				p.Rules = []v1alpha1.ListenerRule{
					{Priority: 1, SourceIPAddressType: "ipv4", Forward: *to(e.a)}, {Priority: 2, SourceIPAddressType: "ipv6", Forward: *to(e.b)},
				}
			})
		}, []string{"CreateRule", "CreateRule"}},
		"RulesChange": {"One is changed, one moves to another priority.", func(e *env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) {
				p.Rules = []v1alpha1.ListenerRule{
					{Priority: 1, SourceIPAddressType: "ipv4", Forward: *to(e.a)}, {Priority: 2, SourceIPAddressType: "ipv6", Forward: *to(e.b)},
				}
			})
		}, func(e *env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) {
				p.Rules = []v1alpha1.ListenerRule{
					{Priority: 1, SourceIPAddressType: "ipv4", Forward: *to(e.b)}, {Priority: 3, SourceIPAddressType: "ipv6", Forward: *to(e.b)},
				}
			})
		}, []string{"SetRulePriorities", "ModifyRule"}},
		"NoRules": {"Those that we made go.", func(e *env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) {
				p.Rules = []v1alpha1.ListenerRule{{Priority: 1, SourceIPAddressType: "ipv4", Forward: *to(e.a)}}
			})
		}, func(*env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.Rules = nil })
		}, []string{"DeleteRule"}},
		"Tags": {"One call.", nil, func(*env) func(obj) {
			return with(func(p *v1alpha1.ListenerParameters) { p.Tags = map[string]v1alpha1.TagValue{"app": "edge"} })
		}, []string{"AddTags"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				var before []func(obj)
				if tc.before != nil {
					before = append(before, tc.before(e))
				}

				mg := e.listener(t, before...)
				e.UntilApplied(t, mg)
				e.Sim.Reset()
				e.Change(t, mg, tc.change(e))
				e.UntilApplied(t, mg)

				if diff := cmp.Diff(tc.writes, e.Writes()); diff != "" {
					t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestDriftIsRepairedByOneCallEach(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.listener(t, with(func(p *v1alpha1.ListenerParameters) {
			p.TCPIdleTimeoutSeconds = ptr(int32(600))
			p.Rules = []v1alpha1.ListenerRule{{Priority: 1, SourceIPAddressType: "ipv4", Forward: *to(e.a)}}
			p.Tags = map[string]v1alpha1.TagValue{"app": "edge"}
		}))
		e.UntilApplied(t, mg)

		arn := meta.GetExternalName(mg)

		e.Paused(t, mg, func() {
			forward := []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &e.b}}

			rules, err := e.ELB.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: &arn})
			kindtest.Must(t, err)

			var errs [5]error
			_, errs[0] = e.ELB.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{ListenerArn: &arn, Port: ptr(int32(80)), DefaultActions: forward})
			_, errs[1] = e.ELB.ModifyRule(t.Context(), &elbv2.ModifyRuleInput{RuleArn: rules.Rules[0].RuleArn, Actions: forward})
			_, errs[2] = e.ELB.ModifyListenerAttributes(t.Context(), &elbv2.ModifyListenerAttributesInput{ListenerArn: &arn, Attributes: []types.ListenerAttribute{{Key: ptr("tcp.idle_timeout.seconds"), Value: ptr("60")}}})
			_, errs[3] = e.ELB.RemoveTags(t.Context(), &elbv2.RemoveTagsInput{ResourceArns: []string{arn}, TagKeys: []string{"app"}})
			_, errs[4] = e.ELB.CreateRule(t.Context(), &elbv2.CreateRuleInput{ListenerArn: &arn, Priority: ptr(int32(9)), Actions: forward, Conditions: []types.RuleCondition{
				{Field: ptr("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{IpAddressType: "ipv6"}},
			}})

			for _, err := range errs {
				kindtest.Must(t, err)
			}
		})
		e.Until(t, mg, "repaired", func() bool { return len(e.Writes()) >= 5 })
		e.UntilApplied(t, mg)

		want := []string{"AddTags", "DeleteRule", "ModifyListener", "ModifyListenerAttributes", "ModifyRule"}
		if diff := cmp.Diff(want, slices.Sorted(slices.Values(e.Writes()))); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}

		if l := e.sdk(t); *l.Port != 443 || *l.DefaultActions[0].TargetGroupArn != e.a {
			t.Errorf("AWS has %+v", l)
		}
	})
}

func TestDeletionEndsWithoutLoadBalancer(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.listener(t)
		e.UntilApplied(t, mg)

		// For 30 s after a creation absence is taken for AWS's lag.
		e.Change(t, mg, func(mg obj) { meta.SetExternalCreateSucceeded(mg, time.Now().Add(-time.Minute)) })

		remove := e.Sim.Fault(awssim.Fault{Action: "DeleteListener", Effect: awssim.Answer, Code: "ResourceInUse", Message: "It is in use"})

		kindtest.Must(t, e.Client.Delete(t.Context(), mg))
		e.Until(t, mg, "blocked", func() bool { return mg.GetCondition(controller.TypeDeletionBlocked).Reason == "ResourceInUse" })

		if !kindtest.Is(mg, xpv2.TypeSynced, "True") {
			t.Errorf("waiting is no error: %+v", mg.ObservedState().Conditions)
		}

		e.Sim.DeleteLoadBalancer(e.lb)
		remove()
		e.UntilGone(t, mg)
	})
}
