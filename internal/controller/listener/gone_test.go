package listener_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// TestGoneBetweenTwoReads: a load balancer that is deleted takes its listeners with
// it, at any moment.
func TestGoneBetweenTwoReads(t *testing.T) {
	cases := map[string]struct{ reason, action string }{
		"Tags":       {"The listener was described, and then has no tags to read.", "DescribeTags"},
		"Attributes": {"Nor attributes.", "DescribeListenerAttributes"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				timeout := func(seconds int32) func(obj) {
					return with(func(p *v1alpha1.ListenerParameters) { p.TCPIdleTimeoutSeconds = &seconds })
				}
				mg := e.listener(t, timeout(600))
				e.UntilApplied(t, mg)

				e.Sim.Reset()
				e.Sim.Fault(awssim.Fault{
					Action: tc.action, Contains: *e.sdk(t).ListenerArn, Times: 1, Effect: awssim.Answer, Code: "ListenerNotFound", Message: "gone",
				})
				e.Change(t, mg, timeout(700))
				e.UntilApplied(t, mg)

				if !slices.ContainsFunc(e.Sim.Calls(), func(c awssim.Call) bool { return c.Code == "ListenerNotFound" }) {
					t.Errorf("%s was never answered so", tc.action)
				}

				noWarnings(t, e, mg, tc.reason)
			})
		})
	}
}

// TestLoadBalancerThatIsDeletedFirst: its listeners are gone, and are not missed.
func TestLoadBalancerThatIsDeletedFirst(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.loadBalancer(t, "edge", e.lb)
		mg := e.listener(t, with(func(p *v1alpha1.ListenerParameters) {
			p.LoadBalancerARN, p.LoadBalancerARNRef = nil, &v1alpha1.Reference{Name: "edge"}
		}))
		e.UntilApplied(t, mg)
		e.Sim.Reset()
		e.Sim.DeleteLoadBalancer(e.lb)

		const want = `loadBalancerArnRef: LoadBalancer "edge" does not exist in AWS any more`

		e.Until(t, mg, "waiting", func() bool { return mg.GetCondition(xpv2.TypeReady).Message == want })

		if n := e.Sim.Count("CreateListener"); n > 0 {
			t.Errorf("%d listeners were created on nothing", n)
		}

		noWarnings(t, e, mg, "Who is deleted later waits for it quietly.")
		kindtest.Must(t, e.Client.Delete(t.Context(), mg))
		e.UntilGone(t, mg)
	})
}

func noWarnings(t *testing.T, e *env, mg obj, reason string) {
	t.Helper()

	events := &corev1.EventList{}
	kindtest.Must(t, e.Client.List(t.Context(), events, client.MatchingFields{"involvedObject.uid": string(mg.GetUID())}))

	for _, event := range events.Items {
		if event.Type == corev1.EventTypeWarning {
			t.Errorf("\n%s\nBut there is %s: %s", reason, event.Reason, event.Message)
		}
	}
}
