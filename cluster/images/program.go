package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// platforms that images are built for.
var platforms = []v1.Platform{
	{OS: "linux", Architecture: "amd64"},
	{OS: "linux", Architecture: "arm64"},
}

// nonroot is the user that the images run as: the one of distroless images. It is
// a number, since runAsNonRoot can only judge numbers.
const nonroot = "65532:65532"

// compile the program in dir for a platform, statically, into a file.
//
// The same source and Go version give the same bytes wherever it is built: no
// paths, no state of the repository and no setting of this machine goes in.
func compile(ctx context.Context, dir, version string, p v1.Platform, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build",
		"-buildvcs=false", "-trimpath", "-tags=grpcnotrace", "-ldflags=-s -w -X main.version="+version, "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Architecture, "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=-mod=readonly", "GOWORK=off", "GOEXPERIMENT=", "GOFIPS140=off")

	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot compile %s for %s: %w\n%s", dir, p, err, strings.TrimSpace(string(output)))
	}

	return nil
}

// programLayers are the layers of an image that runs a program and has nothing else
// in it: no shell, no package manager, no libraries.
func programLayers(binary string) ([]v1.Layer, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}

	roots, err := certificates()
	if err != nil {
		return nil, err
	}

	// Apart from the program, so that a new version of it is all that is pulled.
	system, err := newLayer(
		file{path: certificatesPath, mode: 0o444, content: roots},
		file{path: "etc/passwd", mode: 0o444, content: []byte("nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		file{path: "etc/group", mode: 0o444, content: []byte("nonroot:x:65532:\n")},
	)
	if err != nil {
		return nil, err
	}

	program, err := newLayer(file{path: strings.TrimPrefix(entrypoint(binary), "/"), mode: 0o555, content: content})
	if err != nil {
		return nil, err
	}

	return []v1.Layer{system, program}, nil
}

// entrypoint of an image that runs binary.
func entrypoint(binary string) string {
	return "/usr/local/bin/" + filepath.Base(binary)
}
