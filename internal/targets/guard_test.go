package targets

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// deselect takes the pods of nodes out of the selection; they go on running.
func deselect(nodes ...string) option {
	return func(in *Input) {
		noPods(nodes...)(in)
		gone := map[string]bool{}
		for uid := range in.View.Deselected {
			gone[uid] = true
		}
		for _, n := range nodes {
			gone["u-"+n] = true
		}
		in.View.Deselected = gone
	}
}

// misled: a Service is pointed at the pods of another workload on these nodes, which
// listen elsewhere. Those that it selected before go on.
func misled(nodes []string, change ...func(*Pod)) option {
	return func(in *Input) {
		deselect(nodes...)(in)
		for _, n := range nodes {
			elsewhere := func(p *Pod) { p.Ports = []Port{{Protocol: ProtocolTCP, Container: 9000}} }
			pod(n, append([]func(*Pod){uid("other-" + n), elsewhere}, change...)...)(in)
		}
	}
}

// mended: the Service selects again whom it did before, and the others go on.
func mended(nodes []string) option {
	return func(in *Input) {
		noPods(nodes...)(in)
		unattendedPods(nodes...)(in)
		undeclared(in)
		in.View.Deselected = map[string]bool{}
		for _, n := range nodes {
			in.View.Deselected["other-"+n] = true
		}
	}
}

// undeclared: no pod declares a port, as it need not where a number selects it.
func undeclared(in *Input) {
	for i := range in.View.Pods {
		in.View.Pods[i].Ports = nil
	}
}

// unselectedOn: on these nodes pods that declare the port run and are not selected.
func unselectedOn(nodes ...string) option {
	return func(in *Input) {
		for _, n := range nodes {
			unselected(n)(in)
		}
	}
}

// forgetful is a process that has just begun: no pod was selected before, or left.
func forgetful(in *Input) { in.Memory, in.View.Deselected = Memory{}, nil }

func relisted(nodes ...string) option {
	return func(in *Input) {
		noPods(nodes...)(in)
		in.View.Relisted = map[Key]bool{}
		for _, n := range nodes {
			in.View.Relisted[key(n)] = true
		}
	}
}

func ill(nodes ...string) option {
	return func(in *Input) {
		for i := range in.Targets {
			if slices.ContainsFunc(nodes, func(n string) bool { return key(n) == in.Targets[i].Key }) {
				in.Targets[i].Health = HealthUnhealthy
			}
		}
	}
}

func approved(hash string) option { return policy(func(p *Policy) { p.Approved = hash }) }

// unattended: pods of a Deployment, which no node expects back.
func unattended(names ...string) option {
	return func(in *Input) {
		for _, n := range names {
			node(n)(in)
			pod(n)(in)
			target(n, HealthHealthy)(in)
		}
	}
}

// held are the keys that the Guard holds, removed those that leave.
func outcome(p Plan) [2][]string {
	var of [2][]string
	for i, list := range [][]Change{p.Guarded, p.Deregister} {
		for _, c := range list {
			of[i] = append(of[i], c.ID[2:])
		}
	}
	return of
}

func TestGuard(t *testing.T) {
	ten := nodes(10)
	all := scene(unattended(ten...))
	three := ten[:3]
	four := ten[:4]
	lost := after(all, time.Minute, deselect(four...))
	back := inAWS2(after(all, time.Minute, deselect(three...)), time.Minute, unattendedPods(three...))
	anotherTwo := inAWS2(back, time.Minute, deselect(ten[3:5]...))
	type want = [2][]string // held, removed
	cases := []struct {
		name, reason string
		in           Input
		want         want
	}{
		{"MistypedLabel", "Pods that are there and not selected any more are no evidence: more than 30 % of ten wait.", lost, want{four, nil}},
		{"AFewMayGo", "30 % of ten may go at once, since a selection may be changed.", after(all, time.Minute, deselect(three...)), want{nil, three}},
		{"TwoAlways", "Two may always go, else a small group could never change.", scene(unattended("a", "b", "z"), func(in *Input) {
			in.Memory = NewPlan(*in).Memory
			deselect("a", "b")(in)
		}), want{nil, []string{"a", "b"}}},
		{"DeletedPods", "Pods that were seen to be deleted are evidence.", after(all, time.Minute, noPods(four...)), want{nil, four}},
		{"TerminatingPods", "So are pods that are terminating.", after(all, time.Minute, noPods(four...), pod("n00", terminating), pod("n01", terminating), pod("n02", terminating), pod("n03", terminating)), want{nil, four}},
		{"EndedPods", "So are pods that have ended.", after(all, time.Minute, noPods(four...), pod("n00", failed), pod("n01", failed), pod("n02", succeeded), pod("n03", succeeded)), want{nil, four}},
		{"LeavingNodes", "So are nodes that are leaving.", after(all, time.Minute, deselect(four...), relabel(leaving, four...)), want{nil, four}},
		{"DeletedNodes", "And nodes that were deleted.", after(all, time.Minute, deselect(four...), relabel(goneNode, four...)), want{nil, four}},
		{"LostInARelist", "One pod that vanished while nobody watched is enough to wait.", after(all, time.Minute, relisted("n00")), want{[]string{"n00"}, nil}},
		{"LostInARelistWithItsNode", "Also if its Node object is gone, for the same reason.", after(all, time.Minute, relisted("n00"), relabel(goneNode, "n00")), want{[]string{"n00"}, nil}},
		{"LostOnALeavingNode", "A node that is leaving was seen.", after(all, time.Minute, relisted("n00"), relabel(leaving, "n00")), want{nil, []string{"n00"}}},
		{"Unhealthy", "What AWS calls unhealthy needs no other evidence.", after(all, time.Minute, deselect(four...), ill(four...)), want{nil, four}},
		{"UnhealthyWhileAWSFailsOpen", "Unless it calls all so: then they serve.", after(all, time.Minute, deselect(four...), ill(ten...)), want{four, nil}},
		{"StillWaiting", "They wait for ten minutes.", after(lost, GuardedFor-1), want{four, nil}},
		{"TimeIsUp", "Then they go.", after(lost, GuardedFor), want{nil, four}},
		{"ComesLater", "One that joins them waits for ten minutes of its own.", after(after(lost, 5*time.Minute, deselect(ten[:5]...)), 5*time.Minute), want{[]string{"n04"}, four}},
		{"TimersRestart", "After a restart nobody knows for how long they have waited, nor whose the targets were.", func() Input {
			in := after(lost, 9*time.Minute)
			in.Memory = Memory{}
			return after(after(in, VacatedFor), 9*time.Minute)
		}(), want{four, nil}},
		{"RestartEndsToo", "But they do not wait forever.", func() Input {
			in := after(lost, 9*time.Minute)
			in.Memory = Memory{}
			return after(after(in, VacatedFor), GuardedFor)
		}(), want{nil, four}},
		{"BlindTimeDoesNotCount", "A view that breaks lets them wait from the beginning.",
			after(after(after(lost, 5*time.Minute, input(func(in *Input) { in.View.Incomplete = "broken" })), time.Second, input(func(in *Input) { in.View.Incomplete = "" })), 9*time.Minute), want{four, nil}},
		{"BackAndAway", "Nor does the time before they came back.", after(after(after(lost, 5*time.Minute, unattendedPods(four...)), time.Second, deselect(four...)), 9*time.Minute), want{four, nil}},
		{"Mended", "Pods that are selected again are nothing to guard.", after(lost, 5*time.Minute, unattendedPods(four...)), want{}},
		{"SlidingWindow", "Two batches in five minutes are one.", inAWS2(after(all, time.Minute, deselect(three...)), 4*time.Minute, deselect(four...)), want{[]string{"n03"}, nil}},
		{"WindowIsOver", "After that the next ones may go.", inAWS2(after(all, time.Minute, deselect(three...)), 5*time.Minute, deselect(four...)), want{nil, []string{"n03"}}},
		{"BackAndNotServing", "Those that left and are registered again have left until they serve again.", anotherTwo, want{ten[3:5], nil}},
		{"BackAndServing", "Then they have not.", with(anotherTwo, healthOf(HealthHealthy, three...)), want{nil, ten[3:5]}},
		{"EndOfPodsThatAMistakeSelected", "A Service that is pointed at pods which are ending says nothing of those that serve.",
			after(all, time.Minute, misled(four, terminating)), want{four, nil}},
		{"EndedLater", "Nor does their end later on.", after(after(all, time.Minute, misled(four)), time.Minute, noPods(four...)), want{four, nil}},
		{"EndedAfterARestart", "After a restart those that serve are known by the port that they declare.",
			after(with(after(all, time.Minute, misled(four), unselectedOn(four...)), forgetful), time.Minute, misled(four, terminating)), want{four, nil}},
		{"GoneAfterARestart", "Also when the others are gone.",
			after(with(after(all, time.Minute, misled(four), unselectedOn(four...)), forgetful), time.Minute, noPods(four...)), want{four, nil}},
		{"BothEnd", "When all of them end it is evidence.",
			after(after(all, time.Minute, misled(four)), time.Minute, noPods(four...), input(func(in *Input) { in.View.Deselected = nil })), want{nil, four}},
		{"TheirPort", "Pods that declare the port serve on it: their end is evidence, though those before them are there.",
			after(after(all, time.Minute, misled(four, func(p *Pod) { p.Ports[0].Container = 443 })), time.Minute, noPods(four...)), want{nil, four}},
		{"MendedAndEnding", "When the Service is mended the end of those that served is evidence again.",
			after(after(after(with(all, undeclared), time.Minute, misled(four)), time.Minute, mended(four)), time.Minute, noPods(four...)), want{nil, four}},
		{"ReleasedByDeletion", "Deleting the binding is an order.", after(all, time.Minute, input(func(in *Input) { in.Releasing = true })), want{nil, ten}},
		{"EmptyDeregisterWithoutEvidence", "emptyPolicy Deregister is for pods that go, not for a Service that is gone.",
			after(all, time.Minute, deselect(ten...), input(func(in *Input) { in.View.Missing, in.Policy.EmptyDeregister = "no Service", true })), want{ten, nil}},
		{"EmptyDeregister", "Scaled to zero, they go at once.",
			after(all, time.Minute, noPods(ten...), policy(func(p *Policy) { p.EmptyDeregister = true })), want{nil, ten}},
		{"NodeSelector", "nodeSelector is a selection as well.",
			after(all, time.Minute, input(func(in *Input) {
				in.View.NodeRefused = map[string]bool{"n00": true, "n01": true, "n02": true, "n03": true}
			})), want{four, nil}},
		{"ForeignInOurGroup", "Foreign targets of a group of ours have no evidence either.", scene(oursExclusive, unattended("a"),
			target("x0", HealthHealthy), target("x1", HealthHealthy), target("x2", HealthHealthy)), want{[]string{"x0", "x1", "x2"}, nil}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			tc.in.Policy.MaxUnavailable = 1000 // the Guard alone is meant
			if diff := cmp.Diff(tc.want, outcome(NewPlan(tc.in))); diff != "" {
				t.Errorf("%s\nheld, removed: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// unattendedPods selects the pods of nodes again.
func unattendedPods(names ...string) option {
	return func(in *Input) {
		in.View.Deselected = nil
		for _, n := range names {
			pod(n)(in)
		}
	}
}

// inAWS2 is a scene after its plan was carried out, some time later.
func inAWS2(in Input, d time.Duration, options ...option) Input {
	next := inAWS(in, NewPlan(in))
	next.Now = next.Now.Add(d)
	return with(next, options...)
}

func TestApproval(t *testing.T) {
	ten := nodes(10)
	four, five := ten[:4], ten[:5]
	all := scene(unattended(ten...), policy(func(p *Policy) { p.MaxUnavailable = 1000 }))
	waiting := after(all, time.Minute, deselect(four...))
	hash := NewPlan(waiting).GuardHash
	if hash == "" {
		t.Fatal("a set that waits has a hash")
	}
	told := after(waiting, time.Minute, approved(hash))
	t.Run("IsOfTheSet", func(t *testing.T) {
		if got := NewPlan(after(waiting, 7*time.Minute)).GuardHash; got != hash {
			t.Errorf("the same set has hash %s, then %s", hash, got)
		}
		if got := NewPlan(after(waiting, time.Minute, deselect(five...))).GuardHash; got == hash {
			t.Error("another set has the same hash")
		}
	})
	t.Run("LetsTheSetGo", func(t *testing.T) {
		if diff := cmp.Diff([2][]string{nil, four}, outcome(NewPlan(told))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("CoversNoOtherSet", func(t *testing.T) {
		if diff := cmp.Diff([2][]string{five, nil}, outcome(NewPlan(after(waiting, time.Minute, approved(hash), deselect(five...))))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("CoversWhatTheFloorHeld", func(t *testing.T) {
		// One call took two of them; the other two are still approved, the fifth is not.
		next := with(told, deselect(five...))
		p := NewPlan(told)
		p.Deregister = p.Deregister[:2]
		next = with(inAWS(next, p), approved(hash))
		if diff := cmp.Diff([2][]string{{"n04"}, {"n02", "n03"}}, outcome(NewPlan(next))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("IsForOneOccasion", func(t *testing.T) {
		mended := after(told, time.Minute, unattendedPods(four...))
		again := after(mended, time.Hour, deselect(four...))
		p := NewPlan(again)
		if diff := cmp.Diff([2][]string{four, nil}, outcome(p)); diff != "" || p.GuardHash == hash {
			t.Errorf("an approval that is left over has no power: %s", diff)
		}
		if diff := cmp.Diff([2][]string{nil, four}, outcome(NewPlan(after(again, time.Second, approved(p.GuardHash))))); diff != "" {
			t.Errorf("a new one has: %s", diff)
		}
	})
	t.Run("SurvivesNoRestart", func(t *testing.T) {
		in := with(told)
		in.Memory.Guard = GuardMemory{}
		p := NewPlan(in)
		if diff := cmp.Diff([2][]string{four, nil}, outcome(p)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([2][]string{nil, four}, outcome(NewPlan(after(in, time.Second, approved(p.GuardHash))))); diff != "" {
			t.Errorf("it can be given again: %s", diff)
		}
	})
	t.Run("HashSurvivesARestart", func(t *testing.T) {
		in := with(waiting)
		in.Memory.Guard = GuardMemory{}
		if got := NewPlan(in).GuardHash; got != hash {
			t.Errorf("the same set has hash %s, after a restart %s", hash, got)
		}
	})
}

func TestFloorProtectsWhatIsNotSelected(t *testing.T) {
	checkRules(t, []rule{
		{"ItsProcessMayServe", "Rule 4: the last target of a zone whose pod is there, selected or not, stays.",
			after(scene(healthyPods("z"), node("a", zone("z2")), pod("a"), target("a", HealthHealthy)), time.Minute, deselect("a")),
			[]string{"~ i-a Floor", "= i-z PodReady"}},
	})
}

func TestUnprovenIsSeenThroughABrake(t *testing.T) {
	in := after(scene(unattended(nodes(10)...)), time.Minute, deselect("n00", "n01"), noPods("n02"), policy(func(p *Policy) { p.NoDeregister = "brake" }))
	if diff := cmp.Diff([]Key{key("n00"), key("n01")}, NewPlan(in).Unproven); diff != "" {
		t.Errorf("what would leave without evidence is told, also while nothing may leave: %s", diff)
	}
}
