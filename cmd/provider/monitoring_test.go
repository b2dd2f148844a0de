package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"

	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/statemetrics"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/binder"
)

// What users install to watch the provider. The rules themselves are tested by
// promtool: make test-alerts.
const (
	monitoring = "../../package/monitoring/"
	runbook    = "../../docs/runbook.md"
)

type alert struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

type ruleGroups struct {
	Groups []struct {
		Name  string
		Rules []alert
	}
}

func parsed[T any](t *testing.T, file string) (out T) {
	t.Helper()

	data, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(data, &out)
	}

	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}

	return out
}

func alerts(t *testing.T) []alert {
	t.Helper()

	var out []alert
	for _, g := range parsed[ruleGroups](t, monitoring+"alerts.yaml").Groups {
		out = append(out, g.Rules...)
	}

	if len(out) == 0 {
		t.Fatal("there are no alerts")
	}

	return out
}

func TestEveryAlertHasARunbookEntry(t *testing.T) {
	text, err := os.ReadFile(runbook)
	if err != nil {
		t.Fatal(err)
	}

	entries := map[string]string{}

	for _, part := range strings.Split(string(text), "\n## ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		entries[strings.TrimSpace(name)] = body
	}

	names := map[string]bool{}

	for _, a := range alerts(t) {
		names[a.Alert] = true

		for _, part := range []string{"**What it means.**", "**Look at.**", "```sh", "**Do.**"} {
			if !strings.Contains(entries[a.Alert], part) {
				t.Errorf("the entry of %s in docs/runbook.md lacks %q", a.Alert, part)
			}
		}

		if want := "docs/runbook.md#" + strings.ToLower(a.Alert); a.Annotations["runbook"] != want {
			t.Errorf("%s names the runbook %q, want %q", a.Alert, a.Annotations["runbook"], want)
		}

		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" || a.For == "" || !slices.Contains([]string{"critical", "warning"}, a.Labels["severity"]) {
			t.Errorf("%s lacks a summary, a description, a time or a severity: %+v", a.Alert, a)
		}
	}

	for name := range entries {
		if strings.HasPrefix(name, "NLB") && !names[name] {
			t.Errorf("docs/runbook.md has an entry for %s, which is no alert", name)
		}
	}
}

// TestTheRunbookFindsTheProvidersPods: Crossplane labels them with the name of the
// Provider object, which is not that of the package.
func TestTheRunbookFindsTheProvidersPods(t *testing.T) {
	packages, err := os.ReadFile("../../examples/gitops/packages/packages.yaml")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`kind: Provider\nmetadata:\n  name: (\S+)`).FindSubmatch(packages)
	if name == nil {
		t.Fatal("there is no Provider in packages.yaml")
	}
	text, err := os.ReadFile(runbook)
	if err != nil {
		t.Fatal(err)
	}
	labels := regexp.MustCompile(`pkg\.crossplane\.io/provider=(\S+)`).FindAllSubmatch(text, -1)
	if len(labels) == 0 {
		t.Error("the runbook looks at no pods of the provider")
	}
	for _, l := range labels {
		if string(l[1]) != string(name[1]) {
			t.Errorf("the runbook looks for pods of %s, and packages.yaml installs %s", l[1], name[1])
		}
	}
}

// TestEveryAlertHasARuleTest: promtool passes a file that tests nothing.
func TestEveryAlertHasARuleTest(t *testing.T) {
	type check struct {
		Alertname string `json:"alertname"`
		Expected  []any  `json:"exp_alerts"`
	}

	tests := parsed[struct {
		Tests []struct {
			Checks []check `json:"alert_rule_test"`
		}
	}](t, monitoring+"alerts_test.yaml")
	fires, rests := map[string]bool{}, map[string]bool{}

	for _, test := range tests.Tests {
		fired := map[string]bool{}

		for _, c := range test.Checks {
			if len(c.Expected) > 0 {
				fires[c.Alertname], fired[c.Alertname] = true, true
			}
		}

		for _, c := range test.Checks {
			rests[c.Alertname] = rests[c.Alertname] || !fired[c.Alertname]
		}
	}

	for _, a := range alerts(t) {
		if !fires[a.Alert] || !rests[a.Alert] {
			t.Errorf("%s needs a test in which it fires and another in which it does not", a.Alert)
		}
	}
}

func TestThePrometheusRuleHasTheSameAlerts(t *testing.T) {
	rule := parsed[struct {
		APIVersion string
		Kind       string
		Spec       ruleGroups
	}](t, monitoring+"prometheusrule.yaml")
	if rule.APIVersion != "monitoring.coreos.com/v1" || rule.Kind != "PrometheusRule" {
		t.Errorf("it is a %s of %s", rule.Kind, rule.APIVersion)
	}

	if diff := cmp.Diff(parsed[ruleGroups](t, monitoring+"alerts.yaml"), rule.Spec); diff != "" {
		t.Errorf("make generate writes it from alerts.yaml: -want, +got:\n%s", diff)
	}
}

// queries are the expressions of the dashboard, by panel or variable.
func queries(t *testing.T) map[string][]string {
	t.Helper()

	data, err := os.ReadFile(monitoring + "dashboard.json")
	if err != nil {
		t.Fatal(err)
	}

	var d struct {
		Panels []struct {
			ID      int
			Type    string
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}

	out, ids := map[string][]string{}, map[int]bool{}

	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}

		ids[p.ID] = true

		for _, target := range p.Targets {
			out[p.Title] = append(out[p.Title], target.Expr)
		}

		if p.Type != "row" && len(out[p.Title]) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
	}

	for _, v := range d.Templating.List {
		if v.Type == "query" {
			out["$"+v.Name] = []string{v.Definition}
		}
	}

	return out
}

// series finds names of metrics in an expression: those of the provider and of the
// runtimes that it is made of.
var series = regexp.MustCompile(`\b(?:provider_nlb|crossplane|controller_runtime|workqueue|rest_client|leader_election|process|go)_\w+`)

func TestEveryMetricThatIsAskedForExists(t *testing.T) {
	exists := registered(t)
	asked := map[string][]string{}

	for _, a := range alerts(t) {
		asked["alert "+a.Alert] = []string{a.Expr}
	}

	for panel, expressions := range queries(t) {
		asked["panel "+panel] = expressions
	}

	shown := map[string]bool{}

	for where, expressions := range asked {
		for _, expression := range expressions {
			names := series.FindAllString(expression, -1)
			if len(names) == 0 {
				t.Errorf("%s asks for no metric: %s", where, expression)
			}

			for _, name := range names {
				base := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")
				shown[name], shown[base] = true, true

				if !exists[name] && !exists[base] {
					t.Errorf("%s asks for %s, which the provider does not have", where, name)
				}
			}
		}
	}

	for name := range exists {
		if strings.HasPrefix(name, "provider_nlb_") && !shown[name] {
			t.Errorf("neither an alert nor the dashboard shows %s", name)
		}
	}
}

// TestEveryMetricIsDocumented in docs/install.md.
func TestEveryMetricIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}

	for name := range registered(t) {
		if strings.HasPrefix(name, "provider_nlb_") && !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/install.md does not say what %s is", name)
		}
	}
}

// registered are the names of all metrics that the process registers.
func registered(t *testing.T) map[string]bool {
	t.Helper()

	runtime, ok := metrics.Registry.(prometheus.Collector)
	if !ok {
		t.Fatalf("%T does not tell which metrics it has", metrics.Registry)
	}

	descs := make(chan *prometheus.Desc)

	go func() {
		defer close(descs)

		for _, c := range []prometheus.Collector{
			aws.NewPool(aws.PoolOptions{}), binder.New(binder.Options{}), managed.NewMRMetricRecorder(), statemetrics.NewMRStateMetrics(),
		} {
			c.Describe(descs)
		}

		runtime.Describe(descs)
	}()

	name := regexp.MustCompile(`fqName: "([^"]+)"`)
	out := map[string]bool{}

	for d := range descs {
		out[name.FindStringSubmatch(d.String())[1]] = true
	}

	return out
}
