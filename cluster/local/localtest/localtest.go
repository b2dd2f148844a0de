// Package localtest gives a test binary one local control plane that its tests
// share:
//
//	func TestMain(m *testing.M) { localtest.Main(m, local.Options{}) }
//
//	func TestX(t *testing.T) { cp := localtest.ControlPlane(t) … }
package localtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/provider-nlb/provider-nlb/cluster/local"
)

// start starts the control plane once; Main sets it.
var start func() (*local.ControlPlane, error)

// atEnd is called, last first, before the control plane is stopped.
var (
	mu    sync.Mutex // of atEnd
	atEnd []func()
)

// AtEnd lets a function be called when all tests are over and the control plane
// still runs: it stops what the tests of a binary share.
func AtEnd(f func()) {
	mu.Lock()
	defer mu.Unlock()
	atEnd = append(atEnd, f)
}

// Main runs the tests and exits. The control plane starts with the first test
// that asks for it, so that a run of other tests does not pay for it, and is
// stopped after the last, also on Ctrl-C.
func Main(m *testing.M, opts local.Options) {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var stop func() error
	var stopMu sync.Mutex
	start = sync.OnceValues(func() (*local.ControlPlane, error) {
		stopMu.Lock()
		defer stopMu.Unlock()
		if stop != nil {
			return nil, errors.New("the tests are over")
		}
		cp, err := local.Start(ctx, opts)
		if err == nil {
			stop = cp.Stop
		}
		return cp, err
	})
	// end stops what runs and keeps anything from starting after it.
	end := sync.OnceValue(func() error {
		stopMu.Lock()
		defer stopMu.Unlock()
		if stop == nil {
			stop = func() error { return nil }
		}
		return stop()
	})
	go func() {
		<-ctx.Done()
		_ = end()
		os.Exit(130)
	}()
	code := m.Run()
	mu.Lock()
	for _, f := range slices.Backward(atEnd) {
		f()
	}
	mu.Unlock()
	if err := end(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot stop the local control plane:", err)
		code = max(code, 1)
	}
	// Not deferred: os.Exit runs no deferred call. It must come after end, since
	// the end of ctx means Ctrl-C.
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	os.Exit(code)
}

// ControlPlane returns the test binary's control plane and starts it if no test
// has asked before.
func ControlPlane(t testing.TB) *local.ControlPlane {
	t.Helper()
	if start == nil {
		t.Fatal("call localtest.Main in TestMain: it stops the control plane")
	}
	cp, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return cp
}
