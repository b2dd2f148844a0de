package install_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

func TestBadClaimIsRefused(t *testing.T) {
	workload(t, 3)
	for _, s := range styles {
		t.Run(s.name, func(t *testing.T) {
			claim := read(t, s.file)[0]
			twice := map[string]any{"port": int64(443), "targetPort": int64(8443)}
			claim.Object["spec"].(map[string]any)["ports"] = []any{twice, map[string]any{"port": int64(443), "targetPort": int64(9443)}}
			err := tryApply(t.Context(), claim)
			if err == nil || !strings.Contains(err.Error(), "a port is there twice") {
				t.Errorf("a load balancer listens once on a port, got %v", err)
			}
		})
	}
}

// TestBadClaimSaysSo: what only AWS or the cluster knows is one sentence on the
// claim.
func TestBadClaimSaysSo(t *testing.T) {
	workload(t, 3)
	for _, c := range []struct {
		name, reason string
		change       func(spec map[string]any)
		problem      string
		says         []string
	}{
		{
			name: "nothing", reason: "A selector that matches nothing registers nothing.",
			change:  func(spec map[string]any) { spec["podSelector"] = labels("app", "other") },
			problem: "NoTargets", says: []string{"podSelector", "443"},
		},
		{
			name: "config", reason: "A ProviderConfig that is missing is named.",
			change: func(spec map[string]any) {
				spec["providerConfigRef"] = map[string]any{"kind": "ClusterProviderConfig", "name": "missing"}
			},
			says: []string{"ClusterProviderConfig", "missing"},
		},
		{
			name: "subnet", reason: "A subnet that is not there is named.",
			change: func(spec map[string]any) {
				spec["subnetMappings"] = []any{map[string]any{"subnetId": "subnet-0fffffffffffffff0"}}
			},
			says: []string{"LoadBalancer", "subnet-0fffffffffffffff0"},
		},
		{
			name: "certificate", reason: "A certificate that is not there is named.",
			change: func(spec map[string]any) {
				spec["ports"] = []any{map[string]any{
					"port": int64(443), "targetPort": int64(8443), "protocol": "TLS",
					"certificateArns": []any{"arn:aws:acm:eu-west-1:000000000000:certificate/missing"},
				}}
			},
			says: []string{"port 443", "Listener", "certificate"},
		},
		{
			name: "environment", reason: "An environment that is missing is named.",
			change:  func(spec map[string]any) { spec["environment"] = "missing" },
			problem: "EnvironmentMissing", says: []string{"missing"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			claim := read(t, styles[0].file)[0]
			claim.SetName("bad-" + c.name)
			c.change(claim.Object["spec"].(map[string]any))
			apply(t, claim)
			until(t, c.reason, func(ctx context.Context) error { return tells(ctx, t, claim, c.problem, c.says) })
			remove(t, claim)
			inAWS(t, "nothing is left", "X")
		})
	}
}

// TestSecondClaimForTheSamePodsIsTold: both load balancers work, and the second claim
// names the first, as long as that is there.
func TestSecondClaimForTheSamePodsIsTold(t *testing.T) {
	workload(t, 3)
	first, second := read(t, styles[0].file)[0], read(t, styles[0].file)[0]
	second.SetName("bad-second")
	apply(t, first)
	ready(t, first)
	apply(t, second)
	until(t, "The second claim names the binding of the first.", func(ctx context.Context) error {
		return tells(ctx, t, second, "SelectedTwice", []string{"port 443", "edge/edge-443-tcp"})
	})
	ready(t, second)
	if u, err := now(t.Context(), first); err != nil {
		t.Fatal(err)
	} else if status, _, message := condition(u, "Problem"); status != "False" {
		t.Errorf("the first claim was right when it was made, Problem is %s: %s", status, message)
	}
	remove(t, first)
	until(t, "Nothing is said any more when the first is gone.", func(ctx context.Context) error {
		u, err := now(ctx, second)
		if err != nil {
			return err
		}
		if status, _, message := condition(u, "Problem"); status != "False" {
			return fmt.Errorf("Problem is %s: %s", status, message)
		}
		return nil
	})
	remove(t, second)
	inAWS(t, "nothing is left", "X")
}

// TestFullSecurityGroupIsTold: AWS allows 60 inbound rules in a group. That of the
// nodes has them already.
func TestFullSecurityGroupIsTold(t *testing.T) {
	workload(t, 3)
	var ranges []ec2types.IpRange
	for i := range 60 {
		ranges = append(ranges, ec2types.IpRange{CidrIp: awssdk.String(fmt.Sprintf("192.0.2.%d/32", i))})
	}
	others := []ec2types.IpPermission{{IpProtocol: awssdk.String("tcp"), FromPort: awssdk.Int32(22), ToPort: awssdk.Int32(22), IpRanges: ranges}}
	nodes := awssdk.String(stack.NodeGroup)
	aws := it.EC2In(stack.Region)
	if _, err := aws.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: nodes, IpPermissions: others}); err != nil {
		t.Fatal(err)
	}
	claim := read(t, styles[0].file)[0]
	claim.SetName("bad-full")
	apply(t, claim)
	until(t, "A security group that is full is named.", func(ctx context.Context) error {
		return tells(ctx, t, claim, "", []string{"port 443", "SecurityGroupRule", "RulesPerSecurityGroupLimitExceeded"})
	})
	if _, err := aws.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: nodes, IpPermissions: others}); err != nil {
		t.Fatal(err)
	}
	ready(t, claim)
	remove(t, claim)
	inAWS(t, "nothing is left", "X")
}

// tells says whether the claim has a problem with these words, in one line.
func tells(ctx context.Context, t *testing.T, claim *unstructured.Unstructured, problem string, words []string) error {
	t.Helper()
	u, err := now(ctx, claim)
	if err != nil {
		return err
	}
	status, reason, message := condition(u, "Problem")
	for _, w := range words {
		if status != "True" || !strings.Contains(message, w) || strings.Contains(message, "\n") || problem != "" && reason != problem {
			return fmt.Errorf("Problem is %s (%s): %q, want %s with %q", status, reason, message, problem, words)
		}
	}
	t.Logf("%s: %s", reason, message)
	return nil
}

func labels(key, value string) map[string]any {
	return map[string]any{"matchLabels": map[string]any{key: value}}
}
