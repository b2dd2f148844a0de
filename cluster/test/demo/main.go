// Command demo shows the whole story, for real: a Kubernetes control plane on
// loopback with 50 nodes, Crossplane and Flux, a Git repository, and a simulated AWS.
// Flux applies what is in Git; Crossplane installs the packages; a claim of ten lines
// becomes a load balancer, whose targets follow hostNetwork pods; and in the end
// nothing is left. After each step it asks the AWS API whether it holds exactly what
// it should, and fails if it does not.
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
	"path/filepath"
	"syscall"
	"time"

	"github.com/provider-nlb/provider-nlb/cluster/local/flux"
	"github.com/provider-nlb/provider-nlb/cluster/local/git"
	"github.com/provider-nlb/provider-nlb/cluster/test/install"
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
	fmt.Println("provider-nlb: a Network Load Balancer in front of hostNetwork pods, from Git")
	fmt.Println("starting Kubernetes with 50 nodes, Crossplane, Flux, a registry with our packages, and a simulated AWS, all on loopback")
	began := time.Now()
	d := &demo{}
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.start(ctx); err != nil {
		return err
	}
	fmt.Printf("ready after %s\n", time.Since(began).Round(100*time.Millisecond))

	for i, step := range d.steps() {
		if err := d.play(ctx, i+1, step); err != nil {
			d.showLogs()
			return err
		}
	}
	fmt.Printf("\nEvery step did exactly what it should. All took %s.\n", time.Since(began).Round(time.Second))
	if keep {
		if err := d.again(ctx); err != nil {
			return err
		}
		d.explain()
		<-ctx.Done()
	}
	return nil
}

// start starts everything that a cluster with Crossplane and Flux has before anything
// of ours is installed.
func (d *demo) start(ctx context.Context) (err error) {
	d.Installation, err = install.Start(ctx, install.Options{
		Nodes: 50, AWS: awssim.Options{TokenBuckets: true},
		// AWS is looked at every 15 s here instead of every 10 minutes, so that the
		// repair of what somebody else changed can be seen.
		ProviderEnv: []string{"PROVIDER_NLB_POLL=15s", "PROVIDER_NLB_MIN_POLL_INTERVAL=5s"},
	})
	if err != nil {
		return err
	}
	if d.git, err = git.Start(ctx, filepath.Join(d.Dir(), "git")); err != nil {
		return err
	}
	if d.flux, err = flux.Start(ctx, d.ControlPlane, os.Stderr); err != nil {
		return err
	}
	// What the cluster's owner has: nodes with labels, and an access key.
	if err := errors.Join(d.label(ctx, 1, 5), d.Account(ctx), d.CopyLayout(d.git.Dir())); err != nil {
		return err
	}
	d.bare, err = d.Inventory(ctx, stack.Region)
	return err
}

func (d *demo) stop() error {
	var errs []error
	if d.git != nil {
		errs = append(errs, d.git.Stop())
	}
	if d.Installation != nil {
		errs = append(errs, d.Stop())
	}
	return errors.Join(errs...)
}

// showLogs shows the end of what everything beside the control plane wrote.
func (d *demo) showLogs() {
	logs, _ := filepath.Glob(filepath.Join(d.Dir(), "*-*.log"))
	for _, path := range logs {
		if content, err := os.ReadFile(path); err == nil {
			fmt.Fprintf(os.Stderr, "--- end of %s\n%s\n", filepath.Base(path), content[max(0, len(content)-4<<10):])
		}
	}
}

// explain says how to look at what is left running.
func (d *demo) explain() {
	fmt.Printf(`
Everything keeps running until you press Ctrl-C. The claim is there again.

  export KUBECONFIG=%s
  kubectl get providers,functions,configurations
  kubectl get gitrepositories,kustomizations -n flux-system
  kubectl get networkloadbalancers,networkloadbalancerports -n edge
  kubectl get managed -n edge
  kubectl describe networkloadbalancer -n edge edge
  kubectl label node node-20 example.org/edge=true

  git clone %s edge-cluster    # Flux applies what you push within a minute

  export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_DEFAULT_REGION=%s AWS_ENDPOINT_URL=%s
  aws elbv2 describe-load-balancers
  aws elbv2 describe-target-groups --names edge-edge-443-tcp
`, d.Kubeconfig(), d.git.URL(), awssim.DefaultKey.ID, awssim.DefaultKey.Secret, stack.Region, d.Sim.URL())
}
