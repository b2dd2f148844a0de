// Package crdtest is for tests: it validates objects against
// CustomResourceDefinitions as the API server does, without one.
package crdtest

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// A CRD validates objects: defaults, schema, rules.
type CRD struct {
	*apiextensionsv1.CustomResourceDefinition

	structural *structuralschema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
}

// Namespaced says whether objects are in namespaces.
func (c CRD) Namespaced() bool { return c.Spec.Scope == apiextensionsv1.NamespaceScoped }

// Read returns the CRDs of files, by name.
func Read(t *testing.T, pattern string) map[string]CRD {
	t.Helper()

	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no CRDs: %v", err)
	}

	out := map[string]CRD{}

	for _, f := range files {
		data, err := os.ReadFile(f) //nolint:gosec // A test names the files.
		if err != nil {
			t.Fatal(err)
		}

		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(data, crd); err != nil {
			t.Fatal(err)
		}

		out[crd.Name] = New(t, crd)
	}

	return out
}

// New returns a CRD that validates objects of its first version.
func New(t *testing.T, crd *apiextensionsv1.CustomResourceDefinition) CRD {
	t.Helper()

	c := CRD{CustomResourceDefinition: crd}

	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(c.Spec.Versions[0].Schema.OpenAPIV3Schema, internal, nil); err != nil {
		t.Fatal(err)
	}

	var err error
	if c.structural, err = structuralschema.NewStructural(internal); err != nil {
		t.Fatal(err)
	}

	if c.schema, _, err = validation.NewSchemaValidator(internal); err != nil {
		t.Fatal(err)
	}

	c.rules = cel.NewValidator(c.structural, true, celconfig.PerCallLimit)

	return c
}

// Refusals are the messages with which the API server refuses an object, as it does
// for server-side apply: fields that it does not know included. Old is nil when the
// object is created.
func (c CRD) Refusals(obj, old map[string]any) []string {
	var out []string
	for _, path := range pruning.PruneWithOptions(obj, c.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		out = append(out, "unknown field "+path)
	}

	c.Default(obj)

	var previous any
	if old != nil {
		c.Default(old)

		previous = old
	}

	for _, e := range validation.ValidateCustomResource(nil, obj, c.schema) {
		out = append(out, e.Error())
	}

	for _, e := range c.violations(obj, previous) {
		out = append(out, e.Detail)
	}

	return out
}

func (c CRD) violations(obj map[string]any, old any) field.ErrorList {
	errs, _ := c.rules.Validate(context.Background(), nil, c.structural, obj, old, celconfig.RuntimeCELCostBudget)

	return errs
}

// place is an index of a list or a key of a map in the path of a field.
var place = regexp.MustCompile(`\[[^]]*]`)

// Broken are the rules that an object breaks, as Rules has them.
func (c CRD) Broken(obj, old map[string]any) []string {
	c.Default(obj)

	var previous any
	if old != nil {
		c.Default(old)

		previous = old
	}

	var out []string
	for _, e := range c.violations(obj, previous) {
		out = append(out, place.ReplaceAllString(e.Field, "[]")+": "+e.Detail)
	}

	return out
}

// Rules are all rules of the schema: each is the path of the field that it stands at,
// and its message.
func (c CRD) Rules() []string {
	return rulesAt("", *c.Spec.Versions[0].Schema.OpenAPIV3Schema)
}

func rulesAt(path string, p apiextensionsv1.JSONSchemaProps) []string {
	var out []string
	for _, r := range p.XValidations {
		out = append(out, path+": "+r.Message)
	}

	for name, c := range p.Properties {
		out = append(out, rulesAt(strings.TrimPrefix(path+"."+name, "."), c)...)
	}

	if p.Items != nil && p.Items.Schema != nil {
		out = append(out, rulesAt(path+"[]", *p.Items.Schema)...)
	}

	if p.AdditionalProperties != nil && p.AdditionalProperties.Schema != nil {
		out = append(out, rulesAt(path+"[]", *p.AdditionalProperties.Schema)...)
	}

	return out
}

// Default sets the defaults of the schema.
func (c CRD) Default(obj map[string]any) { defaulting.Default(obj, c.structural) }

// Merge returns an object with a patch, which may be empty, merged into it.
func Merge(t *testing.T, object, patch string) map[string]any {
	t.Helper()

	out, in := map[string]any{}, map[string]any{}
	for doc, to := range map[string]*map[string]any{object: &out, patch: &in} {
		if err := yaml.Unmarshal([]byte(doc), to); err != nil {
			t.Fatal(err)
		}
	}

	mergeInto(out, in)

	return Integers(out).(map[string]any) //nolint:forcetypeassert // It was one.
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

// Integers makes whole numbers int64, as the API server decodes them.
func Integers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = Integers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = Integers(v[i])
		}
	case float64:
		return int64(v)
	}

	return v
}
