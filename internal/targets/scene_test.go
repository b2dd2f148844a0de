package targets

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The scenes of the tests: node "a" is instance i-a at address 10.0.0.a in zone
// z1 unless told otherwise, its pod is p-a with UID u-a, and the port is 443.

var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

type option func(*Input)

func scene(options ...option) Input {
	in := Input{
		Now:   noon,
		Group: Group{ARN: "arn", Protocol: "TCP", Type: TypeInstance},
		View: View{
			Selection: Selection{Port: 443},
			Nodes:     &Nodes{ByName: map[string]*Node{}, ByInstance: map[string]*Node{}, ByAddress: map[string]*Node{}},
		},
		UsedPorts: []int32{443},
	}
	for _, o := range options {
		o(&in)
	}
	return in
}

// with changes a scene after the fact, leaving the first one as it was.
func with(in Input, options ...option) Input {
	in.View.Pods = slices.Clone(in.View.Pods)
	in.Targets = slices.Clone(in.Targets)
	in.View.Nodes = &Nodes{
		ByName: maps.Clone(in.View.Nodes.ByName), ByInstance: maps.Clone(in.View.Nodes.ByInstance), ByAddress: maps.Clone(in.View.Nodes.ByAddress),
	}
	in.Memory.Claims = maps.Clone(in.Memory.Claims)
	for _, o := range options {
		o(&in)
	}
	return in
}

func key(node string) Key { return Key{ID: "i-" + node, Port: 443} }

func node(name string, change ...func(*Node)) option {
	return func(in *Input) {
		n := Node{Name: name, InstanceID: "i-" + name, Zone: "z1", Addresses: []string{"10.0.0." + name}, Ready: true}
		for _, c := range change {
			c(&n)
		}
		in.View.Nodes.ByName[n.Name] = &n
		in.View.Nodes.ByInstance[n.InstanceID] = &n
		for _, address := range n.Addresses {
			in.View.Nodes.ByAddress[address] = &n
		}
	}
}

func zone(z string) func(*Node) { return func(n *Node) { n.Zone = z } }
func leaving(n *Node)           { n.Class, n.Signal = NodeLeaving, "taint x" }
func departing(n *Node)         { n.Class, n.Signal = NodeDeparting, "label y" }
func goneNode(n *Node)          { n.GoneSince = noon.Add(-time.Minute) }
func notReadyNode(n *Node)      { n.Ready = false }

// isDeparting says that an instance's node is there and departs.
func isDeparting(in Input, instance string) bool {
	n := in.View.Nodes.ByInstance[instance]
	return n != nil && n.Class == NodeDeparting
}

func pod(node string, change ...func(*Pod)) option {
	return func(in *Input) {
		p := Pod{
			PodRef: PodRef{Namespace: "edge", Name: "p-" + node, UID: "u-" + node}, Node: node, IP: "10.0.0." + node,
			HostNetwork: true, Phase: "Running", ContainersReady: true,
			Ports: []Port{{Name: "https", Protocol: ProtocolTCP, Container: 443}},
		}
		for _, c := range change {
			c(&p)
		}
		in.View.Pods = append(in.View.Pods, p)
	}
}

func daemon(p *Pod)      { p.DaemonSet = true }
func static(p *Pod)      { p.Static = true }
func terminating(p *Pod) { p.Terminating = true }
func excluded(p *Pod)    { p.Excluded = true }
func failed(p *Pod)      { p.Phase, p.ContainersReady = "Failed", false }
func succeeded(p *Pod)   { p.Phase, p.ContainersReady = "Succeeded", false }
func pending(p *Pod)     { p.Phase, p.ContainersReady = "Pending", false }
func starts(p *Pod)      { p.ContainersReady = false }
func uid(u string) func(*Pod) {
	return func(p *Pod) { p.UID, p.Name = u, "p-"+u }
}
func unready(since time.Duration) func(*Pod) {
	return func(p *Pod) { p.ContainersReady, p.UnreadySince = false, noon.Add(-since) }
}

func target(node string, health Health, change ...func(*Target)) option {
	return func(in *Input) {
		t := Target{Key: key(node), Presence: Registered, Health: health, Zone: "z1"}
		if n, ok := in.View.Nodes.ByName[node]; ok {
			t.Zone = n.Zone
		}
		for _, c := range change {
			c(&t)
		}
		in.Targets = append(in.Targets, t)
	}
}

func presence(p Presence) func(*Target) { return func(t *Target) { t.Presence = p } }
func zoneless(t *Target)                { t.Zone = "" }
func stale(t *Target)                   { t.Stale = true }
func dead(t *Target)                    { t.Health, t.Reason = HealthUnused, "Target.InvalidState" }

// claim is what an earlier plan would have remembered of p-node, gone since then.
func claim(node string, goneFor time.Duration, returns bool) option {
	return func(in *Input) {
		if in.Memory.Claims == nil {
			in.Memory.Claims = map[Key]Claim{}
		}
		c := Claim{Pod: PodRef{Namespace: "edge", Name: "p-" + node, UID: "u-" + node}, Node: node, Zone: "z1", Returns: returns}
		if goneFor > 0 {
			c.VacatedAt = noon.Add(-goneFor)
		}
		in.Memory.Claims[key(node)] = c
	}
}

func policy(change func(*Policy)) option { return func(in *Input) { change(&in.Policy) } }
func input(change func(*Input)) option   { return change }

func oursExclusive(in *Input) { in.Group.Ours = true }

// healthyPods are nodes with a ready pod and a healthy target each.
func healthyPods(names ...string) option {
	return func(in *Input) {
		for _, name := range names {
			node(name)(in)
			pod(name, daemon)(in)
			target(name, HealthHealthy)(in)
		}
	}
}

// brief says what a plan does with each target and with which rule: + register,
// - deregister, = keep, ~ keep although a rule would remove it.
func brief(p Plan) []string {
	var lines []string
	for _, c := range p.Register {
		lines = append(lines, "+ "+c.ID+" "+string(c.Rule))
	}
	for _, c := range p.Deregister {
		lines = append(lines, "- "+c.ID+" "+string(c.Rule))
	}
	for _, c := range p.Keep {
		sign := "= "
		if slices.ContainsFunc(p.Waiting, func(w Change) bool { return w.Key == c.Key }) {
			sign = "~ "
		}
		lines = append(lines, sign+c.ID+" "+string(c.Rule))
	}
	slices.SortFunc(lines, func(a, b string) int { return compareKeys(Key{ID: a[2:]}, Key{ID: b[2:]}) })
	return lines
}

// rule is a test case: a rule as its name, a sentence as its reason.
type rule struct {
	name, reason string
	in           Input
	want         []string
}

func checkRules(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if diff := cmp.Diff(r.want, brief(NewPlan(r.in))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", r.reason, diff)
			}
		})
	}
}

// sortedByText orders lines by target and then by what happens, for plans with
// several ports of one instance.
func sortedByText(lines []string) []string {
	slices.Sort(lines)
	return lines
}
