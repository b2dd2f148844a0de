package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/provider-nlb/provider-nlb/cluster/local/flux"
)

// A change of a file of the repository: a text that is there once becomes another. A
// file that is not there yet is new.
type change struct{ file, before, after string }

// commit changes and tell Flux, as a forge does when somebody pushes.
func (d *demo) commit(ctx context.Context, message string, changes ...change) error {
	files := map[string]string{}
	for _, c := range changes {
		if c.before == "" {
			files[c.file] = c.after
			continue
		}
		if _, seen := files[c.file]; !seen {
			data, err := os.ReadFile(filepath.Join(d.git.Dir(), filepath.FromSlash(c.file)))
			if err != nil {
				return err
			}
			files[c.file] = string(data)
		}
		if n := strings.Count(files[c.file], c.before); n != 1 {
			return fmt.Errorf("%s has %q %d times", c.file, c.before, n)
		}
		files[c.file] = strings.Replace(files[c.file], c.before, c.after, 1)
	}
	if err := d.git.Write(ctx, message, files); err != nil {
		return err
	}
	var err error
	if d.head, err = d.git.Head(ctx); err != nil {
		return err
	}
	fmt.Printf("   commit %.8s: %s\n", d.head, message)
	for _, c := range changes {
		for line := range strings.Lines(c.before) {
			fmt.Println("   - " + strings.TrimRight(line, "\n"))
		}
		for line := range strings.Lines(c.after) {
			fmt.Println("   + " + strings.TrimRight(line, "\n"))
		}
	}
	return d.flux.Notify(ctx)
}

// kustomization is what Flux says of one: whether it is Ready with the latest commit,
// and its message.
func (d *demo) kustomization(ctx context.Context, name string) (status, message string, latest bool, err error) {
	k, err := d.flux.Kustomization(ctx, name)
	if err != nil {
		return "", "", false, err
	}
	attempted, _, _ := unstructured.NestedString(k.Object, "status", "lastAttemptedRevision")
	status, message = conditionOf(k, "Ready")
	return status, message, strings.HasSuffix(attempted, d.head), nil
}

// synced says whether Flux has applied the latest commit, and found it healthy.
func (d *demo) synced(ctx context.Context) (bool, error) {
	for _, name := range []string{flux.Root, "packages", "settings", "edge"} {
		if status, _, latest, err := d.kustomization(ctx, name); err != nil || status != "True" || !latest {
			return false, err
		}
	}
	return true, nil
}
