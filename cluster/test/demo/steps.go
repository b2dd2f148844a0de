package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// A step does something and says what AWS should hold afterwards.
type step struct {
	title string
	do    func(context.Context) error
	// want are the targets that should be registered, and true when Kubernetes and
	// our objects have come to rest.
	want func(context.Context) ([]string, bool, error)
	// holds is what AWS should have besides targets.
	holds func() []string
	// register and deregister are the calls that it may take; -1 is any number.
	register, deregister int
}

func (d *demo) steps() []step {
	whole, bare := func() []string { return d.whole }, func() []string { return d.bare }
	return []step{
		{"one file: a DaemonSet with hostNetwork on 5 of 50 nodes, and its load balancer with all that belongs to it",
			d.create, d.pods(5), d.complete, -1, 0},
		{"label 3 more nodes", d.label, d.pods(8), whole, -1, 0},
		{"roll the DaemonSet in place: every pod is replaced on its node", d.roll, d.rolled, whole, 0, 0},
		{"7 of 8 pods become unready: AWS's health check decides, nothing leaves", d.unready, d.stays(8), whole, 0, 0},
		{"delete a node, and terminate its instance", d.deleteNode, d.without, whole, 0, 2},
		{"somebody deregisters a target and removes a rule behind the provider's back: the next poll repairs both",
			d.meddle, d.repaired(7), whole, 1, 0},
		{"somebody deletes the Service by mistake: the targets are held", d.deleteService, d.held, whole, 0, 0},
		{"the Service is back", d.create, d.pods(7), whole, 0, 0},
		{"delete everything in the file, at once: nothing is left in AWS", d.deleteAll, d.nothing, bare, 0, -1},
	}
}

// pods wants the instances that run the pods, when there are n ready ones and all
// our objects are Ready.
func (d *demo) pods(n int) func(context.Context) ([]string, bool, error) {
	return func(ctx context.Context) ([]string, bool, error) {
		ids, err := d.Instances(ctx, ns, proxies)
		if err != nil || len(ids) != n {
			return onBothPorts(ids), false, err
		}
		ready, err := d.ready(ctx)
		return onBothPorts(ids), ready, err
	}
}

func onBothPorts(ids []string) (out []string) {
	for _, id := range ids {
		for _, port := range hostPorts {
			out = append(out, stack.Target{ID: id, Port: port}.String())
		}
	}
	slices.Sort(out)
	return out
}

func (d *demo) create(ctx context.Context) error {
	if err := d.LabelNodes(ctx, edge, "true", "node-1", "node-2", "node-4", "node-5"); err != nil {
		return err
	}
	if d.removed == "" {
		if err := d.LabelNodes(ctx, edge, "true", "node-3"); err != nil {
			return err
		}
	}
	return d.ApplyFiles(ctx, stack.Path(example))
}

// complete is what AWS should have by what the file says.
func (d *demo) complete() []string {
	d.whole = slices.Concat(d.bare, []string{
		"load balancer edge-proxy: active, internet-facing, in eu-west-1a eu-west-1b eu-west-1c, cross-zone false, security group edge-proxy",
		"listener edge-proxy TCP 443: forwards to edge-proxy-https",
		"listener edge-proxy TCP 80: forwards to edge-proxy-http",
		"target group edge-proxy-https: TCP 8443, health HTTP 8081/ready",
		"target group edge-proxy-http: TCP 8080, health HTTP 8081/ready",
		"security group edge-proxy, team=edge",
		"rule of edge-proxy: in, from 0.0.0.0/0, tcp 443",
		"rule of edge-proxy: in, from 0.0.0.0/0, tcp 80",
	})
	for _, port := range []int{8080, 8081, 8443} {
		d.whole = append(d.whole,
			fmt.Sprintf("rule of edge-proxy: out, to nodes, tcp %d", port), fmt.Sprintf("rule of nodes: in, from edge-proxy, tcp %d", port))
	}
	slices.Sort(d.whole)
	return d.whole
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
	have := d.targets()
	return have, done && len(have) == 8*len(hostPorts), nil
}

func (d *demo) unready(ctx context.Context) error {
	d.kept = d.targets()
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
		if len(d.kept) != n*len(hostPorts) {
			return nil, false, fmt.Errorf("%d targets instead of %d", len(d.kept), n*len(hostPorts))
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
	want := slices.DeleteFunc(slices.Clone(d.kept), func(target string) bool { return strings.HasPrefix(target, d.removed) })
	return want, len(want) == 7*len(hostPorts), nil
}

// meddle drops a target, and revokes the rules that let the load balancer in.
func (d *demo) meddle(ctx context.Context) error {
	group := d.groups()[0]
	targets := d.Sim.Targets(group.ARN)
	if len(targets) == 0 {
		return errors.New("there is nothing to drop")
	}
	d.Sim.DropTarget(group.ARN, targets[0].ID, targets[0].Port)
	in := ec2.RevokeSecurityGroupIngressInput{GroupId: ptr(stack.NodeGroup), SecurityGroupRuleIds: []string{d.observed(ctx, "nodes-from-proxy-https")}}
	_, err := d.EC2In(stack.Region).RevokeSecurityGroupIngress(ctx, &in)
	return err
}

// repaired is at rest when the rule is back, too. AWS is asked once in two seconds:
// what we ask counts against the account's budget.
func (d *demo) repaired(n int) func(context.Context) ([]string, bool, error) {
	pods, next, back := d.pods(n), time.Time{}, false
	return func(ctx context.Context) ([]string, bool, error) {
		want, settled, err := pods(ctx)
		if settled && !back && time.Now().After(next) {
			next = time.Now().Add(2 * time.Second)
			have, failed := d.Inventory(ctx, stack.Region)
			back, err = slices.Equal(have, d.whole), failed
		}
		return want, settled && back, err
	}
}

func (d *demo) deleteService(ctx context.Context) error {
	d.kept = d.targets()
	return d.Client().Delete(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "edge-proxy"}})
}

// held is at rest when the bindings say that they hold.
func (d *demo) held(ctx context.Context) ([]string, bool, error) {
	held, err := d.allAre(ctx, "TargetGroupBinding", "Held")
	return d.kept, held, err
}

// deleteAll deletes what is in the file, in no particular order, as kubectl delete
// -f does.
func (d *demo) deleteAll(ctx context.Context) error {
	for _, o := range d.objects {
		if err := client.IgnoreNotFound(d.Client().Delete(ctx, o.DeepCopy())); err != nil {
			return err
		}
	}
	return nil
}

// nothing is at rest when all objects are gone.
func (d *demo) nothing(ctx context.Context) ([]string, bool, error) {
	for _, o := range d.objects {
		if err := d.Client().Get(ctx, client.ObjectKeyFromObject(o), o.DeepCopy()); client.IgnoreNotFound(err) != nil || err == nil {
			return nil, false, client.IgnoreNotFound(err)
		}
	}
	return nil, true, nil
}
