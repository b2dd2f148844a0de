package composition

import (
	"strconv"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// What a health check is unless the claim says otherwise. It can be failed while
// the process goes on serving, since a port of its own is asked over HTTP; and it
// decides within 10 seconds.
const (
	checkInterval    = 5
	checkTimeout     = 2
	checkThreshold   = 2
	trafficPort      = "traffic-port"
	defaultDraining  = 300
	defaultSSLPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
)

// checkPort returns the health check's own port; 0 if it checks the traffic port.
func checkPort(h *v1alpha1.HealthCheck) int32 {
	if h == nil || h.Port == nil {
		return 0
	}

	n, err := strconv.ParseInt(*h.Port, 10, 32)
	if err != nil {
		return 0 // traffic-port
	}

	return int32(n)
}

// healthCheck returns the whole health check of a claim, which may be nil.
func healthCheck(h *v1alpha1.HealthCheck) *v1alpha1.HealthCheck {
	out := v1alpha1.HealthCheck{}
	if h != nil {
		out = *h
	}

	protocol := "TCP"
	if checkPort(h) != 0 {
		protocol = "HTTP"
	}

	defaulted(&out.Protocol, protocol)
	defaulted(&out.Port, trafficPort)
	defaulted(&out.IntervalSeconds, checkInterval)
	defaulted(&out.TimeoutSeconds, checkTimeout)
	defaulted(&out.HealthyThreshold, checkThreshold)
	defaulted(&out.UnhealthyThreshold, checkThreshold)

	return &out
}

func defaulted[T any](p **T, value T) {
	if *p == nil {
		*p = &value
	}
}
