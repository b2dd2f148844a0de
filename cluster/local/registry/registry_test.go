package registry_test

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/provider-nlb/provider-nlb/cluster/local/registry"
)

func TestPushedPackageIsPulledWithItsMetadataFirst(t *testing.T) {
	r, err := registry.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	for file, content := range map[string]string{"a/crd.yaml": "crd: 1", "crossplane.yaml": "meta: 1", "README.md": "text"} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manifests, err := registry.Manifests(dir)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := r.PushPackage(t.Context(), "org/thing", "v1.0.0", manifests...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Address()+"/org/thing:v1.0.0", pushed); diff != "" {
		t.Errorf("the full name is what a package manifest needs (-want, +got):\n%s", diff)
	}
	ref, err := name.ParseReference(pushed, name.StrictValidation)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("a package has one layer, got %d, %v", len(layers), err)
	}
	if diff := cmp.Diff(map[string]string{"io.crossplane.xpkg": "base"}, manifest.Layers[0].Annotations); diff != "" {
		t.Errorf("the layer is marked as the package's (-want, +got):\n%s", diff)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(content)
	header, err := archive.Next()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(archive)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"package.yaml", "meta: 1\n---\ncrd: 1"}, []string{header.Name, string(data)}); diff != "" {
		t.Errorf("the layer holds package.yaml alone (-want, +got):\n%s", diff)
	}
}

func TestADirectoryWithoutMetadataIsNoPackage(t *testing.T) {
	if _, err := registry.Manifests(t.TempDir()); err == nil {
		t.Error("crossplane.yaml is what makes it a package")
	}
}
