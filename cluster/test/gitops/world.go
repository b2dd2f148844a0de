// Package gitops plays a team that keeps everything in Git: the documented
// repository of examples/gitops, a real tool that syncs it to a cluster, real
// Crossplane that installs the packages, and the simulated AWS, which judges.
//
// The story is the same for each tool, and the tool's own package tells it.
package gitops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/git"
	"github.com/provider-nlb/provider-nlb/cluster/test/install"
	"github.com/provider-nlb/provider-nlb/cluster/test/stack"
)

// Layout is the documented repository.
const Layout = install.Layout

const (
	// patience is how long anything may take that should happen, on a busy machine.
	patience = 5 * time.Minute
	// setup is how long it may take until everything runs, builds included.
	setup = 40 * time.Minute
)

// A World is a cluster with Crossplane, on which nothing is installed yet, and a Git
// repository.
type World struct {
	*install.Installation
	Git *git.Server

	// bare is what AWS holds besides what claims make.
	bare []string
}

// Start starts a world, which ends with the test.
func Start(t *testing.T) *World {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), setup)
	defer cancel()
	w := &World{}
	t.Cleanup(func() {
		if t.Failed() {
			w.showLogs(t)
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
	var err error
	if w.Installation, err = install.Start(ctx, install.Options{Nodes: 6}); err != nil {
		t.Fatal(err)
	}
	if w.Git, err = git.Start(ctx, filepath.Join(w.Dir(), "git")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.label(ctx), w.CopyLayout(w.Git.Dir())); err != nil {
		t.Fatal(err)
	}
	if w.bare, err = w.Inventory(ctx, stack.Region); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *World) stop() error {
	var errs []error
	if w.Git != nil {
		errs = append(errs, w.Git.Stop())
	}
	if w.Installation != nil {
		errs = append(errs, w.Stop())
	}
	return errors.Join(errs...)
}

// label gives two nodes to the proxies of the layout, and two to their successors.
func (w *World) label(ctx context.Context) error {
	return errors.Join(
		w.LabelNodes(ctx, "example.org/edge", "true", "node-0", "node-1"),
		w.LabelNodes(ctx, "example.org/edge", "next", "node-3", "node-4"),
	)
}

// Edit changes files of the repository and commits. Each change is of a text that
// is there once.
func (w *World) Edit(t *testing.T, message string, changes ...Change) (commit string) {
	t.Helper()
	for _, c := range changes {
		path := filepath.Join(w.Git.Dir(), filepath.FromSlash(c.File))
		before, err := os.ReadFile(path)
		if err != nil && (c.Old != "" || !errors.Is(err, fs.ErrNotExist)) {
			t.Fatal(err)
		}
		if c.Old != "" && strings.Count(string(before), c.Old) != 1 {
			t.Fatalf("%s has %q not once:\n%s", c.File, c.Old, before)
		}
		after := strings.Replace(string(before), c.Old, c.New, 1)
		if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return w.Commit(t, message)
}

// A Change of a file of the repository; without Old it is a new file.
type Change struct{ File, Old, New string }

// read a file of the repository.
func (w *World) read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(w.Git.Dir(), filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Commit commits the work tree.
func (w *World) Commit(t *testing.T, message string) string {
	t.Helper()
	if err := w.Git.Commit(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	commit, err := w.Git.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("commit %.8s: %s", commit, message)
	return commit
}

// Until polls until there is no error any more.
func (w *World) Until(t *testing.T, reason string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	began := time.Now()
	if err := local.Poll(ctx, func() (bool, error) { err := try(ctx); return err == nil, err }); err != nil {
		t.Fatalf("%s: %v", reason, err)
	}
	t.Logf("%s: after %s", reason, time.Since(began).Round(100*time.Millisecond))
}

// holds says whether AWS holds exactly that for claims.
func (w *World) holds(ctx context.Context, want []string) error {
	have, err := w.Inventory(ctx, stack.Region)
	if err != nil {
		return err
	}
	have = slices.DeleteFunc(have, func(line string) bool { return slices.Contains(w.bare, line) })
	if diff := cmp.Diff(want, have, cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("AWS holds (-want, +got):\n%s", diff)
	}
	return nil
}

// serves says whether the healthy targets of the claim's port are exactly the
// instances that run an app's pods.
func (w *World) serves(ctx context.Context, app string, nodes, port, target int) error {
	instances, err := w.Instances(ctx, "edge", client.MatchingLabels{"app": app})
	if err != nil {
		return err
	}
	if len(instances) != nodes {
		return fmt.Errorf("%s runs on %d nodes, want %d", app, len(instances), nodes)
	}
	var want []stack.Target
	for _, id := range instances {
		want = append(want, stack.Target{ID: id, Port: int32(target), State: "healthy"})
	}
	arn, err := w.GroupARN(ctx, stack.Region, fmt.Sprintf("edge-edge-%d-tcp", port))
	if err != nil {
		return err
	}
	have, err := w.Targets(ctx, arn)
	if diff := cmp.Diff(want, have); err == nil && diff != "" {
		err = fmt.Errorf("targets of port %d (-want, +got):\n%s", port, diff)
	}
	return err
}

// showLogs shows the end of what everything beside the control plane wrote.
func (w *World) showLogs(t *testing.T) {
	t.Helper()
	if w.Installation == nil {
		return
	}
	logs, _ := filepath.Glob(filepath.Join(w.Dir(), "*-*.log"))
	for _, path := range logs {
		if content, err := os.ReadFile(path); err == nil {
			t.Logf("--- end of %s\n%s", filepath.Base(path), content[max(0, len(content)-6<<10):])
		}
	}
}
