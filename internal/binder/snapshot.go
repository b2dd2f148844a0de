package binder

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	// missingFor is how long something wanted may be missing, or the group be
	// gone or unreadable, before a binding that was Ready is not.
	missingFor = 30 * time.Second
	// Bounds of what status shows.
	skippedShown, foreignShown, waitingShown = 20, 5, 5
)

// A Condition is what a binding's condition of that type should be.
type Condition struct {
	Type, Reason, Message string
	Status                bool
}

// A Snapshot is what is known of a binding at one moment. It has no times and is
// sorted, so that two snapshots of the same state are equal.
type Snapshot struct {
	// Generation of the order that it is about.
	Generation int64
	Counts     targets.Counts
	// Skipped pods, at most 20, and the number of all.
	Skipped      []targets.Skip
	SkippedTotal int
	// Ports that it has used, sorted.
	Ports []int32
	// OwnIPs to record before they are registered, for target type ip.
	OwnIPs []targets.Key
	// Foreign targets, at most 5.
	Foreign []targets.Key
	// Conditions in their order, Ready first.
	Conditions []Condition
	// Undecided are types of which it is not known yet whether they apply: what
	// status says stays.
	Undecided []string
	// Released says that AWS holds nothing of it any more.
	Released bool
	// Claim says that the group's tag TagExclusiveOwner is to name this binding
	// before foreign targets leave.
	Claim bool
	// GroupGone says that the target group does not exist.
	GroupGone bool
	// Blocked says why a release does not go on; zero if it does.
	Blocked Blocked
}

// Blocked is what keeps a release from going on: AWS's error code, or the class of
// an error that has none, and what AWS says.
type Blocked struct{ Reason, Message string }

// condition returns the condition of a type; the zero one if there is none.
func (s Snapshot) condition(typ string) Condition {
	for _, c := range s.Conditions {
		if c.Type == typ {
			return c
		}
	}
	return Condition{}
}

// facts are what Ready is judged by.
type facts struct {
	incomplete, missing string
	unread              bool
	readErr, writeErr   error
	readErrSince        time.Time
	// absent are wanted targets that are not registered, and since when there
	// have been any.
	absent      []targets.Key
	absentSince time.Time
	// once: what is wanted under this generation has been registered once.
	once      bool
	groupGone bool
	goneSince time.Time
	held      string
	paused    string
	// brake of the whole process, and why this binding may not deregister.
	brake        Condition
	noDeregister string
	// gates is why readiness gates of pods cannot be set.
	gates string
}

// ready is binding.md §11: the group is known, the view complete, and what was
// wanted under this generation has been registered once. It returns when time
// alone would change it.
func ready(f facts, now time.Time) (Condition, time.Time) {
	no := func(reason, message string) Condition { return Condition{"Ready", reason, message, false} }
	yes := Condition{"Ready", "Available", "", true}
	late := func(since time.Time) bool { return !since.IsZero() && now.Sub(since) >= missingFor }
	switch {
	case f.groupGone && (!f.once || late(f.goneSince)):
		return no("TargetGroupNotFound", "the target group does not exist in AWS: create it again, or delete this binding"), time.Time{}
	case f.missing != "" && f.held == "":
		return no("NothingSelected", f.missing), time.Time{}
	case f.incomplete != "" && !f.once:
		return no("Observing", f.incomplete), time.Time{}
	case f.readErr != nil && (!f.once || late(f.readErrSince)):
		return no("TargetGroupUnreadable", "cannot read the target group: "+aws.Describe(f.readErr)), time.Time{}
	case f.unread && !f.once:
		return no("Observing", "the target group has not been read yet"), time.Time{}
	case len(f.absent) > 0 && (!f.once || late(f.absentSince)):
		return no("Registering", absentMessage(f)), time.Time{}
	case f.groupGone:
		return yes, f.goneSince.Add(missingFor)
	case f.readErr != nil:
		return yes, f.readErrSince.Add(missingFor)
	case len(f.absent) > 0:
		return yes, f.absentSince.Add(missingFor)
	}
	return yes, time.Time{}
}

func absentMessage(f facts) string {
	text := "not registered yet: " + keyList(f.absent, waitingShown)
	switch {
	case f.paused != "":
		text += "; " + f.paused
	case f.writeErr != nil:
		text += "; " + aws.Describe(f.writeErr)
	}
	return text
}

// publish makes the binding's snapshot, tells of it if there is something new,
// and returns when to look again. Callers hold the group's lock.
func (g *group) publish(bd *binding, in targets.Input, now time.Time) time.Time {
	f := g.facts(bd, in, now)
	condition, next := ready(f, now)
	snap := Snapshot{
		Generation:   bd.order.Generation,
		Counts:       targets.Count(in.Targets, bd.plan),
		Skipped:      bd.plan.Skipped[:min(len(bd.plan.Skipped), skippedShown)],
		SkippedTotal: len(bd.plan.Skipped),
		Ports:        slices.Sorted(slices.Values(bd.ports)),
		Foreign:      bd.plan.Foreign[:min(len(bd.plan.Foreign), foreignShown)],
		Conditions:   append([]Condition{condition}, conditions(bd, f)...),
		GroupGone:    f.groupGone,
		Claim:        bd.plan.Takeover == targets.TakeoverClaims,
	}
	if bd.order.Group.Type == targets.TypeIP {
		snap.OwnIPs = bd.ownIPs()
	}
	next = earliestOf(next, g.opinions(&snap, bd, in, now))
	unseen, again := g.unseenPods(bd, in, now)
	g.tellUnseen(bd, unseen)
	next = earliestOf(next, again)
	if bd.releasing && f.writeErr != nil {
		snap.Blocked = Blocked{Reason: cmp.Or(aws.Code(f.writeErr), string(aws.Classify(f.writeErr))), Message: "cannot deregister targets: " + aws.Describe(f.writeErr)}
	}
	snap.Released = bd.releasing && (f.groupGone || !in.Unread && f.incomplete == "" && len(bd.plan.Ours) == 0)
	urgent := isUrgent(snap, bd.snap)
	bd.dirty = bd.dirty || !reflect.DeepEqual(snap, bd.snap)
	bd.snap = snap
	return earliest(g.tell(bd, urgent, now), next)
}

// isUrgent says what is told at once (binding.md §11): the first Ready of a generation,
// a new generation, Held, and what a release or a registration waits for. All else
// can wait for its turn, so that no rollout writes more than that.
func isUrgent(now, was Snapshot) bool {
	firstReady := now.condition("Ready").Status && !was.condition("Ready").Status
	recorded := slices.Equal(now.OwnIPs, was.OwnIPs) || !slices.ContainsFunc(now.OwnIPs, func(k targets.Key) bool {
		_, found := slices.BinarySearchFunc(was.OwnIPs, k, compareKeys)
		return !found
	})
	return firstReady || now.Generation != was.Generation || now.condition("Held").Status != was.condition("Held").Status ||
		now.Released != was.Released || now.Claim != was.Claim || now.Blocked != was.Blocked || now.GroupGone != was.GroupGone || !recorded
}

// tell asks for a reconcile: at once if it is urgent, else at most every ten
// seconds. It returns when there will be something to tell.
func (g *group) tell(bd *binding, urgent bool, now time.Time) time.Time {
	due := bd.notifiedAt.Add(notifyEvery)
	switch {
	case urgent || bd.dirty && !now.Before(due):
		bd.notifiedAt, bd.dirty = now, false
		g.b.o.Notify(bd.order.Binding)
	case bd.dirty:
		return due
	}
	return now.Add(idle)
}

// facts gathers what Ready is judged by, and keeps the times that it needs.
func (g *group) facts(bd *binding, in targets.Input, now time.Time) facts {
	f := facts{
		incomplete: in.View.Incomplete, missing: in.View.Missing,
		unread:  g.read.done.IsZero(),
		readErr: g.read.err, readErrSince: g.read.errSince,
		writeErr: g.write.err, held: bd.plan.Held,
		groupGone: !g.goneSince.IsZero(), goneSince: g.goneSince,
		paused: in.Policy.NoRegister, noDeregister: in.Policy.NoDeregister, gates: g.b.patches.problem(bd.order.Binding.UID),
	}
	f.brake, _ = g.b.brakes.now(now)
	there := make(map[targets.Key]bool, len(in.Targets))
	for _, t := range in.Targets {
		there[t.Key] = t.Presence == targets.Registered
	}
	for _, k := range bd.plan.Wanted {
		if !there[k] {
			f.absent = append(f.absent, k)
		}
	}
	if len(f.absent) == 0 {
		bd.missingSince = time.Time{}
	} else if bd.missingSince.IsZero() {
		bd.missingSince = now
	}
	f.absentSince = bd.missingSince
	if !f.unread && f.readErr == nil && f.incomplete == "" && !f.groupGone && len(f.absent) == 0 && (f.missing == "" || f.held != "") {
		bd.done = bd.order.Generation
	}
	f.once = bd.done == bd.order.Generation
	return f
}

// conditions are those besides Ready, in a fixed order. One that never applied
// is left out.
func conditions(bd *binding, f facts) []Condition {
	var out []Condition
	p := bd.plan
	add := func(typ, reason, message string) { out = append(out, Condition{typ, reason, message, true}) }
	if p.Held != "" {
		add("Held", "NoPodMatches", p.Held)
	}
	if c, ok := guarded(bd); ok {
		out = append(out, c)
	}
	if c, ok := forbidden(bd, f.noDeregister); f.brake.Type != "" {
		out = append(out, f.brake)
	} else if ok {
		out = append(out, c)
	}
	if f.incomplete != "" {
		add("ViewIncomplete", "NothingIsDeregistered", f.incomplete)
	}
	if len(p.Overdue) > 0 {
		add("DeparturesWaiting", "Overdue", "waiting to leave for more than 10 minutes: "+keyList(p.Overdue, waitingShown))
	}
	if c, ok := yielding(bd); ok {
		out = append(out, c)
	}
	if c, ok := foreign(bd); ok {
		out = append(out, c)
	}
	if f.gates != "" {
		add("GatesNotSet", "CannotPatch", f.gates)
	}
	if len(p.Skipped) > 0 {
		s := p.Skipped[0]
		text := fmt.Sprintf("%s: %s", s.Pod.Name, s.Reason)
		if more := len(p.Skipped) - 1; more > 0 {
			text += "; status.atProvider.skipped has the others"
		}
		add("Skipped", string(s.Rule), text)
	}
	return out
}

// ownIPs are the ip targets that are ours or are to be: the recorded ones that
// are still registered or wanted.
func (bd *binding) ownIPs() []targets.Key {
	own := map[targets.Key]bool{}
	for _, k := range bd.plan.Wanted {
		own[k] = true
	}
	for _, k := range append(slices.Clone(bd.plan.Ours), bd.plan.Draining...) {
		if bd.order.OwnIPs[k] {
			own[k] = true
		}
	}
	keys := make([]targets.Key, 0, len(own))
	for k := range own {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

func compareKeys(a, b targets.Key) int {
	if c := strings.Compare(a.ID, b.ID); c != 0 {
		return c
	}
	return int(a.Port) - int(b.Port)
}

func keyList(keys []targets.Key, most int) string {
	names := make([]string, 0, most)
	for _, k := range keys[:min(len(keys), most)] {
		names = append(names, fmt.Sprintf("%s:%d", k.ID, k.Port))
	}
	text := strings.Join(names, ", ")
	if len(keys) > most {
		text += " and others"
	}
	return text
}
