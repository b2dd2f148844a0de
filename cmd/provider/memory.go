package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// Unless GOGC says otherwise, these are how much garbage there may be for what is in
// use, in percent: while a leader starts, when thousands of objects are decoded and CPU
// time is what everybody waits for, of which 25 would take twice as much; and after
// startingFor. What is in use is small, with 300 bindings 27 MB, and hardly any CPU time
// is needed when nothing changes: it is better spent on memory.
const (
	gcPercentStarting = 100
	gcPercent         = 25
	startingFor       = 10 * time.Second
)

// releaseEvery is how often memory that is not in use goes back to the machine. The
// runtime keeps what it may fill with garbage until the next collection, and after a
// start with thousands of pods it never needs it. A collection takes some 30 ms of CPU
// time, 0.05 % of a core at this interval.
const releaseEvery = time.Minute

// A releaser gives back memory for as long as the manager runs.
type releaser struct {
	// elected is closed when this process leads.
	elected <-chan struct{}
}

// collect says how much garbage there may be.
func collect(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// Start releases until the context is done.
func (r releaser) Start(ctx context.Context) error {
	ticker := time.NewTicker(releaseEvery)
	defer ticker.Stop()

	elected, started := r.elected, (<-chan time.Time)(nil)

	for {
		select {
		case <-ctx.Done():
			return nil
		case <-elected:
			elected, started = nil, time.After(startingFor)
		case <-started:
			collect(gcPercent)
		case <-ticker.C:
			debug.FreeOSMemory()
		}
	}
}

// NeedLeaderElection is false: who waits for the lease needs no more memory.
func (releaser) NeedLeaderElection() bool { return false }
