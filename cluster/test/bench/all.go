package main

import (
	"context"
	"fmt"
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
		if a.arns[i], err = w.group(p.app, p.port, nil, p); err != nil {
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
	return []outcome{
		{
			key: "all-registered", bound: seconds(budgeted(allGroups)), measured: seconds(registered),
			met: registered <= 50*time.Second, values: values,
		},
		{
			key: "all-deregistered", bound: seconds(budgeted(2 * allGroups)), measured: seconds(deregistered),
			met: deregistered <= 100*time.Second, values: values,
		},
	}, nil
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
