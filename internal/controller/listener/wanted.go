package listener

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// wanted is what references yield.
type wanted struct {
	loadBalancer string
	forward      []weighted
	// rules by priority.
	rules map[int32][]weighted
}

// A weighted target group of a forward.
type weighted struct {
	arn    string
	weight int32
}

// A target is a target group that the spec names, with the reference to it.
type target struct {
	declared v1alpha1.ForwardTargetGroup
	link     controller.Link
	// rule is the priority of its rule; 0 for the listener itself.
	rule int32
}

func (w *wanted) add(t target, arn string) {
	g := weighted{arn: arn, weight: 1}
	declare(&g.weight, t.declared.Weight)

	if t.rule == 0 {
		w.forward = append(w.forward, g)

		return
	}

	if w.rules == nil {
		w.rules = map[int32][]weighted{}
	}

	w.rules[t.rule] = append(w.rules[t.rule], g)
}

// eachTarget calls f for each target group of the spec.
func eachTarget(mg Listener, f func(target) error) error {
	each := func(field string, rule int32, groups []v1alpha1.ForwardTargetGroup) error {
		for i, g := range groups {
			err := f(target{declared: g, rule: rule, link: controller.Link{
				To: controller.TargetGroupARN, Field: fmt.Sprintf("%s.targetGroups[%d].targetGroupArn", field, i),
				Ref: g.TargetGroupARNRef, Selector: g.TargetGroupARNSelector,
			}})
			if err != nil {
				return err
			}
		}

		return nil
	}

	p := mg.ForProvider()
	if p.Forward != nil {
		if err := each("forward", 0, p.Forward.TargetGroups); err != nil {
			return err
		}
	}

	for _, r := range p.Rules {
		if err := each(fmt.Sprintf("rules[priority=%d].forward", r.Priority), r.Priority, r.Forward.TargetGroups); err != nil {
			return err
		}
	}

	return nil
}

func loadBalancerLink(mg Listener) controller.Link {
	p := mg.ForProvider()

	return controller.Link{
		To: controller.LoadBalancerARN, Field: "loadBalancerArn", Ref: p.LoadBalancerARNRef, Selector: p.LoadBalancerARNSelector,
	}
}

// links are the references to the load balancer and to target groups.
func links(mg Listener) []controller.Link {
	out := []controller.Link{loadBalancerLink(mg)}
	_ = eachTarget(mg, func(t target) error {
		out = append(out, t.link)

		return nil
	})

	return out
}

// A forward is where traffic goes.
type forward struct {
	// groups, sorted by ARN. The weight of a single one has no meaning.
	groups []weighted
	sticky bool
}

func (f forward) normal() forward {
	f.groups = slices.SortedFunc(slices.Values(f.groups), func(a, b weighted) int { return strings.Compare(a.arn, b.arn) })
	if len(f.groups) == 1 {
		f.groups[0].weight = 1
	}

	return f
}

// String is equal for equal ones.
func (f forward) String() string {
	parts := make([]string, len(f.groups))
	for i, g := range f.groups {
		if parts[i] = g.arn; len(f.groups) > 1 {
			parts[i] += fmt.Sprintf(" (weight %d)", g.weight)
		}
	}

	if f.sticky {
		parts = append(parts, "sticky")
	}

	return strings.Join(parts, ", ")
}

// forwardOf is a declared forward; stickiness that is not declared is as it is.
func forwardOf(groups []weighted, declared *v1alpha1.Forward, have forward) forward {
	f := forward{groups: groups, sticky: have.sticky}
	declare(&f.sticky, declared.Stickiness)

	return f.normal()
}

func declare[T any](to, declared *T) {
	if declared != nil {
		*to = *declared
	}
}
