package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const goodMeta = `apiVersion: meta.pkg.crossplane.io/v1
kind: Configuration
metadata:
  name: configuration-edge
  annotations:
    friendly-name.meta.crossplane.io: Edge
    meta.crossplane.io/maintainer: Nobody
    meta.crossplane.io/source: https://example.org
    meta.crossplane.io/license: Apache-2.0
    meta.crossplane.io/description: An example.
spec:
  crossplane:
    version: ">=v2.0.0"
  dependsOn:
    - {apiVersion: pkg.crossplane.io/v1, kind: Function, package: xpkg.crossplane.io/crossplane-contrib/function-edge, version: ">=v0.0.1"}
    - {apiVersion: pkg.crossplane.io/v1, kind: Function, package: xpkg.crossplane.io/crossplane-contrib/function-auto-ready, version: ">=v0.5.0"}
`

const composition = `apiVersion: apiextensions.crossplane.io/v1
kind: Composition
metadata:
  name: edge
spec:
  mode: Pipeline
  pipeline:
    - step: edge
      functionRef:
        name: crossplane-contrib-function-edge
    - step: ready
      functionRef:
        name: crossplane-contrib-function-auto-ready
`

// newSource with these files in its folder.
func newSource(t *testing.T, files map[string]string) (source, error) {
	t.Helper()

	root := t.TempDir()

	for name, content := range files {
		path := filepath.Join(root, "package", "edge", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}

		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	sources, err := findSources(root)
	if err != nil {
		return source{}, err
	}

	return sources[0], nil
}

// Crossplane calls what it installs for a dependency by the path of its repository,
// so that a Composition for another registry calls its functions otherwise.
func TestOurPackagesAreFoundWhereTheyArePublished(t *testing.T) {
	s, err := newSource(t, map[string]string{
		"crossplane.yaml": goodMeta, "README.md": "# Edge\n", "compositions/edge.yaml": composition,
	})
	if err != nil {
		t.Fatal(err)
	}

	stream, err := s.stream(testRelease, []string{"configuration-edge", "function-edge"})
	if err != nil {
		t.Fatal(err)
	}

	dependency := func(pkg, version string) any {
		return map[string]any{"apiVersion": "pkg.crossplane.io/v1", "kind": "Function", "package": pkg, "version": version}
	}
	want := map[string]any{
		"readme": "# Edge\n",
		"dependsOn": []any{
			dependency("registry.example.org/edge/function-edge", ">=v0.1.0"),
			dependency("xpkg.crossplane.io/crossplane-contrib/function-auto-ready", ">=v0.5.0"),
		},
		"pipeline": []any{
			map[string]any{"step": "edge", "functionRef": map[string]any{"name": "edge-function-edge"}},
			map[string]any{"step": "ready", "functionRef": map[string]any{"name": "crossplane-contrib-function-auto-ready"}},
		},
	}
	got := map[string]any{}

	for _, doc := range strings.Split("\n"+stream, "\n---\n") {
		var o struct {
			Metadata struct {
				Annotations map[string]string `json:"annotations"`
			} `json:"metadata"`
			Spec map[string]any `json:"spec"`
		}
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatal(err)
		}

		for _, key := range []string{"dependsOn", "pipeline"} {
			if v, ok := o.Spec[key]; ok {
				got[key] = v
			}
		}

		if readme := o.Metadata.Annotations[annotationReadme]; readme != "" {
			got["readme"] = readme
		}
	}

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the build fills in (-want, +got):\n%s", diff)
	}
}

func TestAPackageThatSaysTooLittleIsRefused(t *testing.T) {
	without := func(line string) string {
		if !strings.Contains(goodMeta, line) {
			t.Fatalf("the good file has no line %q", line)
		}

		return strings.ReplaceAll(goodMeta, line, "")
	}

	cases := map[string]struct {
		meta   string
		want   string
		reason string
	}{
		"Good":          {meta: goodMeta, reason: "Everything is there."},
		"NoName":        {meta: without("  name: configuration-edge\n"), want: "metadata.name is missing", reason: "It has no place in a registry."},
		"NoTitle":       {meta: without("    friendly-name.meta.crossplane.io: Edge\n"), want: "friendly-name.meta.crossplane.io is missing", reason: "Marketplaces show it."},
		"NoMaintainer":  {meta: without("    meta.crossplane.io/maintainer: Nobody\n"), want: "maintainer is missing", reason: "Nobody could be asked."},
		"NoSource":      {meta: without("    meta.crossplane.io/source: https://example.org\n"), want: "source is missing", reason: "Nobody could build it again."},
		"NoLicense":     {meta: without("    meta.crossplane.io/license: Apache-2.0\n"), want: "license is missing", reason: "Nobody could use it."},
		"NoDescription": {meta: without("    meta.crossplane.io/description: An example.\n"), want: "description is missing", reason: "Registries show it."},
		"NoConstraint":  {meta: without("  crossplane:\n    version: \">=v2.0.0\"\n"), want: "spec.crossplane.version is missing", reason: "It would be installed where it cannot work."},
		"TwoReadmes": {
			meta:   strings.ReplaceAll(goodMeta, "    meta.crossplane.io/license", "    meta.crossplane.io/readme: Hello\n    meta.crossplane.io/license"),
			want:   "meta.crossplane.io/readme is taken from package/edge/README.md",
			reason: "One of them would be forgotten.",
		},
		"NotYAML": {meta: "{", want: "package/edge/crossplane.yaml", reason: "The message names the file."},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := newSource(t, map[string]string{"crossplane.yaml": tc.meta})

			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("\n%s\ngot error: %v\nwant: %q", tc.reason, err, tc.want)
			}
		})
	}
}
