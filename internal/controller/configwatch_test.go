package controller

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
)

// TestConfigurationsWakeWhoHasNotSeenThem: AWS is not asked again by an object that
// was looked at with the very configuration that an event is about.
func TestConfigurationsWakeWhoHasNotSeenThem(t *testing.T) {
	user := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "edge", Name: "user"}}
	version := func(uid types.UID, generation int64) client.Object {
		return &namespaced.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "default", UID: uid, Generation: generation}}
	}

	type send func(h handler.EventHandler, pc client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request])

	create := func(h handler.EventHandler, pc client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		h.Create(t.Context(), event.CreateEvent{Object: pc}, q)
	}
	update := func(h handler.EventHandler, pc client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		h.Update(t.Context(), event.UpdateEvent{ObjectOld: version("a", 1), ObjectNew: pc}, q)
	}
	remove := func(h handler.EventHandler, pc client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		h.Delete(t.Context(), event.DeleteEvent{Object: pc}, q)
	}

	cases := map[string]struct {
		reason string
		looks  func(l *looks)
		event  send
		of     client.Object
		want   int
	}{
		"NeverLooked": {"It has waited for the configuration.", func(*looks) {}, create, version("a", 1), 1},
		"LateEvent": {"The cache had the configuration before its event came: nothing is new.",
			func(l *looks) { l.with(user, version("a", 1)) }, create, version("a", 1), 0},
		"Changed":    {"A correction heals at once.", func(l *looks) { l.with(user, version("a", 1)) }, update, version("a", 2), 1},
		"LateChange": {"It was looked at with the correction already.", func(l *looks) { l.with(user, version("a", 2)) }, update, version("a", 2), 0},
		"Overtaken":  {"It was looked at with what came after that.", func(l *looks) { l.with(user, version("a", 3)) }, update, version("a", 2), 0},
		"Replaced":   {"A new configuration of the same name counts from 1 again.", func(l *looks) { l.with(user, version("a", 7)) }, create, version("b", 1), 1},
		"Gone":       {"What it was looked at with is no more.", func(l *looks) { l.with(user, version("a", 1)) }, remove, version("a", 1), 1},
		"Forgotten": {"A look that went no further than to find it paused was none.",
			func(l *looks) { l.with(user, version("a", 1)); l.forget(user) }, create, version("a", 1), 1},
		"Another": {"What another object was looked at with says nothing.",
			func(l *looks) { l.with(reconcile.Request{}, version("a", 1)) }, create, version("a", 1), 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := &looks{}
			tc.looks(l)

			q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
			defer q.ShutDown()

			h := enqueueUsers(func(context.Context, client.Object) []reconcile.Request { return []reconcile.Request{user} }, l)
			tc.event(h, tc.of, q)

			if diff := cmp.Diff(tc.want, q.Len()); diff != "" {
				t.Errorf("\n%s\nenqueued: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
