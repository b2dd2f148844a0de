package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// Unless GOGC says otherwise, these are how much garbage there may be for what is in
// use, in percent: at the start, when thousands of objects are decoded and CPU time is
// what everybody waits for, and once memory has been released for the first time. What
// is in use is small, with 300 bindings 27 MB, and hardly any CPU time is needed when
// nothing changes: it is better spent on memory.
const (
	gcPercentStarting = 100
	gcPercent         = 25
)

// releaseEvery is how often memory that is not in use goes back to the machine. The
// runtime keeps what it may fill with garbage until the next collection, half as much
// again as is in use, and after a start with thousands of pods it never needs it. A
// collection takes some 30 ms of CPU time, 0.05 % of a core at this interval.
const releaseEvery = time.Minute

// A releaser gives back memory for as long as the manager runs.
type releaser struct{}

// starting says how much garbage there may be before the first release.
func (releaser) starting() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercentStarting)
	}
}

// Start releases until the context is done.
func (releaser) Start(ctx context.Context) error {
	ticker := time.NewTicker(releaseEvery)
	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if os.Getenv("GOGC") == "" {
				debug.SetGCPercent(gcPercent)
			}

			debug.FreeOSMemory()
		}
	}
}

// NeedLeaderElection is false: who waits for the lease needs no more memory.
func (releaser) NeedLeaderElection() bool { return false }
