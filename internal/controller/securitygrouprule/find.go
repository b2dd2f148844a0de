package securitygrouprule

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A rule is a rule of a security group as it is in AWS.
type rule struct {
	sdk     types.SecurityGroupRule
	content content
	tags    map[string]string
}

func newRule(sdk types.SecurityGroupRule) *rule {
	r := &rule{sdk: sdk, content: contentOf(sdk), tags: map[string]string{}}
	for _, t := range sdk.Tags {
		r.tags[str(t.Key)] = str(t.Value)
	}

	return r
}

func (r *rule) id() string { return str(r.sdk.SecurityGroupRuleId) }

func (r *rule) String() string { return "security group rule " + r.id() }

func (r *rule) found() controller.Found {
	return controller.Found{
		What:         fmt.Sprintf("rule %s (%s) of security group %s", r.id(), r.content, str(r.sdk.GroupId)),
		ExternalName: r.id(), Tags: r.tags,
		Otherwise: "declare another rule, or remove that one",
	}
}

// find the rule of an object, or nil if AWS has none: the one that the external
// name names; else the one with the same content, which must be ours; else the one
// that has our tags, whose content is to be changed.
func (e *external) find(ctx context.Context, mg SecurityGroupRule) (*rule, error) {
	external := meta.GetExternalName(mg)
	if err := checkID(external); err != nil && !e.deleting {
		return nil, err
	}

	if e.groupID == "" && (e.deleting || external == "") {
		return nil, nil //nolint:nilnil // Absent is no error.
	}

	if e.groupID == "" {
		return e.anywhere(ctx, external)
	}

	rules, err := e.rules(ctx)
	if err != nil {
		return nil, err
	}

	e.others = rules
	if r := pick(rules, func(r *rule) bool { return r.id() == external }); r != nil {
		return r, nil
	}

	if err := e.moved(ctx, mg, external); err != nil {
		return nil, err
	}

	return e.ours(mg, rules)
}

// anywhere returns the rule of an id, whatever its group. It is for a rule that is
// only observed.
func (e *external) anywhere(ctx context.Context, id string) (*rule, error) {
	out, err := e.ec2.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{id}})

	switch {
	case aws.IsNotFound(err, codeNotFound):
		return nil, nil //nolint:nilnil // Absent is no error.
	case err != nil:
		return nil, controller.Failed("describe security group rule "+id, err)
	case len(out.SecurityGroupRules) != 1:
		return nil, errors.New("AWS described " + id + " as several security group rules, or none")
	}

	r := newRule(out.SecurityGroupRules[0])
	e.groupID = str(r.sdk.GroupId)

	return r, nil
}

// ours returns the rule that has the object's content, or its tags.
func (e *external) ours(mg SecurityGroupRule, rules []*rule) (*rule, error) {
	claim := func(r *rule) error { return controller.Claim(mg, e.clusterID, r.found()) }

	if !e.deleting {
		wanted, err := content{}.declare(mg.ForProvider(), e.sourceID)
		if err != nil {
			return nil, err
		}

		r := pick(rules, func(r *rule) bool { return r.content == wanted })
		if r != nil && !e.onlyObserves() {
			if err := claim(r); err != nil {
				return nil, err
			}
		}

		if r != nil {
			return r, nil
		}
	}

	return pick(rules, func(r *rule) bool { return claim(r) == nil }), nil
}

// moved refuses a reference that leads to another group than before, as long as
// our rule is in that.
func (e *external) moved(ctx context.Context, mg SecurityGroupRule, external string) error {
	was := mg.ObservedState().AtProvider.SecurityGroupID
	if was == "" || was == e.groupID || e.onlyObserves() {
		return nil
	}

	rules, err := e.read.SecurityGroupRules(ctx, was, 0)
	if err != nil {
		return controller.Failed("read the rules of security group "+was, err)
	}

	id := mg.ObservedState().AtProvider.ID
	if !slices.ContainsFunc(rules, func(r types.SecurityGroupRule) bool {
		return str(r.SecurityGroupRuleId) == external || str(r.SecurityGroupRuleId) == id
	}) {
		return nil
	}

	return controller.Stalled{Reason: controller.ReasonImmutable, Message: fmt.Sprintf(
		"the security group is %s now, but the rule is in %s and AWS cannot move it: set it back, or create a new SecurityGroupRule", e.groupID, was)}
}

// rules of the group. If there is no such group AWS says that there are none.
func (e *external) rules(ctx context.Context) ([]*rule, error) {
	found, err := e.read.SecurityGroupRules(ctx, e.groupID, e.maxAge)
	if err != nil {
		return nil, controller.Failed("read the rules of security group "+e.groupID, err)
	}

	rules := make([]*rule, len(found))
	for i, r := range found {
		rules[i] = newRule(r)
	}

	// AWS has no order.
	slices.SortFunc(rules, func(a, b *rule) int { return strings.Compare(a.id(), b.id()) })

	return rules, nil
}

func pick(rules []*rule, is func(*rule) bool) *rule {
	if i := slices.IndexFunc(rules, is); i >= 0 {
		return rules[i]
	}

	return nil
}

// onlyObserves says that nothing in AWS may be changed, so that nothing can be
// taken over by mistake.
func (e *external) onlyObserves() bool {
	return !e.policies.ShouldCreate() && !e.policies.ShouldUpdate() && !e.policies.ShouldDelete()
}

func checkID(external string) error {
	if external == "" || strings.HasPrefix(external, "sgr-") {
		return nil
	}

	return controller.Stalled{Reason: controller.ReasonInvalid, Message: fmt.Sprintf(
		"annotation crossplane.io/external-name is %q, but a security group rule has no name: set it to the rule's id, sgr-…, or remove it", external)}
}
