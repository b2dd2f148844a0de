// Command demo shows the main job, for real: a Kubernetes control plane on
// loopback with 50 nodes, a simulated AWS, and the provider, which keeps a target
// group in step with hostNetwork pods. After each step it asks the AWS API whether
// the targets are exactly the right instances, and fails if they are not.
//
//	go run ./cluster/test/demo          # or: make demo
//	go run ./cluster/test/demo -keep    # or: make demo KEEP=1
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func main() {
	keep := flag.Bool("keep", false, "leave everything running at the end, until Ctrl-C")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *keep)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, keep bool) (err error) {
	fmt.Println("provider-nlb: hostNetwork pods become targets of a Network Load Balancer")
	fmt.Println("starting Kubernetes with 50 nodes, a simulated AWS and the provider, all on loopback")
	began := time.Now()
	s, err := stack.Start(ctx, stack.Options{Nodes: 50, AWS: awssim.Options{TokenBuckets: true}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	// A quiet group is read every 15 s here instead of every 10 minutes, so that
	// the repair of what somebody else removed can be seen.
	if err := s.StartProvider(ctx, "--poll=15s", "--min-poll-interval=5s"); err != nil {
		return err
	}
	fmt.Printf("ready after %s\n", time.Since(began).Round(100*time.Millisecond))

	d := &demo{Stack: s}
	for i, step := range d.steps() {
		if err := d.play(ctx, i+1, step); err != nil {
			fmt.Fprintln(os.Stderr, s.ProviderLog())
			return err
		}
	}
	fmt.Println("\nEvery step did exactly what it should.")
	if keep {
		if err := d.bind(ctx); err != nil {
			return err
		}
		d.explain()
		<-ctx.Done()
	}
	return nil
}

// explain says how to look at what is left running.
func (d *demo) explain() {
	fmt.Printf(`
Everything keeps running until you press Ctrl-C. The binding has been applied again.

  export KUBECONFIG=%s
  kubectl get targetgroups.nlb.m.crossplane.io,targetgroupbindings.nlb.m.crossplane.io -n edge
  kubectl describe targetgroupbindings.nlb.m.crossplane.io -n edge edge-https
  kubectl label node node-20 example.org/edge=true

  export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_DEFAULT_REGION=%s
  aws elbv2 describe-target-health --endpoint-url %s --target-group-arn %s
`, d.Kubeconfig(), awssim.DefaultKey.ID, awssim.DefaultKey.Secret, stack.Region, d.Sim.URL(), d.arn)
}
