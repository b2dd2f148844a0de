package controller

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

func TestRetriesByClass(t *testing.T) {
	req := reconcile.Request{NamespacedName: types.NamespacedName{Name: "edge"}}
	soon := []time.Duration{1, 2, 4, 8, 10, 10, 10, 10}
	late := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}
	cases := map[aws.Class]struct {
		reason string
		want   []time.Duration
	}{
		aws.ClassNone:       {"A deletion that waits is no error, and may go on at any moment.", soon},
		aws.ClassUnknown:    {"What nobody knows may be over at any moment.", soon},
		aws.ClassNotFound:   {"What was just created is seen in seconds.", soon},
		aws.ClassExists:     {"The next look tells whose it is.", soon},
		aws.ClassConflict:   {"AWS is changing it, or another object is about to let go.", soon},
		aws.ClassThrottled:  {"The budget backs off for the whole account.", soon},
		aws.ClassTransient:  {"AWS is soon well again.", soon},
		aws.ClassQuota:      {"Somebody has to raise it or to make room.", late},
		aws.ClassDependency: {"Somebody has to make it, or AWS needs minutes.", late},
		aws.ClassDenied:     {"Somebody has to allow it.", late},
	}
	for class, tc := range cases {
		t.Run(string("Class"+class), func(t *testing.T) {
			var got []time.Duration

			r := newRetries(Retry{})
			for range len(tc.want) {
				r.failed(req, class)
				got = append(got, r.When(req)/time.Second)
			}

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nWhen(...) in seconds: -want, +got:\n%s", tc.reason, diff)
			}

			if n := r.NumRequeues(req); n != len(tc.want) {
				t.Errorf("it counts %d retries", n)
			}

			r.Forget(req)

			if got := r.When(req); got != time.Second {
				t.Errorf("after a success it waits for %s", got)
			}
		})
	}
}

func TestRetriesAreOfOneObject(t *testing.T) {
	denied := reconcile.Request{NamespacedName: types.NamespacedName{Name: "denied"}}
	other := reconcile.Request{NamespacedName: types.NamespacedName{Name: "other"}}
	r := newRetries(Retry{Min: time.Second, Max: time.Second, Patient: time.Hour})
	r.failed(denied, aws.ClassDenied)

	for range 20 {
		r.When(denied)
		r.When(other)
	}

	if got := []time.Duration{r.When(denied), r.When(other)}; got[0] != time.Hour || got[1] != time.Second {
		t.Errorf("patience with one object is none with another: %v", got)
	}

	r.failed(denied, aws.ClassTransient)

	if got := r.When(denied); got != time.Second {
		t.Errorf("patience ends with another error, but it waits for %s", got)
	}
}
