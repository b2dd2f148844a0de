package apis_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// A crd validates objects as the API server does: defaults, schema, rules.
type crd struct {
	*apiextensionsv1.CustomResourceDefinition

	structural *structuralschema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
}

func (c crd) namespaced() bool { return c.Spec.Scope == apiextensionsv1.NamespaceScoped }

func readCRDs(t *testing.T) map[string]crd {
	t.Helper()

	files, err := filepath.Glob("../package/provider/crds/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no CRDs: %v", err)
	}

	out := map[string]crd{}

	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}

		c := crd{CustomResourceDefinition: &apiextensionsv1.CustomResourceDefinition{}}
		if err := yaml.Unmarshal(data, c.CustomResourceDefinition); err != nil {
			t.Fatal(err)
		}

		internal := &apiextensions.JSONSchemaProps{}
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(c.Spec.Versions[0].Schema.OpenAPIV3Schema, internal, nil); err != nil {
			t.Fatal(err)
		}

		if c.structural, err = structuralschema.NewStructural(internal); err != nil {
			t.Fatal(err)
		}

		if c.schema, _, err = validation.NewSchemaValidator(internal); err != nil {
			t.Fatal(err)
		}

		c.rules = cel.NewValidator(c.structural, true, celconfig.PerCallLimit)
		out[c.Name] = c
	}

	return out
}

// refusals are the messages with which the API server refuses an object; old is
// nil when it is created.
func (c crd) refusals(obj, old map[string]any) []string {
	defaulting.Default(obj, c.structural)

	var previous any
	if old != nil {
		defaulting.Default(old, c.structural)

		previous = old
	}

	var out []string
	for _, e := range validation.ValidateCustomResource(nil, obj, c.schema) {
		out = append(out, e.Error())
	}

	errs, _ := c.rules.Validate(context.Background(), nil, c.structural, obj, previous, celconfig.RuntimeCELCostBudget)
	for _, e := range errs {
		out = append(out, e.Detail)
	}

	return out
}

// messages are those of all rules of a CRD.
func messages(p apiextensionsv1.JSONSchemaProps) []string {
	var out []string
	for _, r := range p.XValidations {
		out = append(out, r.Message)
	}

	for _, c := range p.Properties {
		out = append(out, messages(c)...)
	}

	if p.Items != nil && p.Items.Schema != nil {
		out = append(out, messages(*p.Items.Schema)...)
	}

	if p.AdditionalProperties != nil && p.AdditionalProperties.Schema != nil {
		out = append(out, messages(*p.AdditionalProperties.Schema)...)
	}

	return out
}

// merge returns an object with a patch, which may be empty, merged into it.
func merge(t *testing.T, object, patch string) map[string]any {
	t.Helper()

	out, in := map[string]any{}, map[string]any{}
	for doc, to := range map[string]*map[string]any{object: &out, patch: &in} {
		if err := yaml.Unmarshal([]byte(doc), to); err != nil {
			t.Fatal(err)
		}
	}

	mergeInto(out, in)

	return integers(out).(map[string]any) //nolint:forcetypeassert // It was one.
}

// mergeInto merges as RFC 7386 says: null removes.
func mergeInto(to, from map[string]any) {
	for k, v := range from {
		inner, isMap := v.(map[string]any)
		if v == nil {
			delete(to, k)

			continue
		}

		if !isMap {
			to[k] = v

			continue
		}

		if _, ok := to[k].(map[string]any); !ok {
			to[k] = map[string]any{}
		}

		mergeInto(to[k].(map[string]any), inner) //nolint:forcetypeassert // It was made one.
	}
}

// integers makes whole numbers int64, as the API server decodes them.
func integers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = integers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case float64:
		return int64(v)
	}

	return v
}

// TestRules runs every case against the CRDs of its kind in both scopes.
func TestRules(t *testing.T) {
	all := readCRDs(t)
	refused := map[string][]string{}

	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name]
		for _, tc := range rules {
			if !tc.applies(c) {
				continue
			}

			t.Run(name+"/"+tc.name, func(t *testing.T) {
				base := bases[c.Spec.Names.Kind]
				if !c.namespaced() {
					base = bases["cluster "+c.Spec.Names.Kind]
				}

				var old map[string]any
				fresh := func() map[string]any {
					if tc.old == "" {
						return nil
					}

					return merge(t, base, tc.old)
				}
				old = fresh()

				if got := c.refusals(merge(t, base, tc.accept), old); len(got) > 0 {
					t.Errorf("\n%s\nit should be accepted, but is refused: %q", tc.reason, got)
				}

				got := c.refusals(merge(t, base, tc.refuse), fresh())
				if diff := cmp.Diff([]string{tc.message}, got); diff != "" {
					t.Errorf("\n%s\nwhat the user reads: -want, +got:\n%s", tc.reason, diff)
				}

				refused[name] = append(refused[name], got...)
			})
		}
	}

	for name, c := range all {
		for _, m := range messages(*c.Spec.Versions[0].Schema.OpenAPIV3Schema) {
			if m == "" {
				t.Errorf("%s has a rule without a message", name)
			}

			if !slices.Contains(refused[name], m) {
				t.Errorf("%s has a rule that no case tests: %s", name, m)
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

	for name, c := range readCRDs(t) {
		if strings.Contains(name, "providerconfig") {
			continue
		}

		t.Run(name, func(t *testing.T) {
			obj := map[string]any{"spec": map[string]any{}}
			defaulting.Default(obj, c.structural)

			if diff := cmp.Diff(want, obj["status"]); diff != "" {
				t.Errorf("the default of status: -want, +got:\n%s", diff)
			}
		})
	}
}
