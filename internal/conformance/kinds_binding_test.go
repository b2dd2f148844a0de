package conformance

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// targetGroupBindings make nothing of their own in AWS: what they make are targets.
func targetGroupBindings() kind {
	type parameters = v1alpha1.TargetGroupBindingParameters

	registered := func(w *world, port int32) bool {
		for _, g := range w.Sim.TargetGroups(awssim.DefaultAccount, kindtest.Region) {
			if slices.ContainsFunc(w.Sim.Targets(g.ARN), func(t awssim.Target) bool { return t.Port == port && t.State != "draining" }) {
				return true
			}
		}

		return false
	}

	return kind{
		name: "TargetGroupBinding",
		minimal: func(t *testing.T, w *world, mg resource.Managed) {
			w.seedPod(t)

			group := w.seedTargetGroups(t)
			p := parameters{Region: kindtest.Region, TargetGroupARN: &group, PodSelector: &v1alpha1.PodSelector{
				LabelSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": w.name}}, Port: intstr.FromInt32(firstPort),
			}}

			if w.Namespace == "" {
				p.PodSelector.Namespace = &w.podNamespace
			}

			*params[parameters](mg) = p
		},
		bare:   func(resource.Managed) {}, // The spec decides what is bound, never the external name.
		refers: "TargetGroup",
		refer: func(mg resource.Managed, name string) {
			params[parameters](mg).TargetGroupARN, params[parameters](mg).TargetGroupARNRef = nil, &v1alpha1.Reference{Name: name}
		},
		change: func(_ *world, mg resource.Managed) {
			params[parameters](mg).PodSelector.Port = intstr.FromInt32(secondPort)
		},
		changed: func(_ *testing.T, w *world) bool { return registered(w, secondPort) },
		drift: func(t *testing.T, w *world) {
			t.Helper()
			w.Sim.DropTarget(w.targetGroup, w.instance, secondPort)
		},
		found: func(_ *testing.T, w *world) (out []string) {
			for _, g := range w.Sim.TargetGroups(awssim.DefaultAccount, kindtest.Region) {
				if slices.ContainsFunc(w.Sim.Targets(g.ARN), func(t awssim.Target) bool { return t.State != "draining" }) {
					out = append(out, g.ARN)
				}
			}

			return out
		},
		stall:  func(_ *testing.T, _ *world, mg resource.Managed) { params[parameters](mg).TargetType = ptr("ip") },
		cure:   func(_ *testing.T, _ *world, mg resource.Managed) { params[parameters](mg).TargetType = nil },
		polled: "DescribeTargetHealth",
		// What a binding tells of health, it tells every 10 s.
		settled: func(mg resource.Managed) bool {
			n := mg.(interface { //nolint:forcetypeassert // The table has the right kind.
				ObservedState() *v1alpha1.TargetGroupBindingStatus
			}).ObservedState().AtProvider.Targets

			return n != nil && n.Registered == 1 && n.Initial == 0
		},
		create: "RegisterTargets", modify: "RegisterTargets", remove: "DeregisterTargets", describe: "DescribeTargetGroups",
	}
}
