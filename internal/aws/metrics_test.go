package aws

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, p, a := bubbled(t)
		arn := seedGroup(t, sim, "web")
		sim.Fault(awssim.Fault{Action: "DescribeTargetGroups", Effect: awssim.Throttle, Times: 1})
		for _, key := range []string{arn, arn[:len(arn)-4] + "ffff"} {
			_, _ = a.Read.TargetGroup(t.Context(), key, 0)
		}
		want := `
# HELP provider_nlb_aws_calls_total Calls to AWS, retries included, by action and result: Success, or the class of the error.
# TYPE provider_nlb_aws_calls_total counter
provider_nlb_aws_calls_total{account="123456789012",action="DescribeTargetGroups",region="eu-west-1",result="NotFound",service="elasticloadbalancing"} 1
provider_nlb_aws_calls_total{account="123456789012",action="DescribeTargetGroups",region="eu-west-1",result="Success",service="elasticloadbalancing"} 1
provider_nlb_aws_calls_total{account="123456789012",action="DescribeTargetGroups",region="eu-west-1",result="Throttled",service="elasticloadbalancing"} 1
# HELP provider_nlb_aws_throttled_total Calls that AWS throttled, retries included.
# TYPE provider_nlb_aws_throttled_total counter
provider_nlb_aws_throttled_total{account="123456789012",category="account-wide",region="eu-west-1",service="elasticloadbalancing"} 1
provider_nlb_aws_throttled_total{account="123456789012",category="ec2 mutating",region="eu-west-1",service="ec2"} 0
provider_nlb_aws_throttled_total{account="123456789012",category="ec2 non-mutating",region="eu-west-1",service="ec2"} 0
provider_nlb_aws_throttled_total{account="123456789012",category="ec2 security group ingress",region="eu-west-1",service="ec2"} 0
provider_nlb_aws_throttled_total{account="123456789012",category="ec2 tags",region="eu-west-1",service="ec2"} 0
provider_nlb_aws_throttled_total{account="123456789012",category="mutating",region="eu-west-1",service="elasticloadbalancing"} 0
provider_nlb_aws_throttled_total{account="123456789012",category="non-mutating",region="eu-west-1",service="elasticloadbalancing"} 1
provider_nlb_aws_throttled_total{account="123456789012",category="registration",region="eu-west-1",service="elasticloadbalancing"} 0
provider_nlb_aws_throttled_total{account="123456789012",category="resource-intensive",region="eu-west-1",service="elasticloadbalancing"} 0
`
		if err := testutil.CollectAndCompare(p, strings.NewReader(want), "provider_nlb_aws_calls_total", "provider_nlb_aws_throttled_total"); err != nil {
			t.Error(err)
		}
		for _, gauge := range []string{"provider_nlb_aws_tokens", "provider_nlb_aws_tokens_per_second", "provider_nlb_aws_calls_waiting"} {
			if got := testutil.CollectAndCount(p, gauge); got != len(Limits())+len(EC2Limits()) {
				t.Errorf("%s: %d, want one for each category", gauge, got)
			}
		}
		if problems, err := testutil.CollectAndLint(p); err != nil || len(problems) > 0 {
			t.Errorf("%v %v", problems, err)
		}
	})
}

// TestPartsOfTheAccount: one number says how much of an account is ours.
func TestPartsOfTheAccount(t *testing.T) {
	got := SharesOf(0.2).of(Limits())
	want := map[Category]Limit{
		AccountWide: {Burst: 8, PerSecond: 2}, NonMutating: {Burst: 8, PerSecond: 2},
		Registration: {Burst: 18, PerSecond: 4}, Mutating: {Burst: 18, PerSecond: 3}, ResourceIntensive: {Burst: 9, PerSecond: 0.2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
	if diff := cmp.Diff(DefaultShares(), SharesOf(0.5)); diff != "" {
		t.Errorf("the default is half\n-want, +got:\n%s", diff)
	}
}

// TestRegistrationsGoFirst: of five tokens of registration one is for deregistrations
// that have waited for a minute, however many registrations wait. Until then there
// is none for them.
func TestRegistrationsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(nil)
		drain(t, b, Registration, PriorityRegister, 18)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		served := make(chan Priority, 1000)
		for _, p := range []Priority{PriorityDeregister, PriorityRegister} {
			for range 500 {
				go func() {
					if b.Acquire(ctx, Registration, p) == nil {
						served <- p
					}
				}()
			}
		}
		for _, during := range []struct {
			what string
			d    time.Duration
			want map[Priority]int
		}{
			{"the first minute", deregisterPatience - time.Millisecond, map[Priority]int{PriorityRegister: 239}},
			{"the ten seconds after it", 10 * time.Second, map[Priority]int{PriorityRegister: 32, PriorityDeregister: 8}},
		} {
			time.Sleep(during.d)
			counts := map[Priority]int{}
			for range len(served) {
				counts[<-served]++
			}
			if diff := cmp.Diff(during.want, counts); diff != "" {
				t.Errorf("%s (-want, +got):\n%s", during.what, diff)
			}
		}
	})
}
