package main

import (
	"fmt"
	"io"
	"os"
)

// endWithStdin ends this process when its standard input does. The starter holds
// the other end of that pipe, and the kernel closes it however the starter dies:
// a control plane never outlives its test or demo. (PR_SET_PDEATHSIG fires when
// the parent *thread* exits, and Go starts children from any thread; comparing
// parent pids misses a parent that died before the first look.)
//
// An orphan has nobody left to clean up after it, so the one component that was
// told of a directory in CONTROLPLANE_ORPHAN_REMOVES removes it on the way out.
func endWithStdin() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	fmt.Fprintln(os.Stderr, "the process that started this one has ended: so does this one")
	if dir := os.Getenv("CONTROLPLANE_ORPHAN_REMOVES"); dir != "" {
		// The other components end at this same moment; a file that one of them
		// still creates makes a removal fail, but not the next one.
		for range 10 {
			if os.RemoveAll(dir) == nil {
				break
			}
		}
	}
	os.Exit(1)
}
