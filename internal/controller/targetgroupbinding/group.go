package targetgroupbinding

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	attributeDrain     = "deregistration_delay.timeout_seconds"
	attributeCrossZone = "load_balancing.cross_zone.enabled"
	attributeUnhealthy = "target_health_state.unhealthy.connection_termination.enabled"
	// defaultDrain is AWS's deregistration delay.
	defaultDrain = 300 * time.Second
	// trafficPort is AWS's word for a health check on the port that traffic has.
	trafficPort = "traffic-port"
	// codeNotFound is AWS's answer where there is no such group.
	codeNotFound = "TargetGroupNotFound"
	// tagsFor is how old the tags of the region's groups may be when a search for
	// some is tried again.
	tagsFor = time.Minute
	// firstLookFor is how old what this process has read of a group may be at its first
	// look at a binding that was served before it began.
	firstLookFor = 10 * time.Second
)

// A foundGroup is a target group as a binding needs to know it.
type foundGroup struct {
	targets.Group
	drain time.Duration
	// owner is what tag exclusive-owner says; empty if there is none.
	owner string
	// loadBalancers that forward to it, by ARN. AWS allows one.
	loadBalancers []string
	// provisional says that its tags and attributes are not known yet.
	provisional bool
}

// group finds the target group of a binding that is not being deleted.
func (e *external) group(ctx context.Context, b Binding) (foundGroup, error) {
	ages := e.ages(b)
	field, arn, err := e.identify(ctx, b, ages)
	if err != nil {
		return foundGroup{}, err
	}
	if err := controller.InRegion(field, arn, e.access.Region, "TargetGroupBinding", e.referred != ""); err != nil {
		return foundGroup{}, err
	}
	describe := e.describe
	if b.ObservedState().AtProvider.TargetGroupARN == arn && !e.later.ended(e.access, arn, func() { e.notify(refOf(b)) }) {
		describe = e.sketch
	}
	found, err := describe(ctx, arn, ages)
	if aws.IsNotFound(err, codeNotFound) {
		return found, errors.Errorf("spec.forProvider.%s: target group %s does not exist in region %s: create it, or name another", field, arn, e.access.Region)
	}
	if err != nil {
		return found, errors.Wrapf(err, "spec.forProvider.%s: cannot read target group %s", field, arn)
	}
	e.looked.put(b, "", true)
	if !found.provisional {
		e.later.know(e.access, arn)
	}
	return found, nil
}

// ages say how old what is read of the group may be. The group is not the
// binding's, so that a binding which is not ready says nothing about it: the engine
// asks for a reconcile up to six times a minute, and that must cost no AWS call. But
// the first look at a generation is at AWS, and so is every look at a group that the
// engine has found to be gone.
//
// After a restart there are as many first looks as bindings, within seconds. One at a
// generation that an earlier process has seen through may take what this one has just
// read for another binding, or each few would cost a call.
func (e *external) ages(b Binding) controller.Ages {
	_, looked := e.looked.get(b, "")
	snap, _ := e.engine.Snapshot(b.GetUID())
	switch bound := b.ObservedState(); {
	case snap.GroupGone:
		return controller.Ages{}
	case looked:
		return e.options.PollAges(b)
	case bound.AtProvider.TargetGroupARN != "" && bound.ObservedGeneration == b.GetGeneration():
		return controller.Ages{Settings: firstLookFor}
	}
	return controller.Ages{}
}

// identify returns the group's ARN, and the field that named it.
func (e *external) identify(ctx context.Context, b Binding, ages controller.Ages) (field, arn string, err error) {
	p := b.ForProvider()
	switch {
	case p.TargetGroupARN != nil:
		return "targetGroupArn", *p.TargetGroupARN, nil
	case p.TargetGroupName != nil:
		arn, err = e.byName(ctx, *p.TargetGroupName, ages.Settings)
		return "targetGroupName", arn, err
	case p.TargetGroupTags != nil:
		arn, err = e.byTags(ctx, b)
		return "targetGroupTags", arn, err
	}
	return "targetGroupArnRef", e.referred, nil
}

// describe reads a group, its attributes and its tags.
func (e *external) describe(ctx context.Context, arn string, ages controller.Ages) (foundGroup, error) {
	found, err := e.sketch(ctx, arn, ages)
	if err != nil {
		return foundGroup{}, err
	}
	tags, err := e.access.Read.Tags(ctx, arn, ages.Settings)
	if err != nil {
		return foundGroup{}, aws.Wrap(err)
	}
	attributes, err := e.access.Read.TargetGroupAttributes(ctx, arn, ages.Details)
	if err != nil {
		return foundGroup{}, aws.Wrap(err)
	}
	found.Ours = tags[controller.TagCluster] == e.options.ClusterID
	found.CrossZone = attributes[attributeCrossZone] == "true"
	found.EndsUnhealthy = attributes[attributeUnhealthy] == "true"
	found.owner = tags[binder.TagExclusiveOwner]
	if s, err := strconv.Atoi(attributes[attributeDrain]); err == nil {
		found.drain = time.Duration(s) * time.Second
	}
	found.provisional = false
	return found, nil
}

// sketch reads what must be known of a group before anything is registered in it:
// that takes a call for many groups.
func (e *external) sketch(ctx context.Context, arn string, ages controller.Ages) (foundGroup, error) {
	g, err := e.access.Read.TargetGroup(ctx, arn, ages.Settings)
	if err != nil {
		return foundGroup{}, aws.Wrap(err)
	}
	return foundGroup{
		Group: targets.Group{
			ARN: arn, Protocol: string(g.Protocol), Type: targets.Type(g.TargetType),
			Check: targets.HealthCheck{
				Protocol: string(g.HealthCheckProtocol), Port: awssdk.ToString(g.HealthCheckPort),
				Interval:  time.Duration(awssdk.ToInt32(g.HealthCheckIntervalSeconds)) * time.Second,
				Unhealthy: int(awssdk.ToInt32(g.UnhealthyThresholdCount)),
			},
		},
		drain: defaultDrain, loadBalancers: g.LoadBalancerArns, provisional: true,
	}, nil
}

func (e *external) byName(ctx context.Context, name string, maxAge time.Duration) (string, error) {
	g, err := e.access.Read.TargetGroupByName(ctx, name, maxAge)
	if aws.IsNotFound(err, codeNotFound) {
		return "", errors.Errorf("spec.forProvider.targetGroupName: there is no target group %q in region %s: create it, or name another", name, e.access.Region)
	}
	return awssdk.ToString(g.TargetGroupArn), aws.Wrap(err)
}

// byTags finds the one group that has all the tags. That is looked up once for
// each generation: it takes a call for every 20 groups of the region. What fails is
// tried again with what others have read in the last minute.
func (e *external) byTags(ctx context.Context, b Binding) (string, error) {
	if bound := b.ObservedState().AtProvider.TargetGroupARN; bound != "" && b.ObservedState().ObservedGeneration == b.GetGeneration() {
		return bound, nil
	}
	var maxAge time.Duration
	if c := b.GetCondition(xpv2.TypeSynced); c.Reason == xpv2.ReasonReconcileError && c.ObservedGeneration == b.GetGeneration() {
		maxAge = tagsFor
	}
	wanted := map[string]string{}
	for k, v := range b.ForProvider().TargetGroupTags {
		wanted[k] = string(v)
	}
	found, err := e.access.Read.TargetGroupsTagged(ctx, wanted, maxAge)
	switch {
	case err != nil:
		return "", aws.Wrap(err)
	case len(found) == 0:
		return "", errors.Errorf("spec.forProvider.targetGroupTags: no target group in region %s has the tags %s: tag one, or change the tags", e.access.Region, tagList(wanted))
	case len(found) == 1:
		return found[0], nil
	}
	return "", errors.Errorf("spec.forProvider.targetGroupTags: %d target groups have the tags %s, but one is wanted: %s; add a tag that tells them apart",
		len(found), tagList(wanted), strings.Join(found, ", "))
}

func tagList(tags map[string]string) string {
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
		if cmp.Or(g.Check.Port, trafficPort) == trafficPort {
			return refuse("target group %s has protocol %s and checks health on the traffic port, which cannot tell anything of UDP: set healthCheck.port of the target group to a port that answers TCP, HTTP or HTTPS", g.ARN, g.Protocol)
		}
		return nil
	}
	return refuse("target group %s has protocol %s: a binding serves TCP, TLS, UDP and TCP_UDP; name another target group", g.ARN, g.Protocol)
}
