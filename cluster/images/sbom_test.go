package main

import (
	"bytes"
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
)

func TestABillOfMaterialsNamesWhatIsInTheProgram(t *testing.T) {
	p := newWorld(t).built(t, "provider-nlb")

	roots, err := certificatesVersion()
	if err != nil {
		t.Fatal(err)
	}

	want := map[string]string{
		"pkg:golang/github.com/Masterminds/semver/v3@v3.5.0":               "library",
		"pkg:golang/stdlib@" + strings.TrimPrefix(runtime.Version(), "go"): "library",
		"pkg:golang/golang.org/x/crypto/x509roots/fallback@" + roots:       "data",
		"pkg:golang/example.org/program@v0.1.0":                            "application",
	}

	for i, sbom := range p.sboms {
		bom := readBOM(t, sbom)

		got := map[string]string{bom.Metadata.Component.PackageURL: string(bom.Metadata.Component.Type)}
		for _, c := range *bom.Components {
			got[c.PackageURL] = string(c.Type)
		}

		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("components for %s (-want, +got):\n%s", p.images[i].platform, diff)
		}

		if bom.SpecVersion != cdx.SpecVersion1_6 || bom.SerialNumber != "" || bom.Metadata.Timestamp != "" {
			t.Errorf("CycloneDX %s, serial number %q, time %q: want 1.6 and neither", bom.SpecVersion, bom.SerialNumber, bom.Metadata.Timestamp)
		}
	}
}

func TestABillOfMaterialsRefersToItsImage(t *testing.T) {
	p := newWorld(t).built(t, "provider-nlb")

	for i, sbom := range p.sboms {
		subject, err := partial.Descriptor(p.images[i].image)
		if err != nil {
			t.Fatal(err)
		}

		raw, err := sbom.RawManifest()
		if err != nil {
			t.Fatal(err)
		}

		got := v1.Manifest{}
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}

		want := v1.Manifest{
			SchemaVersion: 2,
			MediaType:     "application/vnd.oci.image.manifest.v1+json",
			ArtifactType:  "application/vnd.cyclonedx+json",
			// The empty JSON object, as the OCI image specification has it.
			Config: v1.Descriptor{
				MediaType: "application/vnd.oci.empty.v1+json", Size: 2,
				Digest: v1.Hash{Algorithm: "sha256", Hex: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
			},
			Layers:  []v1.Descriptor{{MediaType: "application/vnd.cyclonedx+json", Size: got.Layers[0].Size, Digest: got.Layers[0].Digest}},
			Subject: &v1.Descriptor{MediaType: subject.MediaType, Size: subject.Size, Digest: subject.Digest},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("manifest for %s (-want, +got):\n%s", p.images[i].platform, diff)
		}
	}
}

func TestAReplacedModuleIsNamedAsItWasCompiled(t *testing.T) {
	cases := map[string]struct {
		module *debug.Module
		want   [2]string
		reason string
	}{
		"AsRequired": {
			module: &debug.Module{Path: "example.org/a", Version: "v1.0.0"},
			want:   [2]string{"example.org/a", "v1.0.0"},
			reason: "Nothing is replaced.",
		},
		"ByAnotherModule": {
			module: &debug.Module{Path: "example.org/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/fork", Version: "v1.0.1"}},
			want:   [2]string{"example.org/fork", "v1.0.1"},
			reason: "The fork's code is in the program, so the fork's vulnerabilities are.",
		},
		"ByAFolder": {
			module: &debug.Module{Path: "example.org/a", Version: "v0.0.0", Replace: &debug.Module{Path: "../.."}},
			want:   [2]string{"example.org/a", "v0.1.0"},
			reason: "A folder of this repository is released with it.",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path, version := compiled(tc.module, testRelease)
			if diff := cmp.Diff(tc.want, [2]string{path, version}); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func readBOM(t *testing.T, sbom v1.Image) *cdx.BOM {
	t.Helper()

	document, err := documentOf(sbom)
	if err != nil {
		t.Fatal(err)
	}

	bom := &cdx.BOM{}
	if err := cdx.NewBOMDecoder(bytes.NewReader(document), cdx.BOMFileFormatJSON).Decode(bom); err != nil {
		t.Fatal(err)
	}

	return bom
}
