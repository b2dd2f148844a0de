package controller_test

import (
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

func healthCheck(interval int32) *v1alpha1.HealthCheck {
	return &v1alpha1.HealthCheck{IntervalSeconds: &interval}
}

func TestWaitingForReferenceIsQuietAndEndsByEvent(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		tg := s.group("group")
		b := s.binding("binding", v1alpha1.TargetGroupBindingParameters{TargetGroupARNRef: &v1alpha1.Reference{Name: tg.GetName()}})
		writes := e.countWrites(t, s, "TargetGroupBinding", b.GetName())
		e.create(t, b)
		e.until(t, b, "waiting", func() bool { return is(b, xpv2.TypeReady, "False", controller.ReasonWaitingForReference) })

		want := `targetGroupArnRef: TargetGroup "` + tg.GetName() + `" does not exist`
		if got := b.GetCondition(xpv2.TypeReady).Message; got != want {
			t.Errorf("the message is %q, want %q", got, want)
		}

		if !is(b, xpv2.TypeSynced, "True", "") || e.status(t, b) != status.InProgressStatus {
			t.Errorf("waiting is no error, and not done: %s, %+v", e.status(t, b), b)
		}

		if got := e.cloud.count(b.GetName(), "Observe"); got != 0 {
			t.Errorf("AWS was asked %d times while waiting", got)
		}

		if len(b.GetFinalizers()) > 0 {
			t.Errorf("nothing exists that a finalizer could protect: %v", b.GetFinalizers())
		}

		e.create(t, tg)
		// It polls once an hour, so an event of the TargetGroup ends the wait, or
		// this never ends.
		e.until(t, b, "ready", func() bool { return is(b, xpv2.TypeReady, "True", "") })

		if got := writes(); got > 4 {
			t.Errorf("%d updates from creation to Ready with a reference, want at most 4", got)
		}

		e.noEvents(t, b.GetUID(), "Warning")
	})
}

func TestSelectorEndsByEventAndMustSelectOne(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env, s scope) {
		labels := map[string]string{"test": s.prefix[max(0, len(s.prefix)-60):]}
		b := s.binding("binding", v1alpha1.TargetGroupBindingParameters{TargetGroupARNSelector: &v1alpha1.Selector{MatchLabels: labels}})
		e.create(t, b)
		e.until(t, b, "waiting", func() bool { return is(b, xpv2.TypeReady, "False", controller.ReasonWaitingForReference) })

		one, two := s.group("one"), s.group("two")
		one.SetLabels(labels)
		two.SetLabels(labels)
		e.create(t, one)
		e.until(t, b, "ready", func() bool { return is(b, xpv2.TypeReady, "True", "") })

		e.create(t, two)
		e.until(t, b, "ambiguous", func() bool { return is(b, xpv2.TypeSynced, "False", "") })

		if got, want := b.GetCondition(xpv2.TypeSynced).Message, one.GetName()+", "+two.GetName(); !strings.HasSuffix(got, want) {
			t.Errorf("%q does not list %q", got, want)
		}

		if is(b, controller.TypeStalled, "True", "") {
			t.Error("a change of the others cures it, so it is not stalled")
		}
	})
}

// countWrites counts the updates of an object from now on.
func (e *env) countWrites(t *testing.T, s scope, kind, name string) func() int {
	t.Helper()

	c, err := dynamic.NewForConfig(e.config)
	if err != nil {
		t.Fatal(err)
	}

	w, err := c.Resource(s.gv.WithResource(strings.ToLower(kind)+"s")).Namespace(s.namespace).
		Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(w.Stop)

	var n atomic.Int32

	go func() {
		for event := range w.ResultChan() {
			if _, ok := event.Object.(*unstructured.Unstructured); ok && event.Type == watch.Modified {
				n.Add(1)
			}
		}
	}()

	return func() int { return int(n.Load()) }
}

func (e *env) noEvents(t *testing.T, uid any, eventType string) {
	t.Helper()

	events := &corev1.EventList{}
	if err := e.client.List(t.Context(), events, client.MatchingFields{}); err != nil {
		t.Fatal(err)
	}

	for _, event := range events.Items {
		if event.InvolvedObject.UID == uid && event.Type == eventType {
			t.Errorf("there is an event: %s: %s", event.Reason, event.Message)
		}
	}
}
