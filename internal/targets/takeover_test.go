package targets

import (
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// taken is a group that was not created here, with foreign targets x0 to x2 and an
// Exclusive binding.
func taken(options ...option) Input {
	return scene(append([]option{
		healthyElsewhere, policy(func(p *Policy) { p.Ownership, p.MaxUnavailable = OwnershipExclusive, 1000 }),
		target("x0", HealthHealthy), target("x1", HealthHealthy), target("x2", HealthHealthy),
	}, options...)...)
}

// nowhere forgets the zones of foreign targets, which are on no node of ours.
func nowhere(in Input) Input {
	in.Targets = slices.Clone(in.Targets)
	for i := range in.Targets {
		if in.Targets[i].ID[2] == 'x' {
			in.Targets[i].Zone = ""
		}
	}
	return in
}

func claimed(in *Input) { in.Claimed = true }

func TestTakeover(t *testing.T) {
	all := []string{"- i-x0 ForeignUnderExclusive", "- i-x1 ForeignUnderExclusive", "- i-x2 ForeignUnderExclusive", elsewhere}
	stay := func(r Rule) []string {
		return []string{"= i-x0 " + string(r), "= i-x1 " + string(r), "= i-x2 " + string(r), elsewhere}
	}
	shown := after(taken(), ShownFor)
	restarted := with(after(taken(claimed), ShownFor-1))
	restarted.Memory = Memory{}
	checkRules(t, []rule{
		{"AreShownFirst", "For ten minutes they are only shown.", after(taken(claimed), ShownFor-1), stay(RuleForeignShown)},
		{"ThenTheGroupIsTagged", "Then the group is tagged before one leaves.", shown, stay(RuleForeignUnclaimed)},
		{"ThenTheyLeave", "Then they leave, without a second wait for the Guard.", after(shown, 0, claimed), all},
		{"WithinTheBudget", "One is replaced by a healthy one of ours, and one more may be missing.", after(shown, 0, claimed, policy(func(p *Policy) { p.MaxUnavailable = 1 })),
			[]string{"- i-x0 ForeignUnderExclusive", "- i-x1 ForeignUnderExclusive", "~ i-x2 DepartureBudget", elsewhere}},
		{"AReplacementCountsOnce", "That one replaces no other when it has left.", inAWS2(after(shown, 0, claimed, policy(func(p *Policy) { p.MaxUnavailable = 1 })), time.Minute),
			[]string{"~ i-x2 DepartureBudget", elsewhere}},
		{"OneForOne", "A further one leaves when another of ours is healthy.", inAWS2(after(shown, 0, claimed, policy(func(p *Policy) { p.MaxUnavailable = 1 })), time.Minute, healthyPods("y")),
			[]string{"- i-x2 ForeignUnderExclusive", "= i-y PodReady", elsewhere}},
		{"UnknownZone", "A foreign target whose zone nobody knows is the last of no zone.", after(after(nowhere(taken()), ShownFor), 0, claimed), all},
		{"ARestartShowsThemAnew", "After a restart they are shown for ten minutes again.", after(restarted, time.Minute), stay(RuleForeignShown)},
		{"EachIsShown", "One that comes later is shown for ten minutes of its own.", after(after(taken(claimed), ShownFor/2, target("x3", HealthHealthy)), ShownFor/2),
			[]string{"- i-x0 ForeignUnderExclusive", "- i-x1 ForeignUnderExclusive", "- i-x2 ForeignUnderExclusive", "= i-x3 ForeignAnnounced", elsewhere}},
		{"SharedTouchesNothing", "The policy may change.", after(shown, 0, claimed, policy(func(p *Policy) { p.Ownership = OwnershipShared })), stay(RuleForeign)},
		{"ADeletedBindingTakesNothingOver", "A release takes only ours.", after(shown, 0, claimed, input(func(in *Input) { in.Releasing = true })),
			[]string{"= i-x0 Foreign", "= i-x1 Foreign", "= i-x2 Foreign", "- i-z Released"}},
		{"BrakesHold", "Brakes hold here, too.", after(shown, 0, claimed, policy(func(p *Policy) { p.NoDeregister = "brake" })),
			[]string{"= i-x0 DeregistrationForbidden", "= i-x1 DeregistrationForbidden", "= i-x2 DeregistrationForbidden", elsewhere}},
	})
}

func TestTakeoverIsTold(t *testing.T) {
	shown := after(taken(), ShownFor)
	first := noon.Add(ShownFor)
	type told struct {
		Takeover Takeover
		From     time.Time
	}
	cases := []struct {
		name, reason string
		in           Input
		want         told
	}{
		{"Shared", "There is nothing to tell.", taken(policy(func(p *Policy) { p.Ownership = OwnershipShared })), told{}},
		{"Shown", "When the first may leave does not change.", after(taken(), 7*time.Minute), told{TakeoverShown, first}},
		{"Claims", "Somebody has to tag the group.", shown, told{Takeover: TakeoverClaims}},
		{"BrakeDoesNotClaim", "Not while nothing may leave.", after(shown, 0, policy(func(p *Policy) { p.NoDeregister = "brake" })), told{Takeover: TakeoverShown, From: first}},
		{"BlindDoesNotClaim", "Nor while nobody knows whose they are.", after(shown, 0, input(func(in *Input) { in.View.Incomplete = "broken" })), told{Takeover: TakeoverShown}},
		{"Leaves", "They leave.", after(shown, 0, claimed), told{Takeover: TakeoverLeaves}},
		{"NobodyForeign", "Without foreign targets there is nothing to claim.", scene(healthyElsewhere, policy(func(p *Policy) { p.Ownership = OwnershipExclusive })), told{}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := NewPlan(tc.in)
			if diff := cmp.Diff(tc.want, told{p.Takeover, p.TakeoverFrom}); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTakeoverStops: a target that comes back twice after it left belongs to
// somebody who means it.
func TestTakeoverStops(t *testing.T) {
	for name, o := range map[string]option{"CreatedElsewhere": claimed, "CreatedHere": oursExclusive} {
		t.Run(name, func(t *testing.T) {
			in, left := taken(o), 0
			for range 100 {
				p := NewPlan(in)
				left += len(p.Deregister)
				in = inAWS(in, p)
				in.Now = in.Now.Add(11 * time.Minute)
				in.Memory = NewPlan(in).Memory // AWS is seen without them
				for _, x := range []string{"x0", "x1", "x2"} {
					in = with(in, input(func(in *Input) {
						in.Targets = upsert(in.Targets, Target{Key: key(x), Presence: Registered, Health: HealthHealthy, Zone: "z1"})
					}))
				}
			}
			p := NewPlan(in)
			if p.Takeover != TakeoverStopped || left != 2*3 {
				t.Errorf("each came back twice; %d left, and it is %q:\n%s", left, p.Takeover, p)
			}
			in.Memory.Takeover = TakeoverMemory{}
			if p := NewPlan(in); p.Takeover == TakeoverStopped {
				t.Error("another order of the user starts anew")
			}
		})
	}
}

// takeoverWorld is a random world in the middle of a takeover.
func takeoverWorld(seed int64) Input {
	in := anyWorld(seed)
	r := rand.New(rand.NewSource(seed))
	in.Claimed = r.Intn(2) == 0
	for i := range 3 {
		if r.Intn(2) == 0 {
			target("x"+string(rune('4'+i)), anyHealth(r), func(t *Target) { t.Zone = anyZone(r) })(&in)
		}
	}
	m := TakeoverMemory{Shown: map[Key]time.Time{}, Left: map[Key]Left{}}
	for _, t := range in.Targets {
		if r.Intn(3) > 0 {
			m.Shown[t.Key] = noon.Add(-time.Duration(r.Intn(1200)) * time.Second)
		}
		if r.Intn(4) == 0 {
			m.Left[t.Key] = Left{At: noon.Add(-time.Duration(r.Intn(3600)) * time.Second), Gone: r.Intn(2) == 0, Returns: r.Intn(2)}
		}
	}
	in.Memory.Takeover = m
	return in
}

// TestLawForeign: a foreign target leaves only if ownership is Exclusive and,
// unless the group was created here, it was shown for ten minutes and the group is
// tagged.
func TestLawForeign(t *testing.T) {
	some := 0
	forAll(t, func(seed int64) string {
		in := takeoverWorld(seed)
		for _, c := range NewPlan(in).Deregister {
			if c.ID[2] != 'x' {
				continue
			}
			some++
			at, ok := in.Memory.Takeover.Shown[c.Key]
			shown := ok && noon.Sub(at) >= 10*time.Minute
			exclusive := in.Policy.Ownership == OwnershipExclusive || in.Policy.Ownership == OwnershipDefault && in.Group.Ours
			if !exclusive || in.Releasing || !in.Group.Ours && (!shown || !in.Claimed) {
				return "a foreign one left: " + c.String()
			}
			if slices.ContainsFunc(in.Targets, func(t Target) bool { // it was there, gone, there: three times
				l := in.Memory.Takeover.Left[t.Key]
				return t.ID[2] == 'x' && t.Presence == Registered && l.Gone && l.Returns >= 1
			}) {
				return "somebody else owns them, and one left: " + c.String()
			}
		}
		return ""
	})
	if some < 20 {
		t.Errorf("only %d foreign targets left in %d worlds", some, worlds)
	}
}

func TestLawTakeoverNextIsExact(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := takeoverWorld(seed)
		in.Memory = NewPlan(in).Memory
		p := NewPlan(in)
		later := in
		later.Now = noon.Add(1000 * time.Minute)
		if !p.Next.IsZero() {
			later.Now = p.Next.Add(-1)
		}
		if diff := cmp.Diff(brief(p), brief(NewPlan(later))) + cmp.Diff(p.Takeover, NewPlan(later).Takeover); diff != "" {
			return "another plan before Next\n" + diff
		}
		later.Now = p.Next
		if at := NewPlan(later); !p.Next.IsZero() && cmp.Equal(brief(p), brief(at)) && cmp.Equal(p.Overdue, at.Overdue) {
			return "the same plan at Next\n" + p.String()
		}
		return ""
	})
}

func TestLawTakeoverMemoryIsNeverChanged(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := takeoverWorld(seed)
		NewPlan(in)
		return cmp.Diff(takeoverWorld(seed), in)
	})
}
