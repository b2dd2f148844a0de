package binder

import (
	"strings"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// Types and reasons of the conditions about health (binding.md §11).
const (
	conditionHealthy   = "TargetsHealthy"
	conditionDrainRisk = "DrainRisk"

	// ReasonTimeout: no target was ever healthy, and the checks of all time out. The
	// managed reconciler adds what to allow, which the engine does not know.
	ReasonTimeout = "HealthChecksTimeOut"
	// ReasonNeverHealthy: no target was ever healthy, and AWS does not tell why the
	// checks of all fail. The managed reconciler adds what to allow here, too.
	ReasonNeverHealthy  = "NeverHealthy"
	reasonNoneHealthy   = "NoTargetHealthy"
	reasonSomeUnhealthy = "TargetsUnhealthy"
	reasonHealthy       = "Healthy"

	// ailing is how long a target must have been unhealthy without a break before a
	// condition says so: what comes and goes in a rollout is not told.
	ailing = 5 * time.Minute

	// Of a Network Load Balancer's targets AWS's guide knows the second reason only, for
	// checks that are dropped as for those that are refused; the API reference has both
	// (docs/decisions/0027-a-failed-health-check-may-be-a-dropped-one.md).
	reasonTargetTimeout = "Target.Timeout"
	reasonTargetFailed  = "Target.FailedHealthChecks"
)

// healthMemory is what a binding remembers of its targets' health.
type healthMemory struct {
	// since is when health was known first in this process. What was unhealthy
	// then may have been so for long.
	since time.Time
	// ever says that a target was healthy once in this process.
	ever bool
}

// An opinion is a condition of which it may not be known yet whether it applies.
type opinion struct {
	// Condition is the zero value if none applies.
	Condition
	// undecided: nothing can be said yet, so that what status says stays.
	undecided bool
	// next is when time alone would change it; zero if it does not.
	next time.Time
}

// judge decides condition TargetsHealthy from the binding's registered targets. It
// changes rarely: False needs five minutes, and neither numbers nor names are in it.
//
//	no target that AWS checks                       | nothing
//	healthy ones, and none unhealthy                | True
//	healthy ones, none unhealthy for 5 minutes      | True, 5 minutes after the start
//	healthy ones, one unhealthy for 5 minutes       | False, TargetsUnhealthy
//	none healthy, one unhealthy for 5 minutes       | False, NoTargetHealthy
//	the same, never healthy, and all those time out | False, HealthChecksTimeOut
//	the same, and AWS tells of none why it fails    | False, NeverHealthy
//	anything else                                   | as it was
func (m *healthMemory) judge(own []*state, now time.Time) opinion {
	var healthy, unhealthy, starting, long, timeouts, failures int
	var next time.Time
	for _, t := range own {
		switch t.Health {
		case targets.HealthHealthy:
			healthy++
		case targets.HealthInitial:
			starting++
		case targets.HealthUnhealthy, targets.HealthUnhealthyDraining:
			unhealthy++
			if due := t.unhealthySince.Add(ailing); now.Before(due) {
				next = earliestOf(next, due)
				continue
			}
			long++
			switch t.Reason {
			case reasonTargetTimeout:
				timeouts++
			case reasonTargetFailed:
				failures++
			}
		}
	}
	if healthy+unhealthy+starting == 0 {
		return opinion{}
	}
	m.ever = m.ever || healthy > 0
	if m.since.IsZero() {
		m.since = now
	}
	say := func(status bool, reason, message string) opinion {
		return opinion{Condition: Condition{conditionHealthy, reason, message, status}, next: next}
	}
	switch {
	case long > 0 && healthy == 0 && timeouts == long && !m.ever:
		return say(false, ReasonTimeout, "no target has been healthy since the provider started, and the health checks of all time out")
	case long > 0 && healthy == 0 && failures == long && !m.ever:
		return say(false, ReasonNeverHealthy, "no target has been healthy since the provider started, and the health checks of all fail")
	case long > 0 && healthy == 0:
		return say(false, reasonNoneHealthy, "no target is healthy, and AWS has called some unhealthy for more than 5 minutes: look at the pods, and at what answers on the health check's port")
	case long > 0:
		return say(false, reasonSomeUnhealthy, "AWS has called some targets unhealthy for more than 5 minutes; aws elbv2 describe-target-health tells which, and why")
	case healthy > 0 && unhealthy == 0:
		return say(true, reasonHealthy, "")
	case healthy > 0 && now.Sub(m.since) >= ailing:
		return say(true, reasonHealthy, "")
	case healthy > 0:
		next = earliestOf(next, m.since.Add(ailing))
	}
	return opinion{undecided: true, next: next}
}

// own are the states of the binding's registered targets; callers hold the group's
// lock.
func (g *group) own(bd *binding) []*state {
	out := make([]*state, 0, len(bd.plan.Ours))
	for _, k := range bd.plan.Ours {
		if t := g.targets[k]; t != nil && t.Presence == targets.Registered {
			out = append(out, t)
		}
	}
	return out
}

// drainRisk is condition DrainRisk.
func drainRisk(in targets.Input) opinion {
	if in.View.Incomplete != "" {
		return opinion{undecided: true}
	}
	var pods []targets.Pod
	for _, pod := range in.View.Pods {
		if pod.Terminating || pod.Phase != "Running" && pod.Phase != "Pending" {
			continue
		}
		if _, skip := in.View.Resolve(in.Group, pod); skip == nil {
			pods = append(pods, pod)
		}
	}
	risks := targets.DrainRisks(in.Group, in.View.Selection, pods)
	if len(risks) == 0 {
		return opinion{}
	}
	advice := make([]string, len(risks))
	for i, r := range risks {
		advice[i] = r.Advice
	}
	return opinion{Condition: Condition{conditionDrainRisk, string(risks[0].Rule), "connections may be reset when pods go: " + strings.Join(advice, "; "), true}}
}

// opinions adds the conditions about health to a snapshot, and returns when time
// alone would change them. Callers hold the group's lock.
func (g *group) opinions(snap *Snapshot, bd *binding, in targets.Input, now time.Time) time.Time {
	var next time.Time
	if bd.releasing {
		return next
	}
	for _, about := range []struct {
		typ string
		opinion
	}{
		{conditionHealthy, bd.health.judge(g.own(bd), now)},
		{conditionDrainRisk, drainRisk(in)},
	} {
		next = earliestOf(next, about.next)
		switch {
		case about.undecided:
			snap.Undecided = append(snap.Undecided, about.typ)
		case about.Type != "":
			snap.Conditions = append(snap.Conditions, about.Condition)
		}
	}
	return next
}

// earliestOf is the earlier of two times, of which zero is never.
func earliestOf(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return earliest(a, b)
}
