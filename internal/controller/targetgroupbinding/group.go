package targetgroupbinding

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	attributeDrain     = "deregistration_delay.timeout_seconds"
	attributeCrossZone = "load_balancing.cross_zone.enabled"
	// defaultDrain is AWS's deregistration delay.
	defaultDrain = 300 * time.Second
	// tagsPerCall is the most ARNs that DescribeTags takes.
	tagsPerCall = 20
	// factsFor is how long what is known of a group is used again. The engine
	// asks for a reconcile up to six times a minute; that must cost no AWS call.
	factsFor = time.Minute
)

// A foundGroup is a target group as a binding needs to know it.
type foundGroup struct {
	targets.Group
	// checkPort is where health is checked.
	checkPort string
	drain     time.Duration
}

// group finds the target group of a binding that is not being deleted.
func (e *external) group(ctx context.Context, b Binding) (foundGroup, error) {
	p := b.ForProvider()
	bound := b.ObservedState().AtProvider.TargetGroupARN
	switch {
	case p.TargetGroupARN != nil:
		return e.named(ctx, b, "targetGroupArn", *p.TargetGroupARN)
	case p.TargetGroupName != nil:
		arn, err := e.byName(ctx, *p.TargetGroupName)
		if err != nil {
			return foundGroup{}, err
		}
		return e.named(ctx, b, "targetGroupName", arn)
	case p.TargetGroupTags != nil && bound != "" && b.ObservedState().ObservedGeneration == b.GetGeneration():
		// Tags are looked up once for each generation: it takes a call for every
		// 20 groups of the region.
		return e.named(ctx, b, "targetGroupTags", bound)
	case p.TargetGroupTags != nil:
		arn, err := e.byTags(ctx, p.TargetGroupTags)
		if err != nil {
			return foundGroup{}, err
		}
		return e.named(ctx, b, "targetGroupTags", arn)
	}
	return e.named(ctx, b, "targetGroupArnRef", e.referred)
}

// named describes a group and says which field named it if there is none.
func (e *external) named(ctx context.Context, b Binding, field, arn string) (foundGroup, error) {
	found, err := e.describe(ctx, b, arn)
	if aws.IsNotFound(err, "TargetGroupNotFound") {
		return found, errors.Errorf("spec.forProvider.%s: target group %s does not exist in region %s: create it, or name another", field, arn, e.access.Region)
	}
	return found, err
}

// describe reads a group, its attributes and its tags, or takes what was read
// less than a minute ago.
func (e *external) describe(ctx context.Context, b Binding, arn string) (foundGroup, error) {
	if found, ok := e.facts.get(b, arn); ok {
		return found, nil
	}
	out, err := e.access.ELBv2.DescribeTargetGroups(ctx, &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{arn}})
	if err != nil {
		return foundGroup{}, aws.Wrap(err)
	}
	if len(out.TargetGroups) != 1 {
		return foundGroup{}, errors.Errorf("AWS described %d target groups for %s", len(out.TargetGroups), arn)
	}
	found := foundGroup{Group: targets.Group{
		ARN:      arn,
		Protocol: string(out.TargetGroups[0].Protocol),
		Type:     targets.Type(out.TargetGroups[0].TargetType),
	}, checkPort: awssdk.ToString(out.TargetGroups[0].HealthCheckPort), drain: defaultDrain}

	attributes, err := e.access.ELBv2.DescribeTargetGroupAttributes(ctx, &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &arn})
	if err != nil {
		return foundGroup{}, aws.Wrap(err)
	}
	found.take(attributes.Attributes)

	tags, err := e.access.ELBv2.DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: []string{arn}})
	if err != nil {
		return foundGroup{}, aws.Wrap(err)
	}
	for _, d := range tags.TagDescriptions {
		found.Ours = tagMap(d.Tags)[controller.TagCluster] == e.options.ClusterID
	}
	e.facts.put(b, arn, found)
	return found, nil
}

func (f *foundGroup) take(attributes []types.TargetGroupAttribute) {
	for _, a := range attributes {
		switch awssdk.ToString(a.Key) {
		case attributeDrain:
			if s, err := strconv.Atoi(awssdk.ToString(a.Value)); err == nil {
				f.drain = time.Duration(s) * time.Second
			}
		case attributeCrossZone:
			f.CrossZone = awssdk.ToString(a.Value) == "true"
		}
	}
}

func tagMap(tags []types.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[awssdk.ToString(t.Key)] = awssdk.ToString(t.Value)
	}
	return m
}

func (e *external) byName(ctx context.Context, name string) (string, error) {
	out, err := e.access.ELBv2.DescribeTargetGroups(ctx, &elbv2.DescribeTargetGroupsInput{Names: []string{name}})
	if aws.IsNotFound(err, "TargetGroupNotFound") {
		return "", errors.Errorf("spec.forProvider.targetGroupName: there is no target group %q in region %s: create it, or name another", name, e.access.Region)
	}
	if err != nil {
		return "", aws.Wrap(err)
	}
	if len(out.TargetGroups) != 1 {
		return "", errors.Errorf("AWS described %d target groups with the name %q", len(out.TargetGroups), name)
	}
	return awssdk.ToString(out.TargetGroups[0].TargetGroupArn), nil
}

// byTags finds the one group that has all the tags.
func (e *external) byTags(ctx context.Context, wanted map[string]v1alpha1.TagValue) (string, error) {
	var all []string
	for page := elbv2.NewDescribeTargetGroupsPaginator(e.access.ELBv2, &elbv2.DescribeTargetGroupsInput{}); page.HasMorePages(); {
		out, err := page.NextPage(ctx)
		if err != nil {
			return "", aws.Wrap(err)
		}
		for _, g := range out.TargetGroups {
			all = append(all, awssdk.ToString(g.TargetGroupArn))
		}
	}
	var found []string
	for arns := range slices.Chunk(all, tagsPerCall) {
		out, err := e.access.ELBv2.DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: arns})
		if err != nil {
			return "", aws.Wrap(err)
		}
		for _, d := range out.TagDescriptions {
			if hasAll(tagMap(d.Tags), wanted) {
				found = append(found, awssdk.ToString(d.ResourceArn))
			}
		}
	}
	slices.Sort(found)
	switch len(found) {
	case 0:
		return "", errors.Errorf("spec.forProvider.targetGroupTags: no target group in region %s has the tags %s: tag one, or change the tags", e.access.Region, tagList(wanted))
	case 1:
		return found[0], nil
	}
	return "", errors.Errorf("spec.forProvider.targetGroupTags: %d target groups have the tags %s, but one is wanted: %s; add a tag that tells them apart",
		len(found), tagList(wanted), strings.Join(found, ", "))
}

func hasAll(tags map[string]string, wanted map[string]v1alpha1.TagValue) bool {
	for k, v := range wanted {
		if got, ok := tags[k]; !ok || got != string(v) {
			return false
		}
	}
	return true
}

func tagList(tags map[string]v1alpha1.TagValue) string {
	pairs := make([]string, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		pairs = append(pairs, fmt.Sprintf("%s=%s", k, tags[k]))
	}
	return strings.Join(pairs, ", ")
}

// servable says why a binding cannot serve a group: only another spec helps.
func servable(p *v1alpha1.TargetGroupBindingParameters, g foundGroup) error {
	refuse := func(format string, args ...any) error {
		return controller.Stalled{Reason: controller.ReasonInvalid, Message: fmt.Sprintf(format, args...)}
	}
	switch field, err := invalidSelector(p); {
	case err != nil:
		return refuse("spec.forProvider.%s: %s", field, err)
	case g.Type != targets.TypeInstance && g.Type != targets.TypeIP:
		return refuse("target group %s has target type %s: a binding serves instance and ip; name a target group of one of these", g.ARN, g.Type)
	case p.TargetType != nil && *p.TargetType != string(g.Type):
		return refuse("spec.forProvider.targetType is %s, but target group %s has target type %s: remove the field, or name another target group", *p.TargetType, g.ARN, g.Type)
	}
	switch g.Protocol {
	case "TCP", "TLS":
		return nil
	case "UDP", "TCP_UDP":
		if g.checkPort == "" || g.checkPort == "traffic-port" {
			return refuse("target group %s has protocol %s and checks health on the traffic port, which cannot tell anything of UDP: set healthCheck.port of the target group to a port that answers TCP, HTTP or HTTPS", g.ARN, g.Protocol)
		}
		return nil
	}
	return refuse("target group %s has protocol %s: a binding serves TCP, TLS, UDP and TCP_UDP; name another target group", g.ARN, g.Protocol)
}
