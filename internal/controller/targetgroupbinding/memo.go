package targetgroupbinding

import (
	"sync"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	"k8s.io/apimachinery/pkg/types"
)

// A memo keeps one value for each binding and generation for some time, so that
// the reconciles that the engine asks for cost no call.
type memo[T any] struct {
	// ttl is for how long; 0 is for as long as the generation lasts.
	ttl time.Duration

	mu   sync.Mutex
	kept map[types.UID]memorised[T]
}

type memorised[T any] struct {
	generation int64
	key        string
	at         time.Time
	value      T
}

func newMemo[T any](ttl time.Duration) *memo[T] {
	return &memo[T]{ttl: ttl, kept: map[types.UID]memorised[T]{}}
}

// get returns what was kept under the key for this generation, if it is young.
func (m *memo[T]) get(b resource.Managed, key string) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.kept[b.GetUID()]
	ok := k.key == key && k.generation == b.GetGeneration() && (m.ttl == 0 || time.Since(k.at) < m.ttl)
	return k.value, ok
}

func (m *memo[T]) put(b resource.Managed, key string, value T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[b.GetUID()] = memorised[T]{b.GetGeneration(), key, time.Now(), value}
}

func (m *memo[T]) forget(uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, uid)
}
