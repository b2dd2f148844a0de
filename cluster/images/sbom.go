package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// sbomType is CycloneDX in JSON: scanners find it among an image's referrers.
const sbomType = "application/vnd.cyclonedx+json"

// billOfMaterials of a program, from what the Go linker wrote into it: these modules
// are in it, and no others.
func billOfMaterials(binary string, s source, r release) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}

	roots, err := certificatesVersion()
	if err != nil {
		return nil, err
	}

	program := golang(cdx.ComponentTypeApplication, info.Path, r.version)
	program.Name = s.name()
	program.Licenses = &cdx.Licenses{{License: &cdx.License{ID: s.meta.Metadata.Annotations[annotationLicense]}}}

	parts := []cdx.Component{
		golang(cdx.ComponentTypeLibrary, "stdlib", strings.TrimPrefix(info.GoVersion, "go")),
		golang(cdx.ComponentTypeData, certificatesModule, roots),
	}

	for _, m := range info.Deps {
		path, version := compiled(m, r)
		parts = append(parts, golang(cdx.ComponentTypeLibrary, path, version))
	}

	slices.SortFunc(parts, func(a, b cdx.Component) int { return strings.Compare(a.BOMRef, b.BOMRef) })

	refs := make([]string, 0, len(parts))
	for _, p := range parts {
		refs = append(refs, p.BOMRef)
	}

	// No serial number and no time: both are optional, and would differ in each build.
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &program}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: program.BOMRef, Dependencies: &refs}}

	buf := &bytes.Buffer{}

	// 1.6 and not the newest: scanners learn new versions late.
	err = cdx.NewBOMEncoder(buf, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)

	return buf.Bytes(), err
}

// golang component. Its package URL is what vulnerabilities are looked up by.
func golang(t cdx.ComponentType, path, version string) cdx.Component {
	url := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")

	return cdx.Component{Type: t, BOMRef: url, Name: path, Version: version, PackageURL: url}
}

// compiled is what was compiled for a module. One that is replaced by a folder of this
// repository has the version of the release.
func compiled(m *debug.Module, r release) (path, version string) {
	switch {
	case m.Replace == nil:
		return m.Path, m.Version
	case m.Replace.Version == "":
		return m.Path, r.version
	default:
		return m.Replace.Path, m.Replace.Version
	}
}

// certificatesVersion is the version of the module that this builder took the
// certificates from.
func certificatesVersion() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == certificatesModule {
				return m.Version, nil
			}
		}
	}

	return "", fmt.Errorf("cannot tell the version of %s: this program was built without module information", certificatesModule)
}
