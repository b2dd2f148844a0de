package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// checkVersion of a release: Crossplane resolves dependencies by semantic versions,
// and takes no tag for one that does not parse.
func checkVersion(version string) error {
	v, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v"))
	if err != nil || !strings.HasPrefix(version, "v") {
		return fmt.Errorf("version %q: it must be a semantic version with a leading v, like v0.1.0 or v0.2.0-rc.1", version)
	}

	if v.Metadata() != "" {
		return fmt.Errorf("version %q: a tag of a registry cannot have build metadata (+%s)", version, v.Metadata())
	}

	return nil
}

// checkCommitted fails if a build of root is not a build of a commit.
func checkCommitted(ctx context.Context, root string) error {
	status, err := git(ctx, root, "status", "--porcelain")
	if err != nil {
		return fmt.Errorf("cannot tell which commit this is (FORCE=1 publishes all the same): %w", err)
	}

	if status != "" {
		return errors.New("the work tree is dirty: commit first, so that others can build the same from a commit (FORCE=1 publishes all the same)\n" + status)
	}

	return nil
}

// revision is the commit of root, or "" if it is none.
func revision(ctx context.Context, root string) string {
	if checkCommitted(ctx, root) != nil {
		return ""
	}

	commit, err := git(ctx, root, "rev-parse", "HEAD")
	if err != nil {
		return ""
	}

	return commit
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...)

	out, err := cmd.Output()

	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(string(exit.Stderr)))
	}

	return strings.TrimRight(string(out), "\n"), err
}
