//go:build rights

package install_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/provider-nlb/provider-nlb/cluster/test/install"
)

// TestEachDocumentedRightIsNeeded: without one verb on one resource of rbac.yaml a
// claim says what is missing, nothing is deregistered, and it goes on when the right
// is there again. Readiness gates, the one thing that it writes, are judged by
// cluster/test/e2e, with pods that have some.
func TestEachDocumentedRightIsNeeded(t *testing.T) {
	const n = 3
	workload(t, n)
	apply(t, read(t, "examples/namespaced/nlb-proxy.yaml", "Service")...)
	claim := read(t, styles[0].file)[0]
	spec := claim.Object["spec"].(map[string]any)
	delete(spec, "podSelector")
	// A binding of a Service reads all three.
	spec["serviceName"] = "edge-proxy"
	apply(t, claim)
	ready(t, claim)
	serves(t, "edge-edge", n, 443, 8443)

	role := documentedRole(t)
	tried := 0
	for r, rule := range role.Rules {
		for _, resource := range rule.Resources {
			if resource == "pods/status" {
				continue
			}
			for _, verb := range rule.Verbs {
				tried++
				t.Run(verb+" "+resource, func(t *testing.T) {
					before := len(it.ProviderCalls())
					applyRole(t, without(role, r, resource, verb))
					// An API server with streaming lists asks for the right to watch only;
					// older ones, and those that have them switched off, for both.
					restart(t, "KUBE_FEATURE_WatchListClient=false")
					until(t, "the claim says so", func(ctx context.Context) error {
						return tells(ctx, t, claim, "", []string{"lacks permission", resource, install.Rights})
					})
					applyRole(t, role)
					until(t, "it goes on", func(ctx context.Context) error {
						u, err := now(ctx, claim)
						if err != nil {
							return err
						}
						if status, _, message := condition(u, "Problem"); status != "False" {
							return fmt.Errorf("Problem is %s: %s", status, message)
						}
						return nil
					})
					for _, call := range it.ProviderCalls()[before:] {
						if call.Action == "DeregisterTargets" {
							t.Errorf("who sees nothing deregisters nothing, got %v", call.Params)
						}
					}
				})
			}
		}
	}
	if tried == 0 {
		t.Error("the role has no rules")
	}
	serves(t, "edge-edge", n, 443, 8443)
	restart(t)
	remove(t, claim)
	inAWS(t, "nothing is left", "edge-edge")
}

func documentedRole(t *testing.T) *rbacv1.ClusterRole {
	t.Helper()
	role := &rbacv1.ClusterRole{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(read(t, install.Rights, "ClusterRole")[0].Object, role); err != nil {
		t.Fatal(err)
	}
	return role
}

// without a verb on a resource, of the rule with that number.
func without(role *rbacv1.ClusterRole, rule int, resource, verb string) *rbacv1.ClusterRole {
	out := role.DeepCopy()
	less := *out.Rules[rule].DeepCopy()
	less.Resources = []string{resource}
	less.Verbs = slices.DeleteFunc(less.Verbs, func(v string) bool { return v == verb })
	out.Rules[rule].Resources = slices.DeleteFunc(out.Rules[rule].Resources, func(r string) bool { return r == resource })
	out.Rules = append(out.Rules, less)
	return out
}

func applyRole(t *testing.T, role *rbacv1.ClusterRole) {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(role)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, &unstructured.Unstructured{Object: content})
}

// restart the provider, with more in its environment: a watch that is open outlives
// the right to it.
func restart(t *testing.T, env ...string) {
	t.Helper()
	if err := it.StopProcess(provider); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	name, err := it.RunProvider(ctx, env...)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(name, "provider-nlb") {
		t.Fatalf("another process runs: %s", name)
	}
	provider = name
}
