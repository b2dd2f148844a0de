package binder_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func TestMetricsOfReads(t *testing.T) {
	inBubble(t, awssim.Options{}, time.Hour, func(t *testing.T, b *bench) {
		b.many(2)
		b.settled(10 * time.Minute)
		b.sim.Fault(awssim.Fault{Action: health, Effect: awssim.Hang})
		time.Sleep(40 * time.Minute) // Both were read last 75 s after the start.
		registry := prometheus.NewPedanticRegistry()
		if err := registry.Register(b.engine); err != nil {
			t.Fatal(err)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]time.Duration{}
		for _, f := range families {
			got[f.GetName()] = time.Duration(f.GetMetric()[0].GetGauge().GetValue()) * time.Second
		}
		age := got["provider_nlb_aws_health_read_age_seconds"]
		if age < 48*time.Minute || age > 49*time.Minute {
			t.Errorf("the oldest read is %s old, want the time since the last read", age)
		}
		if due, ok := got["provider_nlb_aws_health_reads_due"]; due != 0 || !ok {
			t.Errorf("%v are due before the poll interval is over", due)
		}
	})
}
