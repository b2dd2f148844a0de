package controller

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
)

// repeatEventAfter is how long the same event is not said again.
const repeatEventAfter = 10 * time.Minute

// A quietRecorder says an event once, not at every retry. crossplane-runtime's
// own filters are lost as soon as a recorder gets annotations, which is always.
type quietRecorder struct {
	inner event.Recorder
	said  *saidEvents
}

type saidEvents struct {
	now func() time.Time

	mu   sync.Mutex
	last map[types.UID]saidEvent
}

type saidEvent struct {
	event event.Event
	at    time.Time
}

func newQuietRecorder(inner event.Recorder, now func() time.Time) *quietRecorder {
	return &quietRecorder{inner: inner, said: &saidEvents{now: now, last: map[types.UID]saidEvent{}}}
}

func (r *quietRecorder) Event(obj runtime.Object, e event.Event) {
	if o, err := meta.Accessor(obj); err == nil && r.said.before(o.GetUID(), e) {
		return
	}

	r.inner.Event(obj, e)
}

func (r *quietRecorder) WithAnnotations(keysAndValues ...string) event.Recorder {
	return &quietRecorder{inner: r.inner.WithAnnotations(keysAndValues...), said: r.said}
}

func (s *saidEvents) before(uid types.UID, e event.Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()

	now := s.now()
	last, ok := s.last[uid]

	if ok && last.event.Reason == e.Reason && last.event.Message == e.Message && now.Sub(last.at) < repeatEventAfter {
		return true
	}

	s.last[uid] = saidEvent{event: e, at: now}

	return false
}

func (s *saidEvents) forget(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()

	delete(s.last, uid)
}
