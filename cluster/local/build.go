package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// buildFlags are the go build flags of the binary. Without the versions the
// components take themselves for v0.0.0 and refuse some of their own features.
var buildFlags = []string{
	"-trimpath", "-ldflags", "-s -w" +
		" -X k8s.io/component-base/version.gitVersion=v1.37.2" +
		" -X k8s.io/component-base/version.gitMajor=1" +
		" -X k8s.io/component-base/version.gitMinor=37",
}

// Build returns the path of the control plane's binary and builds it when the
// cache does not hold it yet. It then tells out what it does, about how long that
// takes, and how far it is; otherwise it is silent and returns at once.
//
// It works in any directory of the repository. Concurrent builds wait for each
// other.
func Build(ctx context.Context, out io.Writer) (string, error) {
	source, err := sourceDir()
	if err != nil {
		return "", err
	}
	key, err := buildKey(ctx, source)
	if err != nil {
		return "", fmt.Errorf("cannot tell the version of the local control plane: %w", err)
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(cache, "controlplane-"+key)
	if exists(binary) {
		return binary, nil
	}
	unlock, err := lock(ctx, filepath.Join(cache, "controlplane.lock"), out)
	if err != nil {
		return "", fmt.Errorf("cannot lock the cache of built tools: %w", err)
	}
	defer unlock()
	if exists(binary) {
		return binary, nil
	}
	if err := buildInto(ctx, source, binary, out); err != nil {
		return "", fmt.Errorf("cannot build the local control plane: %w", err)
	}
	return binary, nil
}

// buildInto builds the module in source and puts the binary at its final path in
// one step. The caller holds the lock.
func buildInto(ctx context.Context, source, binary string, out io.Writer) error {
	started := time.Now()
	say(out, "building etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok from Go modules")
	say(out, "into %s", binary)
	say(out, "about 8 minutes on 2 cores, half a minute with a warm Go build cache; once per version")

	// Only a build that was killed leaves these, and the lock says that none runs.
	stale, _ := filepath.Glob(filepath.Join(filepath.Dir(binary), "controlplane-*.tmp"))
	for _, f := range stale {
		_ = os.Remove(f)
	}
	tmp := binary + ".tmp"
	total, err := countPackages(ctx, source, out)
	if err != nil {
		return err
	}
	p := &progress{out: out, total: total, started: started}
	build := goCommand(ctx, source, slices.Concat([]string{"build", "-v", "-o", tmp}, buildFlags, []string{"."})...)
	if err := p.run(build); err != nil {
		return err
	}
	if err := os.Rename(tmp, binary); err != nil {
		return err
	}
	say(out, "built in %s", time.Since(started).Round(time.Second))
	return nil
}

// countPackages downloads what the build needs and returns how many packages it
// consists of.
func countPackages(ctx context.Context, source string, out io.Writer) (int, error) {
	p := &progress{out: out, started: time.Now()}
	list := goCommand(ctx, source, "list", "-deps", ".")
	var stdout strings.Builder
	list.Stdout = &stdout
	if err := p.run(list); err != nil {
		return 0, err
	}
	return strings.Count(stdout.String(), "\n"), nil
}

func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// A go.work file or flags meant for the calling module must not apply here.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-buildvcs=false")
	return cmd
}

// buildKey names what the binary is made of: the module's files, the flags and
// the Go toolchain.
func buildKey(ctx context.Context, source string) (string, error) {
	version, err := goCommand(ctx, source, "env", "GOVERSION", "GOOS", "GOARCH").Output()
	if err != nil {
		return "", fmt.Errorf("cannot run go env: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return "", err
	}
	files = append(files, filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum"))
	hash := sha256.New()
	fmt.Fprintf(hash, "%s%q\n", version, buildFlags)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n", filepath.Base(f), len(data))
		hash.Write(data)
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}

// sourceDir finds the control plane's module, walking up from the working
// directory to the root of the repository.
func sourceDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		source := filepath.Join(dir, "cluster", "local", "controlplane")
		if exists(filepath.Join(source, "go.mod")) {
			return source, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("cannot find cluster/local/controlplane in %s or above it: run this inside the repository", start)
		}
	}
}

// cacheDir returns the directory of built tools, outside the work tree so that a
// clean checkout does not build them again.
func cacheDir() (string, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		base = filepath.Join(home, ".cache")
	}
	dir := filepath.Join(base, "provider-nlb", "tools")
	return dir, os.MkdirAll(dir, 0o755)
}

// lock takes the lock file at path and waits for whoever holds it. The kernel
// releases it when this process ends.
func lock(ctx context.Context, path string, out io.Writer) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = f.Close()
			return nil, err
		}
		if !told {
			say(out, "another process is building it: waiting for that one")
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func say(out io.Writer, format string, args ...any) {
	fmt.Fprintf(out, "local control plane: "+format+"\n", args...)
}
