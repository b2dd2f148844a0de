package conformance

import (
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// useAWS takes the endpoint out of the world's configuration: only AWS itself has
// a list of regions. Nothing that is called then can be reached.
func (w *world) useAWS(t *testing.T) {
	t.Helper()

	var pc client.Object = &namespacedapi.ClusterProviderConfig{}
	if w.GV.Group == clusterapi.SchemeGroupVersion.Group {
		pc = &clusterapi.ProviderConfig{}
	}

	kindtest.Must(t, w.Client.Get(t.Context(), client.ObjectKey{Name: w.Config}, pc))
	w.Change(t, pc, func() {
		switch pc := pc.(type) {
		case *namespacedapi.ClusterProviderConfig:
			pc.Spec.Endpoint = nil
		case *clusterapi.ProviderConfig:
			pc.Spec.Endpoint = nil
		}
	})
}

func TestRegionThatDoesNotExistIsStalled(t *testing.T) {
	everyKind(t, func(t *testing.T, w *world) {
		w.useAWS(t)

		mg := w.minimal(t)
		reflect.ValueOf(mg).MethodByName("ForProvider").Call(nil)[0].Elem().FieldByName("Region").SetString("eu-wset-1x")
		w.Create(t, mg)
		w.Until(t, mg, "stalled", func() bool { return kindtest.Is(mg, controller.TypeStalled, "True") })

		if got := mg.GetCondition(controller.TypeStalled).Message; !strings.HasPrefix(got, `spec.forProvider.region "eu-wset-1x" is not an AWS region`) {
			t.Errorf("the message is %q", got)
		}
	})
}
