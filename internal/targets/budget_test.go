package targets

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// carried is the scene after its plan was carried out and AWS has caught up: what
// was registered is healthy, what was deregistered drains.
func carried(in Input, options ...option) Input {
	p := NewPlan(in)
	next := after(in, time.Minute)
	for _, c := range p.Register {
		next.Targets = upsert(next.Targets, Target{Key: c.Key, Presence: Registered, Health: HealthHealthy, Zone: c.Zone})
	}
	for _, c := range p.Deregister {
		next.Targets = upsert(next.Targets, Target{Key: c.Key, Presence: Draining, Health: HealthDraining, Zone: c.Zone})
	}
	return with(next, options...)
}

func upsert(targets []Target, t Target) []Target {
	targets = append([]Target{}, targets...)
	for i := range targets {
		if targets[i].Key == t.Key {
			targets[i] = t
			return targets
		}
	}
	return append(targets, t)
}

// changes of a plan: what it registers and deregisters.
func changes(in Input) []string {
	p := NewPlan(in)
	p.Keep = nil
	return brief(p)
}

func nodes(count int) []string {
	var names []string
	for i := range count {
		names = append(names, fmt.Sprintf("n%02d", i))
	}
	return names
}

// relabel gives nodes of a scene a signal.
func relabel(change func(*Node), names ...string) option {
	return func(in *Input) {
		for _, name := range names {
			before := in.View.Nodes.ByName[name]
			node(name, func(n *Node) { *n = *before }, change)(in)
		}
	}
}

// healthOf sets what AWS calls the targets of nodes.
func healthOf(h Health, names ...string) option {
	return func(in *Input) {
		for i := range in.Targets {
			if slices.ContainsFunc(names, func(n string) bool { return key(n) == in.Targets[i].Key }) {
				in.Targets[i].Health = h
			}
		}
	}
}

func TestDepartureBudget(t *testing.T) {
	old := nodes(20)
	twenty := scene(healthyPods(old...), healthyElsewhere)
	labelled := with(twenty, relabel(departing, old...))
	steps := func(in Input, moves ...func(Input) Input) Input {
		for _, move := range moves {
			in = move(in)
		}
		return in
	}
	carry := func(options ...option) func(Input) Input {
		return func(in Input) Input { return carried(in, options...) }
	}
	unknown := with(twenty, relabel(departing, old[:10]...), healthOf(HealthUnavailable, old...))
	open := with(unknown, healthOf(HealthUnhealthy, append(old, "z")...))
	one := with(twenty, relabel(departing, "n00"))
	two := func(in Input) Input { return with(in, relabel(departing, "n01", "n02", "n03")) }
	restart := func(in Input) Input { in.Memory = Memory{}; return in }
	cases := []struct {
		name, reason string
		in           Input
		want         []string
	}{
		{"TenPercentLeave", "Of 21 healthy targets two leave when all but one are labelled at once.", labelled,
			[]string{"- i-n00 NodeDeparting", "- i-n01 NodeDeparting"}},
		{"NoMoreWithoutReplacement", "No further one leaves without a replacement, however often one looks.",
			steps(labelled, carry(), carry(), carry()), nil},
		{"OneForOne", "A new target that is healthy lets one more leave.",
			steps(labelled, carry(node("x"), pod("x")), carry()), []string{"- i-n02 NodeDeparting"}},
		{"InitialIsNoReplacement", "One that is not healthy yet does not.",
			steps(labelled, carry(node("x"), pod("x"), target("x", HealthInitial))), nil},
		{"OtherZoneIsNoReplacement", "Nor does one in another zone.",
			steps(labelled, carry(node("x", zone("z2")), pod("x")), carry()), nil},
		{"NodesOneAfterTheOther", "Nodes that are labelled one after the other share one budget.",
			steps(one, carry(), two, carry(), carry()), nil},
		{"NodesOneAfterTheOtherSpendIt", "They may spend all of it.",
			steps(one, carry(), two), []string{"- i-n01 NodeDeparting"}},
		{"ReplacedIsRefunded", "What was replaced while nothing waited is settled.",
			steps(one, carry(), carry(node("x"), pod("x")), carry(), two), []string{"- i-n01 NodeDeparting", "- i-n02 NodeDeparting"}},
		{"UndoneIsRefunded", "A departure that is undone costs nothing: its target comes back and counts again.",
			steps(one, carry(), carry(relabel(func(n *Node) { n.Class = NodeStays }, "n00")), carry(), two),
			[]string{"- i-n01 NodeDeparting", "- i-n02 NodeDeparting"}},
		{"ComingBackIsNotBack", "One that was registered anew and is not healthy yet is still missing when it is to leave again.",
			steps(labelled, carry(relabel(func(n *Node) { n.Class = NodeStays }, old...)), carry(), func(in Input) Input {
				in.Targets = upsert(in.Targets, Target{Key: key("n00"), Presence: Registered, Health: HealthInitial, Zone: "z1"})
				in.Targets = upsert(in.Targets, Target{Key: key("n01"), Presence: Registered, Health: HealthInitial, Zone: "z1"})
				in.Memory.Departures = map[string]Departures{"z1": {Before: in.Memory.Departures["z1"].Before, Left: map[Key]bool{key("n00"): true, key("n01"): true}}}
				return with(in, relabel(departing, old...))
			}), []string{"- i-n00 NodeDeparting", "- i-n01 NodeDeparting"}},
		{"RestartsDoNotRefund", "A process that restarts does not get a new budget.",
			steps(labelled, carry(), restart), nil},
		{"RestartBeforeTheNextSignal", "Not even if nothing was waiting when it did.",
			steps(one, carry(), carry(), restart, carry(), two), []string{"- i-n01 NodeDeparting"}},
		{"FailedRemovalIsRepeated", "A removal that was not carried out does not let another one go.",
			after(labelled, time.Second), []string{"- i-n00 NodeDeparting", "- i-n01 NodeDeparting"}},
		{"DoubtIsPaidFor", "Nor one that timed out.",
			after(labelled, time.Second, input(func(in *Input) { in.Targets[0].Presence, in.Targets[1].Presence = Unknown, Unknown })),
			[]string{"- i-n00 NodeDeparting", "- i-n01 NodeDeparting"}},
		{"UnhealthyIsFree", "What does not serve costs no budget.",
			with(labelled, input(func(in *Input) {
				for i := range 5 {
					in.Targets[i].Health = HealthUnhealthy
				}
			})), []string{"- i-n00 NodeDeparting", "- i-n01 NodeDeparting", "- i-n02 NodeDeparting", "- i-n03 NodeDeparting", "- i-n04 NodeDeparting", "- i-n05 NodeDeparting"}},
		{"UnknownHealthIsNoShare", "What AWS does not know the health of makes the budget no larger, and costs it: it may serve.",
			unknown, []string{"- i-n00 NodeDeparting"}},
		{"UnknownHealthIsNoReplacement", "When AWS knows it again, what was there before has replaced nothing; the budget is that of 21 targets.",
			steps(unknown, carry(healthOf(HealthHealthy, old[1:]...))), []string{"- i-n01 NodeDeparting"}},
		{"FailingOpenIsNoReplacement", "Nor has what AWS sent to all the same, while it called all of them unhealthy.",
			steps(open, carry(healthOf(HealthHealthy, append(old[1:], "z")...))), []string{"- i-n01 NodeDeparting"}},
		{"BlindPlansKeepTheLedger", "A view that breaks in between does not renew the budget.",
			steps(labelled, carry(input(func(in *Input) { in.View.Incomplete = "broken" })), carry(input(func(in *Input) { in.View.Incomplete = "" }))), nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, changes(tc.in)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
