package clusters

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/internal/targets"
)

func taint(key string, effect corev1.TaintEffect) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: effect}) }
}

func label(key, value string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Labels[key] = value }
}

func deleting(n *corev1.Node) { n.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }

func TestClassify(t *testing.T) {
	type verdict struct {
		Class  targets.NodeClass
		Signal string
	}
	leaving := func(s string) verdict { return verdict{targets.NodeLeaving, s} }
	departing := func(s string) verdict { return verdict{targets.NodeDeparting, s} }
	const no, exec, prefer = corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute, corev1.TaintEffectPreferNoSchedule
	nth := "aws-node-termination-handler/"
	cases := map[string]struct {
		reason string
		node   []func(*corev1.Node)
		want   verdict
	}{
		"Healthy":       {"A node without signals stays.", nil, verdict{}},
		"Deleting":      {"A deletionTimestamp cannot be undone.", []func(*corev1.Node){deleting}, leaving("deletionTimestamp")},
		"AutoscalerGo":  {"Cluster autoscaler taints a node when it has begun to remove it.", []func(*corev1.Node){taint("ToBeDeletedByClusterAutoscaler", no)}, leaving("taint ToBeDeletedByClusterAutoscaler")},
		"Spot":          {"A spot interruption ends the instance in two minutes.", []func(*corev1.Node){taint(nth+"spot-itn", no)}, leaving("taint " + nth + "spot-itn")},
		"ASG":           {"The scaling group has decided to terminate the instance.", []func(*corev1.Node){taint(nth+"asg-lifecycle-termination", exec)}, leaving("taint " + nth + "asg-lifecycle-termination")},
		"OutOfService":  {"An operator says that the node is shut down.", []func(*corev1.Node){taint("node.kubernetes.io/out-of-service", exec)}, leaving("taint node.kubernetes.io/out-of-service")},
		"Stopped":       {"The cloud controller says that the instance is stopped.", []func(*corev1.Node){taint("node.cloudprovider.kubernetes.io/shutdown", no)}, leaving("taint node.cloudprovider.kubernetes.io/shutdown")},
		"Karpenter":     {"Karpenter may take back a disruption until it deletes the node.", []func(*corev1.Node){taint("karpenter.sh/disrupted", no)}, departing("taint karpenter.sh/disrupted")},
		"KarpenterGone": {"Once Karpenter deletes the node it is certain.", []func(*corev1.Node){taint("karpenter.sh/disrupted", no), deleting}, leaving("deletionTimestamp")},
		"Excluded":      {"EKS labels all old nodes of a group hours before it drains them; the value does not matter.", []func(*corev1.Node){label("node.kubernetes.io/exclude-from-external-load-balancers", "false")}, departing("label node.kubernetes.io/exclude-from-external-load-balancers")},
		"Maintenance":   {"Scheduled maintenance lies ahead.", []func(*corev1.Node){taint(nth+"scheduled-maintenance", no)}, departing("taint " + nth + "scheduled-maintenance")},
		"Rebalance":     {"A rebalance recommendation is no more than that.", []func(*corev1.Node){taint(nth+"rebalance-recommendation", no)}, departing("taint " + nth + "rebalance-recommendation")},
		"Strongest":     {"Of several signals the strongest decides.", []func(*corev1.Node){taint("karpenter.sh/disrupted", no), taint(nth+"spot-itn", no)}, leaving("taint " + nth + "spot-itn")},
		"NoSignals": {"Cordon, candidates, not-ready, unreachable and PreferNoSchedule say nothing about the targets.", []func(*corev1.Node){
			func(n *corev1.Node) { n.Spec.Unschedulable = true },
			taint("node.kubernetes.io/unschedulable", no), taint("DeletionCandidateOfClusterAutoscaler", prefer),
			taint("node.kubernetes.io/not-ready", exec), taint("node.kubernetes.io/unreachable", exec), taint(nth+"spot-itn", prefer),
		}, verdict{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			class, signal := classify(aNode(1, tc.node...))
			if diff := cmp.Diff(tc.want, verdict{class, signal}); diff != "" {
				t.Errorf("%s\nclassify(): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestInstance(t *testing.T) {
	type result struct{ Zone, ID string }
	cases := map[string]struct {
		reason, providerID string
		want               result
	}{
		"Usual":   {"Zone and instance id are in the path.", "aws:///eu-west-1a/i-0123456789abcdef0", result{"eu-west-1a", "i-0123456789abcdef0"}},
		"NoZone":  {"An id without a zone is still an id.", "aws:////i-0123456789abcdef0", result{"", "i-0123456789abcdef0"}},
		"Fargate": {"A Fargate node is no instance.", "aws:///eu-west-1a/0d1e/fargate-ip-10-0-0-1.internal", result{}},
		"Hybrid":  {"A hybrid node is no EC2 instance.", "eks-hybrid:///eu-west-1/my-cluster/mi-0123456789abcdef0", result{}},
		"Other":   {"Another cloud's node is none.", "gce://project/zone/i-name", result{}},
		"Empty":   {"A node that is not initialised has none yet.", "", result{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			zone, id := instance(tc.providerID)
			if diff := cmp.Diff(tc.want, result{zone, id}); diff != "" {
				t.Errorf("%s\ninstance(): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestNodesAreRememberedForADay(t *testing.T) {
	t0 := time.Unix(0, 0)
	table := newNodeTable()
	old, other := trimNode(aNode(1)), trimNode(aNode(2))
	table.remember(old, t0)
	table.live["node-2"] = other
	gone := old.Node
	gone.GoneSince = t0

	for _, tc := range []struct {
		reason string
		at     time.Duration
		want   targets.Nodes
	}{
		{"A deleted node is in the set, with the time.", remembered - 1, targets.Nodes{
			ByName:     map[string]*targets.Node{"node-1": &gone, "node-2": &other.Node},
			ByInstance: map[string]*targets.Node{"i-00000001": &gone, "i-00000002": &other.Node},
			ByAddress:  map[string]*targets.Node{"10.0.0.1": &gone, "10.0.0.2": &other.Node},
		}},
		{"After a day it is forgotten, without any event.", remembered, targets.Nodes{
			ByName:     map[string]*targets.Node{"node-2": &other.Node},
			ByInstance: map[string]*targets.Node{"i-00000002": &other.Node},
			ByAddress:  map[string]*targets.Node{"10.0.0.2": &other.Node},
		}},
	} {
		if diff := cmp.Diff(&tc.want, table.nodes(t0.Add(tc.at))); diff != "" {
			t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
		}
	}
	if a, b := table.nodes(t0.Add(remembered)), table.nodes(t0.Add(remembered)); a != b {
		t.Error("Views share one set as long as nothing changes.")
	}
}
