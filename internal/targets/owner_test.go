package targets

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOwnership(t *testing.T) {
	set := func(o Ownership) option { return policy(func(p *Policy) { p.Ownership = o }) }
	releasing := input(func(in *Input) { in.Releasing = true })
	sibling := input(func(in *Input) { in.Siblings = map[Key]bool{key("a"): true} })
	noDelete := policy(func(p *Policy) { p.NoDeregister = "managementPolicies lack Delete" })
	emptyDeregister := policy(func(p *Policy) { p.EmptyDeregister = true })
	otherPort := func(t *Target) { t.Port = 9000 }
	checkRules(t, []rule{
		{"UnknownInstanceIsForeign", "An instance that is no node of this cluster is foreign; by default nothing foreign is touched.",
			scene(healthyElsewhere, target("x", HealthHealthy)), []string{"= i-x Foreign", elsewhere}},
		{"UnusedPortIsForeign", "A port that this binding never used makes a target of our node foreign.",
			scene(healthyElsewhere, node("a"), target("a", HealthHealthy, otherPort)), []string{"= i-a Foreign", elsewhere}},
		{"UsedPortIsOurs", "A port that this binding used before makes it ours; without a pod it waits for one.",
			scene(healthyElsewhere, node("a"), target("a", HealthHealthy, otherPort), input(func(in *Input) { in.UsedPorts = append(in.UsedPorts, 9000) })),
			[]string{"= i-a Vacated", elsewhere}},
		{"RememberedNodeIsOurs", "A deleted node's target is still ours.",
			scene(healthyElsewhere, node("a", goneNode), target("a", HealthUnhealthy), claim("a", 1, true)), []string{"- i-a PodDeparted", elsewhere}},
		{"SiblingIsNotOurs", "A target that another binding wants is never removed, whatever the rules say.",
			scene(healthyElsewhere, sibling, node("a", leaving), target("a", HealthUnused, dead)), []string{"= i-a WantedBySibling", elsewhere}},
		{"SiblingsPortIsNotForeign", "Exclusive is against strangers: what another binding of the cluster may have made is its own.",
			scene(healthyElsewhere, oursExclusive, node("a"), target("a", HealthHealthy, otherPort), target("x", HealthHealthy, otherPort),
				input(func(in *Input) { in.SiblingPorts = map[int32]bool{9000: true} })),
			[]string{"= i-a WantedBySibling", "- i-x ForeignUnderExclusive", elsewhere}},
		{"PortsOfBothAreOurs", "What both may have made the one that has lost it removes.",
			scene(healthyElsewhere, node("a"), target("a", HealthUnhealthy), claim("a", 1, false),
				input(func(in *Input) { in.SiblingPorts = map[int32]bool{443: true} })),
			[]string{"- i-a PodDeparted", elsewhere}},
		{"SharedWithSiblingIsWanted", "What both want is kept.",
			scene(sibling, node("a"), pod("a"), target("a", HealthHealthy)), []string{"= i-a PodReady"}},
		{"ExclusiveRemovesForeign", "Exclusive on a group of ours: foreign ones leave within the budget.",
			scene(healthyElsewhere, oursExclusive, set(OwnershipExclusive), target("x", HealthHealthy), target("y", HealthHealthy)),
			[]string{"- i-x ForeignUnderExclusive", "~ i-y DepartureBudget", elsewhere}},
		{"ForeignOfAnyZoneStays", "The zone of an instance that is no node is not known: it leaves when every zone has another one that serves.",
			scene(healthyElsewhere, oursExclusive, node("b", zone("z9")), pod("b"), target("b", HealthInitial), target("x", HealthHealthy, zoneless), target("y", HealthHealthy, zoneless)),
			[]string{"= i-b PodReady", "~ i-x Floor", "~ i-y Floor", elsewhere}},
		{"ForeignOfAnyZoneLeaves", "And then it does.",
			scene(healthyElsewhere, oursExclusive, node("b", zone("z9")), pod("b"), target("b", HealthHealthy), target("x", HealthHealthy, zoneless)),
			[]string{"= i-b PodReady", "- i-x ForeignUnderExclusive", elsewhere}},
		{"OwnGroupIsExclusive", "Without a word a group that this cluster created is Exclusive.",
			scene(healthyElsewhere, oursExclusive, target("x", HealthHealthy)), []string{"- i-x ForeignUnderExclusive", elsewhere}},
		{"SharedOnOwnGroup", "Shared is obeyed on a group of ours.",
			scene(healthyElsewhere, oursExclusive, set(OwnershipShared), target("x", HealthHealthy)), []string{"= i-x Foreign", elsewhere}},
		{"TakeoverWaits", "Exclusive on a group that is not ours touches nothing before it was announced.",
			scene(healthyElsewhere, set(OwnershipExclusive), target("x", HealthHealthy)), []string{"= i-x ForeignAnnounced", elsewhere}},
		{"ForeignOnOurNodeIsNotVacated", "Nothing comes back to a foreign target on one of our nodes.",
			scene(healthyElsewhere, oursExclusive, node("a"), target("a", HealthHealthy, otherPort)), []string{"- i-a ForeignUnderExclusive", elsewhere}},
		{"ForeignStaysInDoubt", "While a matching pod's node is not known a foreign target may be that pod's.",
			scene(healthyElsewhere, oursExclusive, pod("lost"), target("lost", HealthHealthy)), []string{"= i-lost NodeInDoubt", elsewhere}},
		{"EmptyHoldKeepsForeign", "Rule 3 holds foreign ones too.",
			scene(oursExclusive, target("x", HealthHealthy)), []string{"= i-x EmptyHold"}},
		{"SharedEmptyDeregisterKeepsForeign", "emptyPolicy Deregister is about ours.",
			scene(emptyDeregister, node("a"), target("a", HealthHealthy), target("x", HealthHealthy)), []string{"- i-a EmptyDeregister", "= i-x Foreign"}},
		{"ReleaseRemovesOurs", "A binding that is deleted removes ours, above the floor, and nothing else; nothing is wanted.",
			scene(releasing, oursExclusive, node("a"), pod("a"), target("a", HealthHealthy), node("b"), pod("b"), target("x", HealthHealthy)),
			[]string{"- i-a Released", "= i-x Foreign"}},
		{"ReleaseHandsOver", "What a sibling wants is handed over.",
			scene(releasing, sibling, node("a"), pod("a"), target("a", HealthHealthy)), []string{"= i-a WantedBySibling"}},
		{"ReleaseObeysPolicies", "Without Delete in the management policies the targets stay.",
			scene(releasing, noDelete, node("a"), pod("a"), target("a", HealthHealthy)), []string{"= i-a DeregistrationForbidden"}},
		{"ReleaseInDoubtRemovesAgain", "A removal that timed out is done again; what drains is done.",
			scene(releasing, node("a"), target("a", HealthDraining, presence(Unknown)), node("b"), target("b", HealthDraining, presence(Draining))),
			[]string{"- i-a Released"}},
		{"ReleaseNeedsWholeView", "Whose a target is cannot be told from a view that is not whole.",
			scene(releasing, input(func(in *Input) { in.View.Incomplete = "no permission" }), node("a"), target("a", HealthHealthy)), []string{"= i-a ViewIncomplete"}},
	})
}

func TestOwnershipOfAddresses(t *testing.T) {
	ip := func(in *Input) { in.Group.Type = TypeIP }
	at := func(n string) func(*Target) { return func(t *Target) { t.ID = "10.0.0." + n } }
	recorded := input(func(in *Input) { in.OwnIPs = map[Key]bool{{"10.0.0.a", 443}: true} })
	checkRules(t, []rule{
		{"RecordedIsOurs", "An ip target that was recorded is ours.",
			scene(ip, healthyElsewhere, recorded, node("a", leaving), target("a", HealthHealthy, at("a"))),
			[]string{"- 10.0.0.a NodeLeaving", "+ 10.0.0.z PodReady", "= i-z Foreign"}},
		{"UnrecordedIsForeign", "One that was not is foreign, though our node has the address.",
			scene(ip, node("z"), pod("z"), node("a", leaving), pod("a", terminating), target("a", HealthUnhealthy, at("a"))),
			[]string{"= 10.0.0.a Foreign", "+ 10.0.0.z PodReady"}},
		{"RestartHoldsAddress", "A successor that has no address yet holds its predecessor's target.",
			scene(ip, recorded, node("a"), pod("a", pending, func(p *Pod) { p.IP = "" }), target("a", HealthUnhealthy, at("a"))), []string{"= 10.0.0.a Retained"}},
	})
}

func TestListsForPeople(t *testing.T) {
	in := scene(
		node("a"), pod("a"), target("a", HealthHealthy),
		node("b"), pod("b"),
		node("c", leaving), target("c", HealthHealthy),
		node("d"), target("d", HealthDraining, presence(Draining)),
		target("x", HealthHealthy), target("y", HealthDraining, presence(Draining)),
		node("s"), target("s", HealthHealthy), input(func(in *Input) { in.Siblings = map[Key]bool{key("s"): true} }),
		node("u"), target("u", HealthHealthy, presence(Unknown)),
	)
	p := NewPlan(in)
	got := map[string][]Key{"wanted": p.Wanted, "ours": p.Ours, "foreign": p.Foreign, "draining": p.Draining}
	want := map[string][]Key{
		"wanted": {key("a"), key("b")}, "ours": {key("a"), key("c"), key("u")}, "foreign": {key("x")}, "draining": {key("d")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Each target that AWS may hold is ours, foreign, or a sibling's and in neither list.\n-want +got:\n%s", diff)
	}
}
