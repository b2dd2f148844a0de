package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// nodesDeadline is how long nodes may take to get ready.
const nodesDeadline = 2 * time.Minute

// NodeSpec is a node to add. Only Name and Zone are needed.
type NodeSpec struct {
	Name string
	// Zone is an availability zone, such as eu-west-1a.
	Zone string
	// InstanceID of EC2; by default one that follows from the name.
	InstanceID string
	// IP is the node's internal address; by default the next of 10.0.0.0/16.
	IP string
	// Labels besides those that the AWS cloud provider sets.
	Labels map[string]string
	// Taints of the node.
	Taints []corev1.Taint
}

// Instance is the id of the node's EC2 instance.
func (s NodeSpec) Instance() string {
	if s.InstanceID != "" {
		return s.InstanceID
	}
	sum := sha256.Sum256([]byte(s.Name))
	return "i-" + hex.EncodeToString(sum[:])[:17]
}

// AddNodes adds nodes that look as those of AWS do and waits until kwok has made
// them Ready. With APIOnly they stay as they are created.
func (c *ControlPlane) AddNodes(ctx context.Context, specs ...NodeSpec) error {
	names := map[string]bool{}
	for _, spec := range specs {
		if err := c.client.Create(ctx, c.node(spec)); err != nil {
			return fmt.Errorf("cannot add node %q: %w", spec.Name, err)
		}
		names[spec.Name] = true
	}
	if c.opts.Parts == APIOnly {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, nodesDeadline)
	defer cancel()
	c.mu.Lock()
	kubelets := c.running[kwok]
	c.mu.Unlock()
	if kubelets == nil {
		return errors.New("nodes do not get ready: kwok does not run")
	}
	return kubelets.WaitUntil(ctx, func(ctx context.Context) error {
		var list corev1.NodeList
		if err := c.client.List(ctx, &list); err != nil {
			return err
		}
		ready := 0
		for _, n := range list.Items {
			if names[n.Name] && usable(n) {
				ready++
			}
		}
		if ready < len(names) {
			return fmt.Errorf("%d of %d nodes are ready", ready, len(names))
		}
		return nil
	})
}

// usable says that pods can be scheduled to the node: it is ready, and the taint
// is gone with which every node is born.
func usable(n corev1.Node) bool {
	for _, t := range n.Spec.Taints {
		if t.Key == corev1.TaintNodeNotReady {
			return false
		}
	}
	for _, condition := range n.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// node makes the node of a spec.
func (c *ControlPlane) node(spec NodeSpec) *corev1.Node {
	c.mu.Lock()
	c.nodes++
	nth := c.nodes
	c.mu.Unlock()
	if spec.IP == "" {
		// The first ten addresses are left to whoever wants to name them.
		spec.IP = fmt.Sprintf("10.0.%d.%d", (nth+9)/250, (nth+9)%250+1)
	}
	labels := map[string]string{
		corev1.LabelHostname:           spec.Name,
		corev1.LabelOSStable:           "linux",
		corev1.LabelArchStable:         "amd64",
		corev1.LabelInstanceTypeStable: "m6i.xlarge",
		corev1.LabelTopologyZone:       spec.Zone,
		corev1.LabelTopologyRegion:     region(spec.Zone),
	}
	maps.Copy(labels, spec.Labels)
	resources := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("4"),
		corev1.ResourceMemory: resource.MustParse("16Gi"),
		corev1.ResourcePods:   resource.MustParse("110"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: spec.Name, Labels: labels},
		Spec:       corev1.NodeSpec{ProviderID: "aws:///" + spec.Zone + "/" + spec.Instance(), Taints: spec.Taints},
		Status: corev1.NodeStatus{
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: spec.IP},
				{Type: corev1.NodeHostName, Address: spec.Name},
			},
			Allocatable: resources, Capacity: resources,
		},
	}
}

// region of a zone: eu-west-1 of eu-west-1a.
func region(zone string) string {
	if zone == "" {
		return ""
	}
	return zone[:len(zone)-1]
}

// Nodes returns n nodes, in the zones by turns, named PREFIX-0 and so on.
func Nodes(prefix string, n int, zones ...string) []NodeSpec {
	specs := make([]NodeSpec, n)
	for i := range specs {
		specs[i] = NodeSpec{Name: fmt.Sprintf("%s-%d", prefix, i), Zone: zones[i%len(zones)]}
	}
	return specs
}

// RemoveNode deletes a node. Its pods go after about 40 seconds, when the pod
// garbage collector has noticed.
func (c *ControlPlane) RemoveNode(ctx context.Context, name string) error {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	return client.IgnoreNotFound(c.client.Delete(ctx, node))
}
