package targets

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// after is the scene later, with the memory of a plan made now.
func after(in Input, d time.Duration, options ...option) Input {
	memory := NewPlan(in).Memory
	in = with(in, options...)
	in.Memory, in.Now = memory, in.Now.Add(d)
	return in
}

// noPods takes the pods of nodes out of a scene.
func noPods(nodes ...string) option {
	return func(in *Input) {
		var rest []Pod
		for _, p := range in.View.Pods {
			gone := false
			for _, n := range nodes {
				gone = gone || p.Node == n
			}
			if !gone {
				rest = append(rest, p)
			}
		}
		in.View.Pods = rest
	}
}

func TestTimersOfVacatedTargets(t *testing.T) {
	running := scene(healthyElsewhere, node("a"), pod("a", daemon), target("a", HealthHealthy))
	gone := after(running, time.Hour, noPods("a"))
	held := after(gone, time.Minute, noPods("z"))
	broken := after(gone, time.Minute, input(func(in *Input) { in.View.Incomplete = "watch broke" }))
	whole := input(func(in *Input) { in.View.Incomplete = "" })
	restarted := scene(healthyElsewhere, node("a"), target("a", HealthHealthy))
	oldPort := scene(healthyElsewhere, node("a"), pod("a", daemon), target("a", HealthHealthy, func(t *Target) { t.Port = 80 }), target("a", HealthHealthy),
		input(func(in *Input) { in.UsedPorts = []int32{80, 443} }))
	checkRules(t, []rule{
		{"StartsWhenThePodIsGone", "The time runs from when the last pod object is gone.", gone, []string{"= i-a Vacated", elsewhere}},
		{"RunsOn", "119 s later the target still waits.", after(gone, 119*time.Second), []string{"= i-a Vacated", elsewhere}},
		{"Ends", "120 s later it does not.", after(gone, 120*time.Second), []string{"- i-a NoSuccessor", elsewhere}},
		{"SuccessorEndsIt", "A successor ends the state; when it goes the time starts anew.",
			after(after(gone, time.Minute, pod("a", daemon)), time.Hour, noPods("a")), []string{"= i-a Vacated", elsewhere}},
		{"HoldStopsIt", "While everything is held no time runs: when the first pod comes back the others are waited for.",
			after(held, time.Hour, pod("z", daemon)), []string{"= i-a Vacated", elsewhere}},
		{"BrokenViewStopsIt", "A view that is not whole is no evidence that nothing came.",
			after(broken, time.Hour, whole), []string{"= i-a Vacated", elsewhere}},
		{"RestartStartsIt", "After a restart the time starts anew for a target of ours without a pod.", restarted, []string{"= i-a Vacated", elsewhere}},
		{"RestartEndsIt", "Then it ends as any other.", after(restarted, 120*time.Second), []string{"- i-a NoSuccessor", elsewhere}},
		{"RestartWithOldPort", "After a restart nobody knows what made a target of an old port.", oldPort, []string{"= i-a PodReady", "= i-a Vacated", elsewhere}},
		{"RestartWithOldPortEnds", "If its node's pod lives it may serve there, so it leaves within the budget.",
			after(oldPort, 120*time.Second), []string{"= i-a PodReady", "- i-a SelectionChanged", elsewhere}},
	})
}

func TestTimeUnready(t *testing.T) {
	notReady := policy(func(p *Policy) { p.NotReadyDeregister = true })
	never := scene(healthyElsewhere, notReady, node("a"), pod("a", starts), target("a", HealthUnhealthy))
	replaced := after(never, 200*time.Second, noPods("a"), pod("a", starts, uid("next")))
	checkRules(t, []rule{
		{"NeverReady", "A pod that never was ready counts from when it was first seen.", after(never, 299*time.Second), []string{"= i-a Retained", elsewhere}},
		{"NeverReadyLeaves", "Until 300 s are over.", after(never, 300*time.Second), []string{"- i-a NotReady", elsewhere}},
		{"NextPodContinues", "The next pod that is not ready either is no break.", after(replaced, 100*time.Second), []string{"- i-a NotReady", elsewhere}},
		{"ReadyBreaks", "A ready moment is one, though no plan saw it.",
			after(never, 400*time.Second, noPods("a"), pod("a", func(p *Pod) { p.ContainersReady, p.UnreadySince = false, noon.Add(200*time.Second) })), []string{"= i-a Retained", elsewhere}},
		{"SeenReadyBreaks", "So is one that a plan saw.",
			after(after(never, 200*time.Second, noPods("a"), pod("a")), 10*time.Second, noPods("a"), pod("a", starts)), []string{"= i-a Retained", elsewhere}},
	})
}

func TestNext(t *testing.T) {
	in := scene(healthyElsewhere, node("a"), target("a", HealthHealthy), claim("a", time.Second, true))
	cases := map[string]struct {
		reason string
		in     Input
		want   time.Duration
	}{
		"Nothing":  {"Time changes nothing of a quiet group.", scene(healthyElsewhere), 0},
		"Vacated":  {"A vacated target's time runs out.", in, 119 * time.Second},
		"Waits":    {"A terminating pod is waited for without end.", scene(healthyElsewhere, node("a"), pod("a", daemon, terminating), target("a", HealthHealthy)), 0},
		"Earliest": {"The earliest counts.", with(in, node("b"), pod("b"), target("b", HealthUnread, func(t *Target) { t.Presence, t.RefusedUntil = Absent, noon.Add(time.Minute) })), time.Minute},
		"NotReady": {"A pod is not ready for long enough.", scene(healthyElsewhere, node("a"), pod("a", unready(time.Minute)), target("a", HealthUnhealthy), policy(func(p *Policy) { p.NotReadyDeregister = true })), 4 * time.Minute},
		"Retained": {"By default it stays.", scene(healthyElsewhere, node("a"), pod("a", unready(time.Minute)), target("a", HealthUnhealthy)), 0},
		"Overdue":  {"A departure waits too long.", scene(node("a", leaving), pod("a"), target("a", HealthHealthy)), WaitingTooLong},
		"Held":     {"What is held is held without end.", with(in, noPods("z")), 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := time.Time{}
			if tc.want != 0 {
				want = noon.Add(tc.want)
			}
			if diff := cmp.Diff(want, NewPlan(tc.in).Next); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestOverdue(t *testing.T) {
	in := scene(node("a", leaving), pod("a"), target("a", HealthHealthy))
	if got := NewPlan(after(in, WaitingTooLong-1)).Overdue; got != nil {
		t.Errorf("A departure that has not waited for 10 minutes is not overdue: %v", got)
	}
	late := after(in, WaitingTooLong)
	if diff := cmp.Diff([]Key{key("a")}, NewPlan(late).Overdue); diff != "" {
		t.Errorf("One that has is.\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"~ i-a Floor"}, brief(NewPlan(late))); diff != "" {
		t.Errorf("It is never forced.\n-want +got:\n%s", diff)
	}
	again := after(after(late, time.Second, node("a")), time.Second, node("a", leaving))
	if got := NewPlan(again).Overdue; got != nil {
		t.Errorf("Waiting that was undone starts anew: %v", got)
	}
	foreign := scene(oursExclusive, healthyElsewhere, target("x", HealthHealthy, func(t *Target) { t.Zone = "z9" }))
	if diff := cmp.Diff([]Key{key("x")}, NewPlan(after(foreign, WaitingTooLong)).Overdue); diff != "" {
		t.Errorf("A foreign target can wait too long as well.\n-want +got:\n%s", diff)
	}
}
