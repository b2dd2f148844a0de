package binder

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// Labels of what is told of a binding. Its kind is the API group's, and namespace is
// empty for the cluster-scoped one. None names a pod, a node or a target: these come
// and go, and series would not end.
var perBinding = []string{"group", "namespace", "binding"}

func ofBinding(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc("provider_nlb_"+name, help, append(perBinding[:len(perBinding):len(perBinding)], more...), nil)
}

// What a Binder tells of each binding.
var (
	bindingTargets = ofBinding("binding_targets",
		"Targets by state, as AWS said at the last read: healthy, initial, unhealthy, unused (registered, and in no listener, stopped or not checked), draining, foreign; and desired, which should be registered. Zone is unknown where the node is.", "zone", "state")
	bindingMissing = ofBinding("binding_targets_missing",
		"Targets that should be registered and are not.")
	bindingReadAge = ofBinding("binding_health_read_age_seconds",
		"Age of the last successful read of the target group's health; not there before the first.")
	bindingComplete = ofBinding("binding_view_complete",
		"1 if the view of pods, nodes and Services is whole, 0 while nothing is deregistered because it is not.")
	bindingHeld = ofBinding("binding_held",
		"1 if targets stay although no pod matches (emptyPolicy: Hold).")
	bindingGuarded = ofBinding("binding_targets_guarded",
		"Targets whose removal waits for evidence or approval.")
	bindingSkipped = ofBinding("binding_pods_skipped",
		"Pods that match and cannot be targets.")
	bindingDepartures = ofBinding("binding_departures_waiting",
		"Targets that wait to leave: for the departure budget, or because they are the last of their zone.")
	bindingDepartureAge = ofBinding("binding_departures_waiting_oldest_seconds",
		"How long the oldest of them has been waiting; 0 if none is.")
	bindingGates = ofBinding("binding_gates_waiting",
		"Readiness gates of pods that wait for AWS.")
	bindingGateAge = ofBinding("binding_gates_waiting_oldest_seconds",
		"How long the oldest of them has been waiting; 0 if none is.")
	bindingTrouble = ofBinding("binding_trouble",
		"1 for each condition of the binding that tells of a problem: Ready and TargetsHealthy if they are False, all others if they are True.", "condition", "reason")
	leading = prometheus.NewDesc("provider_nlb_leader",
		"1 if this process writes to AWS: it leads, or there is no leader election.", nil, nil)
)

func bindingDescs() []*prometheus.Desc {
	return []*prometheus.Desc{
		bindingTargets, bindingMissing, bindingReadAge, bindingComplete, bindingHeld, bindingGuarded, bindingSkipped,
		bindingDepartures, bindingDepartureAge, bindingGates, bindingGateAge, bindingTrouble, leading,
	}
}

// collectBindings tells of every binding that has been planned for.
func (b *Binder) collectBindings(to chan<- prometheus.Metric, now time.Time) {
	b.mu.Lock()
	leads := b.ctx != nil && b.ctx.Err() == nil
	b.mu.Unlock()
	to <- prometheus.MustNewConstMetric(leading, prometheus.GaugeValue, is(leads))
	for _, g := range b.all() {
		g.collect(to, now)
	}
}

// collect tells of a group's bindings. What is sent is gathered under the lock and
// sent after it: whoever receives must not hold up the group.
func (g *group) collect(to chan<- prometheus.Metric, now time.Time) {
	var out []prometheus.Metric
	g.mu.Lock()
	for _, bd := range g.bindings {
		if bd.planned && !bd.releasing {
			out = append(out, g.metrics(bd, now)...)
		}
	}
	g.mu.Unlock()
	for _, m := range out {
		to <- m
	}
}

// metrics of a binding; callers hold the group's lock.
func (g *group) metrics(bd *binding, now time.Time) []prometheus.Metric {
	ref := bd.order.Binding
	var out []prometheus.Metric
	send := func(d *prometheus.Desc, v float64, more ...string) {
		labels := append([]string{ref.Group, ref.Namespace, ref.Name}, more...)
		out = append(out, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
	}
	g.sendTallies(send, bd)
	if !g.read.done.IsZero() {
		send(bindingReadAge, now.Sub(g.read.done).Seconds())
	}
	send(bindingComplete, is(bd.snap.condition("ViewIncomplete").Type == ""))
	send(bindingHeld, is(bd.plan.Held != ""))
	send(bindingGuarded, float64(len(bd.plan.Guarded)))
	send(bindingSkipped, float64(len(bd.plan.Skipped)))
	var oldest time.Time
	for _, c := range bd.plan.Waiting {
		oldest = earliestOf(oldest, bd.memory.Claims[c.Key].WaitingSince)
	}
	send(bindingDepartures, float64(len(bd.plan.Waiting)))
	send(bindingDepartureAge, age(oldest, now))
	waiting, oldest := bd.gatesWaiting()
	send(bindingGates, float64(waiting))
	send(bindingGateAge, age(oldest, now))
	for _, c := range bd.snap.Conditions {
		if good := c.Type == "Ready" || c.Type == conditionHealthy; c.Status != good {
			send(bindingTrouble, 1, c.Type, c.Reason)
		}
	}
	return out
}

// sendTallies sends the numbers of targets by zone.
func (g *group) sendTallies(send func(d *prometheus.Desc, v float64, more ...string), bd *binding) {
	counts := bd.snap.Counts
	rest := counts.Tally
	for _, t := range counts.Zones {
		rest = rest.Minus(t)
	}
	zones := maps.Clone(counts.Zones)
	if rest != (targets.Tally{}) || len(zones) == 0 {
		if zones == nil {
			zones = map[string]targets.Tally{}
		}
		zones["unknown"] = rest
	}
	for _, zone := range slices.Sorted(maps.Keys(zones)) {
		t := zones[zone]
		for _, s := range []struct {
			state string
			n     int
		}{
			{"desired", t.Desired}, {"healthy", t.Healthy}, {"initial", t.Initial}, {"unhealthy", t.Unhealthy},
			{"unused", t.Registered - t.Healthy - t.Initial - t.Unhealthy}, {"draining", t.Draining}, {"foreign", t.Foreign},
		} {
			send(bindingTargets, float64(s.n), cmp.Or(zone, "unknown"), s.state)
		}
	}
	missing := 0
	for _, k := range bd.plan.Wanted {
		if t := g.targets[k]; t == nil || t.Presence != targets.Registered {
			missing++
		}
	}
	send(bindingMissing, float64(missing))
}

func is(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// age is 0 if there was no beginning.
func age(since, now time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, now.Sub(since).Seconds())
}
