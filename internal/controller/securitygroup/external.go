package securitygroup

import (
	"context"
	"fmt"
	"sync"
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
	codeNotFound  = "InvalidGroup.NotFound"
	codeDuplicate = "InvalidGroup.Duplicate"
	codeInUse     = "DependencyViolation"
)

// An external is the security group of one object, for one reconcile.
type external struct {
	ec2  aws.EC2
	read *aws.Reader
	// maxAge of what is read.
	maxAge    time.Duration
	now       time.Time
	clusterID string
	// tags that the group should have.
	tags     map[string]string
	resolver controller.Resolver
	policies managed.ManagementPoliciesChecker
	deleting bool
	// revoked has each revocation of a default egress rule that the status of its
	// object does not tell yet.
	revoked *sync.Map

	// What Observe has found, and what would make it what it should be.
	group  *group
	change change
}

// Observe finds the group and compares it with what is wanted.
func (e *external) Observe(ctx context.Context, mg SecurityGroup) (managed.ExternalObservation, error) {
	g, err := e.find(ctx, mg)
	if err != nil || g == nil {
		return managed.ExternalObservation{}, err
	}

	have := have(g.sdk)
	e.group = g
	e.change = plan(want(mg.ForProvider(), have), have)
	e.change.tags = controller.ChangeTags(e.tags, g.tags, mg.ObservedState().AtProvider.ManagedTagKeys)
	e.recallRevocation(mg)
	e.change.revoke = revocationDue(mg)

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

	if len(e.change.impossible) > 0 && e.policies.ShouldUpdate() {
		return managed.ExternalObservation{}, e.change.stalled(g)
	}

	return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: e.change.none(), Diff: e.change.String()}, nil
}

// Create a group, unless Observe has found that we did already.
func (e *external) Create(ctx context.Context, mg SecurityGroup) (managed.ExternalCreation, error) {
	if e.group != nil {
		meta.SetExternalName(mg, e.group.id())

		return managed.ExternalCreation{}, nil
	}

	name := e.name(mg)
	doing := fmt.Sprintf("create security group %q", name)
	out, err := e.ec2.CreateSecurityGroup(ctx, createInput(name, mg.ForProvider(), e.tags))

	switch {
	case aws.Code(err) == codeDuplicate:
		return managed.ExternalCreation{}, e.reclaim(ctx, mg, name, controller.Failed(doing, err))
	case err != nil:
		return managed.ExternalCreation{}, controller.Failed(doing, err)
	case str(out.GroupId) == "":
		return managed.ExternalCreation{}, fmt.Errorf("cannot %s: AWS answered without its id", doing)
	}

	if meta.GetExternalName(mg) == "" {
		meta.SetExternalName(mg, *out.GroupId)
	}

	e.group = &group{sdk: types.SecurityGroup{GroupId: out.GroupId, GroupName: &name}}

	// AWS may not see the group yet. Then Observe does, soon, and Update follows.
	if err := e.revokeDefaultEgress(ctx, mg); err != nil && !aws.IsNotFound(err, codeNotFound) {
		return managed.ExternalCreation{}, controller.Failed("revoke the default egress rule of "+e.group.String(), err)
	}

	return managed.ExternalCreation{}, nil
}

// Update what can be updated: tags. And carry out what Create could not.
func (e *external) Update(ctx context.Context, mg SecurityGroup) (managed.ExternalUpdate, error) {
	if e.change.revoke {
		if err := e.revokeDefaultEgress(ctx, mg); err != nil {
			return managed.ExternalUpdate{}, controller.Failed("revoke the default egress rule of "+e.group.String(), err)
		}
	}

	resources := []string{e.group.id()}

	if len(e.change.tags.Set) > 0 {
		in := &ec2.CreateTagsInput{Resources: resources, Tags: sdkTags(e.change.tags.Set)}
		if _, err := e.ec2.CreateTags(ctx, in); err != nil {
			return managed.ExternalUpdate{}, controller.Failed("tag "+e.group.String(), err)
		}
	}

	if len(e.change.tags.Remove) > 0 {
		in := &ec2.DeleteTagsInput{Resources: resources, Tags: sdkKeys(e.change.tags.Remove)}
		if _, err := e.ec2.DeleteTags(ctx, in); err != nil {
			return managed.ExternalUpdate{}, controller.Failed("remove tags of "+e.group.String(), err)
		}
	}

	return managed.ExternalUpdate{}, nil
}

// Delete the group. While something uses it, AWS refuses: that is shown, and tried
// again quietly.
func (e *external) Delete(ctx context.Context, mg SecurityGroup) (managed.ExternalDelete, error) {
	id := e.group.id()
	_, err := e.ec2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id})

	switch {
	case err == nil, aws.IsNotFound(err, codeNotFound):
		return managed.ExternalDelete{}, nil
	case aws.Code(err) == codeInUse:
		mg.SetConditions(controller.DeletionBlocked(codeInUse, "still used by "+e.users(ctx, mg)))

		return managed.ExternalDelete{}, nil
	}

	return managed.ExternalDelete{}, controller.Failed("delete "+e.group.String(), err)
}

// users says what uses the group, by name if it is ours.
func (e *external) users(ctx context.Context, mg SecurityGroup) string {
	if users := e.resolver.Users(ctx, mg, controller.SecurityGroupID); users != "" {
		return users
	}

	return "a network interface, such as that of a load balancer, or a rule of another security group"
}

// Disconnect does nothing: clients are pooled.
func (e *external) Disconnect(context.Context) error { return nil }

// record what AWS has, and what is ours to remember.
func (e *external) record(s *v1alpha1.SecurityGroupStatus) {
	keys, revoked := s.AtProvider.ManagedTagKeys, s.AtProvider.DefaultEgressRevoked
	if e.policies.ShouldUpdate() && !e.deleting {
		keys = controller.ManagedTagKeys(e.tags, e.change.tags)
	}

	s.AtProvider = observation(e.group.sdk)
	s.AtProvider.ManagedTagKeys = keys
	s.AtProvider.DefaultEgressRevoked = revoked
}
