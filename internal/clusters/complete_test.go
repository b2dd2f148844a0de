package clusters

import (
	"context"
	"io"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestCompleteness(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	forbidden := apierrors.NewForbidden(pods, "", nil)
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		check := func(reason, want string) {
			t.Helper()
			synctest.Wait()
			if got := w.View("x", nil).Incomplete; got != want {
				t.Errorf("%s\ngot  %q\nwant %q", reason, got, want)
			}
			if since := w.CompleteSince("x"); since.IsZero() != (want != "") {
				t.Errorf("%s\nCompleteSince() = %v", reason, since)
			}
		}
		w.pods.set(func(f *fakeResource) { f.listErr, f.watchErr = forbidden, forbidden })
		w.subscribe("x", proxies())
		check("A missing permission names verbs, resource and the file to apply.",
			"cannot list pods: the provider's ServiceAccount lacks permission (verbs list, watch on pods); apply rbac.yaml")
		w.wakeups()
		time.Sleep(time.Minute + 7*time.Second)
		if got := w.wakeups(); len(got) != 0 {
			t.Error("The same refusal again is no news.")
		}

		w.pods.set(func(f *fakeResource) { f.listErr = nil })
		time.Sleep(10 * time.Second)
		check("A list without a watch is not complete.",
			"cannot list pods: the provider's ServiceAccount lacks permission (verb watch on pods); apply rbac.yaml")
		w.wakeups()
		w.pods.set(func(f *fakeResource) { f.watchErr = nil })
		time.Sleep(10 * time.Second)
		check("A permission is used within 10 s of its grant.", "")
		if !w.wakeups()["x"] {
			t.Error("The binding is woken by the grant.")
		}

		time.Sleep(time.Minute)
		w.pods.cut()
		if got := w.wakeups(); len(got) != 0 {
			t.Error("A watch that ends and is opened again is no news.")
		}
		time.Sleep(time.Minute)
		w.pods.set(func(f *fakeResource) { f.watchErr = apierrors.NewTooManyRequestsError("later") })
		w.pods.cut()
		time.Sleep(grace - time.Millisecond)
		check("A watch that is down for less than the grace is whole.", "")
		time.Sleep(time.Millisecond)
		check("Then it is broken.", "the watch of pods is broken: the API server answers TooManyRequests")
		if !w.wakeups()["x"] {
			t.Error("The binding is woken when a watch breaks.")
		}
		w.pods.put(aPod("late", "node-1"))
		w.pods.set(func(f *fakeResource) { f.watchErr = nil })
		time.Sleep(10 * time.Second)
		check("It is whole again when it is open.", "")
		if diff := cmp.Diff([]string{"late"}, podNames(w.View("x", nil))); diff != "" || time.Since(w.CompleteSince("x")) > 10*time.Second {
			t.Errorf("What was missed has arrived, and it has been complete since then only: %s", diff)
		}
	})
}

func TestReasonsAreListedInOrder(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		unknown := apierrors.NewBadRequest(`Unable to find "/v1, Resource=pods": field label not supported: spec.hostNetwork`)
		w.pods.set(func(f *fakeResource) { f.listErr, f.watchErr = unknown, unknown })
		w.services.set(func(f *fakeResource) { f.listErr = apierrors.NewUnauthorized("x"); f.watchErr = f.listErr })
		w.subscribe("x", proxies(viaService))
		synctest.Wait()
		want := "this Kubernetes API server does not support the field selector spec.hostNetwork=true (it needs Kubernetes 1.28); " +
			"cannot list services: the API server does not accept the provider's credentials (Unauthorized)"
		got := w.View("x", nil)
		if diff := cmp.Diff(want, got.Incomplete); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if got.Missing != "" {
			t.Errorf("A Service that cannot be read is not missing: %q", got.Missing)
		}
	})
}

func TestAResourceVersionThatRunsBackwardsIsNoted(t *testing.T) {
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		w.pods.put(aPod("a", "node-1"))
		w.subscribe("x", proxies())
		w.wakeups()
		w.pods.compact()
		w.pods.cut()
		time.Sleep(10 * time.Second)
		if !w.RanBackwards().IsZero() {
			t.Error("A list that is newer is nothing to note.")
		}
		w.pods.set(func(f *fakeResource) { f.version, f.oldest, f.log = 50, 1000, nil })
		w.pods.cut()
		time.Sleep(10 * time.Second)
		w.pods.set(func(f *fakeResource) { f.oldest = 0 })
		time.Sleep(10 * time.Second)
		if w.RanBackwards().IsZero() || w.View("x", nil).Incomplete != "" {
			t.Error("A restored etcd is noted, and the observation goes on.")
		}
		if !w.wakeups()["x"] {
			t.Error("All bindings are woken to say so, also if their pods are the same.")
		}
	})
}

func TestAGrantIsUsedWithinTenSeconds(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", nil)
	inWorld(t, Options{}, func(t *testing.T, w *world) {
		w.subscribe("x", proxies())
		for wait := time.Second; wait < 2*time.Minute; wait += 3700 * time.Millisecond {
			w.pods.set(func(f *fakeResource) { f.listErr, f.watchErr = forbidden, forbidden })
			w.pods.cut()
			time.Sleep(wait)
			w.pods.set(func(f *fakeResource) { f.listErr, f.watchErr = nil, nil })
			time.Sleep(10 * time.Second)
			if got := w.View("x", nil).Incomplete; got != "" {
				t.Errorf("After %s without permission: %s", wait, got)
			}
		}
	})
}

func TestReason(t *testing.T) {
	now := time.Unix(1000, 0)
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "nodes"}, "", nil)
	refused := &url.Error{Op: "Get", URL: "https://10.0.0.1:6443/api/v1/nodes", Err: syscall.ECONNREFUSED}
	timeout := &url.Error{Op: "Get", URL: "https://10.0.0.1:6443/api/v1/nodes", Err: context.DeadlineExceeded}
	cases := map[string]struct {
		reason string
		stream stream
		want   string
	}{
		"Watched":       {"With a watch open it is whole.", stream{synced: true}, ""},
		"Reopening":     {"For a moment it may be without.", stream{synced: true, downSince: now.Add(-grace + 1), watchErr: refused}, ""},
		"New":           {"Before the first list it is not.", stream{}, "nodes are not synced yet"},
		"Closed":        {"A watch may end without an error.", stream{synced: true, downSince: now.Add(-grace)}, "the watch of nodes is broken: the API server closed it"},
		"ListForbidden": {"A list that is refused comes before any watch.", stream{listErr: forbidden}, "cannot list nodes: the provider's ServiceAccount lacks permission (verbs list, watch on nodes); apply rbac.yaml"},
		"WatchOnly":     {"The verb that is there is not asked for.", stream{watchErr: forbidden}, "cannot list nodes: the provider's ServiceAccount lacks permission (verb watch on nodes); apply rbac.yaml"},
		"Revoked":       {"A permission may be revoked.", stream{synced: true, downSince: now.Add(-time.Hour), watchErr: forbidden}, "cannot list nodes: the provider's ServiceAccount lacks permission (verb watch on nodes); apply rbac.yaml"},
		"Refused":       {"Addresses and ports are left out.", stream{synced: true, downSince: now.Add(-time.Hour), watchErr: refused}, "the watch of nodes is broken: the API server refuses connections"},
		"Timeout":       {"So are durations.", stream{listErr: timeout}, "cannot list nodes: the API server does not answer in time"},
		"Unreachable":   {"What is not known is summed up.", stream{watchErr: io.ErrUnexpectedEOF}, "cannot watch nodes: the API server cannot be reached"},
		"Overloaded":    {"An API server's own reason is a word.", stream{listErr: apierrors.NewServiceUnavailable("request 17 of 10.0.0.1")}, "cannot list nodes: the API server answers ServiceUnavailable"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.stream.c, tc.stream.resource = &Cluster{file: "rbac.yaml"}, "nodes"
			if diff := cmp.Diff(tc.want, tc.stream.reason(now)); diff != "" {
				t.Errorf("%s\nreason(): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
