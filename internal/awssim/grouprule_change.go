package awssim

import "slices"

// named returns the rules that a call names by id or by permission, all or none.
func (c *call) named(g *securityGroup, egress bool, ids []string) ([]*groupRule, []described, error) {
	var out []*groupRule
	for _, id := range ids {
		r, err := c.ruleOf(g, id)
		switch {
		case err != nil:
			return nil, nil, err
		case r.egress != egress:
			return nil, nil, refuse("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
		}
		out = append(out, r)
	}
	if len(ids) > 0 {
		return out, nil, nil
	}
	wanted, err := c.readPermissions(g)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range wanted {
		r := g.find(egress, p.permission)
		if r == nil {
			return nil, nil, refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		out = append(out, r)
	}
	return out, wanted, nil
}

// revokeRules revokes all rules or none.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
func revokeRules(c *call, egress bool) (any, error) {
	g, err := c.securityGroup(c.str("GroupId"))
	if err != nil {
		return nil, err
	}
	rules, _, err := c.named(g, egress, c.list("SecurityGroupRuleId"))
	if err != nil {
		return nil, err
	}
	g.rules = slices.DeleteFunc(slices.Clone(g.rules), func(r *groupRule) bool { return slices.Contains(rules, r) })
	out := struct {
		Return  bool            `xml:"return"`
		Revoked set[xmlRevoked] `xml:"revokedSecurityGroupRuleSet"`
		Unknown empty           `xml:"unknownIpPermissionSet"`
	}{Return: true}
	for _, r := range rules {
		out.Revoked.Item = append(out.Revoked.Item, xmlRevoked{ruleBase(r), r.peer})
	}
	return out, nil
}

// modifyGroupRules overwrites rules: a description that is not given is cleared.
// The kind of a source cannot change, nor the direction.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySecurityGroupRules.html
func modifyGroupRules(c *call) (any, error) {
	g, err := c.securityGroup(c.str("GroupId"))
	if err != nil {
		return nil, err
	}
	after := map[*groupRule]described{}
	for _, item := range c.items("SecurityGroupRule") {
		id := c.str(item + "SecurityGroupRuleId")
		if id == "" {
			return nil, missing(c.service, item+"SecurityGroupRuleId")
		}
		r, err := c.ruleOf(g, id)
		if err != nil {
			return nil, err
		}
		if _, twice := after[r]; twice {
			return nil, badValue("The security group rule ID '%s' must not appear multiple times", id)
		}
		if after[r], err = c.readUpdate(r, item+"SecurityGroupRule."); err != nil {
			return nil, err
		}
	}
	for r, p := range after {
		for _, other := range g.rules {
			have := other.permission
			if changed, ok := after[other]; ok {
				have = changed.permission
			}
			if other != r && other.egress == r.egress && have == p.permission {
				return nil, duplicate(p.permission)
			}
		}
	}
	for r, p := range after {
		r.described = p
	}
	return done{true}, nil
}

// readUpdate reads what a rule should become.
func (c *call) readUpdate(r *groupRule, item string) (described, error) {
	p, err := readPorts(c.str(item+"IpProtocol"), c.port(item+"FromPort"), c.port(item+"ToPort"))
	if err != nil {
		return described{}, err
	}
	sources := 0
	for _, s := range []struct {
		name string
		read func(v string, p *permission) error
	}{
		{"CidrIpv4", readCIDR4}, {"CidrIpv6", readCIDR6}, {"PrefixListId", c.readPrefixList},
		{"ReferencedGroupId", func(v string, p *permission) error { return c.readPeer(r.group, c.ownerOf(r, v), v, p) }},
	} {
		v := c.str(item + s.name)
		if v == "" {
			continue
		}
		sources++
		if err := s.read(v, &p); err != nil {
			return described{}, err
		}
	}
	same := (p.cidr4 == "") == (r.cidr4 == "") && (p.cidr6 == "") == (r.cidr6 == "") &&
		(p.prefixList == "") == (r.prefixList == "") && (p.peer == "") == (r.peer == "")
	switch {
	case sources != 1:
		return described{}, badValue("Exactly one source must be specified for a security group rule")
	case !same:
		return described{}, badValue("You cannot change the source type of the security group rule '%s'", r.id)
	}
	d := described{p, c.str(item + "Description")}
	return d, checkText("Description", d.description)
}

// ownerOf is the account of the group that a rule refers to already: the call has no
// member for it, and AWS takes the id alone (assumed).
func (c *call) ownerOf(r *groupRule, id string) string {
	if g := c.sim.groupAnywhere(id); g != nil && id == r.peer {
		return g.account
	}
	return ""
}

// describeRulesAnew changes descriptions only, by id or by permission.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html
func describeRulesAnew(c *call, egress bool) (any, error) {
	g, err := c.securityGroup(c.str("GroupId"))
	if err != nil {
		return nil, err
	}
	var ids, descriptions []string
	for _, item := range c.items("SecurityGroupRuleDescription") {
		ids = append(ids, c.str(item+"SecurityGroupRuleId"))
		descriptions = append(descriptions, c.str(item+"Description"))
	}
	rules, permissions, err := c.named(g, egress, ids)
	if err != nil {
		return nil, err
	}
	for _, p := range permissions {
		descriptions = append(descriptions, p.description)
	}
	for _, d := range descriptions {
		if err := checkText("Description", d); err != nil {
			return nil, err
		}
	}
	for i, r := range rules {
		r.description = descriptions[i]
	}
	return done{true}, nil
}

// describeGroupRules: one unknown id fails the whole call.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html
func describeGroupRules(c *call) (any, error) {
	filters, err := c.filters((&groupRule{group: &securityGroup{}}).filtered)
	if err != nil {
		return nil, err
	}
	ids := c.list("SecurityGroupRuleId")
	for _, id := range ids {
		if _, err := c.groupRule(id); err != nil {
			return nil, err
		}
	}
	var found []*groupRule
	for _, g := range c.world().securityGroups {
		for _, r := range g.rules {
			if (len(ids) == 0 || slices.Contains(ids, r.id)) && !c.now.Before(r.visible) && passes(filters, r.filtered) {
				found = append(found, r)
			}
		}
	}
	slices.SortFunc(found, func(a, b *groupRule) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	page, next, err := c.ec2Page(len(found), func(i int) string { return found[i].id })
	if err != nil {
		return nil, err
	}
	return struct {
		Rules     set[xmlGroupRule] `xml:"securityGroupRuleSet"`
		NextToken string            `xml:"nextToken,omitempty"`
	}{c.ruleSet(found[page.from:page.to]), next}, nil
}

// filtered are the values of a rule that a filter looks at.
func (r *groupRule) filtered(name string) ([]string, bool) {
	if v, ok := filteredTags(r.tags, name); ok && name != "tag-key" {
		return v, true
	}
	v, ok := map[string]string{"group-id": r.group.id, "security-group-rule-id": r.id}[name]
	return []string{v}, ok
}
