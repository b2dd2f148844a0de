// Command images builds the project's Crossplane packages, which are the images of
// its programs, too, and publishes them. It needs Go and git: no container runtime,
// no Crossplane CLI, and no network but for Go modules.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// defaultRegistry is where released packages are.
const defaultRegistry = "xpkg.crossplane.io/crossplane-contrib"

type flags struct {
	root      string
	out       string
	version   string
	registry  string
	platforms []string
	force     bool
}

func main() {
	f := &flags{}
	app := kingpin.New("images", "Builds and publishes Crossplane packages.")
	app.Flag("root", "The repository.").Default("../..").StringVar(&f.root)
	app.Flag("out", "Where the packages are.").Default("../../_output/package").StringVar(&f.out)
	// Not --version: kingpin keeps that name for itself and then sets no defaults.
	app.Flag("release", "Version of the packages, like v0.1.0.").Required().StringVar(&f.version)
	app.Flag("registry", "Host and path of the registry that the packages are for.").StringVar(&f.registry)
	app.Flag("force", "Publish what was not committed, and move tags that exist.").BoolVar(&f.force)

	build := app.Command("build", "Build the packages.")
	build.Flag("platform", "Build for this platform only, like linux/arm64.").StringsVar(&f.platforms)

	check := app.Command("check", "Say what stands in the way of publishing.")
	app.Command("publish", "Publish the packages that were built.")

	command := kingpin.MustParse(app.Parse(os.Args[1:]))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	var err error

	switch command {
	case build.FullCommand():
		err = runBuild(ctx, f)
	case check.FullCommand():
		err = runCheck(ctx, f)
	default:
		err = runPublish(ctx, f)
	}

	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // The signal's handler ends with the process.
	}
}

func runBuild(ctx context.Context, f *flags) error {
	r, err := f.release(ctx)
	if err != nil {
		return err
	}

	wanted, err := f.wantedPlatforms()
	if err != nil {
		return err
	}

	packages, err := buildAll(ctx, f.root, r, wanted)
	if err != nil {
		return err
	}

	if err := write(f.out, r, packages); err != nil {
		return err
	}

	for _, p := range packages {
		digest, err := p.index.Digest()
		if err != nil {
			return err
		}

		fmt.Printf("%s  %s:%s\n", digest, p.name, r.version)
	}

	return nil
}

// runCheck fails early, before minutes of compiling.
func runCheck(ctx context.Context, f *flags) error {
	if err := checkRegistry(f.registry); err != nil {
		return err
	}

	if err := checkVersion(f.version); err != nil || f.force {
		return err
	}

	return checkCommitted(ctx, f.root)
}

func runPublish(ctx context.Context, f *flags) error {
	if err := runCheck(ctx, f); err != nil {
		return err
	}

	r, err := f.release(ctx)
	if err != nil {
		return err
	}

	return publish(ctx, f.out, r, f.force, os.Stdout)
}

func (f *flags) release(ctx context.Context) (release, error) {
	if err := checkVersion(f.version); err != nil {
		return release{}, err
	}

	registry := f.registry
	if registry == "" {
		registry = defaultRegistry
	}

	return release{version: f.version, revision: revision(ctx, f.root), registry: strings.TrimSuffix(registry, "/")}, checkRegistry(registry)
}

func (f *flags) wantedPlatforms() ([]v1.Platform, error) {
	if len(f.platforms) == 0 {
		return platforms, nil
	}

	var wanted []v1.Platform

	for _, name := range f.platforms {
		p, err := v1.ParsePlatform(name)
		if err != nil || p.OS == "" || p.Architecture == "" {
			return nil, fmt.Errorf("platform %q: write it like linux/arm64", name)
		}

		wanted = append(wanted, *p)
	}

	return wanted, nil
}
