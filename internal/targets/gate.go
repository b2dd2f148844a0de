package targets

import (
	"fmt"
	"time"
)

// GatePrefix begins the condition type of a pod's readiness gate; the name of a
// binding follows.
const GatePrefix = "target-health.nlb.crossplane.io/"

// Times of gates (binding.md §9).
const (
	// GateAbsentFor is how long a binding may be absent, or may not select the pod,
	// before its gate opens without it.
	GateAbsentFor = 2 * time.Minute
	// GateBound is how long a gate waits for anything but AWS's health check: that
	// AWS can be read, that it takes the target, that the node is known.
	GateBound = 10 * time.Minute
	// gateCalm is how long after the pod is ready a gate without a value is left so
	// rather than set False.
	gateCalm = 5 * time.Second
)

// Why a gate has the value that it has. Where AWS gave a reason code, or the plan
// a rule, that is the reason instead.
const (
	// RuleGateHealthy: AWS calls the target healthy, and did so after the pod's
	// containers were ready.
	RuleGateHealthy Rule = "Healthy"
	// RuleGateNotInUse: nothing routes to the target, or nothing checks it.
	RuleGateNotInUse Rule = "NotInUse"
	// RuleGateShifted: a zonal shift keeps traffic from the target.
	RuleGateShifted Rule = "ZonalShift"
	// RuleGateUnreadable: AWS cannot be asked.
	RuleGateUnreadable Rule = "AWSUnreadable"
	// RuleGateNotRegistered: the target is wanted and AWS does not have it yet.
	RuleGateNotRegistered Rule = "NotRegistered"
	// RuleGatePaused and RuleGateDeleting: the binding looks after no pod.
	RuleGatePaused   Rule = "BindingPaused"
	RuleGateDeleting Rule = "BindingDeleted"
	// RuleGateAbsent: there is no binding of that name.
	RuleGateAbsent Rule = "BindingNotFound"
	// RuleGateInactive: there is one, and it does not work: it is refused, waits for
	// a reference, or has no credentials.
	RuleGateInactive Rule = "BindingInactive"
	// RuleGateNotSelected: the binding does not select the pod.
	RuleGateNotSelected Rule = "NotSelected"
	// RuleGateOpened: it was True before, and guards the start of a pod only.
	RuleGateOpened Rule = "OpenedBefore"
)

// GateStatus is the status of a gate's condition.
type GateStatus string

// The values of a gate. A pod whose gate is unset is not ready, as with False.
const (
	GateUnset GateStatus = ""
	GateFalse GateStatus = "False"
	GateTrue  GateStatus = "True"
)

// A Gate is a readiness gate of a pod that names a binding.
type Gate struct {
	// Binding is the name in the condition type, after GatePrefix.
	Binding string
	// Status is what the pod's condition says.
	Status GateStatus
	// Opened says that the gate was once seen True for this pod.
	Opened bool
}

// A GateCase is all that a gate's value is decided from.
type GateCase struct {
	Now  time.Time
	Pod  Pod
	Gate Gate
	// Stopped says why the binding looks after no pod; nil if it does.
	Stopped *Stop
	// Skip is why the pod makes no target; nil if it makes one.
	Skip *Skip
	// Target that the pod makes, as it is known; Absent if AWS does not have it.
	Target Target
	// NoRegister says why nothing may be registered; empty if it may.
	NoRegister string
	// Obstacle is what keeps the target from being registered, in words; it may be
	// empty.
	Obstacle string
	// ReadyAt is since when the pod has been seen ContainersReady, by the clock that
	// Target.ReadAt is of; the gate has been waited for since then.
	ReadyAt time.Time
	// UnreadableSince is since when AWS cannot be read; zero if it can.
	UnreadableSince time.Time
}

// A Stop is why a binding looks after no pod: one of the RuleGate… rules, and a
// sentence.
type Stop struct {
	Rule   Rule
	Reason string
}

// Awaits says what answer of AWS a gate waits for.
type Awaits int

// What a gate can wait for.
const (
	// AwaitsNothing of AWS.
	AwaitsNothing Awaits = iota
	// AwaitsHealth: that the target becomes healthy.
	AwaitsHealth
	// AwaitsRead: a read, of a target whose health is known only from before the
	// pod was ready.
	AwaitsRead
)

// A GateVerdict is what a gate is to say, and why.
type GateVerdict struct {
	// Status is GateUnset if the gate stays as it is.
	Status GateStatus
	// Reason is a rule, or AWS's reason code; Message is for people, without times.
	Reason  Rule
	Message string
	// Warn: it opened although nobody knows that the pod gets traffic.
	Warn bool
	// Turns says that the gate had another status, or none.
	Turns bool
	// Awaits says which answer of AWS would change the verdict.
	Awaits Awaits
	// Next is when time alone changes it; zero if it does not.
	Next time.Time
}

// Decide a gate's value (binding.md §9). The first line that fits decides:
//
//	it was True before                                  | True
//	the pod ends                                        | unchanged
//	binding paused or being deleted                     | True, warn
//	no target, and waiting does not cure it             | True, warn
//	containers not ready                                | unchanged
//	no target, and waiting may cure it                  | False; True after 10 minutes, warn
//	a zonal shift is on, as read since the pod is ready | True
//	healthy, as read since the pod is ready             | True
//	nothing routes there, as read since …               | True
//	AWS cannot be read                                  | unchanged, or False; True after 10 minutes, warn
//	AWS calls it initial, unhealthy or draining         | False, AWS's reason
//	health is older than the pod's readiness            | unchanged: it is read again
//	registration is forbidden                           | True, warn
//	not registered                                      | False; True after 10 minutes, warn
func (c GateCase) Decide() GateVerdict {
	v := c.decide()
	v.Turns = v.Status != GateUnset && v.Status != c.Gate.Status
	// A gate without a value holds the pod back as well as False does: what would be
	// said in the first seconds is old at once.
	if calm := c.ReadyAt.Add(gateCalm); v.Status == GateFalse && c.Gate.Status == GateUnset && c.Now.Before(calm) {
		return GateVerdict{Awaits: v.Awaits, Next: calm}
	}
	return v
}

func (c GateCase) decide() GateVerdict {
	switch {
	case c.Gate.Opened:
		return opened(RuleGateOpened, "it was True before: a gate guards the start of a pod only")
	case c.Pod.Terminating || over(c.Pod):
		return GateVerdict{}
	case c.Stopped != nil:
		return anyhow(c.Stopped.Rule, c.Stopped.Reason)
	case c.Skip != nil && !curable[c.Skip.Rule]:
		return anyhow(c.Skip.Rule, "the pod "+c.Skip.Reason)
	case !c.Pod.ContainersReady || c.ReadyAt.IsZero():
		return GateVerdict{}
	case c.Skip != nil:
		return c.bounded(c.Skip.Rule, c.skipped(), c.ReadyAt)
	}
	if v := c.answered(); v != nil {
		return *v
	}
	return c.unregistered()
}

// curable are the obstacles that waiting may cure: a node that just came has no
// providerID yet, and what AWS refuses is asked for again.
var curable = map[Rule]bool{
	RuleUnbound: true, RuleNodeUnknown: true, RuleNoInstance: true, RuleNoAddress: true, RuleRefused: true,
}

func (c GateCase) skipped() string {
	if c.Skip.Rule == RuleRefused {
		return c.Skip.Reason
	}
	return "the pod " + c.Skip.Reason
}

// answered is what AWS's answers say; nil if AWS does not have the target.
func (c GateCase) answered() *GateVerdict {
	there := c.Target.Presence == Registered || c.Target.Presence == Draining
	fresh := there && !c.Target.ReadAt.IsZero() && !c.Target.ReadAt.Before(c.ReadyAt)
	if fresh {
		if v := c.open(); v != nil {
			return v
		}
	}
	if !c.UnreadableSince.IsZero() {
		v := c.bounded(RuleGateUnreadable, "AWS cannot be asked for the target's health", later(c.UnreadableSince, c.ReadyAt))
		if v.Status == GateTrue {
			return &v
		}
		if c.Gate.Status != GateUnset {
			v.Status = GateUnset
		}
		v.Awaits = AwaitsHealth
		return &v
	}
	switch {
	case !there:
		return nil
	case fresh || notYet(c.Target.Health):
		return &GateVerdict{Status: GateFalse, Reason: c.reason(), Message: "AWS calls the target " + c.Target.String() + " " + string(c.Target.Health), Awaits: AwaitsHealth}
	}
	return &GateVerdict{Awaits: AwaitsRead}
}

// notYet: even an old answer, or what is known of our own write, is enough to say
// so.
func notYet(h Health) bool {
	return h == HealthInitial || h == HealthUnhealthy || h == HealthUnhealthyDraining || h == HealthDraining
}

// open is the verdict if the target's health, which is known from a read since the
// pod is ready, opens the gate; nil if it does not.
func (c GateCase) open() *GateVerdict {
	target := "the target " + c.Target.String()
	var v GateVerdict
	switch t := c.Target; {
	case t.Shifted:
		v = opened(RuleGateShifted, "a zonal shift keeps traffic from "+target)
	case t.Health == HealthHealthy:
		v = opened(RuleGateHealthy, "AWS calls "+target+" healthy")
	case t.Health == HealthUnavailable:
		v = opened(RuleGateNotInUse, "AWS does not tell the health of "+target)
	case t.Health == HealthUnused && t.Reason == "Target.InvalidState":
		return nil // the instance is stopped, so the pod will be found dead
	case t.Health == HealthUnused && t.Reason == "Target.IpUnusable":
		v = anyhow(Rule(t.Reason), "AWS cannot use the address of "+target)
	case t.Health == HealthUnused:
		v = opened(RuleGateNotInUse, "nothing routes to "+target+": no listener uses the target group, or its zone is not enabled")
	default:
		return nil
	}
	return &v
}

// reason is AWS's, or the state where AWS gives none.
func (c GateCase) reason() Rule {
	if c.Target.Reason == "" {
		return Rule(c.Target.Health)
	}
	return Rule(c.Target.Reason)
}

func (c GateCase) unregistered() GateVerdict {
	if c.NoRegister != "" {
		return anyhow(RuleNoRegister, "nothing may be registered: "+c.NoRegister)
	}
	text := fmt.Sprintf("the target %s is not registered yet", c.Target.Key)
	if c.Obstacle != "" {
		text += ": " + c.Obstacle
	}
	return c.bounded(RuleGateNotRegistered, text, c.ReadyAt)
}

// bounded is False until something has been waited for too long: no gate may block
// a rollout for ever.
func (c GateCase) bounded(rule Rule, text string, since time.Time) GateVerdict {
	if end := since.Add(GateBound); c.Now.Before(end) {
		return GateVerdict{Status: GateFalse, Reason: rule, Message: text, Next: end}
	}
	return anyhow(rule, text+"; the gate waits for that no longer than 10 minutes")
}

func opened(rule Rule, text string) GateVerdict {
	return GateVerdict{Status: GateTrue, Reason: rule, Message: text}
}

func anyhow(rule Rule, text string) GateVerdict {
	return GateVerdict{Status: GateTrue, Reason: rule, Message: text, Warn: true}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
