package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// rolled is at rest when every pod is of the new version.
func (d *demo) rolled(ctx context.Context) ([]string, bool, error) {
	set := &appsv1.DaemonSet{}
	if err := d.Client().Get(ctx, client.ObjectKey{Namespace: ns, Name: "edge-proxy"}, set); err != nil {
		return nil, false, err
	}
	done := set.Status.ObservedGeneration == set.Generation && set.Spec.Template.Annotations["example.org/version"] == "2" &&
		set.Status.UpdatedNumberScheduled == 8 && set.Status.NumberReady == 8
	have := d.targets()
	return have, done && len(have) == 8*len(d.ports), nil
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
		if len(d.kept) != n*len(d.ports) {
			return nil, false, fmt.Errorf("%d targets instead of %d", len(d.kept), n*len(d.ports))
		}
		return d.kept, time.Now().After(until), nil
	}
}

// deleteNode plays what comes with an instance that is shut down: its kubelet ends
// its pods. Without that, they are left to Kubernetes' garbage collection, a minute
// later.
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
	if err := d.Client().Delete(ctx, node); err != nil {
		return err
	}
	pods := &corev1.PodList{}
	if err := d.Client().List(ctx, pods, client.InNamespace(ns), proxies); err != nil {
		return err
	}
	for _, p := range pods.Items {
		if p.Spec.NodeName != node.Name {
			continue
		}
		if err := d.Client().Delete(ctx, &p, client.GracePeriodSeconds(0)); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

func (d *demo) without(context.Context) ([]string, bool, error) {
	want := slices.DeleteFunc(slices.Clone(d.kept), func(target string) bool { return strings.HasPrefix(target, d.removed) })
	return want, len(want) == 7*len(d.ports), nil
}
