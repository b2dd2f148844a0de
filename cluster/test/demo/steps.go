package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	ns       = "edge"
	edge     = "example.org/edge"
	hostPort = 8443
	// stepWithin is how long a step may take before the demo fails. Removing a
	// node's pod takes Kubernetes about a minute.
	stepWithin = 3 * time.Minute
)

var proxies = client.MatchingLabels{"app": "edge-proxy"}

// demo is the stack and what the steps tell each other.
type demo struct {
	*stack.Stack
	arn     string
	removed string
	kept    []string
}

// A step does something and says what AWS should hold afterwards.
type step struct {
	title string
	do    func(context.Context) error
	// want are the ids of the instances that should be registered, and true when
	// Kubernetes and the binding have come to rest.
	want func(context.Context) ([]string, bool, error)
	// register and deregister are the calls that it may take; -1 is any number.
	register, deregister int
}

func (d *demo) steps() []step {
	return []step{
		{"a DaemonSet with hostNetwork on 5 of 50 nodes, a ClusterIP Service, a TargetGroup and a TargetGroupBinding",
			d.create, d.pods(5), -1, 0},
		{"label 3 more nodes", d.label, d.pods(8), -1, 0},
		{"roll the DaemonSet in place: every pod is replaced on its node", d.roll, d.rolled, 0, 0},
		{"7 of 8 pods become unready: AWS's health check decides, nothing leaves", d.unready, d.stays(8), 0, 0},
		{"delete a node, and terminate its instance", d.deleteNode, d.without, 0, 1},
		{"somebody deregisters a target behind the provider's back: it is repaired at the next poll", d.drop, d.pods(7), 1, 0},
		{"somebody deletes the Service by mistake: the targets are held", d.deleteService, d.held, 0, 0},
		{"the Service is back", d.createService, d.pods(7), 0, 0},
		{"delete the TargetGroupBinding: its targets go, and the object too", d.unbind, d.nothing, 0, -1},
	}
}

// play does a step, watches what comes of it, and judges.
func (d *demo) play(ctx context.Context, n int, s step) error {
	fmt.Printf("\n%d. %s\n", n, s.title)
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	before, began := d.Calls(), time.Now()
	if err := s.do(ctx); err != nil {
		return fmt.Errorf("step %d: %w", n, err)
	}
	took, err := d.watch(ctx, s, began)
	if err != nil {
		return fmt.Errorf("step %d: %w", n, err)
	}
	calls := d.Calls().Sub(before)
	if err := d.table(ctx); err != nil {
		return err
	}
	for _, c := range []struct {
		what      string
		got, want int
	}{{"RegisterTargets", calls.Register, s.register}, {"DeregisterTargets", calls.Deregister, s.deregister}} {
		if c.want >= 0 && c.got != c.want {
			return fmt.Errorf("step %d: %d %s, but it should take %d", n, c.got, c.what, c.want)
		}
	}
	fmt.Printf("   ✓ as it should be after %s; AWS got %s\n", took.Round(10*time.Millisecond), calls)
	return nil
}

// watch polls AWS until the targets are what they should be, and tells of every
// change that it sees.
func (d *demo) watch(ctx context.Context, s step, began time.Time) (time.Duration, error) {
	shown := "?"
	for {
		want, settled, err := s.want(ctx)
		if err != nil {
			return 0, err
		}
		have, err := d.instances()
		if err != nil {
			return 0, err
		}
		now := fmt.Sprintf("%d targets in AWS, %d wanted", len(have), len(want))
		if now != shown {
			fmt.Printf("   %6.2fs  %s\n", time.Since(began).Seconds(), now)
			shown = now
		}
		if settled && slices.Equal(want, have) {
			return time.Since(began), d.verify(ctx, want)
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("AWS holds %v instead of %v", have, want)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// instances looks into the simulated AWS. A target at another port than the host port is shown with
// it, and so is never what a step wants.
func (d *demo) instances() ([]string, error) {
	if d.arn == "" {
		groups := d.Sim.TargetGroups(awssim.DefaultAccount, stack.Region)
		if len(groups) == 0 {
			return nil, nil // it is about to be created
		}
		d.arn = groups[0].ARN
		if _, err := d.Sim.AttachListener(d.arn, awssim.Listener{Zones: stack.Zones}); err != nil {
			return nil, err
		}
	}
	var ids []string
	for _, t := range d.Sim.Targets(d.arn) {
		if t.State != "draining" {
			ids = append(ids, withoutPort(stack.Target{ID: t.ID, Port: t.Port}))
		}
	}
	return ids, nil
}

func withoutPort(t stack.Target) string {
	return strings.TrimSuffix(t.String(), fmt.Sprintf(":%d", hostPort))
}

// verify asks the AWS API. It is done once a step: DescribeTargetHealth counts
// against the account's budget, and watching by it would throttle the provider.
func (d *demo) verify(ctx context.Context, want []string) error {
	targets, err := d.Targets(ctx, d.arn)
	if err != nil {
		return err
	}
	var have []string
	for _, t := range targets {
		have = append(have, withoutPort(t))
	}
	if !slices.Equal(want, have) {
		return fmt.Errorf("the AWS API says %v instead of %v", have, want)
	}
	return nil
}

// table shows the pods beside the targets that AWS holds.
func (d *demo) table(ctx context.Context) error {
	pods := &corev1.PodList{}
	if err := d.Client().List(ctx, pods, client.InNamespace(ns), proxies); err != nil {
		return err
	}
	targets, err := d.Targets(ctx, d.arn)
	if err != nil {
		return err
	}
	left := map[string]stack.Target{}
	for _, t := range targets {
		left[t.ID] = t
	}
	fmt.Printf("   %-18s %-9s %-6s   %s\n", "POD", "NODE", "READY", "TARGET IN AWS")
	for _, p := range pods.Items {
		node := &corev1.Node{}
		target := "none"
		if d.Client().Get(ctx, client.ObjectKey{Name: p.Spec.NodeName}, node) == nil {
			if t, ok := left[stack.InstanceID(node)]; ok {
				target = fmt.Sprintf("%s %s", t, t.State)
				delete(left, t.ID)
			}
		}
		fmt.Printf("   %-18s %-9s %-6t → %s\n", p.Name, p.Spec.NodeName, podReady(&p), target)
	}
	for _, t := range left {
		fmt.Printf("   %-18s %-9s %-6s   %s %s\n", "none", "", "", t, t.State)
	}
	return nil
}

func podReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// pods wants the instances that run the pods, when there are n ready ones and the
// binding is Ready.
func (d *demo) pods(n int) func(context.Context) ([]string, bool, error) {
	return func(ctx context.Context) ([]string, bool, error) {
		ids, err := d.Instances(ctx, ns, proxies)
		if err != nil {
			return nil, false, err
		}
		ready, err := d.condition(ctx, "Ready")
		return ids, len(ids) == n && ready, err
	}
}

// condition says whether the binding has a condition with status True.
func (d *demo) condition(ctx context.Context, typ string) (bool, error) {
	b := &namespaced.TargetGroupBinding{}
	if err := d.Client().Get(ctx, client.ObjectKey{Namespace: ns, Name: "edge-https"}, b); err != nil {
		return false, err
	}
	for _, c := range b.Status.Conditions {
		if string(c.Type) == typ {
			return c.Status == corev1.ConditionTrue, nil
		}
	}
	return false, nil
}

func (d *demo) create(ctx context.Context) error {
	if err := d.LabelNodes(ctx, edge, "true", "node-1", "node-2", "node-3", "node-4", "node-5"); err != nil {
		return err
	}
	return d.ApplyFiles(ctx,
		stack.Path("examples/namespaced/proxy.yaml"),
		stack.Path("examples/namespaced/targetgroup.yaml"),
		stack.Path("examples/namespaced/targetgroupbinding.yaml"))
}

// bind applies the binding again.
func (d *demo) bind(ctx context.Context) error {
	return d.ApplyFiles(ctx, stack.Path("examples/namespaced/targetgroupbinding.yaml"))
}

func (d *demo) label(ctx context.Context) error {
	return d.LabelNodes(ctx, edge, "true", "node-6", "node-7", "node-8")
}

func (d *demo) roll(ctx context.Context) error {
	set := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "edge-proxy"}}
	return d.Client().Patch(ctx, set, client.RawPatch("application/merge-patch+json",
		[]byte(`{"spec":{"template":{"metadata":{"annotations":{"example.org/version":"2"}}}}}`)))
}

// rolled is at rest when every pod is of the new version.
func (d *demo) rolled(ctx context.Context) ([]string, bool, error) {
	set := &appsv1.DaemonSet{}
	if err := d.Client().Get(ctx, client.ObjectKey{Namespace: ns, Name: "edge-proxy"}, set); err != nil {
		return nil, false, err
	}
	done := set.Status.ObservedGeneration == set.Generation &&
		set.Status.UpdatedNumberScheduled == 8 && set.Status.NumberReady == 8
	have, err := d.instances()
	return have, done && len(have) == 8, err
}

func (d *demo) unready(ctx context.Context) error {
	var err error
	if d.kept, err = d.instances(); err != nil {
		return err
	}
	return d.setReady(ctx, 7, corev1.ConditionFalse)
}

// setReady sets the readiness of the first n pods, as kubelet would.
func (d *demo) setReady(ctx context.Context, n int, status corev1.ConditionStatus) error {
	pods := &corev1.PodList{}
	if err := d.Client().List(ctx, pods, client.InNamespace(ns), proxies); err != nil {
		return err
	}
	for _, p := range pods.Items[:min(n, len(pods.Items))] {
		for i, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady || c.Type == corev1.ContainersReady {
				p.Status.Conditions[i].Status = status
				p.Status.Conditions[i].LastTransitionTime = metav1.Now()
			}
		}
		if err := d.Client().Status().Update(ctx, &p); err != nil {
			return err
		}
	}
	return nil
}

// stays watches for some seconds, since nothing can be waited for.
func (d *demo) stays(n int) func(context.Context) ([]string, bool, error) {
	until := time.Time{}
	return func(context.Context) ([]string, bool, error) {
		if until.IsZero() {
			until = time.Now().Add(5 * time.Second)
		}
		if len(d.kept) != n {
			return nil, false, fmt.Errorf("%d targets instead of %d", len(d.kept), n)
		}
		return d.kept, time.Now().After(until), nil
	}
}

func (d *demo) deleteNode(ctx context.Context) error {
	if err := d.setReady(ctx, 8, corev1.ConditionTrue); err != nil {
		return err
	}
	node := &corev1.Node{}
	if err := d.Client().Get(ctx, client.ObjectKey{Name: "node-3"}, node); err != nil {
		return err
	}
	d.removed = stack.InstanceID(node)
	d.Sim.SetInstanceState(d.removed, awssim.ShuttingDown)
	return d.Client().Delete(ctx, node)
}

func (d *demo) without(context.Context) ([]string, bool, error) {
	want := slices.DeleteFunc(slices.Clone(d.kept), func(id string) bool { return id == d.removed })
	return want, len(want) == 7, nil
}

func (d *demo) drop(context.Context) error {
	have, err := d.instances()
	if err != nil || len(have) == 0 {
		return errors.Join(err, errors.New("there is nothing to drop"))
	}
	d.Sim.DropTarget(d.arn, have[0], hostPort)
	return nil
}

func (d *demo) deleteService(ctx context.Context) error {
	var err error
	if d.kept, err = d.instances(); err != nil {
		return err
	}
	return d.Client().Delete(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "edge-proxy"}})
}

// held is at rest when the binding says that it holds.
func (d *demo) held(ctx context.Context) ([]string, bool, error) {
	held, err := d.condition(ctx, "Held")
	return d.kept, held, err
}

func (d *demo) createService(ctx context.Context) error {
	return d.ApplyFiles(ctx, stack.Path("examples/namespaced/proxy.yaml"))
}

func (d *demo) unbind(ctx context.Context) error {
	return d.Client().Delete(ctx, &namespaced.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "edge-https"}})
}

// nothing is at rest when the object is gone.
func (d *demo) nothing(ctx context.Context) ([]string, bool, error) {
	err := d.Client().Get(ctx, client.ObjectKey{Namespace: ns, Name: "edge-https"}, &namespaced.TargetGroupBinding{})
	return nil, client.IgnoreNotFound(err) == nil && err != nil, nil
}
