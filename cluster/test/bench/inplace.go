package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	inPlaceNodes = 50
	inPlacePort  = 8443
)

// inPlace: the real DaemonSet controller replaces every pod on its node.
type inPlace struct{ arn string }

func (i *inPlace) prepare(ctx context.Context, w *world) error {
	if err := w.open(ctx); err != nil {
		return err
	}
	specs := local.Nodes("node", inPlaceNodes, stack.Zones...)
	if err := w.AddNodes(ctx, specs...); err != nil {
		return err
	}
	nodes := &corev1.NodeList{}
	if err := w.Client().List(ctx, nodes); err != nil {
		return err
	}
	for _, n := range nodes.Items {
		w.Sim.SeedInstance(awssim.Instance{ID: stack.InstanceID(&n), Region: w.region, Zone: n.Labels[corev1.LabelTopologyZone], VPC: stack.VPC})
	}
	if err := w.Client().Create(ctx, daemonSet(w.ns)); err != nil {
		return err
	}
	var err error
	if i.arn, err = w.group("proxy", inPlacePort, nil); err != nil {
		return err
	}
	began := time.Now()
	if err := w.bind(ctx, "proxy", i.arn, inPlacePort, nil); err != nil {
		return err
	}
	if err := w.rolledOut(ctx, 1); err != nil {
		return err
	}
	var all []awssim.Key
	for _, n := range nodes.Items {
		all = append(all, awssim.Key{ID: stack.InstanceID(&n), Port: inPlacePort})
	}
	if _, err := w.naming(ctx, register, began, all); err != nil {
		return err
	}
	// One confirming read comes after the last write, one that tells of all that a
	// process before may have left, and then nothing.
	if err := w.known(ctx, began); err != nil {
		return err
	}
	return w.silent(ctx, quietFor)
}

// silent waits until the provider has called nothing for a while.
func (w *world) silent(ctx context.Context, d time.Duration) error {
	for last := time.Now(); ; last = time.Now() {
		quiet, cancel := context.WithDeadline(ctx, last.Add(d))
		err := w.until(quiet, "a call", last, func(calls []awssim.Call) bool { return len(calls) > 0 })
		cancel()
		switch {
		case ctx.Err() != nil:
			return errors.New("the provider never stopped calling AWS")
		case err != nil:
			return nil //nolint:nilerr // Nothing was called until the deadline: that is the answer.
		}
	}
}

func (i *inPlace) measure(ctx context.Context, w *world) ([]outcome, error) {
	users := w.Sim.StartClient(awssim.Client{TargetGroup: i.arn, Every: 100 * time.Millisecond})
	began := time.Now()
	patch := `{"spec":{"template":{"metadata":{"annotations":{"rolled":"yes"}}}}}`
	if err := w.Client().Patch(ctx, daemonSet(w.ns), client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		return nil, err
	}
	if err := w.rolledOut(ctx, 2); err != nil {
		return nil, err
	}
	took := time.Since(began)
	if err := w.replaced(ctx); err != nil {
		return nil, err
	}
	if err := w.silent(ctx, quietFor); err != nil {
		return nil, err
	}
	seen := users.Stop()
	calls, writes := len(w.calls(began)), w.writes(began)
	if have := len(w.Sim.Targets(i.arn)); have != inPlaceNodes {
		return nil, fmt.Errorf("AWS holds %d targets", have)
	}
	return []outcome{{
		key: "in-place", bound: "0", measured: fmt.Sprintf("%d (rolled in %s)", calls, seconds(took)), met: calls == 0,
		values: map[string]float64{"calls": float64(calls), "writes": float64(writes), "rolled_s": took.Seconds(), "failed_connections": float64(seen.Failed())},
	}}, nil
}

// replaced says that each node has one pod, that it is of the new template, and ready:
// kwok's kubelets start pods in milliseconds, so that a whole rollout takes a second or
// two, and it must not be one that only looks done.
func (w *world) replaced(ctx context.Context) error {
	pods := &corev1.PodList{}
	if err := w.Client().List(ctx, pods, client.InNamespace(w.ns)); err != nil {
		return err
	}
	fresh := map[string]bool{}
	for _, p := range pods.Items {
		ready := slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
		if p.Annotations["rolled"] == "yes" && p.DeletionTimestamp == nil && ready {
			fresh[p.Spec.NodeName] = true
		}
	}
	if len(fresh) != inPlaceNodes || len(pods.Items) != inPlaceNodes {
		return fmt.Errorf("%d nodes have a new pod that is ready, and there are %d pods", len(fresh), len(pods.Items))
	}
	return nil
}

func daemonSet(ns string) *appsv1.DaemonSet {
	labels := map[string]string{"app": "proxy"}
	unavailable := intstr.FromString("20%")
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "proxy"},
		Spec: appsv1.DaemonSetSpec{
			Selector:       &metav1.LabelSelector{MatchLabels: labels},
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &unavailable}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{HostNetwork: true, Containers: []corev1.Container{{
					Name: "proxy", Image: "registry.k8s.io/pause:3.10", Ports: []corev1.ContainerPort{{ContainerPort: inPlacePort}},
				}}},
			},
		},
	}
}

// rolledOut waits until all pods of a generation are available.
func (w *world) rolledOut(ctx context.Context, generation int64) error {
	events, err := w.watcher.Watch(ctx, &appsv1.DaemonSetList{}, client.InNamespace(w.ns))
	if err != nil {
		return err
	}
	defer events.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.New("the DaemonSet was never rolled out")
		case event, ok := <-events.ResultChan():
			d, is := event.Object.(*appsv1.DaemonSet)
			if !ok || !is {
				return fmt.Errorf("the watch ended: %v", event.Object)
			}
			s := d.Status
			if s.ObservedGeneration >= generation && s.UpdatedNumberScheduled == inPlaceNodes && s.NumberAvailable == inPlaceNodes && s.DesiredNumberScheduled == inPlaceNodes {
				return nil
			}
		}
	}
}
