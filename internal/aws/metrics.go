package aws

import (
	"github.com/prometheus/client_golang/prometheus"
)

// What a Pool tells to Prometheus. Account, region and service name a budget; they
// are few, as are categories, actions and results.
var (
	perBudget = []string{"account", "region", "service"}

	tokensLeft = prometheus.NewDesc("provider_nlb_aws_tokens",
		"Calls that may be made at once, of our share of what AWS grants.", append(perBudget[:3:3], "category"), nil)
	tokenRate = prometheus.NewDesc("provider_nlb_aws_tokens_per_second",
		"Calls that may be made per second at present: less than our share after AWS has throttled.", append(perBudget[:3:3], "category"), nil)
	tokensAwaited = prometheus.NewDesc("provider_nlb_aws_calls_waiting",
		"Calls that wait for a token.", append(perBudget[:3:3], "category"), nil)
	throttledTotal = prometheus.NewDesc("provider_nlb_aws_throttled_total",
		"Calls that AWS throttled, retries included.", append(perBudget[:3:3], "category"), nil)
	callsTotal = prometheus.NewDesc("provider_nlb_aws_calls_total",
		"Calls to AWS, retries included, by action and result: Success, or the class of the error.", append(perBudget[:3:3], "action", "result"), nil)
)

// success is the result of a call that is no error.
const success = "Success"

// outcome is what calls are counted by.
type outcome struct {
	action string
	class  Class
}

func (o outcome) result() string {
	if o.class == ClassNone {
		return success
	}
	return string(o.class)
}

// Describe is for prometheus.Collector.
func (*Pool) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{tokensLeft, tokenRate, tokensAwaited, throttledTotal, callsTotal} {
		to <- d
	}
}

// Collect is for prometheus.Collector. It takes no token and makes no call. The
// budgets of several endpoints of one account, which only tests have, are told as
// that of the first.
func (p *Pool) Collect(to chan<- prometheus.Metric) {
	told := map[[3]string]bool{}
	for _, s := range p.Budgets() {
		labels := [3]string{s.Account, s.Region, s.Service}
		if told[labels] {
			continue
		}
		told[labels] = true
		s.Budget.collect(to, labels[:])
	}
}

func (b *Budget) collect(to chan<- prometheus.Metric, labels []string) {
	send := func(d *prometheus.Desc, t prometheus.ValueType, v float64, more ...string) {
		to <- prometheus.MustNewConstMetric(d, t, v, append(labels[:len(labels):len(labels)], more...)...)
	}
	for c, l := range b.Level() {
		send(tokensLeft, prometheus.GaugeValue, l.Tokens, string(c))
		send(tokenRate, prometheus.GaugeValue, l.PerSecond, string(c))
		send(tokensAwaited, prometheus.GaugeValue, float64(l.Waiting), string(c))
		send(throttledTotal, prometheus.CounterValue, float64(l.Throttled), string(c))
	}
	for o, n := range b.outcomesSoFar() {
		send(callsTotal, prometheus.CounterValue, float64(n), o.action, o.result())
	}
}
