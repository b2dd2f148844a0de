package conformance

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// A world is a kind in a scope, with an AWS of its own.
type world struct {
	*kindtest.Env
	kind kind

	// ELB is somebody else's client of the simulated AWS.
	ELB *elbv2.Client
	// name of the world's objects, and of what they make in AWS.
	name string

	// What is in AWS from the beginning, as far as the kind has asked for it.
	loadBalancer, targetGroup, otherGroup, securityGroup string
	// instance that runs a pod, whose namespace is podNamespace.
	instance, podNamespace string
}

var worlds atomic.Int32

// everyKind runs a law for every kind in both scopes, all at the same time.
func everyKind(t *testing.T, law func(t *testing.T, w *world)) {
	t.Helper()
	every(t, table(), law)
}

func every(t *testing.T, kinds []kind, law func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()

	c := provider(t)

	for _, k := range kinds {
		for _, gv := range []schema.GroupVersion{namespacedapi.SchemeGroupVersion, clusterapi.SchemeGroupVersion} {
			t.Run(k.name+"."+gv.Group, func(t *testing.T) {
				t.Parallel()
				law(t, newWorld(t, c, k, gv))
			})
		}
	}
}

// everyReferrer is everyKind for the kinds that refer to another.
func everyReferrer(t *testing.T, law func(t *testing.T, w *world)) {
	t.Helper()
	every(t, slices.DeleteFunc(table(), func(k kind) bool { return k.refer == nil }), law)
}

// newWorld makes a world. A world of bindings has two neighbours that nobody changes:
// if more than half of all bindings were to lose their targets by a changed spec within a
// minute, as so many laws want at the same time, the engine would take it for a mistake
// and deregister nothing.
func newWorld(t *testing.T, c client.WithWatch, k kind, gv schema.GroupVersion) *world {
	t.Helper()

	if k.name == targetGroupBindings().name {
		for range 2 {
			quiet := emptyWorld(t, c, k, gv)
			quiet.created(t, func(mg resource.Managed) {
				meta.AddAnnotations(mg, map[string]string{meta.AnnotationKeyPollInterval: poll.String()})
			})
		}
	}

	return emptyWorld(t, c, k, gv)
}

func emptyWorld(t *testing.T, c client.WithWatch, k kind, gv schema.GroupVersion) *world {
	t.Helper()

	name := fmt.Sprintf("world-%d", worlds.Add(1))
	e := kindtest.NewEnv(t, c, gv, name)
	w := &world{Env: e, kind: k, ELB: elbv2.NewFromConfig(e.Sim.Config(kindtest.Region)), name: name}
	w.seedNetwork()

	return w
}

// object of a kind, as the table has it. It is valid and not created yet.
func (w *world) object(t *testing.T, k kind) resource.Managed {
	t.Helper()

	o, err := w.Client.Scheme().New(w.GV.WithKind(k.name))
	kindtest.Must(t, err)

	mg, ok := o.(resource.Managed)
	if !ok {
		t.Fatalf("%T is no managed resource", o)
	}

	mg.SetNamespace(w.Namespace)
	mg.SetName(w.name)
	k.minimal(t, w, mg)

	return mg
}

// minimal returns a new object of the world's kind that refers to no other.
func (w *world) minimal(t *testing.T, mutate ...func(resource.Managed)) resource.Managed {
	t.Helper()

	mg := w.object(t, w.kind)
	for _, f := range mutate {
		f(mg)
	}

	return mg
}

// created is minimal, created.
func (w *world) created(t *testing.T, mutate ...func(resource.Managed)) resource.Managed {
	t.Helper()

	mg := w.minimal(t, mutate...)
	w.Create(t, mg)

	return mg
}

// applied is created, when it is found applied.
func (w *world) applied(t *testing.T, mutate ...func(resource.Managed)) resource.Managed {
	t.Helper()

	mg := w.created(t, mutate...)
	w.UntilApplied(t, mg)

	return mg
}

// referring returns a new object that refers to another one of ours, and that one.
// Neither is created.
func (w *world) referring(t *testing.T) (mg, to resource.Managed) {
	t.Helper()

	to = w.object(t, find(t, w.kind.refers))
	mg = w.object(t, w.kind)
	w.kind.refer(mg, to.GetName())

	return mg, to
}

// delete an object and wait until it is gone.
func (w *world) delete(t *testing.T, mg resource.Managed) {
	t.Helper()
	kindtest.Must(t, w.Client.Delete(t.Context(), mg))
	w.UntilGone(t, mg)
}

// annotate an object; an empty value removes the annotation.
func (w *world) annotate(t *testing.T, mg resource.Managed, key, value string) {
	t.Helper()
	w.Change(t, mg, func() {
		if value == "" {
			meta.RemoveAnnotations(mg, key)
		} else {
			meta.AddAnnotations(mg, map[string]string{key: value})
		}
	})
}

// calls of the provider for an action, or all of them, since the last Reset.
func (w *world) calls(actions ...string) []awssim.Call {
	return slices.DeleteFunc(w.Sim.Calls(), func(c awssim.Call) bool {
		return !strings.Contains(c.UserAgent, kindtest.UserAgent) || len(actions) > 0 && !slices.Contains(actions, c.Action)
	})
}

// writes of the provider since the last Reset: the calls that are no reads.
func (w *world) writes() []string {
	var out []string

	for _, c := range w.calls() {
		if !strings.HasPrefix(c.Action, "Describe") && !strings.HasPrefix(c.Action, "Get") {
			out = append(out, c.Action)
		}
	}

	return out
}

func ptr[T any](v T) *T { return &v }
