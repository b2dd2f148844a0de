package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	faultPort = 8443

	hangGroups = 20
	hangFor    = 40 * time.Second
	hangEvery  = time.Second
)

// hang: the calls about one group hang, while pods of the others change.
type hang struct {
	arns  []string
	nodes []node
}

func (h *hang) prepare(ctx context.Context, w *world) (err error) {
	if err := w.open(ctx); err != nil {
		return err
	}
	if h.nodes, err = w.nodes(ctx, "node", 3+int(hangFor/hangEvery)); err != nil {
		return err
	}
	for g := range hangGroups {
		app := fmt.Sprintf("proxy-%d", g)
		p := h.pod(g, 0)
		if err := w.start(ctx, p); err != nil {
			return err
		}
		arn, err := w.group(app, p.port, nil, p)
		if err != nil {
			return err
		}
		h.arns = append(h.arns, arn)
		if err := w.bind(ctx, app, arn, p.port, nil); err != nil {
			return err
		}
	}
	for g := range hangGroups {
		if err := w.moments.all(ctx, bindingReady, fmt.Sprintf("proxy-%d", g)); err != nil {
			return err
		}
	}
	return nil
}

// pod of a group on a node.
func (h *hang) pod(group, n int) pod {
	return pod{name: fmt.Sprintf("pod-%d-%d", group, n), app: fmt.Sprintf("proxy-%d", group), node: h.nodes[n], port: int32(faultPort + group)}
}

func (h *hang) measure(ctx context.Context, w *world) ([]outcome, error) {
	remove := w.Sim.Fault(awssim.Fault{Contains: h.arns[0], Effect: awssim.Hang})
	defer remove()
	began := time.Now()
	if err := w.start(ctx, h.pod(0, 1)); err != nil {
		return nil, err
	}
	hangs := func(calls []awssim.Call) bool {
		return slices.ContainsFunc(calls, func(c awssim.Call) bool { return c.TargetGroupARN == h.arns[0] })
	}
	if err := w.until(ctx, "a call that hangs", began, hangs, register); err != nil {
		return nil, err
	}
	hung := time.Now()
	var slowest time.Duration
	n := 0
	for ; time.Since(hung) < hangFor; n++ {
		if err := pace(ctx, hung.Add(time.Duration(n)*hangEvery)); err != nil {
			return nil, err
		}
		p := h.pod(1+n%(hangGroups-1), 2+n)
		if err := w.start(ctx, p); err != nil {
			return nil, err
		}
		arrivals, err := w.naming(ctx, register, hung, []awssim.Key{p.target()})
		if err != nil {
			return nil, err
		}
		seen, err := w.moments.when(ctx, podReady+p.name)
		if err != nil {
			return nil, err
		}
		slowest = max(slowest, arrivals[p.target()].Sub(seen))
	}
	if err := w.moments.exact(hung); err != nil {
		return nil, err
	}
	for _, c := range w.calls(began, register) {
		if c.TargetGroupARN == h.arns[0] && c.Status == http.StatusOK {
			return nil, fmt.Errorf("the call about group 0 did not hang")
		}
	}
	return []outcome{{
		key: "hang", bound: fmt.Sprintf("1 call (%s)", latency),
		measured: fmt.Sprintf("%s (slowest of %d)", seconds(slowest), n), met: slowest <= 500*time.Millisecond,
		values: map[string]float64{"slowest_s": slowest.Seconds(), "registrations": float64(n), "groups": hangGroups},
	}}, nil
}

const refusedPods = 20

// refused: AWS refuses one of 20 pods that become ready together.
type refused struct {
	pods  []pod
	first pod
}

func (r *refused) prepare(ctx context.Context, w *world) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	nodes, err := w.nodes(ctx, "node", refusedPods+1)
	if err != nil {
		return err
	}
	for i, n := range nodes {
		r.pods = append(r.pods, pod{name: fmt.Sprintf("pod-%d", i), app: "proxy", node: n, port: faultPort})
	}
	r.first, r.pods = r.pods[0], r.pods[1:]
	if err := w.start(ctx, r.first); err != nil {
		return err
	}
	for _, p := range r.pods {
		if err := w.create(ctx, p); err != nil {
			return err
		}
	}
	arn, err := w.group("proxy", faultPort, nil, r.first)
	if err != nil {
		return err
	}
	if err := w.bind(ctx, "proxy", arn, faultPort, nil); err != nil {
		return err
	}
	return w.moments.all(ctx, bindingReady, "proxy")
}

func (r *refused) measure(ctx context.Context, w *world) ([]outcome, error) {
	bad := r.pods[refusedPods/2]
	defer w.Sim.Fault(awssim.Fault{Effect: awssim.RefuseTarget, Target: bad.node.instance, Action: register, Region: w.region})()
	began := time.Now()
	if err := each(r.pods, func(_ int, p pod) error { return w.ready(ctx, p) }); err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(targetsOf(r.pods), func(k awssim.Key) bool { return k == bad.target() })
	arrivals, err := w.naming(ctx, register, began, others)
	if err != nil {
		return nil, err
	}
	var last time.Time
	for _, p := range r.pods {
		last = later(last, arrivals[p.target()])
	}
	calls := w.calls(began, register)
	if !slices.ContainsFunc(calls, func(c awssim.Call) bool { return c.Code == "InvalidTarget" }) {
		return nil, fmt.Errorf("AWS refused nothing")
	}
	took := last.Add(latency).Sub(began) // the first of them is ready a little later
	return []outcome{{
		key: "refused", bound: fmt.Sprintf("2 calls (%s)", seconds(2*latency)),
		measured: fmt.Sprintf("%s, in %d calls", seconds(took), len(calls)), met: took <= time.Second,
		values: map[string]float64{"others_registered_s": took.Seconds(), "calls": float64(len(calls))},
	}}, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
