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
	// crowd is more objects than a kind has workers, of which bindings have 50.
	crowd, crowdOfBindings = 25, 60
	// undelayed is what an object may take from creation to Ready while nothing but
	// others' accounts is wrong.
	undelayed = 4 * time.Second
)

// TestAnAccountThatHangsDelaysNoOther: more objects than a kind has workers wait for an
// account that answers nothing, or not even who we are, and an object of the same kind in
// another account is as quick as ever.
func TestAnAccountThatHangsDelaysNoOther(t *testing.T) {
	t.Parallel()

	c := provider(t)
	scopes := []schema.GroupVersion{namespacedapi.SchemeGroupVersion, clusterapi.SchemeGroupVersion}

	for i, k := range table() {
		for j, hangs := range []string{"", awssim.ServiceELBv2} {
			t.Run(fmt.Sprintf("%s.%q", k.name, hangs), func(t *testing.T) {
				t.Parallel()

				gv := scopes[(i+j)%len(scopes)]
				sick, well := emptyWorld(t, c, k, gv), newWorld(t, c, k, gv)

				n := crowd
				if k.name == bindingKind {
					n = crowdOfBindings
				}

				crowd := make([]resource.Managed, n)
				for i := range crowd {
					crowd[i] = sick.minimal(t, func(mg resource.Managed) { mg.SetName(fmt.Sprintf("%s-%d", sick.name, i)) })
				}

				answer := sick.Sim.Fault(awssim.Fault{Service: hangs, Effect: awssim.Hang})
				for _, mg := range crowd {
					sick.Create(t, mg)
				}

				t.Cleanup(answer)

				began := time.Now()
				well.UntilApplied(t, well.created(t))

				took := time.Since(began)
				answer()
				t.Log(took)

				if took > undelayed {
					t.Errorf("while %d others hang in another account it took %s", n, took)
				}
			})
		}
	}
}
