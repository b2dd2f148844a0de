package conformance

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestObjectThatLostItsStatusFindsWhatItMade(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) { w.loseAndRestore(t, func(*unstructured.Unstructured) {}) })
}

func TestObjectThatLostItsAnnotationsTooFindsWhatItMade(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		w.loseAndRestore(t, func(u *unstructured.Unstructured) { u.SetAnnotations(nil) })
	})
}

// loseAndRestore loses an object as a cluster is lost, and makes it again from a
// backup that has no status.
func (w *world) loseAndRestore(t *testing.T, lose func(*unstructured.Unstructured)) {
	t.Helper()

	mg := w.applied(t)
	before := w.kind.found(t, w)

	backup := &unstructured.Unstructured{}
	backup.SetGroupVersionKind(w.GV.WithKind(w.kind.name))
	kindtest.Must(t, w.Client.Get(t.Context(), client.ObjectKeyFromObject(mg), backup))
	unstructured.RemoveNestedField(backup.Object, "status")
	unstructured.RemoveNestedField(backup.Object, "metadata", "finalizers")
	backup.SetUID("")
	backup.SetResourceVersion("")
	backup.SetCreationTimestamp(metav1.Time{})
	backup.SetManagedFields(nil)
	lose(backup)

	w.vanish(t, mg)
	w.Sim.Reset()
	w.Create(t, backup)
	w.UntilApplied(t, mg)

	if diff := cmp.Diff(before, w.kind.found(t, w)); diff != "" || len(before) != 1 {
		t.Errorf("AWS has other things than before: -want, +got:\n%s", diff)
	}

	if got := w.writes(); w.kind.foreign != nil && slices.Contains(got, w.kind.create) || slices.Contains(got, w.kind.remove) {
		t.Errorf("it was made again, or taken away: AWS got %v", got)
	}
}

// vanish lets an object go without anybody noticing in AWS.
func (w *world) vanish(t *testing.T, mg resource.Managed) {
	t.Helper()
	w.annotate(t, mg, meta.AnnotationKeyReconciliationPaused, "true")
	w.Until(t, mg, "paused", func() bool { return mg.GetCondition(xpv2.TypeSynced).Reason == xpv2.ReasonReconcilePaused })
	w.Change(t, mg, func() { mg.SetFinalizers(nil) })
	w.delete(t, mg)
}
