package awssim_test

import (
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// flowing is steady, with nodes that learn late what the control plane knows.
func flowing() awssim.Profile {
	p := steady
	p.DeregisteredFlows = awssim.Span{Min: 2 * time.Minute, Max: 2 * time.Minute}
	p.UnhealthyFlows = awssim.Span{Min: 35 * time.Second, Max: 35 * time.Second}
	return p
}

// edge is a load balancer in two zones with a TCP listener on port 80, and two
// instances in each zone that have been healthy for long. The health check has a
// port of its own, 8080.
type edge struct {
	*bench

	lb, group, listener string
	// a and b are the instances of the zones.
	a, b []string
}

func (b *bench) edge(change func(*createLB)) *edge {
	b.t.Helper()
	e := &edge{bench: newBench(b.t, awssim.Options{Profile: flowing()}).networked()}
	e.lb = e.bench.lb(both(func(i *createLB) { i.Subnets = []string{subnetA, subnetB} }, func(i *createLB) {
		if change != nil {
			change(i)
		}
	}))
	e.group = e.of("web", "TCP", "HealthCheckPort", "8080", "HealthCheckIntervalSeconds", "10")
	e.listener = e.tcp(e.lb, e.group)
	e.a, e.b = e.instances(zoneA, 2), e.instances(zoneB, 2)
	e.ok(e.register(e.group, append(e.a, e.b...)...))
	e.clock.Advance(time.Hour)
	return e
}

// through starts a client that uses the address of zone A.
func (e *edge) through(change func(*awssim.Client)) *awssim.Traffic {
	c := awssim.Client{LoadBalancer: e.lb, Port: 80, Zone: zoneA}
	if change != nil {
		change(&c)
	}
	return e.sim.StartClient(c)
}

func holding(d time.Duration) func(*awssim.Client) {
	return func(c *awssim.Client) { c.Holds = d }
}

func byDNS(c *awssim.Client) { c.Zone = "" }

// during is what a new client sees in a time.
func (e *edge) during(d time.Duration, change func(*awssim.Client)) awssim.Report {
	client := e.through(change)
	e.clock.Advance(d)
	return client.Stop()
}

// saw compares what a client saw, but for details.
func (e *edge) saw(got, want awssim.Report) {
	e.t.Helper()
	details := got.String()
	got.Zones, got.Targets, got.Failures = want.Zones, want.Targets, nil
	if want.LeastServing == nil {
		got.LeastServing = nil
	}
	diff(e.t, want, got)
	if e.t.Failed() {
		e.t.Log(details)
	}
}

// share is how many of a client's connections instances got.
func share(r awssim.Report, ids ...string) int {
	n := 0
	for _, id := range ids {
		n += r.Targets[awssim.Key{ID: id, Port: 80}]
	}
	return n
}

func (e *edge) stateOf(id string) awssim.HealthState {
	t, _ := e.sim.Target(e.group, id, 80)
	return t.State
}

func (e *edge) overridden(id string) string {
	e.t.Helper()
	out, err := e.elb.DescribeTargetHealth(e.ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &e.group, Targets: targets(id)})
	e.ok(err)
	return string(out.TargetHealthDescriptions[0].AdministrativeOverride.State)
}
