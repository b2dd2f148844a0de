package install

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/crossplane"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// Publish builds a version of our packages as a release does, but for one platform,
// and pushes it to the registry, together with the function that they depend on.
func (i *Installation) Publish(ctx context.Context, version string) error {
	fmt.Fprintf(i.log, "building the packages %s (some minutes the first time, then seconds)\n", version)
	release := []string{"--release=" + version, "--out=" + filepath.Join(i.Dir(), "packages-"+version)}
	for _, step := range [][]string{
		{"--registry=" + published, "build", "--platform=linux/" + runtime.GOARCH},
		{"--registry=" + i.Registry.Address() + "/crossplane-contrib", "--force", "publish"},
	} {
		cmd := exec.CommandContext(ctx, "go", append(append([]string{"run", "."}, release...), step...)...)
		cmd.Dir = stack.Path("cluster/images")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("cannot make the packages %s: %w\n%s", version, err, out)
		}
	}
	ready, err := local.AutoReady.Build(ctx, i.log)
	if err != nil {
		return err
	}
	_, err = crossplane.PushFunction(ctx, i.Registry, local.AutoReady.Name(), ready)
	return err
}

// program takes the program that an image runs out of it, and returns its path.
func (i *Installation) program(ctx context.Context, image, program string) (string, error) {
	ref, err := name.NewTag(image)
	if err != nil {
		return "", err
	}
	found, err := remote.Image(ref, remote.WithContext(ctx), remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
	if err != nil {
		return "", fmt.Errorf("cannot pull %s: %w", image, err)
	}
	files := mutate.Extract(found)
	defer func() { _ = files.Close() }()
	to := filepath.Join(i.Dir(), program+"-"+ref.TagStr())
	for archive := tar.NewReader(files); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return "", fmt.Errorf("%s has no program %s", image, program)
		}
		if err != nil {
			return "", err
		}
		if filepath.Join("/", header.Name) == "/usr/local/bin/"+program {
			return to, write(to, archive)
		}
	}
}

// write a program.
func write(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}
