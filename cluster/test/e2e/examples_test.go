package e2e_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

const exampleNamespace = "edge"

func TestExamplesAreAccepted(t *testing.T) {
	t.Parallel()
	applyNamespace(t)
	seen := 0
	err := filepath.WalkDir(stack.Path("examples"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		seen++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for docs := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096); ; {
			o := &unstructured.Unstructured{}
			if err := docs.Decode(o); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if ofComposition(o) {
				continue
			}
			// Server-side apply refuses fields that the schema does not know.
			err := it.Client().Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o),
				client.DryRunAll, client.FieldOwner("e2e"), client.ForceOwnership)
			if err != nil {
				t.Errorf("%s: %s %s: %v", path, o.GetKind(), o.GetName(), err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("there are no examples")
	}
}

// ofComposition says that an object needs Crossplane and the Configuration, which
// are not installed here: the tests of internal/composition check it.
func ofComposition(o *unstructured.Unstructured) bool {
	group := o.GroupVersionKind().Group

	return group == "edge.nlb.crossplane.io" || group == "apiextensions.crossplane.io" || group == "example.org"
}

func applyNamespace(t *testing.T) {
	t.Helper()
	if err := it.Apply(t.Context(), []byte("{apiVersion: v1, kind: Namespace, metadata: {name: "+exampleNamespace+"}}")); err != nil {
		t.Fatal(err)
	}
}

func TestExamplesWork(t *testing.T) {
	t.Parallel()
	specs := local.Nodes("example", 3, stack.Zones...)
	for i := range specs {
		specs[i].Labels = map[string]string{"example.org/edge": "true"}
	}
	if err := it.AddInstances(t.Context(), specs...); err != nil {
		t.Fatal(err)
	}
	if err := it.ApplyFiles(t.Context(), stack.Path("examples/namespaced/proxy.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scope scope
		dir   string
		b     binding
	}{
		{inNamespace, "examples/namespaced", &namespaced.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Namespace: exampleNamespace, Name: "edge-https"}}},
		{inCluster, "examples/cluster", &cluster.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Name: "edge-https"}}},
	} {
		t.Run(c.scope.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.scope)
			for _, file := range []string{"targetgroup.yaml", "targetgroupbinding.yaml"} {
				if err := it.ApplyFiles(t.Context(), stack.Path(c.dir+"/"+file)); err != nil {
					t.Fatal(err)
				}
			}
			w.bindings = append(w.bindings, c.b)
			w.ready(c.b)
			arn := c.b.ObservedState().AtProvider.TargetGroupARN
			w.listen(arn)
			var want []string
			for _, s := range specs {
				want = append(want, w.target(s.Name, 8443))
			}
			w.holds("the example does what it says", arn, want...)
		})
	}
}
