package stack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// providerAgent is part of the user agent of every call that the provider makes.
const providerAgent = "provider-nlb/"

// ELBv2In is a client of our own. Its calls are not the provider's.
func (s *Stack) ELBv2In(region string) *elbv2.Client {
	return elbv2.NewFromConfig(s.Sim.Config(region))
}

// GroupARN asks AWS for the ARN of a target group.
func (s *Stack) GroupARN(ctx context.Context, region, name string) (string, error) {
	out, err := s.ELBv2In(region).DescribeTargetGroups(ctx, &elbv2.DescribeTargetGroupsInput{Names: []string{name}})
	if err != nil {
		return "", err
	}
	return awssdk.ToString(out.TargetGroups[0].TargetGroupArn), nil
}

// A Target is a target as AWS's API shows it.
type Target struct {
	ID, State, Reason string
	Port              int32
}

// String is "i-0a1b…:8443".
func (t Target) String() string { return fmt.Sprintf("%s:%d", t.ID, t.Port) }

// Targets asks AWS for the targets of a group, sorted; draining ones are left out.
func (s *Stack) Targets(ctx context.Context, arn string) ([]Target, error) {
	// arn:aws:elasticloadbalancing:REGION:…
	out, err := s.ELBv2In(strings.Split(arn+":::", ":")[3]).DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if err != nil {
		return nil, err
	}
	var found []Target
	for _, d := range out.TargetHealthDescriptions {
		if d.TargetHealth.State == types.TargetHealthStateEnumDraining {
			continue
		}
		found = append(found, Target{
			ID: awssdk.ToString(d.Target.Id), Port: awssdk.ToInt32(d.Target.Port),
			State: string(d.TargetHealth.State), Reason: string(d.TargetHealth.Reason),
		})
	}
	slices.SortFunc(found, func(a, b Target) int { return strings.Compare(a.String(), b.String()) })
	return found, nil
}

// Calls is how often the provider has called AWS.
type Calls struct{ Register, Deregister, Other int }

// Sub is what has been called since.
func (c Calls) Sub(before Calls) Calls {
	return Calls{c.Register - before.Register, c.Deregister - before.Deregister, c.Other - before.Other}
}

// String is for people.
func (c Calls) String() string {
	return fmt.Sprintf("%d RegisterTargets, %d DeregisterTargets, %d others", c.Register, c.Deregister, c.Other)
}

// Calls counts the calls that the provider has made so far.
func (s *Stack) Calls() Calls {
	var c Calls
	for _, call := range s.ProviderCalls() {
		switch call.Action {
		case "RegisterTargets":
			c.Register++
		case "DeregisterTargets":
			c.Deregister++
		default:
			c.Other++
		}
	}
	return c
}

// ProviderCalls are the calls that the provider has made so far.
func (s *Stack) ProviderCalls() []awssim.Call {
	return slices.DeleteFunc(s.Sim.Calls(), func(c awssim.Call) bool { return !strings.Contains(c.UserAgent, providerAgent) })
}
