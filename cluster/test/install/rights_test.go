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
// binding says what is missing, and its claim says the same; nothing is deregistered,
// and it goes on when the right is there again.
func TestEachDocumentedRightIsNeeded(t *testing.T) {
	const n = 3
	workload(t, n)
	service := read(t, "examples/namespaced/nlb-proxy.yaml", "Service")
	apply(t, service...)
	claim := read(t, styles[0].file)[0]
	// A name of its own: Crossplane remembers of a name how often it changed.
	claim.SetName("blind")
	spec := claim.Object["spec"].(map[string]any)
	delete(spec, "podSelector")
	// A binding of a Service reads all three.
	spec["serviceName"] = "edge-proxy"
	apply(t, claim)
	ready(t, claim)
	x := "edge-blind"
	serves(t, x, n, 443, 8443)

	role, binding := documentedRole(t), bindingOf(t)
	rights := rightsOf(role)
	if len(rights) == 0 {
		t.Fatal("the role has no rules")
	}
	for i, r := range rights {
		t.Run(r.verb+" "+r.resource, func(t *testing.T) {
			before := len(it.ProviderCalls())
			applyRole(t, r.without(role))
			told := r.needed(t, binding)
			until(t, "the binding says so", func(ctx context.Context) error { return has(ctx, binding, told, "True", r.lacks()) })
			// Once: Crossplane looks away for a while from a claim that changes as often as here.
			if i == 0 {
				until(t, "the claim says so", func(ctx context.Context) error { return has(ctx, claim, "Problem", "True", r.lacks()) })
			}
			if r.verb == "patch" && rolledOut(t.Context(), n) == nil {
				t.Error("a rollout stands still as long as no gate can be opened")
			}
			applyRole(t, role)
			until(t, "the binding does not say so any more", func(ctx context.Context) error { return has(ctx, binding, told, "Unknown", "") })
			if i == 0 {
				until(t, "nor does the claim", func(ctx context.Context) error { return has(ctx, claim, "Problem", "False", "") })
			}
			ready(t, binding)
			until(t, "all pods are ready", func(ctx context.Context) error { return rolledOut(ctx, n) })
			keptAll(t, before)
		})
	}
	workload(t, n+1) // and without gates
	serves(t, x, n+1, 443, 8443)
	restart(t)
	remove(t, claim)
	remove(t, service...)
	inAWS(t, "nothing is left", x)
}

// keptAll checks the calls since then.
func keptAll(t *testing.T, before int) {
	t.Helper()
	for _, call := range it.ProviderCalls()[before:] {
		if call.Action == "DeregisterTargets" {
			t.Errorf("who sees nothing deregisters nothing, got %v", call.Params)
		}
	}
}

// A right is one verb on one resource of a rule, which has a number.
type right struct {
	rule           int
	verb, resource string
}

func rightsOf(role *rbacv1.ClusterRole) (all []right) {
	for i, rule := range role.Rules {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				all = append(all, right{rule: i, verb: verb, resource: resource})
			}
		}
	}
	return all
}

// lacks is what is said without the right. A list that is refused comes before any
// watch, so that both verbs are named then.
func (r right) lacks() string {
	verbs := map[string]string{"list": "verbs list, watch"}[r.verb]
	if verbs == "" {
		verbs = "verb " + r.verb
	}
	return fmt.Sprintf("lacks permission (%s on %s); apply %s", verbs, r.resource, install.Rights)
}

// needed makes the provider ask for the right. It returns the condition that tells
// when it is missing.
func (r right) needed(t *testing.T, binding *unstructured.Unstructured) (told string) {
	t.Helper()
	if r.resource == "pods/status" {
		gate(t, binding)
		return "GatesNotSet"
	}
	// A watch that is open outlives the right to it. An API server with streaming lists
	// asks for the right to watch only; older ones, and those that have them switched
	// off, for both.
	restart(t, "KUBE_FEATURE_WatchListClient=false")
	return "ViewIncomplete"
}

// without is the role without the right.
func (r right) without(role *rbacv1.ClusterRole) *rbacv1.ClusterRole {
	out := role.DeepCopy()
	less := *out.Rules[r.rule].DeepCopy()
	less.Resources = []string{r.resource}
	less.Verbs = slices.DeleteFunc(less.Verbs, func(v string) bool { return v == r.verb })
	out.Rules[r.rule].Resources = slices.DeleteFunc(out.Rules[r.rule].Resources, func(s string) bool { return s == r.resource })
	// The API server takes no rule that is about nothing.
	out.Rules = slices.DeleteFunc(append(out.Rules, less), func(p rbacv1.PolicyRule) bool { return len(p.Resources) == 0 || len(p.Verbs) == 0 })
	return out
}

// has says whether an object's condition has that status, and these words.
func has(ctx context.Context, o *unstructured.Unstructured, conditionType, want, words string) error {
	u, err := now(ctx, o)
	if err != nil {
		return err
	}
	if status, reason, message := condition(u, conditionType); status != want || !strings.Contains(message, words) {
		return fmt.Errorf("%s of %s is %s (%s): %q, want %s: %q", conditionType, u.GetName(), status, reason, message, want, words)
	}
	return nil
}

// bindingOf the only claim.
func bindingOf(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(object("nlb.m.crossplane.io", "v1alpha1", "TargetGroupBindingList", "", "").GroupVersionKind())
	if err := it.Client().List(t.Context(), list); err != nil || len(list.Items) != 1 {
		t.Fatalf("there is one binding, got %d, %v", len(list.Items), err)
	}
	return &list.Items[0]
}

// gate the workload's pods: they are replaced one by one, each when the one before is
// ready, which takes the binding's word.
func gate(t *testing.T, binding *unstructured.Unstructured) {
	t.Helper()
	for _, ds := range read(t, "examples/namespaced/nlb-proxy.yaml", "DaemonSet") {
		gates := []any{map[string]any{"conditionType": "target-health.nlb.crossplane.io/" + binding.GetName()}}
		if err := unstructured.SetNestedSlice(ds.Object, gates, "spec", "template", "spec", "readinessGates"); err != nil {
			t.Fatal(err)
		}
		apply(t, ds)
	}
}

func documentedRole(t *testing.T) *rbacv1.ClusterRole {
	t.Helper()
	role := &rbacv1.ClusterRole{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(read(t, install.Rights, "ClusterRole")[0].Object, role); err != nil {
		t.Fatal(err)
	}
	return role
}

func applyRole(t *testing.T, role *rbacv1.ClusterRole) {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(role)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, &unstructured.Unstructured{Object: content})
}

// restart the provider, with more in its environment.
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
