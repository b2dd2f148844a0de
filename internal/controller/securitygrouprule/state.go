package securitygrouprule

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A state is what is compared. Neither the direction nor the kind of the source
// can be changed in AWS.
type state struct {
	content     content
	description string
}

// have is the state in AWS.
func have(r *rule) state {
	return state{content: r.content, description: str(r.sdk.Description)}
}

// want is the state that is declared. What is not declared is as it is.
func want(p *v1alpha1.SecurityGroupRuleParameters, sourceID string, s state) (state, error) {
	var err error

	s.content, err = s.content.declare(p, sourceID)
	if p.Description != nil {
		s.description = *p.Description
	}

	return s, err
}

// A difference is a field that is not as declared.
type difference struct{ field, have, want string }

func differ[T comparable](to []difference, field string, have, want T) []difference {
	if have == want {
		return to
	}

	return append(to, difference{field: field, have: fmt.Sprint(have), want: fmt.Sprint(want)})
}

// A change is what makes a rule what it should be.
type change struct {
	// impossible: AWS cannot change these.
	impossible []difference
	// taken is another rule that has the wanted content already.
	taken *rule
	// to is what the rule should be, in these fields.
	to          state
	differences []difference
	tags        controller.TagChange
}

// plan decides what to change, but for tags.
func plan(want, have state, this *rule, all []*rule) change {
	c := change{to: want}
	h, w := have.content, want.content

	c.impossible = differ(c.impossible, "direction", h.direction(), w.direction())
	c.impossible = differ(c.impossible, "source", h.source.kind, w.source.kind)

	c.differences = differ(c.differences, "protocol", h.protocol, w.protocol)
	c.differences = differ(c.differences, "fromPort", h.from, w.from)
	c.differences = differ(c.differences, "toPort", h.to, w.to)
	c.differences = differ(c.differences, w.source.kind, h.source.value, w.source.value)
	c.differences = differ(c.differences, "description", have.description, want.description)

	if w != h {
		c.taken = pick(all, func(r *rule) bool { return r.id() != this.id() && r.content == w })
	}

	return c
}

func (c change) none() bool {
	return len(c.impossible) == 0 && len(c.differences) == 0 && c.tags.None()
}

// String says what differs, in a fixed order.
func (c change) String() string {
	var parts []string
	for _, d := range slices.Concat(c.impossible, c.differences) {
		parts = append(parts, fmt.Sprintf("%s: %q → %q", d.field, d.have, d.want))
	}

	for _, k := range slices.Sorted(maps.Keys(c.tags.Set)) {
		parts = append(parts, fmt.Sprintf("tags[%s] → %q", k, c.tags.Set[k]))
	}

	for _, k := range c.tags.Remove {
		parts = append(parts, fmt.Sprintf("tags[%s] removed", k))
	}

	return strings.Join(parts, ", ")
}

// stalled says what cannot be as it is declared; nil if all can.
func (c change) stalled(r *rule) error {
	if len(c.impossible) > 0 {
		d := c.impossible[0]

		return controller.Stalled{Reason: controller.ReasonImmutable, Message: fmt.Sprintf(
			"the rule's %s is declared as %s, but %s has %s and AWS cannot change it: set it back, or create a new SecurityGroupRule",
			d.field, d.want, r, d.have)}
	}

	if c.taken != nil {
		return controller.Stalled{Reason: controller.ReasonIdentityTaken, Message: fmt.Sprintf(
			"%s cannot become %s, since %s of the same group is that already: declare something else, or remove one of them", r, c.to.content, c.taken)}
	}

	return nil
}

// permission is a rule to be made. account is that of the group that it refers to, if
// it is another.
func permission(s state, account string) types.IpPermission {
	p := types.IpPermission{IpProtocol: &s.content.protocol}
	p.FromPort, p.ToPort = s.content.ports()

	var description *string
	if s.description != "" {
		description = &s.description
	}

	switch value := &s.content.source.value; s.content.source.kind {
	case fieldCIDRIPv4:
		p.IpRanges = []types.IpRange{{CidrIp: value, Description: description}}
	case fieldCIDRIPv6:
		p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: value, Description: description}}
	case fieldPrefixList:
		p.PrefixListIds = []types.PrefixListId{{PrefixListId: value, Description: description}}
	case fieldGroup:
		p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: value, Description: description}}
		if account != "" {
			p.UserIdGroupPairs[0].UserId = &account
		}
	}

	return p
}

// request is a rule as it should be, whole: AWS clears what is left out.
func request(s state) *types.SecurityGroupRuleRequest {
	r := &types.SecurityGroupRuleRequest{IpProtocol: &s.content.protocol, Description: &s.description}
	r.FromPort, r.ToPort = s.content.ports()

	switch value := &s.content.source.value; s.content.source.kind {
	case fieldCIDRIPv4:
		r.CidrIpv4 = value
	case fieldCIDRIPv6:
		r.CidrIpv6 = value
	case fieldPrefixList:
		r.PrefixListId = value
	case fieldGroup:
		r.ReferencedGroupId = value
	}

	return r
}

func sdkTags(tags map[string]string) []types.Tag {
	out := make([]types.Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		v := tags[k]
		out = append(out, types.Tag{Key: &k, Value: &v})
	}

	return out
}

// sdkKeys are tags without values, which are removed whatever their value is.
func sdkKeys(keys []string) []types.Tag {
	out := make([]types.Tag, 0, len(keys))
	for _, k := range keys {
		out = append(out, types.Tag{Key: &k})
	}

	return out
}

// observation is what status shows.
func observation(r *rule) v1alpha1.SecurityGroupRuleObservation {
	return v1alpha1.SecurityGroupRuleObservation{
		ID: r.id(), ARN: str(r.sdk.SecurityGroupRuleArn), SecurityGroupID: str(r.sdk.GroupId),
		Direction: r.content.direction(), Protocol: r.content.protocol,
		FromPort: &r.content.from, ToPort: &r.content.to, Source: shownSource(r),
	}
}

// shownSource is as a user declares it: a group of another account with that.
func shownSource(r *rule) string {
	source := r.content.source.value
	if g := r.sdk.ReferencedGroupInfo; g != nil && g.UserId != nil && str(g.UserId) != str(r.sdk.GroupOwnerId) {
		return *g.UserId + "/" + source
	}

	return source
}
