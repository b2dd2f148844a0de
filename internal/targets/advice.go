package targets

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// noticeWithin is how soon AWS should call a target unhealthy that has begun to
	// fail (binding.md §11).
	noticeWithin = 20 * time.Second
	// serveOn is how long a pod has to go on serving after AWS should have noticed:
	// until the load balancer's nodes have learnt of it too, and connections that
	// were just made have ended (binding.md §11).
	serveOn = 40 * time.Second
)

// What makes it likely that connections are reset when a pod goes (binding.md §11).
const (
	// RiskCheck: AWS checks by opening a connection to the traffic port, so that a
	// pod cannot fail the check and serve at the same time.
	RiskCheck Rule = "ChecksTrafficPort"
	// RiskSlow: AWS takes too long to notice.
	RiskSlow Rule = "SlowHealthCheck"
	// RiskEnded: AWS ends the connections of a target that it calls unhealthy.
	RiskEnded Rule = "EndsUnhealthyConnections"
	// RiskNoPreStop: the process is told to end at the moment in which the pod begins
	// to terminate.
	RiskNoPreStop Rule = "NoPreStop"
	// RiskGrace: the process is killed before the load balancer's nodes know.
	RiskGrace Rule = "ShortGracePeriod"
)

// A Risk is one reason for which connections are likely to be reset when a pod
// goes. It is advice: nothing depends on it.
type Risk struct {
	Rule Rule
	// Advice is a clause for people, without names of pods and without numbers that a
	// rollout changes.
	Advice string
}

// DrainRisks are the risks of a group and of the pods that are its targets, in a
// fixed order; none of a group whose health check is not known.
func DrainRisks(group Group, selection Selection, pods []Pod) []Risk {
	if group.Check == (HealthCheck{}) {
		return nil
	}
	var out []Risk
	add := func(r Rule, format string, args ...any) {
		out = append(out, Risk{r, fmt.Sprintf(format, args...)})
	}
	notices := group.Check.Notices()
	if group.Check.Protocol == "TCP" && checksTraffic(group, selection, pods) {
		add(RiskCheck, "the health check opens a TCP connection to the traffic port, so that a pod which ends cannot fail it and go on serving: check HTTP, or another port")
	}
	if notices > noticeWithin {
		add(RiskSlow, "AWS takes %s to call a target unhealthy (unhealthyThreshold × interval): make that %s or less", notices, noticeWithin)
	}
	if group.EndsUnhealthy && (group.Protocol == "TCP" || group.Protocol == "TLS") {
		add(RiskEnded, "AWS ends the connections of a target that it calls unhealthy: set attribute target_health_state.unhealthy.connection_termination.enabled to false")
	}
	noPreStop, short := false, false
	for _, pod := range pods {
		noPreStop = noPreStop || !preStop(group, selection, pod)
		short = short || pod.Grace < notices+serveOn
	}
	if noPreStop {
		add(RiskNoPreStop, "pods have no preStop hook, so that they end before AWS knows: add one that fails the health check and waits")
	}
	if short {
		add(RiskGrace, "pods have a terminationGracePeriodSeconds of less than %.0f (%s until AWS notices, and %s)", (notices + serveOn).Seconds(), notices, serveOn)
	}
	return out
}

// checksTraffic: the health check has the port that traffic has.
func checksTraffic(group Group, selection Selection, pods []Pod) bool {
	number, err := strconv.ParseInt(group.Check.Port, 10, 32)
	if err != nil {
		return strings.EqualFold(group.Check.Port, "traffic-port")
	}
	if selection.Port == int32(number) {
		return true
	}
	for _, pod := range pods {
		if port, _, skip := selection.hostPort(group, pod, nil); skip == nil && port == int32(number) {
			return true
		}
	}
	return false
}

// preStop says that the container which has the selected port has a preStop hook,
// or, where none declares it, that some container has.
func preStop(group Group, selection Selection, pod Pod) bool {
	has, declared := false, false
	for _, port := range pod.Ports {
		if !group.fits(port.Protocol) {
			continue
		}
		number := port.Container
		if !pod.HostNetwork {
			number = port.Host
		}
		if selection.Port != 0 && number == selection.Port || selection.Port == 0 && port.Name == selection.PortName {
			has, declared = has || port.PreStop, true
		}
	}
	if declared {
		return has
	}
	return pod.PreStop
}
