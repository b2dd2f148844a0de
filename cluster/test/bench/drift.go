package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	driftBindings = 20
	driftPort     = 8443
	driftPoll     = 60 * time.Second
)

// dropped: somebody deregisters a target of each of 20 groups just after they were
// read, which is the worst moment.
type dropped struct {
	arns []string
	pods []pod
}

func (d *dropped) prepare(ctx context.Context, w *world) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	nodes, err := w.nodes(ctx, "node", driftBindings)
	if err != nil {
		return err
	}
	for i, n := range nodes {
		p := pod{name: fmt.Sprintf("pod-%d", i), app: fmt.Sprintf("proxy-%d", i), node: n, port: int32(driftPort + i)}
		if err := w.start(ctx, p); err != nil {
			return err
		}
		arn, err := w.group(p.app, p.port, nil, p)
		if err != nil {
			return err
		}
		d.arns, d.pods = append(d.arns, arn), append(d.pods, p)
		if err := w.bind(ctx, p.app, arn, p.port, map[string]string{"crossplane.io/poll-interval": driftPoll.String()}); err != nil {
			return err
		}
	}
	for _, p := range d.pods {
		if err := w.moments.all(ctx, bindingReady, p.app); err != nil {
			return err
		}
	}
	return nil
}

func (d *dropped) measure(ctx context.Context, w *world) ([]outcome, error) {
	began := time.Now()
	// Each is dropped when a read of its group has been answered.
	droppedAt := map[string]time.Time{}
	err := w.until(ctx, "a quiet read of each group", began, func(calls []awssim.Call) bool {
		for _, c := range calls {
			i := slices.Index(d.arns, c.TargetGroupARN)
			if i < 0 || c.Status == 0 || !droppedAt[c.TargetGroupARN].IsZero() {
				continue
			}
			droppedAt[c.TargetGroupARN] = time.Now()
			w.Sim.DropTarget(c.TargetGroupARN, d.pods[i].node.instance, d.pods[i].port)
		}
		return len(droppedAt) == len(d.arns)
	}, health)
	if err != nil {
		return nil, err
	}
	repaired, err := w.naming(ctx, register, began, targetsOf(d.pods))
	if err != nil {
		return nil, err
	}
	var slowest time.Duration
	for i, p := range d.pods {
		slowest = max(slowest, repaired[p.target()].Sub(droppedAt[d.arns[i]]))
	}
	return []outcome{{
		key: "dropped", bound: fmt.Sprintf("poll (%s)", driftPoll), measured: fmt.Sprintf("%s (slowest)", seconds(slowest)),
		met:    slowest <= driftPoll,
		values: map[string]float64{"slowest_s": slowest.Seconds(), "bindings": driftBindings, "writes": float64(w.writes(began))},
	}}, nil
}
