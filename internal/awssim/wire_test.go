package awssim_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// answered checks what a client sees of a refusal besides its code: the HTTP
// status, whose fault it is, and that there is a message and a request id.
func (b *bench) answered(err error, status int, code string) {
	b.t.Helper()
	b.refused(err, code)
	var response *awshttp.ResponseError
	if !errors.As(err, &response) {
		b.t.Fatalf("%v has no HTTP response", err)
	}
	diff(b.t, status, response.HTTPStatusCode())
	var refusal smithy.APIError
	if errors.As(err, &refusal); refusal.ErrorMessage() == "" || response.RequestID == "" {
		b.t.Errorf("message %q, request id %q", refusal.ErrorMessage(), response.RequestID)
	}
}

func TestRefusalsOnTheWire(t *testing.T) {
	t.Parallel()
	const doc = "APIReference/CommonErrors.html"
	absent := func(b *bench) error {
		arn := "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"
		_, err := b.elb.DescribeTargetHealth(b.ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &arn})
		return err
	}
	harmed := func(b *bench, f awssim.Fault) error {
		b.sim.Fault(f)
		return absent(b)
	}
	groups := func(b *bench, f awssim.Fault) error {
		b.sim.Fault(f)
		_, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{})
		return err
	}
	run(t, map[string]rule{
		"Modelled": {"A modelled refusal is 400, and the SDK knows its type.", "service/elasticloadbalancingv2/types/errors.go", func(b *bench) {
			err := absent(b)
			b.answered(err, 400, "TargetGroupNotFound")
			var typed *types.TargetGroupNotFoundException
			if !errors.As(err, &typed) {
				b.t.Errorf("%T is not the SDK's type", err)
			}
		}},
		"EC2": {"A refusal of EC2 is 400 and has no type.", "AWSEC2/latest/APIReference/errors-overview.html", func(b *bench) {
			_, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{"sg-0123456789abcdef0"}})
			b.answered(err, 400, "InvalidGroup.NotFound")
		}},
		"Throttled": {"ELBv2 throttles with 400.", "aws-load-balancer-controller#1871", func(b *bench) {
			b.answered(harmed(b, awssim.Fault{Effect: awssim.Throttle}), 400, "Throttling")
		}},
		"ThrottledEC2": {"EC2 throttles with 503.", "AWSEC2/latest/APIReference/throttling.html", func(b *bench) {
			b.answered(groups(b, awssim.Fault{Effect: awssim.Throttle}), 503, "RequestLimitExceeded")
		}},
		"Denied": {"A policy's refusal is 403.", doc, func(b *bench) {
			b.answered(harmed(b, awssim.Fault{Effect: awssim.Deny}), 403, "AccessDenied")
		}},
		"DeniedEC2": {"EC2 has a code of its own for it.", "AWSEC2/latest/APIReference/errors-overview.html", func(b *bench) {
			b.answered(groups(b, awssim.Fault{Effect: awssim.Deny}), 403, "UnauthorizedOperation")
		}},
		"Internal": {"A failure of AWS's own is 500.", doc, func(b *bench) {
			b.answered(harmed(b, awssim.Fault{Effect: awssim.InternalFailure}), 500, "InternalFailure")
		}},
		"Unavailable": {"A service that is overloaded is 503.", doc, func(b *bench) {
			b.answered(harmed(b, awssim.Fault{Effect: awssim.Unavailable}), 503, "ServiceUnavailable")
		}},
		"UnknownKey": {"An attribute that AWS does not know is a validation error.", "hashicorp/terraform-provider-aws#19953", func(b *bench) {
			b.answered(b.setAttribute(b.group("web"), "typo", "true"), 400, "ValidationError")
		}},
		"GroupQuota": {"A region has 3,000 target groups.", "network/load-balancer-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{TargetGroups: 1}})
			b.group("web")
			_, err := b.create(func(i *elbv2.CreateTargetGroupInput) { i.Name = aws.String("other") })
			b.answered(err, 400, "TooManyTargetGroups")
		}},
		"RuleOfQUIC": {"Rules are for TCP, UDP, TCP_UDP and TLS listeners.", listenersDoc, func(b *bench) {
			group := b.of("quic", "QUIC")
			l, err := b.listen(b.networked().lb(nil), "QUIC", 443, to(group), nil)
			b.ok(err)
			_, err = b.elb.CreateRule(b.ctx, &elbv2.CreateRuleInput{
				ListenerArn: l.ListenerArn, Priority: aws.Int32(1), Actions: to(group), Conditions: []types.RuleCondition{{
					Field: aws.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{IpAddressType: "ipv6"},
				}},
			})
			// QUIC and dualstack exclude each other, so this is what AWS finds first.
			b.answered(err, 400, "InvalidConfigurationRequest")
		}},
	})
}

// TestQuotasOfSecurityGroups: AWS grants at most 1,000 rules per interface.
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
func TestQuotasOfSecurityGroups(t *testing.T) {
	t.Parallel()
	granted := func(rules, groups int) (ok bool) {
		defer func() { ok = recover() == nil }()
		awssim.New(awssim.Options{Quotas: awssim.Quotas{SecurityGroupRules: rules, SecurityGroupsPerInterface: groups}}).Close()
		return true
	}
	for _, tc := range []struct {
		rules, groups int
		want          bool
	}{{200, 5, true}, {201, 5, false}, {62, 16, true}, {60, 17, false}, {0, 16, true}} {
		if got := granted(tc.rules, tc.groups); got != tc.want {
			t.Errorf("%d rules and %d groups: granted %v, want %v", tc.rules, tc.groups, got, tc.want)
		}
	}
}
