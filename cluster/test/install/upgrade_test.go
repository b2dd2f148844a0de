package install_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local/crossplane"
	"github.com/provider-nlb/provider-nlb/cluster/test/install"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// TestUpgradeAndUninstall is the last: it removes what the others need.
func TestUpgradeAndUninstall(t *testing.T) {
	const n = 4
	workload(t, n)
	claim := read(t, styles[0].file)[0]
	apply(t, claim)
	ready(t, claim)
	x := "edge-edge"
	serves(t, x, n, 443, 8443)
	kept := keptGroup(t)

	before := len(it.ProviderCalls())
	upgrade(t)
	// A node more is a write that only the new version can make.
	workload(t, n+1)
	serves(t, x, n+1, 443, 8443)
	handedOver(t, before)

	remove(t, claim)
	left := []string{"security group kept", "rule of kept: out, to 0.0.0.0/0, all"}
	inAWS(t, "of the claim nothing is left", x, left...)
	uninstall(t, kept)
	inAWS(t, "what was to be kept is there, and nothing else", x, left...)
}

// keptGroup is a security group that nobody may delete in AWS.
func keptGroup(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	kept := object("nlb.m.crossplane.io", "v1alpha1", "SecurityGroup", namespace, "kept")
	kept.Object["spec"] = map[string]any{
		"managementPolicies": []any{"Create", "Observe", "Update"},
		"forProvider":        map[string]any{"region": stack.Region, "vpcId": stack.VPC, "name": "kept", "description": "kept"},
	}
	apply(t, kept)
	ready(t, kept)
	return kept
}

// upgrade in the documented order, as Git would: the packages have another version.
func upgrade(t *testing.T) {
	t.Helper()
	if err := it.Publish(t.Context(), install.Later); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	change := func(kind crossplane.Kind, name string) {
		t.Helper()
		for _, o := range read(t, install.Packages, string(kind)) {
			if o.GetName() == name {
				pkg, _, _ := unstructured.NestedString(o.Object, "spec", "package")
				if err := unstructured.SetNestedField(o.Object, strings.Replace(pkg, install.Version, install.Later, 1), "spec", "package"); err != nil {
					t.Fatal(err)
				}
				apply(t, o)
			}
		}
		if err := it.Crossplane.WaitHealthy(ctx, kind, name); err != nil {
			t.Fatal(err)
		}
	}
	change(crossplane.Provider, install.Provider)
	replaced(ctx, t)
	change(crossplane.Function, install.Function)
	if err := it.RunFunction(ctx, install.Later); err != nil {
		t.Fatal(err)
	}
	change(crossplane.Configuration, install.Configuration)
}

// replaced lets the new version's pod come, and the old one end after it, as the
// kubelet does.
func replaced(ctx context.Context, t *testing.T) {
	t.Helper()
	later, err := it.RunProvider(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if later == provider {
		t.Fatalf("the upgrade runs another program, not %s again", later)
	}
	until(t, "Crossplane has removed the old version's pods", func(ctx context.Context) error {
		list := &appsv1.DeploymentList{}
		err := it.Client().List(ctx, list, client.InNamespace(stack.Namespace))
		for _, d := range list.Items {
			if strings.HasSuffix(d.Spec.Template.Spec.Containers[0].Image, "provider-nlb:"+install.Version) {
				return fmt.Errorf("deployment %s is there", d.Name)
			}
		}
		return err
	})
	if err := it.StopProcess(provider); err != nil {
		t.Fatal(err)
	}
	provider = later
}

// handedOver checks the calls since the upgrade began.
func handedOver(t *testing.T, before int) {
	t.Helper()
	writes := map[string]int{}
	for _, call := range it.ProviderCalls()[before:] {
		if call.Action == "DeregisterTargets" {
			t.Errorf("an upgrade deregisters nothing, got %v", call.Params)
		}
		if strings.HasPrefix(call.Action, "Describe") {
			continue
		}
		for _, version := range []string{install.Version, install.Later} {
			if strings.Contains(call.UserAgent, "provider-nlb/"+version) {
				writes[version]++
			}
		}
		if writes[install.Later] > 0 && strings.Contains(call.UserAgent, "provider-nlb/"+install.Version) {
			t.Errorf("%s by the old version after the new one has written", call.Action)
		}
	}
	if writes[install.Later] == 0 {
		t.Errorf("the new version has registered the new node's target, got writes %v", writes)
	}
	t.Logf("writes: %v", writes)
}

// uninstall in the order of docs/install.md.
func uninstall(t *testing.T, resources ...*unstructured.Unstructured) {
	t.Helper()
	remove(t, resources...)
	until(t, "no managed resource is left", none)
	remove(t, read(t, "examples/namespaced/environment.yaml")...)
	remove(t, read(t, "examples/namespaced/clusterproviderconfig.yaml")...)
	remove(t, read(t, "examples/cluster/providerconfig.yaml")...)
	packages := read(t, install.Packages)
	slices.Reverse(packages) // the Configuration first, the provider last
	for _, o := range packages {
		remove(t, o)
	}
	if err := it.StopProcess(provider); err != nil { // its pods go with its package
		t.Fatal(err)
	}
	remove(t, append(slices.Concat(read(t, install.Runtime), read(t, install.Rights)),
		object("", "v1", "Secret", stack.Namespace, "aws-credentials"), object("", "v1", "ConfigMap", stack.Namespace, "provider-nlb-identity"))...)
	remove(t, object("coordination.k8s.io", "v1", "Lease", stack.Namespace, "provider-nlb"))
	until(t, "nothing of ours is left", forgotten)
}

// forgotten says what is there that has our name.
func forgotten(ctx context.Context) (err error) {
	for _, kind := range []*unstructured.Unstructured{
		object("apiextensions.k8s.io", "v1", "CustomResourceDefinitionList", "", ""),
		object("apiextensions.crossplane.io", "v1alpha1", "ManagedResourceDefinitionList", "", ""),
		object("apiextensions.crossplane.io", "v1alpha1", "ManagedResourceActivationPolicyList", "", ""),
		object("apiextensions.crossplane.io", "v2", "CompositeResourceDefinitionList", "", ""),
		object("apiextensions.crossplane.io", "v1", "CompositionList", "", ""),
		object("rbac.authorization.k8s.io", "v1", "ClusterRoleList", "", ""),
		object("rbac.authorization.k8s.io", "v1", "ClusterRoleBindingList", "", ""),
		object("", "v1", "ServiceAccountList", "", ""),
		object("", "v1", "SecretList", "", ""),
		object("", "v1", "ConfigMapList", "", ""),
		object("", "v1", "ServiceList", "", ""),
		object("apps", "v1", "DeploymentList", "", ""),
		object("coordination.k8s.io", "v1", "LeaseList", "", ""),
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind.GroupVersionKind())
		err = errors.Join(err, it.Client().List(ctx, list))
		for _, o := range list.Items {
			if strings.Contains(o.GetName(), "nlb") {
				err = errors.Join(err, fmt.Errorf("%s %s is there: finalizers %v, deleted %v", o.GetKind(), o.GetName(), o.GetFinalizers(), o.GetDeletionTimestamp()))
			}
		}
	}
	return err
}

// none says which managed resources are there, as kubectl get managed -A does.
func none(ctx context.Context) (err error) {
	for _, group := range []string{"nlb.m.crossplane.io", "nlb.crossplane.io"} {
		for _, kind := range []string{"LoadBalancer", "Listener", "TargetGroup", "TargetGroupBinding", "SecurityGroup", "SecurityGroupRule"} {
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(object(group, "v1alpha1", kind+"List", "", "").GroupVersionKind())
			err = errors.Join(err, it.Client().List(ctx, list))
			for _, o := range list.Items {
				err = errors.Join(err, fmt.Errorf("%s %s is there: %v", kind, o.GetName(), o.Object["status"]))
			}
		}
	}
	return err
}
