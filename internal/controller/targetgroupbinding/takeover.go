package targetgroupbinding

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// tagValueMost is AWS's limit of a tag's value.
const tagValueMost = 256

// ownerOf is the value of the tag that names a binding: cluster/namespace/name,
// the namespace empty for the cluster-scoped kind. One that is too long ends in a
// hash of itself.
func ownerOf(clusterID string, b resource.Managed) string {
	value := clusterID + "/" + b.GetNamespace() + "/" + b.GetName()
	if len(value) <= tagValueMost {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	end := "-" + hex.EncodeToString(sum[:8])
	return value[:tagValueMost-len(end)] + end
}

// owned says whether the group's tag names this binding, and has for long enough, and
// whom else it names.
func (e *external) owned(b Binding, owner string) (claimed bool, by string) {
	switch owner {
	case "":
		return false, ""
	case ownerOf(e.options.ClusterID, b):
		return e.claims.settled(b.GetUID()), ""
	}
	return false, owner
}

// tagAgrees says that the tag needs no change: it is set when the engine asks for
// it, and read again when that has settled, and removed from a binding that is not
// Exclusive any more.
func (e *external) tagAgrees(b Binding, found foundGroup, snap binder.Snapshot) bool {
	switch {
	case found.provisional:
		return true // it is not known
	case found.owner == "":
		return !snap.Claim
	case found.owner != ownerOf(e.options.ClusterID, b):
		return true
	case !isExclusive(b):
		return found.Ours
	}
	return !snap.Claim || !e.claims.due(b.GetUID())
}

func isExclusive(b Binding) bool {
	return policyOf(b.ForProvider()).Ownership == targets.OwnershipExclusive
}

// claim sets the tag, or removes it, by what it is at this moment: another binding
// may have been faster. What AWS holds then goes to the engine at once.
func (e *external) claim(ctx context.Context, b Binding) error {
	tags, err := e.access.Read.Tags(ctx, e.found.ARN, 0)
	if err != nil {
		return aws.Wrap(err)
	}
	settled := func() { e.notify(refOf(b)) }
	switch owner := tags[binder.TagExclusiveOwner]; {
	case owner == "" && isExclusive(b):
		_, err = e.access.ELBv2.AddTags(ctx, &elbv2.AddTagsInput{ResourceArns: []string{e.found.ARN}, Tags: []types.Tag{
			{Key: new(binder.TagExclusiveOwner), Value: new(ownerOf(e.options.ClusterID, b))},
		}})
		e.claims.written(b.GetUID(), settled)
	case owner == ownerOf(e.options.ClusterID, b) && isExclusive(b):
		e.claims.read(b.GetUID(), settled)
	case owner == ownerOf(e.options.ClusterID, b) && !isExclusive(b):
		err = e.unclaim(ctx, e.found.ARN)
	}
	if err != nil {
		return errors.Wrapf(aws.Wrap(err), "cannot change tag %s of target group %s", binder.TagExclusiveOwner, e.found.ARN)
	}
	found, err := e.describe(ctx, e.found.ARN, controller.Ages{})
	if err != nil {
		return err
	}
	e.engine.Bind(e.order(b, found))
	return nil
}

func (e *external) unclaim(ctx context.Context, arn string) error {
	_, err := e.access.ELBv2.RemoveTags(ctx, &elbv2.RemoveTagsInput{ResourceArns: []string{arn}, TagKeys: []string{binder.TagExclusiveOwner}})
	return err
}

// stillClaims says whether the group of a binding that is being deleted has its
// tag. Only an Exclusive one can have set it.
func (e *external) stillClaims(ctx context.Context, b Binding) (bool, error) {
	if !isExclusive(b) {
		return false, nil
	}
	tags, err := e.access.Read.Tags(ctx, b.ObservedState().AtProvider.TargetGroupARN, e.options.PollAges(b).Settings)
	if aws.IsNotFound(err, codeNotFound) {
		return false, nil
	}
	return tags[binder.TagExclusiveOwner] == ownerOf(e.options.ClusterID, b), aws.Wrap(err)
}
