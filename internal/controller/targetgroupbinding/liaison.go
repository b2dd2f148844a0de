package targetgroupbinding

import (
	"context"
	"strconv"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// AnnotationHold on a binding stops every deregistration as long as it is "true", or
// anything else that does not say false: a brake that somebody meant to pull works.
const AnnotationHold = "nlb.crossplane.io/hold"

// readTimeout bounds a read from the informer, which never goes to the network.
const readTimeout = 5 * time.Second

// A liaison lets the engine read bindings and tell of them.
type liaison struct {
	cache   client.Reader
	scheme  *runtime.Scheme
	options Options
	record  record.EventRecorder
	// wanted reconciles, by API group.
	wanted map[string]chan event.GenericEvent
	// seen has when each binding was first seen.
	seen *sightings
}

func newLiaison(mgr ctrl.Manager, o Options) *liaison {
	return &liaison{
		cache: mgr.GetCache(), scheme: mgr.GetScheme(), options: o, seen: newSightings(),
		record: mgr.GetEventRecorderFor("targetgroupbinding"), //nolint:staticcheck // As crossplane-runtime: the new API has no way to say what the regarded object is without reading it.
		wanted: map[string]chan event.GenericEvent{
			namespaced.SchemeGroupVersion.Group: make(chan event.GenericEvent),
			cluster.SchemeGroupVersion.Group:    make(chan event.GenericEvent),
		},
	}
}

func gvkOf(r binder.Ref) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: r.Group, Version: namespaced.SchemeGroupVersion.Version, Kind: kind}
}

// live reads from the informer what may be done for a binding now: the runtime
// returns early for a paused or orphaned object, and would never tell.
func (l *liaison) live(r binder.Ref) binder.Live {
	obj, err := l.scheme.New(gvkOf(r))
	b, ok := obj.(Binding)
	if err != nil || !ok {
		return forbid("the binding's kind is not known")
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	switch err := l.cache.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: r.Name}, b); {
	case kerrors.IsNotFound(err) || err == nil && b.GetUID() != r.UID:
		return binder.Live{Gone: true}
	case err != nil:
		return forbid("the binding cannot be read")
	}
	return l.allowed(b)
}

func forbid(why string) binder.Live { return binder.Live{NoRegister: why, NoDeregister: why} }

// allowed is what the binding's own metadata and policies allow.
func (l *liaison) allowed(b Binding) binder.Live {
	policies := l.options.Policies(b)
	if meta.IsPaused(b) || policies.IsPaused() {
		paused := forbid("the binding is paused")
		paused.Stopped = l.stopped(b)
		return paused
	}
	may := binder.Live{Approved: b.GetAnnotations()[binder.AnnotationApprove], Stopped: l.stopped(b)}
	switch {
	case meta.WasDeleted(b):
		may.NoRegister = "the binding is being deleted"
	case !policies.ShouldCreate() && !policies.ShouldUpdate():
		may.NoRegister = "managementPolicies allow neither Create nor Update"
	}
	switch {
	case l.options.NoDeregistration != "":
		may.NoDeregister = l.options.NoDeregistration
	case held(b.GetAnnotations()[AnnotationHold]):
		may.NoDeregister = "annotation " + AnnotationHold + " is " + b.GetAnnotations()[AnnotationHold]
	case meta.WasDeleted(b) && !policies.ShouldDelete():
		may.NoDeregister = "managementPolicies do not allow Delete"
	case !meta.WasDeleted(b) && !policies.ShouldUpdate():
		may.NoDeregister = "managementPolicies do not allow Update"
	}
	return may
}

// held says that a value of AnnotationHold holds.
func held(value string) bool {
	on, err := strconv.ParseBool(value)
	return on || err != nil && value != ""
}

// notify asks for a reconcile. The queue behind the channel drops duplicates.
func (l *liaison) notify(r binder.Ref) {
	obj, err := l.scheme.New(gvkOf(r))
	b, ok := obj.(Binding)
	if err != nil || !ok {
		return
	}
	b.SetNamespace(r.Namespace)
	b.SetName(r.Name)
	// The channel is read by the controller as long as the process lives.
	go func() { l.wanted[r.Group] <- event.GenericEvent{Object: b} }()
}

func (l *liaison) event(r binder.Ref, e binder.Event) {
	apiVersion, k := gvkOf(r).ToAPIVersionAndKind()
	l.eventOn(&corev1.ObjectReference{
		APIVersion: apiVersion, Kind: k, Namespace: r.Namespace, Name: r.Name, UID: r.UID,
	}, e)
}

func (l *liaison) eventOn(o *corev1.ObjectReference, e binder.Event) {
	kind := corev1.EventTypeNormal
	if e.Warning {
		kind = corev1.EventTypeWarning
	}
	l.record.Event(o, kind, e.Reason, e.Message)
}

// podEvent records an Event on a pod.
func (l *liaison) podEvent(p targets.PodRef, e binder.Event) {
	l.eventOn(&corev1.ObjectReference{
		APIVersion: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: types.UID(p.UID),
	}, e)
}
