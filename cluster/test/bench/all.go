package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	allGroups = 200
	// allNodes that pods move from, and as many that they move to.
	allNodes = 42
	allPort  = 10000
)

// allMoved: each of 200 groups has a pod, and all of them move at once.
type allMoved struct {
	arns  []string
	nodes []node
	now   []pod
}

// pod of a group, by turns on one half of the nodes or on the other, in its zone.
func (a *allMoved) pod(group, turn int, gate string) pod {
	return pod{
		name: fmt.Sprintf("pod-%d-%d", group, turn), app: fmt.Sprintf("proxy-%d", group),
		node: a.nodes[turn%2*allNodes+group%allNodes], port: int32(allPort + group), gate: gate,
	}
}

func (a *allMoved) prepare(ctx context.Context, w *world) (err error) {
	if err := w.open(ctx); err != nil {
		return err
	}
	if a.nodes, err = w.nodes(ctx, "node", 2*allNodes); err != nil {
		return err
	}
	for g := range allGroups {
		a.now = append(a.now, a.pod(g, 0, ""))
	}
	if err := w.start(ctx, a.now...); err != nil {
		return err
	}
	a.arns = make([]string, allGroups)
	if err := each(a.now, func(i int, p pod) (err error) {
		http := func(s *awssim.TargetGroupSeed) { s.Params = map[string]string{"HealthCheckProtocol": "HTTP"} }
		if a.arns[i], err = w.group(p.app, p.port, http, p); err != nil {
			return err
		}
		return w.bind(ctx, p.app, a.arns[i], p.port, nil)
	}); err != nil {
		return err
	}
	for _, p := range a.now {
		if err := w.moments.all(ctx, bindingReady, p.app); err != nil {
			return err
		}
	}
	return nil
}

func (a *allMoved) measure(ctx context.Context, w *world) ([]outcome, error) {
	began := time.Now()
	fresh := make([]pod, allGroups)
	for g := range fresh {
		fresh[g] = a.pod(g, 1, "")
	}
	if err := each(fresh, func(_ int, p pod) error { return w.create(ctx, p) }); err != nil {
		return nil, err
	}
	old, first := a.now, time.Now() // the first pod is ready a little later
	if err := each(fresh, func(i int, p pod) error {
		if err := w.ready(ctx, p); err != nil {
			return err
		}
		return w.remove(ctx, old[i])
	}); err != nil {
		return nil, err
	}
	a.now = fresh
	in, err := w.naming(ctx, register, began, targetsOf(fresh))
	if err != nil {
		return nil, err
	}
	out, err := w.naming(ctx, deregister, began, targetsOf(old))
	if err != nil {
		return nil, err
	}
	registered, deregistered := latest(in, targetsOf(fresh)).Sub(first), latest(out, targetsOf(old)).Sub(first)
	calls := w.writes(began)
	values := map[string]float64{
		"last_registered_s": registered.Seconds(), "last_deregistered_s": deregistered.Seconds(), "writes": float64(calls),
		"throttled": float64(throttled(w.calls(began))),
	}
	moved := []outcome{
		{
			key: "all-registered", bound: seconds(budgeted(allGroups)), measured: seconds(registered),
			met: registered <= 50*time.Second, values: values,
		},
		{
			key: "all-deregistered", bound: seconds(budgeted(2 * allGroups)), measured: seconds(deregistered),
			met: deregistered <= 100*time.Second, values: values,
		},
	}
	gated, err := a.gated(ctx, w)
	return append(moved, gated...), err
}

// gated: all pods move again, and this time an old pod serves until the new one's
// gate is True. Then it does what docs/rollouts.md says: it fails its health check,
// goes on serving until AWS sends nothing more, and ends.
func (a *allMoved) gated(ctx context.Context, w *world) ([]outcome, error) {
	old := a.now
	fresh := make([]pod, allGroups)
	users := make([]*awssim.Traffic, allGroups)
	for g := range fresh {
		fresh[g] = a.pod(g, 2, gatePrefix+fmt.Sprintf("proxy-%d", g))
		users[g] = w.Sim.StartClient(awssim.Client{TargetGroup: a.arns[g], Every: userEvery, Seed: uint64(g)})
	}
	began := time.Now()
	if err := w.start(ctx, fresh...); err != nil {
		return nil, err
	}
	errs := make([]error, allGroups)
	var all sync.WaitGroup
	for g := range fresh {
		all.Go(func() { errs[g] = a.handOver(ctx, w, old[g], fresh[g]) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if _, err := w.naming(ctx, deregister, began, targetsOf(old)); err != nil {
		return nil, err
	}
	var attempts, failed int
	for _, u := range users {
		seen := u.Stop()
		attempts, failed = attempts+seen.Attempts, failed+seen.Failed()
	}
	if attempts < allGroups {
		return nil, fmt.Errorf("clients tried %d times", attempts)
	}
	a.now = fresh
	return []outcome{{
		key: "all-gated", bound: "0", measured: fmt.Sprintf("%d of %d", failed, attempts), met: failed == 0,
		values: map[string]float64{"failed": float64(failed), "attempts": float64(attempts), "took_s": time.Since(began).Seconds()},
	}}, nil
}

// Times of the hand-over, of a simulated AWS that is 300 times faster than the real
// one: it takes 2 checks of 0.1 s to find a target unhealthy, and 0.14 s more until
// nobody sends to it.
const (
	userEvery  = time.Second
	lameDuckOf = 2 * time.Second
)

// handOver ends the old pod when the new one's gate is True.
func (a *allMoved) handOver(ctx context.Context, w *world, old, fresh pod) error {
	if _, err := w.moments.when(ctx, gateTrue+fresh.name); err != nil {
		return err
	}
	w.Sim.SetProbe(old.node.instance, old.port, awssim.AnswersWrong)
	if err := pace(ctx, time.Now().Add(lameDuckOf)); err != nil {
		return err
	}
	w.Sim.SetProbe(old.node.instance, old.port, awssim.Refuses)
	return w.remove(ctx, old)
}

// latest of the times at which keys were named.
func latest(at map[awssim.Key]time.Time, keys []awssim.Key) (last time.Time) {
	for _, k := range keys {
		last = later(last, at[k])
	}
	return last
}

func throttled(calls []awssim.Call) (n int) {
	for _, c := range calls {
		if c.Code == "Throttling" {
			n++
		}
	}
	return n
}
