package local_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/cluster/local"
)

func TestBuiltBinaryIsReusedInSilence(t *testing.T) {
	var out bytes.Buffer
	first, err := local.Build(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	second, err := local.Build(t.Context(), &out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the same sources give the same binary (-first, +second):\n%s", diff)
	}
	if out.Len() > 0 {
		t.Errorf("nothing is told when nothing is built, got %q", out.String())
	}
}

func TestBinaryIsKeyedByItsSources(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]string{}
	check := func(change string) {
		key, err := local.BuildKey(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := seen[key]; ok {
			t.Errorf("%s gives the key of %s: another binary would be taken for this one", change, before)
		}
		seen[key] = change
	}
	write("go.mod", "module example.org/x\n")
	write("go.sum", "")
	write("main.go", "package main\n")
	check("the first version")
	write("main.go", "package main // changed\n")
	check("a changed source")
	write("go.sum", "changed\n")
	check("a changed dependency")
	write("new.go", "package main\n")
	check("a new source")
}

func TestOnlyOneBuildAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := local.Lock(t.Context(), path, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	var out bytes.Buffer
	if _, err := local.Lock(ctx, path, &out); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second build waits for the first, got %v", err)
	}
	if out.Len() == 0 {
		t.Error("who waits is told what for")
	}
	unlock()
	unlock, err = local.Lock(t.Context(), path, os.Stderr)
	if err != nil {
		t.Errorf("the next build starts when the first has ended: %v", err)
	}
	unlock()
}

func TestProgressCountsPackagesAndKeepsErrors(t *testing.T) {
	compiled, other := local.ProgressOf(10,
		"go: downloading k8s.io/kubernetes v1.37.2",
		"unicode/utf8", "k8s.io/api/core/v1",
		"# k8s.io/api/core/v1", "./types.go:1:1: undefined: x")
	if compiled != 2 {
		t.Errorf("counted %d packages, want 2", compiled)
	}
	if diff := cmp.Diff([]string{"# k8s.io/api/core/v1", "./types.go:1:1: undefined: x"}, other); diff != "" {
		t.Errorf("what is no progress is why the build failed (-want, +got):\n%s", diff)
	}
}
