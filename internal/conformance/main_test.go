package conformance

import (
	"flag"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/listener"
	"github.com/provider-nlb/provider-nlb/internal/controller/loadbalancer"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygroup"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygrouprule"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroup"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroupbinding"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

const (
	// poll is so long that what happens in a test was brought about by an event, or
	// by what the object itself waits for. A law that needs polls asks for them by
	// annotation.
	poll = time.Hour
	// bindingPoll is that of bindings, whose laws wait for reads of their group's health.
	bindingPoll = 2 * time.Second
	// atOnce is how many cases run at the same time: they mostly wait.
	atOnce = "24"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	flag.Parse()

	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}

	if _, err := os.Stat(kindtest.CRDs()); err != nil {
		panic(err)
	}

	localtest.Main(m, local.Options{Parts: local.APIOnly})
}

var (
	once   sync.Once
	shared client.WithWatch
	failed error
)

// provider returns a client of the API server on which the controllers of all kinds
// run. They start with the first test that asks, and run until all tests are over.
func provider(t *testing.T) client.WithWatch {
	t.Helper()

	cp := localtest.ControlPlane(t)

	once.Do(func() {
		var stop func()
		if shared, stop, failed = kindtest.Start(cp, poll, kinds()...); failed == nil {
			localtest.AtEnd(stop)
		}
	})
	kindtest.Must(t, failed)

	return shared
}

func kinds() []kindtest.Setup {
	return []kindtest.Setup{
		loadbalancer.SetupGated, listener.SetupGated, targetgroup.SetupGated,
		securitygroup.SetupGated, securitygrouprule.SetupGated, bindings,
	}
}

// bindings sets TargetGroupBinding up as the provider's command does.
func bindings(mgr ctrl.Manager, o controller.Options) error {
	observed, err := clusters.New(clusters.Options{Config: rest.CopyConfig(mgr.GetConfig()), PermissionsFile: "rbac.yaml", Log: o.Logger})
	if err != nil {
		return err
	}

	o.PollInterval = bindingPoll

	return targetgroupbinding.Setup(mgr, targetgroupbinding.Options{Options: o, Cluster: observed})
}
