package install

import (
	"os"
	"path/filepath"

	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// Layout is the documented repository for GitOps.
const Layout = "examples/gitops"

// CopyLayout copies the documented repository to a directory. All stays as it is
// documented, but that AWS is the simulated one, which wants an access key.
func (i *Installation) CopyLayout(dir string) error {
	if err := os.CopyFS(dir, os.DirFS(stack.Path(Layout))); err != nil {
		return err
	}
	config, err := os.ReadFile(stack.Path("examples/namespaced/clusterproviderconfig.yaml"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "settings", "clusterproviderconfig.yaml"), i.Simulated(config), 0o600)
}
