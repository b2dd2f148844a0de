package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go"
)

// library answers as AWS does: all of a call or nothing.
type library struct {
	mu     sync.Mutex
	things map[string]int
	// latency of a call; what it answers is what is there in the middle of it.
	latency time.Duration
	// fail is asked before an answer.
	fail func(keys []string) error
	// calls that were made, by their keys; "*" for a list.
	calls []string
	// ended are calls that were given up before they had an answer.
	ended int
}

func (l *library) wait(ctx context.Context) error {
	select {
	case <-time.After(l.latency / 2):
		return nil
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended++
		return ctx.Err()
	}
}

func (l *library) call(ctx context.Context, name string, look func() (map[string]int, error)) (map[string]int, error) {
	l.mu.Lock()
	l.calls = append(l.calls, name)
	l.mu.Unlock()
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	l.mu.Lock()
	out, err := look()
	l.mu.Unlock()
	if e := l.wait(ctx); e != nil {
		return nil, e
	}
	return out, err
}

func (l *library) read(ctx context.Context, keys []string) (map[string]int, error) {
	keys = slices.Sorted(slices.Values(keys))
	return l.call(ctx, strings.Join(keys, " "), func() (map[string]int, error) {
		if l.fail != nil {
			if err := l.fail(keys); err != nil {
				return nil, err
			}
		}
		out := map[string]int{}
		for _, k := range keys {
			v, ok := l.things[k]
			if !ok {
				return nil, &smithy.GenericAPIError{Code: "TargetGroupNotFound", Message: "One or more target groups not found"}
			}
			out[k] = v
		}
		return out, nil
	})
}

func (l *library) all(ctx context.Context) (map[string]int, int, error) {
	out, err := l.call(ctx, "*", func() (map[string]int, error) {
		if l.fail != nil {
			if err := l.fail([]string{"*"}); err != nil {
				return nil, err
			}
		}
		return maps.Clone(l.things), nil
	})
	return out, 1, err
}

func (l *library) put(key string, v int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.things[key] = v
}

// books returns a library of n things, k00 = 0 and so on, and its keys.
func books(n int) (*library, []string) {
	l := &library{things: map[string]int{}, latency: 100 * time.Millisecond}
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("k%02d", i))
		l.things[keys[i]] = i
	}
	return l, keys
}
