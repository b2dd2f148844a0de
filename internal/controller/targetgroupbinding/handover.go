package targetgroupbinding

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/binder"
)

// heirFor is how long a new binding that has given no order may hold up the release
// of another one, from when this process first saw it: its reference may never
// resolve. When the API server noted its creation says nothing by our clock, which
// may be off by hours.
const heirFor = time.Minute

// sightings has when this process first saw each binding. Its readings are
// monotonic: nobody who sets a clock makes a binding older or younger.
type sightings struct {
	mu    sync.Mutex
	first map[types.UID]time.Time
}

func newSightings() *sightings { return &sightings{first: map[types.UID]time.Time{}} }

// of a binding: when it was first seen, which is now if it never was.
func (s *sightings) of(uid types.UID) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, seen := s.first[uid]
	if !seen {
		at = time.Now()
		s.first[uid] = at
	}
	return at
}

func (s *sightings) forget(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.first, uid)
}

// heir says that a binding which names its target group in the same way is new, in
// the same namespace, and the engine does not know it yet.
func (l *liaison) heir(r binder.Ref, known func(types.UID) bool) bool {
	all := l.siblings(r)
	var own *v1alpha1.TargetGroupBindingParameters
	for _, b := range all {
		if b.GetUID() == r.UID {
			own = b.ForProvider()
		}
	}
	if own == nil {
		return false
	}
	for _, b := range all {
		if b.GetUID() == r.UID || meta.WasDeleted(b) || known(b.GetUID()) || !sameGroup(own, b.ForProvider()) {
			continue
		}
		if time.Since(l.seen.of(b.GetUID())) < heirFor {
			return true
		}
	}
	return false
}

// siblings are the bindings of the same kind and namespace, the binding included, or
// those of them that the options ask for. They are those of the informer, not copies:
// only to be read.
func (l *liaison) siblings(r binder.Ref, of ...client.ListOption) []Binding {
	gvk := gvkOf(r)
	gvk.Kind += "List"
	obj, err := l.scheme.New(gvk)
	list, ok := obj.(client.ObjectList)
	if err != nil || !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	of = append(of, client.InNamespace(r.Namespace), client.UnsafeDisableDeepCopy)
	if err := l.cache.List(ctx, list, of...); err != nil {
		return nil
	}
	var all []Binding
	_ = apimeta.EachListItem(list, func(o runtime.Object) error {
		if b, ok := o.(Binding); ok {
			all = append(all, b)
		}
		return nil
	})
	return all
}

// sameGroup: both name their target group in the same way.
func sameGroup(a, b *v1alpha1.TargetGroupBindingParameters) bool {
	return a.Region == b.Region && reflect.DeepEqual(a.TargetGroupARN, b.TargetGroupARN) && reflect.DeepEqual(a.TargetGroupARNRef, b.TargetGroupARNRef) &&
		reflect.DeepEqual(a.TargetGroupARNSelector, b.TargetGroupARNSelector) && reflect.DeepEqual(a.TargetGroupName, b.TargetGroupName) &&
		reflect.DeepEqual(a.TargetGroupTags, b.TargetGroupTags)
}
