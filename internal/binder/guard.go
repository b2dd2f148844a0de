package binder

import (
	"fmt"
	"slices"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// AnnotationApprove on a binding lets the removals go whose plan hash it names.
const AnnotationApprove = "nlb.crossplane.io/approve"

// guardedShown bounds the targets that condition Guarded names.
const guardedShown = 10

// guardedWish is a wish for the next read with what the Guard waits for: that AWS
// calls unhealthy what it holds. Callers hold mu.
func (g *group) guardedWish(w wish) wish {
	for _, bd := range g.bindings {
		due := g.read.done.Add(wishUnhealthy)
		if len(bd.plan.Guarded) == 0 || g.read.err != nil {
			continue
		}
		if due.Before(w.due) {
			w.due = due
		}
		w.urgency = min(w.urgency, urgencyAwaited)
	}
	return w
}

// guarded says what the Guard holds, why, and how to let it go.
func guarded(bd *binding) (Condition, bool) {
	p := bd.plan
	if len(p.Guarded) == 0 {
		return Condition{}, false
	}
	keys := make([]targets.Key, len(p.Guarded))
	for i, c := range p.Guarded {
		keys[i] = c.Key
	}
	reason, why := targets.RuleTooMany, "too many targets would leave at once, and nobody saw their pods or nodes go"
	if !slices.ContainsFunc(p.Guarded, func(c targets.Change) bool { return c.Rule == targets.RuleTooMany }) {
		reason, why = targets.RuleLostInRelist, "pods vanished while the watch was broken, and nobody saw them go"
	}
	return Condition{"Guarded", string(reason), fmt.Sprintf("%s: %s; each leaves when AWS calls it unhealthy or after 10 minutes, all of them at once with: %s",
		why, keyList(keys, guardedShown), bd.order.Binding.approve(p.GuardHash)), true}, true
}

// approve is the command that lets the removals of a hash go.
func (r Ref) approve(hash string) string {
	in := ""
	if r.Namespace != "" {
		in = " -n " + r.Namespace
	}
	return fmt.Sprintf("kubectl annotate --overwrite targetgroupbindings.%s%s %s %s=%s", r.Group, in, r.Name, AnnotationApprove, hash)
}
