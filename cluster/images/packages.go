package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// A source is the folder of one package below package/, and what belongs to it
// elsewhere in the repository. Folders keep to one convention, so that there is no
// list to maintain: package/<x> is described by its crossplane.yaml, and its
// program, if it has one, is cmd/<x>.
type source struct {
	root string
	dir  string // below root
	meta meta
}

// meta is what the builder must know of a crossplane.yaml.
type meta struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name        string            `json:"name"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		Crossplane struct {
			Version string `json:"version"`
		} `json:"crossplane"`
	} `json:"spec"`
}

// Annotations that every package must have: registries and marketplaces show them,
// and the labels of the images repeat them.
const (
	annotationMaintainer  = "meta.crossplane.io/maintainer"
	annotationSource      = "meta.crossplane.io/source"
	annotationLicense     = "meta.crossplane.io/license"
	annotationDescription = "meta.crossplane.io/description"
	annotationReadme      = "meta.crossplane.io/readme"
	annotationTitle       = "friendly-name.meta.crossplane.io"
)

const (
	packagesDir = "package"
	metaFile    = "crossplane.yaml"
	readmeFile  = "README.md"
	iconFile    = packagesDir + "/icon.svg"
)

// exampleDirs are shown with every package that has kinds of its own.
var exampleDirs = []string{"examples/namespaced", "examples/cluster"}

// findSources returns the packages of the repository, in the order of their names.
func findSources(root string) ([]source, error) {
	files, err := filepath.Glob(filepath.Join(root, packagesDir, "*", metaFile))
	if err != nil {
		return nil, err
	}

	if len(files) == 0 {
		return nil, fmt.Errorf("there is no %s below %s", metaFile, filepath.Join(root, packagesDir))
	}

	sources := make([]source, 0, len(files))

	for _, f := range files {
		s := source{root: root, dir: filepath.Join(packagesDir, filepath.Base(filepath.Dir(f)))}

		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}

		if err := yaml.Unmarshal(data, &s.meta); err != nil {
			return nil, fmt.Errorf("%s: %w", s.path(metaFile), err)
		}

		if err := s.validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", s.path(metaFile), err)
		}

		sources = append(sources, s)
	}

	return sources, nil
}

func (s source) name() string { return s.meta.Metadata.Name }

// path below the package's folder, relative to the root: what messages show.
func (s source) path(name string) string { return filepath.Join(s.dir, name) }

func (s source) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(s.root, s.dir, name))
}

// main is the folder of the program that the package runs, or "" for a package that
// runs none.
func (s source) main() string {
	if s.meta.Kind == "Configuration" {
		return ""
	}

	return filepath.Join("cmd", filepath.Base(s.dir))
}

// examples are the folders whose files the package shows. A function has no kinds.
func (s source) examples() []string {
	if s.meta.Kind == "Function" {
		return nil
	}

	return exampleDirs
}

// validate what the runtime's linter does not look at.
func (s source) validate() error {
	if s.name() == "" {
		return errors.New("metadata.name is missing: it is the name of the repository in the registry")
	}

	for _, key := range []string{annotationTitle, annotationMaintainer, annotationSource, annotationLicense, annotationDescription} {
		if s.meta.Metadata.Annotations[key] == "" {
			return fmt.Errorf("annotation %s is missing", key)
		}
	}

	if s.meta.Metadata.Annotations[annotationReadme] != "" {
		return fmt.Errorf("annotation %s is taken from %s: remove it here", annotationReadme, s.path(readmeFile))
	}

	if s.meta.Spec.Crossplane.Version == "" {
		return errors.New("spec.crossplane.version is missing: say which versions of Crossplane the package is for")
	}

	return nil
}
