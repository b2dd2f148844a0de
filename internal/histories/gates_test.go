package histories

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// gateOf is the type of the readiness gate that names a binding.
func gateOf(binding string) corev1.PodConditionType {
	return corev1.PodConditionType(targets.GatePrefix + binding)
}

func truth(is bool) corev1.ConditionStatus {
	if is {
		return corev1.ConditionTrue
	}
	return corev1.ConditionFalse
}

// set a condition of a pod, which merges by type as the API server does. When it turned
// is noted once, by the clock of then.
func set(s *corev1.PodStatus, c corev1.PodCondition) {
	for _, was := range s.Conditions {
		if was.Type == c.Type && was.Status == c.Status {
			c.LastTransitionTime = was.LastTransitionTime
		}
	}
	s.Conditions = slices.DeleteFunc(slices.Clone(s.Conditions), func(was corev1.PodCondition) bool { return was.Type == c.Type })
	s.Conditions = append(s.Conditions, c)
}

// available: its containers are ready and its gates are open.
func (p *running) available() bool { return p.ready && len(p.passed) == len(p.app.gates) }

// conclude is what the kubelet says of the pod as a whole, once it has seen the rest.
func (k *kube) conclude(p *running) {
	set(&p.pod.Status, corev1.PodCondition{Type: corev1.PodReady, Status: truth(p.available()), LastTransitionTime: k.now()})
	k.api.put("pods", p.pod)
}

// gates are what the engine needs of pods and bindings for readiness gates.
type gates struct {
	*clusters.Cluster
	w *world
}

var _ binder.Gates = gates{}

func (g gates) SetGate(ctx context.Context, pod targets.PodRef, binding string, v targets.GateVerdict) error {
	err := g.Cluster.SetGate(ctx, pod, binding, v)
	if errors.Is(err, clusters.ErrPodGone) {
		return binder.ErrPodGone
	}
	return err
}

func (g gates) Bindings() bool {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	return slices.ContainsFunc(g.w.bindings, func(b *binding) bool { return !b.gone })
}

func (g gates) Named(_, name string) (binder.Named, bool) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	for _, b := range g.w.bindings {
		if b.name == name && !b.gone {
			return binder.Named{UID: b.uid, Stopped: b.stopped()}, true
		}
	}
	return binder.Named{}, false
}

func (g gates) PodEvent(targets.PodRef, binder.Event) {}

func (b *binding) stopped() targets.Stop {
	if b.deleted {
		return targets.Stop{Rule: targets.RuleGateDeleting, Reason: "it is being deleted"}
	}
	return targets.Stop{}
}

// patchGate is the API server's part in a patch of a pod's status. Its UID is a
// precondition, and the kubelet sees the change a moment later.
func (w *world) patchGate(_, name string, body []byte) int {
	var patch struct {
		Metadata struct{ UID string }
		Status   struct{ Conditions []corev1.PodCondition }
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := json.Unmarshal(body, &patch); err != nil || len(patch.Status.Conditions) != 1 {
		w.wrong("a patch of %s is not of one condition: %s", name, body)
		return http.StatusNotFound
	}
	found := w.where(func(p *running) bool { return p.pod.Name == name })
	switch {
	case patch.Metadata.UID == "":
		w.wrong("a patch of %s names no UID", name)
		return http.StatusNotFound
	case len(found) == 0:
		return http.StatusNotFound
	case string(found[0].pod.UID) != patch.Metadata.UID:
		return http.StatusConflict
	}
	p, c := found[0], patch.Status.Conditions[0]
	binding, ours := strings.CutPrefix(string(c.Type), targets.GatePrefix)
	if !ours || !slices.Contains(p.app.gates, binding) {
		w.wrong("a patch of %s sets %s, which is no gate of it", name, c.Type)
		return http.StatusNotFound
	}
	w.judgeGate(p, binding, c)
	set(&p.pod.Status, c)
	if c.Status == corev1.ConditionTrue {
		p.passed[binding] = true
	}
	w.api.put("pods", p.pod)
	w.later(p, kubeletTakes, func() {
		if !p.machine.off {
			w.conclude(p)
		}
	})
	return http.StatusOK
}

const (
	// kubeletTakes is how long the kubelet takes to see a condition.
	kubeletTakes = 100 * time.Millisecond
	// patchedAgain is how long a patch may take that is tried and tried again.
	patchedAgain = 15 * time.Second
	// gateBound and gateAbsent are binding.md §9, gatePrompt how soon a gate is True
	// when AWS calls the target healthy and nothing is wrong: a group that has been
	// waited for in vain for long is read once a minute.
	gateBound  = 10 * time.Minute
	gateAbsent = 2 * time.Minute
	gatePrompt = 90 * time.Second
)

// gating is what judges know of a pod with gates.
type gating struct {
	// healthy is since when AWS has called its target healthy and it is ready.
	healthy time.Time
	// late has been said.
	late bool
}

// after are the reasons for which a gate opens without AWS's word, and not before a
// time has passed (binding.md §9).
var after = map[string]time.Duration{
	string(targets.RuleGateUnreadable): gateBound, string(targets.RuleGateNotRegistered): gateBound, string(targets.RuleGateInactive): gateBound,
	string(targets.RuleRefused): gateBound, string(targets.RuleUnbound): gateBound, string(targets.RuleNodeUnknown): gateBound,
	string(targets.RuleNoInstance): gateBound, string(targets.RuleNoAddress): gateBound, string(targets.RuleQuota): gateBound,
	string(targets.RuleGateAbsent): gateAbsent, string(targets.RuleGateNotSelected): gateAbsent,
}

// judgeGate: a gate that was True says nothing else any more, is True for AWS's word
// only if AWS has said it, and for anything else not before its time.
func (w *world) judgeGate(p *running, binding string, c corev1.PodCondition) {
	said := func(text string) {
		w.wrong("gate %s of %s turns %s (%s): %s", binding, p.pod.Name, c.Status, c.Reason, text)
	}
	if c.Status != corev1.ConditionTrue {
		if p.passed[binding] {
			said("it was True before")
		}
		return
	}
	if least, waits := after[c.Reason]; waits {
		if waited := time.Since(p.made); waited < least {
			said("only " + waited.String() + " after the pod was made")
		}
		return
	}
	if c.Reason != string(targets.RuleGateHealthy) {
		return
	}
	b := w.named(binding)
	switch {
	case b == nil:
		said("there is no such binding")
	case !p.ready && time.Since(p.since) > news+w.judges.lag && w.judges.blind.IsZero() && time.Since(w.judges.saw) > settles:
		said("its containers are not ready")
	case !w.calledHealthy(b.group.ARN, awssim.Key{ID: p.machine.id, Port: b.port}, p.since):
		t, _ := w.sim.Target(b.group.ARN, p.machine.id, b.port)
		said(fmt.Sprintf("AWS does not call its target healthy: it is %q, and was when it was read %q", t.State, w.judges.read[b.group.ARN][t.Key].State))
	}
}

func (w *world) named(binding string) *binding {
	for _, b := range w.bindings {
		if b.name == binding {
			return b
		}
	}
	return nil
}

// calledHealthy: AWS does now, or has when it was asked last; or it has since the pod is
// ready, and that could not be written while the API server was away. What was to be
// written then stays so: a patch whose answer is lost may have been written, and a gate
// that was True is never False again (binding.md §9).
func (w *world) calledHealthy(arn string, k awssim.Key, ready time.Time) bool {
	t, there := w.sim.Target(arn, k.ID, k.Port)
	if there && t.State == awssim.Healthy || w.judges.read[arn][k].State == awssim.Healthy {
		return true
	}
	called := w.judges.called[arn][k]
	kept := !w.judges.blind.IsZero() || time.Since(w.judges.saw) < patchedAgain
	return kept && called.After(ready) && called.After(w.judges.blinded.Add(-patchedAgain))
}

// judgeGates: a gate opens soon after AWS calls the target healthy, if nothing is
// wrong; and whatever is wrong, it does not wait longer than the bound for anything
// but AWS's health check.
func (w *world) judgeGates() {
	for uid := range w.judges.gates {
		if w.pods[uid] == nil {
			delete(w.judges.gates, uid)
		}
	}
	for uid, p := range w.pods {
		if len(p.app.gates) == 0 || p.available() || !p.ended.IsZero() || p.machine.off || p.machine.gone {
			delete(w.judges.gates, uid)
			continue
		}
		g := w.judges.gates[uid]
		if g == nil {
			g = &gating{}
			w.judges.gates[uid] = g
		}
		w.judgeClosed(p, g)
	}
}

func (w *world) judgeClosed(p *running, g *gating) {
	healthy := p.ready
	for _, binding := range p.app.gates {
		if b := w.named(binding); b != nil && !p.passed[binding] {
			t, there := w.sim.Target(b.group.ARN, p.machine.id, b.port)
			healthy = healthy && there && t.State == awssim.Healthy
		}
	}
	switch {
	case !p.ready || !healthy && w.registeredOf(p):
		g.healthy = time.Time{} // it is AWS's health check that it waits for, or itself
		return
	case healthy && g.healthy.IsZero():
		g.healthy = time.Now()
	}
	began := latest(p.since, w.process.began, w.judges.saw, w.restart)
	bound := time.Since(began) - gateBound - gatePrompt - w.judges.lag
	soon := time.Since(latest(g.healthy, began, w.judges.troubled, w.lastEditOf(p))) - max(gatePrompt, gateAbsent+gatePrompt)
	if g.late || !w.judges.blind.IsZero() || bound < 0 && (soon < 0 || g.healthy.IsZero()) {
		return
	}
	g.late = true
	w.wrong("gates %v of %s are closed, of which %v have opened; ready since %s, AWS calls it healthy since %s",
		p.app.gates, p.pod.Name, p.passed, p.since.Format(time.TimeOnly), g.healthy.Format(time.TimeOnly))
}

// registeredOf says that AWS holds a target of the pod of which a gate is closed.
func (w *world) registeredOf(p *running) bool {
	return slices.ContainsFunc(p.app.gates, func(binding string) bool {
		b := w.named(binding)
		if b == nil || p.passed[binding] {
			return false
		}
		_, there := w.sim.Target(b.group.ARN, p.machine.id, b.port)
		return there
	})
}

func (w *world) lastEditOf(p *running) time.Time {
	var at time.Time
	for _, binding := range p.app.gates {
		if b := w.named(binding); b != nil {
			at = latest(at, w.lastEdit(b.group.ARN))
		}
	}
	return at
}
