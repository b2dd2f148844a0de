package binder

import (
	"fmt"
	"strings"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	// unseenAfter is how long a pod may be unready while AWS calls its target healthy
	// before somebody is told (binding.md §3).
	unseenAfter = time.Minute
	// unseenSlack is what a read may be behind, where the health check itself takes
	// as long as unseenAfter to notice.
	unseenSlack = 15 * time.Second

	reasonUnseen = "ReadinessNotSeen"
)

// An unreadyPod is what is remembered of a pod that is not ready.
type unreadyPod struct {
	// since is the pod's own time, by its node's clock, which tells one unreadiness
	// from the next; seen is when it was seen here.
	since, seen time.Time
	// told: somebody was told of the pod, which is done once.
	told bool
}

// unseenPods says of which unready pods AWS calls the targets healthy, each UID once:
// then the group's health check does not see the pods' readiness. Only a read after
// the pod has been unready for that long is evidence, so one is asked for. It
// returns when time alone would change that. Callers hold the group's lock.
func (g *group) unseenPods(bd *binding, in targets.Input, now time.Time) ([]targets.PodRef, time.Time) {
	asked := bd.askRead
	bd.askRead = time.Time{}
	if in.View.Incomplete != "" || bd.releasing {
		return nil, time.Time{}
	}
	var found []targets.PodRef
	var next time.Time
	unready := map[string]unreadyPod{}
	after := max(unseenAfter, in.Group.Check.Notices()+unseenSlack)
	for _, pod := range in.View.Pods {
		u := bd.unready[pod.UID]
		switch {
		case u.told:
		case pod.ContainersReady || pod.Terminating || pod.Phase != "Running" || pod.UnreadySince.IsZero():
			continue
		case !u.since.Equal(pod.UnreadySince):
			u = unreadyPod{since: pod.UnreadySince, seen: now}
		}
		if due := u.seen.Add(after); !u.told && g.callsHealthy(in, pod) {
			switch {
			case now.Before(due):
				next = earliestOf(next, due)
			case g.read.began.Before(due):
				bd.askRead = earliestOf(bd.askRead, due)
			default:
				u.told = true
				found = append(found, pod.PodRef)
			}
		}
		unready[pod.UID] = u
	}
	bd.unready = unready
	if bd.askRead != asked {
		g.poke() // the scheduler is told before the next plan
	}
	return found, next
}

// callsHealthy: AWS calls the pod's target healthy, and no other pod that is ready
// is behind it.
func (g *group) callsHealthy(in targets.Input, pod targets.Pod) bool {
	key, skip := in.View.Resolve(in.Group, pod)
	if skip != nil {
		return false
	}
	t := g.targets[key]
	if t == nil || t.Presence != targets.Registered || t.Health != targets.HealthHealthy {
		return false
	}
	for _, other := range in.View.Pods {
		if other.ContainersReady && other.Node == pod.Node {
			if k, skip := in.View.Resolve(in.Group, other); skip == nil && k == key {
				return false
			}
		}
	}
	return true
}

// tellUnseen records a Warning Event on each of the pods, and one on the binding.
func (g *group) tellUnseen(bd *binding, pods []targets.PodRef) {
	if len(pods) == 0 {
		return
	}
	const why = "AWS calls the target healthy while the pod is not ready, so the health check of the target group does not see the pod's readiness and traffic goes on: let it check what readiness means, over HTTP or on a port of its own"
	names := make([]string, 0, auditNames)
	for _, pod := range pods {
		if len(names) < auditNames {
			names = append(names, pod.Name)
		}
		if g.b.o.PodEvent != nil {
			g.b.o.PodEvent(pod, Event{true, reasonUnseen, why + "; binding " + bd.order.Binding.String()})
		}
	}
	text := strings.Join(names, ", ")
	if more := len(pods) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	g.b.o.Event(bd.order.Binding, Event{true, reasonUnseen, text + ": " + why})
}

// evidence is a wish, made sooner if a binding wants to know of an unready pod. Nobody
// waits for that in a hurry. Callers hold the group's lock.
func (g *group) evidence(w wish) wish {
	for _, bd := range g.bindings {
		if !bd.askRead.IsZero() && bd.askRead.Before(w.due) && g.read.err == nil {
			w.due = bd.askRead
		}
	}
	return w
}
