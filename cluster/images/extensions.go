package main

import (
	"os"
	"path/filepath"

	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// extensionsMeaning marks the manifest that holds what a marketplace shows of a
// package. Crossplane itself does not read it.
const extensionsMeaning = "xpkg-extensions"

// extensions of the package: its icon and readme, at the paths where marketplaces
// look for them.
func (s source) extensions() (mutate.IndexAddendum, error) {
	icon, err := os.ReadFile(filepath.Join(s.root, iconFile))
	if err != nil {
		return mutate.IndexAddendum{}, err
	}

	readme, err := s.read(readmeFile)
	if err != nil {
		return mutate.IndexAddendum{}, err
	}

	l, err := newLayer(
		file{path: "icons/icon.svg", mode: 0o644, content: icon},
		file{path: "readme/readme.md", mode: 0o644, content: readme},
	)
	if err != nil {
		return mutate.IndexAddendum{}, err
	}

	// It runs nowhere. Without a platform some clients would take it for linux/amd64.
	nowhere := v1.Platform{OS: "unknown", Architecture: "unknown"}

	img, err := newImage([]mutate.Addendum{addendum(l, extensionsMeaning)}, nowhere, v1.Config{})

	return mutate.IndexAddendum{Add: untyped{img}, Descriptor: v1.Descriptor{
		Platform: &nowhere, Annotations: map[string]string{xpkg.AnnotationKey: extensionsMeaning},
	}}, err
}
