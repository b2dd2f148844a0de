package awssim

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// groupRule is a rule of a security group.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
type groupRule struct {
	described

	id      string
	group   *securityGroup
	egress  bool
	tags    map[string]string
	visible time.Time
}

func groupRuleActions() map[string]action {
	out := map[string]action{
		"DescribeSecurityGroupRules": {bucket: ec2Filtered, params: ec2List("SecurityGroupRuleId.N"), run: describeGroupRules},
	}
	const one = "SecurityGroupRule.N.SecurityGroupRule."
	out["ModifySecurityGroupRules"] = action{
		bucket: ec2Mutating,
		params: map[string]shape{
			"GroupId": anyText(), "SecurityGroupRule.N.SecurityGroupRuleId": anyText(),
			one + "IpProtocol": anyText(), one + "FromPort": anyPort(), one + "ToPort": anyPort(),
			one + "CidrIpv4": anyText(), one + "CidrIpv6": anyText(), one + "PrefixListId": anyText(),
			one + "ReferencedGroupId": anyText(), one + "Description": anyText(),
		},
		required: []string{"GroupId", "SecurityGroupRule"}, run: modifyGroupRules,
	}
	for direction, egress := range map[string]bool{"Ingress": false, "Egress": true} {
		authorize, revoke, describe := permissionParams(), permissionParams(), permissionParams()
		maps.Copy(authorize, tagSpecification())
		revoke["SecurityGroupRuleId.N"] = anyText()
		describe["SecurityGroupRuleDescription.N.SecurityGroupRuleId"] = anyText()
		describe["SecurityGroupRuleDescription.N.Description"] = anyText()
		out["AuthorizeSecurityGroup"+direction] = action{
			bucket: ec2Mutating, params: authorize, run: func(c *call) (any, error) { return authorizeRules(c, egress) },
		}
		out["RevokeSecurityGroup"+direction] = action{
			bucket: ec2Mutating, params: revoke, run: func(c *call) (any, error) { return revokeRules(c, egress) },
		}
		out["UpdateSecurityGroupRuleDescriptions"+direction] = action{
			bucket: ec2Mutating, params: describe, run: func(c *call) (any, error) { return describeRulesAnew(c, egress) },
		}
	}
	return out
}

func (c *call) addRule(g *securityGroup, egress bool, p permission, tags map[string]string) *groupRule {
	r := &groupRule{described: described{permission: p}, id: "sgr-" + c.sim.unique(17), group: g, egress: egress, tags: maps.Clone(tags)}
	r.visible = c.now.Add(c.sim.profile.SecurityGroupLag.pick(r.id))
	g.rules = append(g.rules, r)
	return r
}

// find returns the rule of a permission.
func (g *securityGroup) find(egress bool, p permission) *groupRule {
	for _, r := range g.rules {
		if r.egress == egress && r.permission == p {
			return r
		}
	}
	return nil
}

// authorizeRules adds all rules or none.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupEgress.html
func authorizeRules(c *call, egress bool) (any, error) {
	g, err := c.securityGroup(c.str("GroupId"))
	if err != nil {
		return nil, err
	}
	wanted, err := c.readPermissions(g)
	if err != nil {
		return nil, err
	}
	tags, err := c.readTagSpecification("security-group-rule")
	if err != nil {
		return nil, err
	}
	for _, p := range wanted {
		if g.find(egress, p.permission) != nil {
			return nil, duplicate(p.permission)
		}
	}
	if err := c.checkRuleQuota(g, egress, wanted); err != nil {
		return nil, err
	}
	var added []*groupRule
	for _, p := range wanted {
		r := c.addRule(g, egress, p.permission, tags)
		r.description = p.description
		added = append(added, r)
	}
	return struct {
		Return bool              `xml:"return"`
		Rules  set[xmlGroupRule] `xml:"securityGroupRuleSet"`
	}{true, c.ruleSet(added)}, nil
}

// duplicate is quoted in galaxyproject/cloudlaunch#56 and lucidsoftware/cumulus#101.
func duplicate(p permission) error {
	what := strings.ToUpper(p.protocol)
	if p.protocol == "-1" {
		what = "ALL"
	}
	if p.from != -1 {
		what += fmt.Sprintf(", from port: %d, to port: %d", p.from, p.to)
	}
	return refuse("InvalidPermission.Duplicate", "the specified rule \"peer: %s, %s, ALLOW\" already exists",
		or(p.cidr4, p.cidr6, p.prefixList, p.peer), what)
}

// checkRuleQuota counts rules per address family. A reference to a group counts
// for both, and a prefix list as often as it can have entries.
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
func (c *call) checkRuleQuota(g *securityGroup, egress bool, wanted []described) error {
	v4, v6 := 0, 0
	weigh := func(p permission) {
		n := 1
		if p.prefixList != "" {
			n = c.world().prefixLists[p.prefixList]
		}
		if p.cidr6 == "" {
			v4 += n
		}
		if p.cidr4 == "" {
			v6 += n
		}
	}
	for _, r := range g.rules {
		if r.egress == egress {
			weigh(r.permission)
		}
	}
	for _, p := range wanted {
		weigh(p.permission)
	}
	if limit := c.sim.opts.Quotas.SecurityGroupRules; v4 > limit || v6 > limit {
		return refuse("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
	}
	return nil
}

var groupRuleID = regexp.MustCompile(`^sgr-([0-9a-f]{8}|[0-9a-f]{17})$`)

// groupRule returns the rule of an id.
func (c *call) groupRule(id string) (*groupRule, error) {
	if !groupRuleID.MatchString(id) {
		return nil, refuse("InvalidSecurityGroupRuleId.Malformed", "The security group rule ID '%s' is malformed", id)
	}
	for _, g := range c.world().securityGroups {
		for _, r := range g.rules {
			if r.id == id && !c.now.Before(r.visible) {
				return r, nil
			}
		}
	}
	return nil, refuse("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
}

// ruleOf returns the rule of an id that is one of a group.
func (c *call) ruleOf(g *securityGroup, id string) (*groupRule, error) {
	r, err := c.groupRule(id)
	if err == nil && r.group != g {
		return nil, refuse("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
	}
	return r, err
}

// filteredRules are the values of rules that a filter on groups looks at.
func (g *securityGroup) filteredRules(egress bool, name string) ([]string, bool) {
	var out []string
	known := slices.Contains([]string{
		"cidr", "ipv6-cidr", "prefix-list-id", "group-id", "protocol", "from-port", "to-port", "user-id",
	}, name)
	for _, r := range g.rules {
		if r.egress != egress {
			continue
		}
		v := map[string]string{
			"cidr": r.cidr4, "ipv6-cidr": r.cidr6, "prefix-list-id": r.prefixList, "group-id": r.peer, "protocol": r.protocol,
			"from-port": strconv.Itoa(r.from), "to-port": strconv.Itoa(r.to),
		}[name]
		if name == "user-id" && r.peer != "" {
			v = g.account
		}
		if v != "" {
			out = append(out, v)
		}
	}
	return out, known
}
