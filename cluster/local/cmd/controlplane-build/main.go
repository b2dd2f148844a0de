// Command controlplane-build builds the local control plane's binary, and with
// -beside the programs that run beside it too, with -flux and -argocd those of Flux
// and Argo CD, unless the cache holds them already. It prints their paths.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/provider-nlb/provider-nlb/cluster/local"
)

func main() {
	sets := []struct {
		programs []local.Program
		wanted   *bool
	}{
		{local.Beside(), flag.Bool("beside", false, "build Crossplane and functions too")},
		{local.ForFlux(), flag.Bool("flux", false, "build Flux too")},
		{local.ForArgoCD(), flag.Bool("argocd", false, "build Argo CD too")},
	}
	flag.Parse()
	var others []local.Program
	for _, s := range sets {
		if *s.wanted {
			others = append(others, s.programs...)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := build(ctx, others)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(ctx context.Context, others []local.Program) error {
	binary, err := local.Build(ctx, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Println(binary)
	for _, program := range others {
		built, err := program.Build(ctx, os.Stderr)
		if err != nil {
			return err
		}
		fmt.Println(built.Binary)
	}
	return nil
}
