// Package install_test installs, claims, upgrades and uninstalls with real
// Crossplane. One installation serves all tests, which run one after the other; the
// last removes it.
package install_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/cluster/test/install"
)

const (
	// patience is how long anything may take that should happen, on a busy machine.
	patience = 5 * time.Minute
	// setup is how long it may take until everything runs, builds included.
	setup = 40 * time.Minute
	nodes = 6
)

// it is the installation that all tests share.
var it *install.Installation

// provider is the name of the provider's process.
var provider string

func TestMain(m *testing.M) {
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, m)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(ctx context.Context, m *testing.M) (code int, err error) {
	until, cancel := context.WithTimeout(ctx, setup)
	defer cancel()
	if it, err = install.Start(until, install.Options{Nodes: nodes}); err != nil {
		return 1, err
	}
	stop := sync.OnceValue(it.Stop)
	defer func() { err = errors.Join(err, stop()) }()
	defer context.AfterFunc(ctx, func() {
		_ = stop()
		os.Exit(130)
	})()
	if provider, err = it.Install(until); err != nil {
		showLogs(os.Stderr)
		return 1, err
	}
	if err := it.Configure(until); err != nil {
		return 1, err
	}
	if code = m.Run(); code != 0 {
		showLogs(os.Stderr)
	}
	return code, nil
}

// showLogs shows the end of what Crossplane, the functions and the provider wrote.
func showLogs(to *os.File) {
	logs, _ := filepath.Glob(filepath.Join(it.Dir(), "*-*.log"))
	for _, path := range logs {
		if content, err := os.ReadFile(path); err == nil {
			fmt.Fprintf(to, "--- end of %s\n%s\n", filepath.Base(path), content[max(0, len(content)-6<<10):])
		}
	}
}
