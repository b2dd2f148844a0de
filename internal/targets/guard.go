package targets

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"
)

// Times and bounds of the Guard (end of binding.md §5).
const (
	// GuardedFor is the longest that a removal without evidence waits.
	GuardedFor = 10 * time.Minute
	// guardWindow is the time in which removals without evidence are counted, and
	// the numbers are how many of them may go: in all, or in percent of the
	// healthy targets, whichever is more.
	guardWindow  = 5 * time.Minute
	guardFree    = 2
	guardPercent = 30
)

// Why the Guard holds a removal.
const (
	// RuleLostInRelist: its pods vanished in a re-list, not by a watch event.
	RuleLostInRelist Rule = "LostInRelist"
	// RuleTooMany: too many targets would leave without evidence.
	RuleTooMany Rule = "TooManyWithoutEvidence"
)

// GuardMemory is what the Guard remembers between plans.
type GuardMemory struct {
	// Since is since when each target has been without a break one that the Guard
	// holds, or has let go and waits for something else.
	Since map[Key]time.Time
	// Approved are those of Since that were let go by approval.
	Approved map[Key]bool
	// Before is the approval that was there when the first of Since began to wait:
	// it was meant for another occasion, and each plan hash is made with it.
	Before string
	// Removed are removals without evidence, with the time of the last plan that
	// had them.
	Removed map[Key]time.Time
}

// guard sorts leavers into those that go on to floor and budget and those that
// wait: absence is not evidence.
type guard struct {
	w       *world
	pass    []leaver
	waiting []leaver
	// suspect are all leavers that lack evidence and may serve. Of them released
	// have waited or are approved; sudden are those that only their number holds.
	suspect, released, sudden map[Key]bool
	// removed is the ledger of removals without evidence in the window.
	removed map[Key]time.Time
	memory  GuardMemory
	hash    string
}

// guard holds removals without evidence back until AWS calls the target unhealthy,
// for GuardedFor, or until somebody approves exactly these. It looks at what the
// rules would remove before floor and budget have their say: a mistake must not
// trickle through.
func (w *world) guard(leavers []leaver) *guard {
	past := w.Memory.Guard
	g := &guard{w: w, suspect: map[Key]bool{}, released: map[Key]bool{}, sudden: map[Key]bool{}, removed: map[Key]time.Time{}}
	g.memory = GuardMemory{Since: map[Key]time.Time{}, Approved: map[Key]bool{}, Before: past.Before}
	if len(past.Since) == 0 {
		g.memory.Before = w.Policy.Approved
	}
	g.open(past.Removed)
	var sudden []leaver
	for _, l := range leavers {
		since, known := past.Since[l.Key]
		switch {
		case !w.suspicious(l.spot, l.rule):
			g.pass = append(g.pass, l)
			continue
		case past.Approved[l.Key], known && !w.Now.Before(since.Add(GuardedFor)):
			g.memory.Since[l.Key], g.released[l.Key] = since, true
			if past.Approved[l.Key] {
				g.memory.Approved[l.Key] = true
			}
			g.pass = append(g.pass, l)
		case w.lost(l.spot):
			g.hold(l, RuleLostInRelist, "its pod vanished while nobody watched, and was not seen to be deleted: ")
		default:
			sudden = append(sudden, l)
			g.sudden[l.Key] = true
		}
		g.suspect[l.Key] = true
	}
	if g.tooMany(w.Now) {
		for _, l := range sudden {
			g.hold(l, RuleTooMany, "too many targets would leave and no pod or node was seen to go: ")
		}
	} else {
		g.pass = append(g.pass, sudden...)
		clear(g.sudden)
	}
	g.approve()
	return g
}

// suspicious: a rule removes a target that may serve, and nobody saw its pod or
// node go.
func (w *world) suspicious(s *spot, by Rule) bool { return !w.proven(s, by) && !w.calledUnhealthy(s) }

// calledUnhealthy: AWS sends nothing there. It does if no target is healthy.
func (w *world) calledUnhealthy(s *spot) bool {
	h := s.target.Health
	return w.anyHealthy && (h == HealthUnhealthy || h == HealthUnhealthyDraining)
}

// open takes over the ledger: without what is too old, and without what did not
// leave after all or serves again. One that is registered anew is missing until then.
func (g *guard) open(past map[Key]time.Time) {
	for _, s := range g.w.spots {
		if s.healthy() {
			continue
		}
		if at, ok := past[s.Key]; ok {
			g.removed[s.Key] = at
		}
	}
	for key, at := range past { // AWS does not know it any more
		if !slices.ContainsFunc(g.w.spots, func(s *spot) bool { return s.Key == key }) {
			g.removed[key] = at
		}
	}
	maps.DeleteFunc(g.removed, func(_ Key, at time.Time) bool { return !g.w.Now.Before(at.Add(guardWindow)) })
}

// tooMany says whether those that are sudden are too many at that time, with what
// leaves beside them and what left in the window before it.
func (g *guard) tooMany(at time.Time) bool {
	leave, healthy := union(g.sudden, g.released), map[Key]bool{}
	for key, when := range g.removed {
		if at.Before(when.Add(guardWindow)) {
			leave[key], healthy[key] = true, true
		}
	}
	for _, s := range g.w.spots {
		if s.healthy() {
			healthy[s.Key] = true
		}
	}
	return len(g.sudden) > 0 && len(leave) > max(guardFree, len(healthy)*guardPercent/100)
}

func (g *guard) hold(l leaver, rule Rule, why string) {
	since, ok := g.w.Memory.Guard.Since[l.Key]
	if !ok {
		since = g.w.Now
	}
	g.memory.Since[l.Key] = since
	held := l
	held.verdict = *keep(rule, why+l.reason)
	held.guarded = &l.verdict
	g.waiting = append(g.waiting, held)
}

// approve lets all that wait go if somebody has said so of exactly these.
func (g *guard) approve() {
	if len(g.waiting) == 0 {
		return
	}
	keys := make([]Key, len(g.waiting))
	for i, l := range g.waiting {
		keys[i] = l.Key
	}
	if g.hash = planHash(g.memory.Before, keys); g.w.Policy.Approved != g.hash {
		return
	}
	for _, l := range g.waiting {
		g.memory.Approved[l.Key] = true
		l.verdict = *l.guarded
		g.pass = append(g.pass, l)
	}
	g.waiting, g.hash = nil, ""
	clear(g.sudden)
}

// planHash names a set of removals for approval. It is the same as long as the
// same set waits, and never one that was approved on another occasion.
func planHash(before string, keys []Key) string {
	slices.SortFunc(keys, compareKeys)
	var text strings.Builder
	text.WriteString(before)
	for _, key := range keys {
		text.WriteString("\n" + key.String())
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:5])
}

// conclude puts what the Guard came to into the plan, once it is known what goes.
func (g *guard) conclude(p *Plan, gone []leaver) {
	p.GuardHash = g.hash
	for _, l := range g.waiting {
		p.Guarded = append(p.Guarded, g.w.change(l.spot, l.verdict))
		p.at(g.w.Now, g.memory.Since[l.Key].Add(GuardedFor))
	}
	for _, at := range slices.SortedFunc(maps.Values(g.removed), time.Time.Compare) {
		if end := at.Add(guardWindow); len(g.sudden) > 0 && !g.tooMany(end) {
			p.at(g.w.Now, end)
			break
		}
	}
	for key := range g.suspect {
		p.Unproven = append(p.Unproven, key)
	}
	for _, l := range gone {
		if g.suspect[l.Key] {
			g.removed[l.Key] = g.w.Now
		}
	}
	g.memory.Removed = g.removed
}

// blind is the memory after a plan that could remove nothing: what waited begins
// anew, what left is remembered.
func (m GuardMemory) blind() GuardMemory { return GuardMemory{Removed: maps.Clone(m.Removed)} }
