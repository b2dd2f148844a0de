package kindtest

import (
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// Paused runs f while the object is not reconciled, and forgets the calls until
// then: what AWS is asked for after it is the answer to what f did.
func (e *Env) Paused(t *testing.T, mg resource.Managed, f func()) {
	t.Helper()
	e.Change(t, mg, func() {
		meta.AddAnnotations(mg, map[string]string{meta.AnnotationKeyReconciliationPaused: "true"})
	})
	e.Until(t, mg, "paused", func() bool { return mg.GetCondition(xpv2.TypeSynced).Reason == xpv2.ReasonReconcilePaused })
	f()
	e.Sim.Reset()
	e.Change(t, mg, func() { meta.RemoveAnnotations(mg, meta.AnnotationKeyReconciliationPaused) })
}

// Writes are the accepted calls that changed something since the last Reset of Sim,
// in order.
func (e *Env) Writes() []string {
	var out []string

	for _, c := range e.Sim.Calls() {
		if c.Code == "" && !strings.HasPrefix(c.Action, "Describe") && !strings.HasPrefix(c.Action, "Get") {
			out = append(out, c.Action)
		}
	}

	return out
}
