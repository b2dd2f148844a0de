// Package flux_test tells the story of a team that works from Git with Flux.
package flux_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/provider-nlb/provider-nlb/cluster/local/flux"
	"github.com/provider-nlb/provider-nlb/cluster/local/git"
	"github.com/provider-nlb/provider-nlb/cluster/test/gitops"
)

func TestATeamWorksFromGit(t *testing.T) {
	w := gitops.Start(t)
	if err := w.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := flux.Start(t.Context(), w.ControlPlane, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	w.Commit(t, "The documented repository")
	if err := f.Bootstrap(t.Context(), w.Git.URL(), git.Branch, "./flux"); err != nil {
		t.Fatal(err)
	}
	w.Tell(t, tool{f})
	neverFailed(t, f)
}

type tool struct{ *flux.Flux }

// steps of the layout, in their order.
var steps = []string{flux.Root, "packages", "settings", "edge"}

// Synced: every Kustomization is Ready with the commit.
func (f tool) Synced(ctx context.Context, commit string) error {
	for _, name := range steps {
		k, err := f.Kustomization(ctx, name)
		if err != nil {
			return err
		}
		applied, _, _ := unstructured.NestedString(k.Object, "status", "lastAppliedRevision")
		status, message := ready(k)
		if status != "True" || !strings.HasSuffix(applied, commit) {
			return fmt.Errorf("Kustomization %s is Ready %s with %s, want True with %s: %s", name, status, applied, commit, message)
		}
	}
	return nil
}

// Told is the message of the Kustomization that has the team's claim.
func (f tool) Told(ctx context.Context, commit string) (string, error) {
	k, err := f.Kustomization(ctx, "edge")
	if err != nil {
		return "", err
	}
	attempted, _, _ := unstructured.NestedString(k.Object, "status", "lastAttemptedRevision")
	status, message := ready(k)
	if status != "False" || !strings.HasSuffix(attempted, commit) {
		return "", fmt.Errorf("Kustomization edge is Ready %s with %s, want False with %s: %s", status, attempted, commit, message)
	}
	return message, nil
}

// LookAgain applies every Kustomization once more. Flux tells of no difference that
// it corrects, so the story looks at the objects.
func (f tool) LookAgain(ctx context.Context) error {
	for _, name := range steps {
		if err := f.Reconcile(ctx, name); err != nil {
			return err
		}
		k, err := f.Kustomization(ctx, name)
		if err != nil {
			return err
		}
		if status, message := ready(k); status != "True" {
			return fmt.Errorf("Kustomization %s is Ready %s: %s", name, status, message)
		}
	}
	return nil
}

// ready is the Ready condition of a Kustomization.
func ready(k *unstructured.Unstructured) (status, message string) {
	conditions, _, _ := unstructured.NestedSlice(k.Object, "status", "conditions")
	for _, each := range conditions {
		if c, _ := each.(map[string]any); c["type"] == "Ready" {
			return fmt.Sprint(c["status"]), fmt.Sprint(c["message"])
		}
	}
	return "Unknown", ""
}

// neverFailed: the order of the layout is one in which nothing has to be tried
// twice. What is in the history failed only where the team made a mistake.
func neverFailed(t *testing.T, f *flux.Flux) {
	t.Helper()
	for _, name := range steps {
		k, err := f.Kustomization(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		history, _, _ := unstructured.NestedSlice(k.Object, "status", "history")
		if len(history) == 0 {
			t.Errorf("Kustomization %s has no history: %v", name, k.Object["status"])
		}
		failed := slices.DeleteFunc(history, func(each any) bool {
			h, _ := each.(map[string]any)
			return h["lastReconciledStatus"] == "ReconciliationSucceeded"
		})
		if len(failed) > 0 && name != "edge" || len(failed) > 1 {
			t.Errorf("Kustomization %s failed: %v", name, failed)
		}
	}
}
