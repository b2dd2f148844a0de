package aws

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const vpc = "vpc-0123456789abcdef0"

// bubbled is a simulated AWS with throttling in a test's bubble, a pool that
// reaches it, and the access of DefaultKey.
func bubbled(t *testing.T) (*awssim.Sim, *Pool, *Access) {
	t.Helper()
	sim := awssim.New(awssim.Options{TokenBuckets: true, Latency: 50 * time.Millisecond})
	t.Cleanup(sim.Close)
	p := newPool(PoolOptions{}, sim)
	return sim, p, access(t, p, keyed("http://aws.test", awssim.DefaultKey.ID, awssim.DefaultKey.Secret), "eu-west-1")
}

func seedGroup(t *testing.T, sim *awssim.Sim, name string) string {
	t.Helper()
	arn, err := sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: "eu-west-1", Name: name, Protocol: "TCP", VPC: vpc, Port: 443,
		Tags: map[string]string{"name": name}})
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

func TestWhatReaderReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, _, a := bubbled(t)
		arn := seedGroup(t, sim, "web")
		byARN, err := a.Read.TargetGroup(t.Context(), arn, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		sim.Reset()
		byName, err := a.Read.TargetGroupByName(t.Context(), "web", time.Minute)
		if err != nil || sim.Count() != 0 {
			t.Errorf("%v, %d calls: an answer by ARN is one by name", err, sim.Count())
		}
		if diff := cmp.Diff(sdk.ToString(byARN.TargetGroupArn), sdk.ToString(byName.TargetGroupArn)); diff != "" {
			t.Errorf("-by ARN, +by name:\n%s", diff)
		}
		tags, err := a.Read.Tags(t.Context(), arn, time.Minute)
		if diff := cmp.Diff(map[string]string{"name": "web"}, tags); diff != "" || err != nil {
			t.Errorf("%v, tags\n-want, +got:\n%s", err, diff)
		}
		clear(tags)
		tags, _ = a.Read.Tags(t.Context(), arn, time.Minute)
		if len(tags) != 1 {
			t.Error("a caller has changed what others get")
		}
		attributes, err := a.Read.TargetGroupAttributes(t.Context(), arn, time.Minute)
		if err != nil || attributes["deregistration_delay.timeout_seconds"] != "300" {
			t.Errorf("got %v, %v, want AWS's defaults", attributes, err)
		}
		for _, name := range []string{"nobody", "nothing"} {
			if _, err := a.Read.TargetGroupByName(t.Context(), name, time.Minute); !IsNotFound(err, "TargetGroupNotFound") {
				t.Errorf("got %v, want TargetGroupNotFound", err)
			}
		}
	})
}

func TestAForeignARNFailsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, _, a := bubbled(t)
		arn := seedGroup(t, sim, "web")
		foreign := "arn:aws:elasticloadbalancing:eu-west-1:999999999999:targetgroup/web/0123456789abcdef"
		errs := map[string]error{}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, errs[foreign] = a.Read.Tags(t.Context(), foreign, 0)
		}()
		_, err := a.Read.Tags(t.Context(), arn, 0)
		<-done
		if err != nil || Classify(errs[foreign]) != ClassDenied {
			t.Errorf("got %v and %v, want an answer, and Denied for an ARN of another account", err, errs[foreign])
		}
	})
}

// TestAfterAWrite writes through one identity, and reads through it and another.
func TestAfterAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, p, a := bubbled(t)
		sim.AddKey(awssim.AccessKey{Account: awssim.DefaultAccount, ID: "AKIASECOND", Secret: "second", User: "second"})
		other := access(t, p, keyed("http://aws.test", "AKIASECOND", "second"), "eu-west-1")
		arn, quiet := seedGroup(t, sim, "web"), seedGroup(t, sim, "quiet")
		for _, r := range []*Reader{a.Read, other.Read} {
			for _, g := range []string{arn, quiet} {
				if _, err := r.Tags(t.Context(), g, time.Hour); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, err := a.ELBv2.AddTags(t.Context(), &elbv2.AddTagsInput{ResourceArns: []string{arn},
			Tags: []elbtypes.Tag{{Key: sdk.String("new"), Value: sdk.String("1")}}})
		if err != nil {
			t.Fatal(err)
		}
		sim.Reset()
		for who, r := range map[string]*Reader{"the writer": a.Read, "another identity": other.Read} {
			tags, err := r.Tags(t.Context(), arn, time.Hour)
			if err != nil || tags["new"] != "1" {
				t.Errorf("%s: got %v, %v, want the new tag", who, tags, err)
			}
			if _, err := r.Tags(t.Context(), quiet, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		if got := sim.Count("DescribeTags"); got != 2 {
			t.Errorf("%d calls, want 2: the other group was not written to", got)
		}
		if _, err := a.Read.TargetGroup(t.Context(), arn, time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := a.ELBv2.DeleteTargetGroup(t.Context(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: &arn}); err != nil {
			t.Fatal(err)
		}
		_, err = a.Read.TargetGroup(t.Context(), arn, time.Hour)
		_, byName := a.Read.TargetGroupByName(t.Context(), "web", time.Hour)
		if !IsNotFound(err, "TargetGroupNotFound") || !IsNotFound(byName, "TargetGroupNotFound") {
			t.Errorf("got %v and %v, want that it is gone, by ARN and by name", err, byName)
		}
	})
}

// TestALostWriteIsDoubted: a write without an answer may take effect later.
func TestALostWriteIsDoubted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, _, a := bubbled(t)
		arn := seedGroup(t, sim, "web")
		sim.Fault(awssim.Fault{Action: "AddTags", Effect: awssim.TakeLate, Delay: 40 * time.Second})
		_, err := a.ELBv2.AddTags(t.Context(), &elbv2.AddTagsInput{ResourceArns: []string{arn},
			Tags: []elbtypes.Tag{{Key: sdk.String("late"), Value: sdk.String("1")}}}, NoRetry)
		if Classify(err) != ClassTransient {
			t.Fatalf("got %v, want a Transient error", err)
		}
		if _, err := a.Read.Tags(t.Context(), arn, time.Hour); err != nil {
			t.Fatal(err)
		}
		time.Sleep(45 * time.Second)
		tags, err := a.Read.Tags(t.Context(), arn, time.Hour)
		if err != nil || tags["late"] != "1" {
			t.Errorf("got %v, %v, want what took effect late", tags, err)
		}
	})
}

// TestNobodyStarves: one kind's calls hang or are throttled, and another's are made.
func TestNobodyStarves(t *testing.T) {
	for _, effect := range []awssim.Effect{awssim.Hang, awssim.Throttle, awssim.Deny} {
		t.Run(string(effect), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim, p, a := bubbled(t)
				sim.AddKey(awssim.AccessKey{Account: "999999999999", ID: "AKIAOTHER", Secret: "other", User: "other"})
				other := access(t, p, keyed("http://aws.test", "AKIAOTHER", "other"), "eu-west-1")
				var arns []string
				for i := range 60 {
					arns = append(arns, seedGroup(t, sim, fmt.Sprintf("g%d", i)))
				}
				remove := sim.Fault(awssim.Fault{Action: "DescribeTags", Effect: effect})
				defer remove()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				for _, arn := range arns {
					go func() { _, _ = a.Read.Tags(ctx, arn, 0) }()
				}
				time.Sleep(time.Second)
				start := time.Now()
				if _, err := a.Read.TargetGroup(t.Context(), arns[0], 0); err != nil || time.Since(start) > 5*time.Second {
					t.Errorf("target groups: %v after %s", err, time.Since(start))
				}
				start = time.Now()
				_, err := other.Read.TargetGroupByName(t.Context(), "web", 0)
				if !IsNotFound(err, "TargetGroupNotFound") || time.Since(start) > 200*time.Millisecond {
					t.Errorf("another account: %v after %s", err, time.Since(start))
				}
			})
		})
	}
}

func TestBudgetsOfAPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p, a := bubbled(t)
		b := access(t, p, keyed("http://aws.test", awssim.DefaultKey.ID, awssim.DefaultKey.Secret), "eu-west-2")
		got := p.Budgets()
		want := []ServiceBudget{
			{a.Account, "eu-west-1", "http://aws.test", "ec2", a.EC2Budget},
			{a.Account, "eu-west-1", "http://aws.test", "elasticloadbalancing", a.Budget},
			{a.Account, "eu-west-2", "http://aws.test", "ec2", b.EC2Budget},
			{a.Account, "eu-west-2", "http://aws.test", "elasticloadbalancing", b.Budget},
		}
		if !slices.Equal(want, got) {
			t.Errorf("got %v, want %v", got, want)
		}
		if _, ok := a.EC2Budget.Level()[AccountWide]; ok {
			t.Error("EC2 has no limit for all actions together")
		}
	})
}
