package clusters

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// remembered is how long a node that was deleted is remembered, so that targets
// on its instance can still be told from foreign ones (binding.md §6).
const remembered = 24 * time.Hour

// The signals of binding.md §4, strongest first within a class. A taint with
// effect PreferNoSchedule is no signal whatever its key.
var (
	leavingTaints = []string{
		"ToBeDeletedByClusterAutoscaler",
		"aws-node-termination-handler/spot-itn",
		"aws-node-termination-handler/asg-lifecycle-termination",
		corev1.TaintNodeOutOfService,
		// Set by the AWS cloud controller when the instance is stopped.
		"node.cloudprovider.kubernetes.io/shutdown",
	}
	departingTaints = []string{
		"karpenter.sh/disrupted",
		"aws-node-termination-handler/scheduled-maintenance",
		"aws-node-termination-handler/rebalance-recommendation",
	}
)

// classify says what a node's signals mean for its targets, and which decided.
func classify(n *corev1.Node) (targets.NodeClass, string) {
	if n.DeletionTimestamp != nil {
		return targets.NodeLeaving, "deletionTimestamp"
	}
	if key := tainted(n, leavingTaints); key != "" {
		return targets.NodeLeaving, "taint " + key
	}
	if key := tainted(n, departingTaints); key != "" {
		return targets.NodeDeparting, "taint " + key
	}
	if _, ok := n.Labels[corev1.LabelNodeExcludeBalancers]; ok {
		return targets.NodeDeparting, "label " + corev1.LabelNodeExcludeBalancers
	}
	return targets.NodeStays, ""
}

// tainted returns the first of keys that n is tainted with in earnest.
func tainted(n *corev1.Node, keys []string) string {
	for _, key := range keys {
		for i := range n.Spec.Taints {
			if t := &n.Spec.Taints[i]; t.Key == key && t.Effect != corev1.TaintEffectPreferNoSchedule {
				return key
			}
		}
	}
	return ""
}

// instance reads zone and instance id from a provider id of the form
// aws:///eu-west-1a/i-0123456789abcdef0. Fargate and hybrid nodes have no
// instance id.
func instance(providerID string) (zone, id string) {
	path, ok := strings.CutPrefix(providerID, "aws://")
	if !ok {
		return "", ""
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	last := parts[len(parts)-1]
	if len(parts) > 2 || len(last) < 3 || !strings.HasPrefix(last, "i-") {
		return "", ""
	}
	if len(parts) == 2 {
		zone = parts[0]
	}
	return zone, last
}

// A node is a Node trimmed to what plans and selectors need. It never changes
// once it is in the table.
type node struct {
	targets.Node
	labels labelSet
}

func trimNode(obj any) *node {
	in, ok := obj.(*corev1.Node)
	if !ok {
		return nil
	}
	out := &node{Node: targets.Node{Name: in.Name}, labels: compact(in.Labels)}
	out.Zone, out.InstanceID = instance(in.Spec.ProviderID)
	if zone := in.Labels[corev1.LabelTopologyZone]; zone != "" {
		out.Zone = zone
	}
	for _, a := range in.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			out.Addresses = append(out.Addresses, a.Address)
		}
	}
	for i := range in.Status.Conditions {
		if c := &in.Status.Conditions[i]; c.Type == corev1.NodeReady {
			out.Ready = c.Status == corev1.ConditionTrue
		}
	}
	out.Class, out.Signal = classify(in)
	return out
}

// A nodeTable holds the nodes that are there by name and those that were deleted
// by instance id: a name may come back on another instance.
type nodeTable struct {
	live map[string]*node
	gone map[string]*node
	// generation counts changes, of labels too.
	generation uint64
	// shared is the set that views share; nil when it must be built anew.
	shared *targets.Nodes
	// expires is when the first of gone is to be forgotten.
	expires time.Time
}

func newNodeTable() nodeTable {
	return nodeTable{live: map[string]*node{}, gone: map[string]*node{}, generation: 1}
}

// remember keeps a node that was deleted, with the class that it had: one that
// was leaving is still.
func (t *nodeTable) remember(n *node, now time.Time) {
	if n.InstanceID == "" {
		return
	}
	kept := *n
	kept.GoneSince = now
	t.gone[n.InstanceID] = &kept
}

func (t *nodeTable) changed() {
	t.generation++
	t.shared = nil
}

// nodes returns the set of all nodes. It is built when it is asked for, not with
// each event of a storm, and never changes afterwards. Where names, instances or
// addresses meet, the living come before the gone and the later before the earlier.
func (t *nodeTable) nodes(now time.Time) *targets.Nodes {
	if t.shared != nil && (t.expires.IsZero() || now.Before(t.expires)) {
		return t.shared
	}
	t.expires = time.Time{}
	all := make([]*node, 0, len(t.live)+len(t.gone))
	for id, n := range t.gone {
		end := n.GoneSince.Add(remembered)
		if !now.Before(end) {
			delete(t.gone, id)
			t.generation++
			continue
		}
		if t.expires.IsZero() || end.Before(t.expires) {
			t.expires = end
		}
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b *node) int { return a.GoneSince.Compare(b.GoneSince) })
	for _, name := range slices.Sorted(maps.Keys(t.live)) {
		all = append(all, t.live[name])
	}
	t.shared = indexNodes(all)
	return t.shared
}

func indexNodes(all []*node) *targets.Nodes {
	out := &targets.Nodes{
		ByName:     make(map[string]*targets.Node, len(all)),
		ByInstance: make(map[string]*targets.Node, len(all)),
		ByAddress:  make(map[string]*targets.Node, len(all)),
	}
	for _, n := range all {
		out.ByName[n.Name] = &n.Node
		if n.InstanceID != "" {
			out.ByInstance[n.InstanceID] = &n.Node
		}
		for _, a := range n.Addresses {
			out.ByAddress[a] = &n.Node
		}
	}
	return out
}

func (c *Cluster) putNode(n *node, t *touched) {
	table := &c.nodeTable
	old := table.live[n.Name]
	if old != nil && reflect.DeepEqual(old.Node, n.Node) {
		// Labels can only concern those whose nodeSelector now says otherwise.
		if old.labels != n.labels {
			table.live[n.Name] = n
			table.generation++
			c.touchNode(n, t, func(s *subscription) bool { return s.refuses(old) != s.refuses(n) })
		}
		return
	}
	if old != nil && old.InstanceID != n.InstanceID {
		table.remember(old, time.Now())
		c.touchNode(old, t, nil)
	}
	delete(table.gone, n.InstanceID)
	table.live[n.Name] = n
	table.changed()
	c.touchNode(n, t, nil)
}

func (c *Cluster) dropNode(n *node, t *touched) {
	old := c.nodeTable.live[n.Name]
	if old == nil {
		return
	}
	delete(c.nodeTable.live, n.Name)
	c.nodeTable.remember(old, time.Now())
	c.nodeTable.changed()
	c.touchNode(old, t, nil)
}

func (c *Cluster) replaceNodes(all []*node, t *touched) {
	seen := make(map[string]bool, len(all))
	for _, n := range all {
		seen[n.Name] = true
		c.putNode(n, t)
	}
	for name, n := range c.nodeTable.live {
		if !seen[name] {
			c.dropNode(n, t)
		}
	}
}

// touchNode touches the subscriptions that have pods on n or targets on its
// instance, and for which the condition, if there is one, holds.
func (c *Cluster) touchNode(n *node, t *touched, when func(*subscription) bool) {
	touch := func(s *subscription) {
		if when == nil || when(s) {
			t.add(s)
		}
	}
	for key := range c.podTable.byNode[n.Name] {
		for sub := range c.subs.byNamespace[key.namespace] {
			if sub.pods[key] != nil {
				touch(sub)
			}
		}
	}
	if n.InstanceID != "" {
		for sub := range c.subs.byInstance[n.InstanceID] {
			touch(sub)
		}
	}
}
