package clusters

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
)

// A wire is an API server as far as HTTP goes: it lists what it has, and its
// watches stream the same and then stay open.
type wire struct {
	mu       sync.Mutex
	status   map[string]int // resource → code to refuse with
	message  string
	requests map[string]bool
}

func (a *wire) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	resource := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	q := r.URL.Query()
	a.mu.Lock()
	code, message := a.status[resource], a.message
	a.requests[fmt.Sprintf("%s watch=%s fields=%s labels=%s limit=%s accept=%s", r.URL.Path, q.Get("watch"), q.Get("fieldSelector"), q.Get("labelSelector"), q.Get("limit"), r.Header.Get("Accept"))] = true
	a.mu.Unlock()
	out.Header().Set("Content-Type", "application/json")
	if code != 0 {
		out.WriteHeader(code)
		reason := map[int]metav1.StatusReason{403: metav1.StatusReasonForbidden, 400: metav1.StatusReasonBadRequest}[code]
		write(out, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: int32(code), Reason: reason, Message: message})
		return
	}
	if q.Get("watch") == "" {
		write(out, listOf(resource))
		return
	}
	flush := out.(http.Flusher).Flush
	if q.Get("sendInitialEvents") == "true" {
		for _, item := range listOf(resource)["items"].([]any) {
			write(out, map[string]any{"type": "ADDED", "object": item})
		}
		kind := map[string]string{"pods": "Pod", "nodes": "Node", "services": "Service"}[resource]
		write(out, map[string]any{"type": "BOOKMARK", "object": map[string]any{"kind": kind, "apiVersion": "v1", "metadata": map[string]any{
			"resourceVersion": "7", "annotations": map[string]string{metav1.InitialEventsAnnotationKey: "true"},
		}}})
	}
	flush()
	<-r.Context().Done()
}

func listOf(resource string) map[string]any {
	var items []any
	var kind string
	switch resource {
	case "pods":
		p := aPod("a", "node-1")
		p.Kind, p.APIVersion = "Pod", "v1"
		kind, items = "PodList", []any{p}
	case "nodes":
		n := aNode(1)
		n.Kind, n.APIVersion = "Node", "v1"
		kind, items = "NodeList", []any{n}
	default:
		kind, items = "ServiceList", []any{}
	}
	return map[string]any{"kind": kind, "apiVersion": "v1", "metadata": map[string]any{"resourceVersion": "7", "continue": "more"}, "items": items}
}

func write(out http.ResponseWriter, v any) {
	_ = json.NewEncoder(out).Encode(v)
}

// overTheWire runs a Cluster against a real HTTP server. wait returns when a
// wake-up finds the condition true.
func overTheWire(t *testing.T, api *wire) (c *Cluster, server *httptest.Server, wait func(what string, ok func() bool)) {
	t.Helper()
	server = httptest.NewServer(api)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	c, err := New(Options{Config: &rest.Config{Host: server.URL}, PermissionsFile: "rbac.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	woken := make(chan struct{}, 1)
	c.Subscribe("x", proxies(), func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	return c, server, func(what string, ok func() bool) {
		t.Helper()
		late := time.After(15 * time.Second)
		for !ok() {
			select {
			case <-woken:
			case <-late:
				t.Fatalf("not %s in 15 s: %q", what, c.View("x", nil).Incomplete)
			}
		}
	}
}

func newWire() *wire { return &wire{status: map[string]int{}, requests: map[string]bool{}} }

func (a *wire) refuse(resource string, code int, message string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status[resource], a.message = code, message
}

func TestTheAPIServerFiltersPods(t *testing.T) {
	api := newWire()
	c, _, wait := overTheWire(t, api)
	wait("complete", func() bool { return c.View("x", nil).Incomplete == "" })
	if diff := cmp.Diff([]string{"a"}, podNames(c.View("x", nil))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	count, err := c.CountMatching(t.Context(), Query{Namespace: "edge", PodSelector: labels.SelectorFromSet(labels.Set{"app": "proxy"})})
	if err != nil || count != (Count{Pods: 1, More: true}) || count.String() != "more than 1" {
		t.Errorf("A count is of metadata, and says whether there are more: %v, %v", count, err)
	}
	protobuf := "application/vnd.kubernetes.protobuf,application/json"
	want := map[string]bool{
		"/api/v1/pods watch=true fields=spec.hostNetwork=true labels= limit= accept=" + protobuf:                                                                              true,
		"/api/v1/nodes watch=true fields= labels= limit= accept=" + protobuf:                                                                                                  true,
		"/api/v1/namespaces/edge/pods watch= fields=spec.hostNetwork=false labels=app=proxy limit=10 accept=application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1": true,
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	if diff := cmp.Diff(want, api.requests); diff != "" {
		t.Errorf("Pods are filtered by the server, lists are streamed, objects are protobuf: -want +got:\n%s", diff)
	}
}

func TestWhatAnAPIServerRefusesIsSaid(t *testing.T) {
	cases := map[string]struct {
		reason, resource, message, want string
		code                            int
	}{
		"Forbidden": {"A missing permission is named.", "nodes", "nodes is forbidden", "cannot list nodes: the provider's ServiceAccount lacks permission (verbs list, watch on nodes); apply rbac.yaml", 403},
		"Old":       {"An old API server is recognised by its message.", "pods", `Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.hostNetwork=true": field label not supported: spec.hostNetwork`, "this Kubernetes API server does not support the field selector spec.hostNetwork=true (it needs Kubernetes 1.28)", 400},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newWire()
			api.refuse(tc.resource, tc.code, tc.message)
			c, _, wait := overTheWire(t, api)
			wait(tc.want, func() bool { return c.View("x", nil).Incomplete == tc.want })
			api.refuse(tc.resource, 0, "")
			wait("complete after the cure", func() bool { return c.View("x", nil).Incomplete == "" })
		})
	}
}

func TestAServerThatIsGoneIsSeen(t *testing.T) {
	t.Parallel()
	api := newWire()
	c, server, wait := overTheWire(t, api)
	wait("complete", func() bool { return c.View("x", nil).Incomplete == "" })
	gone := time.Now()
	address := server.Listener.Addr().String()
	server.CloseClientConnections()
	server.Close()
	want := "the watch of nodes is broken: the API server refuses connections; the watch of pods is broken: the API server refuses connections"
	wait(want, func() bool { return c.View("x", nil).Incomplete == want })
	if d := time.Since(gone); d > 3*time.Second {
		t.Errorf("It took %s to see that the API server is gone.", d)
	}
	if len(c.View("x", nil).Pods) != 1 {
		t.Error("What was known is still known.")
	}

	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("somebody took the port: %v", err)
	}
	again := &http.Server{Handler: api}
	go func() { _ = again.Serve(listener) }()
	t.Cleanup(func() { _ = again.Close() })
	wait("complete again", func() bool { return c.View("x", nil).Incomplete == "" })
}
