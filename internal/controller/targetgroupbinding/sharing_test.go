package targetgroupbinding_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroupbinding"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestMain(m *testing.M) { kindtest.Main(m) }

func setup(mgr ctrl.Manager, o controller.Options) error {
	observed, err := clusters.New(clusters.Options{Config: rest.CopyConfig(mgr.GetConfig()), PermissionsFile: "rbac.yaml", Log: o.Logger})
	if err != nil {
		return err
	}
	return targetgroupbinding.Setup(mgr, targetgroupbinding.Options{Options: o, Cluster: observed})
}

// TestSharesPods: of two bindings of the same pods the second says so, for as long as
// the first is there.
func TestSharesPods(t *testing.T) {
	kindtest.BothScopes(t, func(t *testing.T, e *kindtest.Env) {
		bind := func(name string, port int32) targetgroupbinding.Binding {
			arn, err := e.Sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: kindtest.Region, VPC: kindtest.VPC, Name: name, Protocol: "TCP", Port: 443})
			kindtest.Must(t, err)
			m := metav1.ObjectMeta{Namespace: e.Namespace, Name: name}
			pods := &v1alpha1.PodSelector{LabelSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": "edge"}}, Port: intstr.FromInt32(port)}
			var b targetgroupbinding.Binding = &namespacedapi.TargetGroupBinding{ObjectMeta: m}
			if e.Namespace == "" {
				pods.Namespace = new("default")
				b = &clusterapi.TargetGroupBinding{ObjectMeta: m}
			}
			*b.ForProvider() = v1alpha1.TargetGroupBindingParameters{Region: kindtest.Region, TargetGroupARN: &arn, PodSelector: pods}
			e.Create(t, b)
			e.UntilApplied(t, b)
			return b
		}
		first := bind("a", 8443)
		other := bind("b", 8080)
		second := bind("c", 8443)
		e.Until(t, second, "said to share its pods with the first", func() bool {
			c := second.GetCondition("SharesPods")
			return c.Status == "True" && strings.Contains(c.Message, first.GetName()+",")
		})
		for _, b := range []targetgroupbinding.Binding{first, other} {
			e.Until(t, b, "read", func() bool { return true })
			if kindtest.Is(b, "SharesPods", "True") {
				t.Errorf("%s says that it shares its pods: %s", b.GetName(), b.GetCondition("SharesPods").Message)
			}
		}
		kindtest.Must(t, e.Client.Delete(t.Context(), first))
		e.UntilGone(t, first)
		e.Until(t, second, "alone again", func() bool { return !kindtest.Is(second, "SharesPods", "True") })
	}, setup)
}
