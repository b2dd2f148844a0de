package targets

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOrderedRules(t *testing.T) {
	incomplete := input(func(in *Input) { in.View.Incomplete = "cache of nodes is not synced" })
	unread := input(func(in *Input) { in.Unread = true })
	occupied := input(func(in *Input) {
		in.View.Occupied = map[Key]PodRef{key("a"): {Namespace: "other", Name: "p"}}
	})
	emptyDeregister := policy(func(p *Policy) { p.EmptyDeregister = true })
	missing := input(func(in *Input) { in.View.Missing = `Service "edge" does not exist` })
	dangling := scene(node("a"), pod("a", excluded), target("a", HealthHealthy))
	checkRules(t, []rule{
		{"IncompleteOnlyRegisters", "Rule 1: what is missing from a view that is not whole is no evidence, what is in it is.",
			scene(incomplete, node("a", leaving), target("a", HealthUnused, dead), claim("a", time.Hour, true), node("b"), pod("b")),
			[]string{"= i-a ViewIncomplete", "+ i-b PodReady"}},
		{"UnreadOnlyRegisters", "Rule 1: nothing is deregistered before the group was read in this process.",
			scene(unread, node("a", leaving), target("a", HealthHealthy), node("b"), pod("b")), []string{"= i-a GroupUnread", "+ i-b PodReady"}},
		{"DeadLeavesUnderHold", "Rule 2 stands above rule 3: a stopped instance leaves also under Hold.",
			scene(node("a"), target("a", HealthUnused, dead)), []string{"- i-a InstanceDead"}},
		{"UnusedIsNotDead", "NotInUse is said of every target of a group without a listener.",
			scene(node("a"), target("a", HealthUnused, func(t *Target) { t.Reason = "Target.NotInUse" })), []string{"= i-a EmptyHold"}},
		{"DeadWithWantedPodStays", "A stopped instance could not be registered again, so its target waits for it.",
			scene(node("a"), pod("a"), target("a", HealthUnused, dead)), []string{"= i-a PodReady"}},
		{"PortTakenLeaves", "Rule 2: a pod that is not ours serves there now, so even the last one leaves.",
			scene(node("a"), target("a", HealthHealthy), occupied), []string{"- i-a PortTaken"}},
		{"OwnPodIsNotTaken", "A matching pod on the target is stronger than a rumour of another one.",
			scene(node("a"), pod("a", starts), target("a", HealthHealthy), occupied), []string{"= i-a Retained"}},
		{"EmptyHolds", "Rule 3: without any pod everything stays, on a leaving node too.",
			scene(node("a", leaving), target("a", HealthHealthy), claim("a", time.Hour, false)), []string{"= i-a EmptyHold"}},
		{"EmptyDeregisters", "Rule 3: emptyPolicy Deregister removes what is there, above the floor.",
			scene(node("a"), target("a", HealthHealthy), emptyDeregister), []string{"- i-a EmptyDeregister"}},
		{"MissingHolds", "Rule 3: a Service that is missing selects nothing.",
			scene(missing, node("a"), pod("a"), target("a", HealthHealthy)), []string{"= i-a EmptyHold"}},
		{"MissingDeregisters", "Rule 3: emptyPolicy Deregister holds for a missing Service too.",
			scene(missing, node("a"), pod("a"), target("a", HealthHealthy), emptyDeregister), []string{"- i-a EmptyDeregister"}},
		{"AnyPodIsNotEmpty", "An unready, terminating or departing pod is enough not to be empty.",
			scene(emptyDeregister, node("a"), pod("a", terminating, daemon), target("a", HealthHealthy)), []string{"= i-a Vacated"}},
		{"EndedPodsAreNone", "Pods that have ended do not match any more.",
			scene(node("a"), pod("a", failed), target("a", HealthHealthy)), []string{"= i-a EmptyHold"}},
		{"FloorHoldsLeavingNode", "Rule 4 stands above rule 6: the last healthy target of a zone stays while its process may serve.",
			scene(healthyPods("z"), node("a", leaving, zone("z2")), pod("a"), target("a", HealthHealthy)), []string{"~ i-a Floor", elsewhere}},
		{"FloorEndsWithTheProcess", "With its pod gone no process can serve there.",
			scene(healthyPods("z"), node("a", leaving, zone("z2")), target("a", HealthHealthy), claim("a", time.Second, false)), []string{"- i-a NodeLeaving", elsewhere}},
		{"FloorEndsWithHealth", "What AWS calls unhealthy is no last healthy target.",
			scene(healthyPods("z"), node("a", leaving, zone("z2")), pod("a"), target("a", HealthUnhealthy)), []string{"- i-a NodeLeaving", elsewhere}},
		{"FloorWhileFailingOpen", "When no target is healthy AWS uses all: then the last one of a zone is worth as much.",
			scene(node("a", leaving), pod("a"), target("a", HealthUnhealthy)), []string{"~ i-a Floor"}},
		{"InitialDoesNotServeInFailOpen", "While AWS fails open a target that is not set up yet serves nobody in its place.",
			scene(node("a", leaving), pod("a"), target("a", HealthUnhealthy), node("b"), pod("b"), target("b", HealthInitial)),
			[]string{"~ i-a Floor", "= i-b PodReady"}},
		{"FloorProtectsInDoubt", "While the group cannot be read, one that was not healthy yet may serve by now.",
			scene(healthyPods("z"), node("a", leaving, zone("z2")), pod("a"), target("a", HealthInitial, stale)), []string{"~ i-a Floor", elsewhere}},
		{"FloorProtectsWhatIsChecked", "A target whose first checks run may have passed them since it was read.",
			scene(healthyPods("z"), node("a", leaving, zone("z2")), pod("a"), target("a", HealthInitial, func(t *Target) { t.Reason = "Elb.InitialHealthChecking" })),
			[]string{"~ i-a Floor", elsewhere}},
		{"FloorAsksForCertainty", "Nor is it known that the one which was healthy serves in another's place.",
			scene(node("a", leaving), pod("a"), target("a", HealthHealthy, stale), node("b"), pod("b"), target("b", HealthHealthy, stale)),
			[]string{"~ i-a Floor", "= i-b PodReady"}},
		{"FloorNotForUnused", "To a group that no listener uses nothing is sent.",
			scene(node("a", leaving), pod("a"), target("a", HealthUnused)), []string{"- i-a NodeLeaving"}},
		{"FloorKeepsOneOfMany", "Of several that leave at once one stays, the same each time.",
			scene(node("a", leaving), pod("a"), target("a", HealthHealthy), node("b", leaving), pod("b"), target("b", HealthHealthy)),
			[]string{"- i-a NodeLeaving", "~ i-b Floor"}},
		{"FloorKeepsTheStrongest", "The one whose pod is not yet terminating stays.",
			scene(node("a", leaving), pod("a"), target("a", HealthHealthy), node("b", leaving), pod("b", terminating), target("b", HealthHealthy)),
			[]string{"~ i-a Floor", "- i-b NodeLeaving"}},
		{"FloorDoesNotCountTheRestarting", "A target whose pod is terminating will not serve in its place.",
			scene(node("a", leaving), pod("a"), target("a", HealthHealthy), node("b"), pod("b", daemon, terminating), target("b", HealthHealthy)),
			[]string{"~ i-a Floor", "= i-b Vacated"}},
		{"FloorDoesNotCountTheInitial", "A new target serves when AWS says so.",
			scene(node("a", leaving), pod("a"), target("a", HealthHealthy), node("b"), pod("b"), target("b", HealthInitial)),
			[]string{"~ i-a Floor", "= i-b PodReady"}},
		{"FloorDoesNotCountDoubt", "A target whose last write failed may be gone.",
			scene(node("a", leaving), pod("a"), target("a", HealthHealthy), node("b", leaving), pod("b"), target("b", HealthHealthy, presence(Unknown)), node("c", zone("z2")), pod("c"), target("c", HealthHealthy)),
			[]string{"~ i-a Floor", "- i-b NodeLeaving", "= i-c PodReady"}},
		{"FloorDoesNotCountPodsOffTheHost", "A pod without hostNetwork does not serve on its node's port, whatever AWS found there.",
			scene(node("a", leaving), pod("a"), target("a", HealthHealthy), node("b"), pod("b", func(p *Pod) { p.HostNetwork = false }), target("b", HealthHealthy)),
			[]string{"~ i-a Floor", "= i-b Vacated"}},
		{"FloorDoesNotCountPodsInDoubt", "A target whose pod's node is not known is no replacement for one that serves.",
			scene(node("a", leaving), pod("a"), target("a", HealthHealthy), node("b"), target("b", HealthHealthy), claim("b", 0, true), pod("lost", uid("u-b"))),
			[]string{"~ i-a Floor", "= i-b NodeInDoubt"}},
		{"FloorCountsForeign", "A foreign healthy target serves the zone as well.",
			scene(node("a", leaving), pod("a"), target("a", HealthHealthy), target("x", HealthHealthy)), []string{"- i-a NodeLeaving", "= i-x Foreign"}},
		{"FloorDistrustsRelists", "A pod lost in a re-list may still serve.",
			scene(healthyPods("z"), node("a", leaving, zone("z2")), target("a", HealthHealthy), claim("a", time.Second, false),
				input(func(in *Input) { in.View.Relisted = map[Key]bool{key("a"): true} })), []string{"~ i-a Floor", elsewhere}},
		{"UnreadHealthIsProtected", "A target whose health is not known is not taken lightly.",
			scene(healthyPods("z"), node("a", leaving, zone("z2")), pod("a"), target("a", HealthUnread)), []string{"~ i-a Floor", elsewhere}},
		{"FloorStandsAboveBudget", "The last healthy target of a zone waits for the floor.", dangling, []string{"~ i-a Floor"}},
		{"ExcludedLeaves", "Rule 7: a pod taken out by hand leaves within the budget.",
			scene(healthyElsewhere, node("a"), pod("a", daemon, excluded), target("a", HealthHealthy)), []string{"- i-a PodExcluded", elsewhere}},
		{"NodeSelectorNarrowed", "Rule 7: so does one on a node that is not selected any more.",
			scene(healthyElsewhere, node("a"), pod("a", daemon), target("a", HealthHealthy), input(func(in *Input) { in.View.NodeRefused = map[string]bool{"a": true} })),
			[]string{"- i-a NodeNotSelected", elsewhere}},
		{"RefusedNodeExpectsNoSuccessor", "A pod that ends on a node that is not selected departs.",
			scene(healthyElsewhere, node("a"), pod("a", daemon, terminating), target("a", HealthHealthy), input(func(in *Input) { in.View.NodeRefused = map[string]bool{"a": true} })),
			[]string{"- i-a PodDeparted", elsewhere}},
		{"UnknownNodeIsDoubt", "While the node of its pod is not known a target stays.",
			scene(healthyElsewhere, node("a"), target("a", HealthUnhealthy), claim("a", time.Hour, false), pod("lost", uid("u-a"))),
			[]string{"= i-a NodeInDoubt", elsewhere}},
	})
}

func TestPortChange(t *testing.T) {
	options := []option{node("a"), pod("a"), node("b"), pod("b"), node("c"), pod("c")}
	for _, n := range []string{"a", "b", "c"} {
		options = append(options, target(n, HealthHealthy, func(t *Target) { t.Port = 80 }))
	}
	in := scene(append(options, input(func(in *Input) { in.UsedPorts = []int32{80, 443} }))...)
	in.Memory.Claims = map[Key]Claim{}
	for _, n := range []string{"a", "b", "c"} {
		in.Memory.Claims[Key{"i-" + n, 80}] = Claim{Pod: PodRef{Namespace: "edge", Name: "p-" + n, UID: "u-" + n}, Node: n}
	}
	if diff := cmp.Diff(sortedByText([]string{
		"= i-a TooManyWithoutEvidence", "+ i-a PodReady", "= i-b TooManyWithoutEvidence", "+ i-b PodReady", "= i-c TooManyWithoutEvidence", "+ i-c PodReady",
	}), sortedByText(brief(NewPlan(in)))); diff != "" {
		t.Errorf("A changed port is no evidence: the new targets are registered, the old ones wait for the Guard.\n-want +got:\n%s", diff)
	}
	in = after(in, GuardedFor)
	p := NewPlan(in)
	if diff := cmp.Diff(sortedByText([]string{
		"- i-a SelectionChanged", "+ i-a PodReady", "~ i-b DepartureBudget", "+ i-b PodReady", "~ i-c DepartureBudget", "+ i-c PodReady",
	}), sortedByText(brief(p))); diff != "" {
		t.Errorf("Then the old ones leave one for one.\n-want +got:\n%s", diff)
	}
	in.Memory, in.Now = p.Memory, in.Now.Add(3*time.Minute)
	in.Targets = append(in.Targets[1:], Target{Key: key("a"), Presence: Registered, Health: HealthHealthy, Zone: "z1"},
		Target{Key: key("b"), Presence: Registered, Health: HealthInitial, Zone: "z1"})
	if diff := cmp.Diff(sortedByText([]string{
		"- i-b SelectionChanged", "= i-a PodReady", "= i-b PodReady", "~ i-c DepartureBudget", "+ i-c PodReady",
	}), sortedByText(brief(NewPlan(in)))); diff != "" {
		t.Errorf("Each new target that has become healthy lets one more old one leave.\n-want +got:\n%s", diff)
	}
}
