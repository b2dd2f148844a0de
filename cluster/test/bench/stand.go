package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// latency of every call to the simulated AWS.
const latency = 60 * time.Millisecond

// A standKind says what scenarios run on.
type standKind struct {
	name  string
	parts local.Parts
	// busy lets scenarios start the provider themselves.
	busy bool
}

// The stands. Where nothing but the API server runs, the scenarios write what
// kubelets and controllers would write, at the moment that they choose.
var (
	onAPI        = &standKind{name: "API server", parts: local.APIOnly}
	onControl    = &standKind{name: "control plane", parts: local.Full}
	onProduction = &standKind{name: "API server, large", parts: local.APIOnly, busy: true}
)

// A stand is a stack at work, and what tells of it.
type stand struct {
	*stack.Stack
	watcher client.WithWatch
	// called is told of each call that AWS receives.
	called *bell

	mu      sync.Mutex
	regions int
}

// regionsPerStand is one for each scenario: AWS's budget is one per region.
const regionsPerStand = 16

func regionName(n int) string { return fmt.Sprintf("eu-bench-%d", n) }

func startStand(ctx context.Context, kind *standKind) (_ *stand, err error) {
	s := &stand{called: newBell()}
	all := []string{stack.Region}
	for n := range regionsPerStand {
		all = append(all, regionName(n+1))
	}
	s.Stack, err = stack.Start(ctx, stack.Options{
		Parts: kind.parts, Quiet: true, Log: os.Stderr,
		AWS: awssim.Options{Latency: latency, TokenBuckets: true, Regions: all, OnCall: func(awssim.Call) { s.called.tell() }},
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if s.watcher, err = client.NewWithWatch(s.Config(), client.Options{Scheme: s.Client().Scheme()}); err != nil {
		return nil, err
	}
	if kind.busy {
		return s, nil
	}
	return s, s.StartProvider(ctx)
}

// A bell wakes all who wait for something to happen.
type bell struct {
	mu   sync.Mutex
	next chan struct{}
}

func newBell() *bell { return &bell{next: make(chan struct{})} }

func (b *bell) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.next)
	b.next = make(chan struct{})
}

// wait is closed when it is next told.
func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next
}
