package awssim

import (
	"strconv"
	"time"
)

// capacity is the capacity reservation of a load balancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/capacity-unit-reservation.html
type capacity struct {
	units int
	// changed is when it was last asked for, and done when that has an effect.
	changed, done time.Time
	// state and reason are what a test set instead.
	state, reason string
	// decreases are when it was decreased.
	decreases []time.Time
}

// maxDecreases in 24 hours.
const maxDecreases = 2

func capacityActions() map[string]action {
	return map[string]action{
		"DescribeCapacityReservation": {
			bucket: nonMutating, params: map[string]shape{"LoadBalancerArn": anyText()},
			required: []string{"LoadBalancerArn"}, run: describeCapacity,
		},
		"ModifyCapacityReservation": {
			bucket: mutating,
			params: map[string]shape{
				"LoadBalancerArn": anyText(), "MinimumLoadBalancerCapacity.CapacityUnits": number(1, 1<<31-1),
				"ResetCapacityReservation": trueOrFalse(),
			},
			required: []string{"LoadBalancerArn"}, run: modifyCapacity,
		},
	}
}

// pending says whether the last request has neither succeeded nor failed.
func (p capacity) pending(now time.Time) bool {
	if p.state != "" {
		return p.state == "pending" || p.state == "rebalancing"
	}
	return now.Before(p.done)
}

// remaining is how many decreases are left for now.
func (p capacity) remaining(now time.Time) int {
	return maxDecreases - count(p.decreases, func(t time.Time) bool { return now.Sub(t) < 24*time.Hour })
}

// modifyCapacity: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyCapacityReservation.html
func modifyCapacity(c *call) (any, error) {
	lb, err := c.changeable()
	if err != nil {
		return nil, err
	}
	units := c.num("MinimumLoadBalancerCapacity.CapacityUnits", 0)
	reset := c.str("ResetCapacityReservation") == "true"
	p := &lb.capacity
	switch {
	case reset == (units > 0):
		return nil, invalid("Exactly one of MinimumLoadBalancerCapacity and ResetCapacityReservation must be specified")
	case p.pending(c.now):
		return nil, refuse("PriorRequestNotComplete", "This operation is not allowed while a prior request has not been completed.")
	case units > 0 && lb.speaks("TLS"):
		return nil, misconfigured("Capacity reservation is not supported for Network Load Balancers with TLS listeners")
	case units > c.sim.opts.Quotas.CapacityUnits:
		return nil, refuse("CapacityUnitsLimitExceeded", "The maximum number of capacity units is %d", c.sim.opts.Quotas.CapacityUnits)
	case units < p.units && p.remaining(c.now) == 0:
		return nil, refuse("CapacityDecreaseRequestLimitExceeded", "You have exceeded the daily capacity decrease limit.")
	}
	if units < p.units {
		p.decreases = append(p.decreases, c.now)
	}
	p.units, p.changed, p.state = units, c.now, ""
	p.done = c.now.Add(c.sim.profile.CapacityChange.pick(lb.arn, strconv.Itoa(units)))
	return lb.describeCapacity(c.now), nil
}

func describeCapacity(c *call) (any, error) {
	lb, err := c.loadBalancer()
	if err != nil {
		return nil, err
	}
	return lb.describeCapacity(c.now), nil
}

type xmlZonalCapacity struct {
	AvailabilityZone       string
	EffectiveCapacityUnits float64
	State                  xmlState
}

type xmlUnits struct{ CapacityUnits int }

type xmlCapacity struct {
	CapacityReservationState    members[xmlZonalCapacity]
	DecreaseRequestsRemaining   int
	LastModifiedTime            string    `xml:",omitempty"`
	MinimumLoadBalancerCapacity *xmlUnits `xml:",omitempty"`
}

// describeCapacity: the units are shared evenly by the zones.
func (lb *loadBalancer) describeCapacity(now time.Time) xmlCapacity {
	p := lb.capacity
	out := xmlCapacity{DecreaseRequestsRemaining: p.remaining(now)}
	if !p.changed.IsZero() {
		out.LastModifiedTime = timestamp(p.changed)
	}
	if p.units == 0 {
		return out
	}
	out.MinimumLoadBalancerCapacity = &xmlUnits{p.units}
	for _, zone := range lb.enabled() {
		x := xmlZonalCapacity{AvailabilityZone: zone, State: xmlState{Code: "pending"}}
		switch {
		case p.state != "":
			x.State = xmlState{p.state, p.reason}
		case !p.pending(now):
			x.State.Code, x.EffectiveCapacityUnits = "provisioned", float64(p.units)/float64(len(lb.zones))
		}
		out.CapacityReservationState.Member = append(out.CapacityReservationState.Member, x)
	}
	return out
}
