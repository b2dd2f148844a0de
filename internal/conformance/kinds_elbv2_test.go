package conformance

import (
	"strings"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

const (
	crossZone   = "load_balancing.cross_zone.enabled"
	certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-00000000000"
)

func loadBalancers() kind {
	type parameters = v1alpha1.LoadBalancerParameters

	made := func(w *world) (out []awssim.LoadBalancer) {
		for _, lb := range w.Sim.LoadBalancers(awssim.DefaultAccount, kindtest.Region) {
			if !strings.HasPrefix(lb.Name, seeded) {
				out = append(out, lb)
			}
		}

		return out
	}

	return stallAsForeign(kind{
		name: "LoadBalancer", named: true, underway: 1,
		minimal: func(_ *testing.T, w *world, mg resource.Managed) {
			*params[parameters](mg) = parameters{
				Region: kindtest.Region, Name: &w.name, SubnetMappings: []v1alpha1.SubnetMapping{{SubnetID: subnet}},
			}
		},
		more: func(t *testing.T, w *world, mg resource.Managed) {
			p := params[parameters](mg)
			p.SecurityGroupIDs, p.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = []string{w.seedSecurityGroup(t)}, ptr(false)
			p.CrossZone, p.DNSClientRoutingPolicy = ptr(true), ptr("availability_zone_affinity")
		},
		bare:   func(mg resource.Managed) { *params[parameters](mg) = parameters{Region: kindtest.Region} },
		refers: "SecurityGroup",
		refer: func(mg resource.Managed, name string) {
			params[parameters](mg).SecurityGroupIDRefs = []v1alpha1.Reference{{Name: name}}
		},
		change: func(_ *world, mg resource.Managed) { params[parameters](mg).CrossZone = ptr(true) },
		changed: func(_ *testing.T, w *world) bool {
			lbs := made(w)

			return len(lbs) == 1 && lbs[0].Attributes[crossZone] == "true"
		},
		drift: func(t *testing.T, w *world) {
			_, err := w.ELB.ModifyLoadBalancerAttributes(t.Context(), &elbv2.ModifyLoadBalancerAttributesInput{
				LoadBalancerArn: &made(w)[0].ARN, Attributes: []types.LoadBalancerAttribute{{Key: ptr(crossZone), Value: ptr("false")}},
			})
			kindtest.Must(t, err)
		},
		found: func(_ *testing.T, w *world) (out []string) {
			for _, lb := range made(w) {
				out = append(out, lb.ARN)
			}

			return out
		},
		foreign: func(t *testing.T, w *world, _ resource.Managed) string {
			arn, err := w.Sim.SeedLoadBalancer(awssim.LoadBalancerSeed{Region: kindtest.Region, Name: w.name, Subnets: []string{subnet}})
			kindtest.Must(t, err)

			return arn
		},
		blocked: "ResourceInUse", taken: "DuplicateLoadBalancerName", gone: "LoadBalancerNotFound", polled: "DescribeLoadBalancers",
		create: "CreateLoadBalancer", modify: "ModifyLoadBalancerAttributes", remove: "DeleteLoadBalancer", describe: "DescribeLoadBalancers",
	})
}

func targetGroups() kind {
	type parameters = v1alpha1.TargetGroupParameters

	made := func(t *testing.T, w *world) (out []types.TargetGroup) {
		t.Helper()

		all, err := w.ELB.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{})
		kindtest.Must(t, err)

		for _, g := range all.TargetGroups {
			if *g.TargetGroupArn != w.targetGroup && *g.TargetGroupArn != w.otherGroup {
				out = append(out, g)
			}
		}

		return out
	}

	return stallAsForeign(kind{
		name: "TargetGroup", named: true,
		minimal: func(_ *testing.T, w *world, mg resource.Managed) {
			*params[parameters](mg) = parameters{
				Region: kindtest.Region, Name: &w.name, Protocol: ptr("TCP"), Port: ptr(int32(443)), VPCID: ptr(kindtest.VPC),
			}
		},
		more: func(_ *testing.T, _ *world, mg resource.Managed) {
			params[parameters](mg).PreserveClientIP, params[parameters](mg).DeregistrationDelaySeconds = ptr(false), ptr(int32(60))
		},
		bare: func(mg resource.Managed) { *params[parameters](mg) = parameters{Region: kindtest.Region} },
		change: func(_ *world, mg resource.Managed) {
			params[parameters](mg).HealthCheck = &v1alpha1.HealthCheck{IntervalSeconds: ptr(int32(10))}
		},
		changed: func(t *testing.T, w *world) bool {
			groups := made(t, w)

			return len(groups) == 1 && *groups[0].HealthCheckIntervalSeconds == 10
		},
		drift: func(t *testing.T, w *world) {
			_, err := w.ELB.ModifyTargetGroup(t.Context(), &elbv2.ModifyTargetGroupInput{
				TargetGroupArn: made(t, w)[0].TargetGroupArn, HealthCheckIntervalSeconds: ptr(int32(20)),
			})
			kindtest.Must(t, err)
		},
		found: func(t *testing.T, w *world) (out []string) {
			for _, g := range made(t, w) {
				out = append(out, *g.TargetGroupArn)
			}

			return out
		},
		foreign: func(t *testing.T, w *world, _ resource.Managed) string { return w.seedTargetGroup(t, w.name) },
		blocked: "ResourceInUse", taken: "DuplicateTargetGroupName", gone: "TargetGroupNotFound", polled: "DescribeTargetGroups",
		create: "CreateTargetGroup", modify: "ModifyTargetGroup", remove: "DeleteTargetGroup", describe: "DescribeTargetGroups",
	})
}

func listeners() kind {
	type parameters = v1alpha1.ListenerParameters

	made := func(t *testing.T, w *world) (out []types.Listener) {
		t.Helper()

		for _, lb := range w.Sim.LoadBalancers(awssim.DefaultAccount, kindtest.Region) {
			all, err := w.ELB.DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: &lb.ARN})
			kindtest.Must(t, err)

			out = append(out, all.Listeners...)
		}

		return out
	}
	to := func(arn *string) *v1alpha1.Forward {
		return &v1alpha1.Forward{TargetGroups: []v1alpha1.ForwardTargetGroup{{TargetGroupARN: arn}}}
	}
	actions := func(arn *string) []types.Action {
		return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: arn}}
	}

	return stallAsForeign(kind{
		name: "Listener",
		minimal: func(t *testing.T, w *world, mg resource.Managed) {
			lb, group := w.seedLoadBalancer(t), w.seedTargetGroups(t)
			*params[parameters](mg) = parameters{
				Region: kindtest.Region, LoadBalancerARN: &lb, Port: ptr(int32(443)), Protocol: ptr("TCP"), Forward: to(&group),
			}
		},
		more: func(_ *testing.T, w *world, mg resource.Managed) {
			p := params[parameters](mg)
			p.Protocol, p.CertificateARNs = ptr("TLS"), []string{certificate + "1", certificate + "2", certificate + "3"}

			for _, arn := range p.CertificateARNs {
				w.Sim.SeedCertificate(arn)
			}
		},
		bare:   func(mg resource.Managed) { *params[parameters](mg) = parameters{Region: kindtest.Region} },
		refers: "LoadBalancer",
		refer: func(mg resource.Managed, name string) {
			params[parameters](mg).LoadBalancerARN, params[parameters](mg).LoadBalancerARNRef = nil, &v1alpha1.Reference{Name: name}
		},
		change: func(w *world, mg resource.Managed) { params[parameters](mg).Forward = to(&w.otherGroup) },
		changed: func(t *testing.T, w *world) bool {
			all := made(t, w)

			return len(all) == 1 && *all[0].DefaultActions[0].TargetGroupArn == w.otherGroup
		},
		drift: func(t *testing.T, w *world) {
			_, err := w.ELB.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{
				ListenerArn: made(t, w)[0].ListenerArn, DefaultActions: actions(&w.targetGroup),
			})
			kindtest.Must(t, err)
		},
		found: func(t *testing.T, w *world) (out []string) {
			for _, l := range made(t, w) {
				out = append(out, *l.ListenerArn)
			}

			return out
		},
		foreign: func(t *testing.T, w *world, mg resource.Managed) string {
			p := params[parameters](mg)
			out, err := w.ELB.CreateListener(t.Context(), &elbv2.CreateListenerInput{
				LoadBalancerArn: p.LoadBalancerARN, Port: p.Port, Protocol: types.ProtocolEnumTcp, DefaultActions: actions(&w.targetGroup),
			})
			kindtest.Must(t, err)

			return *out.Listeners[0].ListenerArn
		},
		blocked: "ResourceInUse", taken: "DuplicateListener", gone: "ListenerNotFound", polled: "DescribeListeners",
		create: "CreateListener", modify: "ModifyListener", remove: "DeleteListener", describe: "DescribeListeners",
	})
}
