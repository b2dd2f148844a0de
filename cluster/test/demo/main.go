// Command demo shows the whole job, for real: a Kubernetes control plane on
// loopback with 50 nodes, a simulated AWS, and the provider, which makes a load
// balancer and all that belongs to it out of one file, keeps its target groups in
// step with hostNetwork pods, and leaves nothing behind. After each step it asks
// the AWS API whether it holds exactly what it should, and fails if it does not.
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
	fmt.Println("provider-nlb: a Network Load Balancer in front of hostNetwork pods")
	fmt.Println("starting Kubernetes with 50 nodes, a simulated AWS and the provider, all on loopback")
	began := time.Now()
	s, err := stack.Start(ctx, stack.Options{Nodes: 50, Guarded: true, AWS: awssim.Options{TokenBuckets: true}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	// AWS is looked at every 15 s here instead of every 10 minutes, so that the
	// repair of what somebody else changed can be seen.
	if err := s.StartProvider(ctx, "--poll=15s", "--min-poll-interval=5s"); err != nil {
		return err
	}
	fmt.Printf("ready after %s\n", time.Since(began).Round(100*time.Millisecond))

	d := &demo{Stack: s}
	if err := d.prepare(ctx); err != nil {
		return err
	}
	for i, step := range d.steps() {
		if err := d.play(ctx, i+1, step); err != nil {
			fmt.Fprintln(os.Stderr, s.ProviderLog())
			return err
		}
	}
	fmt.Println("\nEvery step did exactly what it should.")
	if keep {
		if err := d.create(ctx); err != nil {
			return err
		}
		d.explain()
		<-ctx.Done()
	}
	return nil
}

// prepare reads the example, and what AWS holds without it.
func (d *demo) prepare(ctx context.Context) error {
	data, err := os.ReadFile(stack.Path(example))
	if err != nil {
		return err
	}
	if d.objects, err = stack.Decode(data); err != nil {
		return err
	}
	d.bare, err = d.Inventory(ctx, stack.Region)
	return err
}

// explain says how to look at what is left running.
func (d *demo) explain() {
	fmt.Printf(`
Everything keeps running until you press Ctrl-C. %s has been applied again.

  export KUBECONFIG=%s
  kubectl get loadbalancers.nlb.m.crossplane.io,listeners.nlb.m.crossplane.io,securitygroups.nlb.m.crossplane.io,securitygrouprules.nlb.m.crossplane.io -n edge
  kubectl get targetgroups.nlb.m.crossplane.io,targetgroupbindings.nlb.m.crossplane.io -n edge
  kubectl describe targetgroupbindings.nlb.m.crossplane.io -n edge proxy-https
  kubectl label node node-20 example.org/edge=true

  export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_DEFAULT_REGION=%s AWS_ENDPOINT_URL=%s
  aws elbv2 describe-load-balancers
  aws elbv2 describe-target-groups --names edge-proxy-https
`, example, d.Kubeconfig(), awssim.DefaultKey.ID, awssim.DefaultKey.Secret, stack.Region, d.Sim.URL())
}
