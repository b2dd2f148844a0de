//go:build awscli

package awssim_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// TestCommandLineInterface needs Debian's package awscli.
func TestCommandLineInterface(t *testing.T) {
	t.Parallel()
	b := newBench(t, awssim.Options{})
	arn, id := b.used("web"), b.instances(zoneA, 1)[0]
	cli := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "aws", append(args, "--endpoint-url", b.sim.URL(), "--region", region, "--output", "json")...)
		cmd.Env = append(cmd.Environ(), "AWS_ACCESS_KEY_ID="+awssim.DefaultKey.ID, "AWS_SECRET_ACCESS_KEY="+awssim.DefaultKey.Secret,
			"AWS_MAX_ATTEMPTS=1", "AWS_PAGER=")
		out, err := cmd.CombinedOutput()
		if err != nil && !strings.Contains(string(out), "An error occurred") {
			t.Fatalf("aws %v: %v: %s", args, err, out)
		}
		return strings.Join(strings.Fields(string(out)), " ")
	}
	cli("elbv2", "register-targets", "--target-group-arn", arn, "--targets", "Id="+id)
	for _, want := range []struct{ got, want string }{
		{cli("elbv2", "describe-target-health", "--target-group-arn", arn), `"Reason": "Elb.RegistrationInProgress"`},
		{cli("ec2", "describe-instances", "--instance-ids", id), `"InstanceId": "` + id + `"`},
		{cli("sts", "get-caller-identity"), `"Account": "123456789012"`},
		{cli("elbv2", "delete-target-group", "--target-group-arn", arn), "(ResourceInUse)"},
		{cli("elbv2", "describe-load-balancers"), `"LoadBalancers": []`},
		{cli("elbv2", "describe-trust-stores"), "(InvalidAction)"},
	} {
		if !strings.Contains(want.got, want.want) {
			t.Errorf("got %s, want %s in it", want.got, want.want)
		}
	}
}
