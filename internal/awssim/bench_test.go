package awssim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	region = "us-east-1"
	vpc    = "vpc-0123456789abcdef0"
	zoneA  = "us-east-1a"
	zoneB  = "us-east-1b"
)

// steady is AWS at its real pace, but without anything that varies: what a rule
// says of time can be checked to the second.
var steady = awssim.Profile{
	Name:         "steady",
	Registration: awssim.Span{Min: 100 * time.Second, Max: 100 * time.Second},
	Terminated:   awssim.Span{Min: time.Minute, Max: time.Minute},
	Late:         40 * time.Second,
	Speed:        1,
}

// bench is a Sim with the SDK's clients for one account and region of it.
type bench struct {
	t     *testing.T
	ctx   context.Context
	sim   *awssim.Sim
	clock *awssim.ManualClock
	elb   *elbv2.Client
	ec2   *ec2.Client
	sts   *sts.Client
}

func newBench(t *testing.T, opts awssim.Options) *bench {
	t.Helper()
	clock := awssim.NewManualClock(time.Time{})
	opts.Clock = clock
	if opts.Profile.Speed == 0 {
		opts.Profile = steady
	}
	s := awssim.New(opts)
	t.Cleanup(s.Close)
	b := &bench{t: t, ctx: t.Context(), sim: s, clock: clock}
	b.as(s.Config(region))
	s.SeedVPC(awssim.DefaultAccount, region, vpc)
	return b
}

// as makes the clients those of another configuration.
func (b *bench) as(cfg aws.Config) {
	cfg.RetryMaxAttempts = 1
	b.elb, b.ec2, b.sts = elbv2.NewFromConfig(cfg), ec2.NewFromConfig(cfg), sts.NewFromConfig(cfg)
}

// instances seeds n running instances in a zone and returns their ids.
func (b *bench) instances(zone string, n int) []string {
	var ids []string
	for i := range n {
		id := fmt.Sprintf("i-%017x", int(zone[len(zone)-1])<<16+i)
		b.sim.SeedInstance(awssim.Instance{ID: id, Zone: zone, VPC: vpc})
		ids = append(ids, id)
	}
	return ids
}

// group makes a TCP target group on port 80 that no listener uses.
func (b *bench) group(name string) string {
	b.t.Helper()
	arn, err := b.sim.SeedTargetGroup(awssim.TargetGroupSeed{Name: name, Protocol: "TCP", Port: 80, VPC: vpc})
	if err != nil {
		b.t.Fatal(err)
	}
	return arn
}

// used is group with a listener in zone A.
func (b *bench) used(name string) string {
	b.t.Helper()
	arn := b.group(name)
	b.attach(arn, awssim.Listener{Zones: []string{zoneA}})
	return arn
}

func (b *bench) attach(arn string, l awssim.Listener) (detach func()) {
	b.t.Helper()
	detach, err := b.sim.AttachListener(arn, l)
	if err != nil {
		b.t.Fatal(err)
	}
	return detach
}

func (b *bench) create(change func(*elbv2.CreateTargetGroupInput)) (*elbv2.CreateTargetGroupOutput, error) {
	in := &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: types.ProtocolEnumTcp, Port: aws.Int32(80), VpcId: aws.String(vpc),
	}
	if change != nil {
		change(in)
	}
	return b.elb.CreateTargetGroup(b.ctx, in)
}

func targets(ids ...string) []types.TargetDescription {
	var out []types.TargetDescription
	for _, id := range ids {
		out = append(out, types.TargetDescription{Id: aws.String(id)})
	}
	return out
}

func (b *bench) register(arn string, ids ...string) error {
	_, err := b.elb.RegisterTargets(b.ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: targets(ids...)})
	return err
}

func (b *bench) deregister(arn string, ids ...string) error {
	_, err := b.elb.DeregisterTargets(b.ctx, &elbv2.DeregisterTargetsInput{TargetGroupArn: &arn, Targets: targets(ids...)})
	return err
}

// health is what DescribeTargetHealth says of all targets: "ID:PORT state reason".
func (b *bench) health(arn string, ask ...types.TargetDescription) []string {
	b.t.Helper()
	out, err := b.elb.DescribeTargetHealth(b.ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &arn, Targets: ask})
	b.ok(err)
	lines := []string{}
	for _, d := range out.TargetHealthDescriptions {
		lines = append(lines, fmt.Sprintf("%s:%d %s %s",
			aws.ToString(d.Target.Id), aws.ToInt32(d.Target.Port), d.TargetHealth.State, d.TargetHealth.Reason))
	}
	return lines
}

func (b *bench) setAttribute(arn, key, value string) error {
	_, err := b.elb.ModifyTargetGroupAttributes(b.ctx, &elbv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &arn,
		Attributes:     []types.TargetGroupAttribute{{Key: &key, Value: &value}},
	})
	return err
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("unexpected error: %v", err)
	}
}

// refused checks that an error is AWS's with the code.
func (b *bench) refused(err error, code string) {
	b.t.Helper()
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		b.t.Fatalf("error %v, want %s of AWS", err, code)
	}
	if refusal.ErrorCode() != code {
		b.t.Fatalf("code %s (%s), want %s", refusal.ErrorCode(), refusal.ErrorMessage(), code)
	}
}
