package targets

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A fate is what became of a pod in the Guard's stories.
type fate int

const (
	selected   fate = iota // it runs and is selected
	mislabeled             // it runs and is not selected
	usurped                // so it does, and another pod that ends makes its target
	deleted                // it was seen to be deleted
	vanished               // it is missing in a re-list, and runs
)

// guardStory is a group whose pods meet random fates.
type guardStory struct {
	r     *rand.Rand
	names []string
	fate  map[string]fate
	// quiet is since when a fate has lasted.
	quiet map[string]time.Time
	now   time.Time
	// known says that a plan of this process has seen a pod that makes the target,
	// matched that it was the pod of this story.
	known, matched map[string]bool
	in             Input
}

func newGuardStory(seed int64) *guardStory {
	s := &guardStory{
		r: rand.New(rand.NewSource(seed)), fate: map[string]fate{}, quiet: map[string]time.Time{}, known: map[string]bool{}, matched: map[string]bool{}, now: noon,
	}
	s.names = nodes(3 + s.r.Intn(15))
	for _, n := range s.names {
		s.quiet[n] = noon
	}
	s.in = scene(healthyElsewhere)
	for _, n := range s.names {
		s.in = with(s.in, node(n), target(n, HealthHealthy))
	}
	s.in.Policy.MaxUnavailable = 1000
	return s
}

// world is the Input of this moment.
func (s *guardStory) world() Input {
	in := with(s.in)
	in.Now = s.now
	in.View.Pods, in.View.Deselected, in.View.Relisted = nil, map[string]bool{}, map[Key]bool{}
	pod("z")(&in)
	for _, n := range s.names {
		switch s.fate[n] {
		case selected:
			pod(n)(&in)
			s.known[n], s.matched[n] = true, true
		case mislabeled, usurped:
			if s.matched[n] {
				in.View.Deselected["u-"+n] = true
			}
			unselected(n)(&in)
			if s.fate[n] == usurped {
				pod(n, uid("other-"+n), terminating, func(p *Pod) { p.Ports = nil })(&in)
				s.known[n] = true
			}
		case vanished:
			in.View.Relisted[key(n)] = true
		case deleted:
		}
	}
	return in
}

// happen: some pods meet a fate. One that is gone does not come back.
func (s *guardStory) happen() {
	to := []fate{selected, mislabeled, mislabeled, usurped, deleted, vanished}[s.r.Intn(6)]
	runs := func(f fate) bool { return f == mislabeled || f == usurped }
	for range s.r.Intn(len(s.names)) {
		n := s.names[s.r.Intn(len(s.names))]
		if was := s.fate[n]; was != to && was != deleted && was != vanished {
			if !runs(was) || to == selected { // else it goes on lacking evidence
				s.quiet[n] = s.now
			}
			s.fate[n] = to
		}
	}
}

// live: a plan is carried out, or not; AWS follows; time passes.
func (s *guardStory) live(p Plan) {
	s.in.Memory = p.Memory
	if s.r.Intn(4) > 0 {
		s.in = inAWS(s.in, p)
	}
	for i := range s.in.Targets {
		if t := &s.in.Targets[i]; t.Health == HealthInitial {
			t.Health = HealthHealthy
		}
	}
	s.now = s.now.Add(time.Duration(1+s.r.Intn(100)) * time.Second)
}

// TestLawGuard: whatever happens to pods, targets whose process may serve and
// which nobody saw go leave only after ten minutes, or few at a time; what was
// seen to go never waits; and when nothing happens any more nothing waits in the
// end. The test knows from the story, not from the plan, which is which.
func TestLawGuard(t *testing.T) {
	for seed := range int64(400) {
		s := newGuardStory(seed)
		left := map[string]time.Time{} // without evidence and early
		for step := range 60 {
			if step < 40 && s.r.Intn(4) == 0 {
				s.happen()
			}
			restarted := s.r.Intn(40) == 0 && step < 40
			if restarted {
				s.in.Memory, s.known, s.matched = Memory{}, map[string]bool{}, map[string]bool{}
				clear(left) // what left before is forgotten, as the time that others have waited
				for _, n := range s.names {
					s.quiet[n] = s.now
				}
			}
			in := s.world()
			p := NewPlan(in)
			for _, c := range p.Guarded {
				if n := c.ID[2:]; s.fate[n] == deleted && s.known[n] {
					t.Fatalf("seed %d, step %d: it was seen to go and waits: %s", seed, step, c)
				}
			}
			healthy := 0
			for _, target := range in.Targets {
				if target.Presence == Registered && target.Health == HealthHealthy {
					healthy++
				}
			}
			early := false
			for _, c := range p.Deregister {
				n := c.ID[2:]
				unseen := s.fate[n] != deleted || !s.known[n]
				if unseen && s.now.Sub(s.quiet[n]) < GuardedFor {
					left[n], early = s.now, true
				}
			}
			recent := 0
			for n, at := range left {
				there := slices.ContainsFunc(in.Targets, func(t Target) bool { return t.Key == key(n) && t.Presence == Registered })
				switch {
				case there && at.Before(s.now): // it did not leave after all
					delete(left, n)
				case s.now.Sub(at) < 5*time.Minute && !there:
					recent, healthy = recent+1, healthy+1
				case s.now.Sub(at) < 5*time.Minute:
					recent++
				}
			}
			if most := max(2, healthy*30/100); early && recent > most {
				t.Fatalf("seed %d, step %d: %d of %d left early without evidence within five minutes:\n%s", seed, step, recent, healthy, p)
			}
			s.live(p)
		}
		for range 12 { // nothing happens for more than ten minutes
			s.live(NewPlan(s.world()))
			s.now = s.now.Add(time.Minute)
		}
		if p := NewPlan(s.world()); len(p.Guarded) > 0 {
			t.Fatalf("seed %d: it waits without end:\n%s", seed, p)
		}
	}
}

// guardedWorld is a random world in the middle of the Guard's work.
func guardedWorld(seed int64) Input {
	in := anyWorld(seed)
	r := rand.New(rand.NewSource(seed))
	in.View.Deselected = map[string]bool{}
	for _, t := range in.Targets {
		if c, ok := in.Memory.Claims[t.Key]; ok && r.Intn(2) == 0 {
			in.View.Deselected[c.Pod.UID] = true
		}
	}
	in.Policy.MaxUnavailable = 1 + r.Intn(20)
	m := GuardMemory{Since: map[Key]time.Time{}, Approved: map[Key]bool{}, Removed: map[Key]time.Time{}, Before: []string{"", "x"}[r.Intn(2)]}
	for _, t := range in.Targets {
		ago := noon.Add(-time.Duration(r.Intn(700)) * time.Second)
		switch r.Intn(5) {
		case 0:
			m.Since[t.Key] = ago
		case 1:
			m.Since[t.Key], m.Approved[t.Key] = ago, true
		case 2:
			m.Removed[t.Key] = ago
		}
	}
	for i := range r.Intn(4) {
		m.Removed[Key{fmt.Sprintf("i-gone%d", i), 443}] = noon.Add(-time.Duration(r.Intn(400)) * time.Second)
	}
	in.Memory.Guard = m
	return in
}

func TestLawGuardedStays(t *testing.T) {
	some := 0
	forAll(t, func(seed int64) string {
		in := guardedWorld(seed)
		p := NewPlan(in)
		some += len(p.Guarded)
		if (p.GuardHash == "") != (len(p.Guarded) == 0) {
			return "a hash is there when something waits, and only then"
		}
		for _, c := range p.Guarded {
			if !slices.Contains(p.Keep, c) || !slices.Contains(p.Unproven, c.Key) || slices.Contains(p.Waiting, c) {
				return "guarded is kept, lacks evidence and waits for nothing else: " + c.String()
			}
			if _, ok := p.Memory.Guard.Since[c.Key]; !ok {
				return "guarded without a time: " + c.String()
			}
		}
		in.Policy.Approved = p.GuardHash
		before := in.Memory.Guard.Before
		if len(in.Memory.Guard.Since) == 0 {
			before = "" // an approval that is there at first has no power
		}
		in.Memory.Guard.Since[Key{"i-other", 443}], in.Memory.Guard.Before = noon, before
		if q := NewPlan(in); p.GuardHash != "" && p.Memory.Guard.Before == before && len(q.Guarded) > 0 {
			return "approved and held: " + q.String()
		}
		return ""
	})
	if some < worlds/20 {
		t.Errorf("only %d targets were guarded in %d worlds", some, worlds)
	}
}

// TestLawGuardNextIsExact: as TestLawNextIsExact, where the Guard has a past.
func TestLawGuardNextIsExact(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := guardedWorld(seed)
		in.Memory = NewPlan(in).Memory
		p := NewPlan(in)
		later := in
		later.Now = noon.Add(1000 * time.Hour)
		if !p.Next.IsZero() {
			later.Now = p.Next.Add(-1)
		}
		if diff := cmp.Diff(brief(p), brief(NewPlan(later))) + cmp.Diff(p.GuardHash, NewPlan(later).GuardHash); diff != "" {
			return "another plan before Next\n" + diff
		}
		later.Now = p.Next
		if at := NewPlan(later); !p.Next.IsZero() && cmp.Equal(brief(p), brief(at)) && cmp.Equal(p.Overdue, at.Overdue) {
			return "the same plan at Next\n" + p.String()
		}
		return ""
	})
}

func TestLawGuardMemoryIsNeverChanged(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := guardedWorld(seed)
		NewPlan(in)
		return cmp.Diff(guardedWorld(seed), in)
	})
}
