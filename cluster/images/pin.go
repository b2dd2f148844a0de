package main

import (
	"path"
	"slices"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg"
	"github.com/google/go-containerregistry/pkg/name"
	"sigs.k8s.io/yaml"
)

// renames are names of installed packages, as written in the repository and as they
// will be. Crossplane calls what it installs for a dependency by the path of its
// repository, so that the name depends on where it is published.
type renames map[string]string

// pin the dependencies of a package to this release, as far as they are packages of
// ours: to the registry, and since this version. Written by hand that would be wrong
// in every second release.
func (r release) pin(meta map[string]any, ours []string) (renames, error) {
	functions := renames{}

	spec, _ := meta["spec"].(map[string]any)
	dependencies, _ := spec["dependsOn"].([]any)

	for _, d := range dependencies {
		dependency, _ := d.(map[string]any)
		written, _ := dependency["package"].(string)

		if !slices.Contains(ours, path.Base(written)) {
			continue
		}

		pinned := r.registry + "/" + path.Base(written)
		dependency["package"], dependency["version"] = pinned, ">="+r.version

		before, err := installedName(written)
		if err != nil {
			return nil, err
		}

		if functions[before], err = installedName(pinned); err != nil {
			return nil, err
		}
	}

	return functions, nil
}

// installedName of a package that Crossplane installs because another depends on it.
func installedName(pkg string) (string, error) {
	repository, err := name.NewRepository(pkg)
	if err != nil {
		return "", err
	}

	return xpkg.ToDNSLabel(repository.RepositoryStr()), nil
}

// renameIn the steps of Compositions in a YAML stream. Everything else stays as it is
// written.
func (r renames) renameIn(stream string) (string, error) {
	docs := strings.Split("\n"+stream, "\n---\n")

	for i, doc := range docs {
		var composition struct {
			Kind string `json:"kind"`
			Spec struct {
				Pipeline []struct {
					FunctionRef struct {
						Name string `json:"name"`
					} `json:"functionRef"`
				} `json:"pipeline"`
			} `json:"spec"`
		}

		if err := yaml.Unmarshal([]byte(doc), &composition); err != nil {
			return "", err
		}

		if composition.Kind != "Composition" {
			continue
		}

		var whole map[string]any
		if err := yaml.Unmarshal([]byte(doc), &whole); err != nil {
			return "", err
		}

		for s, step := range composition.Spec.Pipeline {
			if to, ok := r[step.FunctionRef.Name]; ok {
				whole["spec"].(map[string]any)["pipeline"].([]any)[s].(map[string]any)["functionRef"].(map[string]any)["name"] = to
			}
		}

		out, err := yaml.Marshal(whole)
		if err != nil {
			return "", err
		}

		docs[i] = string(out)
	}

	return joinYAML(docs), nil
}
