// Command controlplane-build builds the local control plane's binary, and with
// -beside the programs that run beside it too, unless the cache holds them
// already. It prints their paths.
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
	beside := flag.Bool("beside", false, "build what runs beside it too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := build(ctx, *beside)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(ctx context.Context, beside bool) error {
	binary, err := local.Build(ctx, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Println(binary)
	if !beside {
		return nil
	}
	for _, program := range local.Beside() {
		built, err := program.Build(ctx, os.Stderr)
		if err != nil {
			return err
		}
		fmt.Println(built.Binary)
	}
	return nil
}
