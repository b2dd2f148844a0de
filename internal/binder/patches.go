package binder

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

const (
	// patchesAtOnce bounds the calls that are made of the API server together, and
	// patchWithin each of them.
	patchesAtOnce = 8
	patchWithin   = 5 * time.Second
	// Between two tries of a patch: a permission that is granted is used within 10 s.
	patchRetryFirst = 250 * time.Millisecond
	patchRetryLast  = 8 * time.Second
	// patchFailures in a row are told on the binding.
	patchFailures = 3
	// sweepEvery is how often what is remembered of pods that are gone is dropped.
	sweepEvery = time.Minute
)

// ErrPodGone is returned by Gates.SetGate if there is no pod of that UID any more.
var ErrPodGone = errors.New("the pod does not exist any more")

// A patch is what a gate is to say.
type patch struct {
	pod targets.PodRef
	// name of the binding in the gate's condition type, and the binding that says
	// it; empty if none does.
	name    string
	binding types.UID
	verdict targets.GateVerdict
}

func (w patch) key() gateKey { return gateKey{w.pod.UID, w.name} }

// A gateKey is one gate of one pod.
type gateKey struct{ uid, name string }

// A gateEntry is what was written of a gate, and what is to be.
type gateEntry struct {
	patch
	// wanted: the patch is not written yet.
	wanted, inFlight bool
	// said is the verdict that was written last, zero if none was here.
	said     targets.GateVerdict
	failures int
	retryAt  time.Time
}

// patches writes gates to the API server, a few at a time, and remembers what was
// written: the pods that are streamed may be older than that. Nobody waits for it
// but those who open gates before something ends.
type patches struct {
	b    *Binder
	wake chan struct{}

	mu      sync.Mutex
	entries map[gateKey]*gateEntry
	flying  int
	swept   time.Time
	// problems are why gates of a binding cannot be written, by its UID.
	problems map[types.UID]map[gateKey]string
	// changed is closed when a patch has ended.
	changed chan struct{}
}

func newPatches(b *Binder) *patches {
	return &patches{
		b: b, wake: make(chan struct{}, 1), entries: map[gateKey]*gateEntry{},
		problems: map[types.UID]map[gateKey]string{}, changed: make(chan struct{}),
	}
}

// pending returns a pod's gate that names a binding, with what was written since the
// pod was seen; false if it has none, or if it is True.
func (p *patches) pending(pod targets.Pod, name string) (targets.Gate, bool) {
	i := slices.IndexFunc(pod.Gates, func(g targets.Gate) bool { return g.Binding == name })
	if i < 0 || pod.Gates[i].Status == targets.GateTrue {
		return targets.Gate{}, false
	}
	gate := pod.Gates[i]
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[gateKey{pod.UID, name}]
	switch {
	case e == nil:
	case e.verdict.Status == targets.GateTrue:
		return targets.Gate{}, false // it is, or is about to be
	case e.said.Status != targets.GateUnset:
		gate.Status = e.said.Status
	}
	return gate, true
}

// want takes in what a gate is to say. One that is to be True stays so.
func (p *patches) want(w patch) {
	p.mu.Lock()
	e := p.entries[w.key()]
	if e == nil {
		e = &gateEntry{}
		p.entries[w.key()] = e
	}
	news := !same(e.verdict, w.verdict) && e.verdict.Status != targets.GateTrue
	if news {
		e.patch, e.wanted = w, true
		e.failures, e.retryAt = 0, time.Time{}
	}
	p.mu.Unlock()
	if news {
		poke(p.wake)
	}
}

// same says that two verdicts are written alike.
func same(a, b targets.GateVerdict) bool {
	return a.Status == b.Status && a.Reason == b.Reason && a.Message == b.Message
}

func (p *patches) run(ctx context.Context) { each(ctx, p.wake, p.step) }

// step starts the patches that can be made now and returns when to look again.
func (p *patches) step(ctx context.Context) time.Time {
	now := time.Now()
	next := now.Add(idle)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep(now)
	var due []*gateEntry
	for _, e := range p.entries {
		switch {
		case !e.wanted || e.inFlight:
		case e.retryAt.After(now):
			next = earliest(next, e.retryAt)
		default:
			due = append(due, e)
		}
	}
	// What lets a pod be ready goes first.
	slices.SortStableFunc(due, func(a, b *gateEntry) int {
		return compare(b.verdict.Status, a.verdict.Status)
	})
	for _, e := range due[:min(len(due), patchesAtOnce-p.flying)] {
		e.inFlight = true
		p.flying++
		w := e.patch
		p.b.running.Go(func() { p.write(ctx, e, w) })
	}
	return next // a patch that ends wakes us
}

// write makes one patch, which is bounded.
func (p *patches) write(ctx context.Context, e *gateEntry, w patch) {
	call, cancel := context.WithTimeout(ctx, patchWithin)
	err := p.b.o.Gates.SetGate(call, w.pod, w.name, w.verdict)
	cancel()
	p.mu.Lock()
	e.inFlight = false
	p.flying--
	was := p.why(w.binding)
	switch {
	case err == nil || errors.Is(err, ErrPodGone):
		e.said = w.verdict
		e.failures = 0
		e.wanted = e.wanted && !same(e.verdict, w.verdict)
		p.solved(w)
	default:
		e.retryAt = time.Now().Add(min(patchRetryFirst<<min(e.failures, 10), patchRetryLast))
		e.failures++
		if ctx.Err() == nil && e.failures >= patchFailures {
			insert(p.problems, w.binding, w.key(), err.Error())
		}
	}
	news := was != p.why(w.binding)
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	poke(p.wake)
	p.tell(w, err, news)
}

// tell of a patch: one line in the log, and an Event on the pod if its gate opened
// without AWS's word.
func (p *patches) tell(w patch, err error, news bool) {
	log := p.b.o.Log.WithValues("pod", w.pod.String(), "gate", w.name, "status", string(w.verdict.Status), "reason", string(w.verdict.Reason))
	switch {
	case err == nil:
		log.Debug("set a readiness gate")
		if w.verdict.Warn {
			p.b.o.Gates.PodEvent(w.pod, Event{true, "ReadinessGateOpened", "readiness gate " + w.name + " is True without a healthy target (" + string(w.verdict.Reason) + "): " + w.verdict.Message})
		}
	case news && !errors.Is(err, ErrPodGone):
		log.Info("cannot set a readiness gate", "error", err.Error())
	}
	if news {
		p.b.look(w.binding)
	}
}

// problem is why gates of a binding cannot be written; empty if they can.
func (p *patches) problem(uid types.UID) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why(uid)
}

// why is problem, for callers that hold mu. Of several reasons it is always the same
// one.
func (p *patches) why(uid types.UID) string {
	var first string
	for _, text := range p.problems[uid] {
		if first == "" || text < first {
			first = text
		}
	}
	return first
}

func (p *patches) solved(w patch) {
	delete(p.problems[w.binding], w.key())
	if len(p.problems[w.binding]) == 0 {
		delete(p.problems, w.binding)
	}
}

func insert(all map[types.UID]map[gateKey]string, uid types.UID, key gateKey, text string) {
	if all[uid] == nil {
		all[uid] = map[gateKey]string{}
	}
	all[uid][key] = text
}

// sweep drops what is remembered of pods that are gone; callers hold mu.
func (p *patches) sweep(now time.Time) {
	if now.Sub(p.swept) < sweepEvery {
		return
	}
	p.swept = now
	for key, e := range p.entries {
		if !e.inFlight && !p.b.o.Gates.HasPod(e.pod) {
			delete(p.entries, key)
			p.solved(e.patch)
		}
	}
}

// written waits until the gates say what they are to, or have failed to once, or ctx
// is done.
func (p *patches) written(ctx context.Context, keys []gateKey) {
	for {
		p.mu.Lock()
		open := slices.ContainsFunc(keys, func(k gateKey) bool {
			e := p.entries[k]
			return e != nil && e.wanted && e.failures == 0
		})
		changed := p.changed
		p.mu.Unlock()
		if !open {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}
