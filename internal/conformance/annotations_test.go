package conformance

import (
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// request a reconcile and wait until it is over.
func (w *world) request(t *testing.T, mg resource.Managed, token string) {
	t.Helper()
	w.annotate(t, mg, meta.AnnotationKeyReconcileRequestedAt, token)
	w.Until(t, mg, "reconciled as requested", func() bool { return statusOf(t, mg)["lastHandledReconcileAt"] == token })
}

func statusOf(t *testing.T, mg resource.Managed) map[string]any {
	t.Helper()

	s, _ := unstructuredOf(t, mg).Object["status"].(map[string]any)

	return s
}

func TestPausedObjectIsLeftAlone(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		other := w.minimal(t, policies("Observe"))
		other.SetName(w.name + "-other")
		// Another value, so that a binding does not want the same target.
		w.kind.change(w, other)
		w.Create(t, other)
		w.request(t, other, "before")

		isPaused := func() bool { return mg.GetCondition(xpv2.TypeSynced).Reason == xpv2.ReasonReconcilePaused }
		w.annotate(t, mg, meta.AnnotationKeyReconciliationPaused, "true")
		w.Until(t, mg, "paused", isPaused)

		w.Change(t, mg, func() { w.kind.change(w, mg) })
		kindtest.Must(t, w.Client.Delete(t.Context(), mg))
		// What has happened to the one before, the other one comes after.
		w.request(t, other, "after")
		w.Until(t, mg, "paused still", isPaused)

		if got := w.writes(); w.kind.changed(t, w) || len(w.kind.found(t, w)) != 1 {
			t.Errorf("AWS got %v of a paused object", got)
		}

		w.annotate(t, mg, meta.AnnotationKeyReconciliationPaused, "")
		w.UntilGone(t, mg)

		if got := w.kind.found(t, w); len(got) != 0 {
			t.Errorf("AWS still has %v", got)
		}
	})
}

// A binding's engine reads AWS at an interval of its own.
func TestPollIntervalIsTheObjects(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		w.Change(t, mg, func() { w.kind.change(w, mg) })
		w.UntilApplied(t, mg)

		// All others are polled once an hour, and would find this as late. Attributes
		// are read at every 18th poll.
		w.kind.drift(t, w)
		w.annotate(t, mg, meta.AnnotationKeyPollInterval, "50ms")
		eventually(t, "the drift is repaired", func() bool { return w.kind.changed(t, w) })
	})
}

func TestRequestedReconcileReadsAWSAnewAndSaysSo(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		w.Change(t, mg, func() { w.kind.change(w, mg) })
		w.UntilApplied(t, mg)

		w.kind.drift(t, w)
		w.request(t, mg, "now")

		if !w.kind.changed(t, w) {
			t.Error("it was reconciled by what was known before, and the drift is still there")
		}

		w.request(t, mg, "again")
	})
}

// TestABindingReadsItsTargetsAsItsAnnotationsSay: a binding's engine reads AWS by
// itself, so what the others do in their reconcile it does beside it.
func TestABindingReadsItsTargetsAsItsAnnotationsSay(t *testing.T) {
	every(t, []kind{targetGroupBindings()}, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		meta.AddAnnotations(mg, map[string]string{meta.AnnotationKeyPollInterval: poll.String()})
		w.Create(t, mg)
		w.UntilApplied(t, mg)
		w.Change(t, mg, func() { w.kind.change(w, mg) })
		w.UntilApplied(t, mg)
		w.Until(t, mg, "settled", func() bool { return w.kind.settled(mg) })

		w.kind.drift(t, w)

		if w.kind.changed(t, w) {
			t.Error("the target is there, so its loss cannot be noticed")
		}

		w.request(t, mg, "now")
		eventually(t, "what was asked for is repaired", func() bool { return w.kind.changed(t, w) })
		w.Until(t, mg, "settled", func() bool { return w.kind.settled(mg) })

		w.kind.drift(t, w)
		w.annotate(t, mg, meta.AnnotationKeyPollInterval, "50ms")
		eventually(t, "the next poll repairs it", func() bool { return w.kind.changed(t, w) })
	})
}
