package listener

import (
	"fmt"
	"slices"
	"strconv"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A rule forwards the clients of an address family.
type rule struct {
	priority int32
	source   string
	forward  forward
	// arn in AWS; empty if it is not there.
	arn string
}

func (r rule) String() string { return r.source + " to " + r.forward.String() }

// haveRules are those in AWS but the default one, in order of priority.
func haveRules(rules []types.Rule) []rule {
	var out []rule

	for _, r := range rules {
		priority, err := strconv.ParseInt(sdk.ToString(r.Priority), 10, 32)
		if err != nil {
			continue // the default rule
		}

		have := rule{priority: int32(priority), arn: sdk.ToString(r.RuleArn), forward: haveForward(r.Actions)}
		for _, c := range r.Conditions {
			if c.SourceIpConfig != nil {
				have.source = string(c.SourceIpConfig.IpAddressType)
			}
		}

		out = append(out, have)
	}

	slices.SortFunc(out, func(a, b rule) int { return int(a.priority - b.priority) })

	return out
}

// A ruleChange is what makes the rules those that are wanted.
type ruleChange struct {
	create, modify, remove []rule
	// was are the rules to modify as they are, by priority.
	was map[int32]rule
	// managed are the priorities to remember as ours.
	managed []int32
}

func (c ruleChange) none() bool { return len(c.create)+len(c.modify)+len(c.remove) == 0 }

// changeRules decides on rules. Declared rules are the only ones. If none is
// declared, those that we made go, and those of others stay.
func changeRules(p *v1alpha1.ListenerParameters, w wanted, have []rule, managed []int32) ruleChange {
	c := ruleChange{was: map[int32]rule{}}
	wanted := map[int32]bool{}

	for _, d := range p.Rules {
		wanted[d.Priority] = true
		c.managed = append(c.managed, d.Priority)

		i := slices.IndexFunc(have, func(r rule) bool { return r.priority == d.Priority })
		if i < 0 {
			c.create = append(c.create, rule{
				priority: d.Priority, source: d.SourceIPAddressType, forward: forwardOf(w.rules[d.Priority], &d.Forward, forward{}),
			})

			continue
		}

		want := rule{
			priority: d.Priority, source: d.SourceIPAddressType, arn: have[i].arn,
			forward: forwardOf(w.rules[d.Priority], &d.Forward, have[i].forward),
		}
		if want.String() != have[i].String() {
			c.modify = append(c.modify, want)
			c.was[d.Priority] = have[i]
		}
	}

	for _, r := range have {
		if wanted[r.priority] || len(p.Rules) == 0 && !slices.Contains(managed, r.priority) {
			continue
		}

		c.remove = append(c.remove, r)

		if slices.Contains(managed, r.priority) {
			c.managed = append(c.managed, r.priority)
		}
	}

	slices.Sort(c.managed)

	return c
}

func (c ruleChange) differences() []controller.Difference {
	var d []controller.Difference

	field := func(r rule) string { return fmt.Sprintf("rules[priority=%d]", r.priority) }
	for _, r := range c.create {
		d = append(d, controller.Difference{Field: field(r), Want: r.String()})
	}

	for _, r := range c.modify {
		d = append(d, controller.Difference{Field: field(r), Have: c.was[r.priority].String(), Want: r.String()})
	}

	for _, r := range c.remove {
		d = append(d, controller.Difference{Field: field(r), Have: r.String()})
	}

	return d
}
