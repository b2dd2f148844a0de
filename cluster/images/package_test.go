package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg"
	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg/parser"
	pkgmetav1 "github.com/crossplane/crossplane/apis/v2/pkg/meta/v1"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// linters are Crossplane's own: the package manager refuses what they refuse.
var linters = map[string]func() parser.Linter{
	"Provider":      xpkg.NewProviderLinter,
	"Function":      xpkg.NewFunctionLinter,
	"Configuration": xpkg.NewConfigurationLinter,
}

func TestCrossplaneAcceptsEveryPackage(t *testing.T) {
	w := newWorld(t)

	sources, err := findSources(repository)
	if err != nil {
		t.Fatal(err)
	}

	for _, s := range sources {
		for _, i := range w.built(t, s.name()).images {
			t.Run(s.name()+" "+i.platform.String(), func(t *testing.T) {
				if err := linters[s.meta.Kind]().Lint(parse(t, i.image)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestTheProviderPackageHoldsTheCRDsAndSaysWhatItNeeds(t *testing.T) {
	for _, i := range newWorld(t).built(t, "provider-nlb").images {
		t.Run(i.platform.String(), func(t *testing.T) {
			pkg := parse(t, i.image)

			got := map[string]*extv1.CustomResourceDefinition{}

			for _, o := range pkg.GetObjects() {
				crd := o.(*extv1.CustomResourceDefinition)
				got[crd.GetName()] = crd
			}

			if diff := cmp.Diff(crdsOfTheRepository(t), got); diff != "" {
				t.Errorf("CRDs (-want, +got):\n%s", diff)
			}

			meta := pkg.GetMeta()[0].(*pkgmetav1.Provider)

			if diff := cmp.Diff([]string{pkgmetav1.ProviderCapabilitySafeStart}, meta.Spec.Capabilities); diff != "" {
				t.Errorf("capabilities (-want, +got):\n%s", diff)
			}

			readme, err := os.ReadFile(filepath.Join(repository, "package/provider/README.md"))
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(string(readme), meta.Annotations[annotationReadme]); diff != "" {
				t.Errorf("readme (-want, +got):\n%s", diff)
			}
		})
	}
}

func crdsOfTheRepository(t *testing.T) map[string]*extv1.CustomResourceDefinition {
	t.Helper()

	files, err := filepath.Glob(filepath.Join(repository, "package/provider/crds/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("cannot find CRDs: %v", err)
	}

	crds := map[string]*extv1.CustomResourceDefinition{}

	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}

		crd := &extv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(data, crd); err != nil {
			t.Fatalf("%s: %v", f, err)
		}

		crds[crd.GetName()] = crd
	}

	return crds
}

func TestPackagesNameTheCrossplaneVersionsThatTheyAreFor(t *testing.T) {
	cases := map[string]struct {
		version string
		want    bool
		reason  string
	}{
		"Tested":      {version: "2.4.0", want: true, reason: "The tests run this version."},
		"NoNamespace": {version: "1.20.0", want: false, reason: "Crossplane 1 knows neither namespaced managed resources nor safe-start."},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, p := range newWorld(t).packages {
				meta, ok := xpkg.TryConvertToPkg(parse(t, p.images[0].image).GetMeta()[0], &pkgmetav1.Provider{}, &pkgmetav1.Configuration{}, &pkgmetav1.Function{})
				if !ok {
					t.Fatalf("%s is no package", p.name)
				}

				c, err := semver.NewConstraint(meta.GetCrossplaneConstraints().Version)
				if err != nil {
					t.Fatal(err)
				}

				if got := c.Check(semver.MustParse(tc.version)); got != tc.want {
					t.Errorf("\n%s\n%s fits Crossplane %s: %t, want %t", tc.reason, p.name, tc.version, got, tc.want)
				}
			}
		})
	}
}

func TestEveryExampleIsInThePackage(t *testing.T) {
	want := map[string]bool{}

	for _, dir := range []string{"examples/namespaced", "examples/cluster"} {
		files, err := filepath.Glob(filepath.Join(repository, dir, "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("cannot find examples in %s: %v", dir, err)
		}

		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}

			for _, o := range objectsIn(t, string(data)) {
				want[o] = true
			}
		}
	}

	for _, i := range newWorld(t).built(t, "provider-nlb").images {
		_, contents := entriesOf(t, uncompressed(t, layerOf(t, i.image, xpkg.ExamplesAnnotation)))

		got := map[string]bool{}
		for _, o := range objectsIn(t, string(contents[xpkg.XpkgExamplesFile])) {
			got[o] = true
		}

		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("examples for %s (-want, +got):\n%s", i.platform, diff)
		}
	}
}

// objectsIn a YAML stream, each as kind and name.
func objectsIn(t *testing.T, stream string) []string {
	t.Helper()

	var names []string

	for _, doc := range strings.Split("\n"+stream, "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &o.Object); err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}

		if len(o.Object) > 0 {
			names = append(names, o.GroupVersionKind().String()+" "+o.GetNamespace()+"/"+o.GetName())
		}
	}

	return names
}

func TestMarketplacesFindIconAndReadme(t *testing.T) {
	p := newWorld(t).built(t, "provider-nlb")

	manifests := indexManifest(t, p).Manifests

	img, err := p.index.Image(manifests[len(manifests)-1].Digest)
	if err != nil {
		t.Fatal(err)
	}

	_, contents := entriesOf(t, uncompressed(t, layerOf(t, img, "xpkg-extensions")))

	for path, source := range map[string]string{"icons/icon.svg": iconFile, "readme/readme.md": "package/provider/README.md"} {
		want, err := os.ReadFile(filepath.Join(repository, source))
		if err != nil {
			t.Fatal(err)
		}

		if diff := cmp.Diff(string(want), string(contents[path])); diff != "" {
			t.Errorf("%s (-want, +got):\n%s", path, diff)
		}
	}
}

// The Crossplane CLI reads .xpkg files, and finds the layers by the image's labels.
func TestAFileCanBePushedByTheCrossplaneCLI(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	if err := write(dir, testRelease, w.packages); err != nil {
		t.Fatal(err)
	}

	for _, arch := range []string{"amd64", "arm64"} {
		img, err := tarball.ImageFromPath(filepath.Join(dir, "provider-nlb-v0.1.0.linux_"+arch+".xpkg"), nil)
		if err != nil {
			t.Fatal(err)
		}

		img, err = xpkg.AnnotateLayers(img)
		if err != nil {
			t.Fatal(err)
		}

		for _, meaning := range []string{xpkg.PackageAnnotation, xpkg.ExamplesAnnotation} {
			if content, err := io.ReadAll(uncompressed(t, layerOf(t, img, meaning))); err != nil || len(content) == 0 {
				t.Errorf("layer %s for %s has %d bytes: %v", meaning, arch, len(content), err)
			}
		}
	}
}

func TestABuildDependsOnTheCommitOnly(t *testing.T) {
	one := newWorld(t)

	// Another folder, with a longer path, and files that are older or newer.
	root := filepath.Join(t.TempDir(), "a", "longer", "path")
	if err := newRoot(root); err != nil {
		t.Fatal(err)
	}

	packages, err := buildAll(context.Background(), root, testRelease, platforms)
	if err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff(digestsOf(t, one.packages), digestsOf(t, packages)); diff != "" {
		t.Errorf("digests of two builds (-one, +other):\n%s", diff)
	}
}

// digestsOf everything that is published.
func digestsOf(t *testing.T, packages []built) map[string][]string {
	t.Helper()

	digests := map[string][]string{}

	for _, p := range packages {
		things := []interface{ Digest() (v1.Hash, error) }{p.index}
		for _, sbom := range p.sboms {
			things = append(things, sbom)
		}

		for _, thing := range things {
			d, err := thing.Digest()
			if err != nil {
				t.Fatal(err)
			}

			digests[p.name] = append(digests[p.name], d.String())
		}
	}

	return digests
}
