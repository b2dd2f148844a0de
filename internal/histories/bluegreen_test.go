package histories

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// edgePort is the port of a listener with weights.
const edgePort = 443

// split is a load balancer with a listener whose traffic two groups share.
type split struct {
	w                  *world
	balancer, listener string
	blue, green        string
	users              []*user
}

// split makes the listener: all traffic is blue.
func (w *world) split(blue, green *app) *split {
	w.t.Helper()
	s := &split{w: w, blue: w.unattached(blue.name, blue), green: w.unattached(green.name, green)}
	subnets := []string{
		w.sim.SeedSubnet(awssim.Subnet{Region: region, VPC: vpc, Zone: zoneA, CIDR: "10.1.0.0/24"}),
		w.sim.SeedSubnet(awssim.Subnet{Region: region, VPC: vpc, Zone: zoneB, CIDR: "10.1.1.0/24"}),
	}
	var err error
	if s.balancer, err = w.sim.SeedLoadBalancer(awssim.LoadBalancerSeed{Region: region, Name: "edge", Subnets: subnets}); err != nil {
		w.t.Fatal(err)
	}
	if s.listener, err = w.sim.SeedListener(s.balancer, "TCP", edgePort, s.blue, s.green); err != nil {
		w.t.Fatal(err)
	}
	s.weigh(100, 0)
	return s
}

// weigh shifts the traffic, as a Listener's spec does.
func (s *split) weigh(blue, green int32) {
	s.w.t.Helper()
	access, err := s.w.process.pool.Access(context.Background(), accessOf(awssim.DefaultKey), region)
	if err != nil {
		s.w.t.Fatal(err)
	}
	_, err = access.ELBv2.ModifyListener(context.Background(), &elasticloadbalancingv2.ModifyListenerInput{
		ListenerArn: &s.listener,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{
			{TargetGroupArn: &s.blue, Weight: &blue}, {TargetGroupArn: &s.green, Weight: &green},
		}}}},
	})
	if err != nil {
		s.w.t.Fatal(err)
	}
}

// connect lets users connect to the listener in each zone, once a second.
func (s *split) connect() {
	for i, zone := range zones {
		u := &user{arn: s.green, zone: zone}
		u.Traffic = s.w.sim.StartClient(awssim.Client{
			LoadBalancer: s.balancer, Port: edgePort, Zone: zone, Every: time.Second, Holds: 20 * time.Second, Seed: uint64(i),
		})
		s.users = append(s.users, u)
	}
	s.w.do(func() { s.w.users = append(s.w.users, s.users...) })
}

// sent is how many connections went to an app's port so far.
func (s *split) sent(port int32) int {
	n := 0
	for _, u := range s.users {
		for k, sent := range u.Report().Targets {
			if k.Port == port {
				n += sent
			}
		}
	}
	return n
}

// between lets a time pass and says how many connections each group got in it.
func (s *split) between(d time.Duration, blue, green *app) (toBlue, toGreen int) {
	b, g := s.sent(blue.port), s.sent(green.port)
	s.w.run(d)
	return s.sent(blue.port) - b, s.sent(green.port) - g
}

// blueGreen moves users from one workload to another by weights.
func blueGreen(w *world) {
	blue, green := patient(w, "blue"), patient(w, "green")
	green.port = 9443
	w.machinesIn(12)
	old := &deployment{app: blue, version: 1, replicas: 6, surge: 2, gated: w.healthy}
	fresh := &deployment{app: green, version: 1, replicas: 6, surge: 2, gated: w.healthy}
	s := w.split(blue, green)
	w.do(func() { w.controllers = append(w.controllers, old) })
	was := w.bind("blue", s.blue, blue)
	w.settled(15 * time.Minute)
	s.connect()
	w.do(func() { w.controllers = append(w.controllers, fresh) })
	w.bind("green", s.green, green)
	w.settled(15 * time.Minute)
	if _, n := s.between(2*time.Minute, blue, green); n > 0 {
		w.t.Errorf("%d connections to green, which has no weight", n)
	}
	s.weigh(50, 50)
	if b, g := s.between(5*time.Minute, blue, green); b < 200 || g < 200 {
		w.t.Errorf("of 600 connections %d went to blue and %d to green, want half each", b, g)
	}
	// Both are rolled while both have users.
	w.do(func() { old.version++; fresh.version++ })
	w.rolled(blue, func() int { return old.version }, 6)
	w.rolled(green, func() int { return fresh.version }, 6)
	w.settled(20 * time.Minute)
	s.weigh(0, 100)
	w.run(time.Minute) // connections that blue has are finished
	held := w.emptying(s.blue, blue)
	w.do(func() { old.replicas = 0 })
	if n, _ := s.between(w.profile.DeregisteredFlows.Max+5*time.Minute, blue, green); n > 0 {
		w.t.Errorf("%d connections to blue, which has no weight", n)
	}
	w.do(func() {
		if n := len(w.where(func(p *running) bool { return p.app == blue })); n > 0 {
			w.t.Errorf("%d pods of blue are there yet", n)
		}
	})
	held()
	w.do(func() { was.deleted, was.edited = true, time.Now() })
	w.process.enqueue(was.uid)
	w.until("blue is released", 15*time.Minute, func() bool { return was.gone })
	w.run(5 * time.Minute)
	w.do(func() {
		for _, t := range w.sim.Targets(s.blue) {
			if t.State != awssim.Draining {
				w.t.Errorf("blue still has %v", t)
			}
		}
		if got := w.difference(s.green); got != "" {
			w.t.Errorf("green: %s", got)
		}
	})
	w.served(s.users, 3)
}
