package crossplane

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"
)

// chartFiles are the templates of Crossplane's chart that are applied: accounts,
// rights, and Secrets to fill. The Deployments run here as processes.
var chartFiles = []string{
	"serviceaccount.yaml", "clusterrole.yaml", "clusterrolebinding.yaml", "secret.yaml",
	"rbac-manager-serviceaccount.yaml", "rbac-manager-clusterrole.yaml", "rbac-manager-clusterrolebinding.yaml",
	"rbac-manager-allowed-provider-permissions.yaml", "rbac-manager-managed-clusterroles.yaml",
}

// renderChart renders the chart in the directory with its own default values, so
// that the rights are those of a real installation. Helm itself is not needed for
// the few functions that these templates use.
func renderChart(dir string) ([][]byte, error) {
	values, chart := map[string]any{}, map[string]any{}
	for file, into := range map[string]*map[string]any{"values.yaml": &values, "Chart.yaml": &chart} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(data, into); err != nil {
			return nil, fmt.Errorf("cannot read %s of the chart: %w", file, err)
		}
	}
	data := map[string]any{
		"Values":  values,
		"Chart":   map[string]any{"Name": chart["name"], "Version": chart["version"], "AppVersion": chart["appVersion"]},
		"Release": map[string]any{"Name": "crossplane", "Namespace": Namespace, "Service": "local"},
	}
	templates := template.New("")
	templates.Funcs(chartFunctions(templates))
	for _, file := range append([]string{"_helpers.tpl"}, chartFiles...) {
		text, err := os.ReadFile(filepath.Join(dir, "templates", file))
		if err != nil {
			return nil, err
		}
		if _, err := templates.New(file).Parse(string(text)); err != nil {
			return nil, err
		}
	}
	var objects [][]byte
	for _, file := range chartFiles {
		var out bytes.Buffer
		if err := templates.ExecuteTemplate(&out, file, data); err != nil {
			return nil, err
		}
		objects = append(objects, slices.Clone(out.Bytes()))
	}
	return objects, nil
}

// chartFunctions are those of Helm's that the templates use.
func chartFunctions(templates *template.Template) template.FuncMap {
	indent := func(n int, text string) string {
		pad := strings.Repeat(" ", n)
		return pad + strings.ReplaceAll(text, "\n", "\n"+pad)
	}
	return template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var out strings.Builder
			err := templates.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"default": func(fallback, value any) any {
			if value == nil || value == "" {
				return fallback
			}
			return value
		},
		"indent":     indent,
		"nindent":    func(n int, text string) string { return "\n" + indent(n, text) },
		"quote":      func(value any) string { return fmt.Sprintf("%q", fmt.Sprint(value)) },
		"replace":    func(from, to, text string) string { return strings.ReplaceAll(text, from, to) },
		"trimSuffix": func(suffix, text string) string { return strings.TrimSuffix(text, suffix) },
		"trunc":      func(n int, text string) string { return text[:min(n, len(text))] },
		"toYaml": func(value any) (string, error) {
			out, err := yaml.Marshal(value)
			return strings.TrimSuffix(string(out), "\n"), err
		},
	}
}
