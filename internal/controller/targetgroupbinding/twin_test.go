package targetgroupbinding

import (
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

func TestTwin(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	made := func(name string, age time.Duration, edit ...func(Binding)) Binding {
		b := binding(name, v1alpha1.TargetGroupBindingParameters{
			TargetGroupARNRef: &v1alpha1.Reference{Name: name},
			PodSelector:       &v1alpha1.PodSelector{LabelSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": "edge"}}, Port: intstr.FromInt32(8443)},
		})
		b.SetCreationTimestamp(metav1.NewTime(noon.Add(-age)))
		for _, e := range edit {
			e(b)
		}
		return b
	}
	bound := func(arn string) func(Binding) {
		return func(b Binding) { b.ObservedState().AtProvider.TargetGroupARN = arn }
	}
	is := func(kind xpv2.ConditionType, status corev1.ConditionStatus, reason xpv2.ConditionReason) func(Binding) {
		return func(b Binding) { b.SetConditions(xpv2.Condition{Type: kind, Status: status, Reason: reason}) }
	}
	cases := map[string]struct {
		reason string
		others []Binding
		want   string
	}{
		"Alone":   {reason: "There is nobody else."},
		"Younger": {reason: "The first one is told nothing: it was right when it was made.", others: []Binding{made("other", 0)}},
		"Older":   {reason: "The second one names the first.", others: []Binding{made("other", time.Hour)}, want: "other"},
		"Oldest":  {reason: "It is the same one whatever comes.", others: []Binding{made("b", time.Hour), made("a", 2*time.Hour), made("c", 3*time.Minute)}, want: "a"},
		"Together": {
			reason: "One of two is the second, always the same one.", others: []Binding{made("v", time.Minute), made("x", time.Minute)}, want: "v",
		},
		"Going":           {reason: "It takes its targets along.", others: []Binding{made("other", time.Hour, func(b Binding) { b.SetDeletionTimestamp(ptr(metav1.NewTime(noon))) })}},
		"Stalled":         {reason: "It was refused, and registers nothing.", others: []Binding{made("other", time.Hour, is(controller.TypeStalled, "True", "Invalid"))}},
		"StalledAndBound": {reason: "It goes on with what it had.", others: []Binding{made("other", time.Hour, bound("arn:two"), is(controller.TypeStalled, "True", "Immutable"))}, want: "other"},
		"NothingSelected": {reason: "Its Service selects no pods for it.", others: []Binding{made("other", time.Hour, bound("arn:two"), is("Ready", "False", "NothingSelected"))}},
		"OtherPort":       {reason: "Connections to another port are other connections.", others: []Binding{made("other", time.Hour, func(b Binding) { b.ForProvider().PodSelector.Port = intstr.FromInt32(8080) })}},
		"OtherPods":       {reason: "They have other addresses.", others: []Binding{made("other", time.Hour, func(b Binding) { b.ForProvider().PodSelector.LabelSelector.MatchLabels["app"] = "web" })}},
		"OtherNodes": {reason: "The same pods on other nodes are others.", others: []Binding{made("other", time.Hour, func(b Binding) {
			b.ForProvider().NodeSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
		})}},
		"OneGroup":   {reason: "Two bindings of a group share it.", others: []Binding{made("other", time.Hour, func(b Binding) { b.ForProvider().TargetGroupARNRef.Name = "web" })}},
		"BoundToOne": {reason: "What they are bound to counts, not how they name it.", others: []Binding{made("other", time.Hour, bound("arn:one"))}},
		"BoundToTwo": {reason: "What they are bound to counts, not how they name it.", others: []Binding{made("other", time.Hour, bound("arn:two"))}, want: "other"},
		"WithService": {reason: "A Service is another way to select.", others: []Binding{made("other", time.Hour, func(b Binding) {
			b.ForProvider().PodSelector, b.ForProvider().ServiceRef = nil, &v1alpha1.ServiceReference{Name: "edge", Port: intstr.FromInt32(8443)}
		})}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			own := made("web", time.Minute, bound("arn:one"))
			got := twin(own, append(tc.others, own))
			switch {
			case got == nil && tc.want != "":
				t.Errorf("\n%s\nwant %s, got none", tc.reason, tc.want)
			case got != nil && got.GetName() != tc.want:
				t.Errorf("\n%s\nwant %q, got %s", tc.reason, tc.want, got.GetName())
			case got != nil && !strings.Contains(shared(got).Message, "edge/"+tc.want+","):
				t.Errorf("the other one is named, got %q", shared(got).Message)
			}
		})
	}
}
