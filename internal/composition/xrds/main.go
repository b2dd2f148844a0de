// Command xrds makes the CompositeResourceDefinitions of both styles from the CRDs
// that controller-gen makes of the composition's types. It reads CRDs from standard
// input and writes a file for each kind and style into the directory that is its
// argument.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigyaml "sigs.k8s.io/yaml"
)

// A style is how composite resources of a kind are defined.
type style struct {
	// prefix of the kind's name, and prefix of the Composition's.
	kind, composition string
	apiVersion, scope string
	claims            bool
}

var styles = []style{
	{composition: "hostnetwork-nlb", apiVersion: "apiextensions.crossplane.io/v2", scope: "Namespaced"},
	{kind: "X", composition: "hostnetwork-nlb-legacy", apiVersion: "apiextensions.crossplane.io/v1", scope: "LegacyCluster", claims: true},
}

const (
	claimed  = "NetworkLoadBalancer"
	notice   = "# Made by `make generate` from the types of internal/composition.\n"
	filePerm = 0o644
)

func main() {
	if err := run(os.Stdin, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "xrds:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, dir string) error {
	for docs := yaml.NewYAMLOrJSONDecoder(in, 4096); ; {
		crd := &extv1.CustomResourceDefinition{}
		if err := docs.Decode(crd); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("cannot read a CRD: %w", err)
		}

		for _, s := range styles {
			names, xrd := s.define(crd)

			data, err := sigyaml.Marshal(xrd)
			if err != nil {
				return fmt.Errorf("cannot write %s: %w", names.Kind, err)
			}

			file := filepath.Join(dir, names.Plural+".yaml")
			if err := os.WriteFile(file, slices.Concat([]byte(notice), bytes.TrimLeft(data, "\n")), filePerm); err != nil { //nolint:gosec // It is published.
				return err
			}
		}
	}
}

// define returns the definition of a CRD's kind in a style.
func (s style) define(crd *extv1.CustomResourceDefinition) (extv1.CustomResourceDefinitionNames, map[string]any) {
	names := named(s.kind+crd.Spec.Names.Kind, crd.Spec.Names.Categories)
	v := crd.Spec.Versions[0]
	schema := v.Schema.OpenAPIV3Schema.DeepCopy()

	// Crossplane adds these.
	for _, p := range []string{"apiVersion", "kind", "metadata"} {
		delete(schema.Properties, p)
	}

	spec := map[string]any{
		"group": crd.Spec.Group,
		"names": names,
		"scope": s.scope,
		"defaultCompositionRef": map[string]any{
			"name": s.composition + suffix(crd.Spec.Names.Kind),
		},
		"versions": []any{map[string]any{
			"name": v.Name, "served": true, "referenceable": true,
			"additionalPrinterColumns": v.AdditionalPrinterColumns,
			"schema":                   map[string]any{"openAPIV3Schema": schema},
		}},
	}

	if s.claims && crd.Spec.Names.Kind == claimed {
		spec["claimNames"] = named(claimed+"Claim", names.Categories)
		spec["connectionSecretKeys"] = []string{"dnsName", "canonicalHostedZoneId", "arn"}
	}

	return names, map[string]any{
		"apiVersion": s.apiVersion,
		"kind":       "CompositeResourceDefinition",
		"metadata":   map[string]any{"name": names.Plural + "." + crd.Spec.Group},
		"spec":       spec,
	}
}

// suffix of the Composition of a kind.
func suffix(kind string) string {
	if kind == claimed {
		return ""
	}

	return "-port"
}

func named(kind string, categories []string) extv1.CustomResourceDefinitionNames {
	lower := string(bytes.ToLower([]byte(kind)))

	return extv1.CustomResourceDefinitionNames{
		Kind: kind, ListKind: kind + "List", Singular: lower, Plural: lower + "s", Categories: categories,
	}
}
