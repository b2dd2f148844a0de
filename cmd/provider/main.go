// Command provider runs provider-nlb against the cluster that its kubeconfig or
// its pod names.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/alecthomas/kingpin/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// version is set by the linker.
var version = "dev"

// gcPercent is how much garbage there may be for what is in use, unless GOGC says
// otherwise. What is in use is small, with 300 bindings 27 MB, and hardly any CPU time
// is needed when nothing changes: it is better spent on memory.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}

	f := &flags{}
	kingpin.MustParse(newApp(f).Parse(os.Args[1:]))

	if err := run(ctrl.SetupSignalHandler(), f); err != nil {
		fmt.Fprintln(os.Stderr, "provider-nlb:", err)
		os.Exit(1)
	}
}

// run the provider until the context ends or a kind cannot be set up.
func run(ctx context.Context, f *flags) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	p, err := newProvider(ctx, f, fail)
	if err != nil {
		return err
	}

	if err := p.register(); err != nil {
		return err
	}

	if err := p.manager.Start(ctx); err != nil {
		return fmt.Errorf("the manager stopped: %w", err)
	}

	return p.failure(ctx)
}
