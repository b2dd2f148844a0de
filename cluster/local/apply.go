package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// applyDeadline is how long a kind may take to be served after its definition was
// applied.
const applyDeadline = 30 * time.Second

// Apply applies manifests by server-side apply: documents of YAML or JSON. Custom
// resource definitions go first, and the rest waits until they are served.
func (c *ControlPlane) Apply(ctx context.Context, manifests ...[]byte) error {
	var objects []*unstructured.Unstructured
	for _, m := range manifests {
		decoded, err := decode(m)
		if err != nil {
			return err
		}
		objects = append(objects, decoded...)
	}
	ctx, cancel := context.WithTimeout(ctx, applyDeadline)
	defer cancel()
	if err := c.each(ctx, objects, isDefinition, c.apply); err != nil {
		return err
	}
	if err := c.each(ctx, objects, isDefinition, c.established); err != nil {
		return err
	}
	return c.each(ctx, objects, func(o *unstructured.Unstructured) bool { return !isDefinition(o) }, c.apply)
}

// each does something with each object that is picked, in order: a namespace can
// precede what is in it.
func (c *ControlPlane) each(ctx context.Context, objects []*unstructured.Unstructured,
	picked func(*unstructured.Unstructured) bool, do func(context.Context, *unstructured.Unstructured) error,
) error {
	for _, o := range objects {
		if !picked(o) {
			continue
		}
		if err := do(ctx, o); err != nil {
			return fmt.Errorf("cannot apply %s %q: %w", o.GetKind(), client.ObjectKeyFromObject(o), err)
		}
	}
	return nil
}

// ApplyFiles applies the files, and of a directory all its .yaml files.
func (c *ControlPlane) ApplyFiles(ctx context.Context, paths ...string) error {
	var manifests [][]byte
	for _, path := range paths {
		files, err := yamlFiles(path)
		if err != nil {
			return err
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			manifests = append(manifests, data)
		}
	}
	return c.Apply(ctx, manifests...)
}

func yamlFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	files, err := filepath.Glob(filepath.Join(path, "*.yaml"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no .yaml files in %s", path)
	}
	return files, err
}

// apply applies one object. A kind whose definition was applied just before may
// not be served for an instant.
func (c *ControlPlane) apply(ctx context.Context, o *unstructured.Unstructured) error {
	return Poll(ctx, func() (bool, error) {
		err := c.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(o.DeepCopy()),
			client.FieldOwner("local-control-plane"), client.ForceOwnership)
		return err == nil || !notServed(err), err
	})
}

// notServed says that the API server does not know the kind, so far: discovery
// does not list it, or its path is not found, in which case the answer is not the
// API's own (as it is when a namespace is missing).
func notServed(err error) bool {
	return meta.IsNoMatchError(err) ||
		apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// established waits until the API server serves the definition's kind.
func (c *ControlPlane) established(ctx context.Context, definition *unstructured.Unstructured) error {
	return Poll(ctx, func() (bool, error) {
		o := &unstructured.Unstructured{}
		o.SetGroupVersionKind(definition.GroupVersionKind())
		if err := c.client.Get(ctx, client.ObjectKeyFromObject(definition), o); err != nil {
			return true, err
		}
		// Conditions are null at first, which is an error here and means none.
		conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
		for _, each := range conditions {
			condition, _ := each.(map[string]any)
			if condition["type"] == "Established" && condition["status"] == "True" {
				return true, nil
			}
		}
		return false, fmt.Errorf("not established: %v", conditions)
	})
}

// Poll calls try until it is done or ctx is, and returns its last error.
func Poll(ctx context.Context, try func() (done bool, err error)) error {
	for {
		done, err := try()
		if done {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func isDefinition(o *unstructured.Unstructured) bool {
	return o.GetKind() == "CustomResourceDefinition"
}

// decode returns the objects of a manifest.
func decode(manifest []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096); ; {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("cannot decode a manifest: %w", err)
		}
		if len(o.Object) > 0 {
			objects = append(objects, o)
		}
	}
}
