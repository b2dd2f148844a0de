// Package argocd_test tells the story of a team that works from Git with Argo CD.
// `make e2e-argocd` runs it: no other target does.
package argocd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/provider-nlb/provider-nlb/cluster/local"
	"github.com/provider-nlb/provider-nlb/cluster/local/argocd"
	"github.com/provider-nlb/provider-nlb/cluster/test/gitops"
)

// names of the documented Applications.
var names = []string{"edge-packages", "edge-cluster"}

func TestATeamWorksFromGit(t *testing.T) {
	w := gitops.Start(t)
	if err := w.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := argocd.Start(t.Context(), w.ControlPlane, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	w.Commit(t, "The documented repository")
	// Whoever copies the layout writes his own URL.
	file := filepath.Join(w.Git.Dir(), "argocd", "applications.yaml")
	manifest, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const documented = "https://git.example.org/platform/edge-cluster.git"
	if bytes.Count(manifest, []byte(documented)) != len(names) {
		t.Fatalf("%s has no %s", file, documented)
	}
	if err := w.Apply(t.Context(), bytes.ReplaceAll(manifest, []byte(documented), []byte(w.Git.URL()))); err != nil {
		t.Fatal(err)
	}
	failed := failures(t, a)
	w.Tell(t, tool{a})
	if diff := cmp.Diff([]string{}, failed()); diff != "" {
		t.Errorf("no wave fails on a transient state (-want, +got):\n%s", diff)
	}
}

// failures collects the operations and the resources in them that fail, until it is
// asked.
func failures(t *testing.T, a *argocd.ArgoCD) func() []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	seen, done := []string{}, make(chan struct{})
	go func() {
		defer close(done)
		_ = local.Poll(ctx, func() (bool, error) { // it ends when it is asked
			for _, name := range names {
				app, err := a.Application(ctx, name)
				if err != nil {
					return false, err
				}
				for _, line := range failedOf(app) {
					if !slices.Contains(seen, line) {
						seen = append(seen, line)
					}
				}
			}
			return false, nil
		})
	}()
	return func() []string {
		cancel()
		<-done
		return seen
	}
}

// failedOf are what has failed in the Application's last operation, and the operation
// itself, if it has failed or is tried again.
func failedOf(app *unstructured.Unstructured) (lines []string) {
	if phase := read(app, "operationState", "phase"); phase == "Failed" || phase == "Error" {
		lines = append(lines, fmt.Sprintf("%s: %s", app.GetName(), read(app, "operationState", "message")))
	}
	if again, _, _ := unstructured.NestedInt64(app.Object, "status", "operationState", "retryCount"); again > 0 {
		lines = append(lines, app.GetName()+" is tried again")
	}
	list, _, _ := unstructured.NestedSlice(app.Object, "status", "operationState", "syncResult", "resources")
	for _, each := range list {
		r, _ := each.(map[string]any)
		if r["hookPhase"] == "Failed" || r["hookPhase"] == "Error" || r["status"] == "SyncFailed" {
			lines = append(lines, fmt.Sprintf("%v %v: %v", r["kind"], r["name"], r["message"]))
		}
	}
	return lines
}

type tool struct{ *argocd.ArgoCD }

func (a tool) Notify(ctx context.Context) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, a.Refresh(ctx, name))
	}
	return errors.Join(errs...)
}

// Synced: the Applications are Synced with the commit, and Healthy, by the rules that
// Argo CD has.
func (a tool) Synced(ctx context.Context, commit string) error {
	for _, name := range names {
		app, err := a.Application(ctx, name)
		if err != nil {
			return err
		}
		if s := read(app, "sync", "status"); s != "Synced" || read(app, "sync", "revision") != commit || read(app, "health", "status") != "Healthy" {
			return fmt.Errorf("%s is %s with %s, and %s, want Synced with %s, and Healthy: %s\n%s", name, s, read(app, "sync", "revision"),
				read(app, "health", "status"), commit, read(app, "operationState", "message"), unwell(app))
		}
	}
	return nil
}

// Told are the conditions of the Application. Argo CD compares by a dry run, which
// the API refuses, and so does not even try to apply.
func (a tool) Told(ctx context.Context, commit string) (string, error) {
	app, err := a.Application(ctx, "edge-cluster")
	if err != nil {
		return "", err
	}
	if seen := read(app, "sync", "revision"); seen != commit {
		return "", fmt.Errorf("the Application has seen %s, not %s", seen, commit)
	}
	conditions, _, _ := unstructured.NestedSlice(app.Object, "status", "conditions")
	for _, each := range conditions {
		if c, _ := each.(map[string]any); c["type"] == "ComparisonError" {
			return fmt.Sprint(c["message"]), nil
		}
	}
	return "", fmt.Errorf("the Application has no ComparisonError: %v", conditions)
}

// LookAgain refreshes the Applications. A difference would be OutOfSync at first, and
// then another operation.
func (a tool) LookAgain(ctx context.Context) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, a.lookAgain(ctx, name))
	}
	return errors.Join(errs...)
}

func (a tool) lookAgain(ctx context.Context, name string) error {
	before, err := a.Application(ctx, name)
	if err != nil {
		return err
	}
	if err := a.Refresh(ctx, name); err != nil {
		return err
	}
	var now *unstructured.Unstructured
	err = local.Poll(ctx, func() (bool, error) {
		if now, err = a.Application(ctx, name); err != nil {
			return true, err
		}
		if _, asked := now.GetAnnotations()["argocd.argoproj.io/refresh"]; asked {
			return false, errors.New("the Application is not refreshed")
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	if read(now, "sync", "status") != "Synced" {
		return fmt.Errorf("the Application is %s\n%s", read(now, "sync", "status"), unwell(now))
	}
	for _, field := range []string{"startedAt", "finishedAt"} {
		if read(before, "operationState", field) != read(now, "operationState", field) {
			return fmt.Errorf("there was another operation: %s", read(now, "operationState", "message"))
		}
	}
	return nil
}

// read a text of the Application's status.
func read(app *unstructured.Unstructured, fields ...string) string {
	text, _, _ := unstructured.NestedString(app.Object, append([]string{"status"}, fields...)...)
	return text
}

// unwell are the resources of the Application that are not as they should be.
func unwell(app *unstructured.Unstructured) string {
	var lines []string
	for _, path := range [][]string{{"resources"}, {"operationState", "syncResult", "resources"}} {
		list, _, _ := unstructured.NestedSlice(app.Object, append([]string{"status"}, path...)...)
		for _, each := range list {
			r, _ := each.(map[string]any)
			line := fmt.Sprintf("%v %v: sync %v, health %v, %v %v", r["kind"], r["name"], r["status"], r["health"], r["hookPhase"], r["message"])
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
