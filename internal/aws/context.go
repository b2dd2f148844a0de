package aws

import (
	"context"
	"sync/atomic"
)

type (
	prepaidKey  struct{}
	priorityKey struct{}
)

// Prepaid returns a context for one call whose token has been acquired: its first
// attempt takes none, all others do.
func Prepaid(ctx context.Context) context.Context {
	return context.WithValue(ctx, prepaidKey{}, new(atomic.Bool))
}

// paid is true once for each Prepaid.
func paid(ctx context.Context) bool {
	used, ok := ctx.Value(prepaidKey{}).(*atomic.Bool)
	return ok && used.CompareAndSwap(false, true)
}

// WithPriority returns a context whose calls have the priority instead of that of
// their action.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

func priorityOf(ctx context.Context, action string) Priority {
	if p, ok := ctx.Value(priorityKey{}).(Priority); ok && p != 0 {
		return p
	}
	return PriorityOf(action)
}
