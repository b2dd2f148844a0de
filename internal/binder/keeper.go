package binder

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	// keepEvery is between two looks at gates that wait: a pause or a deletion of a
	// binding wakes nobody here. keepCalm is the least time between two.
	keepEvery = 2 * time.Second
	keepCalm  = 100 * time.Millisecond
	// keepAsleep is between two looks for the first binding. For as long after a start
	// it is looked for at the pace of keepCalm: where there are bindings, pods are
	// streamed as soon as that is known, beside the first calls of AWS.
	keepAsleep = 10 * time.Second
	// openWithin bounds how long the end of a binding waits for its gates.
	openWithin = 5 * time.Second
)

// A keeper opens the gates that no working binding looks after, so that a rollout
// ends whatever became of the binding. It begins with the first binding: a provider
// without any reads no pods.
type keeper struct {
	b       *Binder
	wake    chan struct{}
	watches bool
	began   time.Time
	looked  time.Time
	// since is how long it has been as it is with a gate.
	since map[gateKey]orphaned
}

type orphaned struct {
	found, works bool
	since        time.Time
}

func newKeeper(b *Binder) *keeper {
	return &keeper{b: b, wake: make(chan struct{}, 1), since: map[gateKey]orphaned{}}
}

func (k *keeper) run(ctx context.Context) { each(ctx, k.wake, k.step) }

// step decides the gates that nobody else does and returns when to look again.
func (k *keeper) step(context.Context) time.Time {
	now := time.Now()
	if !k.watches {
		if k.began.IsZero() {
			k.began = now
		}
		switch {
		case k.b.o.Gates.Bindings():
		case now.Sub(k.began) < keepAsleep:
			return now.Add(keepCalm)
		default:
			return now.Add(keepAsleep)
		}
		k.watches = true
		k.b.o.Gates.WatchGates(func() { poke(k.wake) })
	}
	if calm := k.looked.Add(keepCalm); now.Before(calm) {
		return calm
	}
	k.looked = now
	pods := k.b.o.Gates.PendingGates()
	if len(pods) == 0 {
		k.since = map[gateKey]orphaned{}
		return now.Add(idle)
	}
	named := namedOnce(k.b.o.Gates)
	kept := map[gateKey]orphaned{}
	for _, pod := range pods {
		for _, gate := range pod.Gates {
			if gate, pending := k.b.patches.pending(pod, gate.Binding); pending {
				k.keep(pod, gate, named, kept, now)
			}
		}
	}
	k.since = kept
	return now.Add(keepEvery)
}

// keep decides one gate.
func (k *keeper) keep(pod targets.Pod, gate targets.Gate, named func(namespace, name string) (Named, bool), kept map[gateKey]orphaned, now time.Time) {
	binding, found := named(pod.Namespace, gate.Binding)
	works, selects := false, false
	if found {
		works, selects = k.b.looksAfter(binding.UID, pod.UID)
	}
	if selects && binding.Stopped == (targets.Stop{}) {
		return
	}
	key := gateKey{pod.UID, gate.Binding}
	o := orphaned{found, works, now}
	if was, ok := k.since[key]; ok && was.found == found && was.works == works {
		o.since = was.since
	}
	kept[key] = o
	v := targets.Orphan{
		Now: now, Pod: pod, Gate: gate,
		Found: found, Stopped: stop(binding.Stopped), Works: works, Since: o.since,
	}.Decide()
	if v.Status != targets.GateUnset {
		k.b.patches.want(patch{pod: pod.PodRef, name: gate.Binding, binding: binding.UID, verdict: v})
	}
}

func stop(s targets.Stop) *targets.Stop {
	if s == (targets.Stop{}) {
		return nil
	}
	return &s
}

// namedOnce asks for each binding once.
func namedOnce(gates Gates) func(namespace, name string) (Named, bool) {
	type answer struct {
		Named
		found bool
	}
	asked := map[[2]string]answer{}
	return func(namespace, name string) (Named, bool) {
		a, ok := asked[[2]string{namespace, name}]
		if !ok {
			a.Named, a.found = gates.Named(namespace, name)
			asked[[2]string{namespace, name}] = a
		}
		return a.Named, a.found
	}
}

// OpenGates sets the gates that name a binding to True, because it ends, and waits
// until that is written, has failed once, or has taken 5 s. What failed goes on being
// tried.
func (b *Binder) OpenGates(ctx context.Context, r Ref) {
	if b.o.Gates == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	named := namedOnce(b.o.Gates)
	var keys []gateKey
	for _, pod := range b.o.Gates.PendingGates() {
		gate, pending := b.patches.pending(pod, r.Name)
		if !pending {
			continue
		}
		if is, found := named(pod.Namespace, r.Name); !found || is.UID != r.UID {
			continue
		}
		v := targets.Orphan{
			Now: time.Now(), Pod: pod, Gate: gate, Found: true,
			Stopped: &stoppedByDeletion,
		}.Decide()
		b.patches.want(patch{pod: pod.PodRef, name: r.Name, binding: r.UID, verdict: v})
		keys = append(keys, gateKey{pod.UID, r.Name})
	}
	b.patches.written(ctx, keys)
}

// look makes a binding's group look again.
func (b *Binder) look(uid types.UID) {
	b.mu.Lock()
	g := b.of[uid]
	b.mu.Unlock()
	if g != nil {
		g.poke()
	}
}
