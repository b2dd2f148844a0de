package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// TestARolloutWritesABindingSixTimesAMinute: an XR's circuit breaker counts every update
// of what it is composed of, and a rollout changes counts, lists and conditions with
// each pod.
func TestARolloutWritesABindingSixTimesAMinute(t *testing.T) {
	const (
		long  = 31 * time.Second
		pause = 250 * time.Millisecond
		// most in that time: one each 10 s, and the one that was due when it began.
		most = 4
	)

	every(t, []kind{find(t, "TargetGroupBinding")}, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		// A poll copies what there is to tell, however young the last update is.
		meta.AddAnnotations(mg, map[string]string{meta.AnnotationKeyPollInterval: poll.String()})
		w.Create(t, mg)
		w.UntilApplied(t, mg)

		nodes := w.rolloutNodes(t, 6)
		end := time.Now().Add(long)
		rec := w.record(t, mg)
		moves := 0

		for ; time.Now().Before(end); time.Sleep(pause) {
			w.moveTo(t, nodes, moves)
			moves++
		}

		// On a busy machine the last move ends late, and others may follow.
		inTime := slices.DeleteFunc(rec.all(t, w, mg), func(v version) bool { return v.at.After(end) })

		// The first version is what a watch begins with.
		if got := len(inTime) - 1; got > most || got < 1 {
			t.Errorf("%d updates in %s in which %d pods moved, want 1 to %d", got, long, moves, most)
		}

		if len(w.calls("RegisterTargets")) == 0 {
			t.Error("nothing was registered: there was no rollout")
		}
	})
}

// rolloutNodes makes nodes with instances, and returns their names.
func (w *world) rolloutNodes(t *testing.T, n int) []string {
	t.Helper()

	names := make([]string, n)

	for i := range names {
		id := worlds.Add(1)
		instance, address := fmt.Sprintf("i-%017x", id), fmt.Sprintf("10.2.%d.%d", id/250, id%250+1)
		names[i] = fmt.Sprintf("%s-%d", w.name, i)
		w.Sim.SeedInstance(awssim.Instance{ID: instance, Region: kindtest.Region, Zone: zone, VPC: kindtest.VPC})
		w.Create(t, &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: names[i], Labels: map[string]string{corev1.LabelTopologyZone: zone}},
			Spec:       corev1.NodeSpec{ProviderID: "aws:///" + zone + "/" + instance},
			Status: corev1.NodeStatus{
				Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}},
				Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
			},
		})
	}

	return names
}

// moveTo runs a pod on the next node, unready every third time and excluded every
// fifth, and removes the one that ran there before.
func (w *world) moveTo(t *testing.T, nodes []string, move int) {
	t.Helper()

	node := nodes[move%len(nodes)]
	if old := move - len(nodes); old >= 0 {
		kindtest.Must(t, w.Client.Delete(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: w.podNamespace, Name: fmt.Sprintf("%s-%d", w.name, old),
		}}))
	}

	ready := corev1.ConditionTrue
	if move%3 == 0 {
		ready = corev1.ConditionFalse
	}

	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.podNamespace, Name: fmt.Sprintf("%s-%d", w.name, move), Labels: map[string]string{"app": w.name},
			Annotations: map[string]string{"nlb.crossplane.io/exclude": fmt.Sprint(move%5 == 0)},
		},
		Spec: corev1.PodSpec{
			NodeName: node, HostNetwork: true, TerminationGracePeriodSeconds: ptr(int64(0)),
			Containers: []corev1.Container{{Name: "proxy", Image: "registry.k8s.io/pause:3.10", Ports: []corev1.ContainerPort{{ContainerPort: firstPort}}}},
		},
	}
	w.Create(t, pod)

	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
		{Type: corev1.ContainersReady, Status: ready, LastTransitionTime: metav1.Now()}, {Type: corev1.PodReady, Status: ready},
	}}
	kindtest.Must(t, w.Client.Status().Update(t.Context(), pod))
}
