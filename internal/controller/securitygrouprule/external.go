package securitygrouprule

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// Codes of AWS that have a meaning here.
const (
	codeNotFound  = "InvalidSecurityGroupRuleId.NotFound"
	codeNoGroup   = "InvalidGroup.NotFound"
	codeDuplicate = "InvalidPermission.Duplicate"
)

// An external is the rule of one object, for one reconcile.
type external struct {
	ec2  aws.EC2
	read *aws.Reader
	// maxAge of what is read.
	maxAge    time.Duration
	clusterID string
	// groupID of the group that has the rule, and sourceID of the one it refers to.
	// Ids are unique in all of AWS: sourceAccount, if it is another, is for AWS only.
	groupID, sourceID, sourceAccount string
	// tags that the rule should have.
	tags     map[string]string
	policies managed.ManagementPoliciesChecker
	deleting bool

	// What Observe has found, with all rules of the group, and what would make it
	// what it should be.
	rule   *rule
	others []*rule
	change change
}

// Observe finds the rule and compares it with what is wanted.
func (e *external) Observe(ctx context.Context, mg SecurityGroupRule) (managed.ExternalObservation, error) {
	r, err := e.find(ctx, mg)
	if err != nil || r == nil {
		return managed.ExternalObservation{}, err
	}

	have := have(r)

	want, err := want(mg.ForProvider(), e.sourceID, have)
	if err != nil && !e.deleting {
		return managed.ExternalObservation{}, err
	}

	e.rule = r
	e.change = plan(want, have, r, e.others)
	e.change.tags = controller.ChangeTags(e.tags, r.tags, mg.ObservedState().AtProvider.ManagedTagKeys)

	e.record(mg.ObservedState())
	mg.SetConditions(controller.Available())

	if e.deleting {
		return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: true}, nil
	}

	if meta.GetExternalName(mg) == "" && e.policies.ShouldCreate() {
		// It is ours, but its name was lost: only after Create does the runtime keep
		// an external name.
		return managed.ExternalObservation{}, nil
	}

	if err := e.change.stalled(r); err != nil && e.policies.ShouldUpdate() {
		return managed.ExternalObservation{}, err
	}

	return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: e.change.none(), Diff: e.change.String()}, nil
}

// Create a rule, unless Observe has found that we did already.
func (e *external) Create(ctx context.Context, mg SecurityGroupRule) (managed.ExternalCreation, error) {
	if e.rule != nil {
		meta.SetExternalName(mg, e.rule.id())

		return managed.ExternalCreation{}, nil
	}

	want, err := want(mg.ForProvider(), e.sourceID, state{})
	if err != nil {
		return managed.ExternalCreation{}, err
	}

	id, err := e.authorize(ctx, want)
	if aws.Code(err) == codeDuplicate {
		// Either ours is seen only now, or it is somebody else's.
		e.maxAge = 0

		r, findErr := e.find(ctx, mg)
		if findErr != nil {
			return managed.ExternalCreation{}, findErr
		}

		if r != nil {
			id, err = r.id(), nil
		}
	}

	if err != nil {
		return managed.ExternalCreation{}, controller.Failed(fmt.Sprintf("add rule %s to security group %s", want.content, e.groupID), err)
	}

	if meta.GetExternalName(mg) == "" {
		meta.SetExternalName(mg, id)
	}

	return managed.ExternalCreation{}, nil
}

// Update what the rule says, by one call, and tags.
func (e *external) Update(ctx context.Context, _ SecurityGroupRule) (managed.ExternalUpdate, error) {
	id := e.rule.id()

	if len(e.change.differences) > 0 {
		in := &ec2.ModifySecurityGroupRulesInput{
			GroupId:            &e.groupID,
			SecurityGroupRules: []types.SecurityGroupRuleUpdate{{SecurityGroupRuleId: &id, SecurityGroupRule: request(e.change.to)}},
		}
		if _, err := e.ec2.ModifySecurityGroupRules(ctx, in); err != nil {
			return managed.ExternalUpdate{}, controller.Failed("change "+e.rule.String(), err)
		}
	}

	if len(e.change.tags.Set) > 0 {
		in := &ec2.CreateTagsInput{Resources: []string{id}, Tags: sdkTags(e.change.tags.Set)}
		if _, err := e.ec2.CreateTags(ctx, in); err != nil {
			return managed.ExternalUpdate{}, controller.Failed("tag "+e.rule.String(), err)
		}
	}

	if len(e.change.tags.Remove) > 0 {
		in := &ec2.DeleteTagsInput{Resources: []string{id}, Tags: sdkKeys(e.change.tags.Remove)}
		if _, err := e.ec2.DeleteTags(ctx, in); err != nil {
			return managed.ExternalUpdate{}, controller.Failed("remove tags of "+e.rule.String(), err)
		}
	}

	return managed.ExternalUpdate{}, nil
}

// Delete the rule. It goes with its group, too.
func (e *external) Delete(ctx context.Context, _ SecurityGroupRule) (managed.ExternalDelete, error) {
	err := e.revoke(ctx, e.rule)
	if aws.IsNotFound(err, codeNotFound, codeNoGroup) {
		err = nil
	}

	return managed.ExternalDelete{}, controller.Failed("revoke "+e.rule.String(), err)
}

// Disconnect does nothing: clients are pooled.
func (e *external) Disconnect(context.Context) error { return nil }

// record what AWS has, and which tags are ours to remove.
func (e *external) record(s *v1alpha1.SecurityGroupRuleStatus) {
	keys := s.AtProvider.ManagedTagKeys
	if e.policies.ShouldUpdate() && !e.deleting {
		keys = controller.ManagedTagKeys(e.tags, e.change.tags)
	}

	s.AtProvider = observation(e.rule)
	s.AtProvider.ManagedTagKeys = keys
}
