package gitops_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/provider-nlb/provider-nlb/cluster/test/gitops"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// object of a file that has one.
func object(t *testing.T, path string) map[string]any {
	t.Helper()
	o := map[string]any{}
	if err := yaml.UnmarshalStrict(content(t, path), &o); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return o
}

// objects of a file, each by its name.
func objects(t *testing.T, path string) map[string]map[string]any {
	t.Helper()
	list, err := stack.Decode(content(t, path))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	out := map[string]map[string]any{}
	for _, o := range list {
		out[o.GetName()] = o.Object
	}
	return out
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// built are the files that a kustomization applies, each with the annotations that
// it gets on the way.
func built(t *testing.T, dir string) map[string]map[string]string {
	t.Helper()
	k := object(t, filepath.Join(dir, "kustomization.yaml"))
	if k["kind"] != "Kustomization" || k["apiVersion"] != "kustomize.config.k8s.io/v1beta1" {
		t.Fatalf("%s has no kustomization: %v", dir, k)
	}
	annotations, _, err := unstructured.NestedStringMap(k, "commonAnnotations")
	if err != nil {
		t.Fatal(err)
	}
	resources, _, err := unstructured.NestedStringSlice(k, "resources")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for _, r := range resources {
		path := filepath.Join(dir, r)
		below := map[string]map[string]string{path: {}}
		if filepath.Ext(r) != ".yaml" {
			below = built(t, path)
		}
		for file, has := range below {
			for key, value := range annotations {
				has[key] = value
			}
			out[file] = has
		}
	}
	return out
}

// fluxSteps are the Kustomizations of the layout, by name.
func fluxSteps(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(stack.Path(gitops.Layout), "flux", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no Kustomizations: %v", err)
	}
	steps := map[string]map[string]any{}
	for _, f := range files {
		o := object(t, f)
		if o["kind"] != "Kustomization" || o["apiVersion"] != "kustomize.toolkit.fluxcd.io/v1" {
			t.Fatalf("%s is no Kustomization of Flux", f)
		}
		name, _, _ := unstructured.NestedString(o, "metadata", "name")
		steps[name] = o
	}
	return steps
}

// path is the directory in the layout that a field names.
func path(t *testing.T, o map[string]any, fields ...string) string {
	t.Helper()
	p, ok, err := unstructured.NestedString(o, fields...)
	if !ok || err != nil {
		t.Fatalf("%v is not there: %v", fields, err)
	}
	return filepath.Join(stack.Path(gitops.Layout), p)
}

// manifests are all files of the layout but those of kustomize and of a tool.
func manifests(t *testing.T) (found []string) {
	t.Helper()
	root := stack.Path(gitops.Layout)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p == filepath.Join(root, "flux") || p == filepath.Join(root, "argocd") {
			return filepath.SkipDir
		}
		if !d.IsDir() && d.Name() != "kustomization.yaml" {
			found = append(found, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func sorted(files map[string]map[string]string) []string {
	var names []string
	for f := range files {
		names = append(names, f)
	}
	slices.Sort(names)
	return names
}

// TestBothToolsApplyEverything: a manifest that nobody applies is no part of a
// layout.
func TestBothToolsApplyEverything(t *testing.T) {
	want := manifests(t)
	flux := map[string]map[string]string{}
	for _, step := range fluxSteps(t) {
		for file := range built(t, path(t, step, "spec", "path")) {
			flux[file] = nil
		}
	}
	if diff := cmp.Diff(want, sorted(flux)); diff != "" {
		t.Errorf("what Flux applies (-want, +got):\n%s", diff)
	}
	argocd := map[string]map[string]string{}
	for _, app := range objects(t, stack.Path(gitops.Layout+"/argocd/applications.yaml")) {
		for file := range built(t, path(t, app, "spec", "source", "path")) {
			if filepath.Base(filepath.Dir(file)) != "kinds" { // Argo CD waits for them, and Flux for the packages
				argocd[file] = nil
			}
		}
	}
	if diff := cmp.Diff(want, sorted(argocd)); diff != "" {
		t.Errorf("what Argo CD applies (-want, +got):\n%s", diff)
	}
}

// TestTheOrderIsTheSame: packages, settings, and then what the team has; and no tool
// removes a package because it is missing in Git.
func TestTheOrderIsTheSame(t *testing.T) {
	steps := fluxSteps(t)
	for name, before := range map[string][]any{
		"packages": nil,
		"settings": {map[string]any{"name": "packages"}},
		"edge":     {map[string]any{"name": "settings"}},
	} {
		got, _, _ := unstructured.NestedSlice(steps[name], "spec", "dependsOn")
		if diff := cmp.Diff(before, got); diff != "" {
			t.Errorf("what Flux applies before %s (-want, +got):\n%s", name, diff)
		}
	}
	if prune, ok, _ := unstructured.NestedBool(steps["packages"], "spec", "prune"); prune || !ok {
		t.Error("Flux must not prune packages")
	}
	const wave, options = "argocd.argoproj.io/sync-wave", "argocd.argoproj.io/sync-options"
	for app, want := range map[string]map[string]map[string]string{
		// One wave: Argo CD waits for no health, and takes no package for failed that is being installed.
		"edge-packages": {"packages": {options: "Prune=false,Delete=false"}},
		"edge-cluster":  {"kinds": {wave: "-2"}, "settings": {wave: "-1"}, "edge": {}},
	} {
		source := objects(t, stack.Path(gitops.Layout+"/argocd/applications.yaml"))[app]
		for file, has := range built(t, path(t, source, "spec", "source", "path")) {
			if diff := cmp.Diff(want[filepath.Base(filepath.Dir(file))], has); diff != "" {
				t.Errorf("Argo CD's annotations of %s (-want, +got):\n%s", file, diff)
			}
		}
	}
}

// TestArgoCDWaitsForTheKinds: of each kind that a package brings and a later wave
// is of, the first wave has a usage, which is Ready when the kind is there.
func TestArgoCDWaitsForTheKinds(t *testing.T) {
	used := map[string]bool{}
	for name, usage := range objects(t, stack.Path(gitops.Layout+"/argocd/cluster/kinds/usages.yaml")) {
		if usage["kind"] != "ClusterUsage" || usage["apiVersion"] != "protection.crossplane.io/v1beta1" {
			t.Errorf("%s is no usage", name)
		}
		if kind, _, _ := unstructured.NestedString(usage, "spec", "of", "kind"); kind != "CustomResourceDefinition" {
			t.Errorf("%s is of a %s", name, kind)
		}
		crd, _, _ := unstructured.NestedString(usage, "spec", "of", "resourceRef", "name")
		used[crd] = true
	}
	want := map[string]bool{}
	for file := range built(t, stack.Path(gitops.Layout+"/argocd/cluster")) {
		for _, o := range objects(t, file) {
			kind := (&unstructured.Unstructured{Object: o}).GroupVersionKind()
			if strings.HasSuffix(kind.Group, "nlb.m.crossplane.io") || strings.HasSuffix(kind.Group, "edge.nlb.crossplane.io") {
				want[strings.ToLower(kind.Kind)+"s."+kind.Group] = true
			}
		}
	}
	if diff := cmp.Diff(want, used); diff != "" {
		t.Errorf("the kinds that are waited for (-want, +got):\n%s", diff)
	}
}

// TestFluxWaitsForEveryPackage: a package that is added must be waited for, too.
func TestFluxWaitsForEveryPackage(t *testing.T) {
	packages, err := stack.Decode(content(t, stack.Path(gitops.Layout+"/packages/packages.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	xrd := object(t, stack.Path("package/configuration/xrds/networkloadbalancers.yaml"))
	var want []any
	for _, o := range append(packages, &unstructured.Unstructured{Object: xrd}) {
		want = append(want, map[string]any{"apiVersion": o.GetAPIVersion(), "kind": o.GetKind(), "name": o.GetName()})
	}
	step := fluxSteps(t)["packages"]
	got, _, _ := unstructured.NestedSlice(step, "spec", "healthChecks")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what Flux waits for (-want, +got):\n%s", diff)
	}
	for _, each := range got {
		check, _ := each.(map[string]any)
		if expressions(t, step, check["kind"])["current"] == nil {
			t.Errorf("Flux would take a %s for healthy that has no condition yet", check["kind"])
		}
	}
}

// expressions of a step by which Flux judges a kind.
func expressions(t *testing.T, step map[string]any, kind any) map[string]any {
	t.Helper()
	list, _, _ := unstructured.NestedSlice(step, "spec", "healthCheckExprs")
	for _, each := range list {
		if e, _ := each.(map[string]any); e["kind"] == kind {
			return e
		}
	}
	return nil
}

// TestFluxJudges evaluates the expressions as Flux does: each field of an object
// is a variable, and an expression that cannot be evaluated does not hold.
func TestFluxJudges(t *testing.T) {
	condition := func(kind, status string, generation int) any {
		return map[string]any{"type": kind, "status": status, "observedGeneration": generation}
	}
	// Crossplane writes what a function says without a generation.
	stalled := map[string]any{"type": "Stalled", "status": "True"}
	status := func(conditions ...any) map[string]any { return map[string]any{"conditions": conditions} }
	for _, tc := range []struct {
		name, reason string
		step, kind   string
		spec, status map[string]any
		want         string
	}{
		{name: "NewClaim", reason: "A claim that nobody has seen is not served.", step: "edge", kind: "NetworkLoadBalancer", want: "InProgress"},
		{
			name: "ChangedClaim", reason: "What was ready before a change says nothing about the change.", step: "edge", kind: "NetworkLoadBalancer",
			status: status(condition("Synced", "True", 1), condition("Ready", "True", 1)), want: "InProgress",
		},
		{
			name: "ClaimBeingMade", reason: "Not ready is no failure.", step: "edge", kind: "NetworkLoadBalancer",
			status: status(condition("Synced", "True", 2), condition("Ready", "False", 2)), want: "InProgress",
		},
		{
			name: "ReadyClaim", reason: "Ready for the latest change is healthy.", step: "edge", kind: "NetworkLoadBalancer",
			status: status(condition("Synced", "True", 2), condition("Ready", "True", 2)), want: "Current",
		},
		{
			name: "StalledClaim", reason: "What only a commit can heal fails at once.", step: "edge", kind: "NetworkLoadBalancer",
			status: status(stalled, condition("Synced", "True", 2), condition("Ready", "True", 2)), want: "Failed",
		},
		{
			name: "StalledBefore", reason: "A change may have healed it.", step: "edge", kind: "NetworkLoadBalancer",
			status: status(stalled, condition("Synced", "True", 1), condition("Ready", "False", 1)), want: "InProgress",
		},
		{
			name: "HealedClaim", reason: "It was stalled once.", step: "edge", kind: "NetworkLoadBalancer",
			status: status(map[string]any{"type": "Stalled", "status": "False"}, condition("Synced", "True", 2), condition("Ready", "True", 2)), want: "Current",
		},
		{name: "NewPackage", reason: "A package that nobody has seen is not installed.", step: "packages", kind: "Provider", want: "InProgress"},
		{
			name: "OldPackage", reason: "The version before the upgrade is not the one that Git asks for.", step: "packages", kind: "Function",
			spec:   map[string]any{"package": "x:v2"},
			status: map[string]any{"currentIdentifier": "x:v1", "conditions": []any{condition("Installed", "True", 1), condition("Healthy", "True", 1)}},
			want:   "InProgress",
		},
		{
			name: "UnhealthyPackage", reason: "Installed alone is not enough.", step: "packages", kind: "Configuration",
			spec:   map[string]any{"package": "x:v2"},
			status: map[string]any{"currentIdentifier": "x:v2", "conditions": []any{condition("Installed", "True", 2), condition("Healthy", "False", 2)}},
			want:   "InProgress",
		},
		{
			name: "HealthyPackage", reason: "The version that Git asks for is healthy.", step: "packages", kind: "Provider",
			spec:   map[string]any{"package": "x:v2"},
			status: map[string]any{"currentIdentifier": "x:v2", "conditions": []any{condition("Healthy", "True", 2), condition("Installed", "True", 2)}},
			want:   "Current",
		},
		{
			name: "NewXRD", reason: "The API server does not serve the kind yet.", step: "packages", kind: "CompositeResourceDefinition",
			status: status(), want: "InProgress",
		},
		{
			name: "EstablishedXRD", reason: "The API server serves the kind.", step: "packages", kind: "CompositeResourceDefinition",
			status: status(condition("Established", "True", 1)), want: "Current",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := map[string]any{"metadata": map[string]any{"generation": 2}, "spec": tc.spec}
			if tc.status != nil {
				o["status"] = tc.status
			}
			rules, got := expressions(t, fluxSteps(t)[tc.step], tc.kind), "InProgress"
			if rules == nil {
				t.Fatalf("Flux has no rule for a %s", tc.kind)
			}
			switch {
			case holds(t, rules["failed"], o):
				got = "Failed"
			case holds(t, rules["current"], o):
				got = "Current"
			}
			if got != tc.want {
				t.Errorf("%s Got %s, want %s.", tc.reason, got, tc.want)
			}
		})
	}
}

func holds(t *testing.T, expression any, o map[string]any) bool {
	t.Helper()
	text, _ := expression.(string)
	if strings.TrimSpace(text) == "" {
		return false
	}
	var variables []cel.EnvOption
	for _, name := range []string{"metadata", "spec", "status"} {
		variables = append(variables, cel.Variable(name, cel.DynType))
	}
	env, err := cel.NewEnv(variables...)
	if err != nil {
		t.Fatal(err)
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := env.Program(ast)
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := program.Eval(o)
	return err == nil && value.Value() == true
}
