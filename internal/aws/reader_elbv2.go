package aws

import (
	"context"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// page is AWS's largest.
const page = 400

// A pager is one of the SDK's paginators, of ELBv2 or EC2; O is the output of its
// call.
type pager[O, Options any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Options)) (*O, error)
}

// everything reads all pages, and says in how many calls.
func everything[O, Options, T any](ctx context.Context, pages pager[O, Options], things func(*O) []T) (found []T, calls int, err error) {
	for ; pages.HasMorePages(); calls++ {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, calls, err
		}
		found = append(found, things(out)...)
	}
	return found, calls, nil
}

// under puts things under each of their keys.
func under[T any](things []T, keys ...func(T) *string) map[string]T {
	found := make(map[string]T, len(things)*len(keys))
	for _, v := range things {
		for _, key := range keys {
			found[sdk.ToString(key(v))] = v
		}
	}
	return found
}

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
	list, calls, err := everything(ctx, elbv2.NewDescribeLoadBalancersPaginator(r.elbv2, in),
		func(o *elbv2.DescribeLoadBalancersOutput) []types.LoadBalancer { return o.LoadBalancers })
	return under(list,
		func(lb types.LoadBalancer) *string { return lb.LoadBalancerArn },
		func(lb types.LoadBalancer) *string { return lb.LoadBalancerName }), calls, err
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
	list, calls, err := everything(ctx, elbv2.NewDescribeTargetGroupsPaginator(r.elbv2, in),
		func(o *elbv2.DescribeTargetGroupsOutput) []types.TargetGroup { return o.TargetGroups })
	return under(list,
		func(g types.TargetGroup) *string { return g.TargetGroupArn },
		func(g types.TargetGroup) *string { return g.TargetGroupName }), calls, err
}

// readTargetGroupARNs of the region, sorted. The key says nothing.
func (r *Reader) readTargetGroupARNs(ctx context.Context, _ string) ([]string, error) {
	all, _, err := r.allTargetGroups(ctx)
	var arns []string
	for key := range all {
		if isARN(key) {
			arns = append(arns, key)
		}
	}
	slices.Sort(arns)
	return arns, err
}

func (r *Reader) readListeners(ctx context.Context, arns []string) (map[string]types.Listener, error) {
	list, err := r.describeListeners(ctx, &elbv2.DescribeListenersInput{ListenerArns: arns})
	return under(list, func(l types.Listener) *string { return l.ListenerArn }), err
}

func (r *Reader) readListenersOf(ctx context.Context, loadBalancer string) ([]types.Listener, error) {
	return r.describeListeners(ctx, &elbv2.DescribeListenersInput{LoadBalancerArn: &loadBalancer, PageSize: sdk.Int32(page)})
}

func (r *Reader) describeListeners(ctx context.Context, in *elbv2.DescribeListenersInput) ([]types.Listener, error) {
	list, _, err := everything(ctx, elbv2.NewDescribeListenersPaginator(r.elbv2, in),
		func(o *elbv2.DescribeListenersOutput) []types.Listener { return o.Listeners })
	return list, err
}

func (r *Reader) readRules(ctx context.Context, listener string) ([]types.Rule, error) {
	in := &elbv2.DescribeRulesInput{ListenerArn: &listener, PageSize: sdk.Int32(page)}
	list, _, err := everything(ctx, elbv2.NewDescribeRulesPaginator(r.elbv2, in),
		func(o *elbv2.DescribeRulesOutput) []types.Rule { return o.Rules })
	return list, err
}

func (r *Reader) readCertificates(ctx context.Context, listener string) ([]types.Certificate, error) {
	in := &elbv2.DescribeListenerCertificatesInput{ListenerArn: &listener, PageSize: sdk.Int32(page)}
	list, _, err := everything(ctx, elbv2.NewDescribeListenerCertificatesPaginator(r.elbv2, in),
		func(o *elbv2.DescribeListenerCertificatesOutput) []types.Certificate { return o.Certificates })
	return list, err
}

// pairs are tags or attributes by their key.
func pairs[P any](list []P, of func(P) (key, value *string)) map[string]string {
	found := make(map[string]string, len(list))
	for _, p := range list {
		key, value := of(p)
		found[sdk.ToString(key)] = sdk.ToString(value)
	}
	return found
}

func (r *Reader) readTags(ctx context.Context, arns []string) (map[string]map[string]string, error) {
	out, err := r.elbv2.DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: arns})
	if err != nil {
		return nil, err
	}
	found := map[string]map[string]string{}
	for _, d := range out.TagDescriptions {
		found[sdk.ToString(d.ResourceArn)] = pairs(d.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
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
	return pairs(out.Attributes, func(a types.LoadBalancerAttribute) (*string, *string) { return a.Key, a.Value }), nil
}

func (r *Reader) readTargetGroupAttributes(ctx context.Context, arn string) (map[string]string, error) {
	out, err := r.elbv2.DescribeTargetGroupAttributes(ctx, &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &arn})
	if err != nil {
		return nil, err
	}
	return pairs(out.Attributes, func(a types.TargetGroupAttribute) (*string, *string) { return a.Key, a.Value }), nil
}

func (r *Reader) readListenerAttributes(ctx context.Context, arn string) (map[string]string, error) {
	out, err := r.elbv2.DescribeListenerAttributes(ctx, &elbv2.DescribeListenerAttributesInput{ListenerArn: &arn})
	if err != nil {
		return nil, err
	}
	return pairs(out.Attributes, func(a types.ListenerAttribute) (*string, *string) { return a.Key, a.Value }), nil
}
