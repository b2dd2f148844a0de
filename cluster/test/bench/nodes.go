package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	nodesPort = 8443
	oldNodes  = 50
	newNodes  = 3
	// quietFor is for how long nothing more may happen when a scenario judges that
	// something does not happen: longer than any wait of the plan but the minutes of
	// what is never forced.
	quietFor = 30 * time.Second
	// surely is how long after its start the provider looks for what a process before it
	// may have left to take effect: 75 s, less what a machine may be late.
	surely = 70 * time.Second
)

// departing: an EKS managed node group labels all its old nodes at once, and three
// new ones come.
type departing struct {
	arn        string
	nodes      []node
	old, fresh []pod
}

// fleet makes nodes with a pod each, in one group.
func fleet(ctx context.Context, w *world, n int) (arn string, nodes []node, pods []pod, err error) {
	if err := w.open(ctx); err != nil {
		return "", nil, nil, err
	}
	if nodes, err = w.nodes(ctx, "node", n); err != nil {
		return "", nil, nil, err
	}
	for i, n := range nodes {
		pods = append(pods, pod{name: fmt.Sprintf("pod-%d", i), app: "proxy", node: n, port: nodesPort})
	}
	if err := w.start(ctx, pods...); err != nil {
		return "", nil, nil, err
	}
	if arn, err = w.group("proxy", nodesPort, nil, pods...); err != nil {
		return "", nil, nil, err
	}
	began := time.Now()
	if err := w.bind(ctx, "proxy", arn, nodesPort, nil); err != nil {
		return "", nil, nil, err
	}
	if err := w.moments.all(ctx, bindingReady, "proxy"); err != nil {
		return "", nil, nil, err
	}
	if err := w.healthy(ctx, arn, len(pods)); err != nil {
		return "", nil, nil, err
	}
	// And the provider knows it, as it does in the long run: by a read that tells of
	// all that was written before it came.
	if _, err = w.moments.when(ctx, fmt.Sprint(healthyOf, "proxy ", len(pods))); err != nil {
		return "", nil, nil, err
	}
	return arn, nodes, pods, w.known(ctx, began)
}

// known waits until the provider has read a group of the world by a read that tells of
// all that was written before it came, which was at a time.
func (w *world) known(ctx context.Context, came time.Time) error {
	return w.until(ctx, "a read that is sure", came.Add(surely), func(reads []awssim.Call) bool {
		return slices.ContainsFunc(reads, func(c awssim.Call) bool { return c.Status != 0 })
	}, health)
}

func (d *departing) prepare(ctx context.Context, w *world) (err error) {
	d.arn, d.nodes, d.old, err = fleet(ctx, w, oldNodes)
	return err
}

func (d *departing) measure(ctx context.Context, w *world) ([]outcome, error) {
	before := map[string]int{}
	for _, t := range w.Sim.Targets(d.arn) {
		before[t.Zone]++
	}
	users := w.Sim.StartClient(awssim.Client{TargetGroup: d.arn, Every: 100 * time.Millisecond})
	began := time.Now()
	if err := each(d.nodes, func(_ int, n node) error {
		return w.LabelNodes(ctx, corev1.LabelNodeExcludeBalancers, "true", n.name)
	}); err != nil {
		return nil, err
	}
	nodes, err := w.nodes(ctx, "new", newNodes)
	if err != nil {
		return nil, err
	}
	for i, n := range nodes {
		d.fresh = append(d.fresh, pod{name: fmt.Sprintf("new-%d", i), app: "proxy", node: n, port: nodesPort})
	}
	if err := w.start(ctx, d.fresh...); err != nil {
		return nil, err
	}
	if _, err := w.naming(ctx, register, began, targetsOf(d.fresh)); err != nil {
		return nil, err
	}
	left, err := w.departures(ctx, began)
	if err != nil {
		return nil, err
	}
	seen := users.Stop()
	least := 100.0
	for zone, n := range before {
		least = min(least, 100*float64(seen.LeastServing[zone])/float64(n))
	}
	if left == 0 || seen.Attempts == 0 {
		return nil, fmt.Errorf("%d targets left, clients tried %d times: there is nothing to judge", left, seen.Attempts)
	}
	return []outcome{{
		key: "departing", bound: "the departure budget, 10 %",
		measured: fmt.Sprintf("%.0f %% (%d left for %d new ones), %d connections failed", least, left, newNodes, seen.Failed()),
		met:      least >= 90 && seen.Failed() == 0,
		values:   map[string]float64{"least_healthy_percent": least, "left": float64(left), "failed_connections": float64(seen.Failed())},
	}}, nil
}

// departures counts the targets that leave until none has for quietFor.
func (w *world) departures(ctx context.Context, since time.Time) (int, error) {
	for last := time.Now(); ; {
		quiet, cancel := context.WithDeadline(ctx, last.Add(quietFor))
		left := w.calls(since, deregister)
		err := w.until(quiet, "another departure", since, func(now []awssim.Call) bool { return len(now) > len(left) }, deregister)
		cancel()
		switch {
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case err != nil:
			return len(firstNaming(w.calls(since, deregister))), nil //nolint:nilerr // No other one until the deadline: that is the answer.
		}
		last = time.Now()
	}
}

// notReady: most nodes cannot reach the API server, and their pods serve.
type notReady struct {
	arn   string
	nodes []node
	pods  []pod
}

func (n *notReady) prepare(ctx context.Context, w *world) (err error) {
	n.arn, n.nodes, n.pods, err = fleet(ctx, w, oldNodes)
	return err
}

// measure does to nodes and pods what the node lifecycle controller does.
func (n *notReady) measure(ctx context.Context, w *world) ([]outcome, error) {
	began := time.Now()
	lost := oldNodes * 8 / 10
	const unreachable = `{"spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoSchedule"},{"key":"node.kubernetes.io/unreachable","effect":"NoExecute"}]}}`
	const unknown = `{"status":{"conditions":[{"type":"Ready","status":"Unknown","reason":"NodeStatusUnknown","message":"Kubelet stopped posting node status."}]}}`
	const unready = `{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`
	if err := each(n.nodes[:lost], func(i int, of node) error {
		o := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: of.name}}
		p := n.pods[i].object(w.ns)
		return errors.Join(
			w.Client().Status().Patch(ctx, o, client.RawPatch("application/strategic-merge-patch+json", []byte(unknown))),
			w.Client().Patch(ctx, o, client.RawPatch("application/strategic-merge-patch+json", []byte(unreachable))),
			w.Client().Status().Patch(ctx, p, client.RawPatch("application/strategic-merge-patch+json", []byte(unready))),
		)
	}); err != nil {
		return nil, err
	}
	// A pod on a node that stays is seen after all that: what is done about the
	// others would have been done by then, or while nothing more happens.
	witness := pod{name: "witness", app: "proxy", node: node{}, port: nodesPort}
	extra, err := w.nodes(ctx, "new", 1)
	if err != nil {
		return nil, err
	}
	witness.node = extra[0]
	if err := w.start(ctx, witness); err != nil {
		return nil, err
	}
	if _, err := w.naming(ctx, register, began, []awssim.Key{witness.target()}); err != nil {
		return nil, err
	}
	left, err := w.departures(ctx, began)
	if err != nil {
		return nil, err
	}
	calls := len(w.calls(began, deregister))
	return []outcome{{
		key: "not-ready", bound: "0", measured: fmt.Sprint(calls), met: calls == 0,
		values: map[string]float64{"deregistrations": float64(calls), "targets_left": float64(left), "nodes_lost": float64(lost), "zones": float64(len(stack.Zones))},
	}}, nil
}
