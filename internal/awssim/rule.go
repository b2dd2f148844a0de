package awssim

import (
	"maps"
	"slices"
	"time"
)

// rule is a rule of a listener of a dual-stack Network Load Balancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html#listener-rules
type rule struct {
	arn      string
	priority int
	// source is the address type that the rule is for: ipv4 or ipv6.
	source  string
	forward forward
	tags    map[string]string
	// visible is when calls other than CreateRule find it.
	visible time.Time
}

// ruleProtocols are those of listeners that can have rules.
var ruleProtocols = []string{"TCP", "UDP", "TCP_UDP", "TLS"}

func conditionParams() map[string]shape {
	out := actionParams("Actions")
	const p = "Conditions.member.N."
	maps.Copy(out, map[string]shape{
		p + "Field": textOf(0, 64), p + "Values.member.N": anyText(), p + "RegexValues.member.N": anyText(),
		p + "SourceIpConfig.IpAddressType": oneOf("ipv4", "ipv6"), p + "SourceIpConfig.Values.member.N": anyText(),
	})
	for _, f := range []string{"HostHeader", "PathPattern", "HttpRequestMethod", "HttpHeader"} {
		out[p+f+"Config.Values.member.N"] = anyText()
	}
	return out
}

func ruleActions() map[string]action {
	create, modify := conditionParams(), conditionParams()
	maps.Copy(create, map[string]shape{
		"ListenerArn": anyText(), "Priority": number(1, 50000), "Tags.member.N.Key": tagKey(), "Tags.member.N.Value": tagValue(),
	})
	modify["RuleArn"] = anyText()
	return map[string]action{
		"CreateRule": {
			bucket: mutating, params: create, required: []string{"ListenerArn", "Conditions", "Priority", "Actions"}, run: createRule,
		},
		"ModifyRule": {bucket: mutating, params: modify, required: []string{"RuleArn"}, run: modifyRule},
		"DeleteRule": {
			bucket: mutating, params: map[string]shape{"RuleArn": anyText()}, required: []string{"RuleArn"}, run: deleteRule,
		},
		"SetRulePriorities": {
			bucket: mutating,
			params: map[string]shape{
				"RulePriorities.member.N.RuleArn": anyText(), "RulePriorities.member.N.Priority": number(1, 50000),
			},
			required: []string{"RulePriorities"}, run: setRulePriorities,
		},
		"DescribeRules": {
			bucket: nonMutating,
			params: map[string]shape{
				"ListenerArn": anyText(), "RuleArns.member.N": anyText(), "Marker": anyText(), "PageSize": number(1, 400),
			},
			run: describeRules,
		},
	}
}

// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html
func createRule(c *call) (any, error) {
	l, err := c.listener()
	if err != nil {
		return nil, err
	}
	r := &rule{priority: c.num("Priority", 0)}
	if r.source, err = c.readCondition(); err != nil {
		return nil, err
	}
	if r.forward, err = c.readForward("Actions"); err != nil {
		return nil, err
	}
	if r.tags, err = c.readTags(nil); err != nil {
		return nil, err
	}
	if err := c.checkRule(l, r); err != nil {
		return nil, err
	}
	rules := 0
	for _, other := range l.lb.listeners {
		rules += len(other.rules)
	}
	switch {
	case l.at(r.priority) != nil:
		return nil, refuse("PriorityInUse", "Priority '%d' is currently in use", r.priority)
	case rules >= c.sim.opts.Quotas.RulesPerLoadBalancer:
		return nil, refuse("TooManyRules", "The maximum number of rules has been reached on load balancer '%s'", l.lb.arn)
	}
	r.arn = l.ruleARN(c.sim.unique(16))
	r.visible = c.now.Add(c.sim.profile.RuleLag.pick(r.arn))
	l.rules[r.arn] = r
	c.world().relink()
	return ruleList(r), nil
}

// at is the rule of a priority.
func (l *listener) at(priority int) *rule {
	for _, r := range l.rules {
		if r.priority == priority {
			return r
		}
	}
	return nil
}

// readCondition reads the only condition that Network Load Balancers know: the
// type of the source's address.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
func (c *call) readCondition() (string, error) {
	items := c.items("Conditions.member")
	if len(items) != 1 {
		return "", invalid("Exactly one condition must be specified for load balancers with type 'network'")
	}
	config := items[0] + "SourceIpConfig."
	kind := c.str(config + "IpAddressType")
	switch field := c.str(items[0] + "Field"); {
	case field != "source-ip":
		return "", misconfigured("Condition field '%s' is not supported for load balancers with type 'network'", field)
	case len(c.list(config+"Values.member")) > 0:
		return "", misconfigured("Source IP values are not supported for load balancers with type 'network'")
	case kind == "":
		return "", invalid("An IP address type must be specified for condition field 'source-ip'")
	}
	return kind, nil
}

// checkRule applies the rules of a rule to a listener.
func (c *call) checkRule(l *listener, r *rule) error {
	switch {
	case l.lb.addressType != "dualstack":
		return misconfigured("Listener rules require a dualstack load balancer")
	case !slices.Contains(ruleProtocols, l.protocol):
		return refuse("UnsupportedProtocol", "Listener rules are not supported for %s listeners", l.protocol)
	}
	return c.checkForward(l, r.forward)
}

// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyRule.html
func modifyRule(c *call) (any, error) {
	l, r, err := c.rule(c.str("RuleArn"))
	if err != nil {
		return nil, err
	}
	if r.arn == l.defaultRule {
		return nil, refuse("OperationNotPermitted", "Default rule '%s' cannot be modified", r.arn)
	}
	after := *r
	if given(c.form, "Conditions") || c.has("Conditions") {
		if after.source, err = c.readCondition(); err != nil {
			return nil, err
		}
	}
	if given(c.form, "Actions") || c.has("Actions") {
		if after.forward, err = c.readForward("Actions"); err != nil {
			return nil, err
		}
	}
	if err := c.checkRule(l, &after); err != nil {
		return nil, err
	}
	*r = after
	c.world().relink()
	return ruleList(r), nil
}

// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteRule.html
func deleteRule(c *call) (any, error) {
	l, r, err := c.rule(c.str("RuleArn"))
	if err != nil {
		return nil, err
	}
	if r.arn == l.defaultRule {
		return nil, refuse("OperationNotPermitted", "Default rule '%s' cannot be deleted", r.arn)
	}
	delete(l.rules, r.arn)
	c.world().relink()
	return empty{}, nil
}

// setRulePriorities changes all priorities at once, so that two rules can swap
// theirs. Nothing changes if two rules of a listener would have the same.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetRulePriorities.html
func setRulePriorities(c *call) (any, error) {
	wanted := map[*rule]int{}
	var rules []*rule
	taken := map[*listener]map[int]bool{}
	for _, item := range c.items("RulePriorities.member") {
		l, r, err := c.rule(c.str(item + "RuleArn"))
		switch {
		case err != nil:
			return nil, err
		case r.arn == l.defaultRule:
			return nil, refuse("OperationNotPermitted", "The priority of default rule '%s' cannot be modified", r.arn)
		case !c.has(item + "Priority"):
			return nil, missing(c.service, item+"Priority")
		}
		wanted[r] = c.num(item+"Priority", 0)
		rules = append(rules, r)
		taken[l] = map[int]bool{}
	}
	for l := range taken {
		for _, r := range l.rules {
			p, changes := wanted[r]
			if !changes {
				p = r.priority
			}
			if taken[l][p] {
				return nil, refuse("PriorityInUse", "Priority '%d' is currently in use", p)
			}
			taken[l][p] = true
		}
	}
	for r, p := range wanted {
		r.priority = p
	}
	return ruleList(rules...), nil
}
