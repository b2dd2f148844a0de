package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// eventually polls until check returns nil and fails the test with its last error.
func (w *world) eventually(reason string, check func(context.Context) error) {
	w.t.Helper()
	w.within(patience, reason, check)
}

func (w *world) within(limit time.Duration, reason string, check func(context.Context) error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil || last == nil {
			last = err // and not that the time was over in the middle of a check
		}
		select {
		case <-ctx.Done():
			w.t.Fatalf("%s: %v", reason, last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// holds waits until AWS holds exactly these targets, as "id:port".
func (w *world) holds(reason, arn string, want ...string) {
	w.t.Helper()
	w.holdsWithin(patience, reason, arn, want...)
}

func (w *world) holdsWithin(limit time.Duration, reason, arn string, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	w.within(limit, reason, func(ctx context.Context) error {
		have, err := w.targets(ctx, arn)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, have); diff != "" {
			return fmt.Errorf("AWS holds other targets (-want, +got):\n%s", diff)
		}
		return nil
	})
}

// targets that AWS's API shows.
func (w *world) targets(ctx context.Context, arn string) ([]string, error) {
	found, err := it.Targets(ctx, arn)
	var have []string
	for _, t := range found {
		have = append(have, t.String())
	}
	return have, err
}

// healthy waits until AWS calls all targets of a group healthy, and the binding's
// status says so: departures are decided by what the engine knows.
func (w *world) healthy(b binding, want int) {
	w.t.Helper()
	w.eventually("all targets get healthy", func(ctx context.Context) error {
		if err := it.Client().Get(ctx, client.ObjectKeyFromObject(b), b); err != nil {
			return err
		}
		counts := b.ObservedState().AtProvider.Targets
		if counts == nil || int(counts.Healthy) != want {
			return fmt.Errorf("status.atProvider.targets is %+v, want %d healthy", counts, want)
		}
		return nil
	})
}

// ready waits until a binding, or a TargetGroup, is Ready, and checks what tools
// make of it.
func (w *world) ready(o client.Object) {
	w.t.Helper()
	w.eventually(o.GetName()+" is Ready", func(ctx context.Context) error {
		u, err := w.read(ctx, o)
		if err != nil {
			return err
		}
		if got := condition(u, "Ready"); got.Status != corev1.ConditionTrue {
			return fmt.Errorf("Ready is %+v", got)
		}
		if got := condition(u, "Synced"); got.Status != corev1.ConditionTrue {
			return fmt.Errorf("Synced is %+v", got)
		}
		return w.statusIs(u, status.CurrentStatus)
	})
}

func (w *world) statusIs(u *unstructured.Unstructured, want status.Status) error {
	got, err := status.Compute(u)
	if err != nil {
		return err
	}
	if got.Status != want {
		return fmt.Errorf("kstatus says %s (%s), want %s", got.Status, got.Message, want)
	}
	return nil
}

// read an object as tools read it.
func (w *world) read(ctx context.Context, o client.Object) (*unstructured.Unstructured, error) {
	if err := it.Client().Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		return nil, err
	}
	gvk, err := it.Client().GroupVersionKindFor(o)
	if err != nil {
		return nil, err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	return u, err
}

// condition of an object; the zero one if it has none of that type.
func condition(u *unstructured.Unstructured, typ string) xpv2.Condition {
	var s struct {
		Status struct {
			Conditions []xpv2.Condition `json:"conditions"`
		} `json:"status"`
	}
	_ = runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &s)
	i := slices.IndexFunc(s.Status.Conditions, func(c xpv2.Condition) bool { return string(c.Type) == typ })
	if i < 0 {
		return xpv2.Condition{}
	}
	return s.Status.Conditions[i]
}

// A message is what people should be told in a condition, and in an Event.
type message struct {
	// condition, such as "Synced=False", which has the message.
	condition string
	// says are parts of the message.
	says []string
	// kstatus is what tools should make of the object; empty is not checked.
	kstatus status.Status
}

// told waits until a binding tells a message, both in the condition and in a
// Warning Event.
func (w *world) told(reason string, b binding, m message) {
	w.t.Helper()
	typ, want, _ := strings.Cut(m.condition, "=")
	w.eventually(reason, func(ctx context.Context) error {
		u, err := w.read(ctx, b)
		if err != nil {
			return err
		}
		c := condition(u, typ)
		errs := []error{missing("condition "+typ, c.Message, m.says)}
		if string(c.Status) != want {
			errs = append(errs, fmt.Errorf("condition %s is %+v, want %s", typ, c, want))
		}
		if m.kstatus != "" {
			errs = append(errs, w.statusIs(u, m.kstatus))
		}
		return errors.Join(append(errs, w.eventSays(ctx, b, "Warning", m.says...))...)
	})
}

// event waits for an Event.
func (w *world) event(reason string, b binding, typ string, says ...string) {
	w.t.Helper()
	w.eventually(reason, func(ctx context.Context) error { return w.eventSays(ctx, b, typ, says...) })
}

func (w *world) eventSays(ctx context.Context, b binding, typ string, says ...string) error {
	events, err := w.events(ctx, b)
	if err != nil {
		return err
	}
	for _, e := range events {
		if strings.HasPrefix(e, typ) && missing("", e, says) == nil {
			return nil
		}
	}
	return fmt.Errorf("no %s Event says %q; there are:\n%s", typ, says, strings.Join(events, "\n"))
}

// events of an object as "Warning Reason: message".
func (w *world) events(ctx context.Context, o client.Object) ([]string, error) {
	list := &corev1.EventList{}
	if err := it.Client().List(ctx, list, client.MatchingFields{"involvedObject.uid": string(o.GetUID())}); err != nil {
		return nil, err
	}
	var out []string
	for _, e := range list.Items {
		out = append(out, fmt.Sprintf("%s %s: %s", e.Type, e.Reason, e.Message))
	}
	return out, nil
}

func missing(where, text string, says []string) error {
	for _, s := range says {
		if !strings.Contains(text, s) {
			return fmt.Errorf("%s says %q, without %q", where, text, s)
		}
	}
	return nil
}

// without waits until a binding has no condition of a type.
func (w *world) without(reason string, b binding, typ string) {
	w.t.Helper()
	w.eventually(reason, func(ctx context.Context) error {
		u, err := w.read(ctx, b)
		if c := condition(u, typ); err == nil && c.Status == corev1.ConditionTrue {
			return fmt.Errorf("condition %s is still True: %s", typ, c.Message)
		}
		return err
	})
}

// has waits until a condition, such as "Held=True", is there with a message.
func (w *world) has(reason string, b binding, c string, says ...string) {
	w.t.Helper()
	typ, want, _ := strings.Cut(c, "=")
	w.eventually(reason, func(ctx context.Context) error {
		u, err := w.read(ctx, b)
		if err != nil {
			return err
		}
		got := condition(u, typ)
		if string(got.Status) != want {
			return fmt.Errorf("condition %s is %+v, want %s", typ, got, want)
		}
		return missing("condition "+typ, got.Message, says)
	})
}

// gone waits until an object does not exist any more.
func (w *world) gone(reason string, o client.Object) {
	w.t.Helper()
	w.eventually(reason, func(ctx context.Context) error {
		err := it.Client().Get(ctx, client.ObjectKeyFromObject(o), o)
		if kerrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("%s is still there (%w)", o.GetName(), errors.Join(err, errors.New("not deleted")))
	})
}

// calls are the provider's RegisterTargets and DeregisterTargets calls about a
// group.
type calls struct{ Register, Deregister int }

func (w *world) calls(arn string) calls {
	var n calls
	for _, c := range it.ProviderCalls() {
		switch {
		case c.TargetGroupARN != arn:
		case c.Action == "RegisterTargets":
			n.Register++
		case c.Action == "DeregisterTargets":
			n.Deregister++
		}
	}
	return n
}

// tookSince checks how many calls there were since before.
func (w *world) tookSince(before calls, reason, arn string, want calls) {
	w.t.Helper()
	now := w.calls(arn)
	got := calls{now.Register - before.Register, now.Deregister - before.Deregister}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s: other calls of AWS (-want, +got):\n%s", reason, diff)
	}
}

// namedIn are the targets that a call names.
func namedIn(c awssim.Call) []string {
	var out []string
	for i := 1; ; i++ {
		id := c.Params.Get(fmt.Sprintf("Targets.member.%d.Id", i))
		if id == "" {
			return out
		}
		out = append(out, id+":"+c.Params.Get(fmt.Sprintf("Targets.member.%d.Port", i)))
	}
}

// deregistered are the targets that the provider has ever asked AWS to
// deregister, sorted, each once.
func (w *world) deregistered(arn string) []string {
	var out []string
	for _, c := range it.ProviderCalls() {
		if c.TargetGroupARN == arn && c.Action == "DeregisterTargets" {
			out = append(out, namedIn(c)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
