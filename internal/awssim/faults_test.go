package awssim_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	const simulator = "the simulator's contract"
	// noAnswer checks that a call ended without an answer of AWS.
	noAnswer := func(b *bench, err error) {
		b.t.Helper()
		var refusal smithy.APIError
		if err == nil || errors.As(err, &refusal) {
			b.t.Fatalf("error %v, want none of AWS", err)
		}
	}
	// waitFor polls, for what a call in another goroutine does.
	waitFor := func(b *bench, what func() bool) {
		b.t.Helper()
		const patience = time.Minute
		for deadline := time.Now().Add(patience); !what(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				b.t.Fatalf("it did not happen within %s", patience)
			}
		}
	}
	// givesUp registers a target, and gives up when the call hangs. It returns when AWS
	// knows.
	givesUp := func(b *bench, arn, id string) error {
		b.t.Helper()
		ctx, cancel := context.WithCancel(b.ctx)
		defer cancel()
		done := make(chan error, 1)
		go func() {
			_, err := b.elb.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: targets(id)})
			done <- err
		}()
		waitFor(b, func() bool { return b.sim.Hanging() == 1 })
		cancel()
		waitFor(b, func() bool { return b.sim.Hanging() == 0 })
		return <-done
	}
	run(t, map[string]rule{
		"Throttle": {"Throttled as with an empty bucket.", "aws-load-balancer-controller#1871", func(b *bench) {
			b.sim.Fault(awssim.Fault{Effect: awssim.Throttle, Times: 1})
			b.refused(b.register(b.used("web"), b.instances(zoneA, 1)...), "Throttling")
		}},
		"Deny": {"Denied as by a policy, with the user, the action and the resource.", "IAM troubleshoot_access-denied", func(b *bench) {
			arn := b.used("web")
			b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Effect: awssim.Deny})
			err := b.register(arn, b.instances(zoneA, 1)...)
			b.refused(err, "AccessDenied")
			want := "User: arn:aws:iam::123456789012:user/default is not authorized to perform: elasticloadbalancing:RegisterTargets on resource: " + arn
			if !strings.Contains(err.Error(), want) {
				b.t.Errorf("error %q, want %q in it", err, want)
			}
			diff(b.t, []string{}, b.health(arn))
		}},
		"ServerErrors": {"AWS fails now and then.", "APIReference/CommonErrors.html", func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			remove := b.sim.Fault(awssim.Fault{Effect: awssim.InternalFailure})
			b.refused(b.register(arn, id), "InternalFailure")
			remove()
			remove()
			b.sim.Fault(awssim.Fault{Effect: awssim.Unavailable})
			b.refused(b.register(arn, id), "ServiceUnavailable")
		}},
		"Answer": {"Any error can be asked for.", simulator, func(b *bench) {
			b.sim.Fault(awssim.Fault{Effect: awssim.Answer, Code: "HealthUnavailable", Status: 500})
			_, err := b.elb.DescribeTargetHealth(b.ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(b.used("web"))})
			b.refused(err, "HealthUnavailable")
		}},
		"Nth": {"A fault can spare the first calls and end by itself.", simulator, func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Contains: id, After: 1, Times: 1, Effect: awssim.Throttle})
			b.ok(b.register(arn, id))
			b.health(arn)
			b.refused(b.register(arn, id), "Throttling")
			b.ok(b.register(arn, id))
		}},
		"OtherCalls": {"A fault harms only what it matches.", simulator, func(b *bench) {
			for _, f := range []awssim.Fault{
				{Service: "ec2"}, {Action: "DeregisterTargets"}, {Account: "210987654321"}, {Region: "eu-west-1"}, {Contains: "other"},
			} {
				f.Effect = awssim.Throttle
				b.sim.Fault(f)
			}
			b.ok(b.register(b.used("web"), b.instances(zoneA, 1)...))
		}},
		"RefuseTarget": {"One refused target fails the call, which names it and no other.", "kubernetes-sigs/cluster-api-provider-aws#5037", func(b *bench) {
			arn, ids := b.used("web"), b.instances(zoneA, 3)
			b.sim.Fault(awssim.Fault{Effect: awssim.RefuseTarget, Target: ids[1]})
			err := b.register(arn, ids...)
			b.refused(err, "InvalidTarget")
			if !strings.Contains(err.Error(), ids[1]) || strings.Contains(err.Error(), ids[0]) {
				b.t.Errorf("error %q, want only %s in it", err, ids[1])
			}
			b.ok(b.register(arn, ids[0], ids[2]))
		}},
		"LoseResponse": {"The call takes effect and the client does not hear of it.", "design §8", func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Effect: awssim.LoseResponse, Times: 1})
			noAnswer(b, b.register(arn, id))
			diff(b.t, 1, len(b.sim.Targets(arn)))
			diff(b.t, 0, b.sim.Calls()[0].Status)
		}},
		"TakeLate": {"A call that timed out takes effect 40 seconds later.", "design §8", func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			b.sim.Fault(awssim.Fault{Action: "RegisterTargets", Effect: awssim.TakeLate, Times: 1})
			noAnswer(b, givesUp(b, arn, id))
			b.clock.Advance(39 * time.Second)
			diff(b.t, 0, len(b.sim.Targets(arn)))
			b.clock.Advance(time.Second)
			diff(b.t, 1, len(b.sim.Targets(arn)))
		}},
		"HangUntilClientGivesUp": {"A hanging call that its client gives up has no effect.", simulator, func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			remove := b.sim.Fault(awssim.Fault{Effect: awssim.Hang})
			noAnswer(b, givesUp(b, arn, id))
			remove()
			diff(b.t, 0, len(b.sim.Targets(arn)))
		}},
		"HangUntilRemoved": {"A hanging call goes on when the fault is removed.", simulator, func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			remove := b.sim.Fault(awssim.Fault{Effect: awssim.Hang})
			done := make(chan error, 1)
			go func() { done <- b.register(arn, id) }()
			waitFor(b, func() bool { return b.sim.Count("RegisterTargets") == 1 })
			remove()
			b.ok(<-done)
		}},
		"Delay": {"A delayed call is answered when the clock says so.", simulator, func(b *bench) {
			arn, id := b.used("web"), b.instances(zoneA, 1)[0]
			b.sim.Fault(awssim.Fault{Effect: awssim.Delay, Delay: 3 * time.Second, Times: 1})
			done := make(chan error, 1)
			go func() { done <- b.register(arn, id) }()
			waitFor(b, func() bool { return b.clock.Waiting() == 1 })
			b.clock.Advance(3 * time.Second)
			b.ok(<-done)
		}},
	})
}

func TestTokenBuckets(t *testing.T) {
	t.Parallel()
	const doc = "userguide/elb-api-throttling.html"
	// spend makes calls until one is throttled, and returns how many were not.
	spend := func(b *bench, call func() error) int {
		b.t.Helper()
		for n := range 1000 {
			if err := call(); err != nil {
				b.refused(err, "Throttling")
				return n
			}
		}
		b.t.Fatal("never throttled")
		return 0
	}
	throttling := func(f func(b *bench)) func(b *bench) {
		return func(b *bench) { f(newBench(b.t, awssim.Options{TokenBuckets: true})) }
	}
	register := func(b *bench) func() error {
		arn, id := b.used("web"), b.instances(zoneA, 1)[0]
		return func() error { return b.register(arn, id) }
	}
	describe := func(b *bench) func() error {
		return func() error {
			_, err := b.elb.DescribeTargetGroups(b.ctx, &elbv2.DescribeTargetGroupsInput{})
			return err
		}
	}
	run(t, map[string]rule{
		"Registration": {"20 registrations at once, then 4 a second.", doc, throttling(func(b *bench) {
			call := register(b)
			diff(b.t, 20, spend(b, call))
			b.clock.Advance(time.Second)
			diff(b.t, 4, spend(b, call))
			b.clock.Advance(time.Hour)
			diff(b.t, 20, spend(b, call))
		})},
		"AccountWide": {"40 calls of any kind at once: reads and registrations share them.", doc, throttling(func(b *bench) {
			diff(b.t, 20, spend(b, register(b)))
			diff(b.t, 20, spend(b, describe(b)))
			b.clock.Advance(time.Second)
			diff(b.t, 10, spend(b, describe(b)))
		})},
		"Mutating": {"20 modifications at once, then 3 a second.", doc, throttling(func(b *bench) {
			call := func() error { _, err := b.create(nil); return err }
			diff(b.t, 20, spend(b, call))
			b.clock.Advance(time.Second)
			diff(b.t, 3, spend(b, call))
		})},
		"PerRegion": {"Buckets are per account and region.", doc, throttling(func(b *bench) {
			diff(b.t, 40, spend(b, describe(b)))
			b.as(b.sim.Config("eu-west-1"))
			diff(b.t, 40, spend(b, describe(b)))
		})},
		"Neighbour": {"Somebody else in the account uses the same buckets.", "design §8", throttling(func(b *bench) {
			b.sim.SetNeighbour(awssim.DefaultAccount, region, 0.5)
			diff(b.t, 20, spend(b, describe(b)))
			b.clock.Advance(time.Second)
			diff(b.t, 5, spend(b, describe(b)))
		})},
	})
}

func TestCalls(t *testing.T) {
	t.Parallel()
	var heard []string
	b := newBench(t, awssim.Options{OnCall: func(c awssim.Call) { heard = append(heard, c.Action) }})
	arn, id := b.used("web"), b.instances(zoneA, 1)[0]
	b.ok(b.register(arn, id))
	b.refused(b.register(arn, "i-0123456789abcdef0"), "InvalidTarget")
	b.health(arn)

	var got [][]string
	for _, c := range b.sim.Calls() {
		if c.RequestID == "" || !strings.Contains(c.UserAgent, "aws-sdk-go-v2") || !c.At.Equal(b.clock.Now()) {
			t.Errorf("call without request id, user agent or time: %+v", c)
		}
		got = append(got, []string{c.Service, c.Action, c.Account, c.Region, c.TargetGroupARN, c.Params.Get("Targets.member.1.Id"), c.Code})
	}
	diff(t, [][]string{
		{"elasticloadbalancing", "RegisterTargets", awssim.DefaultAccount, region, arn, id, ""},
		{"elasticloadbalancing", "RegisterTargets", awssim.DefaultAccount, region, arn, "i-0123456789abcdef0", "InvalidTarget"},
		{"elasticloadbalancing", "DescribeTargetHealth", awssim.DefaultAccount, region, arn, "", ""},
	}, got)
	diff(t, []int{2, 3, 3}, []int{b.sim.Count("RegisterTargets"), b.sim.Count("RegisterTargets", "DescribeTargetHealth"), b.sim.Count()})
	diff(t, []string{"RegisterTargets", "RegisterTargets", "DescribeTargetHealth"}, heard)
	b.sim.Reset()
	diff(t, 0, b.sim.Count())
}
