package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// TestNamespaceWithEverythingInIt: a tenant's namespace has its own configuration
// and its Secret, which Kubernetes deletes at the same time as what needs them.
func TestNamespaceWithEverythingInIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, inNamespace)
	e := w.example(t, 0)
	e.secret("tenant", "credentials", awssim.DefaultKey.ID, awssim.DefaultKey.Secret)
	e.configOf(e.scope.group, "ProviderConfig", e.ns, "tenant")
	for _, o := range e.managed {
		_ = unstructured.SetNestedStringMap(o.Object, map[string]string{"kind": "ProviderConfig", "name": "tenant"}, "spec", "providerConfigRef")
	}
	e.applyAll()
	e.allReady()
	e.inAWS("the example makes what it says", e.lines()...)

	namespace := e.workload[0]
	e.delete(namespace)
	e.allGone("deleting a namespace with everything in it ends", append(e.managed, namespace)...)
	e.inAWS("nothing is left")
}

// configOf makes a provider configuration of any kind, which leads to the simulated
// AWS with the Secret of its name in the test's namespace.
func (w *world) configOf(group, kind, namespace, name string) *unstructured.Unstructured {
	w.t.Helper()
	secret := map[string]any{"name": strings.TrimPrefix(name, w.ns+"-"), "key": "credentials"}
	if namespace == "" {
		secret["namespace"] = w.ns
	}
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1alpha1", "kind": kind,
		"metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"credentials": map[string]any{"source": "Secret", "secretRef": secret},
			"endpoint":    map[string]any{"url": it.Sim.URL()},
		},
	}}
	o.SetNamespace(namespace)
	w.create(o)
	return o
}

// TestConfigurationInUseStays: what uses it could not be deleted in AWS any more.
func TestConfigurationInUseStays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scope scope
		kind  string
		// own namespace, or the cluster's.
		own bool
	}{
		{inNamespace, "ProviderConfig", true},
		{inNamespace, "ClusterProviderConfig", false},
		{inCluster, "ProviderConfig", false},
	} {
		t.Run(c.scope.name+c.kind, func(t *testing.T) {
			t.Parallel()
			e := newWorld(t, c.scope).example(t)
			e.secret("used", "credentials", awssim.DefaultKey.ID, awssim.DefaultKey.Secret)
			name, namespace := e.unique("used"), ""
			if c.own {
				name, namespace = "used", e.ns
			}
			config := e.configOf(c.scope.group, c.kind, namespace, name)
			group := e.one("SecurityGroup", "proxy")
			ref := map[string]string{"name": name}
			if c.scope == inNamespace {
				ref["kind"] = c.kind
			}
			_ = unstructured.SetNestedStringMap(group.Object, ref, "spec", "providerConfigRef")
			e.managed = []*unstructured.Unstructured{group}
			e.apply(group)
			e.allReady()

			e.delete(config)
			// That nothing happens cannot be waited for. But who has done something else
			// for the object since has used the configuration.
			_ = unstructured.SetNestedField(group.Object, "b", "spec", "forProvider", "tags", "team")
			e.apply(group)
			e.inAWS("a configuration in use is used on", fmt.Sprintf("security group %s, team=b", e.prefix))
			e.eventually("it is still there, and says by how many it is used", func(ctx context.Context) error {
				u, err := e.now(ctx, config)
				if err != nil {
					return err
				}
				if users, _, _ := unstructured.NestedInt64(u.Object, "status", "users"); users != 1 || u.GetDeletionTimestamp() == nil {
					return fmt.Errorf("status.users is %d, deleted at %v", users, u.GetDeletionTimestamp())
				}
				return nil
			})

			e.delete(group)
			e.allGone("what used it goes, and then it goes too", group, config)
			e.inAWS("nothing is left")
		})
	}
}

// TestDeletionProtection is reported, and not fought.
func TestDeletionProtection(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		e := w.example(t)
		balancer := e.one("LoadBalancer", "proxy")
		_ = unstructured.SetNestedField(balancer.Object, true, "spec", "forProvider", "deletionProtection")
		e.managed = []*unstructured.Unstructured{balancer, e.one("SecurityGroup", "proxy")}
		e.apply(e.managed...)
		e.allReady()
		began := len(it.Sim.Calls())

		e.delete(e.managed...)
		e.blocked("that AWS refuses is said, and what to do", balancer, "OperationNotPermitted", "set spec.forProvider.deletionProtection to false")
		e.blocked("and what else waits for it", e.managed[1], "DependencyViolation", "LoadBalancer")
		writes, _ := e.writes(began)
		if n := writes["ModifyLoadBalancerAttributes"]; n > 0 {
			t.Errorf("deletion protection was turned off behind the user's back, %d times", n)
		}
		e.noWarnings("it is told in a condition, not in Events")

		u, err := e.now(t.Context(), balancer)
		if err != nil {
			t.Fatal(err)
		}
		e.patch(u, `{"spec":{"forProvider":{"deletionProtection":false}}}`)
		e.allGone("who turns it off in the spec may delete", e.managed...)
		e.inAWS("nothing is left")
	})
}
