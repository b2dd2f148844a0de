package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// A scenario has its own namespace, nodes, groups and region of AWS, and with that
// AWS's budget to itself.
type scenario struct {
	name  string
	stand *standKind
	// together lets it run beside others: what it measures are counts, or times of
	// many seconds.
	together bool
	play     play
}

// A play is prepared, and then measured. Several are prepared at the same time.
type play interface {
	prepare(context.Context, *world) error
	measure(context.Context, *world) ([]outcome, error)
}

// scenarios in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		{"move", onAPI, false, &move{}},
		{"hang", onAPI, false, &hang{}},
		{"refused", onAPI, true, &refused{}},
		{"departing", onAPI, true, &departing{}},
		{"not-ready", onAPI, true, &notReady{}},
		{"dropped", onAPI, true, &dropped{}},
		{"gate", onAPI, false, &gate{}},
		{"all", onAPI, false, &allMoved{}},
		{"in-place", onControl, false, &inPlace{}},
		{"production", onProduction, false, &production{}},
	}
}

// within bounds what one scenario may take from when those before it are done, its
// preparation included.
const within = 20 * time.Minute

// runAll runs the scenarios, stand by stand, and reports. What failed did not keep
// the rest from running.
func runAll(ctx context.Context, chosen []scenario) (report, error) {
	began := time.Now()
	var outcomes []outcome
	var errs []error
	for _, kind := range []*standKind{onAPI, onControl, onProduction} {
		var here []scenario
		for _, s := range chosen {
			if s.stand == kind {
				here = append(here, s)
			}
		}
		if len(here) == 0 {
			continue
		}
		got, err := runOn(ctx, kind, here)
		outcomes = append(outcomes, got...)
		errs = append(errs, err)
	}
	return newReport(outcomes, time.Since(began)), errors.Join(errs...)
}

// runOn runs scenarios on one stand.
func runOn(ctx context.Context, kind *standKind, all []scenario) (outcomes []outcome, err error) {
	say("starting: %s", kind.name)
	s, err := startStand(ctx, kind)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel() // open watches keep an API server from stopping
		err = errors.Join(err, s.Stop())
	}()
	ready := make([]chan error, len(all))
	worlds := make([]*world, len(all))
	for i, sc := range all {
		worlds[i], ready[i] = s.world(sc.name), make(chan error, 1)
		go func() { ready[i] <- sc.play.prepare(ctx, worlds[i]) }()
	}
	var mu sync.Mutex
	var errs []error
	var beside sync.WaitGroup
	for i, sc := range all {
		if !sc.together {
			beside.Wait()
		}
		one := func() {
			got, err := sc.one(ctx, worlds[i], ready[i])
			mu.Lock()
			defer mu.Unlock()
			outcomes = append(outcomes, got...)
			if err != nil {
				errs = append(errs, fmt.Errorf("scenario %s cannot be judged: %w", sc.name, err))
			}
		}
		if sc.together {
			beside.Go(one)
		} else {
			one()
		}
	}
	beside.Wait()
	if len(errs) > 0 {
		fmt.Fprintln(os.Stderr, s.ProviderLog())
	}
	return outcomes, errors.Join(errs...)
}

// one runs one scenario when it is prepared.
func (sc scenario) one(ctx context.Context, w *world, ready <-chan error) ([]outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	select {
	case err := <-ready:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, errors.New("it was not prepared in time")
	}
	say("%s: measuring", sc.name)
	began := time.Now()
	got, err := sc.play.measure(ctx, w)
	for _, o := range got {
		say("%s: %s (bound %s) after %s", o.key, o.measured, o.bound, time.Since(began).Round(time.Second))
	}
	return got, err
}

var started = time.Now()

// say tells of progress.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%5.0fs  %s\n", time.Since(started).Seconds(), fmt.Sprintf(format, args...))
}
