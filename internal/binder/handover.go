package binder

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// heirAgain is when a release looks again for an heir that has given no order yet.
const heirAgain = time.Second

// heirBlindFor is how long a binding is waited for to see its pods, from its first
// order on: when the API server noted its creation says nothing by our clock.
const heirBlindFor = time.Minute

// awaitHeir keeps the targets of a binding that is being deleted while another one
// that may want them was just created and has given no order: a rename in one
// commit must have no gap. It returns when to look again. Callers hold mu.
func (g *group) awaitHeir(bd *binding, in *targets.Input, now time.Time) time.Time {
	if !bd.releasing || in.Policy.NoDeregister != "" {
		return time.Time{}
	}
	unborn := g.b.o.Heir != nil && g.b.o.Heir(bd.order.Binding, g.b.brakes.knows)
	if !unborn && !g.blindHeir(now) {
		return time.Time{}
	}
	in.Policy.NoDeregister = "another binding of the same target group was just created and may want them"
	return now.Add(heirAgain)
}

// blindHeir says that a new binding of the group does not see its pods yet. One
// that never does must not hold up a deletion for ever. Callers hold mu.
func (g *group) blindHeir(now time.Time) bool {
	for _, bd := range g.bindings {
		young := now.Sub(bd.born) < heirBlindFor
		if !bd.releasing && young && g.b.o.Clusters.CompleteSince(string(bd.order.Binding.UID)).IsZero() {
			return true
		}
	}
	return false
}

// knows says that a binding has given an order.
func (b *brakes) knows(uid types.UID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.planned[uid]
	return ok
}
