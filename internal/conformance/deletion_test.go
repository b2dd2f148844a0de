package conformance

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// A use of something by another object, which keeps it from being deleted.
type use struct {
	reason string
	used   string
	user   string
	// by lets the user, an object of the table, use what is named.
	by func(mg resource.Managed, name string)
}

func uses() map[string]use {
	return map[string]use{
		"Listener": {
			"A target group cannot go while a listener forwards to it.", "TargetGroup", "Listener",
			func(mg resource.Managed, name string) {
				params[v1alpha1.ListenerParameters](mg).Forward.TargetGroups = []v1alpha1.ForwardTargetGroup{{TargetGroupARNRef: &v1alpha1.Reference{Name: name}}}
			},
		},
		"LoadBalancer": {
			"A security group cannot go while a load balancer, or its lingering interface, is in it.", "SecurityGroup", "LoadBalancer",
			func(mg resource.Managed, name string) {
				params[v1alpha1.LoadBalancerParameters](mg).SecurityGroupIDRefs = []v1alpha1.Reference{{Name: name}}
			},
		},
		"Rule": {
			"A security group cannot go while a rule of another group refers to it.", "SecurityGroup", "SecurityGroupRule",
			func(mg resource.Managed, name string) {
				p := params[v1alpha1.SecurityGroupRuleParameters](mg)
				p.CIDRIPv4, p.ReferencedSecurityGroupIDRef = nil, &v1alpha1.Reference{Name: name}
			},
		},
	}
}

// isBlocked: the deletion waits, quietly, and says for what.
func (w *world) isBlocked(t *testing.T, mg resource.Managed, says ...string) {
	t.Helper()
	w.Until(t, mg, "blocked", func() bool { return kindtest.Is(mg, controller.TypeDeletionBlocked, "True") })

	c := mg.GetCondition(controller.TypeDeletionBlocked)
	for _, text := range says {
		if !strings.Contains(c.Message, text) {
			t.Errorf("%q does not say %q", c.Message, text)
		}
	}

	if want := w.kind.blocked; want != "" && string(c.Reason) != want {
		t.Errorf("the reason is %s, want %s", c.Reason, want)
	}

	if !kindtest.Is(mg, xpv2.TypeSynced, "True") {
		t.Errorf("waiting is no error: %+v", mg.GetCondition(xpv2.TypeSynced))
	}
}

func inBothScopes(t *testing.T, kind string, test func(t *testing.T, w *world)) {
	t.Helper()

	c := provider(t)

	for _, gv := range []schema.GroupVersion{namespacedapi.SchemeGroupVersion, clusterapi.SchemeGroupVersion} {
		t.Run(gv.Group, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, c, find(t, kind), gv))
		})
	}
}

func TestDeletionWaitsForItsUserByName(t *testing.T) {
	t.Parallel()

	for name, tc := range uses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBothScopes(t, tc.used, func(t *testing.T, w *world) {
				used, user := w.applied(t), w.object(t, find(t, tc.user))
				tc.by(user, used.GetName())
				w.Create(t, user)
				w.UntilApplied(t, user)

				kindtest.Must(t, w.Client.Delete(t.Context(), used))
				// In another world's AWS something else may have the same id.
				w.isBlocked(t, used, "still used by ", tc.user+` "`+user.GetName()+`"`)
				eventually(t, "a second try", func() bool { return len(w.calls(w.kind.remove)) > 1 })
				w.noWarnings(t, used)

				w.delete(t, user)
				w.UntilGone(t, used)
				w.noWarnings(t, used)

				if got := w.kind.found(t, w); len(got) != 0 {
					t.Errorf("%s\nit is gone, but AWS has %v", tc.reason, got)
				}
			})
		})
	}
}

func TestDeletionProtectionIsSaidAndNotFought(t *testing.T) {
	t.Parallel()
	inBothScopes(t, "LoadBalancer", func(t *testing.T, w *world) {
		type parameters = v1alpha1.LoadBalancerParameters

		mg := w.applied(t, func(mg resource.Managed) { params[parameters](mg).DeletionProtection = ptr(true) })
		w.Sim.Reset()
		kindtest.Must(t, w.Client.Delete(t.Context(), mg))
		w.kind.blocked = "OperationNotPermitted"
		w.isBlocked(t, mg, "set spec.forProvider.deletionProtection to false")
		eventually(t, "a second try", func() bool { return len(w.calls(w.kind.remove)) > 1 })
		w.noWarnings(t, mg)

		if got := w.calls(w.kind.modify); len(got) > 0 {
			t.Error("the protection was turned off, though it is declared")
		}

		w.Change(t, mg, func() { params[parameters](mg).DeletionProtection = ptr(false) })
		w.UntilGone(t, mg)

		if got := w.kind.found(t, w); len(got) != 0 {
			t.Errorf("it is gone, but AWS has %v", got)
		}
	})
}
