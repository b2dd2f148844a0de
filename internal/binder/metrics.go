package binder

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What a Binder tells to Prometheus for each account and region. What it tells of each
// binding is in metrics_binding.go.
var (
	healthAge = prometheus.NewDesc("provider_nlb_aws_health_read_age_seconds",
		"Age of the oldest health that is known of a target group; groups that were never read are not in it.", []string{"account", "region"}, nil)
	healthDue = prometheus.NewDesc("provider_nlb_aws_health_reads_due",
		"Target groups whose health should have been read by now.", []string{"account", "region"}, nil)
	deregistrationStopped = prometheus.NewDesc("provider_nlb_deregistration_stopped",
		"1 while the process deregisters nothing because of a storm of removals or a restored cluster, else 0.", nil, nil)
)

// Describe is for prometheus.Collector.
func (b *Binder) Describe(to chan<- *prometheus.Desc) {
	to <- healthAge
	to <- healthDue
	to <- deregistrationStopped
	for _, d := range bindingDescs() {
		to <- d
	}
	b.measured.healthy.Describe(to)
	b.measured.gone.Describe(to)
}

// Collect is for prometheus.Collector. Groups of several endpoints of one account,
// which only tests have, are told together.
func (b *Binder) Collect(to chan<- prometheus.Metric) {
	type place struct{ account, region string }
	age, due := map[place]float64{}, map[place]int{}
	now := time.Now()
	stopped := 0.0
	if brake, _ := b.brakes.now(now); brake.Type != "" {
		stopped = 1
	}
	to <- prometheus.MustNewConstMetric(deregistrationStopped, prometheus.GaugeValue, stopped)
	b.collectBindings(to, now)
	b.measured.healthy.Collect(to)
	b.measured.gone.Collect(to)
	for _, g := range b.all() {
		at := place{g.key.account, g.key.region}
		read, wanted := g.lastRead()
		if !read.IsZero() {
			age[at] = max(age[at], now.Sub(read).Seconds())
		}
		due[at] += 0
		if !wanted.IsZero() && wanted.Before(now) {
			due[at]++
		}
	}
	for at, n := range due {
		to <- prometheus.MustNewConstMetric(healthDue, prometheus.GaugeValue, float64(n), at.account, at.region)
		if a, ok := age[at]; ok {
			to <- prometheus.MustNewConstMetric(healthAge, prometheus.GaugeValue, a, at.account, at.region)
		}
	}
}

// all are the groups there are.
func (b *Binder) all() []*group {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]*group, 0, len(b.groups))
	for _, g := range b.groups {
		out = append(out, g)
	}
	return out
}

// lastRead is when the group was read last, and when it should be read again; zero
// while a read is under way.
func (g *group) lastRead() (last, due time.Time) {
	g.mu.Lock()
	last = g.read.done
	g.mu.Unlock()
	return last, g.scheduler.due(g)
}
