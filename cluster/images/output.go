package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// digestsFile lists what was built, one package a line, so that two builds can be
// compared.
const digestsFile = "digests.txt"

// refName is the annotation by which an OCI layout names what it holds.
const refName = "org.opencontainers.image.ref.name"

// write packages into dir: for each an OCI layout with everything that is published,
// an .xpkg file per platform for other tools, and the bills of materials.
func write(dir string, r release, packages []built) error {
	digests := &bytes.Buffer{}

	for _, p := range packages {
		if err := p.writeLayout(filepath.Join(dir, p.name), r); err != nil {
			return fmt.Errorf("cannot write package %s: %w", p.name, err)
		}

		for i, img := range p.images {
			if err := p.writeFiles(dir, r, i, img); err != nil {
				return fmt.Errorf("cannot write package %s for %s: %w", p.name, img.platform, err)
			}
		}

		digest, err := p.index.Digest()
		if err != nil {
			return err
		}

		fmt.Fprintf(digests, "%s  %s:%s\n", digest, p.name, r.version)
	}

	return os.WriteFile(filepath.Join(dir, digestsFile), digests.Bytes(), 0o644)
}

func (p built) writeLayout(dir string, r release) error {
	out, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}

	if err := out.AppendIndex(p.index, layout.WithAnnotations(map[string]string{refName: r.version})); err != nil {
		return err
	}

	for _, sbom := range p.sboms {
		if err := out.AppendImage(sbom); err != nil {
			return err
		}
	}

	return nil
}

// writeFiles of one platform: the .xpkg file, as `crossplane xpkg build` makes it, and
// the bill of materials.
func (p built) writeFiles(dir string, r release, i int, img platformImage) error {
	base := filepath.Join(dir, p.name+"-"+r.version)
	if len(p.images) > 1 || len(p.sboms) > 0 {
		base += "." + strings.ReplaceAll(img.platform.String(), "/", "_")
	}

	f, err := os.Create(base + ".xpkg")
	if err != nil {
		return err
	}

	if err := tarball.Write(nil, img.image, f); err != nil {
		_ = f.Close()
		return err
	}

	if err := f.Close(); err != nil || len(p.sboms) == 0 {
		return err
	}

	document, err := documentOf(p.sboms[i])
	if err != nil {
		return err
	}

	return os.WriteFile(base+".cdx.json", document, 0o644)
}

// readLayout gives back what writeLayout wrote.
func readLayout(dir string, r release) (v1.ImageIndex, []v1.Image, error) {
	out, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, nil, err
	}

	manifest, err := out.IndexManifest()
	if err != nil {
		return nil, nil, err
	}

	var (
		index v1.ImageIndex
		sboms []v1.Image
	)

	for _, d := range manifest.Manifests {
		if match.Name(r.version)(d) {
			if index, err = out.ImageIndex(d.Digest); err != nil {
				return nil, nil, err
			}

			continue
		}

		sbom, err := out.Image(d.Digest)
		if err != nil {
			return nil, nil, err
		}

		sboms = append(sboms, sbom)
	}

	if index == nil {
		return nil, nil, fmt.Errorf("%s holds no version %s: build it first", dir, r.version)
	}

	return index, sboms, nil
}
