// Command provider runs provider-nlb against the cluster that its kubeconfig or
// its pod names.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
)

// version is set by the linker.
var version = "dev"

func main() {
	releaser{}.starting()

	f := &flags{}

	switch err := f.parse(os.Args[1:], os.Getenv); {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Print(f.help())

		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: error: %v, try --help\n", program, err)
		os.Exit(1)
	case f.version:
		fmt.Println(version)

		return
	}

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

	if err := p.manager.Add(releaser{}); err != nil {
		return err
	}

	if err := p.manager.Start(ctx); err != nil {
		return fmt.Errorf("the manager stopped: %w", err)
	}

	return p.failure(ctx)
}
