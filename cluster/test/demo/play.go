package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local/flux"
	"github.com/provider-nlb/provider-nlb/cluster/local/git"
	"github.com/provider-nlb/provider-nlb/cluster/test/install"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	ns   = "edge"
	edge = "example.org/edge"
	// stepWithin is how long a step may take before the demo fails. Removing a
	// node's pod takes Kubernetes about a minute.
	stepWithin = 3 * time.Minute
)

var proxies = client.MatchingLabels{"app": "edge-proxy"}

// demo is what runs, and what the steps tell each other.
type demo struct {
	*install.Installation
	git  *git.Server
	flux *flux.Flux
	// head is the latest commit.
	head string
	// ports that the claim listens on, and where they lead.
	ports map[int32]int32
	// bare is what AWS holds before anything is created.
	bare []string
	// shown is what AWS held when that was shown last.
	shown []string
	// removed is the instance that was terminated, kept the targets that should stay.
	removed string
	kept    []string
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
	d.show(s.holds())
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
		have := d.targets()
		now := fmt.Sprintf("%d targets in AWS, %d wanted", len(have), len(want))
		if now != shown {
			fmt.Printf("   %6.2fs  %s\n", time.Since(began).Seconds(), now)
			shown = now
		}
		if settled && slices.Equal(want, have) {
			return time.Since(began), d.verify(ctx, want, s.holds())
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("AWS holds %v instead of %v", have, want)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// targets looks into the simulated AWS, which counts no call.
func (d *demo) targets() []string {
	var found []string
	for _, g := range d.groups() {
		for _, t := range d.Sim.Targets(g.ARN) {
			if t.State != "draining" {
				found = append(found, stack.Target{ID: t.ID, Port: t.Port}.String())
			}
		}
	}
	slices.Sort(found)
	return found
}

func (d *demo) groups() []awssim.TargetGroup {
	return d.Sim.TargetGroups(awssim.DefaultAccount, stack.Region)
}

// verify asks the AWS API. It is done once a step: that counts against the account's
// budget, and watching by it would throttle the provider.
func (d *demo) verify(ctx context.Context, want, holds []string) error {
	found, err := d.Inventory(ctx, stack.Region)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(holds, found); diff != "" {
		return fmt.Errorf("the AWS API shows something else (-want, +got):\n%s", diff)
	}
	var have []string
	for _, g := range d.groups() {
		targets, err := d.Targets(ctx, g.ARN)
		if err != nil {
			return err
		}
		for _, t := range targets {
			have = append(have, t.String())
		}
	}
	slices.Sort(have)
	if !slices.Equal(want, have) {
		return fmt.Errorf("the AWS API says %v instead of %v", have, want)
	}
	return nil
}

// show what AWS holds if that is news.
func (d *demo) show(holds []string) {
	if slices.Equal(holds, d.shown) {
		return
	}
	d.shown = holds
	fmt.Println("   IN AWS, BUT FOR WHAT WAS THERE BEFORE")
	if slices.Equal(holds, d.bare) {
		fmt.Println("   nothing")
	}
	for _, line := range holds {
		if !slices.Contains(d.bare, line) {
			fmt.Println("   " + line)
		}
	}
}

// table shows the load balancer, and the pods beside the targets that AWS holds.
func (d *demo) table(ctx context.Context) error {
	for _, lb := range d.Sim.LoadBalancers(awssim.DefaultAccount, stack.Region) {
		fmt.Printf("   load balancer %s is %s: %s\n", lb.Name, lb.State, lb.DNSName)
	}
	pods := &corev1.PodList{}
	if err := d.Client().List(ctx, pods, client.InNamespace(ns), proxies); err != nil {
		return err
	}
	left := map[string][]string{}
	for _, g := range d.groups() {
		targets, err := d.Targets(ctx, g.ARN)
		if err != nil {
			return err
		}
		for _, t := range targets {
			left[t.ID] = append(left[t.ID], fmt.Sprintf(":%d %s", t.Port, t.State))
		}
	}
	if len(pods.Items)+len(left) > 0 {
		fmt.Printf("   %-18s %-9s %-6s   %s\n", "POD", "NODE", "READY", "TARGETS IN AWS")
	}
	for _, p := range pods.Items {
		node, id := &corev1.Node{}, ""
		targets := []string{"none"}
		if d.Client().Get(ctx, client.ObjectKey{Name: p.Spec.NodeName}, node) == nil {
			id = stack.InstanceID(node)
			if t, ok := left[id]; ok {
				targets = t
				delete(left, id)
			}
		}
		fmt.Printf("   %-18s %-9s %-6t → %s %s\n", p.Name, p.Spec.NodeName, podReady(&p), id, strings.Join(targets, ", "))
	}
	for id, targets := range left {
		fmt.Printf("   %-18s %-9s %-6s   %s %s\n", "none", "", "", id, strings.Join(targets, ", "))
	}
	return nil
}

func podReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// claim is the claim as the API server has it.
func (d *demo) claim(ctx context.Context) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "edge.nlb.crossplane.io", Version: "v1alpha1", Kind: "NetworkLoadBalancer"})
	if err := d.Client().Get(ctx, client.ObjectKey{Namespace: ns, Name: "edge"}, u); err != nil {
		return nil, err
	}
	return u, nil
}

// ready says whether the claim is Ready without a problem, and Flux says that all of
// the latest commit is healthy.
func (d *demo) ready(ctx context.Context) (bool, error) {
	claim, err := d.claim(ctx)
	if apimeta.IsNoMatchError(err) {
		return false, nil // its kind comes with the Configuration
	}
	if err != nil {
		return false, client.IgnoreNotFound(err)
	}
	ready, _ := conditionOf(claim, "Ready")
	problem, _ := conditionOf(claim, "Problem")
	if ready != "True" || problem != "False" {
		return false, nil
	}
	return d.synced(ctx)
}

// conditionOf an object: its status and its message.
func conditionOf(o *unstructured.Unstructured, condition string) (status, message string) {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, each := range list {
		if c, _ := each.(map[string]any); c["type"] == condition {
			text := func(key string) string { s, _ := c[key].(string); return s }
			return text("status"), text("message")
		}
	}
	return "Unknown", ""
}

// nodesRule is the id of the rule that lets the load balancer reach port 8443 of the
// nodes.
func (d *demo) nodesRule(ctx context.Context) (string, error) {
	rules := &namespaced.SecurityGroupRuleList{}
	if err := d.Client().List(ctx, rules, client.InNamespace(ns)); err != nil {
		return "", err
	}
	for _, r := range rules.Items {
		p := r.Spec.ForProvider
		if p.Direction != nil && *p.Direction == "ingress" && p.SecurityGroupID != nil && *p.SecurityGroupID == stack.NodeGroup && *p.FromPort == 8443 {
			return r.Status.AtProvider.ID, nil
		}
	}
	return "", errors.New("no rule of the nodes is there")
}

func ptr[T any](v T) *T { return &v }
