package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	movePods  = 50
	moves     = 30
	moveEvery = time.Second
	movePort  = 8443
)

// move: one pod after the other moves to another node, as in a rollout that starts
// the new pod before it stops the old one.
type move struct {
	arn   string
	pods  []pod
	spare []node
}

func (m *move) prepare(ctx context.Context, w *world) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	nodes, err := w.nodes(ctx, "node", movePods+moves)
	if err != nil {
		return err
	}
	for i, n := range nodes[:movePods] {
		m.pods = append(m.pods, pod{name: fmt.Sprintf("old-%d", i), app: "proxy", node: n, port: movePort})
	}
	m.spare = nodes[movePods:]
	if err := w.start(ctx, m.pods...); err != nil {
		return err
	}
	if m.arn, err = w.group("proxy", movePort, nil, m.pods...); err != nil {
		return err
	}
	if err := w.bind(ctx, "proxy", m.arn, movePort, nil); err != nil {
		return err
	}
	if err := w.moments.all(ctx, bindingReady, "proxy"); err != nil {
		return err
	}
	return w.healthy(ctx, m.arn, movePods)
}

func (m *move) measure(ctx context.Context, w *world) ([]outcome, error) {
	began := time.Now()
	fresh := make([]pod, moves)
	written := make([]time.Time, moves)
	for i, n := range m.spare {
		fresh[i] = pod{name: fmt.Sprintf("new-%d", i), app: "proxy", node: n, port: movePort}
		if err := pace(ctx, began.Add(time.Duration(i)*moveEvery)); err != nil {
			return nil, err
		}
		if err := w.create(ctx, fresh[i]); err != nil {
			return nil, err
		}
		written[i] = time.Now()
		if err := w.ready(ctx, fresh[i]); err != nil {
			return nil, err
		}
		if err := w.remove(ctx, m.pods[i]); err != nil {
			return nil, err
		}
	}
	arrivals, err := w.naming(ctx, register, began, targetsOf(fresh))
	if err != nil {
		return nil, err
	}
	departures, err := w.naming(ctx, deregister, began, targetsOf(m.pods[:moves]))
	if err != nil {
		return nil, err
	}
	reads := w.calls(began, health)
	var took, fromWrite, left []time.Duration
	describes := 0
	for i, p := range fresh {
		seen, err := w.moments.when(ctx, podReady+p.name)
		if err != nil {
			return nil, err
		}
		arrived := arrivals[p.target()]
		took, fromWrite = append(took, arrived.Sub(seen)), append(fromWrite, arrived.Sub(written[i]))
		for _, c := range reads {
			if c.At.After(written[i]) && c.At.Before(arrived) {
				describes++
			}
		}
		gone, err := w.moments.when(ctx, podGone+m.pods[i].name)
		if err != nil {
			return nil, err
		}
		left = append(left, departures[m.pods[i].target()].Sub(gone))
	}
	if err := w.moments.exact(began); err != nil {
		return nil, err
	}
	p50 := max(0, median(took))
	return []outcome{{
		key: "move", bound: fmt.Sprintf("1 call (%s)", latency),
		measured: fmt.Sprintf("%s before the call leaves (worst of %d: %s), %d Describe in its way", seconds(p50), moves, seconds(slices.Max(took)), describes),
		// A read that others wait for may fall between an event and its call by chance.
		met: p50 <= 30*time.Millisecond && describes <= moves/10,
		values: map[string]float64{
			"p50_s": p50.Seconds(), "max_s": slices.Max(took).Seconds(), "p50_from_status_write_s": median(fromWrite).Seconds(),
			"deregister_p50_s": median(left).Seconds(), "describes": float64(describes), "moves": moves,
			"reads_in_all": float64(len(reads)), "writes_in_all": float64(w.writes(began)),
		},
	}}, nil
}
