package histories

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// apiServer is a Kubernetes API server in memory, as far as lists and watches of the
// core API go: the wire is HTTP and JSON, versions are etcd's (one number for all
// resources), and watches can lag, end, be refused and resume.
type apiServer struct {
	mu      sync.Mutex
	version int
	tables  map[string]*table
	watches map[*watcher]bool
	// down refuses all connections; forbidden refuses a resource with 403.
	down      bool
	forbidden map[string]bool
	// lag is how long events take to arrive.
	lag time.Duration
	// patch changes the status of a pod, and returns an HTTP status code.
	patch func(namespace, name string, body []byte) int
}

type table struct {
	kind    string
	objects map[string]entry
	log     []change
	// oldest is the first version that a watch can resume from.
	oldest int
}

// entry is an object as etcd has it. hidden ones are not selected by the field
// selector spec.hostNetwork=true.
type entry struct {
	body   json.RawMessage
	hidden bool
}

type change struct {
	entry

	version int
	verb    string
}

func newAPIServer(patch func(namespace, name string, body []byte) int) *apiServer {
	kinds := map[string]string{"pods": "Pod", "nodes": "Node", "services": "Service"}
	s := &apiServer{version: 100, tables: map[string]*table{}, watches: map[*watcher]bool{}, patch: patch, forbidden: map[string]bool{}}
	for resource, kind := range kinds {
		s.tables[resource] = &table{kind: kind, objects: map[string]entry{}}
	}
	return s
}

// config is what a client needs to reach it.
func (s *apiServer) config() *rest.Config {
	return &rest.Config{Host: "http://kubernetes.test", Transport: s}
}

func keyOf(o metav1.Object) string { return o.GetNamespace() + "/" + o.GetName() }

// put writes an object and tells the watches.
func (s *apiServer) put(resource string, o metav1.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	verb := "ADDED"
	if _, there := s.tables[resource].objects[keyOf(o)]; there {
		verb = "MODIFIED"
	}
	s.record(resource, verb, o)
}

// remove deletes an object and tells the watches.
func (s *apiServer) remove(resource string, o metav1.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record(resource, "DELETED", o)
}

func (s *apiServer) record(resource, verb string, o metav1.Object) {
	s.version++
	o.SetResourceVersion(strconv.Itoa(s.version))
	body, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	pod, isPod := o.(*corev1.Pod)
	c := change{entry{body, isPod && !pod.Spec.HostNetwork}, s.version, verb}
	t := s.tables[resource]
	t.log = append(t.log, c)
	t.objects[keyOf(o)] = c.entry
	if verb == "DELETED" {
		delete(t.objects, keyOf(o))
	}
	for w := range s.watches {
		if w.resource == resource {
			w.send(c, s.lag)
		}
	}
}

// cut ends the watches of some resources (none named: of all), as a server does
// that goes away.
func (s *apiServer) cut(resources ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watches {
		if len(resources) == 0 || strings.Contains(strings.Join(resources, " "), w.resource) {
			w.end()
			delete(s.watches, w)
		}
	}
}

// compact forgets what has happened: a watch that resumes has to list.
func (s *apiServer) compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tables {
		t.log, t.oldest = nil, s.version
	}
}

// lose an object without a word, as a server does that is restored from a backup: who
// watches has to list, and misses it there.
func (s *apiServer) lose(resource string, o metav1.Object) {
	s.mu.Lock()
	s.version++
	delete(s.tables[resource].objects, keyOf(o))
	s.mu.Unlock()
	s.compact()
	s.cut()
}

// setDown says whether the server can be reached; going down ends all watches.
func (s *apiServer) setDown(down bool) {
	s.mu.Lock()
	s.down = down
	s.mu.Unlock()
	if down {
		s.cut()
	}
}

func (s *apiServer) setLag(lag time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = lag
}

// RoundTrip answers one request.
func (s *apiServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPatch {
		return s.patched(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resource := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	t, q := s.tables[resource], r.URL.Query()
	selects := func(e entry) bool { return !e.hidden || q.Get("fieldSelector") == "" }
	switch {
	case s.down:
		return nil, fmt.Errorf("dial tcp: %w", syscall.ECONNREFUSED)
	case t == nil:
		return refusal(http.StatusNotFound, metav1.StatusReasonNotFound), nil
	case s.forbidden[resource]:
		return refusal(http.StatusForbidden, metav1.StatusReasonForbidden), nil
	case q.Get("watch") == "":
		var items []json.RawMessage
		for _, e := range t.objects {
			if selects(e) {
				items = append(items, e.body)
			}
		}
		return answer(http.StatusOK, map[string]any{
			"kind": t.kind + "List", "apiVersion": "v1", "metadata": s.meta(nil), "items": items,
		}), nil
	}
	initial := q.Get("sendInitialEvents") == "true"
	from, _ := strconv.Atoi(q.Get("resourceVersion"))
	if !initial && from < t.oldest {
		return refusal(http.StatusGone, metav1.StatusReasonExpired), nil
	}
	w := newWatcher(r, resource, selects)
	if initial {
		for _, e := range t.objects {
			w.send(change{entry: e, verb: "ADDED"}, 0)
		}
		mark, _ := json.Marshal(map[string]any{
			"kind": t.kind, "apiVersion": "v1", "metadata": s.meta(map[string]string{metav1.InitialEventsAnnotationKey: "true"}),
		})
		w.send(change{entry: entry{body: mark}, verb: "BOOKMARK"}, 0)
	}
	for _, c := range t.log {
		if !initial && c.version > from {
			w.send(c, s.lag)
		}
	}
	s.watches[w] = true
	return respond(http.StatusOK, w), nil
}

// patched answers a patch of a pod's status, which is the only one there is.
func (s *apiServer) patched(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	down := s.down
	s.mu.Unlock()
	var namespace, name string
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // api/v1/namespaces/…/pods/…/status
	if len(path) == 7 && path[4] == "pods" && path[6] == "status" && r.Header.Get("Content-Type") == string(types.StrategicMergePatchType) {
		namespace, name = path[3], path[5]
	}
	body, err := io.ReadAll(r.Body)
	switch {
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case down:
		return nil, fmt.Errorf("dial tcp: %w", syscall.ECONNREFUSED)
	case err != nil:
		return nil, err
	case name == "":
		return refusal(http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed), nil
	}
	switch code := s.patch(namespace, name, body); code {
	case http.StatusOK:
		return answer(code, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Success"}), nil
	case http.StatusConflict:
		return refusal(code, metav1.StatusReasonConflict), nil
	default:
		return refusal(code, metav1.StatusReasonNotFound), nil
	}
}

func (s *apiServer) meta(annotations map[string]string) map[string]any {
	return map[string]any{"resourceVersion": strconv.Itoa(s.version), "annotations": annotations}
}

func refusal(code int, reason metav1.StatusReason) *http.Response {
	return answer(code, metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: int32(code), Reason: reason, Message: string(reason),
	})
}

func answer(code int, body any) *http.Response {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return respond(code, io.NopCloser(bytes.NewReader(text)))
}

func respond(code int, body io.ReadCloser) *http.Response {
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body, ContentLength: -1,
	}
}

// watcher is the body of a watch's answer: frames as they become due.
type watcher struct {
	resource string
	selects  func(entry) bool
	request  *http.Request

	mu     sync.Mutex
	frames []frame
	news   chan struct{}
	ended  chan struct{}
	over   sync.Once
	rest   []byte
}

type frame struct {
	at   time.Time
	text []byte
}

func newWatcher(r *http.Request, resource string, selects func(entry) bool) *watcher {
	return &watcher{resource: resource, selects: selects, request: r, news: make(chan struct{}, 1), ended: make(chan struct{})}
}

func (w *watcher) send(c change, lag time.Duration) {
	if !w.selects(c.entry) {
		return
	}
	text := fmt.Appendf(nil, `{"type":%q,"object":%s}`+"\n", c.verb, c.body)
	w.mu.Lock()
	w.frames = append(w.frames, frame{time.Now().Add(lag), text})
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *watcher) end() { w.over.Do(func() { close(w.ended) }) }

// Close is called by the client when it is done with the watch.
func (w *watcher) Close() error {
	w.end()
	return nil
}

var errClosed = errors.New("the watch is closed")

func (w *watcher) Read(p []byte) (int, error) {
	for len(w.rest) == 0 {
		w.mu.Lock()
		var wait <-chan time.Time
		if len(w.frames) > 0 {
			first := w.frames[0]
			if d := time.Until(first.at); d <= 0 {
				w.rest, w.frames = first.text, w.frames[1:]
			} else {
				wait = time.After(d)
			}
		}
		w.mu.Unlock()
		if len(w.rest) > 0 {
			break
		}
		select {
		case <-w.news:
		case <-wait:
		case <-w.ended:
			return 0, io.EOF
		case <-w.request.Context().Done():
			return 0, errClosed
		}
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}
