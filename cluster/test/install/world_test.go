package install_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

const namespace = "edge"

// until polls until there is no error any more.
func until(t *testing.T, reason string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	began := time.Now()
	if err := local.Poll(ctx, func() (bool, error) { err := try(ctx); return err == nil, err }); err != nil {
		t.Fatalf("%s: %v", reason, err)
	}
	t.Logf("%s: after %s", reason, time.Since(began).Round(100*time.Millisecond))
}

// read the objects of example files that are of one of the kinds; of all kinds, if
// none is named.
func read(t *testing.T, file string, kinds ...string) (found []*unstructured.Unstructured) {
	t.Helper()
	data, err := os.ReadFile(stack.Path(file))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := stack.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if len(kinds) == 0 || slices.Contains(kinds, o.GetKind()) {
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has none of %v", file, kinds)
	}
	return found
}

// apply objects, as kubectl apply --server-side does.
func apply(t *testing.T, objects ...*unstructured.Unstructured) {
	t.Helper()
	for _, o := range objects {
		if err := tryApply(t.Context(), o); err != nil {
			t.Fatalf("cannot apply %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

func tryApply(ctx context.Context, o *unstructured.Unstructured) error {
	return it.Client().Apply(ctx, client.ApplyConfigurationFromUnstructured(o.DeepCopy()), client.FieldOwner("e2e"), client.ForceOwnership)
}

// now is an object as the API server has it.
func now(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(o.GroupVersionKind())
	return u, it.Client().Get(ctx, client.ObjectKeyFromObject(o), u)
}

// object names an object.
func object(group, version, kind, ns, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: group, Version: version, Kind: kind})
	u.SetNamespace(ns)
	u.SetName(name)
	return u
}

// condition of an object: its status, reason and message.
func condition(o *unstructured.Unstructured, conditionType string) (status, reason, message string) {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, each := range list {
		if c, _ := each.(map[string]any); c["type"] == conditionType {
			text := func(key string) string { s, _ := c[key].(string); return s }
			return text("status"), text("reason"), text("message")
		}
	}
	return "Unknown", "", ""
}

// ready waits until an object says Ready.
func ready(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	until(t, o.GetKind()+" "+o.GetName()+" is ready", func(ctx context.Context) error {
		u, err := now(ctx, o)
		if err != nil {
			return err
		}
		if status, _, _ := condition(u, "Ready"); status != "True" {
			return fmt.Errorf("%s is not ready: %v", u.GetName(), u.Object["status"])
		}
		return nil
	})
}

// remove objects and wait until they are gone.
func remove(t *testing.T, objects ...*unstructured.Unstructured) {
	t.Helper()
	for _, o := range objects {
		if err := it.Client().Delete(t.Context(), o.DeepCopy(), client.PropagationPolicy("Foreground")); client.IgnoreNotFound(err) != nil {
			t.Fatal(err)
		}
	}
	for _, o := range objects {
		gone(t, o)
	}
}

func gone(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	until(t, o.GetKind()+" "+o.GetName()+" is gone", func(ctx context.Context) error {
		u, err := now(ctx, o)
		if err == nil {
			return fmt.Errorf("%s is there: finalizers %v, status %v", u.GetName(), u.GetFinalizers(), u.Object["status"])
		}
		if kerrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}

// inventory is what AWS holds besides what was there before any claim.
func inventory(ctx context.Context) ([]string, error) {
	lines, err := it.Inventory(ctx, stack.Region)
	return slices.DeleteFunc(lines, func(line string) bool { return slices.Contains(bare, line) }), err
}

// bare is what AWS held before.
var bare []string

// inAWS waits until AWS holds that, and nothing else. Names that AWS has for a
// claim begin with its prefix, which is cut off.
func inAWS(t *testing.T, reason, prefix string, want ...string) {
	t.Helper()
	slices.Sort(want)
	until(t, reason, func(ctx context.Context) error {
		have, err := inventory(ctx)
		for n := range have {
			have[n] = strings.ReplaceAll(have[n], prefix, "X")
		}
		slices.Sort(have)
		if diff := cmp.Diff(want, have, cmpopts.EquateEmpty()); err == nil && diff != "" {
			err = fmt.Errorf("AWS holds (-want, +got):\n%s", diff)
		}
		return err
	})
}
