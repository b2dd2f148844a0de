// Package registry serves packages on loopback: an OCI registry that forgets
// everything when it ends. It speaks plain HTTP, which clients accept from a
// loopback address.
package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Registry is a running registry.
type Registry struct {
	server  *http.Server
	address string
}

// Start starts an empty registry on a free loopback port.
func Start() (*Registry, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Registry{address: listener.Addr().String(), server: &http.Server{
		Handler:           registry.New(registry.Logger(log.New(io.Discard, "", 0))),
		ReadHeaderTimeout: 10 * time.Second,
	}}
	go func() { _ = r.server.Serve(listener) }() // it ends with Stop
	return r, nil
}

// Address is the registry's host and port, with which every image name begins.
func (r *Registry) Address() string { return r.address }

// Stop ends the registry.
func (r *Registry) Stop() error { return r.server.Close() }

// PushPackage pushes a Crossplane package that consists of manifests, its metadata
// first, and returns its full name. The repository is such as org/name, the tag
// such as v1.0.0. The image has no program: kwok does not run any.
func (r *Registry) PushPackage(ctx context.Context, repository, tag string, manifests ...[]byte) (string, error) {
	ref, err := name.NewTag(r.address+"/"+repository+":"+tag, name.StrictValidation)
	if err != nil {
		return "", err
	}
	image, err := packageImage(bytes.Join(manifests, []byte("\n---\n")))
	if err != nil {
		return "", fmt.Errorf("cannot build package %s: %w", ref, err)
	}
	if err := remote.Write(ref, image, remote.WithContext(ctx)); err != nil {
		return "", fmt.Errorf("cannot push package %s: %w", ref, err)
	}
	return ref.String(), nil
}

// packageImage is the image of a package: package.yaml in a layer that is marked
// so, as Crossplane's package specification wants it.
func packageImage(content []byte) (v1.Image, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	header := &tar.Header{Name: "package.yaml", Mode: 0o644, Size: int64(len(content))}
	if err := w.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	})
	if err != nil {
		return nil, err
	}
	return mutate.Append(empty.Image, mutate.Addendum{
		Layer: layer, Annotations: map[string]string{"io.crossplane.xpkg": "base"},
	})
}

// Manifests reads a package's manifests from its directory: crossplane.yaml, which
// is its metadata, and every other .yaml file below.
func Manifests(dir string) ([][]byte, error) {
	const metadata = "crossplane.yaml"
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".yaml" && path != filepath.Join(dir, metadata) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var manifests [][]byte
	for _, f := range append([]string{filepath.Join(dir, metadata)}, files...) {
		data, err := os.ReadFile(f)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s is no package: it has no %s", dir, metadata)
		}
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, data)
	}
	return manifests, nil
}
