package e2e_test

import (
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// TestMissingPermissionsAreToldAndHeal is not parallel: all bindings go blind.
func TestMissingPermissionsAreToldAndHeal(t *testing.T) {
	type blind struct {
		*world
		arn         string
		before, now binding
	}
	var all []*blind
	for _, s := range []scope{inNamespace, inCluster} {
		w := &blind{world: newWorld(t, s)}
		w.arn = w.group("g")
		w.pod("a", 0)
		w.pod("b", 1)
		w.before = w.bind("before", parameters{TargetGroupARN: &w.arn, PodSelector: podsWith(app, named(portName))})
		w.holds("the pods are registered", w.arn, w.on(0, 1)...)
		w.ready(w.before)
		all = append(all, w)
	}

	stopProvider(t)
	if err := it.RevokePermissions(t.Context()); err != nil {
		t.Fatal(err)
	}
	granted := false
	t.Cleanup(func() {
		if !granted {
			_ = it.GrantPermissions(t.Context())
		}
	})
	startProvider(t)

	for _, w := range all {
		w.service("proxy", named(portName))
		w.now = w.bind("now", parameters{
			TargetGroupARN: ptr(w.group("now")), ServiceRef: &v1alpha1.ServiceReference{Name: "proxy", Port: named("https")},
		})
		for _, b := range []binding{w.before, w.now} {
			for _, resource := range []string{"nodes", "pods"} {
				w.told("the verbs, the resource and the file to apply are named", b, message{
					condition: "ViewIncomplete=True",
					says: []string{
						"cannot list " + resource, "lacks permission (verbs list, watch on " + resource + ")", "apply examples/gitops/packages/rbac.yaml",
					},
				})
			}
		}
		w.told("a binding of a Service needs to read Services too", w.now, message{
			condition: "ViewIncomplete=True", says: []string{"cannot list services", "apply examples/gitops/packages/rbac.yaml"},
		})
		w.has("it cannot be ready before it has seen any pod", w.now, "Ready=False", "apply examples/gitops/packages/rbac.yaml")

		group := w.targetGroup("other", v1alpha1.TargetGroupParameters{
			Region: w.region, Protocol: ptr("TCP"), Port: &w.port, VPCID: ptr(stack.VPC),
		})
		w.create(group)
		w.ready(group)
		w.remove(group)

		before := w.calls(w.arn)
		w.remove(w.pod("c", 2))
		w.tookSince(before, "who sees nothing changes nothing", w.arn, calls{})
	}

	began := time.Now()
	if err := it.GrantPermissions(t.Context()); err != nil {
		t.Fatal(err)
	}
	granted = true
	for _, w := range all {
		w.holds("it goes on by itself", w.now.ObservedState().AtProvider.TargetGroupARN, w.on(0, 1)...)
		t.Logf("%s: after %s", w.scope.name, time.Since(began).Round(100*time.Millisecond))
		for _, b := range []binding{w.before, w.now} {
			w.ready(b)
			w.without("the condition goes", b, "ViewIncomplete")
		}
		w.holds("nothing was lost meanwhile", w.arn, w.on(0, 1)...)
		w.tookSince(calls{}, "nor registered again", w.arn, calls{Register: 1})
	}
}

func startProvider(t *testing.T) {
	t.Helper()
	if err := it.StartProvider(t.Context(), providerArgs...); err != nil {
		t.Fatal(err)
	}
}

func stopProvider(t *testing.T) {
	t.Helper()
	if err := it.StopProvider(); err != nil {
		t.Fatal(err)
	}
}
