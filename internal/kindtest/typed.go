package kindtest

import (
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A Typed is an Env for objects of one kind, which I is an interface of.
type Typed[I resource.Managed] struct {
	*Env

	// ELB is somebody else's client of the simulated AWS.
	ELB *elbv2.Client

	kind string
}

// BothScopesOf is BothScopes for one kind.
func BothScopesOf[I resource.Managed](t *testing.T, kind string, setup Setup, test func(t *testing.T, e *Typed[I])) {
	t.Helper()
	BothScopes(t, func(t *testing.T, e *Env) {
		test(t, &Typed[I]{Env: e, ELB: elbv2.NewFromConfig(e.Sim.Config(Region)), kind: kind})
	}, setup)
}

// InScope is for a test of what one scope has and the other has not.
func InScope[I resource.Managed](t *testing.T, gv schema.GroupVersion, kind string, setup Setup) *Typed[I] {
	t.Helper()

	e := NewEnv(t, shared(t, []Setup{setup}), gv, newConfig())

	return &Typed[I]{Env: e, ELB: elbv2.NewFromConfig(e.Sim.Config(Region)), kind: kind}
}

// Object of a kind in the scope, which is not created yet.
func (e *Typed[I]) Object(t *testing.T, kind, name string) client.Object {
	t.Helper()

	o, err := e.Client.Scheme().New(e.GV.WithKind(kind))
	Must(t, err)

	obj, ok := o.(client.Object)
	if !ok {
		t.Fatalf("%T is no object", o)
	}

	obj.SetNamespace(e.Namespace)
	obj.SetName(name)

	return obj
}

// New makes an object of the kind.
func (e *Typed[I]) New(t *testing.T, name string, mutate ...func(I)) I {
	t.Helper()

	mg, ok := e.Object(t, e.kind, name).(I)
	if !ok {
		t.Fatalf("%s is not what the test is for", e.kind)
	}

	for _, f := range mutate {
		f(mg)
	}

	e.Create(t, mg)

	return mg
}

// Change an object.
func (e *Typed[I]) Change(t *testing.T, mg I, f func(I)) {
	t.Helper()
	e.Env.Change(t, mg, func() { f(mg) })
}

// UntilStalled waits until only a change of the object helps, and returns why.
func (e *Typed[I]) UntilStalled(t *testing.T, mg I) string {
	t.Helper()
	e.Until(t, mg, "stalled", func() bool { return Is(mg, controller.TypeStalled, "True") })

	return mg.GetCondition(controller.TypeStalled).Message
}

// Tags are those that an object of the kind has in AWS, in a cluster.
func (e *Typed[I]) Tags(mg I, clusterID string) map[string]string {
	mg.GetObjectKind().SetGroupVersionKind(e.GV.WithKind(e.kind))
	tags := resource.GetExternalTags(mg)
	tags[controller.TagCluster] = clusterID

	return tags
}
