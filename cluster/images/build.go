package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// A built package: what a registry holds under one tag, and what refers to it.
type built struct {
	name   string
	images []platformImage
	index  v1.ImageIndex
	sboms  []v1.Image
}

// platformImage is the package for one platform. It is the image of the program, too:
// Crossplane runs what it installs.
type platformImage struct {
	platform v1.Platform
	image    v1.Image
}

// builder makes packages.
type builder struct {
	release   release
	platforms []v1.Platform
	tmp       string // for compiled programs
}

// buildAll packages below root.
func buildAll(ctx context.Context, root string, r release, platforms []v1.Platform) ([]built, error) {
	sources, err := findSources(root)
	if err != nil {
		return nil, err
	}

	tmp, err := os.MkdirTemp("", "packages-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(tmp) }()

	b := builder{release: r, platforms: platforms, tmp: tmp}

	ours := make([]string, 0, len(sources))
	for _, s := range sources {
		ours = append(ours, s.name())
	}

	all := make([]built, 0, len(sources))

	for _, s := range sources {
		p, err := b.build(ctx, s, ours)
		if err != nil {
			return nil, fmt.Errorf("cannot build package %s: %w", s.name(), err)
		}

		all = append(all, p)
	}

	return all, nil
}

func (b builder) build(ctx context.Context, s source, ours []string) (built, error) {
	content, err := s.content(ctx, b.release, ours)
	if err != nil {
		return built{}, err
	}

	p := built{name: s.name()}

	for _, platform := range b.platformsOf(s) {
		img, sbom, err := b.image(ctx, s, platform, content)
		if err != nil {
			return built{}, err
		}

		p.images = append(p.images, platformImage{platform: platform, image: img})

		if sbom != nil {
			p.sboms = append(p.sboms, sbom)
		}
	}

	p.index, err = b.index(s, p.images)

	return p, err
}

// platformsOf a package. One without a program is the same on every platform, and
// Crossplane looks for linux/amd64 wherever it runs.
func (b builder) platformsOf(s source) []v1.Platform {
	if s.main() == "" {
		return platforms[:1]
	}

	return b.platforms
}

// image of a package for a platform, and the bill of materials of its program.
func (b builder) image(ctx context.Context, s source, p v1.Platform, content []mutate.Addendum) (v1.Image, v1.Image, error) {
	labels := s.labels(b.release)

	if s.main() == "" {
		img, err := newImage(content, p, v1.Config{Labels: labels})
		return described(img, labels), nil, err
	}

	binary := filepath.Join(b.tmp, p.OS, p.Architecture, s.name())
	if err := compile(ctx, filepath.Join(s.root, s.main()), b.release.version, p, binary); err != nil {
		return nil, nil, err
	}

	program, err := programLayers(binary)
	if err != nil {
		return nil, nil, err
	}

	layers := make([]mutate.Addendum, 0, len(program)+len(content))
	for _, l := range program {
		layers = append(layers, addendum(l, ""))
	}

	img, err := newImage(append(layers, content...), p, v1.Config{
		User: nonroot, Entrypoint: []string{entrypoint(binary)}, WorkingDir: "/", Labels: labels,
	})
	if err != nil {
		return nil, nil, err
	}

	img = described(img, labels)

	bom, err := billOfMaterials(binary, s, b.release)
	if err != nil {
		return nil, nil, err
	}

	sbom, err := newReferrer(img, sbomType, bom)

	return img, sbom, err
}

// index of the images for all platforms, and of what marketplaces show.
func (b builder) index(s source, images []platformImage) (v1.ImageIndex, error) {
	extensions, err := s.extensions()
	if err != nil {
		return nil, err
	}

	var adds []mutate.IndexAddendum
	for _, i := range images {
		adds = append(adds, mutate.IndexAddendum{Add: untyped{i.image}, Descriptor: v1.Descriptor{Platform: &i.platform}})
	}

	index := mutate.AppendManifests(empty.Index, append(adds, extensions)...)

	return mutate.Annotations(index, s.labels(b.release)).(v1.ImageIndex), nil
}

// untyped is an image in an index. Without this the library puts the media type of the
// image's config there as an artifact type, and clients may take it for no image.
type untyped struct{ v1.Image }

// ArtifactType of an image is none.
func (untyped) ArtifactType() (string, error) { return "", nil }

// labels say what an image is, in the words of the OCI image specification.
func (s source) labels(r release) map[string]string {
	about := s.meta.Metadata.Annotations
	labels := map[string]string{
		"org.opencontainers.image.title":       s.name(),
		"org.opencontainers.image.description": about[annotationDescription],
		"org.opencontainers.image.licenses":    about[annotationLicense],
		"org.opencontainers.image.source":      about[annotationSource],
		"org.opencontainers.image.vendor":      about[annotationMaintainer],
		"org.opencontainers.image.version":     r.version,
	}

	if r.revision != "" {
		labels["org.opencontainers.image.revision"] = r.revision
	}

	return labels
}

// described puts the labels on the manifest, too: registries show those.
func described(img v1.Image, labels map[string]string) v1.Image {
	if img == nil {
		return nil
	}

	return mutate.Annotations(img, labels).(v1.Image)
}
