package targetgroupbinding

import (
	"context"
	"errors"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// gates lets the engine look after pods' readiness gates.
type gates struct {
	*clusters.Cluster
	liaison *liaison
	// active tells which kinds there are; nil, which is all, without a gate.
	active func(schema.GroupVersionKind) bool
}

var _ binder.Gates = gates{}

// SetGate writes a gate's condition.
func (g gates) SetGate(ctx context.Context, pod targets.PodRef, binding string, v targets.GateVerdict) error {
	err := g.Cluster.SetGate(ctx, pod, binding, v)
	if errors.Is(err, clusters.ErrPodGone) {
		return binder.ErrPodGone
	}
	return err
}

// Bindings says whether there is any binding, in whatever state.
func (g gates) Bindings() bool {
	lists := map[schema.GroupVersionKind]client.ObjectList{
		namespaced.SchemeGroupVersion.WithKind(kind): &namespaced.TargetGroupBindingList{},
		cluster.SchemeGroupVersion.WithKind(kind):    &cluster.TargetGroupBindingList{},
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	for gvk, list := range lists {
		if !g.has(gvk) {
			continue
		}
		if err := g.liaison.cache.List(ctx, list, client.Limit(1)); err == nil && apimeta.LenList(list) > 0 {
			return true
		}
	}
	return false
}

// Named is the binding of a gate: the namespaced one, else a cluster-scoped one that
// selects in the pod's namespace.
func (g gates) Named(namespace, name string) (binder.Named, bool) {
	if b := (&namespaced.TargetGroupBinding{}); g.read(namespaced.SchemeGroupVersion, client.ObjectKey{Namespace: namespace, Name: name}, b) {
		return binder.Named{UID: b.GetUID(), Stopped: g.liaison.stopped(b)}, true
	}
	if b := (&cluster.TargetGroupBinding{}); g.read(cluster.SchemeGroupVersion, client.ObjectKey{Name: name}, b) && queryOf(b, "").Namespace == namespace {
		return binder.Named{UID: b.GetUID(), Stopped: g.liaison.stopped(b)}, true
	}
	return binder.Named{}, false
}

// read a binding from the informer. One that cannot be read counts as absent: that is
// the case only before the informer is there, and an absence is waited out.
func (g gates) read(gv schema.GroupVersion, key client.ObjectKey, b Binding) bool {
	if !g.has(gv.WithKind(kind)) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	return g.liaison.cache.Get(ctx, key, b) == nil
}

func (g gates) has(gvk schema.GroupVersionKind) bool { return g.active == nil || g.active(gvk) }

// PodEvent records an Event on a pod.
func (g gates) PodEvent(pod targets.PodRef, e binder.Event) { g.liaison.podEvent(pod, e) }

// stopped is why a binding looks after the gates of no pod; nil if it does.
func (l *liaison) stopped(b Binding) *targets.Stop {
	switch {
	case meta.WasDeleted(b):
		return &targets.Stop{Rule: targets.RuleGateDeleting, Reason: "TargetGroupBinding " + b.GetName() + " is being deleted"}
	case meta.IsPaused(b) || l.options.Policies(b).IsPaused():
		return &targets.Stop{Rule: targets.RuleGatePaused, Reason: "TargetGroupBinding " + b.GetName() + " is paused"}
	}
	return nil
}
