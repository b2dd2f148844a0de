package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/git"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// A step does something and says what AWS should hold afterwards.
type step struct {
	title string
	do    func(context.Context) error
	// want are the targets that should be registered, and true when Kubernetes, Flux
	// and our objects have come to rest.
	want func(context.Context) ([]string, bool, error)
	// holds is what AWS should have besides targets.
	holds func() []string
	// register and deregister are the calls that it may take; -1 is any number.
	register, deregister int
}

func (d *demo) steps() []step {
	bare, whole := func() []string { return d.bare }, d.complete
	return []step{
		{"one repository: Flux applies packages, settings, a DaemonSet with hostNetwork on 5 of 50 nodes, and a claim of ten lines",
			d.begin, d.pods(5), whole, -1, 0},
		{"a commit: the claim listens on port 80 too, and finds its pods by a Service", d.addPort, d.pods(5), whole, -1, 0},
		{"label 3 more nodes", func(ctx context.Context) error { return d.label(ctx, 6, 8) }, d.pods(8), whole, -1, 0},
		{"a commit: a new version of the proxies, every pod is replaced on its node", d.roll, d.rolled, whole, 0, 0},
		{"7 of 8 pods become unready: AWS's health check decides, nothing leaves", d.unready, d.stays(8), whole, 0, 0},
		{"a node goes: its pod ends, its instance is terminated", d.deleteNode, d.without, whole, 0, 2},
		{"somebody deregisters a target and removes a rule behind the provider's back: the next poll repairs both",
			d.meddle, d.repaired(7), whole, 1, 0},
		{"somebody deletes the Service by mistake: the targets are held", d.deleteService, d.held, whole, 0, 0},
		{"Flux brings the Service back", d.reconcile, d.pods(7), whole, 0, 0},
		{"a commit with a mistake: Kubernetes refuses it, Flux says why, AWS stays as it is", d.mistake, d.refused, whole, 0, 0},
		{"a commit: no claim any more, nothing is left in AWS", d.removeClaim, d.nothing(), bare, 0, -1},
	}
}

// begin commits the documented repository, and lets Flux follow it, as `flux
// bootstrap` does. Crossplane does the rest; what is played here is the kubelet.
func (d *demo) begin(ctx context.Context) error {
	if err := d.git.Commit(ctx, "The documented repository"); err != nil {
		return err
	}
	var err error
	if d.head, err = d.git.Head(ctx); err != nil {
		return err
	}
	if err := d.flux.Bootstrap(ctx, d.git.URL(), git.Branch, "./flux"); err != nil {
		return err
	}
	d.ports = map[int32]int32{443: 8443}
	_, err = d.RunPackages(ctx)
	return err
}

const (
	kustomizationFile = "edge/kustomization.yaml"
	claimFile         = "edge/claim.yaml"
	claimEntry        = "  - claim.yaml\n"
	selector          = "  podSelector: {matchLabels: {app: edge-proxy}}\n"
	onePort           = "    - {port: 443, targetPort: 8443}\n"
	anotherPort       = "    - {port: 80, targetPort: 8080}\n"
	service           = `apiVersion: v1
kind: Service
metadata: {namespace: edge, name: edge-proxy}
spec:
  selector: {app: edge-proxy}
  ports:
    - {name: https, port: 443, targetPort: 8443}
    - {name: http, port: 80, targetPort: 8080}
`
)

func (d *demo) addPort(ctx context.Context) error {
	d.ports = map[int32]int32{443: 8443, 80: 8080}
	return d.commit(ctx, "Listen on port 80 too",
		change{claimFile, selector, "  serviceName: edge-proxy\n"},
		change{claimFile, onePort, onePort + anotherPort},
		change{"edge/service.yaml", "", service},
		change{kustomizationFile, claimEntry, claimEntry + "  - service.yaml\n"},
	)
}

// pods wants the instances that run the pods, when there are n ready ones, and the
// claim is Ready and Flux says that all is well.
func (d *demo) pods(n int) func(context.Context) ([]string, bool, error) {
	return func(ctx context.Context) ([]string, bool, error) {
		ids, err := d.Instances(ctx, ns, proxies)
		if err != nil || len(ids) != n {
			return d.onAllPorts(ids), false, err
		}
		ready, err := d.ready(ctx)
		return d.onAllPorts(ids), ready, err
	}
}

func (d *demo) onAllPorts(ids []string) (out []string) {
	for _, id := range ids {
		for _, port := range d.ports {
			out = append(out, stack.Target{ID: id, Port: port}.String())
		}
	}
	slices.Sort(out)
	return out
}

// complete is what AWS should have by what the claim says.
func (d *demo) complete() []string {
	whole := slices.Concat(d.bare, []string{
		"load balancer edge-edge: active, internal, in eu-west-1a eu-west-1b eu-west-1c, cross-zone false, security group edge-edge",
		"security group edge-edge, environment=edge",
	})
	for port, target := range d.ports {
		whole = append(whole,
			fmt.Sprintf("listener edge-edge TCP %d: forwards to edge-edge-%d-tcp", port, port),
			fmt.Sprintf("target group edge-edge-%d-tcp: TCP %d, health TCP traffic-port", port, port),
			fmt.Sprintf("rule of edge-edge: in, from 10.0.0.0/8, tcp %d", port),
			fmt.Sprintf("rule of edge-edge: out, to nodes, tcp %d", target),
			fmt.Sprintf("rule of nodes: in, from edge-edge, tcp %d", target),
		)
	}
	slices.Sort(whole)
	return whole
}

// label the nodes of a range of numbers.
func (d *demo) label(ctx context.Context, first, last int) error {
	var names []string
	for i := first; i <= last; i++ {
		names = append(names, fmt.Sprintf("node-%d", i))
	}
	return d.LabelNodes(ctx, edge, "true", names...)
}

func (d *demo) roll(ctx context.Context) error {
	return d.commit(ctx, "A new version of the proxies", change{"edge/proxy.yaml",
		"        app: edge-proxy\n    spec:\n", "        app: edge-proxy\n      annotations:\n        example.org/version: \"2\"\n    spec:\n"})
}

// meddle drops a target, and revokes the rules that let the load balancer in.
func (d *demo) meddle(ctx context.Context) error {
	group := d.groups()[0]
	targets := d.Sim.Targets(group.ARN)
	if len(targets) == 0 {
		return errors.New("there is nothing to drop")
	}
	d.Sim.DropTarget(group.ARN, targets[0].ID, targets[0].Port)
	rule, err := d.nodesRule(ctx)
	if err != nil {
		return err
	}
	in := ec2.RevokeSecurityGroupIngressInput{GroupId: ptr(stack.NodeGroup), SecurityGroupRuleIds: []string{rule}}
	_, err = d.EC2In(stack.Region).RevokeSecurityGroupIngress(ctx, &in)
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
			back, err = slices.Equal(have, d.complete()), failed
		}
		return want, settled && back, err
	}
}

func (d *demo) deleteService(ctx context.Context) error {
	d.kept = d.targets()
	return d.Client().Delete(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "edge-proxy"}})
}

// held is at rest when the claim says that its targets are held.
func (d *demo) held(ctx context.Context) ([]string, bool, error) {
	claim, err := d.claim(ctx)
	if err != nil {
		return nil, false, err
	}
	status, message := conditionOf(claim, "Problem")
	settled := status == "True" && strings.Contains(message, "Service")
	if settled {
		fmt.Println("   the claim says: " + message)
	}
	return d.kept, settled, nil
}

func (d *demo) reconcile(ctx context.Context) error { return d.flux.Reconcile(ctx, "edge") }

func (d *demo) mistake(ctx context.Context) error {
	d.kept = d.targets()
	return d.commit(ctx, "A mistake", change{claimFile, anotherPort, "    - {port: 443, targetPort: 8080}\n"})
}

// refused is at rest when Flux tells of the mistake.
func (d *demo) refused(ctx context.Context) ([]string, bool, error) {
	status, message, latest, err := d.kustomization(ctx, "edge")
	settled := status == "False" && latest && strings.Contains(message, "a port is there twice")
	if settled {
		fmt.Println("   Flux says: " + strings.TrimSpace(message))
	}
	return d.kept, settled, err
}

func (d *demo) removeClaim(ctx context.Context) error {
	return d.commit(ctx, "No load balancer any more",
		change{claimFile, "    - {port: 443, targetPort: 8080}\n", anotherPort},
		change{kustomizationFile, claimEntry, ""},
	)
}

// again brings the claim back, and waits until AWS serves it.
func (d *demo) again(ctx context.Context) error {
	fmt.Println()
	if err := d.commit(ctx, "The load balancer again", change{kustomizationFile, "resources:\n", "resources:\n" + claimEntry}); err != nil {
		return err
	}
	return local.Poll(ctx, func() (bool, error) {
		ready, err := d.ready(ctx)
		if err == nil && !ready {
			err = errors.New("the claim is not ready")
		}
		return ready, err
	})
}

// nothing is at rest when Flux has pruned the claim, and what it had been made of is
// gone, too: that takes longer. AWS is asked once in two seconds.
func (d *demo) nothing() func(context.Context) ([]string, bool, error) {
	next := time.Time{}
	return func(ctx context.Context) ([]string, bool, error) {
		claim, err := d.claim(ctx)
		if client.IgnoreNotFound(err) != nil || claim != nil {
			return nil, false, client.IgnoreNotFound(err)
		}
		synced, err := d.synced(ctx)
		if err != nil || !synced || time.Now().Before(next) {
			return nil, false, err
		}
		next = time.Now().Add(2 * time.Second)
		have, err := d.Inventory(ctx, stack.Region)
		return nil, slices.Equal(have, d.bare), err
	}
}
