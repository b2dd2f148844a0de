package targets

import (
	"maps"
	"testing"
	"time"
)

// unselected is a pod that runs on node's target and is not selected any more.
func unselected(node string, change ...func(*Pod)) option {
	return func(in *Input) {
		var other Input
		pod(node, change...)(&other)
		if in.View.Unselected = maps.Clone(in.View.Unselected); in.View.Unselected == nil {
			in.View.Unselected = map[Key]Pod{}
		}
		in.View.Unselected[key(node)] = other.View.Pods[0]
	}
}

// TestWhatIsNotSelectedAnyMore: an edit of a selector, a label or a port ends no
// process, so it is no departure of a pod (binding.md §5, rule 7).
func TestWhatIsNotSelectedAnyMore(t *testing.T) {
	var left []option
	for _, n := range []string{"a", "b", "c"} {
		left = append(left, node(n), target(n, HealthHealthy), claim(n, 0, false), unselected(n))
	}
	anew := scene(append(left, node("x"), pod("x"), target("x", HealthInitial))...)
	port := scene(node("a"), pod("a"), claim("a", 0, false), target("a", HealthHealthy, func(t *Target) { t.Port = 80 }), target("a", HealthHealthy), healthyPods("b"),
		input(func(in *Input) { in.UsedPorts = []int32{80, 443} }))
	port.Memory.Claims = map[Key]Claim{{ID: "i-a", Port: 80}: port.Memory.Claims[key("a")]}
	checkRules(t, []rule{
		{"Guarded", "That pods go on is no evidence, whatever else is selected.",
			anew, []string{"= i-a TooManyWithoutEvidence", "= i-b TooManyWithoutEvidence", "= i-c TooManyWithoutEvidence", "= i-x PodReady"}},
		{"Budgeted", "When the Guard has let them go as many leave as the budget allows.",
			after(anew, GuardedFor), []string{"- i-a SelectionChanged", "~ i-b DepartureBudget", "~ i-c DepartureBudget", "= i-x PodReady"}},
		{"NeverSeen", "After a restart nobody remembers whose target it is: that its pod is not selected is not waited out as a restart, and the Guard asks for evidence.",
			with(anew, input(func(in *Input) { in.Memory.Claims = nil })),
			[]string{"= i-a TooManyWithoutEvidence", "= i-b TooManyWithoutEvidence", "= i-c TooManyWithoutEvidence", "= i-x PodReady"}},
		{"AnotherPod", "A pod that is not selected and never made the target says nothing of the one that did and comes back.",
			scene(node("a"), target("a", HealthUnhealthy), claim("a", time.Second, true), unselected("a", uid("other")), healthyPods("b", "c")),
			[]string{"= i-a Vacated", "= i-b PodReady", "= i-c PodReady"}},
		{"AnotherPodServes", "But it may serve there, so the last one of a zone stays while it does.",
			scene(node("a"), target("a", HealthHealthy), claim("a", time.Second, false), unselected("a", uid("other")), node("x"), pod("x"), target("x", HealthInitial)),
			[]string{"~ i-a Floor", "= i-x PodReady"}},
		{"LastOneStays", "Its process serves, so the last one of a zone stays.",
			scene(node("a"), target("a", HealthHealthy), claim("a", 0, false), unselected("a"), node("x"), pod("x"), target("x", HealthInitial)),
			[]string{"~ i-a Floor", "= i-x PodReady"}},
		{"GoesOnBesideOneThatEnds", "Where a pod goes on that declares the port, though another one that ends makes the target, is the last one that serves.",
			scene(node("a"), pod("a", uid("other"), terminating, func(p *Pod) { p.Ports = nil }), target("a", HealthHealthy), unselected("a"),
				node("b"), pod("b", terminating), target("b", HealthHealthy), node("x"), pod("x"), target("x", HealthInitial)),
			[]string{"~ i-a Floor", "- i-b PodDeparted", "= i-x PodReady"}},
		{"Ending", "Those that are told to end depart like any others; the one that goes on is the last that serves.",
			with(anew, unselected("b", terminating), unselected("c", terminating)),
			[]string{"~ i-a Floor", "- i-b PodDeparted", "- i-c PodDeparted", "= i-x PodReady"}},
		{"Released", "A binding that is deleted leaves nothing behind.",
			with(anew, input(func(in *Input) { in.Releasing = true })), []string{"- i-a Released", "- i-b Released", "- i-c Released", "- i-x Released"}},
		{"PortMoved", "A pod whose port changed goes on too.",
			port, []string{"= i-a PodReady", "- i-a SelectionChanged", "= i-b PodReady"}},
		{"PortMovedAndEnding", "When it is told to end, its old target leaves with it, budget or not.",
			with(port, policy(func(p *Policy) { p.MaxUnavailable = 1 }), input(func(in *Input) {
				in.View.Pods[0].Terminating = true
				in.Memory.Departures = map[string]Departures{"z1": {Before: map[Key]bool{key("b"): true}, Left: map[Key]bool{{ID: "i-q", Port: 443}: true}}}
			})), []string{"- i-a PodDeparted", "- i-a PodDeparted", "= i-b PodReady"}},
	})
}
