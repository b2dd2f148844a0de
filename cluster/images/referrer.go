package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	emptyConfigType = "application/vnd.oci.empty.v1+json"
	emptyConfig     = "{}"
)

// A referrer is a document about an image, which registries list with it (OCI 1.1:
// an artifact whose subject is the image).
type referrer struct {
	document v1.Layer
	manifest []byte
}

// newReferrer to subject that holds a document of the media type.
func newReferrer(subject v1.Image, mediaType string, document []byte) (v1.Image, error) {
	about, err := partial.Descriptor(subject)
	if err != nil {
		return nil, err
	}

	layer := static.NewLayer(document, types.MediaType(mediaType))

	content, err := partial.Descriptor(layer)
	if err != nil {
		return nil, err
	}

	digest, size, err := v1.SHA256(bytes.NewReader([]byte(emptyConfig)))
	if err != nil {
		return nil, err
	}

	manifest, err := json.Marshal(v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.OCIManifestSchema1,
		ArtifactType:  mediaType,
		Config:        v1.Descriptor{MediaType: emptyConfigType, Digest: digest, Size: size},
		Layers:        []v1.Descriptor{*content},
		Subject:       &v1.Descriptor{MediaType: about.MediaType, Digest: about.Digest, Size: about.Size},
	})
	if err != nil {
		return nil, err
	}

	return partial.CompressedToImage(&referrer{document: layer, manifest: manifest})
}

// MediaType of the manifest.
func (r *referrer) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// RawManifest is the manifest.
func (r *referrer) RawManifest() ([]byte, error) { return r.manifest, nil }

// RawConfigFile is the empty JSON object: the artifact has a type, which says it all.
func (r *referrer) RawConfigFile() ([]byte, error) { return []byte(emptyConfig), nil }

// LayerByDigest is the document.
func (r *referrer) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	if digest, err := r.document.Digest(); err != nil || digest != h {
		return nil, fmt.Errorf("there is no layer %s: %w", h, err)
	}

	return r.document, nil
}

// documentOf a referrer.
func documentOf(r v1.Image) ([]byte, error) {
	layers, err := r.Layers()
	if err != nil {
		return nil, err
	}

	if len(layers) != 1 {
		return nil, fmt.Errorf("a referrer has one layer, not %d", len(layers))
	}

	content, err := layers[0].Compressed()
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()

	return io.ReadAll(content)
}
