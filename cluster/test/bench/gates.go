package main

import (
	"context"
	"fmt"
	"time"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	gateGroups = 6
	gatePort   = 8443
	// gatePrefix is that of the condition types; the binding's name follows.
	gatePrefix = "target-health.nlb.crossplane.io/"
)

// gate: pods of six groups wait for AWS to call them healthy.
type gate struct {
	arns  []string
	nodes []node
}

func (g *gate) prepare(ctx context.Context, w *world) (err error) {
	if err := w.open(ctx); err != nil {
		return err
	}
	if g.nodes, err = w.nodes(ctx, "node", 2*gateGroups); err != nil {
		return err
	}
	for i := range gateGroups {
		p := pod{name: fmt.Sprintf("old-%d", i), app: fmt.Sprintf("proxy-%d", i), node: g.nodes[i], port: int32(gatePort + i)}
		if err := w.start(ctx, p); err != nil {
			return err
		}
		// The simulated AWS runs 300 times faster, so this is one check a second: a new
		// target is checked for 9 s before it is healthy.
		arn, err := w.group(p.app, p.port, func(s *awssim.TargetGroupSeed) {
			s.Params = map[string]string{"HealthyThresholdCount": "10", "HealthCheckIntervalSeconds": "300"}
		}, p)
		if err != nil {
			return err
		}
		g.arns = append(g.arns, arn)
		if err := w.bind(ctx, p.app, arn, p.port, nil); err != nil {
			return err
		}
	}
	for i := range gateGroups {
		if err := w.moments.all(ctx, bindingReady, fmt.Sprintf("proxy-%d", i)); err != nil {
			return err
		}
	}
	return nil
}

func (g *gate) measure(ctx context.Context, w *world) ([]outcome, error) {
	pods := make([]pod, gateGroups)
	for i := range pods {
		app := fmt.Sprintf("proxy-%d", i)
		pods[i] = pod{name: fmt.Sprintf("new-%d", i), app: app, node: g.nodes[gateGroups+i], port: int32(gatePort + i), gate: gatePrefix + app}
	}
	if err := w.start(ctx, pods...); err != nil {
		return nil, err
	}
	var slowest time.Duration
	for i, p := range pods {
		opened, err := w.moments.when(ctx, gateTrue+p.name)
		if err != nil {
			return nil, err
		}
		t, ok := w.Sim.Target(g.arns[i], p.node.instance, p.port)
		if !ok || t.HealthySince.IsZero() || opened.Before(t.HealthySince) {
			return nil, fmt.Errorf("the gate of %s is True, and AWS calls its target %s since %s", p.name, t.State, t.HealthySince)
		}
		slowest = max(slowest, opened.Sub(t.HealthySince))
	}
	return []outcome{{
		key: "gate", bound: fmt.Sprintf("1 read (%s)", latency), measured: fmt.Sprintf("%s (slowest of %d)", seconds(slowest), gateGroups),
		met: slowest <= 2*time.Second, values: map[string]float64{"slowest_s": slowest.Seconds(), "groups": gateGroups},
	}}, nil
}
