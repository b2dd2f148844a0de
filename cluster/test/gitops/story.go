package gitops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A Tool syncs the repository to the cluster.
type Tool interface {
	// Notify tells it of a commit, as a forge's webhook does.
	Notify(context.Context) error
	// Synced returns nil when the tool says that everything of the commit is
	// applied and healthy, by what it shows to its users.
	Synced(ctx context.Context, commit string) error
	// Told is what the tool says of a commit that it cannot apply.
	Told(ctx context.Context, commit string) (message string, err error)
	// LookAgain lets the tool compare everything with Git once more. It returns an
	// error if that finds a difference.
	LookAgain(ctx context.Context) error
}

// Tell tells the story. AWS judges each step, and then the tool must say that all
// is well.
func (w *World) Tell(t *testing.T, tool Tool) {
	t.Helper()
	w.firstSync(t, tool)
	w.portAdded(t, tool)
	w.selectorChanged(t, tool)
	w.badCommit(t, tool)
	w.isCalm(t, tool)
	w.claimRemoved(t, tool)
}

// firstSync: an empty cluster becomes what is in Git without anybody's help.
// Nobody but this test plays the pods of the packages.
func (w *World) firstSync(t *testing.T, tool Tool) {
	t.Helper()
	commit, err := w.Git.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), setup)
	defer cancel()
	if _, err := w.RunPackages(ctx); err != nil {
		t.Fatal(err)
	}
	w.awaits(t, "the first commit is in AWS", expectation{app: "edge-proxy", nodes: 2, ports: map[int]int{443: 8443}})
	w.synced(t, tool, commit)
}

func (w *World) portAdded(t *testing.T, tool Tool) {
	t.Helper()
	commit := w.Edit(t, "Listen on port 80 too", Change{
		File: "edge/claim.yaml",
		Old:  "    - {port: 443, targetPort: 8443}\n",
		New:  "    - {port: 443, targetPort: 8443}\n    - {port: 80, targetPort: 8080}\n",
	})
	w.notify(t, tool)
	w.awaits(t, "the port is in AWS", expectation{app: "edge-proxy", nodes: 2, ports: map[int]int{443: 8443, 80: 8080}})
	w.synced(t, tool, commit)
}

// selectorChanged: the load balancer moves to other pods, on other nodes, which one
// commit brings. Of two targets: more would wait for the guard, as a mistyped selector does.
func (w *World) selectorChanged(t *testing.T, tool Tool) {
	t.Helper()
	commit := w.Edit(t, "Move to the next proxies",
		Change{File: "edge/next.yaml", New: w.next(t)},
		Change{File: "edge/kustomization.yaml", Old: "  - proxy.yaml\n", New: "  - proxy.yaml\n  - next.yaml\n"},
		Change{File: "edge/claim.yaml", Old: "app: edge-proxy", New: "app: edge-next"},
	)
	w.notify(t, tool)
	w.awaits(t, "the targets are the other pods", w.moved())
	w.synced(t, tool, commit)
}

// moved is what AWS holds after the move.
func (w *World) moved() expectation {
	return expectation{app: "edge-next", nodes: 2, ports: map[int]int{443: 8443, 80: 8080}}
}

// next are the successors of the layout's proxies.
func (w *World) next(t *testing.T) string {
	t.Helper()
	return strings.NewReplacer("edge-proxy", "edge-next", `"true"`, "next").Replace(w.read(t, "edge/proxy.yaml"))
}

// badCommit: what the API refuses is told with the API's sentence, AWS stays as it
// is, and the next commit heals it.
func (w *World) badCommit(t *testing.T, tool Tool) {
	t.Helper()
	const port, twice = "    - {port: 80, targetPort: 8080}\n", "    - {port: 443, targetPort: 8080}\n"
	calls := w.Calls()
	bad := w.Edit(t, "A mistake", Change{File: "edge/claim.yaml", Old: port, New: twice})
	w.notify(t, tool)
	w.Until(t, "the mistake is told", func(ctx context.Context) error {
		message, err := tool.Told(ctx, bad)
		if err == nil && !strings.Contains(message, "a port is there twice") {
			err = fmt.Errorf("the tool says %q", message)
		}
		if err == nil {
			t.Logf("the tool says: %s", message)
		}
		return err
	})
	w.awaits(t, "AWS is as it was", w.moved())
	if c := w.Calls().Sub(calls); c.Register+c.Deregister > 0 {
		t.Errorf("a commit that is refused changes no target, but there were %s", c)
	}
	fixed := w.Edit(t, "The mistake is fixed", Change{File: "edge/claim.yaml", Old: twice, New: port})
	w.notify(t, tool)
	w.synced(t, tool, fixed)
	w.awaits(t, "AWS is as it was", w.moved())
}

// isCalm: what the cluster adds to the objects from Git is no difference, so nothing
// is written again and again.
func (w *World) isCalm(t *testing.T, tool Tool) {
	t.Helper()
	before := w.generations(t)
	calls := w.Calls()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 3 {
		if err := tool.LookAgain(ctx); err != nil {
			t.Errorf("nothing is different from Git: %v", err)
		}
	}
	if diff := cmp.Diff(before, w.generations(t)); diff != "" {
		t.Errorf("a tool that looks again writes nothing (-before, +after):\n%s", diff)
	}
	if c := w.Calls().Sub(calls); c.Register+c.Deregister > 0 {
		t.Errorf("a tool that looks again changes no target, but there were %s", c)
	}
}

// generations of what the tool has applied: each write of a spec makes a new one.
func (w *World) generations(t *testing.T) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	for _, kind := range []schema.GroupVersionKind{
		{Group: "edge.nlb.crossplane.io", Version: "v1alpha1", Kind: "NetworkLoadBalancer"},
		{Group: "nlb.m.crossplane.io", Version: "v1alpha1", Kind: "ClusterProviderConfig"},
		{Group: "pkg.crossplane.io", Version: "v1", Kind: "Provider"},
		{Group: "pkg.crossplane.io", Version: "v1", Kind: "Function"},
		{Group: "pkg.crossplane.io", Version: "v1", Kind: "Configuration"},
		{Group: "apps", Version: "v1", Kind: "DaemonSet"},
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := w.Client().List(t.Context(), list); err != nil || len(list.Items) == 0 {
			t.Fatalf("there is no %s: %v", kind.Kind, err)
		}
		for _, o := range list.Items {
			found[kind.Kind+" "+o.GetName()] = o.GetGeneration()
		}
	}
	return found
}

// claimRemoved: what is removed from Git is removed from AWS, and nothing else is
// touched.
func (w *World) claimRemoved(t *testing.T, tool Tool) {
	t.Helper()
	commit := w.Edit(t, "No load balancer any more", Change{File: "edge/kustomization.yaml", Old: "  - claim.yaml\n", New: ""})
	w.notify(t, tool)
	w.Until(t, "AWS is empty", func(ctx context.Context) error { return w.holds(ctx, nil) })
	w.synced(t, tool, commit)
	pods := &corev1.PodList{}
	if err := w.Client().List(t.Context(), pods, client.InNamespace("edge")); err != nil || len(pods.Items) != 4 {
		t.Errorf("the proxies run on after their claim, got %d, %v", len(pods.Items), err)
	}
}

func (w *World) notify(t *testing.T, tool Tool) {
	t.Helper()
	if err := tool.Notify(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *World) synced(t *testing.T, tool Tool, commit string) {
	t.Helper()
	w.Until(t, "the tool says that all is well", func(ctx context.Context) error { return tool.Synced(ctx, commit) })
}

// An expectation is what AWS holds for the claim, whose pods have an app label.
type expectation struct {
	app   string
	nodes int
	// ports of the load balancer, and where they lead.
	ports map[int]int
}

func (w *World) awaits(t *testing.T, reason string, e expectation) {
	t.Helper()
	w.Until(t, reason, func(ctx context.Context) error {
		if err := w.holds(ctx, e.lines()); err != nil {
			return err
		}
		for port, target := range e.ports {
			if err := w.serves(ctx, e.app, e.nodes, port, target); err != nil {
				return err
			}
		}
		return nil
	})
}

// lines of the inventory.
func (e expectation) lines() []string {
	lines := []string{
		"security group edge-edge, environment=edge",
		"load balancer edge-edge: active, internal, in eu-west-1a eu-west-1b eu-west-1c, cross-zone false, security group edge-edge",
	}
	for port, target := range e.ports {
		lines = append(lines,
			fmt.Sprintf("listener edge-edge TCP %d: forwards to edge-edge-%d-tcp", port, port),
			fmt.Sprintf("target group edge-edge-%d-tcp: TCP %d, health TCP traffic-port", port, port),
			fmt.Sprintf("rule of edge-edge: in, from 10.0.0.0/8, tcp %d", port),
			fmt.Sprintf("rule of edge-edge: out, to nodes, tcp %d", target),
			fmt.Sprintf("rule of nodes: in, from edge-edge, tcp %d", target),
		)
	}
	slices.Sort(lines)
	return lines
}
