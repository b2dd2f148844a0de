package install_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/test/install"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// TestOnlyWhatTheConfigurationNamesIsActive: Crossplane activates nothing by itself
// here, so what is active is what the Configuration's policy names.
func TestOnlyWhatTheConfigurationNamesIsActive(t *testing.T) {
	var want []string
	for _, o := range read(t, "package/configuration/activation.yaml") {
		named, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "activate")
		want = append(want, named...)
	}
	slices.Sort(want)
	until(t, "the kinds that claims are made of are active", func(ctx context.Context) error {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.crossplane.io", Version: "v1alpha1", Kind: "ManagedResourceDefinitionList"})
		if err := it.Client().List(ctx, list); err != nil {
			return err
		}
		var active []string
		for _, o := range list.Items {
			if status, _, _ := condition(&o, "Established"); status == "True" {
				active = append(active, o.GetName())
			}
		}
		slices.Sort(active)
		if diff := cmp.Diff(want, active); diff != "" {
			return fmt.Errorf("(-want, +got):\n%s", diff)
		}
		return nil
	})
}

// TestProviderRunsAsTheDocumentedAccount: the rights of rbac.yaml are for it.
func TestProviderRunsAsTheDocumentedAccount(t *testing.T) {
	account, revision, err := it.Crossplane.ProviderAccount(t.Context(), install.Provider)
	if err != nil {
		t.Fatal(err)
	}
	if want := (client.ObjectKey{Namespace: stack.Namespace, Name: "provider-nlb"}); account != want {
		t.Errorf("the ServiceAccount of revision %s is %s, want %s", revision, account, want)
	}
	until(t, "both replicas are there", func(ctx context.Context) error {
		pods := &corev1.PodList{}
		if err := it.Client().List(ctx, pods, client.InNamespace(stack.Namespace), client.MatchingLabels{"pkg.crossplane.io/revision": revision}); err != nil {
			return err
		}
		for _, p := range pods.Items {
			if p.Spec.PriorityClassName != "system-cluster-critical" {
				return fmt.Errorf("pod %s has priority %q", p.Name, p.Spec.PriorityClassName)
			}
		}
		if len(pods.Items) != 2 {
			return fmt.Errorf("there are %d pods", len(pods.Items))
		}
		return nil
	})
}

// TestChangeLogsExampleIsAccepted: a runtime configuration besides the documented
// one, that replaces it.
func TestChangeLogsExampleIsAccepted(t *testing.T) {
	example := read(t, "examples/runtime/changelogs.yaml")[0]
	if err := it.Client().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(example), client.DryRunAll, client.FieldOwner("e2e"), client.ForceOwnership); err != nil {
		t.Error(err)
	}
	containers := func(o *unstructured.Unstructured) []any {
		found, _, _ := unstructured.NestedSlice(o.Object, "spec", "deploymentTemplate", "spec", "template", "spec", "containers")
		return found
	}
	documented := read(t, install.Runtime)[0]
	if example.GetName() != documented.GetName() {
		t.Errorf("it replaces %s, not %s", documented.GetName(), example.GetName())
	}
	program, _ := containers(example)[0].(map[string]any)
	usual, _ := containers(documented)[0].(map[string]any)
	args, _ := usual["args"].([]any)
	if diff := cmp.Diff(append(args, "--enable-changelogs"), program["args"]); diff != "" {
		t.Errorf("the provider's arguments: (-want, +got):\n%s", diff)
	}
}
