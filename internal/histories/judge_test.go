package histories

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	// news is how long Kubernetes may take to tell, and the engine to act: what is
	// younger is not held against it.
	news = 3 * time.Second
	// vacatedFor is binding.md §3: how long a target waits for a successor.
	vacatedFor = 120 * time.Second
	// settles is binding.md §7: nothing leaves so soon after a start.
	settles = 10 * time.Second
	// looks is how often judges look by themselves.
	looks = 6 * time.Second
	// prompt is how long what is wanted may be missing while nothing is wrong.
	prompt = 15 * time.Second
)

// judges hold what they have seen. They know binding.md and the truth.
type judges struct {
	// read is what AWS held when it was asked last, and whether this process has.
	read map[string]map[awssim.Key]awssim.Target
	// before are what was read before that, and since when it is not the last: the
	// engine knows the last read when its answer has come.
	before   map[string]map[awssim.Key]awssim.Target
	outdated map[string]time.Time
	known    map[string]bool
	// last has who listened on a target last, and when its pod went.
	last map[awssim.Key]departed
	// down has how the process of a target ended last.
	down map[awssim.Key]ending
	// dropped is when DeregisterTargets named a target last.
	dropped map[awssim.Key]dropping
	// missing is since when something wanted has not been registered.
	missing map[string]time.Time
	// troubled is until when AWS or Kubernetes are not well, or have just been.
	troubled time.Time
	// next is when they look again.
	next time.Time
	// meddled is when somebody last took a target away behind the engine's back.
	meddled time.Time
	// lag is how late Kubernetes has been to tell, of late, and lagging is until when
	// it may be.
	lag     time.Duration
	lagging time.Time
	// blind is since when the API server cannot be watched, zero if it can, and saw is
	// since when it can again; blinded is when the last such time began.
	blind, saw, blinded time.Time
	// writes are the calls since the judge was asked to count.
	writes map[string]int
	// gates has what is known of each pod that has some.
	gates map[types.UID]*gating
	// called is when AWS said last, asked by the engine, that a target is healthy.
	called map[string]map[awssim.Key]time.Time
	// unproven are targets that were taken out while their process served, and when.
	unproven map[string]map[awssim.Key]time.Time
	// onCall is told of each call, before it has an effect.
	onCall func(awssim.Call)
}

type departed struct {
	app *app
	at  time.Time
}

// ending of a process: when it was told to end, if it was, and when it did. One that
// is inPlace has a successor on its machine.
type ending struct {
	told, at time.Time
	inPlace  bool
}

// dropping of a target: when, and whether its node was about to go.
type dropping struct {
	at        time.Time
	departing bool
}

func newJudges() judges {
	return judges{
		read: map[string]map[awssim.Key]awssim.Target{}, before: map[string]map[awssim.Key]awssim.Target{}, outdated: map[string]time.Time{}, known: map[string]bool{},
		last: map[awssim.Key]departed{}, down: map[awssim.Key]ending{}, dropped: map[awssim.Key]dropping{}, missing: map[string]time.Time{}, writes: map[string]int{},
		gates: map[types.UID]*gating{}, unproven: map[string]map[awssim.Key]time.Time{},
		called: map[string]map[awssim.Key]time.Time{},
	}
}

// newProcess: it has read nothing yet.
func (j *judges) newProcess() {
	clear(j.known)
	clear(j.unproven)
}

// heardHealthy: AWS is about to say that a target is healthy.
func (j *judges) heardHealthy(arn string, k awssim.Key) {
	if j.called[arn] == nil {
		j.called[arn] = map[awssim.Key]time.Time{}
	}
	j.called[arn][k] = time.Now()
}

// goesBlind: the API server cannot be reached from now on; sees: it can again.
func (j *judges) goesBlind() { j.blind, j.blinded = time.Now(), time.Now() }

func (j *judges) sees() { j.blind, j.saw = time.Time{}, time.Now() }

// trouble says that something is wrong for a time, from now on.
func (w *world) trouble(d time.Duration) {
	if until := time.Now().Add(d); until.After(w.judges.troubled) {
		w.judges.troubled = until
	}
}

// wrong notes a violation.
func (w *world) wrong(format string, args ...any) {
	w.verdict = append(w.verdict, time.Now().Format(time.TimeOnly)+" "+fmt.Sprintf(format, args...))
}

// named are the targets that a call names.
func named(c awssim.Call) []awssim.Key {
	var out []awssim.Key
	for i := 1; ; i++ {
		item := fmt.Sprintf("Targets.member.%d.", i)
		id := c.Params.Get(item + "Id")
		if id == "" {
			return out
		}
		port, _ := strconv.Atoi(c.Params.Get(item + "Port"))
		out = append(out, awssim.Key{ID: id, Port: int32(port)})
	}
}

// onCall judges a call when it arrives.
func (w *world) onCall(c awssim.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.judges.writes[c.Action]++
	arn := c.TargetGroupARN
	switch c.Action {
	case "DescribeTargetHealth":
		held := map[awssim.Key]awssim.Target{}
		for _, t := range w.sim.Targets(arn) {
			held[t.Key] = t
			if t.State == awssim.Healthy {
				w.judges.heardHealthy(arn, t.Key)
			}
		}
		w.judges.before[arn], w.judges.outdated[arn] = w.judges.read[arn], time.Now()
		w.judges.read[arn], w.judges.known[arn] = held, true
	case "RegisterTargets":
		for _, k := range named(c) {
			// On a view that is not whole registrations go on (binding.md §5, rule 1).
			if w.judges.blind.IsZero() && time.Since(w.judges.saw) > settles && !w.hasPod(arn, k) {
				w.wrong("RegisterTargets names %s, where no pod of it is", w.what(k))
			}
		}
	case "DeregisterTargets":
		w.judgeDeregister(arn, named(c))
	}
	if w.judges.onCall != nil {
		w.judges.onCall(c)
	}
}

// judgeDeregister: nothing that is wanted, retained or vacated leaves, nothing
// leaves on doubt, and the last that serves in a zone stays.
func (w *world) judgeDeregister(arn string, keys []awssim.Key) {
	now := time.Now()
	j := &w.judges
	switch {
	case now.Sub(w.process.began) < settles:
		w.wrong("DeregisterTargets %s after the start", now.Sub(w.process.began))
	case !j.known[arn]:
		w.wrong("DeregisterTargets before the group was read")
	case !j.blind.IsZero() && now.Sub(j.blind) > news:
		w.wrong("DeregisterTargets while the API server cannot be watched")
	}
	w.judgeBrakes(arn, keys)
	for _, k := range keys {
		j.dropped[k] = dropping{at: now}
		if m := w.machineOf(k.ID); m != nil {
			_, departing := signals(m)
			j.dropped[k] = dropping{now, departing}
		}
		released := !slices.ContainsFunc(w.bindings, func(b *binding) bool { return b.group.ARN == arn && !b.deleted })
		switch why := w.holds(arn, k); {
		case why != "":
			w.wrong("DeregisterTargets names %s: %s", w.what(k), why)
		case !released && w.lastInZone(arn, k, keys):
			w.wrong("DeregisterTargets names %s: the last one that serves in its zone\nheld: %v\nread: %v", w.what(k), w.sim.Targets(arn), w.judges.read[arn])
		}
	}
}

// what a target is, for people.
func (w *world) what(k awssim.Key) string {
	text := fmt.Sprintf("%s:%d", k.ID[12:], k.Port)
	for _, p := range w.where(func(p *running) bool { return p.machine.id == k.ID }) {
		text += fmt.Sprintf(" (%s up=%t ready=%t ended=%t)", p.pod.Name, p.up, p.ready, !p.ended.IsZero())
	}
	return text
}

// signals of a node (binding.md §4).
func signals(m *machine) (leaving, departing bool) {
	leaving = m.node.DeletionTimestamp != nil
	for _, t := range m.node.Spec.Taints {
		if t.Effect == corev1.TaintEffectPreferNoSchedule {
			continue
		}
		switch t.Key {
		case "ToBeDeletedByClusterAutoscaler", "aws-node-termination-handler/spot-itn", "aws-node-termination-handler/asg-lifecycle-termination",
			corev1.TaintNodeOutOfService, "node.cloudprovider.kubernetes.io/shutdown":
			leaving = true
		case "karpenter.sh/disrupted", "aws-node-termination-handler/scheduled-maintenance", "aws-node-termination-handler/rebalance-recommendation":
			departing = true
		}
	}
	_, excluded := m.node.Labels[corev1.LabelNodeExcludeBalancers]
	return leaving, departing || excluded
}

// port that a binding's Service sends to on a pod; 0 if it does not select it.
func (w *world) port(b *binding, p *running) int32 {
	s := w.services[b.service]
	if s == nil || s.Spec.Selector["app"] != p.app.name {
		return 0
	}
	if target := s.Spec.Ports[0].TargetPort; target.Type == intstr.Int {
		return target.IntVal
	}
	return p.app.port
}

// selected calls f with each target that a living pod makes for a group, and since
// when that has been so.
func (w *world) selected(arn string, f func(p *running, k awssim.Key, since time.Time)) {
	for _, b := range w.bindings {
		if b.group.ARN != arn || b.deleted {
			continue
		}
		for _, p := range w.pods {
			if port := w.port(b, p); port != 0 && p.ended.IsZero() {
				since := latest(p.made, p.machine.signalled, w.edited[b.service], b.edited)
				f(p, awssim.Key{ID: p.machine.id, Port: port}, since)
			}
		}
	}
}

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}

// wanted are the targets that should be registered, and since when.
func (w *world) wanted(arn string) map[awssim.Key]time.Time {
	out := map[awssim.Key]time.Time{}
	w.selected(arn, func(p *running, k awssim.Key, since time.Time) {
		leaving, departing := signals(p.machine)
		if !p.ready || leaving || departing || p.machine.off || p.machine.gone {
			return
		}
		if at := latest(since, p.since); out[k].IsZero() || at.Before(out[k]) {
			out[k] = at
		}
	})
	return out
}

// holds says why a target must stay; empty if it may leave.
func (w *world) holds(arn string, k awssim.Key) string {
	why := ""
	firm := func(since time.Time) bool { return time.Since(since) > news+w.judges.lag }
	w.selected(arn, func(p *running, key awssim.Key, since time.Time) {
		leaving, departing := signals(p.machine)
		if key != k || leaving || departing || p.machine.off || p.machine.gone || !firm(since) {
			return
		}
		switch {
		case p.ready && firm(p.since):
			why = "its pod is ready: it is wanted"
		case !p.ready:
			why = "its pod is there and not ready: it is retained"
		}
	})
	if why != "" {
		return why
	}
	m := w.machineOf(k.ID)
	if m == nil || m.off || m.gone || !firm(m.signalled) {
		return ""
	}
	if leaving, departing := signals(m); leaving || departing {
		return ""
	}
	if last, seen := w.judges.last[k]; seen && last.app.daemonSet && time.Since(last.at) < vacatedFor-time.Second && w.anySelects(arn, k, last.app) {
		return "its DaemonSet's pod is coming back: it is vacated"
	}
	return ""
}

// anySelects says that some binding of the group selects the workload that had the
// target, so that it still is one of its kind.
func (w *world) anySelects(arn string, k awssim.Key, a *app) bool {
	for _, b := range w.bindings {
		if b.group.ARN != arn || b.deleted || time.Since(latest(w.edited[b.service], b.edited)) < vacatedFor {
			continue
		}
		if s := w.services[b.service]; s != nil && s.Spec.Ports[0].TargetPort.IntVal == k.Port && s.Spec.Selector["app"] == a.name {
			return true
		}
	}
	return false
}

func (w *world) machineOf(id string) *machine {
	if i := slices.IndexFunc(w.machines, func(m *machine) bool { return m.id == id }); i >= 0 {
		return w.machines[i]
	}
	return nil
}

// hasPod says that a pod makes a target, or did a moment ago.
func (w *world) hasPod(arn string, k awssim.Key) bool {
	found := false
	w.selected(arn, func(_ *running, key awssim.Key, _ time.Time) { found = found || key == k })
	for _, p := range w.pods {
		found = found || p.key() == k && !p.ended.IsZero() && time.Since(p.ended) < news+w.judges.lag
	}
	last, seen := w.judges.last[k]
	return found || seen && time.Since(last.at) < news+w.judges.lag || time.Since(w.lastEdit(arn)) < news+w.judges.lag
}

func (w *world) lastEdit(arn string) time.Time {
	var at time.Time
	for _, b := range w.bindings {
		if b.group.ARN == arn {
			at = latest(at, w.edited[b.service], b.edited)
		}
	}
	return at
}

// lastInZone says that a target serves, and no other one of its zone that stays was
// healthy when AWS was asked last, or is now.
func (w *world) lastInZone(arn string, k awssim.Key, leave []awssim.Key) bool {
	all := map[awssim.Key]awssim.Target{}
	for _, t := range w.sim.Targets(arn) {
		all[t.Key] = t
	}
	mine, m := all[k], w.machineOf(k.ID)
	// What left before the answer came was decided by the read before.
	crossed := time.Since(w.judges.outdated[arn]) < 2*latency
	told := w.judges.read[arn][k].State == awssim.Healthy && (!crossed || w.judges.before[arn][k].State == awssim.Healthy)
	if mine.State != awssim.Healthy || !told || m == nil || m.off {
		return false
	}
	if time.Since(w.judges.meddled) < 2*time.Minute {
		return false // it learns with the next read that another one does not serve
	}
	if m.gone && w.process.began.After(m.signalled) {
		return false // nobody can know its zone: no Node object of it was ever seen
	}
	p := m.listens[k.Port]
	if p == nil || !p.up || time.Since(p.made) < news+w.judges.lag || w.stranger(arn, k, p) {
		return false
	}
	for _, other := range all {
		was := w.judges.read[arn][other.Key].State == awssim.Healthy || crossed && w.judges.before[arn][other.Key].State == awssim.Healthy
		if other.Zone == mine.Zone && !slices.Contains(leave, other.Key) && other.State != awssim.Draining &&
			(other.State == awssim.Healthy || was) {
			return false
		}
	}
	return true
}

// stranger says that a pod was never selected and owns the port of a target that no
// selected pod makes. That is certain, and stands above the floor (binding.md §5, rule
// 2). One that an edit took out of the selection is none.
func (w *world) stranger(arn string, k awssim.Key, p *running) bool {
	made := false
	w.selected(arn, func(_ *running, key awssim.Key, _ time.Time) { made = made || key == k })
	return !made && p.made.After(w.lastEdit(arn))
}

// difference is between what AWS holds and what is wanted; empty if there is none.
func (w *world) difference(arn string, ignored ...awssim.Key) string {
	wanted := w.wanted(arn)
	var extra []string
	for _, t := range w.sim.Targets(arn) {
		if t.State == awssim.Draining {
			continue
		}
		if _, ok := wanted[t.Key]; !ok && !slices.Contains(ignored, t.Key) {
			extra = append(extra, "+"+w.what(t.Key))
		}
		delete(wanted, t.Key)
	}
	for k := range maps.Keys(wanted) {
		extra = append(extra, "-"+w.what(k))
	}
	slices.Sort(extra)
	return strings.Join(extra, " ")
}

// overdue says that the engine tells of a target that waits to leave, for a new one to
// become healthy in its zone, and that this takes long: it is never forced.
func (w *world) overdue(k awssim.Key) bool {
	for _, b := range w.bindings {
		for _, c := range b.conditions {
			if c.Type == "DeparturesWaiting" && (strings.Contains(c.Message, fmt.Sprintf("%s:%d", k.ID, k.Port)) || strings.Contains(c.Message, "and others")) {
				return true
			}
		}
	}
	return false
}

// look is what judges do from time to time.
func (w *world) look() {
	now := time.Now()
	if now.Before(w.judges.next) {
		return
	}
	w.judges.next = now.Add(looks)
	w.judgeUsers()
	w.judgeGates()
	for _, arn := range w.groups() {
		held := map[awssim.Key]bool{}
		for _, t := range w.sim.Targets(arn) {
			held[t.Key] = t.State != awssim.Draining
		}
		for k, since := range w.wanted(arn) {
			name := arn + fmt.Sprint(k)
			switch {
			case held[k]:
				delete(w.judges.missing, name)
			case w.judges.missing[name].IsZero():
				w.judges.missing[name] = since
			default:
				since = latest(w.judges.missing[name], since, w.judges.troubled)
				if now.Sub(since) > prompt {
					w.wrong("%s has been wanted and missing for %s", w.what(k), now.Sub(w.judges.missing[name]).Round(time.Second))
					w.trouble(10 * time.Minute) // once is enough
				}
			}
		}
	}
}
