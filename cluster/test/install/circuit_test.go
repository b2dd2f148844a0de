package install_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/test/install"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

const (
	// podEvery is the pace of a rollout of 100 pods in ten minutes.
	podEvery = 6 * time.Second
	// podDown is how long a new pod takes until it listens: longer than two health
	// checks, so that each target becomes unhealthy and healthy again.
	podDown = 12 * time.Second
	// reserve is how many of its 100 tokens a bucket keeps at least: more than what a
	// busy machine or a slower AWS may add, but for what Crossplane repeats.
	reserve = 10
	// tolerance is how many tokens Crossplane may count before or after the books do.
	tolerance = 20
	// atOnce is how long a claim may take that does not wait for tokens, on a busy
	// machine.
	atOnce = 30 * time.Second
)

// rolloutPods is how many pods a rollout has. It goes on at the pace of 100 pods in
// ten minutes, and what it must not do is judged by the pace, so that fewer pods
// prove as much; the variable makes it as long as one likes.
func rolloutPods() int {
	if n, err := strconv.Atoi(os.Getenv("PROVIDER_NLB_ROLLOUT_PODS")); err == nil {
		return n
	}
	return 15
}

// TestCircuitBreakerStaysClosed: Crossplane stops listening to the resources of a
// composite resource for five minutes when they change too often. It counts how
// often.
func TestCircuitBreakerStaysClosed(t *testing.T) {
	const n = 3
	ports := []any{
		map[string]any{"port": int64(443), "targetPort": int64(8443)},
		map[string]any{"port": int64(80), "targetPort": int64(8080)},
		map[string]any{"port": int64(8081), "targetPort": int64(8081)},
	}
	for _, s := range styles {
		t.Run(s.name, func(t *testing.T) {
			workload(t, n)
			account, err := it.Observe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer account.Close()
			before := counted(t, "circuit_breaker_events_total")
			claim := read(t, s.file)[0]
			spec := claim.Object["spec"].(map[string]any)
			spec["healthCheck"] = map[string]any{"port": "8082"}
			b := books{Account: account, before: before}
			began := time.Now()
			change(t, claim, ports, "10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
			ready(t, claim)
			took := time.Since(began)
			if took > atOnce {
				t.Errorf("three ports come at once, it took %s", took)
			}
			t.Logf("from claim to Ready: %s", took.Round(100*time.Millisecond))
			x := s.prefix(t, claim)
			serves(t, x, n, 443, 8443)
			serves(t, x, n, 80, 8080)
			serves(t, x, n, 8081, 8081)
			says(t, claim, "80: 3/3, 443: 3/3, 8081: 3/3")
			b.calm(t)

			if s.name == styles[0].name {
				b.rollout(t, n, max(n, rolloutPods()))
			}

			remove(t, claim)
			inAWS(t, "nothing is left", x)
			b.calm(t)
		})
	}
}

// books are an account, and what Crossplane had counted before it was opened.
type books struct {
	*install.Account
	before float64
}

// calm checks that no circuit breaker has opened, or would have with a little more.
func (b books) calm(t *testing.T) {
	t.Helper()
	if opened := counted(t, "circuit_breaker_opens_total"); opened != 0 {
		t.Errorf("the circuit breaker never opens, it did %v times", opened)
	}
	low, err := b.Lowest()
	if err != nil {
		t.Fatal(err)
	}
	// Books that are wrong prove nothing. They may have more: Crossplane begins to
	// listen to a kind some moments after it has composed the first of it.
	booked, events := b.Total(), counted(t, "circuit_breaker_events_total")-b.before
	if booked < events*0.9-tolerance {
		t.Errorf("the books have %.0f tokens, and Crossplane has counted %.0f", booked, events)
	}
	t.Logf("the books have %.0f tokens, and Crossplane has counted %.0f", booked, events)
	if low.Ours < reserve {
		t.Errorf("%s had %.0f tokens left, want at least %d", low.Target, low.Ours, reserve)
	}
	t.Logf("%.0f tokens were left when fewest were, in the bucket of %s; %.0f with what Crossplane repeated", low.Ours, low.Target, low.Tokens)
	if t.Failed() {
		t.Logf("what they were taken for:\n%s", b.Report())
	}
}

// rollout replaces n pods one by one, some of which are there, and demands that no
// bucket loses tokens faster than it gets them back: then it never empties, however
// many pods follow.
func (b books) rollout(t *testing.T, has, n int) {
	t.Helper()
	specs := local.Nodes("rollout", n-has, stack.Zones...)
	var names []string
	for i := range specs {
		specs[i].Labels = map[string]string{"example.org/edge": "true"}
		names = append(names, specs[i].Name)
	}
	// The pace is the DaemonSet's: it may replace pods at once that are not available yet.
	patch(t, fmt.Sprintf(`{"spec":{"minReadySeconds":%d}}`, int(podEvery.Seconds())-1))
	if err := it.AddGuardedInstances(t.Context(), specs...); err != nil {
		t.Fatal(err)
	}
	until(t, "the pods are available", func(ctx context.Context) error {
		if err := rolledOut(ctx, n); err != nil || available(ctx, n) {
			return err
		}
		return errors.New("some are too young")
	})
	serves(t, "edge-edge", n, 443, 8443)

	b.calm(t)
	b.Restart()
	booked, events := b.Total(), counted(t, "circuit_breaker_events_total")
	stop := playPods(t)
	began := time.Now()
	patch(t, fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"example.org/at":%q}}}}}`, began.Format(time.RFC3339Nano)))
	for end := began.Add(time.Duration(n) * 5 * podEvery); rolledOut(t.Context(), n) != nil || !available(t.Context(), n); time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatal("the rollout never ends")
		}
	}
	took := time.Since(began)
	stop()
	serves(t, "edge-edge", n, 443, 8443)
	t.Logf("%d pods in %s, one every %s", n, took.Round(time.Second), (took / time.Duration(n)).Round(100*time.Millisecond))
	if slow, quick := time.Duration(n)*podEvery*2, time.Duration(n)*podEvery/2; took > slow || took < quick {
		t.Errorf("the rollout took %s, want %s to %s: otherwise it proves less", took, quick, slow)
	}
	booked, events = b.Total()-booked, counted(t, "circuit_breaker_events_total")-events
	if math.Abs(booked-events) > events/10+tolerance {
		t.Errorf("in the rollout the books have %.0f tokens, and Crossplane has counted %.0f", booked, events)
	}
	spends := false
	for whose, spent := range b.Spent() {
		rate := spent / took.Seconds()
		spends = spends || spent > 0
		if rate >= 1 {
			t.Errorf("%s spends %.2f tokens a second and gets 1 back: it empties in the end", whose, rate)
		}
	}
	if !spends {
		t.Error("in a rollout whose targets become unhealthy something is told")
	}
	b.calm(t)
	for _, name := range names {
		if err := it.LabelNodes(t.Context(), "example.org/edge", "false", name); err != nil {
			t.Fatal(err)
		}
	}
}

// patch the DaemonSet of the proxies.
func patch(t *testing.T, merge string) {
	t.Helper()
	set := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "edge-proxy"}}
	if err := it.Client().Patch(t.Context(), set, client.RawPatch(types.MergePatchType, []byte(merge))); err != nil {
		t.Fatal(err)
	}
}

func available(ctx context.Context, n int) bool {
	set := &appsv1.DaemonSet{}
	err := it.Client().Get(ctx, client.ObjectKey{Namespace: namespace, Name: "edge-proxy"}, set)
	return err == nil && int(set.Status.NumberAvailable) == n
}

// playPods lets new pods listen some time after they were started, as real ones do.
func playPods(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	instances := map[string]string{}
	list := &corev1.NodeList{}
	if err := it.Client().List(ctx, list); err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		instances[list.Items[i].Name] = stack.InstanceID(&list.Items[i])
	}
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			pods := &corev1.PodList{}
			if err := it.Client().List(ctx, pods, client.InNamespace(namespace)); err == nil {
				for _, p := range pods.Items {
					up := time.Since(p.CreationTimestamp.Time) > podDown
					for _, port := range []int32{8080, 8081, 8082, 8443} {
						it.Sim.SetAccepting(instances[p.Spec.NodeName], port, up)
					}
				}
			}
			time.Sleep(500 * time.Millisecond)
		}
	}()
	return func() {
		// The last pods have to be up before anybody stops playing them.
		time.Sleep(podDown + time.Second)
		cancel()
		<-done
	}
}

// counted is a counter of Crossplane's core.
func counted(t *testing.T, name string) float64 {
	t.Helper()
	n, err := it.Metric(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
