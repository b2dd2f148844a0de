package composition

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// reportBalancer says what there is of a load balancer.
func (s style) reportBalancer(claim NetworkLoadBalancerSpec, req Request, rsp *Response) error {
	balancer, err := decode[v1alpha1.LoadBalancerStatus](req.Observed[nameLoadBalancer]["status"])
	if err != nil {
		return err
	}

	group, err := decode[v1alpha1.SecurityGroupStatus](req.Observed[nameSecurityGroup]["status"])
	if err != nil {
		return err
	}

	at := balancer.AtProvider
	status := NetworkLoadBalancerStatus{
		DNSName: at.DNSName, CanonicalHostedZoneID: at.CanonicalHostedZoneID, LoadBalancerARN: at.ARN,
	}

	// The load balancer follows its group in a moment: one update for both.
	if at.ARN != "" {
		status.SecurityGroupID = group.AtProvider.ID
	}

	var healthy []string

	for _, p := range sorted(claim.Ports) {
		seen, err := decode[NetworkLoadBalancerPortStatus](req.Observed[namePort(p.Port)]["status"])
		if err != nil {
			return err
		}

		status.Ports = append(status.Ports, PortStatus{Port: p.Port, PortObservation: seen.PortObservation})
		healthy = append(healthy, fmt.Sprintf("%d: %d/%d", p.Port, seen.Healthy, seen.Registered))
	}

	was, err := decode[NetworkLoadBalancerStatus](req.Composite["status"])
	if err != nil {
		return err
	}

	tell, again := atOnce(was.Ports, status.Ports, req.Now)
	if rsp.Again == 0 {
		rsp.Again = again
	}

	if tell {
		status.Healthy = strings.Join(healthy, ", ")
	} else {
		status.Ports = nil
	}

	if s.legacy && at.DNSName != "" {
		rsp.Connection = map[string][]byte{}
		for k, v := range details(at) {
			rsp.Connection[k] = []byte(v)
		}
	}

	if rsp.Status, err = encode(status); err != nil {
		return err
	}

	rsp.Problem, err = worst(req)

	return err
}

// patience is how long the first numbers of one port wait for those of the others.
const patience = 5 * time.Second

// atOnce says whether the numbers of ports are told, and when to look again if not.
// The first ones come in one update, since ports get their targets at the same time,
// as a rule.
func atOnce(was, is []PortStatus, now time.Time) (tell bool, again time.Duration) {
	var first *metav1.Time

	all := true

	for _, p := range is {
		all = all && p.CountedAt != nil
		if p.CountedAt != nil && (first == nil || p.CountedAt.Before(first)) {
			first = p.CountedAt
		}
	}

	switch {
	case len(was) > 0, all:
		return true, 0
	case first == nil:
		return false, 0
	case now.Sub(first.Time) >= patience:
		return true, 0
	}

	return false, (patience - now.Sub(first.Time)).Truncate(time.Second) + time.Second
}

// details are what applications need to know of a load balancer.
func details(at v1alpha1.LoadBalancerObservation) map[string]string {
	return map[string]string{"dnsName": at.DNSName, "canonicalHostedZoneId": at.CanonicalHostedZoneID, "arn": at.ARN}
}

// connection returns the Secret with the connection details. As everywhere in
// Crossplane it is there from the beginning, without any until they are known: a
// resource that comes later costs much more of the circuit breaker's tokens. Details
// that are there stay. Legacy composite resources have connection details of their own.
func (s style) connection(req Request) (Object, error) {
	if s.legacy {
		return nil, nil
	}

	balancer, err := decode[v1alpha1.LoadBalancerStatus](req.Observed[nameLoadBalancer]["status"])
	if err != nil {
		return nil, err
	}

	data := req.Observed[nameConnection]["data"]

	if balancer.AtProvider.DNSName != "" {
		known := Object{}
		for k, v := range details(balancer.AtProvider) {
			known[k] = base64.StdEncoding.EncodeToString([]byte(v))
		}

		data = known
	}

	o, err := s.object("v1", "Secret", s.base()+"-nlb", map[string]string{labelClaim: s.base()}, struct{}{})
	if err != nil {
		return nil, err
	}

	delete(o, "spec")
	o["type"] = "connection.crossplane.io/v1alpha1"

	if data != nil {
		o["data"] = data
	}

	return o, nil
}

// reportPort says what there is of a port.
func (s style) reportPort(p NetworkLoadBalancerPortSpec, req Request, rsp *Response) error {
	was, err := decode[NetworkLoadBalancerPortStatus](req.Composite["status"])
	if err != nil {
		return err
	}

	bound, err := decode[v1alpha1.TargetGroupBindingStatus](req.Observed[nameBinding(p.Port)]["status"])
	if err != nil {
		return err
	}

	status := was

	if t := bound.AtProvider.Targets; t != nil {
		var again time.Duration

		status.PortObservation, again = counted(was.PortObservation, PortObservation{Healthy: t.Healthy, Registered: t.Registered}, created(req.Composite, cost{}, req.Now).at, req.Now)
		if rsp.Again == 0 {
			rsp.Again = again
		}
	}

	if status.CountedAt == nil {
		rsp.Status = Object{}
	} else if rsp.Status, err = encode(status); err != nil {
		return err
	}

	if rsp.Problem, err = worst(req); err != nil || rsp.Problem != nil {
		return err
	}

	if t := bound.AtProvider.Targets; t != nil && t.Desired+t.Registered == 0 && conditionOf(bound.Conditions, "Ready").Status == "True" {
		rsp.Problem = &Problem{Reason: ReasonNoTargets, Message: p.nothingSelected()}
	}

	return nil
}

func (p NetworkLoadBalancerPortSpec) nothingSelected() string {
	if p.ServiceName != nil {
		return fmt.Sprintf("no ready hostNetwork pod of Service %q was found: nothing is registered", *p.ServiceName)
	}

	return fmt.Sprintf("no ready hostNetwork pod that podSelector selects has port %d: nothing is registered", or(p.TargetPort, p.Port.Port))
}

// countInterval is how often the numbers of a port may change: in a rollout each of
// them would be an update of the composite resource, and of the one around it.
const countInterval = time.Minute

// counted returns the numbers to show, and when to look again if newer ones wait.
// Whether there is anything healthy, anything registered, and whether all of it is
// healthy again is shown at once. The first numbers come with the first healthy
// target, so that a port that is being created is not written for each step; but not
// later than some seconds after it was born.
func counted(was, is PortObservation, born, now time.Time) (PortObservation, time.Duration) {
	at := metav1.NewTime(now.Truncate(time.Second))
	is.CountedAt = &at

	if was.CountedAt == nil {
		if age := now.Sub(born); is.Healthy == 0 && age < countInterval/3 {
			return was, (countInterval/3 - age).Truncate(time.Second) + time.Second
		}

		return is, 0
	}

	if was.Healthy == is.Healthy && was.Registered == is.Registered {
		return was, 0
	}

	none := (was.Healthy == 0) != (is.Healthy == 0) || (was.Registered == 0) != (is.Registered == 0)
	whole := is.Healthy == is.Registered

	age := now.Sub(was.CountedAt.Time)
	if none || whole && age >= countInterval/3 || age >= countInterval {
		return is, 0
	}

	wait := countInterval - age
	if whole {
		wait = countInterval/3 - age
	}

	return was, wait.Truncate(time.Second) + time.Second
}

// inOrder returns the keys of a map, sorted.
func inOrder[K cmp.Ordered, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}

	slices.Sort(out)

	return out
}
