package crossplane_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/crossplane"
)

// A Configuration package with one composite resource, which becomes a ConfigMap
// with the composite's text.
const configuration = `
apiVersion: meta.pkg.crossplane.io/v1
kind: Configuration
metadata: {name: configuration-greeting}
spec:
  crossplane: {version: ">=v2.4.0"}
  dependsOn:
  - {apiVersion: pkg.crossplane.io/v1, kind: Function, package: %[1]s/crossplane-contrib/function-patch-and-transform, version: ">=v0.10.0"}
  - {apiVersion: pkg.crossplane.io/v1, kind: Function, package: %[1]s/crossplane-contrib/function-auto-ready, version: ">=v0.5.0"}
---
apiVersion: apiextensions.crossplane.io/v2
kind: CompositeResourceDefinition
metadata: {name: greetings.example.org}
spec:
  group: example.org
  names: {kind: Greeting, plural: greetings}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    referenceable: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {text: {type: string}}}
---
apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata: {name: greeting}
spec:
  compositeTypeRef: {apiVersion: example.org/v1, kind: Greeting}
  mode: Pipeline
  pipeline:
  - step: compose
    functionRef: {name: function-patch-and-transform}
    input:
      apiVersion: pt.fn.crossplane.io/v1beta1
      kind: Resources
      resources:
      - name: greeting
        readinessChecks: [{type: None}]
        base: {apiVersion: v1, kind: ConfigMap}
        patches: [{type: FromCompositeFieldPath, fromFieldPath: spec.text, toFieldPath: data.text}]
  - step: ready
    functionRef: {name: function-auto-ready}
`

// composer lets Crossplane compose ConfigMaps.
const composer = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: compose-greetings, labels: {rbac.crossplane.io/aggregate-to-crossplane: "true"}}
rules: [{apiGroups: [""], resources: [configmaps], verbs: ["*"]}]
`

const greeting = `
apiVersion: example.org/v1
kind: Greeting
metadata: {namespace: default, name: hello}
spec: {text: %s}
`

func TestConfigurationRendersThroughItsFunctions(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	w := newWorld(ctx, t)

	for _, program := range []local.Program{local.PatchAndTransform, local.AutoReady} {
		began := time.Now()
		if err := w.crossplane.InstallFunction(ctx, w.registry, program); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s runs after %s", program.Name(), time.Since(began).Round(10*time.Millisecond))
	}
	image, err := w.registry.PushPackage(ctx, "example/configuration-greeting", "v1.0.0", fmt.Appendf(nil, configuration, w.registry.Address()))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := w.crossplane.Install(ctx, crossplane.Configuration, "configuration-greeting", image); err != nil {
		t.Fatal(err)
	}
	t.Logf("the configuration is healthy after %s", time.Since(began).Round(10*time.Millisecond))

	for _, text := range []string{"hello", "goodbye"} {
		// The second time with a core that has been restarted.
		if text == "goodbye" {
			if err := errors.Join(w.crossplane.StopCore(), w.crossplane.StartCore(ctx)); err != nil {
				t.Fatal(err)
			}
		}
		began = time.Now()
		if err := w.Apply(ctx, []byte(composer), fmt.Appendf(nil, greeting, text)); err != nil {
			t.Fatal(err)
		}
		until(ctx, t, func() error { return w.composed(ctx, text) })
		t.Logf("%q is composed and ready after %s", text, time.Since(began).Round(10*time.Millisecond))
	}
}

// composed says whether the composite is ready and its ConfigMap has the text.
func (w *world) composed(ctx context.Context, text string) error {
	xr, err := w.get(ctx, "example.org", "v1", "Greeting", client.ObjectKey{Namespace: "default", Name: "hello"})
	if err != nil {
		return err
	}
	refs, _, _ := unstructured.NestedSlice(xr.Object, "spec", "crossplane", "resourceRefs")
	conditions, _, _ := unstructured.NestedSlice(xr.Object, "status", "conditions")
	ready := map[string]any{}
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok {
			ready[fmt.Sprint(c["type"])] = c["status"]
		}
	}
	if len(refs) != 1 || ready["Ready"] != "True" || ready["Synced"] != "True" {
		return fmt.Errorf("the composite is not ready with one resource: %v, %v", refs, conditions)
	}
	name := fmt.Sprint(refs[0].(map[string]any)["name"])
	composed, err := w.get(ctx, "", "v1", "ConfigMap", client.ObjectKey{Namespace: "default", Name: name})
	if err != nil {
		return err
	}
	if diff := cmp.Diff(map[string]any{"text": text}, composed.Object["data"]); diff != "" {
		return fmt.Errorf("the ConfigMap is composed as the Composition says (-want, +got):\n%s", diff)
	}
	return nil
}
