package composition_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/provider-nlb/provider-nlb/internal/composition"
)

func documents(t *testing.T, file string) []composition.Object {
	t.Helper()

	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	var out []composition.Object

	for docs := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096); ; {
		o := composition.Object{}
		if err := docs.Decode(&o); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}

		out = append(out, o)
	}
}

// TestExamples: every example of a claim is accepted, and so is all that is
// composed for it; the short one has ten lines.
func TestExamples(t *testing.T) {
	environment := documents(t, "../../examples/namespaced/environment.yaml")[0]

	files, err := filepath.Glob("../../examples/*/claim*.yaml")
	if err != nil || len(files) != 4 {
		t.Fatalf("want 4 examples of claims, got %q, %v", files, err)
	}

	files = append(files, "../../examples/gitops/edge/claim.yaml")

	for _, file := range files {
		t.Run(strings.TrimPrefix(file, "../../examples/"), func(t *testing.T) {
			claim := documents(t, file)[0]
			accepted(t, claim)

			kind, spec := text(claim, "kind"), at(claim, "spec").(composition.Object) //nolint:forcetypeassert // It has been accepted.
			if kind == "NetworkLoadBalancerClaim" {
				kind = "XNetworkLoadBalancer"
				// Crossplane writes it with a namespace.
				delete(spec, "writeConnectionSecretToRef")
				// Settings that only claims have by default.
				delete(spec, "compositeDeletePolicy")
			}

			w := newWorld(t, kind, jsonOf(t, composition.Object{"spec": spec}))
			w.required["environment"] = environment
			w.settle()

			if got := w.report("").Problem; got != nil {
				t.Errorf("it has a problem: %v", got)
			}
		})
	}

	data, err := os.ReadFile("../../examples/namespaced/claim.yaml")
	if err != nil {
		t.Fatal(err)
	}

	lines := 0
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			lines++
		}
	}

	if lines > 10 {
		t.Errorf("the short claim has %d lines", lines)
	}
}

// TestPatchAndTransformExample: its resources have no field that our kinds do not
// know, neither in their base nor by a patch.
func TestPatchAndTransformExample(t *testing.T) {
	composed := documents(t, "../../examples/namespaced/composition-patch-and-transform.yaml")[1]
	steps, _ := at(composed, "spec", "pipeline").([]any)
	resources, _ := at(steps[0], "input", "resources").([]any)

	if len(resources) != 8 {
		t.Fatalf("want 8 resources, got %d", len(resources))
	}

	values := map[string]any{"spec.clients": "10.0.0.0/8", "spec.port": 443, "spec.hostPort": 8443, "spec.app": "edge-proxy"}

	for _, r := range resources {
		base := at(r, "base").(composition.Object) //nolint:forcetypeassert // It always has one.
		base["metadata"] = composition.Object{"namespace": "edge", "name": text(r, "name")}

		patches, _ := at(r, "patches").([]any)
		for _, p := range patches {
			if value, ok := values[text(p, "fromFieldPath")]; ok {
				set(base, value, strings.Split(text(p, "toFieldPath"), ".")...)
			}
		}

		accepted(t, clone(t, base))
	}
}

func set(o composition.Object, value any, path ...string) {
	for _, p := range path[:len(path)-1] {
		if _, ok := o[p]; !ok {
			o[p] = composition.Object{}
		}

		o = o[p].(composition.Object) //nolint:forcetypeassert // Made above, or an object in the file.
	}

	o[path[len(path)-1]] = value
}

// TestActivationPolicy: it names the kinds that are composed, and no others.
func TestActivationPolicy(t *testing.T) {
	policy := documents(t, "../../package/configuration/activation.yaml")[0]
	named := map[string]bool{}

	list, _ := at(policy, "spec", "activate").([]any)
	for _, n := range list {
		named[n.(string)] = true //nolint:forcetypeassert // It is a list of names.
	}

	composed := map[string]bool{}

	for _, kind := range []string{"NetworkLoadBalancer", "XNetworkLoadBalancer"} {
		for _, o := range newWorld(t, kind, with(t, "")).settle().objects() {
			if crd, ok := kinds.all[text(o, "apiVersion")+" "+text(o, "kind")]; ok && !strings.HasPrefix(crd.Spec.Group, "edge.") {
				composed[crd.Name] = true
			}
		}
	}

	if a, b := jsonOf(t, named), jsonOf(t, composed); a != b {
		t.Errorf("activated: %s\ncomposed:  %s", a, b)
	}
}

// TestCompositionsFitTheDefinitions: each XRD names a Composition that is for its
// kind.
func TestCompositionsFitTheDefinitions(t *testing.T) {
	kindOf := map[string]string{}

	files, err := filepath.Glob("../../package/configuration/compositions/*.yaml")
	if err != nil || len(files) != 4 {
		t.Fatalf("want 4 Compositions, got %q, %v", files, err)
	}

	for _, f := range files {
		c := documents(t, f)[0]
		kindOf[text(c, "metadata", "name")] = text(c, "spec", "compositeTypeRef", "apiVersion") + " " + text(c, "spec", "compositeTypeRef", "kind")
	}

	files, err = filepath.Glob("../../package/configuration/xrds/*.yaml")
	if err != nil || len(files) != 4 {
		t.Fatalf("want 4 XRDs, got %q, %v", files, err)
	}

	for _, f := range files {
		xrd := documents(t, f)[0]
		want := text(xrd, "spec", "group") + "/v1alpha1 " + text(xrd, "spec", "names", "kind")

		if got := kindOf[text(xrd, "spec", "defaultCompositionRef", "name")]; got != want {
			t.Errorf("%s: its Composition is for %q", want, got)
		}
	}

	for kind, path := range map[string][]string{
		"NetworkLoadBalancer":  {"spec", "crossplane", "compositionRef", "name"},
		"XNetworkLoadBalancer": {"spec", "compositionRef", "name"},
	} {
		w := newWorld(t, kind, with(t, "")).settle()
		port := w.objects()["/port-443"]

		if got, want := kindOf[text(port, path...)], text(port, "apiVersion")+" "+text(port, "kind"); got != want {
			t.Errorf("%s: the Composition that is chosen is for %q", want, got)
		}
	}
}
