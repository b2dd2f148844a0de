package main

import (
	"context"
	"io"
	"os"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg"
	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg/parser"
	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg/parser/examples"
	xpkgyaml "github.com/crossplane/crossplane-runtime/v2/pkg/xpkg/parser/yaml"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// content of a package: layers that Crossplane reads, made and linted by Crossplane's
// own library, and what each of them is.
func (s source) content(ctx context.Context, r release, ours []string) ([]mutate.Addendum, error) {
	objects, err := s.stream(r, ours)
	if err != nil {
		return nil, err
	}

	shown, err := s.exampleStream()
	if err != nil {
		return nil, err
	}

	p, err := xpkgyaml.New()
	if err != nil {
		return nil, err
	}

	img, _, err := xpkg.New(parser.NewEchoBackend(objects), exampleBackend(shown), p, examples.New()).Build(ctx)
	if err != nil {
		return nil, err
	}

	return annotated(img)
}

// annotated layers of a package's image. Crossplane finds a layer by its annotation;
// the library leaves it in the labels of the image.
func annotated(img v1.Image) ([]mutate.Addendum, error) {
	layers, err := img.Layers()
	if err != nil {
		return nil, err
	}

	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}

	adds := make([]mutate.Addendum, 0, len(layers))

	for _, l := range layers {
		digest, err := l.Digest()
		if err != nil {
			return nil, err
		}

		adds = append(adds, addendum(l, cfg.Config.Labels[xpkg.Label(digest.String())]))
	}

	return adds, nil
}

// addendum is a layer that means something to Crossplane, or nothing ("").
func addendum(l v1.Layer, meaning string) mutate.Addendum {
	a := mutate.Addendum{Layer: ociLayer{l}, History: v1.History{Created: v1.Time{Time: epoch}}}
	if meaning != "" {
		a.Annotations = map[string]string{xpkg.AnnotationKey: meaning}
	}

	return a
}

// ociLayer is a layer in the OCI format. The library names the older type of Docker for
// the same bytes.
type ociLayer struct{ v1.Layer }

// MediaType of the layer.
func (ociLayer) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

// newImage of layers, in the OCI format.
func newImage(layers []mutate.Addendum, p v1.Platform, cfg v1.Config) (v1.Image, error) {
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)

	img, err := mutate.Append(base, layers...)
	if err != nil {
		return nil, err
	}

	labels := map[string]string{}
	for k, v := range cfg.Labels {
		labels[k] = v
	}

	for _, l := range layers {
		if meaning := l.Annotations[xpkg.AnnotationKey]; meaning != "" {
			digest, err := l.Layer.Digest()
			if err != nil {
				return nil, err
			}

			// A file that holds an image has no annotations. From this label the Crossplane
			// CLI makes them again when it pushes one.
			labels[xpkg.Label(digest.String())] = meaning
		}
	}

	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}

	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = p.OS, p.Architecture, v1.Time{Time: epoch}
	file.Config = cfg
	file.Config.Labels = labels

	return mutate.ConfigFile(img, file)
}

// exampleBackend hands examples to the library, which takes a missing file, and not
// an empty one, for a package without examples.
type exampleBackend string

func (e exampleBackend) Init(context.Context, ...parser.BackendOption) (io.ReadCloser, error) {
	if e == "" {
		return io.NopCloser(strings.NewReader("")), os.ErrNotExist
	}

	return io.NopCloser(strings.NewReader(string(e))), nil
}
