package main

import (
	"bytes"
	"encoding/pem"
	"errors"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// certificatesPath is where Go looks first on Linux.
const certificatesPath = "etc/ssl/certs/ca-certificates.crt"

// certificatesModule is where the certificates come from, for the bill of materials.
const certificatesModule = "golang.org/x/crypto/x509roots/fallback"

// certificates of the authorities that Mozilla trusts without a reservation, as one
// PEM file. They come from a pinned Go module: an image needs no network to be built
// and no other image to be built from. They are a file and not part of the program,
// so that whoever runs the provider behind a proxy can mount their own.
//
// A root that is only trusted for certificates issued before some date is left out,
// since a PEM file cannot say so.
func certificates() ([]byte, error) {
	buf := &bytes.Buffer{}

	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}

		if err := pem.Encode(buf, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}

	if buf.Len() == 0 {
		return nil, errors.New("module " + certificatesModule + " holds no certificates")
	}

	return buf.Bytes(), nil
}
