package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// errNoRegistry says what to do when nobody said where to publish.
var errNoRegistry = errors.New("name the registry: make publish REGISTRY=ghcr.io/your-organization (log in first, with docker, crane or your cloud's helper)")

// publish the packages in dir to the release's registry. With force it also moves a
// tag that exists.
func publish(ctx context.Context, dir string, r release, force bool, out io.Writer) error {
	layouts, err := filepath.Glob(filepath.Join(dir, "*", "oci-layout"))
	if err != nil {
		return err
	}

	if len(layouts) == 0 {
		return fmt.Errorf("there are no packages in %s: run make package", dir)
	}

	for _, l := range layouts {
		dir := filepath.Dir(l)

		tag, err := name.NewTag(r.registry + "/" + filepath.Base(dir) + ":" + r.version)
		if err != nil {
			return err
		}

		index, sboms, err := readLayout(dir, r)
		if err != nil {
			return err
		}

		digest, err := push(ctx, tag, index, sboms, force)
		if err != nil {
			return fmt.Errorf("cannot publish %s: %w", tag, err)
		}

		fmt.Fprintf(out, "%s@%s\n", tag, digest)
	}

	return nil
}

// push an index under a tag, and what refers to its images. The tag comes last: who
// sees it can pull everything.
func push(ctx context.Context, tag name.Tag, index v1.ImageIndex, referrers []v1.Image, force bool) (v1.Hash, error) {
	options := []remote.Option{remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithContext(ctx)}

	digest, err := index.Digest()
	if err != nil {
		return v1.Hash{}, err
	}

	if err := free(tag, digest, force, options); err != nil {
		return v1.Hash{}, err
	}

	if err := remote.WriteIndex(tag.Digest(digest.String()), index, options...); err != nil {
		return v1.Hash{}, err
	}

	for _, r := range referrers {
		d, err := r.Digest()
		if err != nil {
			return v1.Hash{}, err
		}

		if err := remote.Write(tag.Digest(d.String()), r, options...); err != nil {
			return v1.Hash{}, err
		}
	}

	return digest, remote.Tag(tag, index, options...)
}

// free to be written: no tag, or one of the same thing. Clusters that run a version
// must be able to rely on it.
func free(tag name.Tag, digest v1.Hash, force bool, options []remote.Option) error {
	there, err := remote.Head(tag, options...)

	var status *transport.Error

	switch {
	case errors.As(err, &status) && status.StatusCode == http.StatusNotFound:
		return nil
	case err != nil:
		return err
	case there.Digest == digest || force:
		return nil
	default:
		return fmt.Errorf("it exists as %s, and this build is %s: a published version never changes, so raise VERSION (FORCE=1 moves the tag)", there.Digest, digest)
	}
}

// checkRegistry before anything is built.
func checkRegistry(registry string) error {
	if registry == "" {
		return errNoRegistry
	}

	if strings.Contains(registry, "://") {
		return fmt.Errorf("registry %q: leave out the scheme; it is a host and a path, like ghcr.io/your-organization", registry)
	}

	if _, err := name.NewRepository(registry + "/package"); err != nil {
		return fmt.Errorf("registry %q: %w", registry, err)
	}

	return nil
}
