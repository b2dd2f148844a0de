package conformance

import (
	"encoding/json"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// during holds up an action of AWS: it returns when a call hangs, and what lets it
// go on.
func (w *world) during(t *testing.T, action string, do func()) (goOn func()) {
	t.Helper()
	w.Sim.Reset()
	goOn = w.Sim.Fault(awssim.Fault{Action: action, Effect: awssim.Hang})
	t.Cleanup(goOn)
	do()
	eventually(t, "a call of "+action, func() bool { return len(w.calls(action)) > 0 })

	return goOn
}

// neverReadyTooEarly judges every version: it does not fail, and it is not ready
// before AWS has what is declared, nor in the end other than ready.
func (w *world) neverReadyTooEarly(t *testing.T, versions []version, applied func(version) bool) {
	t.Helper()

	var before any

	for i, v := range versions {
		if i == 0 {
			before = v.Object["status"]
		}

		untold := i > 0 && same(before, v.Object["status"])

		w.judge(t, v.Unstructured, func(j judge, got verdict) {
			switch {
			case got == failing:
				t.Errorf("%s takes version %d for failed: %v", j.name, i, v.conditions())
			case got == ready && !applied(v) && (j.generations || !untold):
				t.Errorf("%s takes version %d for ready, but AWS does not have what it declares: %v", j.name, i, v.conditions())
			case got != ready && i == len(versions)-1:
				t.Errorf("%s says %s in the end: %v", j.name, got, v.conditions())
			}
		})
	}
}

func same(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)

	return string(x) == string(y)
}

func TestNewObjectIsReadyOnceItIsCreated(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		rec := w.record(t, mg)
		goOn := w.during(t, w.kind.create, func() {
			w.Create(t, mg)
			w.all(t, "before the controller has looked", mg, pending)
		})
		goOn()
		w.UntilApplied(t, mg)
		w.neverReadyTooEarly(t, rec.all(t, w, mg), func(v version) bool { return v.made })
	})
}

func TestChangedObjectIsReadyOnceTheChangeIsApplied(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		rec := w.record(t, mg)
		first := mg.GetGeneration()
		goOn := w.during(t, w.kind.modify, func() { w.Change(t, mg, func() { w.kind.change(w, mg) }) })
		goOn()
		w.UntilApplied(t, mg)
		w.neverReadyTooEarly(t, rec.all(t, w, mg), func(v version) bool { return v.GetGeneration() == first || v.changed })
	})
}

func TestStalledObjectFailsUntilItIsChanged(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		w.kind.stall(t, w, mg)
		w.Create(t, mg)
		w.Until(t, mg, "stalled", func() bool { return kindtest.Is(mg, controller.TypeStalled, "True") })
		w.all(t, "stalled", mg, failing)

		w.Change(t, mg, func() { w.kind.cure(t, w, mg) })
		w.UntilApplied(t, mg)
		w.all(t, "cured", mg, ready)

		if kindtest.Is(mg, controller.TypeStalled, "True") {
			t.Error("it is ready and Stalled")
		}
	})
}

func isWaiting(mg resource.Managed) bool {
	return mg.GetCondition(xpv2.TypeReady).Reason == controller.ReasonWaitingForReference
}

func TestObjectThatWaitsForAReferenceIsPending(t *testing.T) {
	everyReferrer(t, func(t *testing.T, w *world) {
		mg, to := w.referring(t)
		rec := w.record(t, mg)
		w.Create(t, mg)
		w.Until(t, mg, "waiting", func() bool { return isWaiting(mg) })
		w.all(t, "waiting", mg, pending)

		if calls := w.calls(); len(calls) > 0 {
			t.Errorf("waiting needs nothing of AWS, which got %d calls, the first of %s", len(calls), calls[0].Action)
		}

		w.Create(t, to)
		w.UntilApplied(t, to)
		w.UntilApplied(t, mg)
		w.neverReadyTooEarly(t, rec.all(t, w, mg), func(v version) bool { return v.made })
	})
}

func TestObjectThatIsDeletedNeverFails(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		unblock := func() {}

		if w.kind.blocked != "" {
			unblock = w.Sim.Fault(awssim.Fault{Action: w.kind.remove, Effect: awssim.Answer, Code: w.kind.blocked, Message: "in use"})
		}

		rec := w.record(t, mg)
		kindtest.Must(t, w.Client.Delete(t.Context(), mg))

		if w.kind.blocked != "" {
			w.Until(t, mg, "blocked", func() bool { return kindtest.Is(mg, controller.TypeDeletionBlocked, "True") })

			if got := string(mg.GetCondition(controller.TypeDeletionBlocked).Reason); got != w.kind.blocked {
				t.Errorf("the reason is %s, want AWS's code %s", got, w.kind.blocked)
			}
		}

		unblock()
		w.UntilGone(t, mg)

		for i, v := range rec.all(t, w, mg) {
			if v.GetDeletionTimestamp() == nil {
				continue
			}

			w.judge(t, v.Unstructured, func(j judge, got verdict) {
				if got == failing || j.generations && got != deleting {
					t.Errorf("%s says %s of version %d, which is being deleted: %v", j.name, got, i, v.conditions())
				}
			})
		}
	})
}
