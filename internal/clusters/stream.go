package clusters

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// grace is how long a stream may be without a watch before it counts as broken.
// API servers end watches every few minutes, and opening the next takes a few
// milliseconds; what is missed then arrives late, not never.
const grace = time.Second

// backoff between attempts. Its end is 4 to 6 s, so that a permission that is
// granted is used within 10 s.
func backoff() *wait.Backoff {
	return &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Cap: 4 * time.Second, Steps: 20}
}

// backoffReset is how long all must have been well for backoff to start anew.
const backoffReset = 30 * time.Second

// A stream feeds one resource into a table and knows whether the table is whole.
//
// It is whole from a list whose watch is open until that watch has been closed
// for longer than the grace. Its fields are guarded by the Cluster's mu, but for
// the reflector.
type stream struct {
	c         *Cluster
	resource  string
	reflector *cache.Reflector

	wanted, running bool

	// synced: the table held a whole list and a watch followed it, once.
	synced bool
	// opening: a watch is sending the initial list as events.
	opening bool
	// downSince is zero while a watch is open.
	downSince time.Time
	// The failures of the last attempts, nil after a success.
	listErr, watchErr error

	// version is the last resourceVersion.
	version string
	// upSince is since when the stream has been whole; zero while it is not.
	upSince time.Time
	// told is the reason that subscribers were last woken for.
	told  string
	timer *time.Timer
}

// newStream makes a stream that applies what from says to f.
func newStream[T any](c *Cluster, resource string, from cache.ListerWatcherWithContext, f feed[T], kind runtime.Object) *stream {
	s := &stream{c: c, resource: resource}
	s.told = s.reason(time.Time{})
	f.c, f.stream = c, s
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list, err := from.ListWithContext(ctx, o)
			s.didList(ctx, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			w, err := from.WatchWithContext(ctx, o)
			initial := o.SendInitialEvents != nil && *o.SendInitialEvents
			s.didWatch(ctx, initial, err)
			if err != nil {
				return nil, err
			}
			return &observedWatch{Interface: w, closed: func() { s.watchClosed(ctx) }}, nil
		},
	}
	quiet := logr.Discard()
	s.reflector = cache.NewReflectorWithOptions(source, kind, &f, cache.ReflectorOptions{
		Name: "clusters/" + resource, Backoff: backoff(), Logger: &quiet,
	})
	return s
}

// run reads until ctx is done. Failures have been noted by the time that the
// reflector returns them, and its own log would repeat them with each attempt:
// settle logs those that are news.
func (s *stream) run(ctx context.Context) {
	ctx = klog.NewContext(ctx, logr.Discard())
	delay := backoff().DelayWithReset(clock.RealClock{}, backoffReset)
	_ = delay.Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		_ = s.reflector.ListAndWatchWithContext(ctx)
		return false, nil
	})
}

func (s *stream) didList(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	s.c.change(func(t *touched) {
		s.listErr = err
		s.settle(t)
	})
}

// didWatch takes the outcome of a call that opens a watch. An API server may
// refuse to send the initial list this way; then the reflector lists instead,
// and only the outcome of that counts, unless the permission is missing.
func (s *stream) didWatch(ctx context.Context, initial bool, err error) {
	if ctx.Err() != nil {
		return
	}
	s.c.change(func(t *touched) {
		switch {
		case err != nil && initial && !isAccess(err):
			if isUnreachable(err) {
				s.watchErr = err
			}
		case err != nil:
			s.watchErr = err
		case initial:
			s.watchErr, s.opening = nil, true
		default:
			s.watchErr = nil
			s.opened()
		}
		s.settle(t)
	})
}

// opened: a watch follows a whole list. Callers hold mu.
func (s *stream) opened() {
	s.synced = true
	s.downSince = time.Time{}
}

// replaced is called with each whole list, after the table took it; callers hold mu.
func (s *stream) replaced(version string, t *touched) {
	if order, err := resourceversion.CompareResourceVersion(version, s.version); err == nil && order < 0 {
		s.c.backwards = time.Now()
		s.c.log.Info("The resourceVersion ran backwards: the cluster was restored from a backup", "resource", s.resource)
		for _, sub := range s.c.subs.byID {
			t.add(sub) // it concerns all of them
		}
	}
	s.version, s.listErr = version, nil
	if s.opening {
		s.opening = false
		s.opened()
	}
	s.settle(t)
}

func (s *stream) watchClosed(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	s.c.change(func(t *touched) {
		s.opening = false
		if s.downSince.IsZero() {
			s.downSince = time.Now()
		}
		s.settle(t)
	})
}

// settle wakes the subscribers if the stream's reason has changed, and sees to it
// that it is called when time alone will change it. Callers hold mu.
func (s *stream) settle(t *touched) {
	s.stopTimer()
	if s.c.stopped {
		return
	}
	now := time.Now()
	if s.synced && !s.downSince.IsZero() && now.Sub(s.downSince) < grace {
		s.timer = time.AfterFunc(s.downSince.Add(grace).Sub(now), func() { s.c.change(s.settle) })
	}
	reason := s.reason(now)
	switch {
	case reason != "":
		s.upSince = time.Time{}
	case s.upSince.IsZero():
		s.upSince = now
	}
	if reason == s.told {
		return
	}
	s.told = reason
	s.c.log.Debug("The observation of the cluster changed", "resource", s.resource, "incomplete", reason)
	for _, sub := range s.c.subs.byID {
		for _, needed := range s.c.needs(sub) {
			if needed == s {
				t.add(sub)
			}
		}
	}
}

func (s *stream) stopTimer() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

// An observedWatch tells when the reflector is done with it, which it is as soon
// as the server ends it.
type observedWatch struct {
	watch.Interface
	once   sync.Once
	closed func()
}

func (w *observedWatch) Stop() {
	w.Interface.Stop()
	w.once.Do(w.closed)
}
