package controller_test

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// neverAgain is so long a backoff that a second try was brought about by an event.
func neverAgain(o *controller.Options) {
	o.Retry = controller.Retry{Min: time.Hour, Max: time.Hour, Patient: time.Hour}
}

type listener interface {
	resource.Managed
	ForProvider() *v1alpha1.ListenerParameters
	ObservedState() *v1alpha1.ListenerStatus
}

// listener returns a Listener; no controller reconciles it.
func (s scope) listener(name string) listener {
	var l listener = &namespacedapi.Listener{ObjectMeta: s.meta(name)}
	if s.gv.Group == clusterapi.SchemeGroupVersion.Group {
		l = &clusterapi.Listener{ObjectMeta: s.meta(name)}
	}

	*l.ForProvider() = v1alpha1.ListenerParameters{
		Region: "eu-west-1", Port: ptr(int32(443)), Protocol: ptr("TCP"),
		LoadBalancerARN: ptr("arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/edge/0123456789abcdef"),
		Forward: &v1alpha1.Forward{TargetGroups: []v1alpha1.ForwardTargetGroup{
			{TargetGroupARN: ptr("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/edge/0123456789abcdef")},
		}},
	}

	return l
}

// forwards lets AWS have seen that a Listener forwards to target groups.
func (e *env) forwards(t *testing.T, l listener, arns ...string) {
	t.Helper()

	patch := client.MergeFrom(l.DeepCopyObject().(client.Object)) //nolint:forcetypeassert // It is one.
	l.ObservedState().AtProvider.TargetGroupARNs = arns

	if err := e.client.Status().Patch(t.Context(), l, patch); err != nil {
		t.Fatal(err)
	}
}

func TestDeletionGoesOnWhenItsUserLetsGo(t *testing.T) {
	cases := map[string]struct {
		reason string
		letGo  func(t *testing.T, e *env, l listener)
	}{
		"Deleted": {"A Listener that is gone uses nothing.", func(t *testing.T, e *env, l listener) {
			t.Helper()

			if err := e.client.Delete(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}},
		"Changed": {"Nor does one that forwards elsewhere.", func(t *testing.T, e *env, l listener) {
			t.Helper()
			e.forwards(t, l, "arn:another")
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env, s scope) {
				// The Listener is not that of the TargetGroup by name, label or reference.
				tg, l := s.group("used"), s.listener("user")
				e.create(t, tg)
				e.create(t, l)
				e.forwards(t, l, observedARN(tg), "arn:another")

				other := s.group("other")
				e.create(t, other)

				for _, o := range []targetGroup{tg, other} {
					// The runtime looks again after a creation, by the rate limiter.
					e.untilSeen(t, o)
					e.cloud.with(o.GetName(), func(s *script) { s.blocked = true })

					if err := e.client.Delete(t.Context(), o); err != nil {
						t.Fatal(err)
					}

					e.until(t, o, "blocked", func() bool { return is(o, controller.TypeDeletionBlocked, "True", "ResourceInUse") })
				}

				e.cloud.with(tg.GetName(), func(s *script) { s.blocked = false })
				e.cloud.with(other.GetName(), func(s *script) { s.blocked = false })

				before := e.cloud.count(tg.GetName(), "Delete")
				tc.letGo(t, e, l)
				eventually(t, tc.reason, func() bool { return e.cloud.count(tg.GetName(), "Delete") > before })

				if got := e.cloud.count(tg.GetName(), "Delete") - before; got != 1 {
					t.Errorf("\n%s\nit took %d tries, want 1", tc.reason, got)
				}

				if got := e.cloud.count(other.GetName(), "Delete"); got != 1 {
					t.Errorf("what the Listener did not use was tried %d times, want once", got)
				}
			}, neverAgain)
		})
	}
}

// untilSeen waits until a TargetGroup exists in AWS and its status says so. With
// neverAgain nothing but a change of it brings a look after its creation.
func (e *env) untilSeen(t *testing.T, tg targetGroup) {
	t.Helper()
	e.until(t, tg, "created", func() bool { return e.cloud.count(tg.GetName(), "Create") > 0 })
	update(t, e, tg)
	e.until(t, tg, "seen", func() bool { return tg.ObservedState().AtProvider.ARN != "" })
}
