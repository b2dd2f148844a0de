package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// isTheOne: AWS has one thing, which the object knows by its external name.
func (w *world) isTheOne(t *testing.T, mg resource.Managed) {
	t.Helper()

	if got, name := w.kind.found(t, w), meta.GetExternalName(mg); len(got) != 1 || got[0] != name {
		t.Errorf("AWS has %v, and the external name is %q", got, name)
	}
}

// isRefused: the object is Stalled and says all of this; AWS was not changed.
func (w *world) isRefused(t *testing.T, mg resource.Managed, says ...string) {
	t.Helper()
	w.Until(t, mg, "stalled", func() bool { return kindtest.Is(mg, controller.TypeStalled, "True") })

	c := mg.GetCondition(controller.TypeStalled)
	if c.Reason != controller.ReasonIdentityTaken {
		t.Errorf("the reason is %s", c.Reason)
	}

	for _, text := range says {
		if !strings.Contains(c.Message, text) {
			t.Errorf("%q does not say %q", c.Message, text)
		}
	}

	if got := w.writes(); len(got) > 0 {
		t.Errorf("AWS was changed by %v", got)
	}

	if got := meta.GetExternalName(mg); got != "" {
		t.Errorf("it took the external name %q", got)
	}
}

// orphan deletes the object and leaves what it made.
func (w *world) orphan(t *testing.T, mg resource.Managed) {
	t.Helper()
	w.Change(t, mg, func() { mg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe", "Create", "Update"}) })
	w.delete(t, mg)
}

// again returns the object of the same manifest, which is not created.
func (w *world) again(t *testing.T, mutate ...func(resource.Managed)) resource.Managed {
	t.Helper()

	return w.minimal(t, mutate...)
}

// creations of the provider since the last Reset.
func (w *world) creations() int {
	if w.isBinding() {
		return 0
	}

	return len(w.calls(w.kind.create))
}

func TestLostAnswerToACreationMakesOne(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		// The SDK tries three times, and the next pass once more. Each takes effect, as far
		// as AWS lets it.
		w.Sim.Fault(awssim.Fault{Action: w.kind.create, Times: 4, Effect: awssim.LoseResponse})
		w.isTheOne(t, w.applied(t))
	})
}

func TestCrashBetweenCreationAndAnnotationMakesOne(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		w.annotate(t, mg, meta.AnnotationKeyReconciliationPaused, "true")
		w.Until(t, mg, "paused", func() bool { return mg.GetCondition(xpv2.TypeSynced).Reason == xpv2.ReasonReconcilePaused })

		// This is what the API server has when the process ends after AWS's answer.
		made := w.kind.found(t, w)
		w.Change(t, mg, func() {
			meta.RemoveAnnotations(mg, meta.AnnotationKeyExternalName, meta.AnnotationKeyExternalCreateSucceeded)
			meta.SetExternalCreatePending(mg, time.Now())
		})
		kindtest.Must(t, w.Client.Status().Patch(t.Context(), mg, client.RawPatch("application/merge-patch+json", []byte(`{"status":null}`))))
		w.Sim.Reset()
		w.annotate(t, mg, meta.AnnotationKeyReconciliationPaused, "")
		w.UntilApplied(t, mg)
		w.isTheOne(t, mg)

		if got := w.creations(); got != 0 || !slices.Equal(made, w.kind.found(t, w)) {
			t.Errorf("%v was made again, by %d calls", made, got)
		}
	})
}

func TestDeletedAndReappliedObjectFindsWhatItLeft(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		w.orphan(t, w.applied(t))

		left := w.kind.found(t, w)
		w.Sim.Reset()

		mg := w.again(t)
		w.Create(t, mg)
		w.UntilApplied(t, mg)
		w.isTheOne(t, mg)

		if got := w.creations(); got != 0 || !slices.Equal(left, w.kind.found(t, w)) {
			t.Errorf("%v was left, and made again by %d calls", left, got)
		}

		w.delete(t, mg)

		if got := w.kind.found(t, w); len(got) != 0 {
			t.Errorf("it is the object's again, but outlives it: %v", got)
		}
	})
}

func TestExternalNameAdopts(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		id := w.kind.foreign(t, w, mg)
		forms := []string{id}

		if w.kind.named {
			forms = append(forms, w.name)
		}

		for _, form := range forms {
			w.Sim.Reset()

			mg := w.again(t, func(mg resource.Managed) { meta.SetExternalName(mg, form) })
			w.Create(t, mg)
			w.UntilApplied(t, mg)

			if got := meta.GetExternalName(mg); got != form {
				t.Errorf("the user's %q became %q", form, got)
			}

			if got := w.kind.found(t, w); !slices.Equal(got, []string{id}) || w.creations() != 0 {
				t.Errorf("AWS has %v, want %s only", got, id)
			}

			w.orphan(t, mg)
		}
	})
}

func TestForeignThingIsLeftAlone(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		id := w.kind.foreign(t, w, mg)
		w.Create(t, mg)
		w.isRefused(t, mg, "was not created for this object", "to adopt it", meta.AnnotationKeyExternalName, id)
		w.delete(t, mg)

		if got := w.kind.found(t, w); !slices.Equal(got, []string{id}) || len(w.writes()) > 0 {
			t.Errorf("AWS has %v, want what was there", got)
		}
	})
}

func TestSameManifestInAnotherClusterIsRefusedAndCanMove(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		w.orphan(t, w.applied(t))

		id := w.kind.found(t, w)[0]
		w.tag(t, id, controller.TagCluster, "blue")
		w.Sim.Reset()

		mg := w.again(t)
		w.Create(t, mg)
		w.isRefused(t, mg, `another cluster, "blue"`, meta.AnnotationKeyExternalName, id, "--cluster-id=blue", "otherwise")

		w.annotate(t, mg, meta.AnnotationKeyExternalName, id)
		w.UntilApplied(t, mg)
		w.isTheOne(t, mg)

		if w.creations() != 0 || kindtest.Is(mg, controller.TypeStalled, "True") {
			t.Errorf("it was to move: %d creations, %+v", w.creations(), mg.GetCondition(controller.TypeStalled))
		}
	})
}

// tag what is in AWS, as somebody else.
func (w *world) tag(t *testing.T, id, key, value string) {
	t.Helper()

	var err error

	if strings.HasPrefix(id, "arn:") {
		_, err = w.ELB.AddTags(t.Context(), &elbv2.AddTagsInput{ResourceArns: []string{id}, Tags: []types.Tag{{Key: &key, Value: &value}}})
	} else {
		_, err = w.EC2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{{Key: &key, Value: &value}}})
	}

	kindtest.Must(t, err)
}
