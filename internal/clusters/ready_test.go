package clusters

import (
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestReadySinceTellsOfMatchingPodsOnly(t *testing.T) {
	then := time.Now().Add(-time.Minute).Truncate(time.Second)
	at := func(status corev1.ConditionStatus, at time.Time) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.ContainersReady, Status: status, LastTransitionTime: metav1.NewTime(at)}}
		}
	}
	for name, tc := range map[string]struct {
		reason string
		pod    []func(*corev1.Pod)
		want   bool
	}{
		"Before":      {"what was ready before is known to an earlier process", []func(*corev1.Pod){at(corev1.ConditionTrue, then.Add(-time.Second))}, false},
		"Since":       {"what has become ready since may not be registered", []func(*corev1.Pod){at(corev1.ConditionTrue, then.Add(time.Second))}, true},
		"NotReady":    {"a pod that is not ready is not registered", []func(*corev1.Pod){at(corev1.ConditionFalse, then.Add(time.Second))}, false},
		"NotSelected": {"pods of others say nothing", []func(*corev1.Pod){at(corev1.ConditionTrue, then.Add(time.Second)), labelled("other")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Options{}, func(t *testing.T, w *world) {
				w.subscribe("a", proxies())
				w.pods.put(aPod("one", "node-1", tc.pod...))
				synctest.Wait()
				if got := w.ReadySince("a", then); got != tc.want {
					t.Errorf("%s\nReadySince: %t, want %t", tc.reason, got, tc.want)
				}
			})
		})
	}
	if (&Cluster{}).ReadySince("nobody", then) {
		t.Error("nothing is known of a binding that is not subscribed")
	}
}
