package targetgroup

import (
	"context"
	"fmt"
	"strings"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// Codes of AWS that have a meaning here.
const (
	codeNotFound = "TargetGroupNotFound"
	codeInUse    = "ResourceInUse"
)

// An external is the target group of one object, for one reconcile.
type external struct {
	elb       aws.ELBv2
	read      *aws.Reader
	ages      controller.Ages
	region    string
	clusterID string
	// tags that the group should have.
	tags map[string]string
	// attributes that are declared.
	attributes map[string]string
	resolver   controller.Resolver
	policies   managed.ManagementPoliciesChecker
	deleting   bool

	// What Observe has found, and what would make it what it should be.
	group  *group
	change change
}

// Observe finds the group and compares it with what is wanted.
func (e *external) Observe(ctx context.Context, mg TargetGroup) (managed.ExternalObservation, error) {
	g, err := e.find(ctx, mg)
	if err != nil || g == nil {
		return managed.ExternalObservation{}, unlessGone(err)
	}

	ours := mg.ObservedState().AtProvider
	if err := e.readAttributes(ctx, g, ours.ManagedAttributeKeys); err != nil {
		return managed.ExternalObservation{}, unlessGone(err)
	}

	have := have(g.sdk)
	e.group = g
	e.tags = controller.AdoptedTags(e.tags, g.tags, ours.ManagedTagKeys)
	e.change = plan(want(mg.ForProvider(), have), have)
	e.change.tags = controller.ChangeTags(e.tags, g.tags, ours.ManagedTagKeys)
	e.change.attributes = controller.ChangeAttributes(e.attributes, g.attributes, ours.ManagedAttributeKeys, defaults(have))

	e.record(mg.ObservedState())
	mg.SetConditions(controller.Available().WithMessage(e.change.attributes.Note()))

	if e.deleting {
		return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: true}, nil
	}

	if meta.GetExternalName(mg) == "" && e.policies.ShouldCreate() {
		// It is ours, but its name was lost: only after Create does the runtime keep
		// an external name.
		return managed.ExternalObservation{}, nil
	}

	if len(e.change.impossible) > 0 && e.policies.ShouldUpdate() {
		return managed.ExternalObservation{}, e.change.stalled(g)
	}

	return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: e.change.none(), Diff: e.change.String(g)}, nil
}

// unlessGone is no error if the group went between two reads.
func unlessGone(err error) error {
	if aws.IsNotFound(err, codeNotFound) {
		return nil
	}

	return err
}

// Create a group, unless Observe has found that we did already.
func (e *external) Create(ctx context.Context, mg TargetGroup) (managed.ExternalCreation, error) {
	if e.group != nil {
		meta.SetExternalName(mg, e.group.arn())

		return managed.ExternalCreation{}, nil
	}

	name := e.name(mg)

	out, err := e.elb.CreateTargetGroup(ctx, createInput(name, mg.ForProvider(), e.tags))
	if err != nil {
		return managed.ExternalCreation{}, controller.Failed(fmt.Sprintf("create target group %q", name), err)
	}

	if len(out.TargetGroups) != 1 {
		return managed.ExternalCreation{}, fmt.Errorf("cannot create target group %q: AWS answered without one", name)
	}

	// AWS answers with a group that exists if its settings are the same, so it may
	// be somebody else's.
	g, err := e.withTags(ctx, out.TargetGroups[0])
	if err != nil {
		return managed.ExternalCreation{}, err
	}

	if meta.GetExternalName(mg) == "" {
		if err := controller.Claim(mg, e.clusterID, g.found()); err != nil {
			return managed.ExternalCreation{}, err
		}

		meta.SetExternalName(mg, g.arn())
	}

	// AWS may not see the group yet. Then Observe does, soon, and Update follows.
	if err := e.setAttributes(ctx, g.arn(), e.attributes); err != nil && !aws.IsNotFound(err, codeNotFound) {
		return managed.ExternalCreation{}, controller.Failed("set the attributes of "+g.String(), err)
	}

	return managed.ExternalCreation{}, nil
}

// Update what can be updated: the health check and attributes, by one call each,
// and tags.
func (e *external) Update(ctx context.Context, mg TargetGroup) (managed.ExternalUpdate, error) {
	arn := e.group.arn()

	if e.change.health {
		if _, err := e.elb.ModifyTargetGroup(ctx, modifyInput(arn, mg.ForProvider().HealthCheck)); err != nil {
			return managed.ExternalUpdate{}, controller.Failed("change the health check of "+e.group.String(), err)
		}
	}

	if err := e.setAttributes(ctx, arn, e.change.attributes.Set); err != nil {
		return managed.ExternalUpdate{}, controller.Failed("set the attributes of "+e.group.String(), err)
	}

	return managed.ExternalUpdate{}, controller.WriteELBv2Tags(ctx, e.elb, []string{arn}, e.group.String(), e.change.tags)
}

// Delete the group. While a listener uses it, AWS refuses: that is shown, and
// tried again quietly.
func (e *external) Delete(ctx context.Context, mg TargetGroup) (managed.ExternalDelete, error) {
	arn := e.group.arn()
	_, err := e.elb.DeleteTargetGroup(ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: &arn})

	switch {
	case err == nil, aws.IsNotFound(err, codeNotFound):
		return managed.ExternalDelete{}, nil
	case aws.Code(err) == codeInUse:
		mg.SetConditions(controller.DeletionBlocked(codeInUse, "still used by "+e.users(ctx, mg)))

		return managed.ExternalDelete{}, nil
	}

	return managed.ExternalDelete{}, controller.Failed("delete "+e.group.String(), err)
}

// Disconnect does nothing: clients are pooled.
func (e *external) Disconnect(context.Context) error { return nil }

// record what AWS has, and which tags and attributes are ours to take back.
func (e *external) record(s *v1alpha1.TargetGroupStatus) {
	tags, attributes := s.AtProvider.ManagedTagKeys, s.AtProvider.ManagedAttributeKeys
	if e.policies.ShouldUpdate() && !e.deleting {
		tags = controller.ManagedTagKeys(e.tags, e.change.tags)
		attributes = controller.ManagedAttributeKeys(e.attributes, e.change.attributes)
	}

	s.AtProvider = observation(e.group.sdk)
	s.AtProvider.ManagedTagKeys = tags
	s.AtProvider.ManagedAttributeKeys = attributes

	if e.onlyObserves() {
		s.AtProvider.Attributes = e.group.attributes
	}
}

// users says what uses the group, by name if it is ours.
func (e *external) users(ctx context.Context, mg TargetGroup) string {
	users := e.resolver.Users(ctx, mg, controller.TargetGroupARN)

	switch arns := e.group.sdk.LoadBalancerArns; {
	case users != "":
		return users
	case len(arns) == 0:
		return "a listener or a rule"
	default:
		return "listeners or rules of " + strings.Join(arns, ", ")
	}
}
