package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

const exampleNamespace = "edge"

func TestExamplesAreAccepted(t *testing.T) {
	t.Parallel()
	applyNamespace(t)
	seen := 0
	err := filepath.WalkDir(stack.Path("examples"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "gitops" {
			return filepath.SkipDir // for Flux and Argo CD, which cluster/test/gitops runs
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		seen++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		objects, err := stack.Decode(data)
		for _, o := range objects {
			if ofCrossplane(o) {
				continue
			}
			// Server-side apply refuses fields that the schema does not know.
			err := it.Client().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o),
				client.DryRunAll, client.FieldOwner("e2e"), client.ForceOwnership)
			if err != nil {
				t.Errorf("%s: %s %s: %v", path, o.GetKind(), o.GetName(), err)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("there are no examples")
	}
}

// ofCrossplane says that an object needs Crossplane and the Configuration, which are
// not installed here: the tests of internal/composition and cluster/test/install
// check it.
func ofCrossplane(o *unstructured.Unstructured) bool {
	group := o.GroupVersionKind().Group

	return group == "edge.nlb.crossplane.io" || group == "apiextensions.crossplane.io" || group == "pkg.crossplane.io" || group == "example.org"
}

func applyNamespace(t *testing.T) {
	t.Helper()
	if err := it.Apply(t.Context(), []byte("{apiVersion: v1, kind: Namespace, metadata: {name: "+exampleNamespace+"}}")); err != nil {
		t.Fatal(err)
	}
}

// TestExamplesWorkAsTheyAre: both scopes' complete examples at once, byte for byte,
// and then the examples of each kind.
func TestExamplesWorkAsTheyAre(t *testing.T) {
	t.Parallel()
	specs := local.Nodes("example", 3, stack.Zones...)
	var nodes []string
	for i := range specs {
		specs[i].Labels = map[string]string{"example.org/edge": "true"}
		nodes = append(nodes, specs[i].Name)
	}
	if err := it.AddGuardedInstances(t.Context(), specs...); err != nil {
		t.Fatal(err)
	}
	both := []*whole{asItIs(t, inNamespace, "edge-proxy", completeExample), asItIs(t, inCluster, "proxy", completeExample)}
	all := both[0]
	all.bare = all.inventory(t.Context())
	for _, e := range both {
		e.apply(e.workload...)
		e.apply(e.managed...)
	}
	for _, e := range both {
		e.allReady()
		e.serves("each instance that runs a proxy is a target of both ports", nodes...)
	}
	all.inAWS("the example makes what it says", slices.Concat(both[0].lines(), both[1].lines())...)
	for _, e := range both {
		e.delete(e.managed...)
	}
	for _, e := range both {
		e.allGone("everything is deleted at once", e.managed...)
	}
	all.inAWS("nothing is left")

	for _, s := range []scope{inNamespace, inCluster} {
		e := asItIs(t, s, "", "securitygroup.yaml", "securitygrouprule.yaml", "loadbalancer.yaml", "targetgroup.yaml", "listener.yaml", "targetgroupbinding.yaml")
		e.bare = all.bare
		e.apply(e.managed...)
		e.allReady()
		u, err := e.now(t.Context(), e.one("LoadBalancer", "edge"))
		if err != nil {
			t.Fatal(err)
		}
		e.patch(u, `{"spec":{"forProvider":{"deletionProtection":false}}}`)
		e.delete(e.managed...)
		e.allGone("without its protection it is deleted", e.managed...)
		e.inAWS("nothing is left")
	}
}
