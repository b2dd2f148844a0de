package listener_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// A load balancer tells its ARN minutes before it is active. Listeners can be
// created meanwhile, changed and deleted.
func TestListenerDoesNotWaitForTheLoadBalancerToBeActive(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.Sim.SetLoadBalancerState(e.lb, "provisioning", "")

		mg := e.listener(t, with(func(p *v1alpha1.ListenerParameters) {
			p.LoadBalancerARN, p.LoadBalancerARNRef = nil, &v1alpha1.Reference{Name: "edge"}
			p.TCPIdleTimeoutSeconds = ptr(int32(600))
			p.Rules = []v1alpha1.ListenerRule{{Priority: 1, SourceIPAddressType: "ipv4", Forward: *to(e.b)}}
		}))
		e.Sim.Reset()
		e.loadBalancer(t, "edge", e.lb)
		e.UntilApplied(t, mg)

		e.Change(t, mg, with(func(p *v1alpha1.ListenerParameters) {
			p.Port, p.TCPIdleTimeoutSeconds = ptr(int32(8443)), ptr(int32(700))
		}))
		e.UntilApplied(t, mg)

		for _, c := range e.Sim.Calls() {
			if c.Code != "" {
				t.Errorf("AWS refused %s: %s", c.Action, c.Code)
			}
		}

		kindtest.Must(t, e.Client.Delete(t.Context(), mg))
		e.UntilGone(t, mg)

		want := []string{"CreateListener", "ModifyListenerAttributes", "CreateRule", "ModifyListener", "ModifyListenerAttributes", "DeleteListener"}
		if diff := cmp.Diff(want, e.Writes()); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
}
