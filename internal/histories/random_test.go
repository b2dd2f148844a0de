package histories

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "replay the random history of this seed")
	histories = flag.Uint("histories", 60, "how many random histories to live through")
	firstSeed = flag.Uint64("first", 1, "the first seed")
)

// TestRandomHistories: whatever happens to pods, nodes, Services, the API server, AWS
// and the process, nothing that is wanted and serves is deregistered, no connection
// fails that the rules could have saved, and when all is well again AWS holds exactly
// what is wanted and nobody writes any more.
func TestRandomHistories(t *testing.T) {
	if *oneSeed != 0 {
		history(t, *oneSeed)
		return
	}
	n := uint64(*histories)
	var next atomic.Uint64
	next.Store(*firstSeed)
	for i := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint("worker-", i), func(t *testing.T) {
			t.Parallel()
			for seed := next.Add(1) - 1; seed < *firstSeed+n && !t.Failed(); seed = next.Add(1) - 1 {
				history(t, seed)
			}
		})
	}
}

// story is a random history as it is told.
type story struct {
	*world
	r *rand.Rand
	// What runs.
	sets        []*daemonSet
	deployments []*deployment
	told        []string
	// rested: Kubernetes has come to rest.
	rested bool
}

// history lives through the history of a seed.
func history(t *testing.T, seed uint64) {
	t.Helper()
	profile := awssim.Observed
	if seed%5 == 0 {
		profile = awssim.Worst
	}
	inWorld(t, profile, func(w *world) {
		s := &story{world: w, r: rand.New(rand.NewPCG(seed, 1))}
		w.title = func() string {
			return fmt.Sprintf("seed %d (%s): go test ./internal/histories -run TestRandomHistories -seed=%d -v\n%s", seed, profile.Name, seed, strings.Join(s.told, "\n"))
		}
		s.begin()
		w.settled(30 * time.Minute)
		for range 10 + s.r.IntN(20) {
			s.do(s.something)
			w.run(s.span(time.Second, 50*time.Second))
		}
		s.do(s.mend)
		s.tell("all is well again")
		w.run(time.Minute)
		w.until("Kubernetes is at rest", 3*time.Hour, func() bool {
			for _, c := range w.controllers {
				if !c.done(&w.kube) {
					return false
				}
			}
			return s.rests()
		})
		w.settled(30 * time.Minute)
		s.tell("settled")
		w.do(func() { clear(w.judges.writes) })
		w.run(4 * time.Minute) // in which each group is read some times
		w.wrote(0, 0)
	})
}

func (s *story) tell(format string, args ...any) {
	s.told = append(s.told, time.Now().Format(time.TimeOnly)+" "+fmt.Sprintf(format, args...))
}

func (s *story) span(least, most time.Duration) time.Duration {
	return least + time.Duration(s.r.Int64N(int64(most-least)))
}

func (s *story) one(n int) bool { return s.r.IntN(n) == 0 }

// begin makes a cluster of random size, workloads of random kinds, and bindings.
func (s *story) begin() {
	if s.one(4) {
		s.skew = s.span(-time.Hour, time.Hour)
	}
	s.machinesIn(5 + s.r.IntN(4))
	shared := ""
	for i := range 1 + s.r.IntN(2) + s.r.IntN(2) {
		a := &app{name: fmt.Sprintf("app-%d", i), port: int32(7443 + 1000*i), pulls: s.span(0, 20*time.Second), warms: s.span(0, 10*time.Second)}
		switch s.r.IntN(3) {
		case 0: // fails its check first
			a.check, a.failsCheck, a.drains = a.port-10, true, s.noticed()+20*time.Second
		case 1: // goes on for as long as it may be sent to
			a.drains = s.profile.DeregisteredFlows.Max + time.Minute
		default: // is gone at once
			a.drains = s.span(0, 10*time.Second)
		}
		if s.one(2) {
			a.gates = append(a.gates, a.name)
		}
		if s.one(8) {
			a.gates = append(a.gates, "of-nobody")
		}
		if a.daemonSet = s.one(2); a.daemonSet {
			if !a.failsCheck {
				a.drains = s.span(0, 20*time.Second) // in place it helps nobody to go on
			}
			a.tolerates = s.one(3)
			set := &daemonSet{app: a, version: 1, unavailable: 1 + s.r.IntN(2)}
			s.sets = append(s.sets, set)
			s.do(func() { s.controllers = append(s.controllers, set) })
		} else {
			d := &deployment{app: a, version: 1, replicas: 2 + s.r.IntN(4), surge: 1 + s.r.IntN(2)}
			if len(a.gates) == 0 && s.one(2) {
				d.gated = s.healthy
			}
			s.deployments = append(s.deployments, d)
			s.do(func() { s.controllers = append(s.controllers, d) })
		}
		arn := shared
		if arn == "" || a.check != 0 {
			arn = s.groupOf(a.name, a)
		} else {
			s.failsCheck[a.port] = a.failsCheck
		}
		if shared == "" && s.one(3) && a.check == 0 {
			shared = arn // the next workload's binding is of the same group
		}
		s.bind(a.name, arn, a, func(b *binding) {
			b.poll = time.Minute
			b.policy.RegisterScheduled = s.one(4)
			if s.one(4) { // and then the Guard alone stands between a mistake and all targets
				b.policy.MaxUnavailable, b.policy.MaxUnavailablePercent = 100, true
			}
		})
		if arn != shared || len(s.users) == 0 {
			s.connect(arn, 5*time.Second, 20*time.Second)
		}
		s.tell("%+v", *a)
	}
}

// something happens.
func (s *story) something() {
	total := 0
	for _, a := range acts {
		total += a.weight
	}
	n := s.r.IntN(total)
	for _, a := range acts {
		if n -= a.weight; n < 0 {
			if what := a.do(s); what != "" {
				s.tell("%s: %s", a.name, what)
			}
			return
		}
	}
}

// mend ends all that goes on.
func (s *story) mend() {
	for _, undo := range s.undos {
		undo()
	}
	s.undos = nil
	s.judges.onCall = nil // a process that would die with a call to come
	for _, m := range s.machines {
		switch {
		case m.gone:
		case m.off:
			s.deleteNode(m)
		case m.node.DeletionTimestamp != nil:
			s.terminate(m)
		default:
			s.restore(m)
		}
	}
	for i, a := range s.apps() {
		if s.services[a.name] == nil || s.services[a.name].Spec.Selector["app"] != a.name {
			s.service(a.name, a.name, intstr.FromInt32(a.port))
		}
		_ = i
	}
	s.trouble(2 * time.Minute)
	s.room()
}

// rests: no node is about to go, and then none comes.
func (s *story) rests() bool {
	for _, m := range s.machines {
		if m.off && !m.gone {
			return false
		}
	}
	lost := s.where(func(p *running) bool { return p.machine.off || p.machine.gone })
	s.rested = s.leaving == 0 && len(lost) == 0
	return s.rested
}

// room sees to it that there are enough machines, whatever ends yet.
func (s *story) room() {
	if s.rested {
		return
	}
	for n := len(s.open()); n < 6; n++ {
		s.addMachine(zones[n%2])
	}
	s.agenda.after(2*time.Minute, s.room)
}

func (s *story) apps() []*app {
	var out []*app
	for _, d := range s.sets {
		out = append(out, d.app)
	}
	for _, d := range s.deployments {
		out = append(out, d.app)
	}
	return out
}

// anyMachine that is there; nil if there are too few to lose one.
func (s *story) anyMachine() *machine {
	there := slices.DeleteFunc(slices.Clone(s.machines), func(m *machine) bool { return m.gone || m.off || m.node.DeletionTimestamp != nil })
	if len(there) < 4 {
		return nil
	}
	return there[s.r.IntN(len(there))]
}

func (s *story) anyPod() *running {
	all := s.where(func(p *running) bool { return p.ended.IsZero() && !p.machine.off })
	if len(all) == 0 {
		return nil
	}
	return all[s.r.IntN(len(all))]
}
