package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// A release is what a build makes packages of, besides the files.
type release struct {
	version  string
	revision string // commit; empty outside a repository
	registry string // host and path that the packages will be published to
}

// stream is the package's content as YAML: its crossplane.yaml, then every object in
// its folder.
func (s source) stream(r release, ours []string) (string, error) {
	head, functions, err := s.metaYAML(r, ours)
	if err != nil {
		return "", err
	}

	files, err := yamlFiles(s.root, s.dir)
	if err != nil {
		return "", err
	}

	docs := []string{head}

	for _, f := range files {
		if f.path == s.path(metaFile) {
			continue
		}

		doc, err := functions.renameIn(string(f.content))
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.path, err)
		}

		docs = append(docs, doc)
	}

	return joinYAML(docs), nil
}

// exampleStream is the content of the package's examples as YAML; empty if it shows
// none.
func (s source) exampleStream() (string, error) {
	var docs []string

	for _, dir := range s.examples() {
		files, err := yamlFiles(s.root, dir)
		if err != nil {
			return "", err
		}

		for _, f := range files {
			docs = append(docs, string(f.content))
		}
	}

	return joinYAML(docs), nil
}

// metaYAML is crossplane.yaml with what only a build knows: the readme, and where the
// packages are that are released together with this one, and since which version
// they fit. It also tells which functions have other names by that.
func (s source) metaYAML(r release, ours []string) (string, renames, error) {
	data, err := s.read(metaFile)
	if err != nil {
		return "", nil, err
	}

	readme, err := s.read(readmeFile)
	if err != nil {
		return "", nil, err
	}

	// Not through a Go type: a field that this version of the type does not know must
	// not get lost.
	var m map[string]any
	if err := yaml.Unmarshal(data, &m); err != nil {
		return "", nil, err
	}

	m["metadata"].(map[string]any)["annotations"].(map[string]any)[annotationReadme] = string(readme)

	functions, err := r.pin(m, ours)
	if err != nil {
		return "", nil, err
	}

	out, err := yaml.Marshal(m)

	return string(out), functions, err
}

// yamlFiles below dir, which is below root, in the order of their names.
func yamlFiles(root, dir string) ([]file, error) {
	var files []file

	err := filepath.WalkDir(filepath.Join(root, dir), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || (filepath.Ext(name) != ".yaml" && filepath.Ext(name) != ".yml") {
			return err
		}

		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}

		content, err := os.ReadFile(name)
		files = append(files, file{path: rel, content: content})

		return err
	})

	return files, err
}

func joinYAML(docs []string) string {
	b := &bytes.Buffer{}

	for _, d := range docs {
		b.WriteString("---\n")
		b.WriteString(strings.TrimPrefix(strings.TrimSpace(d), "---\n"))
		b.WriteString("\n")
	}

	return b.String()
}
