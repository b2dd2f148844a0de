package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg"
	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg/parser"
	xpkgyaml "github.com/crossplane/crossplane-runtime/v2/pkg/xpkg/parser/yaml"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// repository is the root of the real one.
const repository = "../.."

var testRelease = release{version: "v0.1.0", revision: "4a6f686e", registry: "registry.example.org/edge"}

// newRoot is a repository with the real packages and examples, in a folder of its
// own. Their programs are a small one, since the real ones compile for minutes; that
// they do is what `make package` shows.
func newRoot(dir string) error {
	for _, d := range append([]string{packagesDir}, exampleDirs...) {
		if err := os.CopyFS(filepath.Join(dir, d), os.DirFS(filepath.Join(repository, d))); err != nil {
			return err
		}
	}

	sources, err := findSources(dir)
	if err != nil {
		return err
	}

	for _, s := range sources {
		if s.main() == "" {
			continue
		}

		if err := os.CopyFS(filepath.Join(dir, s.main()), os.DirFS("testdata/program")); err != nil {
			return err
		}
	}

	return nil
}

// world is one build of everything, which most tests look at.
type world struct {
	root     string
	packages []built
}

var buildWorld = sync.OnceValues(func() (*world, error) {
	root, err := os.MkdirTemp("", "packages-test-")
	if err != nil {
		return nil, err
	}

	if err := newRoot(root); err != nil {
		return nil, err
	}

	packages, err := buildAll(context.Background(), root, testRelease, platforms)

	return &world{root: root, packages: packages}, err
})

func newWorld(t *testing.T) *world {
	t.Helper()

	w, err := buildWorld()
	if err != nil {
		t.Fatal(err)
	}

	return w
}

func (w *world) built(t *testing.T, name string) built {
	t.Helper()

	for _, p := range w.packages {
		if p.name == name {
			return p
		}
	}

	t.Fatalf("there is no package %s", name)

	return built{}
}

func TestMain(m *testing.M) {
	code := m.Run()

	if w, err := buildWorld(); err == nil {
		_ = os.RemoveAll(w.root)
	}

	os.Exit(code)
}

// parse an image as Crossplane does when it installs a package.
func parse(t *testing.T, img v1.Image) *parser.Package {
	t.Helper()

	content, err := xpkg.ExtractPackageYAML(img)
	if err != nil {
		t.Fatal(err)
	}

	p, err := xpkgyaml.New()
	if err != nil {
		t.Fatal(err)
	}

	pkg, err := p.Parse(context.Background(), content)
	if err != nil {
		t.Fatal(err)
	}

	return pkg
}

// entry of a layer or an image.
type entry struct {
	Type byte
	Mode string
	Size bool // more than nothing
}

// entriesOf an archive by path, and what its files hold.
func entriesOf(t *testing.T, archive io.Reader) (map[string]entry, map[string][]byte) {
	t.Helper()

	entries, contents := map[string]entry{}, map[string][]byte{}

	for r := tar.NewReader(archive); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries, contents
		}

		if err != nil {
			t.Fatal(err)
		}

		buf := &bytes.Buffer{}
		if _, err := io.Copy(buf, r); err != nil {
			t.Fatal(err)
		}

		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" {
			t.Errorf("%s belongs to %d:%d (%s:%s): want root", h.Name, h.Uid, h.Gid, h.Uname, h.Gname)
		}

		if h.ModTime.Unix() > 0 {
			t.Errorf("%s has time %s: want none, or builds differ", h.Name, h.ModTime)
		}

		entries[h.Name] = entry{Type: h.Typeflag, Mode: fmt.Sprintf("%o", h.Mode), Size: h.Size > 0}
		contents[h.Name] = buf.Bytes()
	}
}

// layerOf an image by what it means to Crossplane.
func layerOf(t *testing.T, img v1.Image, meaning string) v1.Layer {
	t.Helper()

	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}

	for _, d := range m.Layers {
		if d.Annotations[xpkg.AnnotationKey] == meaning {
			l, err := img.LayerByDigest(d.Digest)
			if err != nil {
				t.Fatal(err)
			}

			return l
		}
	}

	t.Fatalf("no layer is annotated %s: %s", xpkg.AnnotationKey, meaning)

	return nil
}

func uncompressed(t *testing.T, l v1.Layer) io.Reader {
	t.Helper()

	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = r.Close() })

	return r
}
