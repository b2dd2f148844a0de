package conformance

import (
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// A kind is what the laws need to know of a kind.
type kind struct {
	name string

	// minimal makes a new object valid, so that it refers to no other object of
	// ours, and seeds what that needs.
	minimal func(t *testing.T, w *world, mg resource.Managed)
	// refer replaces what minimal named in AWS by a reference to the object of kind
	// refers that has the name; nil if the kind refers to none.
	refers string
	refer  func(mg resource.Managed, name string)

	// change declares another value of something that AWS can change; changed says
	// whether AWS has it, and drift takes it back behind everybody's back.
	change  func(w *world, mg resource.Managed)
	changed func(t *testing.T, w *world) bool
	drift   func(t *testing.T, w *world)

	// found lists what AWS has of the kind, besides what was seeded: ids in the form
	// of the external name.
	found func(t *testing.T, w *world) []string
	// foreign makes in AWS what the object declares, as somebody else, and returns
	// its id; nil for a kind that makes nothing of its own in AWS.
	foreign func(t *testing.T, w *world, mg resource.Managed) string
	// named: the external name may also be the name of what is in AWS.
	named bool
	// stall lets a new object be Stalled, and cure ends that.
	stall func(t *testing.T, w *world, mg resource.Managed)
	cure  func(t *testing.T, w *world, mg resource.Managed)
	// bare leaves of a new object only what it needs to be observed by its external
	// name.
	bare func(mg resource.Managed)

	// blocked is the code with which AWS refuses to delete what is still used; empty
	// for a kind that nothing can use.
	blocked string
	// taken is the code with which AWS refuses a creation if the identity is taken, and
	// gone the one with which it says that there is no such thing; empty for the binding.
	taken, gone string
	// polled is called at every poll of an object that is in sync.
	polled string
	// settled: all that AWS will do by itself is in the status. Without it that is so
	// as soon as the object is applied.
	settled func(mg resource.Managed) bool
	// underway are the updates that tell what AWS is still doing, and what others wait
	// for: an address.
	underway int
	// more declares of a new object what AWS does not take in the call that creates
	// it; nil if there is no such thing.
	more func(t *testing.T, w *world, mg resource.Managed)
	// Actions of AWS.
	create, modify, remove, describe string
}

func table() []kind {
	return []kind{
		loadBalancers(), listeners(), targetGroups(),
		securityGroups(), securityGroupRules(), targetGroupBindings(),
	}
}

func find(t *testing.T, name string) kind {
	t.Helper()

	for _, k := range table() {
		if k.name == name {
			return k
		}
	}

	t.Fatalf("there is no kind %s", name)

	return kind{}
}

// params are what an object declares; P is what its kind has.
func params[P any](mg resource.Managed) *P {
	return mg.(interface{ ForProvider() *P }).ForProvider() //nolint:forcetypeassert // The table has the right kind.
}

// stallAsForeign is a way to be Stalled that most kinds have: what the object
// declares exists, and is somebody else's. To adopt it is the cure.
func stallAsForeign(k kind) kind {
	k.stall = func(t *testing.T, w *world, mg resource.Managed) { k.foreign(t, w, mg) }
	k.cure = func(t *testing.T, w *world, mg resource.Managed) { meta.SetExternalName(mg, k.found(t, w)[0]) }

	return k
}
