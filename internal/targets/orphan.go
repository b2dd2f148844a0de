package targets

import (
	"fmt"
	"time"
)

// An Orphan is a gate whose pod no working binding looks after.
type Orphan struct {
	Now  time.Time
	Pod  Pod
	Gate Gate
	// Found says that a binding of that name exists. Stopped is why it looks after
	// no pod; nil if it should. Works says that it plans, and so does not select
	// the pod.
	Found   bool
	Stopped *Stop
	Works   bool
	// Since is since when that has been so, without a break.
	Since time.Time
}

// Decide when the gate opens without its binding (binding.md §9): a rollout must end
// whatever became of it.
//
//	was True before                                | True
//	the pod ends                                   | unchanged
//	paused or being deleted                        | True, warn
//	no such binding, or it does not select the pod | True after 2 minutes, warn
//	the binding does not work                      | True after 10 minutes, warn
func (o Orphan) Decide() GateVerdict {
	v := o.decide()
	v.Turns = v.Status != GateUnset
	return v
}

func (o Orphan) decide() GateVerdict {
	after := func(d time.Duration, rule Rule, text string) GateVerdict {
		if end := o.Since.Add(d); o.Now.Before(end) {
			return GateVerdict{Next: end}
		}
		return anyhow(rule, text)
	}
	switch {
	case o.Gate.Opened:
		return GateCase{Gate: o.Gate}.Decide()
	case o.Pod.Terminating || over(o.Pod):
		return GateVerdict{}
	case !o.Found:
		return after(GateAbsentFor, RuleGateAbsent, fmt.Sprintf("there is no TargetGroupBinding %q that selects in namespace %s", o.Gate.Binding, o.Pod.Namespace))
	case o.Stopped != nil:
		return anyhow(o.Stopped.Rule, o.Stopped.Reason)
	case o.Works:
		return after(GateAbsentFor, RuleGateNotSelected, fmt.Sprintf("TargetGroupBinding %q does not select the pod", o.Gate.Binding))
	}
	return after(GateBound, RuleGateInactive, fmt.Sprintf("TargetGroupBinding %q does not work: see its conditions", o.Gate.Binding))
}
