// Command bench measures what users of a TargetGroupBinding feel and what an
// operator pays: how soon a pod is registered, how long 200 groups take, what a
// hanging call delays, what a restart costs, memory and idle CPU. Each number comes
// from the provider's own process on a real API server, against the simulated AWS at
// 60 ms per call with the token buckets that AWS documents.
//
//	go run ./cluster/test/bench                  # every scenario; or: make bench
//	go run ./cluster/test/bench -run restart     # those whose name matches
//	go run ./cluster/test/bench -list
//
// Times are those of the calls that the simulated AWS received and of the API
// server's watch events. A scenario that cannot be judged fails the run, and so does
// a target that is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	o := options{}
	flag.StringVar(&o.run, "run", "", "a regular expression: only the scenarios whose name matches")
	flag.StringVar(&o.json, "json", "_output/bench.json", "where the results go as JSON")
	flag.StringVar(&o.docs, "docs", "", "where they go as a page of the documentation; by default nowhere")
	flag.BoolVar(&o.list, "list", false, "list the scenarios, and run none")
	flag.Parse()
	ctrl.SetLogger(logr.Discard()) // the clients' own words are not the table's
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := o.main(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\nbench failed:", err)
		os.Exit(1)
	}
}

type options struct {
	run, json, docs string
	list            bool
}

func (o options) main(ctx context.Context) error {
	wanted, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	var chosen []scenario
	for _, s := range scenarios() {
		if wanted.MatchString(s.name) {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no scenario matches %q", o.run)
	}
	if o.list {
		for _, s := range chosen {
			fmt.Printf("%-12s %s\n", s.name, s.stand.name)
		}
		return nil
	}
	report, failed := runAll(ctx, chosen)
	fmt.Print("\n" + report.text())
	failed = errors.Join(failed, report.writeJSON(o.json))
	if o.docs != "" {
		failed = errors.Join(failed, report.writeDocs(o.docs))
	}
	return errors.Join(failed, report.missed())
}
