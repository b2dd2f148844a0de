package apis_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/provider-nlb/provider-nlb/internal/crdtest"
)

// fence finds the YAML of a document.
var fence = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// TestWhatUsersCopyIsAccepted validates every object of ours that the
// documentation and the examples show in full, unknown fields included.
func TestWhatUsersCopyIsAccepted(t *testing.T) {
	kinds := map[string]crdtest.CRD{}

	for _, c := range crdtest.Read(t, crds) {
		for _, v := range c.Spec.Versions {
			kinds[c.Spec.Group+"/"+v.Name+" "+c.Spec.Names.Kind] = c
		}
	}

	for file, documents := range userDocuments(t) {
		for _, d := range documents {
			object := map[string]any{}
			if err := yaml.Unmarshal([]byte(d), &object); err != nil {
				t.Errorf("%s: no YAML: %v\n%s", file, err, d)

				continue
			}

			version, _ := object["apiVersion"].(string)
			kind, _ := object["kind"].(string)

			c, ours := kinds[version+" "+kind]
			if !ours {
				if strings.Contains(version, "nlb.crossplane.io/") && !strings.HasPrefix(version, "edge.") || strings.HasPrefix(version, "nlb.m.") {
					t.Errorf("%s: there is no %s of %s", file, kind, version)
				}

				continue
			}

			object, _ = crdtest.Integers(object).(map[string]any)
			for _, refusal := range c.Refusals(object, nil) {
				t.Errorf("%s: %s: %s", file, kind, refusal)
			}
		}
	}
}

// userDocuments are the YAML documents of each file that users read.
func userDocuments(t *testing.T) map[string][]string {
	t.Helper()

	out := map[string][]string{}

	for _, root := range []string{"../README.md", "../docs", "../examples"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}

			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}

			switch filepath.Ext(path) {
			case ".yaml":
				out[path] = separated(string(data))
			case ".md":
				for _, block := range fence.FindAllStringSubmatch(string(data), -1) {
					out[path] = append(out[path], separated(block[1])...)
				}
			}

			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	if len(out) == 0 {
		t.Fatal("there is nothing that users could copy")
	}

	return out
}

// separated are the objects of a YAML text; a part of an object, which has no
// apiVersion, is none.
func separated(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n---\n"), func(d string) bool {
		return !strings.HasPrefix(d, "apiVersion:") && !strings.Contains(d, "\napiVersion:")
	})
}
