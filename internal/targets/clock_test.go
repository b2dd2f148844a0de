package targets

import (
	"testing"
	"time"
	"unsafe"
)

// set is a moment of a process whose wall clock somebody has set: the monotonic
// reading is as ever. The standard library has no other way to make one.
func set(t time.Time, by time.Duration) time.Time {
	const inSeconds = 30 // the low bits of the first word are nanoseconds
	*(*uint64)(unsafe.Pointer(&t)) += uint64(by/time.Second) << inSeconds
	return t
}

// TestTheWallClockIsSet: no timer of ours ends because of it, and none is lost.
func TestTheWallClockIsSet(t *testing.T) {
	began := time.Now()
	noted := began.Add(-10 * time.Second).Round(0) // Kubernetes' note has no monotonic reading
	for name, by := range map[string]time.Duration{"Not": 0, "Forwards": 5 * time.Hour, "Backwards": -7 * time.Minute} {
		if got := set(began, by); got.Sub(began) != 0 || got.Round(0).Sub(began.Round(0)) != by {
			t.Fatalf("%s: set() does not make what it says: %s after %s", name, got, began)
		}
		notReady := policy(func(p *Policy) { p.NotReadyDeregister = true })
		crashed := pod("a", daemon, func(p *Pod) { p.ContainersReady, p.UnreadySince = false, noted })
		starting := input(func(in *Input) { in.Now = began })
		// later is the world d later, by a clock that has been set meanwhile.
		later := func(in Input, d time.Duration, options ...option) Input {
			out := after(in, 0, options...)
			out.Now = set(in.Now.Add(d), by)
			return out
		}
		unready := scene(healthyElsewhere, notReady, node("a"), crashed, target("a", HealthUnhealthy), starting)
		ready := scene(healthyElsewhere, notReady, node("a"), pod("a", daemon), target("a", HealthUnhealthy), starting)
		vacated := after(after(scene(healthyElsewhere, node("a"), pod("a", daemon), target("a", HealthHealthy), starting), 0), 0, noPods("a"))
		checkRules(t, []rule{
			{name + "/NotReady", "A pod's time goes on as it was.", later(unready, 289*time.Second), []string{"= i-a Retained", elsewhere}},
			{name + "/NotReadyLeaves", "And ends.", later(unready, 290*time.Second), []string{"- i-a NotReady", elsewhere}},
			{name + "/CrashesThen", "What a plan saw ready is not unready for hours.", later(ready, time.Second, noPods("a"), crashed), []string{"= i-a Retained", elsewhere}},
			{name + "/Vacated", "A successor is waited for as long as ever.", later(vacated, 119*time.Second), []string{"= i-a Vacated", elsewhere}},
			{name + "/VacatedEnds", "And no longer.", later(vacated, 120*time.Second), []string{"- i-a NoSuccessor", elsewhere}},
		})
	}
}
