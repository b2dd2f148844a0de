//go:build awscli

package e2e_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// TestCommandLineInterface needs Debian's package awscli. It asks as people do.
func TestCommandLineInterface(t *testing.T) {
	bothScopes(t, func(t *testing.T, w *world) {
		arn := w.group("g")
		for i := range 3 {
			w.pod(nodeName(i), i)
		}
		b := w.bind("b", parameters{TargetGroupARN: &arn, PodSelector: podsWith(app, named(portName))})
		w.holds("the pods are registered", arn, w.on(0, 1, 2)...)
		w.healthy(b, 3)

		cmd := exec.CommandContext(t.Context(), "aws", "elbv2", "describe-target-health",
			"--endpoint-url", it.Sim.URL(), "--region", w.region, "--target-group-arn", arn, "--output", "json")
		cmd.Env = append(cmd.Environ(), "AWS_ACCESS_KEY_ID="+awssim.DefaultKey.ID, "AWS_SECRET_ACCESS_KEY="+awssim.DefaultKey.Secret, "AWS_PAGER=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("aws elbv2 describe-target-health: %v\n%s", err, out)
		}
		var answer struct {
			TargetHealthDescriptions []struct {
				Target struct {
					ID   string `json:"Id"`
					Port int32
				}
				TargetHealth struct{ State, Reason string }
			}
		}
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var got []stack.Target
		for _, d := range answer.TargetHealthDescriptions {
			got = append(got, stack.Target{ID: d.Target.ID, Port: d.Target.Port, State: d.TargetHealth.State, Reason: d.TargetHealth.Reason})
		}
		slices.SortFunc(got, func(a, b stack.Target) int { return strings.Compare(a.String(), b.String()) })
		want, err := it.Targets(t.Context(), arn)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the AWS CLI shows what the API shows (-want, +got):\n%s", diff)
		}
	})
}
