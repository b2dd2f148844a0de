package local_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
)

// TestAPodIsReadyWhenItsGatesAre: as with kubelet, which leaves gates to whoever
// declared them.
func TestAPodIsReadyWhenItsGatesAre(t *testing.T) {
	cp := localtest.ControlPlane(t)
	if err := cp.AddNodes(t.Context(), inPool("gated", []local.NodeSpec{{Name: "gated-a", Zone: "eu-west-1a"}})...); err != nil {
		t.Fatal(err)
	}
	template := podTemplate("gated", corev1.PodSpec{
		NodeSelector:   map[string]string{"pool": "gated"},
		ReadinessGates: []corev1.PodReadinessGate{{ConditionType: "example.org/one"}, {ConditionType: "example.org/two"}},
	})
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "gated", Labels: template.Labels}, Spec: template.Spec}
	if err := cp.Client().Create(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		gate, status string
		ready        corev1.ConditionStatus
	}{
		{"", "", corev1.ConditionFalse},
		{"example.org/one", "True", corev1.ConditionFalse},
		{"example.org/two", "False", corev1.ConditionFalse},
		{"example.org/two", "True", corev1.ConditionTrue},
		{"example.org/one", "False", corev1.ConditionFalse},
		{"example.org/one", "True", corev1.ConditionTrue},
	}
	for _, s := range steps {
		if s.gate != "" {
			patch := fmt.Appendf(nil, `{"status":{"conditions":[{"type":%q,"status":%q}]}}`, s.gate, s.status)
			if err := cp.Client().Status().Patch(t.Context(), pod, client.RawPatch(types.StrategicMergePatchType, patch)); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, func() (bool, error) {
			if err := cp.Client().Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
				return true, err
			}
			has := map[string]corev1.ConditionStatus{}
			for _, c := range pod.Status.Conditions {
				has[string(c.Type)] = c.Status
			}
			if has["ContainersReady"] == corev1.ConditionTrue && has["Ready"] == s.ready && (s.gate == "" || has[s.gate] == corev1.ConditionStatus(s.status)) {
				return true, nil
			}
			return false, fmt.Errorf("after %s=%s its conditions are %v, want Ready=%s", s.gate, s.status, has, s.ready)
		})
	}
}
