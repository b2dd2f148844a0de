// Package e2e_test runs the provider's process against a real control plane and a
// simulated AWS. One stack serves all tests. Each test has a namespace, a target
// group and host ports of its own, and runs in both scopes.
//
// Tests that stop the provider or change what it may do are not parallel, so
// they run before all others.
package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	// patience is how long anything may take that should happen, on a busy machine.
	patience = 3 * time.Minute
	// atOnce are tests that run at the same time: they wait more than they work.
	atOnce = "12"
	// nodes that all tests share, and the most tests.
	nodes, most = 15, 200
	// starterEnv makes this test binary start a stack, tell of it, and wait to be
	// killed.
	starterEnv = "E2E_TEST_STARTER"
)

// providerArgs let a quiet group be read every 15 s instead of every minute, and a
// tenant's configuration lead to the simulated AWS.
var providerArgs = []string{"--poll=15s", "--min-poll-interval=5s", "--namespaced-provider-configs=trusted"}

// it is the stack that all tests share.
var it *stack.Stack

func TestMain(m *testing.M) {
	flag.Parse()
	if !isSet("test.parallel") {
		_ = flag.Set("test.parallel", atOnce)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, m)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func isSet(name string) (set bool) {
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

func run(ctx context.Context, m *testing.M) (code int, err error) {
	options := stack.Options{Nodes: nodes, AWS: awssim.Options{OnCall: watchers.tell, Regions: regions()}}
	if os.Getenv(starterEnv) != "" {
		options.Nodes = 1
	}
	if it, err = stack.Start(ctx, options); err != nil {
		return 1, err
	}
	stop := sync.OnceValue(it.Stop)
	defer func() { err = errors.Join(err, stop()) }()
	if err := it.StartProvider(ctx, providerArgs...); err != nil {
		return 1, err
	}
	if os.Getenv(starterEnv) != "" {
		_ = json.NewEncoder(os.Stdout).Encode(started{Dir: it.Dir()})
		<-ctx.Done()
		return 0, nil
	}
	defer context.AfterFunc(ctx, func() {
		_ = stop()
		os.Exit(130)
	})()
	return m.Run(), nil
}

// regions that exist: the stack's, and one for each test, since the provider's
// share of AWS's request rate is for a region.
func regions() []string {
	all := []string{stack.Region}
	for n := range most {
		all = append(all, regionName(n+1))
	}
	return all
}

func regionName(n int) string { return fmt.Sprintf("eu-e2e-%d", n) }

// watchers are told of calls while they are made.
var watchers onCall

type onCall struct {
	mu sync.Mutex
	of map[string]func(awssim.Call)
}

// watch lets f be called for each call about a target group. It may block the
// call.
func (o *onCall) watch(arn string, f func(awssim.Call)) (stop func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of == nil {
		o.of = map[string]func(awssim.Call){}
	}
	o.of[arn] = f
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.of, arn)
	}
}

func (o *onCall) tell(c awssim.Call) {
	o.mu.Lock()
	f := o.of[c.TargetGroupARN]
	o.mu.Unlock()
	if f != nil {
		f(c)
	}
}
