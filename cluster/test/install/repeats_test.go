package install

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

func TestWhatCrossplaneRepeatsIsBookedApart(t *testing.T) {
	// written is a composite resource whose condition Ready somebody has just written.
	written := func(status string, by metav1.ManagedFieldsOperationType) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{
			"kind": "NetworkLoadBalancer", "status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": status}}},
		}}
		o.SetName("edge")
		o.SetUID("edge")
		o.SetManagedFields([]metav1.ManagedFieldsEntry{{
			Operation: by, Subresource: "status",
			FieldsV1: metav1.NewFieldsV1(`{"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{"f:status":{}}}}}`),
		}})
		return o
	}
	const applied, updated = metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate
	type event struct {
		ready string
		by    metav1.ManagedFieldsOperationType
	}
	cases := map[string]struct {
		reason string
		events []event
		want   Low
	}{
		"Relapse": {
			"Ready is set back by who applies what it has read, and put right: four tokens, which we did not cause.",
			[]event{{"False", updated}, {"True", updated}, {"False", applied}, {"True", updated}}, Low{93, 97, "NetworkLoadBalancer edge"},
		},
		"Twice": {
			"It may happen again and again.",
			[]event{{"True", updated}, {"False", applied}, {"True", updated}, {"False", applied}, {"True", updated}}, Low{91, 99, "NetworkLoadBalancer edge"},
		},
		"Unready": {
			"What is no longer ready has been found so, and is ours.",
			[]event{{"True", updated}, {"False", updated}, {"True", updated}}, Low{95, 95, "NetworkLoadBalancer edge"},
		},
		"First": {
			"That it becomes ready is news, however Crossplane has written that it was not.",
			[]event{{"False", applied}, {"True", updated}}, Low{97, 97, "NetworkLoadBalancer edge"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAccount(func() {})
			now := time.Now()
			for i, e := range tc.events {
				kind := watch.Modified
				if i == 0 {
					kind = watch.Added
				}
				a.book(kind, written(e.ready, e.by), now)
			}
			got, err := a.Lowest()
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("%s\n%v, -want, +got:\n%s", tc.reason, err, diff)
			}
		})
	}
}
