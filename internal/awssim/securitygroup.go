package awssim

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// securityGroup is a security group of a VPC.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroup.html
type securityGroup struct {
	place
	id, name, description, vpc string
	tags                       map[string]string
	rules                      []*groupRule
	// visible is when calls other than CreateSecurityGroup find it.
	visible time.Time
	// users is how many interfaces of others use it.
	users int
}

// defaultGroup is the name of the group that every VPC has.
const defaultGroup = "default"

func (w *world) addDefaultGroup(vpc string) {
	id := "sg-" + hash([]byte(w.account + w.region + vpc))[:17]
	w.securityGroups[id] = &securityGroup{
		place: w.place, id: id, name: defaultGroup, vpc: vpc, description: "default VPC security group", tags: map[string]string{},
	}
}

func (g *securityGroup) arn() string { return ec2ARN(g.place, "security-group", g.id) }

func ec2ARN(p place, kind, id string) string {
	return fmt.Sprintf("arn:%s:ec2:%s:%s:%s/%s", partition(p.region), p.region, p.account, kind, id)
}

func securityGroupActions() map[string]action {
	create := tagSpecification()
	maps.Copy(create, map[string]shape{"GroupName": anyText(), "GroupDescription": anyText(), "VpcId": anyText()})
	return map[string]action{
		"CreateSecurityGroup": {
			bucket: ec2Mutating, params: create, required: []string{"GroupName", "GroupDescription"}, run: createSecurityGroup,
		},
		"DeleteSecurityGroup": {
			bucket: ec2Mutating, params: map[string]shape{"GroupId": anyText(), "GroupName": anyText()}, run: deleteSecurityGroup,
		},
		"DescribeSecurityGroups": {
			bucket: ec2Filtered, params: ec2List("GroupId.N", "GroupName.N"), run: describeSecurityGroups,
		},
	}
}

// ec2List are the parameters of an action of EC2 that lists things.
func ec2List(more ...string) map[string]shape {
	out := map[string]shape{
		"Filter.N.Name": anyText(), "Filter.N.Value.N": anyText(), "MaxResults": number(5, 1000), "NextToken": anyText(),
	}
	for _, name := range more {
		out[name] = anyText()
	}
	return out
}

// groupText is what names and descriptions may have.
var groupText = regexp.MustCompile(`^[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*$`)

const maxGroupText = 255

func checkText(parameter, v string) error {
	switch {
	case len(v) > maxGroupText:
		return refuse("InvalidParameterValue", "Value (%s) for parameter %s is invalid. The maximum length is %d.", v, parameter, maxGroupText)
	case !groupText.MatchString(v):
		return refuse("InvalidParameterValue", "Value (%s) for parameter %s is invalid. Character sets beyond ASCII are not supported.", v, parameter)
	}
	return nil
}

// createSecurityGroup: names are unique in a VPC whatever their case. AWS adds a
// rule that lets everything out.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
func createSecurityGroup(c *call) (any, error) {
	g := &securityGroup{place: c.world().place, name: c.str("GroupName"), description: c.str("GroupDescription"), vpc: c.str("VpcId")}
	if err := c.checkNewGroup(g); err != nil {
		return nil, err
	}
	var err error
	if g.tags, err = c.readTagSpecification("security-group"); err != nil {
		return nil, err
	}
	w := c.world()
	g.id = "sg-" + c.sim.unique(17)
	g.visible = c.now.Add(c.sim.profile.SecurityGroupLag.pick(g.id))
	everywhere := []permission{{protocol: "-1", from: -1, to: -1, cidr4: "0.0.0.0/0"}}
	if w.vpcs[g.vpc].IPv6 {
		everywhere = append(everywhere, permission{protocol: "-1", from: -1, to: -1, cidr6: "::/0"})
	}
	for _, p := range everywhere {
		c.addRule(g, true, p, nil)
	}
	w.securityGroups[g.id] = g
	return struct {
		Return bool        `xml:"return"`
		ID     string      `xml:"groupId"`
		ARN    string      `xml:"securityGroupArn"`
		Tags   set[ec2Tag] `xml:"tagSet"`
	}{true, g.id, g.arn(), ec2Tags(g.tags)}, nil
}

func (c *call) checkNewGroup(g *securityGroup) error {
	w := c.world()
	switch {
	case g.vpc == "":
		return refuse("VPCIdNotSpecified", "No default VPC for this user")
	case w.vpcs[g.vpc] == nil:
		return refuse("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", g.vpc)
	case strings.HasPrefix(strings.ToLower(g.name), "sg-"):
		return refuse("InvalidParameterValue",
			"Value (%s) for parameter GroupName is invalid. Group names may not be in the format sg-*.", g.name)
	case strings.EqualFold(g.name, defaultGroup):
		return refuse("InvalidGroup.Reserved", "The security group '%s' is reserved", g.name)
	}
	if err := checkText("GroupName", g.name); err != nil {
		return err
	}
	if err := checkText("GroupDescription", g.description); err != nil {
		return err
	}
	for _, other := range w.securityGroups {
		if other.vpc == g.vpc && strings.EqualFold(other.name, g.name) {
			return refuse("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", g.name, g.vpc)
		}
	}
	if len(w.securityGroups) >= c.sim.opts.Quotas.SecurityGroups {
		return refuse("SecurityGroupLimitExceeded", "The maximum number of security groups has been reached.")
	}
	return nil
}

var securityGroupID = regexp.MustCompile(`^sg-([0-9a-f]{8}|[0-9a-f]{17})$`)

// securityGroup returns the group of an id.
func (c *call) securityGroup(id string) (*securityGroup, error) {
	g := c.world().securityGroups[id]
	switch {
	case id == "" && c.has("GroupName"):
		return nil, refuse("InvalidParameterValue", "Invalid value '%s' for groupName. You may not reference Amazon VPC"+
			" security groups by name. Please use the corresponding id for this operation.", c.str("GroupName"))
	case id == "":
		return nil, missing(c.service, "groupId")
	case !securityGroupID.MatchString(id):
		return nil, refuse("InvalidGroupId.Malformed", "Invalid id: \"%s\"", id)
	case g == nil || c.now.Before(g.visible):
		return nil, refuse("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
	}
	return g, nil
}

// deleteSecurityGroup: a group is not deleted while an interface has it, a
// lingering one too, or a rule of another group of its VPC refers to it. One in a peered
// VPC becomes stale:
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html#vpc-peering-stale-groups
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
func deleteSecurityGroup(c *call) (any, error) {
	g, err := c.securityGroup(c.str("GroupId"))
	if err != nil {
		return nil, err
	}
	w := c.world()
	used := g.users > 0 || w.interfaceOf(c.now, func(i *netInterface) bool { return slices.Contains(i.groups, g.id) }) != nil
	for _, i := range w.instances {
		used = used || i.State != Terminated && slices.Contains(i.SecurityGroups, g.id)
	}
	for _, other := range w.securityGroups {
		used = used || other != g && other.vpc == g.vpc && slices.ContainsFunc(other.rules, func(r *groupRule) bool { return r.peer == g.id })
	}
	switch {
	case g.name == defaultGroup:
		return nil, refuse("CannotDelete", "the specified group: \"%s\" name: \"%s\" cannot be deleted by a user", g.id, g.name)
	case used:
		return nil, refuse("DependencyViolation", "resource %s has a dependent object", g.id)
	}
	delete(w.securityGroups, g.id)
	return struct {
		Return bool   `xml:"return"`
		ID     string `xml:"groupId"`
	}{true, g.id}, nil
}

// describeSecurityGroups: one unknown id fails the whole call.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html
func describeSecurityGroups(c *call) (any, error) {
	ids, names := c.list("GroupId"), c.list("GroupName")
	filters, err := c.filters((&securityGroup{}).filtered)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, err := c.securityGroup(id); err != nil {
			return nil, err
		}
	}
	if len(names) > 0 {
		// Names are for the default VPC, which nobody has here.
		return nil, refuse("InvalidGroup.NotFound", "The security group '%s' does not exist in default VPC", names[0])
	}
	var found []*securityGroup
	for _, g := range c.world().securityGroups {
		if (len(ids) == 0 || slices.Contains(ids, g.id)) && !c.now.Before(g.visible) && passes(filters, g.filtered) {
			found = append(found, g)
		}
	}
	slices.SortFunc(found, func(a, b *securityGroup) int { return strings.Compare(a.id, b.id) })
	page, next, err := c.ec2Page(len(found), func(i int) string { return found[i].id })
	if err != nil {
		return nil, err
	}
	return c.groupList(found[page.from:page.to], next), nil
}

// filtered are the values of a group that a filter looks at.
func (g *securityGroup) filtered(name string) ([]string, bool) {
	if v, ok := filteredTags(g.tags, name); ok {
		return v, true
	}
	if rest, ok := strings.CutPrefix(name, "egress.ip-permission."); ok {
		return g.filteredRules(true, rest)
	}
	if rest, ok := strings.CutPrefix(name, "ip-permission."); ok {
		return g.filteredRules(false, rest)
	}
	v, ok := map[string]string{
		"group-id": g.id, "group-name": g.name, "description": g.description, "owner-id": g.account, "vpc-id": g.vpc,
	}[name]
	return []string{v}, ok
}
