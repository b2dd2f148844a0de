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

// Built is a program in the cache.
type Built struct {
	// Binary is the program's path.
	Binary string
	// Files is the directory of the files of the program's release.
	Files string
	// Version of the release, if it has files.
	Version string
}

// Build returns the path of the control plane's binary and builds it when the
// cache does not hold it yet.
func Build(ctx context.Context, out io.Writer) (string, error) {
	built, err := controlPlane.Build(ctx, out)
	return built.Binary, err
}

// Build returns where the program is and builds it when the cache does not hold it
// yet. It then tells out what it does, about how long that takes, and how far it
// is; otherwise it is silent and returns at once.
//
// It works in any directory of the repository. Concurrent builds wait for each
// other.
func (p Program) Build(ctx context.Context, out io.Writer) (Built, error) {
	dir, err := p.build(ctx, out)
	if err != nil {
		return Built{}, err
	}
	built := Built{Binary: filepath.Join(dir, p.name), Files: filepath.Join(dir, "files")}
	if len(p.files) == 0 {
		return built, nil
	}
	version, err := os.ReadFile(filepath.Join(dir, "version"))
	built.Version = string(version)
	return built, err
}

// build returns the program's directory in the cache.
func (p Program) build(ctx context.Context, out io.Writer) (string, error) {
	modules, err := modulesDir()
	if err != nil {
		return "", err
	}
	source := filepath.Join(modules, p.module)
	key, err := p.key(ctx, source)
	if err != nil {
		return "", fmt.Errorf("cannot tell the version of %s: %w", p.name, err)
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, p.name+"-"+key)
	if exists(dir) {
		return dir, nil
	}
	unlock, err := lock(ctx, filepath.Join(cache, p.name+".lock"), out)
	if err != nil {
		return "", fmt.Errorf("cannot lock the cache of built tools: %w", err)
	}
	defer unlock()
	if exists(dir) {
		return dir, nil
	}
	if err := p.buildInto(ctx, source, dir, out); err != nil {
		return "", fmt.Errorf("cannot build %s: %w", p.name, err)
	}
	return dir, nil
}

// buildInto builds the program and puts its directory at its final path in one
// step. The caller holds the lock.
func (p Program) buildInto(ctx context.Context, source, dir string, out io.Writer) error {
	started := time.Now()
	say(out, "building %s from Go modules", p.about)
	say(out, "into %s", dir)
	say(out, "%s on 2 cores, half a minute with a warm Go build cache; once per version", p.takes)

	// Only a build that was killed leaves these, and the lock says that none runs.
	stale, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), p.name+"-*.tmp"))
	for _, f := range stale {
		_ = os.RemoveAll(f)
	}
	tmp := dir + ".tmp"
	total, err := p.countPackages(ctx, source, out)
	if err != nil {
		return err
	}
	told := &progress{out: out, total: total, last: p.pkg, started: started}
	build := p.goCommand(ctx, source, slices.Concat([]string{"build", "-v", "-o", filepath.Join(tmp, p.name)}, p.flags(), []string{p.pkg})...)
	if err := told.run(build); err != nil {
		return err
	}
	if err := p.copyFiles(ctx, source, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return err
	}
	say(out, "built %s in %s", p.name, time.Since(started).Round(time.Second))
	return nil
}

// copyFiles copies what the program needs besides its binary out of the module
// that holds it, and notes that module's version. The module cache may be gone
// when the program runs.
func (p Program) copyFiles(ctx context.Context, source, to string) error {
	if len(p.files) == 0 {
		return nil
	}
	out, err := p.goCommand(ctx, source, "list", "-f", "{{.Module.Version}} {{.Module.Dir}}", p.pkg).Output()
	if err != nil {
		return fmt.Errorf("cannot find the module of %s: %w", p.pkg, err)
	}
	version, module, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	for _, f := range p.files {
		if err := os.CopyFS(filepath.Join(to, "files", f), os.DirFS(filepath.Join(module, f))); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(to, "version"), []byte(version), 0o644)
}

// countPackages downloads what the build needs and returns how many packages it
// consists of.
func (p Program) countPackages(ctx context.Context, source string, out io.Writer) (int, error) {
	told := &progress{out: out, started: time.Now()}
	list := p.goCommand(ctx, source, "list", "-deps", p.pkg)
	var stdout strings.Builder
	list.Stdout = &stdout
	if err := told.run(list); err != nil {
		return 0, err
	}
	return strings.Count(stdout.String(), "\n"), nil
}

func (p Program) goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// A go.work file or flags meant for the calling module must not apply here.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if p.toolchain != "" {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+p.toolchain)
	}
	return cmd
}

// key names what the binary is made of: its module's files, the flags and the Go
// toolchain.
func (p Program) key(ctx context.Context, source string) (string, error) {
	version, err := p.goCommand(ctx, source, "env", "GOVERSION", "GOOS", "GOARCH").Output()
	if err != nil {
		return "", fmt.Errorf("cannot run go env: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return "", err
	}
	files = append(files, filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum"))
	hash := sha256.New()
	fmt.Fprintf(hash, "%s%q%q%q\n", version, p.pkg, p.flags(), p.files)
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

// modulesDir finds the modules that pin the programs, walking up from the working
// directory to the root of the repository.
func modulesDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		modules := filepath.Join(dir, "cluster", "local")
		if exists(filepath.Join(modules, controlPlane.module, "go.mod")) {
			return modules, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("cannot find cluster/local/%s in %s or above it: run this inside the repository", controlPlane.module, start)
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
