package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// completeExample has all that a proxy with hostNetwork takes in AWS.
const completeExample = "nlb-proxy.yaml"

// A whole is the complete example of a scope.
type whole struct {
	*world
	// workload is what is not ours, and managed what is.
	workload, managed []*unstructured.Unstructured
	// prefix of the names in AWS.
	prefix string
	// rename makes the name of an object of that in the example.
	rename func(string) string
	// https is the host port of the proxies. Those of http and of the health check
	// follow from the example.
	https, http, check int32
	// bare is what AWS held before.
	bare []string
}

// example is the complete example of the scope, with the test's names, ports,
// region, and nodes.
func (w *world) example(t *testing.T, onNodes ...int) *whole {
	t.Helper()
	e := &whole{world: w, prefix: w.unique("proxy"), https: w.port, http: w.port + 1, check: w.port + 2}
	e.rename = func(name string) string { return w.meta(name).Name }
	others := []string{
		"name: edge\n", "name: " + w.ns + "\n", "namespace: edge\n", "namespace: " + w.ns + "\n",
		"region: eu-west-1", "region: " + w.region, "example.org/edge", "example.org/" + w.ns,
		"8443", fmt.Sprint(e.https), "8080", fmt.Sprint(e.http), "8081", fmt.Sprint(e.check),
	}
	if w.scope == inCluster {
		others = append(others, "name: proxy", "name: "+w.unique("proxy"), "name: nodes-", "name: "+w.unique("nodes-"))
	}
	e.read(strings.NewReplacer(others...), completeExample)
	for _, n := range onNodes {
		// Its load balancer reaches the members of the nodes' group only.
		w.seed(nodeName(n), stack.NodeGroup)
		if err := it.LabelNodes(t.Context(), "example.org/"+w.ns, "true", nodeName(n)); err != nil {
			t.Fatal(err)
		}
	}
	e.bare = e.inventory(t.Context())
	w.whole = e
	return e
}

// asItIs are examples of a scope without any change: files in its directory.
func asItIs(t *testing.T, s scope, prefix string, files ...string) *whole {
	t.Helper()
	e := &whole{
		world: &world{t: t, scope: s, ns: exampleNamespace, region: stack.Region}, prefix: prefix,
		rename: func(name string) string { return name }, https: 8443, http: 8080, check: 8081,
	}
	e.read(strings.NewReplacer(), files...)
	t.Cleanup(e.dump)
	return e
}

func (e *whole) read(others *strings.Replacer, files ...string) {
	e.t.Helper()
	for _, file := range files {
		data, err := os.ReadFile(stack.Path("examples/" + strings.ToLower(e.scope.name) + "/" + file))
		if err != nil {
			e.t.Fatal(err)
		}
		objects, err := stack.Decode([]byte(others.Replace(string(data))))
		if err != nil {
			e.t.Fatal(err)
		}
		for _, o := range objects {
			if o.GroupVersionKind().Group == e.scope.group {
				e.managed = append(e.managed, o)
			} else {
				e.workload = append(e.workload, o)
			}
		}
	}
}

// apply objects in their order, as kubectl apply --server-side does.
func (e *whole) apply(objects ...*unstructured.Unstructured) {
	e.t.Helper()
	for _, o := range objects {
		err := it.Client().Apply(e.t.Context(), client.ApplyConfigurationFromUnstructured(o.DeepCopy()), client.FieldOwner("e2e"), client.ForceOwnership)
		if err != nil {
			e.t.Fatalf("cannot apply %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// applyAll applies what refers before what it refers to, so that every reference
// is waited for.
func (e *whole) applyAll() {
	e.t.Helper()
	backwards := slices.Clone(e.managed)
	slices.Reverse(backwards)
	e.apply(e.workload...)
	e.apply(backwards...)
}

// of a kind are its objects.
func (e *whole) ofKind(kinds ...string) (found []*unstructured.Unstructured) {
	for _, o := range e.managed {
		if slices.Contains(kinds, o.GetKind()) {
			found = append(found, o)
		}
	}
	return found
}

// one is the object of a kind whose name in the example this is.
func (e *whole) one(kind, name string) *unstructured.Unstructured {
	e.t.Helper()
	for _, o := range e.ofKind(kind) {
		if o.GetName() == e.rename(name) {
			return o
		}
	}
	e.t.Fatalf("the example has no %s %s", kind, name)
	return nil
}

// now is an object as the API server has it.
func (e *whole) now(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(o.GroupVersionKind())
	return u, it.Client().Get(ctx, client.ObjectKeyFromObject(o), u)
}

// observed is a field of status.atProvider.
func (e *whole) observed(o *unstructured.Unstructured, field string) string {
	e.t.Helper()
	u, err := e.now(e.t.Context(), o)
	if err != nil {
		e.t.Fatal(err)
	}
	v, _, err := unstructured.NestedString(u.Object, "status", "atProvider", field)
	if err != nil || v == "" {
		e.t.Fatalf("%s %s has no status.atProvider.%s: %v", o.GetKind(), o.GetName(), field, err)
	}
	return v
}

// allReady waits until all objects are Ready, as tools see it.
func (e *whole) allReady() {
	e.t.Helper()
	e.eventually("everything is Ready", func(ctx context.Context) error {
		var errs []error
		for _, o := range e.managed {
			u, err := e.now(ctx, o)
			if err == nil {
				err = e.statusIs(u, status.CurrentStatus)
			}
			if c := condition(u, "Ready"); err == nil && c.Status != corev1.ConditionTrue {
				err = fmt.Errorf("Ready is %+v", c)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err))
			}
		}
		return errors.Join(errs...)
	})
}

// delete objects at once.
func (e *whole) delete(objects ...*unstructured.Unstructured) {
	e.t.Helper()
	for _, o := range objects {
		if err := it.Client().Delete(e.t.Context(), o.DeepCopy()); client.IgnoreNotFound(err) != nil {
			e.t.Fatal(err)
		}
	}
}

// allGone waits until objects do not exist any more.
func (e *whole) allGone(reason string, objects ...*unstructured.Unstructured) {
	e.t.Helper()
	e.eventually(reason, func(ctx context.Context) error {
		var errs []error
		for _, o := range objects {
			u, err := e.now(ctx, o)
			if !kerrors.IsNotFound(err) {
				errs = append(errs, fmt.Errorf("%s %s is still there (%w): DeletionBlocked is %q, Synced %q", o.GetKind(), o.GetName(),
					errors.Join(err, errors.New("not deleted")), condition(u, "DeletionBlocked").Message, condition(u, "Synced").Message))
			}
		}
		return errors.Join(errs...)
	})
}

// lines are what AWS should hold when everything is there.
func (e *whole) lines() []string {
	p := e.prefix
	lines := []string{
		fmt.Sprintf("security group %s, team=edge", p),
		fmt.Sprintf("rule of %s: in, from 0.0.0.0/0, tcp 443", p),
		fmt.Sprintf("rule of %s: in, from 0.0.0.0/0, tcp 80", p),
		fmt.Sprintf("load balancer %s: active, internet-facing, in %s, cross-zone false, security group %s", p, strings.Join(stack.Zones, " "), p),
		fmt.Sprintf("listener %s TCP 443: forwards to %s-https", p, p),
		fmt.Sprintf("listener %s TCP 80: forwards to %s-http", p, p),
		fmt.Sprintf("target group %s-https: TCP %d, health HTTP %d/ready", p, e.https, e.check),
		fmt.Sprintf("target group %s-http: TCP %d, health HTTP %d/ready", p, e.http, e.check),
	}
	for _, port := range []int32{e.https, e.http, e.check} {
		lines = append(lines, fmt.Sprintf("rule of %s: out, to nodes, tcp %d", p, port), fmt.Sprintf("rule of nodes: in, from %s, tcp %d", p, port))
	}
	return lines
}

func (e *whole) inventory(ctx context.Context) []string {
	e.t.Helper()
	have, err := it.Inventory(ctx, e.region)
	if err != nil {
		e.t.Fatal(err)
	}
	return have
}

// inAWS waits until AWS's API shows exactly these lines besides what was there.
func (e *whole) inAWS(reason string, lines ...string) {
	e.t.Helper()
	want := slices.Sorted(slices.Values(slices.Concat(e.bare, lines)))
	e.eventually(reason, func(ctx context.Context) error {
		have, err := it.Inventory(ctx, e.region)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, have); diff != "" {
			return fmt.Errorf("AWS holds something else (-want, +got):\n%s", diff)
		}
		return nil
	})
}

// serves waits until both target groups have exactly the instances of these nodes,
// and AWS calls them healthy.
func (e *whole) serves(reason string, nodes ...string) {
	e.t.Helper()
	for name, port := range map[string]int32{"-https": e.https, "-http": e.http} {
		arn, err := it.GroupARN(e.t.Context(), e.region, e.prefix+name)
		if err != nil {
			e.t.Fatal(err)
		}
		var want []string
		for _, n := range nodes {
			want = append(want, e.target(n, port))
		}
		e.holds(reason, arn, want...)
		e.eventually(reason+", and is healthy", func(ctx context.Context) error {
			found, err := it.Targets(ctx, arn)
			for _, t := range found {
				if t.State != "healthy" {
					err = errors.Join(err, fmt.Errorf("%s is %s (%s)", t, t.State, t.Reason))
				}
			}
			return err
		})
	}
}

// dump shows the objects if the test failed.
func (e *whole) dump() {
	if !e.t.Failed() {
		return
	}
	for _, o := range e.managed {
		if u, err := e.now(context.Background(), o); err == nil {
			e.t.Log(e.show(context.Background(), u))
		}
	}
	have, err := it.Inventory(context.Background(), e.region)
	e.t.Logf("AWS holds (%v)\n%s", err, strings.Join(have, "\n"))
}

// warnings are the Warning Events about the objects, also about those that are
// gone.
func (e *whole) warnings() (found []string) {
	e.t.Helper()
	list := &corev1.EventList{}
	if err := it.Client().List(e.t.Context(), list, client.MatchingFields{"type": corev1.EventTypeWarning}); err != nil {
		e.t.Fatal(err)
	}
	for _, event := range list.Items {
		about := event.InvolvedObject
		if slices.ContainsFunc(e.managed, func(o *unstructured.Unstructured) bool {
			return o.GetKind() == about.Kind && o.GetName() == about.Name && o.GetNamespace() == about.Namespace && o.GroupVersionKind().GroupVersion().String() == about.APIVersion
		}) {
			found = append(found, fmt.Sprintf("%s %s %s: %s", about.Kind, about.Name, event.Reason, event.Message))
		}
	}
	return found
}
