package main

import (
	"bytes"
	"crypto/x509"
	"debug/elf"
	"encoding/pem"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// What runs in a cluster: nothing is in it but the program, the certificates, and
// what Crossplane and marketplaces read.
func TestAnImageHoldsTheProgramAndNothingElse(t *testing.T) {
	for _, i := range newWorld(t).built(t, "provider-nlb").images {
		t.Run(i.platform.String(), func(t *testing.T) {
			entries, _ := entriesOf(t, mutate.Extract(i.image))

			want := map[string]entry{
				"etc":                        {Type: '5', Mode: "755"},
				"etc/group":                  {Type: '0', Mode: "444", Size: true},
				"etc/passwd":                 {Type: '0', Mode: "444", Size: true},
				"etc/ssl":                    {Type: '5', Mode: "755"},
				"etc/ssl/certs":              {Type: '5', Mode: "755"},
				certificatesPath:             {Type: '0', Mode: "444", Size: true},
				"usr":                        {Type: '5', Mode: "755"},
				"usr/local":                  {Type: '5', Mode: "755"},
				"usr/local/bin":              {Type: '5', Mode: "755"},
				"package.yaml":               {Type: '0', Mode: "644", Size: true},
				".up/examples.yaml":          {Type: '0', Mode: "644", Size: true},
				"usr/local/bin/provider-nlb": {Type: '0', Mode: "555", Size: true},
			}
			if diff := cmp.Diff(want, entries); diff != "" {
				t.Errorf("files (-want, +got):\n%s", diff)
			}
		})
	}
}

func TestAnImageRunsAsNobodyAndSaysWhatItIs(t *testing.T) {
	about := map[string]string{
		"org.opencontainers.image.title":       "provider-nlb",
		"org.opencontainers.image.description": "AWS Network Load Balancers whose target groups follow hostNetwork pods.",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.source":      "https://github.com/provider-nlb/provider-nlb",
		"org.opencontainers.image.vendor":      "The provider-nlb authors",
		"org.opencontainers.image.version":     "v0.1.0",
		"org.opencontainers.image.revision":    "4a6f686e",
	}

	p := newWorld(t).built(t, "provider-nlb")

	for _, i := range p.images {
		t.Run(i.platform.String(), func(t *testing.T) {
			cfg, err := i.image.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}

			labels := map[string]string{}
			for k, v := range about {
				labels[k] = v
			}

			for _, meaning := range []string{xpkg.PackageAnnotation, xpkg.ExamplesAnnotation} {
				digest, err := layerOf(t, i.image, meaning).Digest()
				if err != nil {
					t.Fatal(err)
				}

				labels[xpkg.Label(digest.String())] = meaning
			}

			want := v1.Config{User: "65532:65532", Entrypoint: []string{"/usr/local/bin/provider-nlb"}, WorkingDir: "/", Labels: labels}
			if diff := cmp.Diff(want, cfg.Config); diff != "" {
				t.Errorf("config (-want, +got):\n%s", diff)
			}

			if got := (v1.Platform{OS: cfg.OS, Architecture: cfg.Architecture}); !got.Equals(i.platform) {
				t.Errorf("the config is for %s: want %s", got, i.platform)
			}

			m, err := i.image.Manifest()
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(about, m.Annotations); diff != "" {
				t.Errorf("annotations of the manifest (-want, +got):\n%s", diff)
			}
		})
	}

	m := indexManifest(t, p)
	if diff := cmp.Diff(about, m.Annotations); diff != "" {
		t.Errorf("annotations of the index (-want, +got):\n%s", diff)
	}
}

// Whoever pulls takes the first entry that fits the platform, so what runs nowhere
// must say so.
func TestTheIndexNamesAPlatformForEachImage(t *testing.T) {
	p := newWorld(t).built(t, "provider-nlb")

	var want []v1.Descriptor

	for _, i := range p.images {
		d, err := partial.Descriptor(untyped{i.image})
		if err != nil {
			t.Fatal(err)
		}

		d.Platform = &i.platform
		want = append(want, *d)
	}

	got := indexManifest(t, p).Manifests
	last := got[len(got)-1]
	want = append(want, v1.Descriptor{
		MediaType: types.OCIManifestSchema1, Size: last.Size, Digest: last.Digest,
		Annotations: map[string]string{"io.crossplane.xpkg": "xpkg-extensions"},
		Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
	})

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("manifests of the index (-want, +got):\n%s", diff)
	}
}

func indexManifest(t *testing.T, p built) *v1.IndexManifest {
	t.Helper()

	m, err := p.index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}

	return m
}

// A dynamically linked program would not start: there is no linker in the image.
func TestTheProgramIsStaticAndForItsPlatform(t *testing.T) {
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

	for _, i := range newWorld(t).built(t, "provider-nlb").images {
		t.Run(i.platform.String(), func(t *testing.T) {
			_, contents := entriesOf(t, mutate.Extract(i.image))

			program, err := elf.NewFile(bytes.NewReader(contents["usr/local/bin/provider-nlb"]))
			if err != nil {
				t.Fatal(err)
			}

			if want := machines[i.platform.Architecture]; program.Machine != want {
				t.Errorf("the program is for %s: want %s", program.Machine, want)
			}

			for _, p := range program.Progs {
				if p.Type == elf.PT_INTERP {
					t.Error("the program needs a dynamic linker")
				}
			}
		})
	}
}

func TestTheCertificatesAreThoseThatAWSNeeds(t *testing.T) {
	data, err := certificates()
	if err != nil {
		t.Fatal(err)
	}

	found := map[string]bool{}

	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}

		if !c.IsCA {
			t.Errorf("%s is no authority", c.Subject)
		}

		found[c.Subject.CommonName] = true
	}

	// Amazon Trust Services, which certify AWS's endpoints:
	// https://www.amazontrust.com/repository/
	for _, name := range []string{"Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4"} {
		if !found[name] {
			t.Errorf("%q is missing", name)
		}
	}

	// Mozilla trusts this one only for what it issued until a date.
	if reserved := "Izenpe.com"; found[reserved] {
		t.Errorf("%q is there", reserved)
	}
}

// validate reads every blob and compares it with its digest, size and type.
func TestImagesAreValidAndInTheOCIFormat(t *testing.T) {
	for _, p := range newWorld(t).packages {
		t.Run(p.name, func(t *testing.T) {
			if err := validate.Index(p.index); err != nil {
				t.Error(err)
			}

			for _, i := range p.images {
				m, err := i.image.Manifest()
				if err != nil {
					t.Fatal(err)
				}

				got := []types.MediaType{m.MediaType, m.Config.MediaType}
				want := []types.MediaType{types.OCIManifestSchema1, types.OCIConfigJSON}

				for _, l := range m.Layers {
					got, want = append(got, l.MediaType), append(want, types.OCILayer)
				}

				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("media types for %s (-want, +got):\n%s", i.platform, diff)
				}
			}
		})
	}
}
