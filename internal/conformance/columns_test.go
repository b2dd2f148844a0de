package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// columns of a kind, besides those that every kind has.
func columns(t *testing.T, w *world) map[string]string {
	t.Helper()

	switch w.kind.name {
	case "LoadBalancer":
		return map[string]string{"STATE": "active", "DNS-NAME": w.Sim.LoadBalancers(awssim.DefaultAccount, kindtest.Region)[0].DNSName}
	case "Listener":
		return map[string]string{"PROTOCOL": "TCP", "PORT": "443"}
	case "TargetGroup":
		return map[string]string{"PROTOCOL": "TCP", "PORT": "443"}
	case "SecurityGroup":
		return map[string]string{"VPC": kindtest.VPC}
	case "SecurityGroupRule":
		return map[string]string{"DIRECTION": "ingress", "PROTOCOL": "tcp", "FROM-PORT": "443", "TO-PORT": "443", "SOURCE": "10.0.0.0/8"}
	case "TargetGroupBinding":
		return map[string]string{"TARGETS": "1", "HEALTHY": strconv.Itoa(healthy(w))}
	}

	t.Fatalf("%s has no columns here", w.kind.name)

	return nil
}

func healthy(w *world) (n int) {
	for _, target := range w.Sim.Targets(w.targetGroup) {
		if target.State == "healthy" {
			n++
		}
	}

	return n
}

func TestColumnsShowWhatAnOperatorLooksFor(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		mg := w.applied(t)
		want := columns(t, w)
		want["READY"], want["SYNCED"], want["EXTERNAL-NAME"] = "True", "True", meta.GetExternalName(mg)

		got := map[string]string{}
		object := unstructuredOf(t, mg).Object

		for _, c := range crdOf(t, w).Spec.Versions[0].AdditionalPrinterColumns {
			if c.Type == "date" {
				continue // kubectl makes an age of it.
			}

			path := jsonpath.New(c.Name)
			kindtest.Must(t, path.Parse("{"+c.JSONPath+"}"))

			var out bytes.Buffer
			if err := path.Execute(&out, object); err != nil {
				t.Errorf("column %s: %v", c.Name, err)
			}

			got[c.Name] = out.String()
		}

		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("kubectl get prints something else: -want, +got:\n%s", diff)
		}
	})
}

func crdOf(t *testing.T, w *world) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()

	content, err := os.ReadFile(filepath.Join(kindtest.CRDs(), w.GV.Group+"_"+strings.ToLower(w.kind.name)+"s.yaml"))
	kindtest.Must(t, err)

	crd := &apiextensionsv1.CustomResourceDefinition{}
	kindtest.Must(t, yaml.UnmarshalStrict(content, crd))

	return crd
}
