package conformance

import (
	"testing"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// answers is a refusal with a code of the kind's own.
func answers(reason string, class aws.Class, code string) refusal {
	return refusal{reason: reason, class: class, effect: awssim.Answer, code: code, ec2Code: code, attempts: 1}
}

// AWS is eventually consistent: a creation may be told that the identity is taken by
// what no lookup shows yet. That is an error until a look tells whose it is.
func TestTakenIdentityThatNobodySeesIsTriedAgain(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.minimal(t)
		w.suffers(t, mg, w.kind.create, answers("The next look tells whose it is.", aws.ClassExists, w.kind.taken), func() { w.Create(t, mg) })
		w.UntilApplied(t, mg)
		w.isTheOne(t, mg)
	})
}

// AWS may also say that there is nothing to change, of what a lookup has just shown.
func TestThingThatAChangeDoesNotFindIsTriedAgain(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		w.suffers(t, mg, w.kind.modify, answers("It has gone, or AWS does not see it yet.", aws.ClassNotFound, w.kind.gone),
			func() { w.Change(t, mg, func() { w.kind.change(w, mg) }) })
		w.UntilApplied(t, mg)
		w.isTheOne(t, mg)

		if !w.kind.changed(t, w) {
			t.Error("it is said to be applied, but AWS does not have the change")
		}
	})
}

// What is gone need not be deleted.
func TestDeletionOfWhatIsGoneIsNoError(t *testing.T) {
	everyMaker(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		w.refuse(t, w.kind.remove, refusal{effect: awssim.Answer, code: w.kind.gone, ec2Code: w.kind.gone, times: 1})
		kindtest.Must(t, w.Client.Delete(t.Context(), mg))
		w.UntilGone(t, mg)

		if w.answered(w.kind.remove) != w.kind.gone {
			t.Error("AWS did not say so: the test shows nothing")
		}

		w.noWarnings(t, mg)
	})
}
