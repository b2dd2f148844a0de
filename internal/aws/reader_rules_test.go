package aws

import (
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// TestTagsOfRulesShareACall, as far as the rules are there: one that is gone fails
// nobody else's.
func TestTagsOfRulesShareACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, _, a := bubbled(t)
		const subnet = "subnet-0123456789abcdef0"
		sim.SeedSubnet(awssim.Subnet{ID: subnet, Region: "eu-west-1", VPC: vpc, Zone: "eu-west-1a", CIDR: "10.0.0.0/24", IPv6CIDR: "2001:db8:0:a::/64"})
		lb, err := sim.SeedLoadBalancer(awssim.LoadBalancerSeed{Region: "eu-west-1", Name: "edge", Subnets: []string{subnet}, Params: map[string]string{"IpAddressType": "dualstack"}})
		if err != nil {
			t.Fatal(err)
		}
		group := seedGroup(t, sim, "web")
		to := []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}}
		l, err := a.ELBv2.CreateListener(t.Context(), &elbv2.CreateListenerInput{LoadBalancerArn: &lb, Port: sdk.Int32(443), Protocol: "TCP", DefaultActions: to})
		if err != nil {
			t.Fatal(err)
		}
		want, arns := map[string]map[string]string{}, []string(nil)
		for i := range int32(4) {
			out, err := a.ELBv2.CreateRule(t.Context(), &elbv2.CreateRuleInput{
				ListenerArn: l.Listeners[0].ListenerArn, Priority: sdk.Int32(i + 1), Actions: to, Tags: []elbtypes.Tag{{Key: sdk.String("a"), Value: sdk.String("b")}},
				Conditions: []elbtypes.RuleCondition{{Field: sdk.String("source-ip"), SourceIpConfig: &elbtypes.SourceIpConditionConfig{IpAddressType: "ipv4"}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			arns = append(arns, *out.Rules[0].RuleArn)
			want[arns[i]] = map[string]string{"a": "b"}
		}
		time.Sleep(time.Minute) // Until AWS's replicas agree.
		sim.Reset()
		got, err := a.Read.RuleTags(t.Context(), arns, time.Hour)
		if diff := cmp.Diff(want, got); diff != "" || err != nil || sim.Count() != 1 {
			t.Errorf("%v, %d calls: -want, +got:\n%s", err, sim.Count(), diff)
		}

		if _, err := a.ELBv2.DeleteRule(t.Context(), &elbv2.DeleteRuleInput{RuleArn: &arns[2]}); err != nil {
			t.Fatal(err)
		}
		delete(want, arns[2])
		got, err = a.Read.RuleTags(t.Context(), arns, time.Hour)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("one is gone: %v, -want, +got:\n%s", err, diff)
		}

		sim.Fault(awssim.Fault{Action: "DescribeTags", Effect: awssim.Deny})
		if _, err := a.Read.RuleTags(t.Context(), arns, 0); Classify(err) != ClassDenied {
			t.Errorf("who may not look does not know: %v", err)
		}
	})
}
