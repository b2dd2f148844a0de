package conformance

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	// crowd is three times as many objects as a kind has workers, of which bindings have 50.
	crowd, crowdOfBindings = 60, 150
	// held is for how long the crowd would keep all workers at least: until STS has been
	// waited for.
	held = 30 * time.Second
)

// TestAnAccountThatHangsDelaysNoOther: more objects than a kind has workers wait for an
// account that does not even answer who we are, and an object of the same kind in another
// account is Ready meanwhile.
func TestAnAccountThatHangsDelaysNoOther(t *testing.T) {
	t.Parallel()

	c := provider(t)
	scopes := []schema.GroupVersion{namespacedapi.SchemeGroupVersion, clusterapi.SchemeGroupVersion}

	for i, k := range table() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()

			gv := scopes[i%len(scopes)]
			sick, well := emptyWorld(t, c, k, gv), newWorld(t, c, k, gv)

			n := crowd
			if k.name == bindingKind {
				n = crowdOfBindings
			}

			crowd := make([]resource.Managed, n)
			for i := range crowd {
				crowd[i] = sick.minimal(t, func(mg resource.Managed) { mg.SetName(fmt.Sprintf("%s-%d", sick.name, i)) })
			}

			answer := sick.Sim.Fault(awssim.Fault{Effect: awssim.Hang})
			t.Cleanup(answer)

			for _, mg := range crowd {
				sick.Create(t, mg)
			}

			began := time.Now()
			well.UntilApplied(t, well.created(t))

			if took := time.Since(began); took >= held {
				t.Errorf("while %d others hang in another account it took %s", n, took)
			}
		})
	}
}
