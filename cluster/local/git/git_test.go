package git_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/cluster/local/git"
)

func TestACloneHasWhatWasCommitted(t *testing.T) {
	server, err := git.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	cases := []struct {
		reason string
		change map[string]string
		want   map[string]string
	}{
		{"The first commit makes the branch.", map[string]string{"a.yaml": "1", "b/c.yaml": "2"}, map[string]string{"a.yaml": "1", "b/c.yaml": "2"}},
		{"A later commit changes and removes files, and keeps the others.", map[string]string{"a.yaml": "", "b/c.yaml": "3"}, map[string]string{"b/c.yaml": "3"}},
	}
	for _, c := range cases {
		if err := server.Write(t.Context(), c.reason, c.change); err != nil {
			t.Fatal(err)
		}
		clone := filepath.Join(t.TempDir(), "clone")
		if out, err := exec.Command("git", "clone", "--quiet", "--depth=1", "--branch="+git.Branch, server.URL(), clone).CombinedOutput(); err != nil {
			t.Fatalf("cannot clone: %v\n%s", err, out)
		}
		head, err := server.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if cloned, err := os.ReadFile(filepath.Join(clone, ".git", "refs", "heads", git.Branch)); err != nil || strings.TrimSpace(string(cloned)) != head {
			t.Errorf("%s The clone is at %q (%v), want the last commit %q.", c.reason, cloned, err, head)
		}
		got := map[string]string{}
		for _, name := range []string{"a.yaml", "b/c.yaml"} {
			if content, err := os.ReadFile(filepath.Join(clone, name)); err == nil {
				got[name] = string(content)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want, +got):\n%s", c.reason, diff)
		}
	}
	if err := server.Commit(t.Context(), "nothing"); err == nil {
		t.Error("A commit without a change is an error: a test that waits for its effect would wait for ever.")
	}
}
