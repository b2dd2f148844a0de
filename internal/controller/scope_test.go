package controller_test

import (
	"context"
	"testing"
	"time"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// A scope makes objects of one scope, with names that no other test has.
type scope struct {
	gv                schema.GroupVersion
	namespace, prefix string
}

func (s scope) name(name string) string { return s.prefix + "-" + name }

func (s scope) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: s.name(name)}
}

// group returns a TargetGroup that AWS would accept.
func (s scope) group(name string) targetGroup {
	spec := v1alpha1.TargetGroupSpec{ForProvider: v1alpha1.TargetGroupParameters{
		Region: "eu-west-1", Protocol: ptr("TCP"), Port: ptr(int32(443)), VPCID: ptr("vpc-0a"),
	}}
	if s.gv.Group == clusterapi.SchemeGroupVersion.Group {
		o := &clusterapi.TargetGroup{ObjectMeta: s.meta(name)}
		o.Spec.TargetGroupSpec = spec

		return o
	}

	o := &namespacedapi.TargetGroup{ObjectMeta: s.meta(name)}
	o.Spec.TargetGroupSpec = spec

	return o
}

// binding returns a binding that refers to a TargetGroup.
func (s scope) binding(name string, p v1alpha1.TargetGroupBindingParameters) binding {
	p.Region = "eu-west-1"
	p.PodSelector = &v1alpha1.PodSelector{Port: intstr.FromInt32(443)}

	if s.gv.Group == clusterapi.SchemeGroupVersion.Group {
		p.PodSelector.Namespace = ptr("default")
		o := &clusterapi.TargetGroupBinding{ObjectMeta: s.meta(name)}
		o.Spec.TargetGroupBindingSpec = v1alpha1.TargetGroupBindingSpec{ForProvider: p}

		return o
	}

	o := &namespacedapi.TargetGroupBinding{ObjectMeta: s.meta(name)}
	o.Spec.TargetGroupBindingSpec = v1alpha1.TargetGroupBindingSpec{ForProvider: p}

	return o
}

func ptr[T any](v T) *T { return &v }

func (e *env) create(t *testing.T, o client.Object) {
	t.Helper()

	if err := e.client.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { e.remove(o) })
}

// remove an object whatever holds it, so that it does not stay for later tests.
func (e *env) remove(o client.Object) {
	ctx := context.Background()
	_ = e.client.Delete(ctx, o)
	_ = e.client.Patch(ctx, o, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))
}

// until waits until the object is as wanted, and returns it as it is in o.
func (e *env) until(t *testing.T, o client.Object, what string, wanted func() bool) {
	t.Helper()

	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		if err := e.client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return false, client.IgnoreNotFound(err)
		}

		return wanted(), nil
	})
	if err != nil {
		t.Fatalf("%s never was %s: %v", o.GetName(), what, err)
	}
}

func (e *env) untilGone(t *testing.T, o client.Object) {
	t.Helper()

	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		return kerrors.IsNotFound(e.client.Get(ctx, client.ObjectKeyFromObject(o), o)), nil
	})
	if err != nil {
		t.Fatalf("%s never was gone", o.GetName())
	}
}

// eventually waits until something outside the API server is so.
func eventually(t *testing.T, what string, wanted func() bool) {
	t.Helper()

	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		return wanted(), nil
	})
	if err != nil {
		t.Fatalf("never: %s", what)
	}
}

type conditioned interface {
	GetCondition(xpv2.ConditionType) xpv2.Condition
}

// is says that a condition has a status and, unless empty, a reason.
func is(o conditioned, t xpv2.ConditionType, s string, reason xpv2.ConditionReason) bool {
	c := o.GetCondition(t)

	return string(c.Status) == s && (reason == "" || c.Reason == reason)
}
