package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// started is what the starter tells.
type started struct{ Dir string }

func TestNothingIsLeftWhenTheStarterIsKilled(t *testing.T) {
	t.Parallel()
	starter := exec.CommandContext(t.Context(), os.Args[0])
	starter.Env = append(os.Environ(), starterEnv+"=1")
	starter.Stderr = os.Stderr
	stdout, err := starter.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	var told started
	if err := json.NewDecoder(stdout).Decode(&told); err != nil {
		t.Fatalf("the starter did not tell what it started: %v", errors.Join(err, starter.Wait()))
	}
	running, err := processesOf(t.Context(), told.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(running, "\n"); !strings.Contains(all, told.Dir+"/provider ") || len(running) < 6 {
		t.Errorf("the provider and five components should run, there are:\n%s", all)
	}
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = starter.Wait()
	w := &world{t: t}
	w.eventually("nothing is left", func(ctx context.Context) error {
		running, err := processesOf(ctx, told.Dir)
		if err == nil && len(running) > 0 {
			err = fmt.Errorf("these still run:\n%s", strings.Join(running, "\n"))
		}
		if _, gone := os.Stat(told.Dir); !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("%s is still there", told.Dir))
		}
		return err
	})
}

// processesOf are the command lines of processes that name a directory: the
// components' certificates and configurations and the provider's binary are there.
func processesOf(ctx context.Context, dir string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "ps", "-e", "-ww", "-o", "args=").Output()
	if err != nil {
		return nil, err
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, dir) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found, nil
}
