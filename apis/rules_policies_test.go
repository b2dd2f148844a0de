package apis_test

import (
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/provider-nlb/provider-nlb/internal/crdtest"
)

const policiesMessage = `spec.managementPolicies must be ["*"], [] or a set with Observe, such as [Observe] or [Observe, Create, Update]; Delete beside Update or LateInitialize needs Create, too`

var policyRules = func() (out []rule) {
	for _, kind := range []string{"LoadBalancer", "Listener", "TargetGroup", "TargetGroupBinding", "SecurityGroup", "SecurityGroupRule"} {
		out = append(out, rule{
			name: "Policies", reason: "The runtime would look at it never again, and say only that the docs tell why.", kind: kind,
			accept: `spec: {managementPolicies: [Observe, Create, Update]}`, refuse: `spec: {managementPolicies: [Create, Update]}`, message: policiesMessage,
		})
	}

	return out
}()

// TestThePoliciesThatAreAcceptedAreTheRuntimes: each set of them, so that a new version
// of the runtime which supports others is noticed.
func TestThePoliciesThatAreAcceptedAreTheRuntimes(t *testing.T) {
	c := crdtest.Read(t, crds)["targetgroupbindings.nlb.m.crossplane.io"]
	actions := []xpv2.ManagementAction{"*", "Observe", "Create", "Update", "Delete", "LateInitialize"}
	refused := 0

	for set := range 1 << len(actions) {
		policies, list := xpv2.ManagementPolicies{}, []any{}
		for i, a := range actions {
			if set&(1<<i) != 0 {
				policies, list = append(policies, a), append(list, string(a))
			}
		}

		object := crdtest.Merge(t, bindingBase, "")
		object["spec"].(map[string]any)["managementPolicies"] = list

		got := c.Refusals(object, nil)
		if want := managed.NewManagementPoliciesResolver(true, policies).Validate(); (want == nil) != (len(got) == 0) {
			t.Errorf("%v: the runtime says %v, and the API %q", policies, want, got)
		}

		refused += len(got)
	}

	if refused == 0 {
		t.Error("nothing was refused")
	}
}
