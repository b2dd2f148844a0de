package histories

import (
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// careful is a workload that does what docs/rollouts.md asks for: it fails its
// health check first, keeps serving, then exits.
func careful(name string) *app {
	return &app{name: name, port: 8443, check: 8080, pulls: 5 * time.Second, warms: 3 * time.Second, drains: 90 * time.Second, failsCheck: true}
}

func TestADaemonSetIsRolledInPlace(t *testing.T) {
	for _, profile := range []awssim.Profile{awssim.Observed, awssim.Worst} {
		t.Run(profile.Name, func(t *testing.T) {
			inWorld(t, profile, func(w *world) {
				a := careful("web")
				a.daemonSet = true
				ds := &daemonSet{app: a, version: 1, unavailable: 1}
				w.machinesIn(6)
				w.do(func() { w.controllers = append(w.controllers, ds) })
				arn := w.groupOf("web", a)
				w.bind("web", arn, a)
				w.settled(15 * time.Minute)
				w.connect(arn, time.Second, 20*time.Second)
				w.do(func() { clear(w.judges.writes); ds.version++ })
				took := w.until("all pods are new", 2*time.Hour, func() bool {
					for _, p := range w.pods {
						if p.version != ds.version || !p.ready {
							return false
						}
					}
					return len(w.pods) == 6
				})
				w.run(10 * time.Minute)
				t.Logf("took %s", took)
				w.wrote(0, 0)
			})
		})
	}
}

func (w *world) wrote(register, deregister int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.judges.writes; got["RegisterTargets"] != register || got["DeregisterTargets"] != deregister {
		w.t.Errorf("calls of RegisterTargets: %d, of DeregisterTargets: %d; want %d and %d\n%s",
			got["RegisterTargets"], got["DeregisterTargets"], register, deregister, w.story())
	}
}
