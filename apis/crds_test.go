package apis_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/crdtest"
)

const crds = "../package/provider/crds/*.yaml"

// TestRules runs every case against the CRDs of its kind in both scopes.
func TestRules(t *testing.T) {
	all := crdtest.Read(t, crds)
	refused := map[string][]string{}

	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name]
		for _, tc := range rules {
			if !tc.applies(c) {
				continue
			}

			t.Run(name+"/"+tc.name, func(t *testing.T) {
				base := bases[c.Spec.Names.Kind]
				if !c.Namespaced() {
					base = bases["cluster "+c.Spec.Names.Kind]
				}

				var old map[string]any
				fresh := func() map[string]any {
					if tc.old == "" {
						return nil
					}

					return crdtest.Merge(t, base, tc.old)
				}
				old = fresh()

				if got := c.Refusals(crdtest.Merge(t, base, tc.accept), old); len(got) > 0 {
					t.Errorf("\n%s\nit should be accepted, but is refused: %q", tc.reason, got)
				}

				got := c.Refusals(crdtest.Merge(t, base, tc.refuse), fresh())
				if diff := cmp.Diff([]string{tc.message}, got); diff != "" {
					t.Errorf("\n%s\nwhat the user reads: -want, +got:\n%s", tc.reason, diff)
				}

				refused[name] = append(refused[name], c.Broken(crdtest.Merge(t, base, tc.refuse), fresh())...)
			})
		}
	}

	for name, c := range all {
		seen := map[string]bool{}

		for _, r := range c.Rules() {
			if seen[r] {
				t.Errorf("%s has two rules that users cannot tell apart, so that one may be untested: %s", name, r)
			}

			seen[r] = true

			if strings.HasSuffix(r, ": ") {
				t.Errorf("%s has a rule without a message: %s", name, r)
			}

			if !slices.Contains(refused[name], r) {
				t.Errorf("%s has a rule that no case tests: %s", name, r)
			}
		}
	}
}

// TestStatusDefault holds what GitOps tools see before the first reconcile.
func TestStatusDefault(t *testing.T) {
	want := map[string]any{"observedGeneration": int64(-1), "conditions": []any{
		map[string]any{"type": "Synced", "status": "Unknown", "reason": "Pending", "lastTransitionTime": "1970-01-01T00:00:00Z"},
		map[string]any{"type": "Ready", "status": "Unknown", "reason": "Pending", "lastTransitionTime": "1970-01-01T00:00:00Z"},
	}}

	for name, c := range crdtest.Read(t, crds) {
		if strings.Contains(name, "providerconfig") {
			continue
		}

		t.Run(name, func(t *testing.T) {
			obj := map[string]any{"spec": map[string]any{}}
			c.Default(obj)

			if diff := cmp.Diff(want, obj["status"]); diff != "" {
				t.Errorf("the default of status: -want, +got:\n%s", diff)
			}
		})
	}
}
