package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// newRegistry on loopback. Returns host and path to publish to.
func newRegistry(t *testing.T, options ...registry.Option) string {
	t.Helper()

	server := httptest.NewServer(registry.New(append(options, registry.Logger(log.New(io.Discard, "", 0)))...))
	t.Cleanup(server.Close)

	return strings.TrimPrefix(server.URL, "http://") + "/edge/packages"
}

// publishWorld to a registry, by way of files as the command does it.
func publishWorld(t *testing.T, host string) string {
	t.Helper()

	dir := t.TempDir()
	if err := write(dir, testRelease, newWorld(t).packages); err != nil {
		t.Fatal(err)
	}

	if err := publish(context.Background(), dir, testReleaseTo(host), false, io.Discard); err != nil {
		t.Fatal(err)
	}

	return dir
}

func testReleaseTo(host string) release {
	r := testRelease
	r.registry = host

	return r
}

func reference(t *testing.T, s string) name.Reference {
	t.Helper()

	ref, err := name.ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}

	return ref
}

func TestEachPlatformPullsItsImageByTag(t *testing.T) {
	host := newRegistry(t)
	publishWorld(t, host)

	for _, p := range newWorld(t).packages {
		for _, i := range p.images {
			t.Run(p.name+" "+i.platform.String(), func(t *testing.T) {
				got, err := remote.Image(reference(t, host+"/"+p.name+":v0.1.0"), remote.WithPlatform(i.platform))
				if err != nil {
					t.Fatal(err)
				}

				if diff := cmp.Diff(digest(t, i.image), digest(t, got)); diff != "" {
					t.Errorf("digest of what is pulled (-built, +pulled):\n%s", diff)
				}
			})
		}

		t.Run(p.name+" index", func(t *testing.T) {
			got, err := remote.Index(reference(t, host+"/"+p.name+":v0.1.0"))
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(digest(t, p.index), digest(t, got)); diff != "" {
				t.Errorf("digest of the index (-built, +pulled):\n%s", diff)
			}
		})
	}
}

// Crossplane asks for no platform, wherever it runs.
func TestCrossplanePullsThePackageByTag(t *testing.T) {
	host := newRegistry(t)
	publishWorld(t, host)

	for _, p := range newWorld(t).packages {
		img, err := remote.Image(reference(t, host+"/"+p.name+":v0.1.0"))
		if err != nil {
			t.Fatal(err)
		}

		if got := parse(t, img).GetMeta(); len(got) != 1 {
			t.Errorf("%s has %d meta objects: want 1", p.name, len(got))
		}
	}
}

func TestABillOfMaterialsIsFoundWithItsImage(t *testing.T) {
	cases := map[string]struct {
		options []registry.Option
		reason  string
	}{
		"ReferrersAPI": {options: []registry.Option{registry.WithReferrersSupport(true)}, reason: "Registries of OCI 1.1 list what refers to an image."},
		"FallbackTag":  {reason: "In older ones a tag lists it."},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			host := newRegistry(t, tc.options...)
			publishWorld(t, host)

			for _, p := range newWorld(t).packages {
				repo, err := nameRepository(host, p)
				if err != nil {
					t.Fatal(err)
				}

				for i, sbom := range p.sboms {
					refs, err := remote.Referrers(repo.Digest(digest(t, p.images[i].image)))
					if err != nil {
						t.Fatal(err)
					}

					list, err := refs.IndexManifest()
					if err != nil {
						t.Fatal(err)
					}

					if len(list.Manifests) != 1 {
						t.Fatalf("\n%s\n%d documents refer to %s for %s: want 1", tc.reason, len(list.Manifests), p.name, p.images[i].platform)
					}

					got, err := remote.Image(repo.Digest(list.Manifests[0].Digest.String()))
					if err != nil {
						t.Fatal(err)
					}

					if diff := cmp.Diff(readBOM(t, sbom), readBOM(t, got)); diff != "" {
						t.Errorf("\n%s\nbill of materials (-built, +pulled):\n%s", tc.reason, diff)
					}
				}
			}
		})
	}
}

func nameRepository(host string, p built) (name.Repository, error) {
	return name.NewRepository(host + "/" + p.name)
}

func TestAPublishedVersionNeverChanges(t *testing.T) {
	host := newRegistry(t)
	dir := publishWorld(t, host)
	tag := reference(t, host+"/provider-nlb:v0.1.0")

	if err := publish(context.Background(), dir, testReleaseTo(host), false, io.Discard); err != nil {
		t.Errorf("publishing the same again: %v", err)
	}

	other, err := remote.Image(reference(t, host+"/provider-nlb:v0.1.0"))
	if err != nil {
		t.Fatal(err)
	}

	if err := remote.Tag(tag.Context().Tag("v0.1.0"), other); err != nil {
		t.Fatal(err)
	}

	err = publish(context.Background(), dir, testReleaseTo(host), false, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "a published version never changes, so raise VERSION") {
		t.Errorf("publishing over something else: %v", err)
	}

	if err := publish(context.Background(), dir, testReleaseTo(host), true, io.Discard); err != nil {
		t.Errorf("publishing over something else with force: %v", err)
	}

	got, err := remote.Index(tag)
	if err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff(digest(t, newWorld(t).built(t, "provider-nlb").index), digest(t, got)); diff != "" {
		t.Errorf("digest after force (-built, +pulled):\n%s", diff)
	}
}

// A reader that sees the tag must be able to pull all of it, so a push that fails
// half-way leaves none.
func TestATagComesLast(t *testing.T) {
	host := newRegistry(t)
	p := newWorld(t).built(t, "provider-nlb")

	repo, err := nameRepository(host, p)
	if err != nil {
		t.Fatal(err)
	}

	broken, err := newReferrer(p.images[0].image, sbomType, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}

	_, err = push(context.Background(), repo.Tag("v0.1.0"), p.index, []v1.Image{unreadable{broken}}, false)
	if !errors.Is(err, errUnreadable) {
		t.Fatalf("pushing what cannot be read: %v", err)
	}

	if _, err := remote.Head(repo.Tag("v0.1.0")); err == nil {
		t.Error("the tag is there")
	}
}

var errUnreadable = errors.New("cannot be read")

type unreadable struct{ v1.Image }

func (unreadable) RawManifest() ([]byte, error) { return nil, errUnreadable }

func TestPublishingIsRefusedWithAWayOut(t *testing.T) {
	dir := committed(t)

	dirty := filepath.Join(t.TempDir(), "dirty")
	if err := os.CopyFS(dirty, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(filepath.Join(dirty, "new.go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}

	cases := map[string]struct {
		flags  flags
		want   string
		reason string
	}{
		"Good": {
			flags:  flags{root: dir, registry: "ghcr.io/edge", version: "v0.1.0"},
			reason: "A committed tree, a version, a registry.",
		},
		"NoRegistry": {
			flags:  flags{root: dir, version: "v0.1.0"},
			want:   "make publish REGISTRY=ghcr.io/your-organization",
			reason: "There is no registry that everybody may write to.",
		},
		"RegistryWithScheme": {
			flags:  flags{root: dir, registry: "https://ghcr.io/edge", version: "v0.1.0"},
			want:   "leave out the scheme",
			reason: "A reference of an image is no URL.",
		},
		"RegistryNoName": {
			flags:  flags{root: dir, registry: "ghcr.io/Edge Team", version: "v0.1.0"},
			want:   `registry "ghcr.io/Edge Team"`,
			reason: "Found before minutes of compiling, not after.",
		},
		"VersionNotSemantic": {
			flags:  flags{root: dir, registry: "ghcr.io/edge", version: "latest"},
			want:   "like v0.1.0",
			reason: "Crossplane cannot resolve a dependency to it.",
		},
		"VersionWithoutV": {
			flags:  flags{root: dir, registry: "ghcr.io/edge", version: "0.1.0"},
			want:   "with a leading v",
			reason: "Tags of packages and of Git are the same word.",
		},
		"VersionWithBuild": {
			flags:  flags{root: dir, registry: "ghcr.io/edge", version: "v0.1.0+1"},
			want:   "build metadata",
			reason: "A tag of a registry cannot hold a plus.",
		},
		"Dirty": {
			flags:  flags{root: dirty, registry: "ghcr.io/edge", version: "v0.1.0"},
			want:   "the work tree is dirty: commit first",
			reason: "Nobody could build it again.",
		},
		"DirtyForced": {
			flags:  flags{root: dirty, registry: "ghcr.io/edge", version: "v0.1.0", force: true},
			reason: "A test registry takes anything.",
		},
		"NoRepository": {
			flags:  flags{root: t.TempDir(), registry: "ghcr.io/edge", version: "v0.1.0"},
			want:   "cannot tell which commit this is (FORCE=1 publishes all the same)",
			reason: "An archive of the source has no commit to be compared with.",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := runCheck(context.Background(), &tc.flags)

			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("\n%s\ngot error: %v\nwant: %q", tc.reason, err, tc.want)
			}
		})
	}
}

func TestADirtyTreeHasNoRevision(t *testing.T) {
	root := committed(t)

	if got := revision(context.Background(), root); len(got) != 40 {
		t.Errorf("revision of a committed tree: %q, want a commit", got)
	}

	if err := os.WriteFile(filepath.Join(root, "new.go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}

	if got := revision(context.Background(), root); got != "" {
		t.Errorf("revision of a dirty tree: %q, want none", got)
	}
}

// committed is a Git repository whose work tree is clean.
func committed(t *testing.T) string {
	t.Helper()

	dir := t.TempDir()

	for _, args := range [][]string{
		{"init", "--quiet"},
		{"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--allow-empty", "--message=a"},
	} {
		if _, err := git(context.Background(), dir, args...); err != nil {
			t.Fatal(err)
		}
	}

	return dir
}

func digest(t *testing.T, thing interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()

	d, err := thing.Digest()
	if err != nil {
		t.Fatal(err)
	}

	return d.String()
}
