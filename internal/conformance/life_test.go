package conformance

import "testing"

func TestEveryKindIsAppliedChangedAndDeleted(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		if got := w.kind.found(t, w); len(got) != 1 {
			t.Errorf("AWS has %v, want one", got)
		}

		w.Change(t, mg, func() { w.kind.change(w, mg) })
		w.UntilApplied(t, mg)

		if !w.kind.changed(t, w) {
			t.Error("it is said to be applied, but AWS does not have the change")
		}

		w.delete(t, mg)

		if got := w.kind.found(t, w); len(got) != 0 {
			t.Errorf("AWS still has %v: %+v", got, w.Sim.Targets(w.targetGroup))
		}
	})
}
