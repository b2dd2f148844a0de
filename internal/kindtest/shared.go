package kindtest

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/cluster/local/localtest"
)

// What the tests of a binary share.
var (
	starting sync.Mutex
	reach    client.WithWatch
	// running says which kinds run, by the addresses of their Setups.
	running []uintptr
	configs atomic.Int32
)

// shared returns a client of the API server on which the controllers of the kinds
// run. They start with the first test that asks, and run until all tests are over.
// Two managers with a kind in common would fight, so all tests ask for the same kinds.
func shared(t *testing.T, kinds []Setup) client.WithWatch {
	t.Helper()

	cp := localtest.ControlPlane(t)

	starting.Lock()
	defer starting.Unlock()

	var asked []uintptr
	for _, k := range kinds {
		asked = append(asked, reflect.ValueOf(k).Pointer())
	}

	if reach != nil {
		if !slices.Equal(asked, running) {
			t.Fatal("the tests of a package run the same kinds, in the same order")
		}

		return reach
	}

	c, stop, err := Start(cp, time.Second, kinds...)
	Must(t, err)
	localtest.AtEnd(stop)

	reach, running = c, asked

	return reach
}

// newConfig names a provider configuration for one Env: what is remembered of one
// must not be taken for another's, which leads to another AWS.
func newConfig() string { return fmt.Sprintf("config-%d", configs.Add(1)) }
