package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// workers write objects at the same time.
const workers = 16

// A world is what one scenario has for itself.
type world struct {
	*stand
	name, ns, region string
	// moments of its pods and bindings, as the API server's watch tells of them.
	moments *moments
}

// world makes one; prepare fills it.
func (s *stand) world(name string) *world {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.regions++
	return &world{stand: s, name: name, ns: "bench-" + name, region: regionName(s.regions), moments: newMoments()}
}

// open creates the namespace and watches it.
func (w *world) open(ctx context.Context) error {
	if err := w.Client().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.ns}}); err != nil {
		return err
	}
	w.SeedNetwork(w.region)
	w.watch(ctx)
	return nil
}

// A node is a Kubernetes node and its instance.
type node struct{ name, zone, instance string }

// nodes creates nodes that are ready, in the zones by turns, and their instances.
func (w *world) nodes(ctx context.Context, prefix string, n int) ([]node, error) {
	all := make([]node, n)
	for i := range all {
		name := fmt.Sprintf("%s-%s-%d", w.name, prefix, i)
		sum := sha256.Sum256([]byte(name))
		all[i] = node{name, stack.Zones[i%len(stack.Zones)], "i-" + hex.EncodeToString(sum[:])[:17]}
	}
	return all, each(all, func(i int, n node) error {
		w.Sim.SeedInstance(awssim.Instance{ID: n.instance, Region: w.region, Zone: n.zone, VPC: stack.VPC})
		return w.Client().Create(ctx, newNode(n, fmt.Sprintf("10.1.%d.%d", i/250, i%250+1)))
	})
}

// A pod is a hostNetwork pod of an app, which listens on a port.
type pod struct {
	name, app string
	node      node
	port      int32
	gate      string
}

// target that it makes.
func (p pod) target() awssim.Key { return awssim.Key{ID: p.node.instance, Port: p.port} }

// create makes a pod that is bound to its node and not yet ready.
func (w *world) create(ctx context.Context, p pod) error {
	return w.Client().Create(ctx, newPod(w.ns, p))
}

// ready lets a kubelet say that the pod is ready.
func (w *world) ready(ctx context.Context, p pod) error {
	return w.Client().Status().Patch(ctx, p.object(w.ns), client.RawPatch("application/merge-patch+json", readyStatus(p)))
}

// start creates pods and lets them be ready.
func (w *world) start(ctx context.Context, pods ...pod) error {
	return each(pods, func(_ int, p pod) error {
		if err := w.create(ctx, p); err != nil {
			return err
		}
		return w.ready(ctx, p)
	})
}

// remove deletes a pod at once.
func (w *world) remove(ctx context.Context, p pod) error {
	return w.Client().Delete(ctx, p.object(w.ns), client.GracePeriodSeconds(0))
}

func (p pod) object(ns string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: p.name}}
}

// group makes a target group with a listener, and registers what the pods make, as
// if it had always been there.
func (w *world) group(app string, port int32, change func(*awssim.TargetGroupSeed), pods ...pod) (arn string, err error) {
	seed := awssim.TargetGroupSeed{Region: w.region, VPC: stack.VPC, Name: app, Protocol: "TCP", Port: port}
	if change != nil {
		change(&seed)
	}
	if arn, err = w.Sim.SeedTargetGroup(seed); err != nil {
		return "", err
	}
	if _, err := w.Sim.AttachListener(arn, awssim.Listener{Zones: stack.Zones}); err != nil {
		return "", err
	}
	for _, p := range pods {
		if err := w.Sim.PutTarget(arn, p.node.instance, p.port); err != nil {
			return "", err
		}
	}
	return arn, nil
}

// healthy waits until AWS calls n targets of a group healthy and none anything else.
func (w *world) healthy(ctx context.Context, arn string, n int) error {
	return w.until(ctx, fmt.Sprintf("%d healthy targets", n), time.Now(), func([]awssim.Call) bool {
		all := w.Sim.Targets(arn)
		well := slices.DeleteFunc(slices.Clone(all), func(t awssim.Target) bool { return t.State != awssim.Healthy })
		return len(all) == n && len(well) == n
	})
}

// bind creates a binding of an app's pods to a group.
func (w *world) bind(ctx context.Context, app, arn string, port int32, annotations map[string]string) error {
	b := &namespaced.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: app, Annotations: annotations}}
	b.Spec.ForProvider = v1alpha1.TargetGroupBindingParameters{
		Region: w.region, TargetGroupARN: &arn,
		PodSelector: &v1alpha1.PodSelector{
			LabelSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}, Port: intstr.FromInt32(port),
		},
	}
	return w.Client().Create(ctx, b)
}

// each does something with all items, several at a time.
func each[T any](items []T, do func(int, T) error) error {
	errs := make([]error, len(items))
	next := make(chan int)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range next {
				errs[i] = do(i, items[i])
			}
		})
	}
	for i := range items {
		next <- i
	}
	close(next)
	all.Wait()
	return errors.Join(errs...)
}

// pace waits until a time: scenarios that change something every second are paced
// by it. Nothing is measured by it.
func pace(ctx context.Context, at time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(at)):
		return nil
	}
}
