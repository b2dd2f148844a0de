package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func policies(p ...xpv2.ManagementAction) func(resource.Managed) {
	return func(mg resource.Managed) { mg.SetManagementPolicies(p) }
}

// everyMaker is everyKind for those that make something of their own in AWS, which
// is all but the binding.
func everyMaker(t *testing.T, law func(t *testing.T, w *world)) {
	t.Helper()
	every(t, slices.DeleteFunc(table(), func(k kind) bool { return k.foreign == nil }), law)
}

func TestObserveOnlyChangesNothing(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.minimal(t, policies("Observe"))
		id := w.kind.foreign(t, w, mg)
		w.kind.change(w, mg)
		w.Sim.Reset()
		w.Create(t, mg)
		w.UntilApplied(t, mg)

		drift := mg.GetCondition(controller.TypeDrifted)
		if drift.Status != "True" || !strings.Contains(drift.Message, "managementPolicies") {
			t.Errorf("what a full import would change is not shown: %+v", drift)
		}

		w.delete(t, mg)

		if got := w.writes(); len(got) > 0 {
			t.Errorf("AWS got %v", got)
		}

		if diff := cmp.Diff([]string{id}, w.kind.found(t, w)); diff != "" {
			t.Errorf("AWS has other things than before: -want, +got:\n%s", diff)
		}
	})
}

func TestImportNeedsTheExternalNameOnly(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		full := w.minimal(t)
		id := w.kind.foreign(t, w, full)

		forms := []string{id}
		if w.kind.named {
			forms = append(forms, w.name)
		}

		for _, form := range forms {
			mg := w.minimal(t, policies("Observe"), w.kind.bare, func(mg resource.Managed) { meta.SetExternalName(mg, form) })
			w.Sim.Reset()
			w.Create(t, mg)
			w.UntilApplied(t, mg)

			if got := w.writes(); len(got) > 0 {
				t.Errorf("import as %s: AWS got %v", form, got)
			}

			if got := meta.GetExternalName(mg); got != form {
				t.Errorf("the external name was %s and is %s: the user's form stays", form, got)
			}

			w.delete(t, mg)
		}
	})
}

func TestImportedObjectIsTakenOver(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		id := w.kind.foreign(t, w, mg)
		meta.SetExternalName(mg, id)
		w.kind.change(w, mg)
		w.Create(t, mg)
		w.UntilApplied(t, mg)

		if !w.kind.changed(t, w) {
			t.Error("what differed was not changed")
		}

		if diff := cmp.Diff([]string{id}, w.kind.found(t, w)); diff != "" {
			t.Errorf("it is to be one and the same: -want, +got:\n%s", diff)
		}
	})
}

func TestWithoutDeleteAWSKeepsIt(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.applied(t, policies("Observe", "Create", "Update"))
		before := w.kind.found(t, w)
		w.delete(t, mg)

		if diff := cmp.Diff(before, w.kind.found(t, w)); diff != "" || len(before) != 1 {
			t.Errorf("AWS keeps what there was: -want, +got:\n%s", diff)
		}
	})
}

func TestOrphanedByDeletionPolicyAWSKeepsIt(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg, ok := w.minimal(t).(resource.LegacyManaged)
		if !ok {
			return // Only what is cluster-scoped has a deletion policy.
		}

		mg.SetDeletionPolicy(xpv2.DeletionOrphan)
		w.Create(t, mg)
		w.UntilApplied(t, mg)

		before := w.kind.found(t, w)
		w.delete(t, mg)

		if diff := cmp.Diff(before, w.kind.found(t, w)); diff != "" || len(before) != 1 {
			t.Errorf("AWS keeps what there was: -want, +got:\n%s", diff)
		}
	})
}

func TestWithoutUpdateDriftStaysAndIsShown(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.applied(t, policies("Observe", "Create", "Delete"))
		if kindtest.Is(mg, controller.TypeDrifted, "True") {
			t.Error("nothing differs yet")
		}

		w.Sim.Reset()
		w.Change(t, mg, func() { w.kind.change(w, mg) })
		w.Until(t, mg, "shown to differ", func() bool { return kindtest.Is(mg, controller.TypeDrifted, "True") })
		w.all(t, "its policies leave it as it is", mg, ready)

		if got := w.writes(); len(got) > 0 || w.kind.changed(t, w) {
			t.Errorf("AWS got %v", got)
		}

		w.Change(t, mg, func() { mg.SetManagementPolicies(xpv2.ManagementPolicies{"*"}) })
		w.UntilApplied(t, mg)
		w.Until(t, mg, "as declared", func() bool { return !kindtest.Is(mg, controller.TypeDrifted, "True") && w.kind.changed(t, w) })
	})
}

// A binding that may only observe shows the target group, and counts.
func TestBindingThatMayOnlyObserveRegistersNothing(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		if w.kind.foreign != nil {
			return
		}

		mg := w.minimal(t, policies("Observe"))
		kindtest.Must(t, w.Sim.PutTarget(w.targetGroup, w.instance, secondPort))
		w.Sim.Reset()
		w.Create(t, mg)
		w.Until(t, mg, "looked at", func() bool { return kindtest.Is(mg, xpv2.TypeSynced, "True") })
		w.polls(t, 2)

		targets := w.Sim.Targets(w.targetGroup)
		w.delete(t, mg)

		if got := w.writes(); slices.Contains(got, w.kind.create) || slices.Contains(got, w.kind.remove) || len(targets) != 1 {
			t.Errorf("AWS got %v and has %v", got, targets)
		}
	})
}
