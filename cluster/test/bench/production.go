package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// What a large cluster has.
const (
	productionBindings = 300
	productionNodes    = 1000
	// productionPods use the host's network; the others do not.
	productionPods, productionOthers = 5000, 20000
	productionPort                   = 10000
	// idleFor is for how long CPU is counted, and settledAfter how long after the
	// last group was read it begins.
	idleFor      = 60 * time.Second
	settledAfter = 30 * time.Second
)

// production: a large cluster in sync. The provider is started again and again.
type production struct {
	nodes []node
	pods  []pod
	arns  []string
}

func (p *production) prepare(ctx context.Context, w *world) (err error) {
	if err := w.open(ctx); err != nil {
		return err
	}
	if p.nodes, err = w.nodes(ctx, "node", productionNodes); err != nil {
		return err
	}
	say("production: %d nodes", len(p.nodes))
	for i := range productionPods {
		p.pods = append(p.pods, p.pod(i))
	}
	if err := w.start(ctx, p.pods...); err != nil {
		return err
	}
	say("production: %d hostNetwork pods", len(p.pods))
	if err := p.others(ctx, w); err != nil {
		return err
	}
	say("production: %d other pods", productionOthers)
	if err := p.bindings(ctx, w); err != nil {
		return err
	}
	// The first start is not measured: it may use all of AWS's budget.
	if err := w.StartProvider(ctx, "--aws-api-share=100"); err != nil {
		return err
	}
	for b := range productionBindings {
		if err := w.moments.all(ctx, bindingReady, app(b)); err != nil {
			return err
		}
	}
	say("production: %d bindings are ready", productionBindings)
	return nil
}

func app(binding int) string { return fmt.Sprintf("proxy-%d", binding) }

// pod i is of binding i modulo their number, which has 16 or 17, each on a node of its
// own.
func (p *production) pod(i int) pod {
	b := i % productionBindings
	return pod{name: fmt.Sprintf("pod-%d", i), app: app(b), node: p.nodeOf(b, i/productionBindings), port: int32(productionPort + b)}
}

// nodeOf is where a binding's nth pod runs: 59 nodes from one to the next.
func (p *production) nodeOf(binding, n int) node { return p.nodes[(binding+59*n)%productionNodes] }

// others are pods with a network of their own, in another namespace.
func (p *production) others(ctx context.Context, w *world) error {
	ns := w.ns + "-others"
	if err := w.Client().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}); err != nil {
		return err
	}
	return each(make([]struct{}, productionOthers), func(i int, _ struct{}) error {
		return w.Client().Create(ctx, newPod(ns, pod{name: fmt.Sprintf("other-%d", i), app: "other", node: p.nodes[i%productionNodes]}))
	})
}

func (p *production) bindings(ctx context.Context, w *world) error {
	of := make([][]pod, productionBindings)
	for i, one := range p.pods {
		of[i%productionBindings] = append(of[i%productionBindings], one)
	}
	p.arns = make([]string, productionBindings)
	return each(of, func(b int, pods []pod) (err error) {
		port := int32(productionPort + b)
		if p.arns[b], err = w.group(app(b), port, nil, pods...); err != nil {
			return err
		}
		return w.bind(ctx, app(b), p.arns[b], port, nil)
	})
}

func (p *production) measure(ctx context.Context, w *world) ([]outcome, error) {
	if err := w.silent(ctx, confirmed); err != nil {
		return nil, err
	}
	clean, err := p.restart(ctx, w, w.StopProvider, 101)
	if err != nil {
		return nil, err
	}
	readAll, err := p.readAll(ctx, w, clean)
	if err != nil {
		return nil, err
	}
	writes := clean.otherWrites(w)
	out := []outcome{
		{
			key: "restart-writes", bound: "0", measured: fmt.Sprint(writes), met: writes == 0,
			values: map[string]float64{"writes_but_for_the_changed_pod": float64(writes), "all_groups_read_s": readAll.Seconds()},
		},
		{
			key: "restart-clean", bound: "1 read and 1 call", measured: seconds(clean.first), met: clean.first <= 3*time.Second,
			values: clean.values(),
		},
	}
	if err := pace(ctx, time.Now().Add(settledAfter)); err != nil {
		return out, err
	}
	footprint, err := p.footprint(ctx, w)
	if err != nil {
		return out, err
	}
	out = append(out, footprint...)
	killed, err := p.restart(ctx, w, w.KillProvider, 202)
	if err != nil {
		return out, err
	}
	return append(out, outcome{
		key: "restart-killed", bound: "the lease (15 s)", measured: seconds(killed.first), met: killed.first <= 20*time.Second,
		values: killed.values(),
	}), nil
}

// confirmed is longer than a read that is awaited waits.
const confirmed = 20 * time.Second

// A restart of the provider.
type restart struct {
	// at is when the old process had ended; changed became ready then, and first is
	// how much later its registration arrived.
	at      time.Time
	changed pod
	first   time.Duration
	// Where the time went, from at on: until the pod was written, until the provider
	// said that it is ready, and until its first call and its first read of a group
	// arrived. The lease is asked for when it is ready.
	written, up, called, read time.Duration
	// cpu is what the process had used shortly after the write, and calls how many
	// AWS had received before it.
	cpu   time.Duration
	calls int
}

// values are for JSON.
func (r restart) values() map[string]float64 {
	return map[string]float64{
		"first_write_s": r.first.Seconds(), "pod_written_s": r.written.Seconds(), "ready_s": r.up.Seconds(),
		"first_call_s": r.called.Seconds(), "first_health_read_s": r.read.Seconds(),
		"cpu_s": r.cpu.Seconds(), "calls_before_it": float64(r.calls),
	}
}

// restart ends the provider, lets a pod of one binding become ready, and starts the
// provider again.
func (p *production) restart(ctx context.Context, w *world, end func() error, binding int) (restart, error) {
	r := restart{changed: pod{
		name: fmt.Sprintf("new-%d", binding), app: app(binding), port: int32(productionPort + binding),
		node: p.nodeOf(binding, productionPods/productionBindings+1),
	}}
	if err := end(); err != nil {
		return r, err
	}
	r.at = time.Now()
	if err := w.start(ctx, r.changed); err != nil {
		return r, err
	}
	r.written = time.Since(r.at)
	if err := w.StartProvider(ctx); err != nil {
		return r, err
	}
	r.up = time.Since(r.at)
	at, err := w.naming(ctx, register, r.at, []awssim.Key{r.changed.target()})
	if err != nil {
		return r, err
	}
	if r.cpu, err = cpuOf(w.ProviderPID()); err != nil {
		return r, err
	}
	r.first = at[r.changed.target()].Sub(r.at)
	for i, c := range w.calls(r.at) {
		if i == 0 {
			r.called = c.At.Sub(r.at)
		}
		if c.At.Before(at[r.changed.target()]) {
			r.calls++
		}
	}
	if reads := w.calls(r.at, health); len(reads) > 0 {
		r.read = reads[0].At.Sub(r.at)
	}
	say("production: %s after the end of the process: pod written %s, provider ready %s, first call %s, first health read %s; %d calls and %s of CPU time before it",
		seconds(r.first), seconds(r.written), seconds(r.up), seconds(r.called), seconds(r.read), r.calls, seconds(r.cpu))
	return r, nil
}

// otherWrites are those since the restart that do not only register what changed.
func (r restart) otherWrites(w *world) (n int) {
	for _, c := range w.calls(r.at, register, deregister) {
		if c.Action != register || !slices.Equal(named(c), []awssim.Key{r.changed.target()}) {
			n++
		}
	}
	return n
}

// readAll waits until every group was read since the restart, and what that may lead
// to is done. It returns how long the reads took.
func (p *production) readAll(ctx context.Context, w *world, r restart) (time.Duration, error) {
	read := map[string]bool{}
	err := w.until(ctx, "a read of each group", r.at, func(calls []awssim.Call) bool {
		for _, c := range calls {
			read[c.TargetGroupARN] = true
		}
		return len(read) == productionBindings
	}, health)
	if err != nil {
		return 0, fmt.Errorf("%w: %d groups were", err, len(read))
	}
	took := time.Since(r.at)
	say("production: all groups were read %s after the restart", seconds(took))
	// What would be deregistered would be so when the view has been complete for 10 s.
	return took, w.silent(ctx, confirmed)
}

// footprint is what the process needs.
func (p *production) footprint(ctx context.Context, w *world) ([]outcome, error) {
	before, err := cpuOf(w.ProviderPID())
	if err != nil {
		return nil, err
	}
	began, calls := time.Now(), time.Now()
	if err := pace(ctx, began.Add(idleFor)); err != nil {
		return nil, err
	}
	after, err := cpuOf(w.ProviderPID())
	if err != nil {
		return nil, err
	}
	idle := 100 * (after - before).Seconds() / time.Since(began).Seconds()
	m, err := memoryOf(w.ProviderPID())
	if err != nil {
		return nil, err
	}
	values := map[string]float64{
		"rss_mb": m.resident, "rss_anonymous_mb": m.anonymous, "rss_program_mb": m.program, "peak_rss_mb": m.peak,
		"pods": productionPods + productionOthers,
	}
	return []outcome{
		{
			key: "memory-steady", bound: "–", met: m.resident <= 80, values: values,
			measured: fmt.Sprintf("%.0f MB (%.0f MB of its own, %.0f MB pages of the program)", m.resident, m.anonymous, m.program),
		},
		{key: "memory-peak", bound: "–", measured: fmt.Sprintf("%.0f MB", m.peak), met: m.peak <= 200, values: values},
		{
			key: "idle-cpu", bound: "–", measured: fmt.Sprintf("%.2f %% of a core", idle), met: idle <= 1,
			values: map[string]float64{"percent_of_a_core": idle, "calls_meanwhile": float64(len(w.calls(calls)))},
		},
	}, nil
}
