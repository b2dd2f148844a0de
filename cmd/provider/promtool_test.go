//go:build promtool

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// promtool is Prometheus's own; make test-alerts builds it and names it.
func promtool(t *testing.T, args ...string) {
	t.Helper()

	binary := os.Getenv("PROMTOOL_BINARY")
	if binary == "" {
		t.Fatal("PROMTOOL_BINARY is not set: use make test-alerts")
	}

	if out, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestAlertsFire(t *testing.T) {
	promtool(t, "check", "rules", "--lint-fatal", monitoring+"alerts.yaml")
	promtool(t, "test", "rules", monitoring+"alerts_test.yaml")
}

// TestQueriesOfTheDashboardAreValid: each is made a rule, with Grafana's variables
// filled in.
func TestQueriesOfTheDashboardAreValid(t *testing.T) {
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}

	fill := strings.NewReplacer("$__rate_interval", "5m", "$namespace", ".*", "$binding", ".*", "$account", ".*", "$region", ".*")

	var rules []rule

	for panel, expressions := range queries(t) {
		for _, expression := range expressions {
			if !strings.HasPrefix(panel, "$") {
				rules = append(rules, rule{"dashboard:query", fill.Replace(expression)})
			}
		}
	}

	file := filepath.Join(t.TempDir(), "rules.yaml")
	data, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})

	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}

	if err != nil {
		t.Fatal(err)
	}

	promtool(t, "check", "rules", "--lint=none", file)
}
