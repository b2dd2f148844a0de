package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// TestKilledProviderLosesNothing is not parallel: it kills the provider of all.
func TestKilledProviderLosesNothing(t *testing.T) {
	var all []*crash
	for _, s := range []scope{inNamespace, inCluster} {
		w := &crash{world: newWorld(t, s)}
		w.arn = w.group("g")
		w.start(0, 1, 2, 3)
		w.b = w.bind("b", parameters{TargetGroupARN: &w.arn, PodSelector: podsWith(app, named(portName))})
		w.holds("the pods are registered", w.arn, w.on(0, 1, 2, 3)...)
		w.ready(w.b)
		w.healthy(w.b, 4)
		all = append(all, w)
	}

	// The pods move to other nodes. While the first call is held up the rest comes
	// together; with the second call the provider dies.
	release, killed := all[0].killAt("RegisterTargets", 2)
	for _, w := range all {
		w.start(4, 5, 6, 7, 8, 9)
		w.stop(0, 1)
	}
	release()
	killed()
	for _, w := range all {
		w.stop(2)
		w.start(10)
	}
	startProvider(t)
	for _, w := range all {
		// Of the pods that are gone the new process knows nothing, so their targets
		// stay for some time.
		w.registered("nothing is lost that is wanted", 3, 4, 5, 6, 7, 8, 9, 10)
	}

	release, killed = all[0].killAt("DeregisterTargets", 1)
	release()
	for _, w := range all {
		w.stop(4)
	}
	killed()
	for _, w := range all {
		w.stop(5)
		w.start(11)
	}
	// Who is deleted while nobody looks must be cleaned up too.
	deleted := all[1]
	deleted.remove(deleted.b)
	startProvider(t)
	for _, w := range all[:1] {
		w.registered("nothing is lost that is wanted", 3, 6, 7, 8, 9, 10, 11)
	}

	t.Parallel() // From here on the provider may serve others, too.
	deleted.gone("the binding that was deleted while the provider was dead goes", deleted.b)
	deleted.holds("its targets go", deleted.arn)
	all[0].settles([]int{3, 6, 7, 8, 9, 10, 11}, []int{0, 1, 2, 4, 5})
}

// TestARestartIsNoNews is not parallel: it restarts the provider of all. What was Ready
// stays so while the new process has not read its group yet, which takes half a minute
// if there are hundreds.
func TestARestartIsNoNews(t *testing.T) {
	type told struct {
		*crash
		since metav1.Time
	}
	var all []told
	for _, s := range []scope{inNamespace, inCluster} {
		w := &crash{world: newWorld(t, s)}
		w.arn = w.group("g")
		w.start(0, 1)
		w.b = w.bind("b", parameters{TargetGroupARN: &w.arn, PodSelector: podsWith(app, named(portName))})
		w.ready(w.b)
		w.healthy(w.b, 2)
		all = append(all, told{w, w.b.GetCondition(xpv2.TypeReady).LastTransitionTime})
	}
	if err := it.StopProvider(); err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		t.Cleanup(it.Sim.Fault(awssim.Fault{Action: "DescribeTargetHealth", Contains: w.arn, Effect: awssim.Delay, Delay: 3 * time.Second}))
		w.start(2)
	}
	startProvider(t)
	for _, w := range all {
		w.registered("the new process serves it", 0, 1, 2)
		if now := w.b.GetCondition(xpv2.TypeReady).LastTransitionTime; !now.Equal(&w.since) {
			t.Errorf("%s was Ready since %s, and after the restart since %s", w.scope.name, w.since, now)
		}
	}
}

// A crash is a world with pods that come and go while the provider dies.
type crash struct {
	*world
	arn string
	b   binding
}

func (c *crash) start(nodes ...int) {
	for _, n := range nodes {
		c.pod(nodeName(n), n)
	}
}

// stop ends pods and their processes: of a pod that nobody saw go the guard asks
// AWS whether its target is healthy.
func (c *crash) stop(nodes ...int) {
	for _, n := range nodes {
		it.Sim.SetAccepting(c.instance(nodeName(n)), c.port, false)
		c.remove(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: c.ns, Name: nodeName(n)}})
	}
}

// killAt kills the provider when its n-th call of an action arrives from now on,
// before that has an effect. Calls before it wait for release; killed waits until
// the provider is dead.
func (c *crash) killAt(action string, n int) (release, killed func()) {
	c.t.Helper()
	released, dead := make(chan struct{}), make(chan error, 1)
	var mu sync.Mutex
	seen := 0
	stop := watchers.watch(c.arn, func(call awssim.Call) {
		if call.Action != action {
			return
		}
		mu.Lock()
		seen++
		nth := seen
		mu.Unlock()
		switch {
		case nth < n:
			select {
			case <-released:
			case <-time.After(patience):
			}
		case nth == n:
			dead <- it.KillProvider()
		}
	})
	c.t.Cleanup(stop)
	return func() { close(released) }, func() {
		c.t.Helper()
		select {
		case err := <-dead:
			if err != nil {
				c.t.Fatal(err)
			}
		case <-time.After(patience):
			c.t.Fatalf("the provider never made %d calls of %s", n, action)
		}
		stop()
	}
}

// registered waits until AWS holds at least the targets of these nodes.
func (c *crash) registered(reason string, nodes ...int) {
	c.t.Helper()
	want := c.on(nodes...)
	c.eventually(reason, func(ctx context.Context) error {
		have, err := c.targets(ctx, c.arn)
		for _, target := range want {
			if !slices.Contains(have, target) {
				err = errors.Join(err, fmt.Errorf("AWS does not hold %s", target))
			}
		}
		return err
	})
	c.ready(c.b)
}

// settles waits until AWS holds the targets of exactly these nodes, and checks
// that no others than those of the nodes that were left were ever deregistered.
func (c *crash) settles(on, left []int) {
	c.t.Helper()
	// What a killed process knew of pods that are gone is lost. For two minutes
	// their successors are waited for.
	c.holdsWithin(patience+targets.VacatedFor, "nothing stays that should not", c.arn, c.on(on...)...)
	c.ready(c.b)
	want := c.on(left...)
	slices.Sort(want)
	if diff := cmp.Diff(want, c.deregistered(c.arn)); diff != "" {
		c.t.Errorf("other targets were deregistered than those of pods that are gone (-want, +got):\n%s", diff)
	}
}
