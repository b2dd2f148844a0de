package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
)

// Moments that a watch tells of.
const (
	podReady     = "pod ready "
	podGone      = "pod gone "
	gateTrue     = "gate true "
	bindingReady = "binding ready "
	// healthyOf is followed by a binding's name and how many healthy targets it tells of.
	healthyOf = "healthy targets of "
)

// moments are when something was first seen in a watch, by its name.
type moments struct {
	*bell

	mu  sync.Mutex
	at  map[string]time.Time
	err error
	// late is when a watch of pods ended last; zero if none has.
	late time.Time
}

func newMoments() *moments { return &moments{bell: newBell(), at: map[string]time.Time{}} }

func (m *moments) note(name string, at time.Time) {
	m.mu.Lock()
	_, known := m.at[name]
	if !known {
		m.at[name] = at
	}
	m.mu.Unlock()
	if !known {
		m.tell()
	}
}

func (m *moments) fail(err error) {
	m.mu.Lock()
	m.err = errors.Join(m.err, err)
	m.mu.Unlock()
	m.tell()
}

func (m *moments) get(name string) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at[name], m.err
}

// when waits for a moment.
func (m *moments) when(ctx context.Context, name string) (time.Time, error) {
	for {
		news := m.wait()
		if at, err := m.get(name); err != nil || !at.IsZero() {
			return at, err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("never: %s", name)
		}
	}
}

// all waits for a moment of each of several names.
func (m *moments) all(ctx context.Context, kind string, names ...string) error {
	for _, name := range names {
		if _, err := m.when(ctx, kind+name); err != nil {
			return err
		}
	}
	return nil
}

// watch notes the moments of the namespace's pods and bindings until ctx is done. An
// API server ends watches: of a kind whose definition it has just got, when it has
// just started, and when it cannot keep up. The next one begins with all that there
// is, so that no moment is missed; what it tells first is late.
func (w *world) watch(ctx context.Context) {
	again := func(list client.ObjectList, ended func(time.Time)) {
		for ctx.Err() == nil {
			if err := w.follow(ctx, list); err != nil && ctx.Err() == nil {
				w.moments.fail(err)
				return
			}
			ended(time.Now())
		}
	}
	go again(&corev1.PodList{}, w.moments.ended)
	go again(&namespaced.TargetGroupBindingList{}, func(time.Time) {})
}

// ended notes that what comes next is late.
func (m *moments) ended(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.late = at
}

// exact says that no moment of a pod since a time can be late.
func (m *moments) exact(since time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.late.After(since) {
		return errors.New("the API server has ended the watch of pods, so times are not exact: it cannot keep up")
	}
	return nil
}

// follow watches until the watch ends.
func (w *world) follow(ctx context.Context, list client.ObjectList) error {
	events, err := w.watcher.Watch(ctx, list, client.InNamespace(w.ns))
	if err != nil {
		return err
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		now := time.Now()
		switch o := event.Object.(type) {
		case *corev1.Pod:
			w.notePod(event.Type, o, now)
		case *namespaced.TargetGroupBinding:
			if o.GetCondition(xpv2.TypeReady).Status == corev1.ConditionTrue {
				w.moments.note(bindingReady+o.Name, now)
			}
			if t := o.Status.AtProvider.Targets; t != nil {
				w.moments.note(fmt.Sprint(healthyOf, o.Name, " ", t.Healthy), now)
			}
		default:
			return nil // an error: the watch has ended
		}
	}
	return nil
}

func (w *world) notePod(typ watch.EventType, p *corev1.Pod, now time.Time) {
	if typ == watch.Deleted {
		w.moments.note(podGone+p.Name, now)
		return
	}
	for _, c := range p.Status.Conditions {
		gated := slices.ContainsFunc(p.Spec.ReadinessGates, func(g corev1.PodReadinessGate) bool { return g.ConditionType == c.Type })
		switch {
		case c.Status != corev1.ConditionTrue:
		case c.Type == corev1.ContainersReady:
			w.moments.note(podReady+p.Name, now)
		case gated:
			w.moments.note(gateTrue+p.Name, now)
		}
	}
}
