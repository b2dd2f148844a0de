package clusters

import "k8s.io/client-go/tools/cache"

// A feed is the store that a reflector fills. It trims objects outside the lock
// and applies them under it, a whole list apart from single events: what is
// missing in a list was not seen being deleted.
type feed[T any] struct {
	c      *Cluster
	stream *stream
	// trim returns nil for what is not kept.
	trim      func(obj any) *T
	put, drop func(*T, *touched)
	replace   func([]*T, *touched)
}

// What reflectors ask of a store beyond the least.
var (
	_ cache.TransformingStore      = (*feed[pod])(nil)
	_ cache.ResourceVersionUpdater = (*feed[pod])(nil)
)

// Add, Update and Delete are the events of a watch.
func (f *feed[T]) Add(obj any) error    { return f.apply(obj, f.put) }
func (f *feed[T]) Update(obj any) error { return f.apply(obj, f.put) }
func (f *feed[T]) Delete(obj any) error { return f.apply(obj, f.drop) }

func (f *feed[T]) apply(obj any, to func(*T, *touched)) error {
	if item := f.trim(obj); item != nil {
		f.c.change(func(t *touched) { to(item, t) })
	}
	return nil
}

// Replace takes a whole list. Its items were trimmed already if they came as events.
func (f *feed[T]) Replace(list []any, version string) error {
	items := make([]*T, 0, len(list))
	for i, obj := range list {
		item, trimmed := obj.(*T)
		if !trimmed {
			item = f.trim(obj)
		}
		if item != nil {
			items = append(items, item)
		}
		list[i] = nil // the untrimmed object is garbage from here on
	}
	f.c.change(func(t *touched) {
		f.replace(items, t)
		f.stream.replaced(version, t)
	})
	return nil
}

// Resync does nothing: there is nobody to tell again.
func (f *feed[T]) Resync() error { return nil }

// Transformer lets the reflector trim the objects of an initial list as they
// arrive, so that they are never all in memory at once.
func (f *feed[T]) Transformer() cache.TransformFunc {
	return func(obj any) (any, error) { return f.trim(obj), nil }
}

// UpdateResourceVersion is told how far the watch is.
func (f *feed[T]) UpdateResourceVersion(version string) {
	f.c.mu.Lock()
	f.stream.version = version
	f.c.mu.Unlock()
}
