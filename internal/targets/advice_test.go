package targets

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDrainRisks(t *testing.T) {
	group := Group{Protocol: "TCP", Check: HealthCheck{Protocol: "HTTP", Port: "8081", Interval: 5 * time.Second, Unhealthy: 2}}
	pod := Pod{HostNetwork: true, Grace: 60 * time.Second, Ports: []Port{{Name: "https", Protocol: "TCP", Container: 8443, PreStop: true}}}
	number, named := Selection{Port: 8443}, Selection{PortName: "https"}
	cases := map[string]struct {
		reason string
		group  func(*Group)
		pod    func(*Pod)
		on     Selection
		want   []Rule
	}{
		"NothingIsWrong": {reason: "HTTP on a port of its own, 10 s to notice, a hook, 60 s of grace: nothing is said", on: number},
		"ATCPCheckOfTheTrafficPort": {
			reason: "a pod cannot fail it and serve", on: number,
			group: func(g *Group) { g.Check.Protocol, g.Check.Port = "TCP", "traffic-port" }, want: []Rule{RiskCheck},
		},
		"ATCPCheckOfThatPortByNumber": {
			reason: "it is the traffic port, however it is written", on: named,
			group: func(g *Group) { g.Check.Protocol, g.Check.Port = "TCP", "8443" }, want: []Rule{RiskCheck},
		},
		"ATCPCheckOfAnotherPort": {
			reason: "that port can be closed early", on: number,
			group: func(g *Group) { g.Check.Protocol = "TCP" },
		},
		"AnHTTPCheckOfTheTrafficPort": {
			reason: "the answer can be an error while the port serves", on: number,
			group: func(g *Group) { g.Check.Port = "traffic-port" },
		},
		"TwentySecondsAreSoonEnough": {
			reason: "the bound is more than 20 s", on: number,
			group: func(g *Group) { g.Check.Interval = 10 * time.Second },
		},
		"MoreThanTwentySecondsAreNot": {
			reason: "users are sent to a pod that ends for that long; and 60 s of grace are less than 25 s + 40 s", on: number,
			group: func(g *Group) { g.Check.Unhealthy = 5 }, want: []Rule{RiskSlow, RiskGrace},
		},
		"ConnectionsAreEndedByAWS": {
			reason: "what is in flight is reset as soon as the pod fails its check", on: number,
			group: func(g *Group) { g.EndsUnhealthy = true }, want: []Rule{RiskEnded},
		},
		"OfUDPThereAreNone": {
			reason: "AWS does not have the attribute for UDP", on: number,
			group: func(g *Group) { g.EndsUnhealthy, g.Protocol = true, "UDP" },
			pod:   func(p *Pod) { p.Ports[0].Protocol = "UDP" },
		},
		"NoHook": {
			reason: "the process ends before AWS can know", on: number,
			pod: func(p *Pod) { p.Ports[0].PreStop = false }, want: []Rule{RiskNoPreStop},
		},
		"AHookOfAnotherContainer": {
			reason: "a sidecar that waits does not keep the server up", on: named,
			pod: func(p *Pod) { p.Ports[0].PreStop, p.PreStop = false, true }, want: []Rule{RiskNoPreStop},
		},
		"AHookWhereThePortIsNotDeclared": {
			reason: "nobody can tell which container serves, so any hook counts", on: number,
			pod: func(p *Pod) { p.Ports, p.PreStop = nil, true },
		},
		"NoHookWhereThePortIsNotDeclared": {
			reason: "there is none at all", on: number,
			pod: func(p *Pod) { p.Ports = nil }, want: []Rule{RiskNoPreStop},
		},
		"TooLittleGrace": {
			reason: "10 s + 40 s is what is needed", on: number,
			pod: func(p *Pod) { p.Grace = 49 * time.Second }, want: []Rule{RiskGrace},
		},
		"JustEnoughGrace": {
			reason: "10 s + 40 s is enough", on: number,
			pod: func(p *Pod) { p.Grace = 50 * time.Second },
		},
		"AHostPort": {
			reason: "without hostNetwork the selection means the hostPort", on: Selection{Port: 443, HostPorts: true},
			pod: func(p *Pod) { p.HostNetwork, p.Ports[0].Host = false, 443 },
		},
		"AnUnknownCheckIsNoRisk": {
			reason: "nothing is said of what is not known", on: number,
			group: func(g *Group) { g.Check = HealthCheck{} }, pod: func(p *Pod) { p.Grace = 0 },
		},
		"TheDefaults": {
			reason: "AWS's and Kubernetes' own defaults have every risk", on: number,
			group: func(g *Group) {
				g.Check, g.EndsUnhealthy = HealthCheck{Protocol: "TCP", Port: "traffic-port", Interval: 30 * time.Second, Unhealthy: 2}, true
			},
			pod:  func(p *Pod) { p.Ports[0].PreStop, p.Grace = false, 30*time.Second },
			want: []Rule{RiskCheck, RiskSlow, RiskEnded, RiskNoPreStop, RiskGrace},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g, p := group, pod
			p.Ports = append([]Port(nil), pod.Ports...)
			if tc.group != nil {
				tc.group(&g)
			}
			if tc.pod != nil {
				tc.pod(&p)
			}
			var got []Rule
			for _, r := range DrainRisks(g, tc.on, []Pod{p}) {
				got = append(got, r.Rule)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestDrainRisksDoNotChangeInARollout: how many pods there are, and which, is not in
// the advice.
func TestDrainRisksDoNotChangeInARollout(t *testing.T) {
	group := Group{Protocol: "TCP", Check: HealthCheck{Protocol: "TCP", Port: "traffic-port", Interval: 30 * time.Second, Unhealthy: 2}}
	first := []Pod{{PodRef: PodRef{Name: "a"}, HostNetwork: true, Grace: 30 * time.Second}}
	then := []Pod{{PodRef: PodRef{Name: "b"}, HostNetwork: true, Grace: 30 * time.Second}, {PodRef: PodRef{Name: "c"}, HostNetwork: true, Grace: 10 * time.Second}}
	selection := Selection{Port: 8443}
	if diff := cmp.Diff(DrainRisks(group, selection, first), DrainRisks(group, selection, then)); diff != "" {
		t.Errorf("-before, +after:\n%s", diff)
	}
}
