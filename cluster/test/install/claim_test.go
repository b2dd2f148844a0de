package install_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// workload lets the proxies of the documented example run on the first n nodes.
func workload(t *testing.T, n int) {
	t.Helper()
	if bare == nil {
		var err error
		if bare, err = it.Inventory(t.Context(), stack.Region); err != nil {
			t.Fatal(err)
		}
	}
	for i := range nodes {
		if err := it.LabelNodes(t.Context(), "example.org/edge", strconv.FormatBool(i < n), fmt.Sprintf("node-%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, read(t, "examples/namespaced/nlb-proxy.yaml", "Namespace", "DaemonSet")...)
	until(t, "the pods are ready", func(ctx context.Context) error { return rolledOut(ctx, n) })
}

func rolledOut(ctx context.Context, n int) error {
	ds := &appsv1.DaemonSet{}
	if err := it.Client().Get(ctx, client.ObjectKey{Namespace: namespace, Name: "edge-proxy"}, ds); err != nil {
		return err
	}
	if s := ds.Status; s.ObservedGeneration != ds.Generation || int(s.DesiredNumberScheduled) != n || s.NumberMisscheduled != 0 || int(s.UpdatedNumberScheduled) != n || int(s.NumberReady) != n {
		return fmt.Errorf("the DaemonSet's status is %+v", s)
	}
	return nil
}

// A style of claim.
type style struct {
	name, file string
	// prefix of the names in AWS.
	prefix func(*testing.T, *unstructured.Unstructured) string
}

var styles = []style{
	{name: "Namespaced", file: "examples/namespaced/claim.yaml", prefix: func(*testing.T, *unstructured.Unstructured) string { return "edge-edge" }},
	{name: "Legacy", file: "examples/cluster/claim.yaml", prefix: balancerOf},
}

// balancerOf a legacy claim is the only load balancer's name: it has a hash.
func balancerOf(t *testing.T, _ *unstructured.Unstructured) string {
	t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(object("nlb.crossplane.io", "v1alpha1", "LoadBalancerList", "", "").GroupVersionKind())
	if err := it.Client().List(t.Context(), list); err != nil || len(list.Items) != 1 {
		t.Fatalf("there is one load balancer, got %d, %v", len(list.Items), err)
	}
	return list.Items[0].GetName()
}

func TestClaimBecomesALoadBalancerThatFollows(t *testing.T) {
	const n = 3
	workload(t, n)
	for _, s := range styles {
		t.Run(s.name, func(t *testing.T) {
			claim := read(t, s.file)[0]
			apply(t, claim)
			ready(t, claim)
			x := s.prefix(t, claim)
			inAWS(t, "the claim is in AWS", x, slices.Concat(common(), port(443, 8443), from(443, "10.0.0.0/8"))...)
			serves(t, x, n, 443, 8443)
			says(t, claim, "443: 3/3")
			connection(t, claim)

			ports := []any{
				map[string]any{"port": int64(443), "targetPort": int64(8443)},
				map[string]any{"port": int64(80), "targetPort": int64(8080)},
			}
			change(t, claim, ports, "10.0.0.0/8", "192.0.2.0/24")
			inAWS(t, "a port and a client are added", x, slices.Concat(common(), port(443, 8443), port(80, 8080),
				from(443, "10.0.0.0/8", "192.0.2.0/24"), from(80, "10.0.0.0/8", "192.0.2.0/24"))...)
			serves(t, x, n, 80, 8080)
			ready(t, claim)

			change(t, claim, ports[:1], "192.0.2.0/24")
			inAWS(t, "a port and a client are removed", x, slices.Concat(common(), port(443, 8443), from(443, "192.0.2.0/24"))...)
			serves(t, x, n, 443, 8443)

			remove(t, claim)
			inAWS(t, "nothing is left", x)
		})
	}
}

// change the ports and clients of a claim.
func change(t *testing.T, claim *unstructured.Unstructured, ports []any, cidrs ...string) {
	t.Helper()
	clients := map[string]any{"cidrs": []any{}}
	for _, c := range cidrs {
		clients["cidrs"] = append(clients["cidrs"].([]any), c)
	}
	spec := claim.Object["spec"].(map[string]any)
	spec["ports"], spec["clients"] = ports, clients
	apply(t, claim)
}

// common is what AWS holds for a claim besides its ports.
func common() []string {
	return []string{
		"security group X, environment=edge",
		"load balancer X: active, internal, in eu-west-1a eu-west-1b eu-west-1c, cross-zone false, security group X",
	}
}

// port of a claim, in AWS.
func port(port, target int) []string {
	return []string{
		fmt.Sprintf("listener X TCP %d: forwards to X-%d-tcp", port, port),
		fmt.Sprintf("target group X-%d-tcp: TCP %d, health TCP traffic-port", port, port),
		fmt.Sprintf("rule of X: out, to nodes, tcp %d", target),
		fmt.Sprintf("rule of nodes: in, from X, tcp %d", target),
	}
}

// from are the rules that let clients connect to a port.
func from(port int, cidrs ...string) (lines []string) {
	for _, c := range cidrs {
		lines = append(lines, fmt.Sprintf("rule of X: in, from %s, tcp %d", c, port))
	}
	return lines
}

// serves waits until the targets of a port are exactly the instances that run pods.
func serves(t *testing.T, prefix string, n, port, target int) {
	t.Helper()
	instances, err := it.Instances(t.Context(), namespace, client.MatchingLabels{"app": "edge-proxy"})
	if err != nil || len(instances) != n {
		t.Fatalf("%d instances run pods, got %v, %v", n, instances, err)
	}
	var want []stack.Target
	for _, id := range instances {
		want = append(want, stack.Target{ID: id, Port: int32(target), State: "healthy"})
	}
	until(t, "the targets are the instances that run pods", func(ctx context.Context) error {
		arn, err := it.GroupARN(ctx, stack.Region, fmt.Sprintf("%s-%d-tcp", prefix, port))
		if err != nil {
			return err
		}
		have, err := it.Targets(ctx, arn)
		if diff := cmp.Diff(want, have); err == nil && diff != "" {
			err = fmt.Errorf("(-want, +got):\n%s", diff)
		}
		return err
	})
}

// says waits until the claim tells of its load balancer.
func says(t *testing.T, claim *unstructured.Unstructured, healthy string) {
	t.Helper()
	until(t, "the claim tells its address and its targets", func(ctx context.Context) error {
		u, err := now(ctx, claim)
		if err != nil {
			return err
		}
		status, _ := u.Object["status"].(map[string]any)
		if status["healthy"] != healthy || status["dnsName"] == nil || status["canonicalHostedZoneId"] == nil {
			return fmt.Errorf("status is %v", status)
		}
		return nil
	})
}

// connection waits for the claim's connection details.
func connection(t *testing.T, claim *unstructured.Unstructured) {
	t.Helper()
	until(t, "the connection Secret has the address", func(ctx context.Context) error {
		u, err := now(ctx, claim)
		if err != nil {
			return err
		}
		dns, _, _ := unstructured.NestedString(u.Object, "status", "dnsName")
		secret := &corev1.Secret{}
		if err := it.Client().Get(ctx, client.ObjectKey{Namespace: namespace, Name: "edge-nlb"}, secret); err != nil {
			return err
		}
		if string(secret.Data["dnsName"]) != dns || len(secret.Data["arn"]) == 0 || len(secret.Data["canonicalHostedZoneId"]) == 0 {
			return fmt.Errorf("the Secret has %q, want the address %q", secret.Data, dns)
		}
		return nil
	})
}
