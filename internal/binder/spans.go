package binder

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// spanBuckets are in seconds. NLBs take minutes: what matters is told apart there.
var spanBuckets = []float64{5, 15, 30, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1800}

// histograms are what a Binder measures of AWS, with the accuracy of its health reads.
type histograms struct {
	healthy, gone *prometheus.HistogramVec
}

func newHistograms() histograms {
	of := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: spanBuckets}, []string{"account", "region"})
	}
	return histograms{
		healthy: of("provider_nlb_register_to_healthy_seconds",
			"From a RegisterTargets that succeeded to the first read that calls the target healthy."),
		gone: of("provider_nlb_deregister_to_gone_seconds",
			"From a DeregisterTargets that succeeded to the first read that does not list the target. It is read when its deregistration delay should be over."),
	}
}

// spans are when targets of a group were written, for those of which the end is not
// seen yet.
type spans struct {
	registered, deregistered map[targets.Key]time.Time
}

func newSpans() spans {
	return spans{registered: map[targets.Key]time.Time{}, deregistered: map[targets.Key]time.Time{}}
}

// wrote notes a call that succeeded; before is what was known until then. What was
// registered already measures nothing.
func (s *spans) wrote(register bool, keys []targets.Key, before states, now time.Time) {
	for _, k := range keys {
		delete(s.deregistered, k)
		switch t := before[k]; {
		case !register:
			delete(s.registered, k)
			s.deregistered[k] = now
		case t == nil || t.Presence != targets.Registered && t.Presence != targets.Unknown:
			s.registered[k] = now
		}
	}
}

// read notes what a read has shown: it observes the spans that have ended.
func (s *spans) read(after states, began, now time.Time, healthy, gone prometheus.Observer) {
	for k, since := range s.registered {
		switch t := after[k]; {
		case t == nil || t.Presence == targets.Absent || t.Presence == targets.Draining:
			delete(s.registered, k)
		case t.Presence == targets.Registered && t.Health == targets.HealthHealthy && !began.Before(since):
			healthy.Observe(now.Sub(since).Seconds())
			delete(s.registered, k)
		}
	}
	for k, since := range s.deregistered {
		switch t := after[k]; {
		case t == nil || t.Presence == targets.Absent:
			gone.Observe(now.Sub(since).Seconds())
			delete(s.deregistered, k)
		case t.Presence == targets.Registered:
			delete(s.deregistered, k)
		}
	}
}
