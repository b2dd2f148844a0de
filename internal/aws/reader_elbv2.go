package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// page is AWS's largest.
const page = 400

// readLoadBalancers takes ARNs or names, not both.
func (r *Reader) readLoadBalancers(ctx context.Context, keys []string) (map[string]types.LoadBalancer, error) {
	in := &elbv2.DescribeLoadBalancersInput{Names: keys}
	if isARN(keys[0]) {
		in = &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: keys}
	}
	out, _, err := r.describeLoadBalancers(ctx, in)
	return out, err
}

func (r *Reader) allLoadBalancers(ctx context.Context) (map[string]types.LoadBalancer, int, error) {
	return r.describeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{PageSize: sdk.Int32(page)})
}

func (r *Reader) describeLoadBalancers(ctx context.Context, in *elbv2.DescribeLoadBalancersInput) (map[string]types.LoadBalancer, int, error) {
	found := map[string]types.LoadBalancer{}
	pages, calls := elbv2.NewDescribeLoadBalancersPaginator(r.elbv2, in), 0
	for ; pages.HasMorePages(); calls++ {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, calls, err
		}
		for _, lb := range out.LoadBalancers {
			found[sdk.ToString(lb.LoadBalancerArn)] = lb
			found[sdk.ToString(lb.LoadBalancerName)] = lb
		}
	}
	return found, calls, nil
}

// readTargetGroups takes ARNs or names, not both.
func (r *Reader) readTargetGroups(ctx context.Context, keys []string) (map[string]types.TargetGroup, error) {
	in := &elbv2.DescribeTargetGroupsInput{Names: keys}
	if isARN(keys[0]) {
		in = &elbv2.DescribeTargetGroupsInput{TargetGroupArns: keys}
	}
	out, _, err := r.describeTargetGroups(ctx, in)
	return out, err
}

func (r *Reader) allTargetGroups(ctx context.Context) (map[string]types.TargetGroup, int, error) {
	return r.describeTargetGroups(ctx, &elbv2.DescribeTargetGroupsInput{PageSize: sdk.Int32(page)})
}

func (r *Reader) describeTargetGroups(ctx context.Context, in *elbv2.DescribeTargetGroupsInput) (map[string]types.TargetGroup, int, error) {
	found := map[string]types.TargetGroup{}
	pages, calls := elbv2.NewDescribeTargetGroupsPaginator(r.elbv2, in), 0
	for ; pages.HasMorePages(); calls++ {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, calls, err
		}
		for _, g := range out.TargetGroups {
			found[sdk.ToString(g.TargetGroupArn)] = g
			found[sdk.ToString(g.TargetGroupName)] = g
		}
	}
	return found, calls, nil
}

func (r *Reader) readListeners(ctx context.Context, arns []string) (map[string]types.Listener, error) {
	found := map[string]types.Listener{}
	list, err := r.describeListeners(ctx, &elbv2.DescribeListenersInput{ListenerArns: arns})
	for _, l := range list {
		found[sdk.ToString(l.ListenerArn)] = l
	}
	return found, err
}

func (r *Reader) readListenersOf(ctx context.Context, loadBalancer string) ([]types.Listener, error) {
	return r.describeListeners(ctx, &elbv2.DescribeListenersInput{LoadBalancerArn: &loadBalancer, PageSize: sdk.Int32(page)})
}

func (r *Reader) describeListeners(ctx context.Context, in *elbv2.DescribeListenersInput) ([]types.Listener, error) {
	var found []types.Listener
	for pages := elbv2.NewDescribeListenersPaginator(r.elbv2, in); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, out.Listeners...)
	}
	return found, nil
}

func (r *Reader) readRules(ctx context.Context, listener string) ([]types.Rule, error) {
	var found []types.Rule
	in := &elbv2.DescribeRulesInput{ListenerArn: &listener, PageSize: sdk.Int32(page)}
	for pages := elbv2.NewDescribeRulesPaginator(r.elbv2, in); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, out.Rules...)
	}
	return found, nil
}

func (r *Reader) readCertificates(ctx context.Context, listener string) ([]types.Certificate, error) {
	var found []types.Certificate
	in := &elbv2.DescribeListenerCertificatesInput{ListenerArn: &listener, PageSize: sdk.Int32(page)}
	for pages := elbv2.NewDescribeListenerCertificatesPaginator(r.elbv2, in); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, out.Certificates...)
	}
	return found, nil
}

func (r *Reader) readTags(ctx context.Context, arns []string) (map[string]map[string]string, error) {
	out, err := r.elbv2.DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: arns})
	if err != nil {
		return nil, err
	}
	found := map[string]map[string]string{}
	for _, d := range out.TagDescriptions {
		tags := map[string]string{}
		for _, t := range d.Tags {
			tags[sdk.ToString(t.Key)] = sdk.ToString(t.Value)
		}
		found[sdk.ToString(d.ResourceArn)] = tags
	}
	return found, nil
}

func (r *Reader) readCapacity(ctx context.Context, arn string) (*elbv2.DescribeCapacityReservationOutput, error) {
	return r.elbv2.DescribeCapacityReservation(ctx, &elbv2.DescribeCapacityReservationInput{LoadBalancerArn: &arn})
}

func (r *Reader) readLoadBalancerAttributes(ctx context.Context, arn string) (map[string]string, error) {
	out, err := r.elbv2.DescribeLoadBalancerAttributes(ctx, &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn})
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, a := range out.Attributes {
		found[sdk.ToString(a.Key)] = sdk.ToString(a.Value)
	}
	return found, nil
}

func (r *Reader) readTargetGroupAttributes(ctx context.Context, arn string) (map[string]string, error) {
	out, err := r.elbv2.DescribeTargetGroupAttributes(ctx, &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &arn})
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, a := range out.Attributes {
		found[sdk.ToString(a.Key)] = sdk.ToString(a.Value)
	}
	return found, nil
}

func (r *Reader) readListenerAttributes(ctx context.Context, arn string) (map[string]string, error) {
	out, err := r.elbv2.DescribeListenerAttributes(ctx, &elbv2.DescribeListenerAttributesInput{ListenerArn: &arn})
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, a := range out.Attributes {
		found[sdk.ToString(a.Key)] = sdk.ToString(a.Value)
	}
	return found, nil
}
