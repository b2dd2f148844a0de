package conformance

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// atMost so many updates follow the creation of an object, until it is ready.
func (w *world) atMost(t *testing.T, want int, versions []version) {
	t.Helper()

	got := slices.IndexFunc(versions, func(v version) bool {
		verdict, err := kstatus(v.Unstructured)

		return err == nil && verdict == ready
	})
	if got > 0 && got <= want {
		return
	}

	t.Errorf("%d updates from creation to Ready, want at most %d", got, want)

	for n, v := range versions {
		t.Logf("version %d: finalizers %v, annotations %v, status %v", n, v.GetFinalizers(), v.GetAnnotations(), v.Object["status"])
	}
}

// An XR's circuit breaker counts every update of what it is composed of.
func TestAtMostThreeUpdatesUntilReady(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		rec := w.record(t, mg)
		w.Create(t, mg)
		w.UntilApplied(t, mg)

		w.atMost(t, 3+w.kind.underway, rec.all(t, w, mg))
	})
}

// That a binding waits for its group's first read is no news: it is over in a moment.
func TestAtMostThreeUpdatesUntilReadyWhenHealthIsReadSlowly(t *testing.T) {
	every(t, []kind{targetGroupBindings()}, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		w.Sim.Fault(awssim.Fault{Action: "DescribeTargetHealth", Effect: awssim.Delay, Delay: 2 * time.Second})

		rec := w.record(t, mg)
		w.Create(t, mg)
		w.UntilApplied(t, mg)

		w.atMost(t, 3+w.kind.underway, rec.all(t, w, mg))
	})
}

// What takes further calls of AWS takes no further updates of the object.
func TestAtMostThreeUpdatesUntilReadyWhateverIsDeclared(t *testing.T) {
	kinds := slices.DeleteFunc(table(), func(k kind) bool { return k.more == nil })
	every(t, kinds, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		w.kind.more(t, w, mg)

		rec := w.record(t, mg)
		w.Create(t, mg)
		w.UntilApplied(t, mg)

		w.atMost(t, 3+w.kind.underway, rec.all(t, w, mg))
	})
}

func TestAtMostFourUpdatesUntilReadyWithAReference(t *testing.T) {
	everyReferrer(t, func(t *testing.T, w *world) {
		mg, to := w.referring(t)
		// A poll of a binding would find the other object when it lacks its ARN still,
		// and say so.
		meta.AddAnnotations(mg, map[string]string{meta.AnnotationKeyPollInterval: poll.String()})
		rec := w.record(t, mg)
		w.Create(t, mg)
		w.Until(t, mg, "waiting", func() bool { return isWaiting(mg) })
		w.Create(t, to)
		w.UntilApplied(t, mg)

		w.atMost(t, 4+w.kind.underway, rec.all(t, w, mg))
	})
}

func TestNothingIsWrittenWhenNothingChanges(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		w.annotate(t, mg, meta.AnnotationKeyPollInterval, "1s")
		w.polls(t, 2)
		w.UntilApplied(t, mg)

		if settled := w.kind.settled; settled != nil {
			w.Until(t, mg, "settled", func() bool { return settled(mg) })
		}

		before := mg.GetResourceVersion()
		w.polls(t, 4)
		w.UntilApplied(t, mg)

		if got := mg.GetResourceVersion(); got != before {
			t.Errorf("it was polled in vain and written: resource version %s, then %s\n%+v", before, got, mg)
		}

		if got := w.writes(); len(got) > 0 {
			t.Errorf("nothing had changed, and AWS got %v", got)
		}
	})
}

// polls waits until AWS was asked for an object that is in sync so many times more.
func (w *world) polls(t *testing.T, n int) {
	t.Helper()
	w.Sim.Reset()
	eventually(t, "it is polled", func() bool { return len(w.calls(w.kind.polled)) >= n })
}

// GitOps tools rely on the order of conditions and on their generations.
func TestConditionsAreInOrderAndOfAGeneration(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		rec := w.record(t, mg)
		w.Create(t, mg)

		u := unstructuredOf(t, mg)
		if got, _, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration"); got != -1 {
			t.Errorf("status.observedGeneration is %d when nobody has looked yet, want -1", got)
		}

		w.UntilApplied(t, mg)
		w.Change(t, mg, func() { w.kind.change(w, mg) })
		w.UntilApplied(t, mg)
		w.delete(t, mg)

		var before any

		for i, v := range rec.all(t, w, mg) {
			conditions := v.conditions()
			written := i > 0 && !same(before, v.Object["status"])
			before = v.Object["status"]

			var types []any
			for _, c := range conditions {
				types = append(types, c["type"])

				if got := c["observedGeneration"]; written && got != v.GetGeneration() {
					t.Errorf("version %d of generation %d has condition %v of generation %v", i, v.GetGeneration(), c["type"], got)
				}
			}

			if diff := cmp.Diff([]any{"Synced", "Ready"}, types[:min(len(types), 2)]); diff != "" {
				t.Errorf("version %d: conditions are in another order: -want, +got:\n%s", i, diff)
			}
		}
	})
}
