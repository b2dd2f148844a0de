package clusters

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// ErrPodGone is returned by SetGate if there is no pod of that UID any more.
var ErrPodGone = errors.New("the pod does not exist any more")

// trimGates are the readiness gates of a pod that name bindings, and of a pod that
// has some since when its containers have been ready.
func trimGates(p *corev1.Pod) (gates []targets.Gate, readySince time.Time) {
	for _, declared := range p.Spec.ReadinessGates {
		name, ours := strings.CutPrefix(string(declared.ConditionType), targets.GatePrefix)
		if !ours {
			continue
		}
		gate := targets.Gate{Binding: name}
		if c := conditionOf(p, declared.ConditionType); c != nil {
			gate.Status = gateStatus(c.Status)
		}
		gate.Opened = gate.Status == targets.GateTrue
		gates = append(gates, gate)
	}
	if c := conditionOf(p, corev1.ContainersReady); gates != nil && c != nil && c.Status == corev1.ConditionTrue {
		readySince = c.LastTransitionTime.UTC()
	}
	return gates, readySince
}

func conditionOf(p *corev1.Pod, typ corev1.PodConditionType) *corev1.PodCondition {
	i := slices.IndexFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == typ })
	if i < 0 {
		return nil
	}
	return &p.Status.Conditions[i]
}

// gateStatus returns the constant, so that the decoded string can be freed.
func gateStatus(s corev1.ConditionStatus) targets.GateStatus {
	if s == corev1.ConditionTrue {
		return targets.GateTrue
	}
	return targets.GateFalse
}

// remembers that a gate of an earlier version of the pod was True.
func (p *pod) openedAs(old *pod) {
	for i := range p.Gates {
		for _, was := range old.Gates {
			if was.Binding == p.Gates[i].Binding && was.Opened {
				p.Gates[i].Opened = true
			}
		}
	}
}

// pendingGate: the pod goes on and has a gate that is not True.
func (p *pod) pendingGate() bool {
	return !p.Terminating && p.Phase != string(corev1.PodFailed) && p.Phase != string(corev1.PodSucceeded) &&
		slices.ContainsFunc(p.Gates, func(g targets.Gate) bool { return g.Status != targets.GateTrue })
}

// gateWatch are the pods whose gates are not True, and who is told of changes.
type gateWatch struct {
	pending map[objectKey]*pod
	notify  func()
}

// note what became of a pod; p is nil if it is gone. Callers hold mu.
func (w *gateWatch) note(key objectKey, p *pod, t *touched) {
	was := w.pending[key]
	switch {
	case p != nil && p.pendingGate():
		w.pending[key] = p
	case was != nil:
		delete(w.pending, key)
	default:
		return
	}
	if w.notify != nil {
		t.also = w.notify
	}
}

// WatchGates streams pods from now on, whether or not there is a subscription, and
// nodes, which the first one will need; and it calls notify after each change of what
// PendingGates returns. notify must not block.
func (c *Cluster) WatchGates(notify func()) {
	c.mu.Lock()
	c.gates.notify = notify
	for _, s := range []*stream{c.nodes, c.pods} {
		s.wanted = true
		c.run(s)
	}
	c.mu.Unlock()
	notify()
}

// PendingGates returns the pods that have a readiness gate which is not True, but for
// those that end, in order. They are shared: the caller must not change them.
func (c *Cluster) PendingGates() []targets.Pod {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]targets.Pod, 0, len(c.gates.pending))
	for _, p := range c.gates.pending {
		out = append(out, p.Pod)
	}
	slices.SortFunc(out, func(a, b targets.Pod) int { return cmp.Or(byName(a.PodRef, b.PodRef), cmp.Compare(a.UID, b.UID)) })
	return out
}

// HasPod says whether a pod is there, by UID.
func (c *Cluster) HasPod(ref targets.PodRef) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.podTable.get(objectKey{ref.Namespace, ref.Name})
	return p != nil && p.UID == ref.UID
}

// SetGate writes a readiness gate's condition into the status of the pod with that
// UID. It returns ErrPodGone if there is none; its other errors are in words that are
// the same each time.
func (c *Cluster) SetGate(ctx context.Context, ref targets.PodRef, binding string, v targets.GateVerdict) error {
	body, err := gatePatch(ref, binding, v, time.Now())
	if err != nil {
		return err
	}
	err = c.api.Patch(types.StrategicMergePatchType).
		Namespace(ref.Namespace).Resource("pods").Name(ref.Name).SubResource("status").
		Body(body).
		Do(ctx).
		Error()
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err), isAnotherUID(err):
		return ErrPodGone
	case apierrors.IsForbidden(err):
		text := "cannot set readiness gates of pods: the provider's ServiceAccount lacks permission (verb patch on pods/status)"
		if c.file != "" {
			text += "; apply " + c.file
		}
		return errors.New(text)
	}
	return fmt.Errorf("cannot set readiness gates of pods: %s", cause(err))
}

// isAnotherUID says that a pod of that name has not the UID that a patch named. API
// servers answer so by finding that a UID cannot be changed.
func isAnotherUID(err error) bool {
	if apierrors.IsConflict(err) {
		return true // the patch names no version, so it can be nothing else
	}
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	return slices.ContainsFunc(status.Status().Details.Causes, func(c metav1.StatusCause) bool { return c.Field == "metadata.uid" })
}

// gatePatch is a strategic merge patch, which merges conditions by their type; its
// UID is a precondition.
func gatePatch(ref targets.PodRef, binding string, v targets.GateVerdict, now time.Time) ([]byte, error) {
	// Kubernetes keeps a condition's message within 32 KiB; people read less.
	const most = 1024
	message := v.Message
	if len(message) > most {
		message = message[:most]
	}
	condition := map[string]any{
		"type": targets.GatePrefix + binding, "status": v.Status, "reason": v.Reason, "message": message,
	}
	if v.Turns {
		condition["lastTransitionTime"] = metav1.NewTime(now)
	}
	return json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": ref.UID},
		"status":   map[string]any{"conditions": []any{condition}},
	})
}
