package targets

import (
	"fmt"
	"math/rand"
	"testing"
	"time"
)

// stage of a DaemonSet's pod on one node while it restarts in place.
type stage int

const (
	running stage = iota
	ending
	absent
	waiting
	booting
	surging  // the next pod starts beside the old one, which still serves
	swapping // the next one serves, the old one is terminating
	crashed  // a container restarts; the pod stays
	stages
)

// follows says which stages may come after one.
var follows = [stages][]stage{
	running: {ending, surging, crashed}, ending: {absent, waiting}, absent: {waiting}, waiting: {booting},
	booting: {running, crashed}, surging: {swapping, ending}, swapping: {running}, crashed: {running, ending, crashed},
}

// daemonPods are the pods of a node in a stage.
func daemonPods(name string, generation int, s stage, since time.Time) option {
	this := func(change ...func(*Pod)) option {
		return pod(name, append([]func(*Pod){daemon, uid(fmt.Sprintf("%s-%d", name, generation))}, change...)...)
	}
	next := func(change ...func(*Pod)) option { // binds on the node before it is ready
		return pod(name, append([]func(*Pod){daemon, uid(fmt.Sprintf("%s-%d", name, generation+1))}, change...)...)
	}
	none := func(*Input) {}
	crash := func(p *Pod) { p.ContainersReady, p.UnreadySince = false, since }
	first := map[stage]option{
		running: this(), ending: this(terminating), absent: none, waiting: next(pending), booting: next(starts),
		surging: this(), swapping: this(terminating), crashed: this(crash),
	}[s]
	second := map[stage]option{surging: next(starts), swapping: next()}[s]
	return func(in *Input) {
		first(in)
		if second != nil {
			second(in)
		}
	}
}

// TestLawInPlaceRestartMakesNoCall: a rolling update or crash loop of a DaemonSet
// in place, on any number of nodes at once, with AWS lagging behind, makes no
// RegisterTargets and no DeregisterTargets call (binding.md §3).
func TestLawInPlaceRestartMakesNoCall(t *testing.T) {
	for seed := range int64(300) {
		r := rand.New(rand.NewSource(seed))
		names := nodes(1 + r.Intn(5))
		stage, since, generation := map[string]stage{}, map[string]time.Time{}, map[string]int{}
		now, memory := noon, Memory{}
		policies := policy(func(p *Policy) {
			p.RegisterScheduled, p.EmptyDeregister = r.Intn(2) == 0, r.Intn(2) == 0 // notReady.policy Deregister asks for calls
		})
		zones := map[string]string{}
		for _, n := range names {
			zones[n], since[n] = anyZone(r), noon
		}
		for step := range 150 {
			now = now.Add(time.Duration(1+r.Intn(20)) * time.Second)
			moved := names[r.Intn(len(names))]
			if to := follows[stage[moved]]; r.Intn(3) > 0 {
				before := stage[moved]
				stage[moved], since[moved] = to[r.Intn(len(to))], now
				if stage[moved] == running && before != crashed {
					generation[moved]++
				}
			}
			options := []option{policies, input(func(in *Input) { in.Now, in.Memory = now, memory })}
			all := 0
			for _, n := range names {
				// No successor is waited for longer than VacatedFor.
				if limit := VacatedFor - 20*time.Second; now.Sub(since[n]) > limit && stage[n] != running {
					stage[n], since[n] = follows[stage[n]][0], now
					if stage[n] == running {
						generation[n]++
					}
				}
				if stage[n] == absent {
					all++
				}
				options = append(options, node(n, zone(zones[n]), func(node *Node) { node.Ready = r.Intn(9) > 0 }), daemonPods(n, generation[n], stage[n], since[n]))
				options = append(options, target(n, []Health{HealthHealthy, HealthHealthy, HealthUnhealthy}[r.Intn(3)]))
			}
			in := scene(options...)
			if all == len(names) {
				in.Policy.EmptyDeregister = false // no pod at all is no restart in place
			}
			p := NewPlan(in)
			if len(p.Register)+len(p.Deregister) > 0 {
				t.Fatalf("seed %d, step %d: a restart in place made a call:\n%s", seed, step, p)
			}
			if memory = p.Memory; r.Intn(25) == 0 {
				memory = Memory{} // the process restarts
			}
		}
	}
}

// TestLawUpgradeKeepsCapacity: when all old nodes are labelled at once and new
// ones come one by one, no zone ever has fewer healthy targets than the budget
// allows, also if the process restarts and calls fail; in the end, if it does
// not restart, the old ones have left.
func TestLawUpgradeKeepsCapacity(t *testing.T) {
	for seed := range int64(200) {
		r := rand.New(rand.NewSource(seed))
		in, base, restarts := scene(), map[string]int{}, r.Intn(2) == 0
		old := nodes(2 + r.Intn(14))
		for _, n := range old {
			z := anyZone(r)
			base[z]++
			in = with(in, node(n, zone(z), departing), pod(n, daemon), target(n, HealthHealthy))
		}
		percent := Policy{MaxUnavailable: 10 * (1 + r.Intn(5)), MaxUnavailablePercent: true}
		in.Policy = percent
		arriving := map[string]int{}
		for step := range 120 {
			if step < 60 {
				for z, want := range base {
					if arriving[z] < want && r.Intn(4) == 0 {
						arriving[z]++
						name := fmt.Sprintf("%s-new%02d", z, arriving[z])
						in = with(in, node(name, zone(z)), pod(name, daemon))
					}
				}
			}
			p := NewPlan(in)
			if r.Intn(5) > 0 { // else the calls were not made
				in = inAWS(in, p)
			}
			in.Memory = p.Memory
			if restarts && r.Intn(6) == 0 {
				in.Memory = Memory{}
			}
			healthy := map[string]int{}
			for i := range in.Targets {
				if in.Targets[i].Health == HealthInitial && r.Intn(3) == 0 {
					in.Targets[i].Health = HealthHealthy
				}
				if in.Targets[i].Health == HealthHealthy {
					healthy[in.Targets[i].Zone]++
				}
			}
			for z, n := range base {
				if healthy[z] < n-percent.share(n) || healthy[z] == 0 {
					t.Fatalf("seed %d, step %d: zone %s has %d healthy targets of %d:\n%s", seed, step, z, healthy[z], n, p)
				}
			}
			in.Now = in.Now.Add(time.Minute)
		}
		for _, target := range in.Targets {
			if isDeparting(in, target.ID) && target.Presence == Registered && !restarts && arriving[target.Zone] == base[target.Zone] {
				t.Fatalf("seed %d: %s was replaced and is still there:\n%s", seed, target.Key, NewPlan(in))
			}
		}
	}
}
