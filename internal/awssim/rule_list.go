package awssim

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

var ruleARN = regexp.MustCompile(`^arn:[a-z-]+:elasticloadbalancing:([a-z0-9-]+):(\d{12}):listener-rule/(?:app|net|gwy)/[A-Za-z0-9-]+/[0-9a-f]{16}/[0-9a-f]{16}/[0-9a-f]{16}$`)

// rule returns the rule of an ARN, and its listener. The default rule is made up.
func (c *call) rule(arn string) (*listener, *rule, error) {
	if err := c.own(ruleARN, arn, "rule"); err != nil {
		return nil, nil, err
	}
	for _, lb := range c.world().loadBalancers {
		for _, l := range lb.listeners {
			for _, r := range l.allRules() {
				if r.arn == arn && !c.now.Before(l.visible) && !c.now.Before(r.visible) {
					return l, r, nil
				}
			}
		}
	}
	return nil, nil, refuse("RuleNotFound", "One or more rules not found")
}

// allRules are the rules in order of priority, and the default rule last.
func (l *listener) allRules() []*rule {
	out := slices.SortedFunc(maps.Values(l.rules), func(a, b *rule) int { return a.priority - b.priority })
	return append(out, &rule{arn: l.defaultRule, forward: l.forward, tags: map[string]string{}})
}

// describeRules wants a listener or rules.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeRules.html
func describeRules(c *call) (any, error) {
	arns, of := c.list("RuleArns.member"), c.str("ListenerArn")
	if (of == "") == (len(arns) == 0) {
		return nil, invalid("You must specify either rule ARNs or a listener ARN")
	}
	var found []*rule
	for _, arn := range arns {
		_, r, err := c.rule(arn)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	if of != "" {
		l, err := c.listener()
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(l.allRules(), func(r *rule) bool { return c.now.Before(r.visible) })
	}
	// The default rule, without a priority, comes last.
	key := func(r *rule) string {
		if r.priority == 0 {
			return "~"
		}
		return fmt.Sprintf("%05d", r.priority)
	}
	page, next, err := pageOf(found, key, c.str("Marker"), c.num("PageSize", 400))
	if err != nil {
		return nil, err
	}
	out := ruleList(page...)
	out.NextMarker = next
	return out, nil
}

type xmlCondition struct {
	Field  string
	Source string `xml:"SourceIpConfig>IpAddressType"`
}

type xmlRule struct {
	RuleArn, Priority string
	Conditions        members[xmlCondition]
	Actions           members[xmlAction]
	IsDefault         bool
}

type xmlRules struct {
	Rules      members[xmlRule]
	NextMarker string `xml:",omitempty"`
}

func ruleList(rules ...*rule) xmlRules {
	var out xmlRules
	for _, r := range rules {
		x := xmlRule{RuleArn: r.arn, Priority: "default", IsDefault: r.priority == 0, Actions: r.forward.list()}
		if !x.IsDefault {
			x.Priority = strconv.Itoa(r.priority)
			x.Conditions.Member = []xmlCondition{{"source-ip", r.source}}
		}
		out.Rules.Member = append(out.Rules.Member, x)
	}
	return out
}
