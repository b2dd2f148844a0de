package crossplane_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/crossplane"
	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
	"github.com/provider-nlb/provider-nlb/cluster/local/registry"
)

// deadline of a test. A test takes half a minute on a quiet machine.
const deadline = 5 * time.Minute

// world is a control plane with a node, Crossplane, and a registry.
type world struct {
	*local.ControlPlane
	crossplane *crossplane.Crossplane
	registry   *registry.Registry
}

// shared is the world of all tests, which run one after the other. It ends with
// its control plane.
var shared *world

func TestMain(m *testing.M) { localtest.Main(m, local.Options{}) }

// newWorld returns the tests' world, and starts it for the first of them. Nothing
// is activated by default.
func newWorld(ctx context.Context, t *testing.T) *world {
	t.Helper()
	cp := localtest.ControlPlane(t)
	t.Cleanup(func() {
		if t.Failed() {
			showLogs(t, cp.Dir())
		}
	})
	if shared != nil {
		return shared
	}
	w := &world{ControlPlane: cp}
	// Pods of packages run there.
	if err := cp.AddNodes(ctx, local.Nodes("node", 1, "eu-west-1a")...); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var err error
	if w.crossplane, err = crossplane.Start(ctx, cp, crossplane.Options{WithoutActivation: true}); err != nil {
		t.Fatal(err)
	}
	t.Logf("Crossplane started in %s", time.Since(began).Round(10*time.Millisecond))
	if w.registry, err = registry.Start(); err != nil {
		t.Fatal(err)
	}
	shared = w
	return w
}

// showLogs shows the end of what Crossplane and functions have written.
func showLogs(t *testing.T, dir string) {
	t.Helper()
	logs, _ := filepath.Glob(filepath.Join(dir, "*-*.log"))
	for _, path := range logs {
		if content, err := os.ReadFile(path); err == nil {
			t.Logf("--- end of %s\n%s", filepath.Base(path), content[max(0, len(content)-4<<10):])
		}
	}
}

// get reads an object of any kind.
func (w *world) get(ctx context.Context, group, version, kind string, key client.ObjectKey) (*unstructured.Unstructured, error) {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: group, Version: version, Kind: kind})
	return o, w.Client().Get(ctx, key, o)
}

// until polls until there is no error any more.
func until(ctx context.Context, t *testing.T, try func() error) {
	t.Helper()
	if err := local.Poll(ctx, func() (bool, error) { err := try(); return err == nil, err }); err != nil {
		t.Fatal(err)
	}
}
