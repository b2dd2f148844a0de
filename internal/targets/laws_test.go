package targets

import (
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const worlds = 1000

// forAll says the seed of the first world that breaks a law.
func forAll(t *testing.T, law func(seed int64) string) {
	t.Helper()
	for seed := range int64(worlds) {
		if broken := law(seed); broken != "" {
			t.Fatalf("seed %d: %s", seed, broken)
		}
	}
}

func TestLawInputIsNeverChanged(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := anyWorld(seed)
		NewPlan(in)
		next := with(in)
		next.Memory = NewPlan(in).Memory
		next.Policy.MaxUnavailable = 100 // so that more leave
		before := cloneDepartures(next.Memory.Departures)
		NewPlan(next)
		return cmp.Diff(anyWorld(seed), in) + cmp.Diff(before, next.Memory.Departures)
	})
}

func TestLawOrderOfInputIsNoMatter(t *testing.T) {
	forAll(t, func(seed int64) string {
		in, r := anyWorld(seed), rand.New(rand.NewSource(seed))
		shuffled := with(in)
		r.Shuffle(len(shuffled.View.Pods), func(i, j int) {
			p := shuffled.View.Pods
			p[i], p[j] = p[j], p[i]
		})
		r.Shuffle(len(shuffled.Targets), func(i, j int) {
			p := shuffled.Targets
			p[i], p[j] = p[j], p[i]
		})
		return cmp.Diff(NewPlan(in), NewPlan(shuffled))
	})
}

func TestLawEachTargetHasOneVerdict(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := anyWorld(seed)
		p := NewPlan(in)
		times := map[Key]int{}
		for _, list := range [][]Change{p.Register, p.Deregister, p.Keep} {
			for i, c := range list {
				times[c.Key]++
				if i > 0 && compareKeys(list[i-1].Key, c.Key) >= 0 {
					return "a list is not sorted: " + p.String()
				}
				if c.Rule == "" || c.Reason == "" {
					return "a verdict without rule or reason: " + c.String()
				}
			}
		}
		for _, w := range p.Waiting {
			if !slices.Contains(p.Keep, w) {
				return "waiting and not kept: " + w.String()
			}
		}
		expected := map[Key]int{}
		for _, target := range in.Targets {
			if target.Presence == Registered || target.Presence == Unknown {
				expected[target.Key] = 1
			}
		}
		for _, k := range p.Wanted {
			expected[k] = 1
		}
		return cmp.Diff(expected, times)
	})
}

func TestLawDoubtNeverDrains(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := anyWorld(seed)
		p := NewPlan(in)
		for _, c := range p.Deregister {
			switch {
			case in.View.Incomplete != "" || in.Unread:
				return "deregistered on a view that is not whole: " + c.String()
			case in.Policy.NoDeregister != "":
				return "deregistered although forbidden: " + c.String()
			case in.Siblings[c.Key]:
				return "deregistered a sibling's: " + c.String()
			case c.ID[2] == 'x' && (!in.Group.Ours || in.Policy.Ownership == OwnershipShared || in.Releasing):
				return "deregistered a foreign one: " + c.String()
			}
		}
		if in.Policy.NoRegister != "" && len(p.Register) > 0 {
			return "registered although forbidden: " + p.String()
		}
		return ""
	})
}

// TestLawFloor: where a zone had a healthy target with a ready pod, or a foreign
// one, it has one afterwards, unless rules 1 to 3, which stand above the floor,
// removed something there.
func TestLawFloor(t *testing.T) {
	above := []Rule{RuleReleased, RuleDead, RuleOccupied, RuleEmpty}
	forAll(t, func(seed int64) string {
		in := anyWorld(seed)
		p := NewPlan(in)
		area := func(t Target) string {
			if in.Group.CrossZone {
				return ""
			}
			return t.Zone
		}
		before, then := map[string]int{}, map[string]int{}
		for _, target := range in.Targets {
			if target.Presence != Registered || target.Health != HealthHealthy || target.ID[2] != 'x' && !hasReadyPod(in, target.Key) {
				continue
			}
			before[area(target)]++
			i := slices.IndexFunc(p.Deregister, func(c Change) bool { return c.Key == target.Key })
			if i < 0 || slices.Contains(above, p.Deregister[i].Rule) {
				then[area(target)]++
			}
		}
		for _, target := range in.Targets { // a sibling's, or an old port of a node with a ready pod, serves too
			leaves := slices.ContainsFunc(p.Deregister, func(c Change) bool { return c.Key == target.Key })
			other := in.Siblings[target.Key] || target.Port == 80 && hasReadyPod(in, Key{target.ID, 443})
			if other && target.Presence == Registered && target.Health == HealthHealthy && !leaves {
				then[area(target)]++
			}
		}
		for z := range before {
			if then[z] == 0 {
				return "took the last one that serves in " + z + ": " + p.String()
			}
		}
		return ""
	})
}

// TestLawNextIsExact: before Next nothing else is decided.
func TestLawNextIsExact(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := anyWorld(seed)
		in.Memory = NewPlan(in).Memory
		p := NewPlan(in)
		later := in
		later.Now = noon.Add(1000 * time.Hour)
		if !p.Next.IsZero() {
			later.Now = p.Next.Add(-1)
		}
		if diff := cmp.Diff(brief(p), brief(NewPlan(later))) + cmp.Diff(p.Overdue, NewPlan(later).Overdue); diff != "" {
			return "another plan before Next\n" + diff
		}
		later.Now = p.Next
		if at := NewPlan(later); !p.Next.IsZero() && cmp.Equal(brief(p), brief(at)) && cmp.Equal(p.Overdue, at.Overdue) {
			return "the same plan at Next\n" + p.String()
		}
		return ""
	})
}

// TestLawCarriedOutIsDone: what was carried out is not asked for again, nor more
// of it; unless the last healthy target of the group left, by rules 1 to 3: AWS
// then fails open, and what it calls unhealthy serves.
func TestLawCarriedOutIsDone(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := anyWorld(seed)
		in.QuotaFull = false
		p := NewPlan(in)
		next := inAWS(in, p)
		again := NewPlan(next)
		if !slices.ContainsFunc(next.Targets, func(t Target) bool { return t.Presence == Registered && t.Health == HealthHealthy }) {
			return ""
		}
		if len(again.Register)+len(again.Deregister) > 0 {
			return "first:\n" + p.String() + "then:\n" + again.String()
		}
		return ""
	})
}

// TestLawConverges: in a world that stands still the plans come to an end; all
// that is wanted is there then, and nothing was ever turned around.
func TestLawConverges(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := anyWorld(seed)
		in.QuotaFull, in.Policy.NoRegister = false, ""
		removed, quiet := map[Key]bool{}, 0
		var p Plan
		for range 40 {
			p = NewPlan(in)
			quiet++
			for _, c := range p.Register {
				quiet = 0
				// A departing node's comes back when its zone has nothing else any more.
				if removed[c.Key] && !isDeparting(in, c.ID) {
					return "deregistered and registered again: " + c.String()
				}
			}
			for _, c := range p.Deregister {
				quiet = 0
				// A stopped instance's may: AWS refuses it until it runs.
				removed[c.Key] = c.Rule != RuleDead
			}
			in = checked(inAWS(in, p))
			in.Now = in.Now.Add(30 * time.Second)
		}
		if quiet < 10 {
			return "no end: " + p.String()
		}
		for _, k := range p.Wanted {
			if i := slices.IndexFunc(in.Targets, func(t Target) bool { return t.Key == k }); i < 0 || in.Targets[i].Presence != Registered {
				return "wanted and not there: " + k.String()
			}
		}
		return ""
	})
}
