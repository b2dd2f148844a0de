package securitygroup

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
)

// lag is for how long after a creation AWS may not show all of it.
const lag = 30 * time.Second

// revocationDue says that the default egress rule is still to be revoked: that is
// declared, was not done, and we have created the group. What is adopted keeps its
// rules.
func revocationDue(mg SecurityGroup) bool {
	p := mg.ForProvider()

	return p.RevokeDefaultEgress != nil && *p.RevokeDefaultEgress &&
		!mg.ObservedState().AtProvider.DefaultEgressRevoked &&
		!meta.GetExternalCreatePending(mg).IsZero()
}

// revokeDefaultEgress revokes the rules that AWS gives to a new group, if that is
// due. A rule with tags or a description is somebody's.
func (e *external) revokeDefaultEgress(ctx context.Context, mg SecurityGroup) error {
	if !revocationDue(mg) {
		return nil
	}

	id := e.group.id()

	rules, err := e.read.SecurityGroupRules(ctx, id, 0)
	if err != nil {
		return err
	}

	var ids []string
	for _, r := range rules {
		if isDefaultEgress(r) {
			ids = append(ids, str(r.SecurityGroupRuleId))
		}
	}

	if len(ids) == 0 {
		// Either somebody has revoked it, or AWS does not show it yet.
		created := meta.GetExternalCreateSucceeded(mg)
		mg.ObservedState().AtProvider.DefaultEgressRevoked = !created.IsZero() && e.now.Sub(created) > lag

		return nil
	}

	if _, err := e.ec2.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &id, SecurityGroupRuleIds: ids}); err != nil {
		return err
	}

	mg.ObservedState().AtProvider.DefaultEgressRevoked = true
	e.revoked.Store(e.revocation(mg), true)

	return nil
}

// recallRevocation tells what was revoked by a creation, after which no status is
// written. Without that memory, as after a restart, lag must pass before the absence
// of the rule says the same.
func (e *external) recallRevocation(mg SecurityGroup) {
	o := &mg.ObservedState().AtProvider
	if o.DefaultEgressRevoked {
		e.revoked.Delete(e.revocation(mg))

		return
	}

	_, o.DefaultEgressRevoked = e.revoked.Load(e.revocation(mg))
}

// A revocation is of the group that an object has created: what one object remembers
// no other forgets, whatever accounts the two are in.
type revocation struct {
	object types.UID
	group  string
}

func (e *external) revocation(mg SecurityGroup) revocation {
	return revocation{object: mg.GetUID(), group: e.group.id()}
}

// isDefaultEgress tells AWS's own rules: all protocols to everywhere. A VPC with
// IPv6 has two.
func isDefaultEgress(r ec2types.SecurityGroupRule) bool {
	return r.IsEgress != nil && *r.IsEgress && str(r.IpProtocol) == "-1" &&
		(str(r.CidrIpv4) == "0.0.0.0/0" || str(r.CidrIpv6) == "::/0") &&
		len(r.Tags) == 0 && str(r.Description) == ""
}
