package install_test

import (
	"testing"
	"time"
)

// TestCircuitBreakerStaysClosed: Crossplane stops listening to the resources of a
// composite resource for five minutes when they change too often. It counts how
// often.
func TestCircuitBreakerStaysClosed(t *testing.T) {
	const n = 5
	workload(t, n)
	ports := []any{
		map[string]any{"port": int64(443), "targetPort": int64(8443)},
		map[string]any{"port": int64(80), "targetPort": int64(8080)},
		map[string]any{"port": int64(8081), "targetPort": int64(8081)},
	}
	for _, s := range styles {
		t.Run(s.name, func(t *testing.T) {
			account, err := it.Observe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer account.Close()
			before := counted(t, "circuit_breaker_events_total")
			claim := read(t, s.file)[0]
			began := time.Now()
			change(t, claim, ports, "10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
			ready(t, claim)
			t.Logf("from claim to Ready: %s", time.Since(began).Round(100*time.Millisecond))
			x := s.prefix(t, claim)
			serves(t, x, n, 443, 8443)
			serves(t, x, n, 80, 8080)
			serves(t, x, n, 8081, 8081)
			time.Sleep(30 * time.Second)
			t.Logf("to Ready, and settled:\n%s", account.Report())
			remove(t, claim)
			inAWS(t, "nothing is left", x)

			if after := counted(t, "circuit_breaker_events_total"); after <= before {
				t.Errorf("the circuit breaker counts events, got %v after %v", after, before)
			}
			if opened := counted(t, "circuit_breaker_opens_total"); opened != 0 {
				t.Errorf("the circuit breaker never opens, it did %v times", opened)
			}
			left, whose, err := account.Lowest()
			t.Logf("%.0f tokens left in the bucket of %s, %v", left, whose, err)
		})
	}
}

// counted is a counter of Crossplane's core.
func counted(t *testing.T, name string) float64 {
	t.Helper()
	n, err := it.Metric(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
