package listener

import (
	"fmt"
	"maps"
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
	// tags in AWS; nil if they are not known.
	tags map[string]string
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
	// move are the rules that get another priority, which they have here already.
	move []rule
	// inTheWay are those to remove before others move.
	inTheWay []rule
	// keep are the rules in AWS that stay, with the priority that is wanted.
	keep []rule
	// was are the rules to move or modify as they are, by the priority that is wanted.
	was map[int32]rule
	// tags to change of those that stay.
	tags []ruleTags
	// managed are the priorities to remember as ours.
	managed []int32
}

func (c ruleChange) none() bool {
	return len(c.create)+len(c.modify)+len(c.remove)+len(c.move)+len(c.inTheWay)+len(c.tags) == 0
}

// changeRules decides on rules. Declared rules are the only ones. If none is
// declared, those that we made go, and those of others stay: claimed says of tags that
// they are ours. A rule whose tags AWS does not show yet is told by its priority.
func changeRules(p *v1alpha1.ListenerParameters, w wanted, have []rule, managed []int32, claimed func(map[string]string) bool) ruleChange {
	c := ruleChange{was: map[int32]rule{}}
	become := pair(p.Rules, w, have)
	stays := map[string]bool{}

	for _, d := range p.Rules {
		c.managed = append(c.managed, d.Priority)

		was, ok := become[d.Priority]
		want := declaredRule(d, w, was)

		if !ok {
			c.create = append(c.create, want)

			continue
		}

		stays[was.arn] = true
		c.keep = append(c.keep, want)

		if was.priority != want.priority {
			c.move = append(c.move, want)
			c.was[want.priority] = was

			if slices.Contains(managed, was.priority) {
				c.managed = append(c.managed, was.priority)
			}
		}

		if was.String() != want.String() {
			c.modify = append(c.modify, want)
			c.was[want.priority] = was
		}
	}

	c.dismiss(slices.DeleteFunc(slices.Clone(have), func(r rule) bool { return stays[r.arn] }), len(p.Rules) > 0, managed, claimed)
	slices.Sort(c.managed)
	c.managed = slices.Compact(c.managed)

	return c
}

// dismiss decides which of the rules that no declared one becomes are to go: all of
// them if any is declared, else those that are ours.
func (c *ruleChange) dismiss(rest []rule, declared bool, managed []int32, claimed func(map[string]string) bool) {
	for _, r := range rest {
		remembered := slices.Contains(managed, r.priority)
		ours := r.tags == nil && remembered || r.tags != nil && claimed(r.tags)

		if !declared && !ours {
			continue
		}

		if slices.ContainsFunc(c.move, func(m rule) bool { return m.priority == r.priority }) {
			c.inTheWay = append(c.inTheWay, r)
		} else {
			c.remove = append(c.remove, r)
		}

		if ours || remembered {
			c.managed = append(c.managed, r.priority)
		}
	}
}

// declaredRule is a declared rule, which is or becomes one of AWS's.
func declaredRule(d v1alpha1.ListenerRule, w wanted, was rule) rule {
	return rule{
		priority: d.Priority, source: d.SourceIPAddressType, arn: was.arn, tags: was.tags,
		forward: forwardOf(w.rules[d.Priority], &d.Forward, was.forward),
	}
}

// pair finds the rules in AWS that are or become declared ones, by the priority that
// is declared: those that are as they should be, then those that only have another
// priority, then those that only have it, then those for the same clients. A rule that
// becomes another keeps its ARN and the tags of others.
func pair(declared []v1alpha1.ListenerRule, w wanted, have []rule) map[int32]rule {
	same := func(d v1alpha1.ListenerRule, r rule) bool { return declaredRule(d, w, r).String() == r.String() }
	there := func(d v1alpha1.ListenerRule, r rule) bool { return d.Priority == r.priority }
	become, taken := map[int32]rule{}, map[string]bool{}

	for _, alike := range []func(v1alpha1.ListenerRule, rule) bool{
		func(d v1alpha1.ListenerRule, r rule) bool { return there(d, r) && same(d, r) },
		same,
		there,
		func(d v1alpha1.ListenerRule, r rule) bool { return d.SourceIPAddressType == r.source },
	} {
		for _, d := range declared {
			if _, ok := become[d.Priority]; ok {
				continue
			}

			i := slices.IndexFunc(have, func(r rule) bool { return !taken[r.arn] && alike(d, r) })
			if i >= 0 {
				become[d.Priority], taken[have[i].arn] = have[i], true
			}
		}
	}

	return become
}

// A ruleTags is a change of tags that rules have in common.
type ruleTags struct {
	arns       []string
	priorities []int32
	change     controller.TagChange
}

// tagRules decides on the tags of rules that stay. They are those of the listener.
func tagRules(keep []rule, want map[string]string, managed []string) []ruleTags {
	var out []ruleTags

	for _, r := range keep {
		if r.tags == nil {
			continue
		}

		c := controller.ChangeTags(want, r.tags, managed)
		if c.None() {
			continue
		}

		i := slices.IndexFunc(out, func(t ruleTags) bool {
			return maps.Equal(t.change.Set, c.Set) && slices.Equal(t.change.Remove, c.Remove)
		})
		if i < 0 {
			i, out = len(out), append(out, ruleTags{change: c})
		}

		out[i].arns, out[i].priorities = append(out[i].arns, r.arn), append(out[i].priorities, r.priority)
	}

	return out
}

func (c ruleChange) differences() []controller.Difference {
	var d []controller.Difference

	field := func(priority int32) string { return fmt.Sprintf("rules[priority=%d]", priority) }
	for _, r := range c.create {
		d = append(d, controller.Difference{Field: field(r.priority), Want: r.String()})
	}

	for _, r := range c.move {
		d = controller.Differ(d, field(r.priority)+".priority", c.was[r.priority].priority, r.priority)
	}

	for _, r := range c.modify {
		d = append(d, controller.Difference{Field: field(r.priority), Have: c.was[r.priority].String(), Want: r.String()})
	}

	for _, t := range c.tags {
		for _, p := range t.priorities {
			for _, k := range slices.Sorted(maps.Keys(t.change.Set)) {
				d = append(d, controller.Difference{Field: fmt.Sprintf("%s.tags[%s]", field(p), k), Want: t.change.Set[k]})
			}

			for _, k := range t.change.Remove {
				d = append(d, controller.Difference{Field: fmt.Sprintf("%s.tags[%s]", field(p), k)})
			}
		}
	}

	for _, r := range slices.Concat(c.inTheWay, c.remove) {
		d = append(d, controller.Difference{Field: field(r.priority), Have: r.String()})
	}

	return d
}
