package binder_test

import (
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// TestWhatFitsUnderAQuotaIsRegistered: AWS refuses a whole batch where some of it
// would fit. It takes a call for each halving, not one for each target.
func TestWhatFitsUnderAQuotaIsRegistered(t *testing.T) {
	inBubble(t, awssim.Options{Quotas: awssim.Quotas{TargetsPerGroup: 37}}, time.Minute, func(t *testing.T, b *bench) {
		b.nodes(60)
		arn := b.group("web")
		var all []int
		for i := range 60 {
			all = append(all, i)
		}
		b.world.run("web", all...)
		b.engine.Bind(b.order("web", arn))
		time.Sleep(30 * time.Second)
		if got := len(b.held(arn)); got != 37 {
			t.Errorf("%d targets are registered, 37 fit", got)
		}
		if got := b.sim.Count("RegisterTargets"); got > 12 {
			t.Errorf("that took %d calls", got)
		}
		b.condition("web", "Ready", "TooManyTargets")
		b.sim.Reset()
		time.Sleep(10 * time.Minute)
		if got := b.sim.Count("RegisterTargets"); got > 10*6 {
			t.Errorf("%d calls in 10 minutes in which nothing became free", got)
		}
	})
}
