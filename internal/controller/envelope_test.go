package controller_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"

	"github.com/provider-nlb/provider-nlb/internal/controller"
)

func TestNewObjectIsInProgress(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		tg := s.group("new")
		e.create(t, tg)

		if got := e.status(t, tg); got != status.InProgressStatus {
			t.Errorf("GitOps tools must not take a new object for a ready one: kstatus says %s", got)
		}

		types := []xpv2.ConditionType{}
		for _, c := range tg.ObservedState().Conditions {
			types = append(types, c.Type)
		}

		if diff := cmp.Diff([]xpv2.ConditionType{xpv2.TypeSynced, xpv2.TypeReady}, types); diff != "" {
			t.Errorf("Synced comes before Ready from the beginning: -want, +got:\n%s", diff)
		}
	})
}

func TestCreatedObjectBecomesReady(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		tg := s.group("created")
		writes := e.countWrites(t, s, "TargetGroup", tg.GetName())
		e.create(t, tg)
		e.until(t, tg, "ready", func() bool { return is(tg, xpv2.TypeReady, "True", "") })

		if got := e.status(t, tg); got != status.CurrentStatus {
			t.Errorf("kstatus says %s", got)
		}

		if diff := cmp.Diff([]string{managed.FinalizerName}, tg.GetFinalizers()); diff != "" {
			t.Errorf("With a second finalizer the runtime would not delete: -want, +got:\n%s", diff)
		}

		if got := writes(); got > 4 {
			t.Errorf("an XR's circuit breaker counts every update: %d from creation to Ready, want at most 4", got)
		}

		for i, c := range tg.ObservedState().Conditions {
			if c.ObservedGeneration != tg.GetGeneration() {
				t.Errorf("condition %s has observedGeneration %d", c.Type, c.ObservedGeneration)
			}

			if want := []xpv2.ConditionType{xpv2.TypeSynced, xpv2.TypeReady}; i < 2 && c.Type != want[i] {
				t.Errorf("condition %d is %s, want %s", i, c.Type, want[i])
			}
		}
	})
}

func TestAdoptedObjectIsReadyAtOnce(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		tg := s.group("adopted")
		e.cloud.with(tg.GetName(), func(s *script) { s.exists = true })
		e.create(t, tg)
		// It polls once an hour, so the status of the first Observe has survived
		// the finalizer's update, or this never ends.
		e.until(t, tg, "ready", func() bool { return is(tg, xpv2.TypeReady, "True", "") })

		if got := tg.ObservedState().GetObservedGeneration(); got != tg.GetGeneration() {
			t.Errorf("status.observedGeneration is %d", got)
		}

		if got := e.cloud.count(tg.GetName(), "Observe"); got > 2 {
			t.Errorf("it took %d observations", got)
		}
	})
}

func TestSpecChangeIsInProgressUntilApplied(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		tg := s.group("changed")
		e.create(t, tg)
		e.until(t, tg, "ready", func() bool { return is(tg, xpv2.TypeReady, "True", "") })
		e.cloud.with(tg.GetName(), func(s *script) { s.upToDate, s.updateApplies = false, false })

		update(t, e, tg)
		e.until(t, tg, "synced", func() bool {
			return e.cloud.count(tg.GetName(), "Update") > 0 && tg.GetCondition(xpv2.TypeSynced).ObservedGeneration == tg.GetGeneration()
		})

		if got := e.status(t, tg); got != status.InProgressStatus {
			t.Errorf("AWS does not show the change yet, but kstatus says %s", got)
		}

		e.cloud.with(tg.GetName(), func(s *script) { s.updateApplies = true })
		e.until(t, tg, "applied", func() bool { return tg.ObservedState().GetObservedGeneration() == tg.GetGeneration() })

		if got := e.status(t, tg); got != status.CurrentStatus {
			t.Errorf("AWS shows the change, but kstatus says %s", got)
		}
	})
}

func TestStalledFailsAtOnceAndIsCleared(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		tg := s.group("stalled")
		e.create(t, tg)
		e.until(t, tg, "ready", func() bool { return is(tg, xpv2.TypeReady, "True", "") })
		e.cloud.with(tg.GetName(), func(s *script) {
			s.upToDate, s.updateErr = false, errors.Wrap(controller.Stalled{Reason: controller.ReasonInvalid, Message: "change it"}, "no")
		})

		update(t, e, tg)
		e.until(t, tg, "stalled", func() bool { return is(tg, controller.TypeStalled, "True", controller.ReasonInvalid) })

		if got := e.status(t, tg); got != status.FailedStatus {
			t.Errorf("waiting does not help, but kstatus says %s", got)
		}

		if !is(tg, xpv2.TypeSynced, "False", "") {
			t.Errorf("Argo CD looks at Synced: %+v", tg.GetCondition(xpv2.TypeSynced))
		}

		updates := e.cloud.count(tg.GetName(), "Update")

		e.cloud.with(tg.GetName(), func(s *script) { s.updateErr = nil })
		update(t, e, tg)
		e.until(t, tg, "current", func() bool { return e.status(t, tg) == status.CurrentStatus })

		if c := tg.GetCondition(controller.TypeStalled); c.Status == "True" {
			t.Errorf("a good spec ends it: %+v", c)
		}

		if updates > 2 {
			t.Errorf("AWS was asked %d times for what it will never do", updates)
		}
	})
}

func TestErrorThatTimeHealsIsNotStalled(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		tg := s.group("throttled")
		e.cloud.with(tg.GetName(), func(s *script) { s.observeErr = errors.New("throttled") })
		e.create(t, tg)
		e.until(t, tg, "not synced", func() bool { return is(tg, xpv2.TypeSynced, "False", "") })

		if got := e.status(t, tg); got != status.InProgressStatus {
			t.Errorf("kstatus says %s", got)
		}

		e.cloud.with(tg.GetName(), func(s *script) { s.observeErr = nil })
		e.until(t, tg, "current", func() bool { return e.status(t, tg) == status.CurrentStatus })
	})
}

func TestDeletionWaitsQuietly(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		tg := s.group("blocked")
		e.create(t, tg)
		e.until(t, tg, "ready", func() bool { return is(tg, xpv2.TypeReady, "True", "") })
		e.cloud.with(tg.GetName(), func(s *script) { s.blocked = true })

		if err := e.client.Delete(t.Context(), tg); err != nil {
			t.Fatal(err)
		}

		e.until(t, tg, "blocked", func() bool {
			return is(tg, controller.TypeDeletionBlocked, "True", "ResourceInUse") && e.cloud.count(tg.GetName(), "Delete") > 1
		})

		if !is(tg, xpv2.TypeSynced, "True", "") || !is(tg, xpv2.TypeReady, "False", xpv2.ReasonDeleting) {
			t.Errorf("waiting is no error: %+v", tg.ObservedState().Conditions)
		}

		e.cloud.with(tg.GetName(), func(s *script) { s.blocked = false })
		e.untilGone(t, tg)
		eventually(t, "the kind was told that it ends, while it was there, and then that it is gone", func() (gone bool) {
			e.cloud.with(tg.GetName(), func(s *script) { gone = s.gone && s.ending })

			return gone
		})
	})
}

func TestOrphaningDeletionEndsToo(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		tg := s.group("orphan")
		tg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe", "Create", "Update"})
		e.create(t, tg)
		e.until(t, tg, "ready", func() bool { return is(tg, xpv2.TypeReady, "True", "") })

		if err := e.client.Delete(t.Context(), tg); err != nil {
			t.Fatal(err)
		}

		e.untilGone(t, tg)

		if got := e.cloud.count(tg.GetName(), "Delete"); got != 0 {
			t.Errorf("it was deleted in AWS")
		}

		eventually(t, "the kind was told that it ends, while it was there, and then that it is gone", func() (gone bool) {
			e.cloud.with(tg.GetName(), func(s *script) { gone = s.gone && s.ending })

			return gone
		})
	})
}

func TestMissingIsSaidWhenPoliciesForbidToCreate(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		tg := s.group("missing")
		tg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe", "Update"})
		e.create(t, tg)
		e.until(t, tg, "missing", func() bool { return is(tg, xpv2.TypeReady, "False", controller.ReasonMissing) })

		if got := e.cloud.count(tg.GetName(), "Update"); got != 0 {
			t.Errorf("what does not exist was updated")
		}
	})
}

// update changes the spec.
func update(t *testing.T, e *env, tg targetGroup) {
	t.Helper()

	patch := client.MergeFrom(tg.DeepCopyObject().(client.Object)) //nolint:forcetypeassert // It is one.
	n := int32(5)
	if h := tg.ForProvider().HealthCheck; h != nil {
		n = *h.IntervalSeconds + 1
	}
	tg.ForProvider().HealthCheck = healthCheck(n)

	if err := e.client.Patch(t.Context(), tg, patch); err != nil {
		t.Fatal(err)
	}

	if slices.Contains(tg.GetFinalizers(), "") || meta.WasDeleted(tg) {
		t.Fatal("it is being deleted")
	}
}
