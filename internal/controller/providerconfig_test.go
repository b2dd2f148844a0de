package controller

import (
	"context"
	"testing"
	"time"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
)

// reads answers each Get, and counts them.
type reads struct {
	client.Client

	found bool
	n     int
}

func (r *reads) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	r.n++
	if r.found {
		return nil
	}

	return kerrors.NewNotFound(schema.GroupResource{}, "default")
}

// TestAConfigurationIsMissingWhenTheAPIServerSaysSo: a cache may lag behind.
func TestAConfigurationIsMissingWhenTheAPIServerSaysSo(t *testing.T) {
	cases := map[string]struct {
		reason        string
		cached, there bool
		age           time.Duration
		found         bool
		direct        int
	}{
		"Cached":  {"It costs no request.", true, true, 0, true, 0},
		"Lagging": {"Both were applied together, and the object's event was first.", false, true, time.Second, true, 1},
		"Missing": {"It does not exist.", false, false, time.Second, false, 1},
		"Old":     {"There is no end of looking for what is missing: its event tells when it comes.", false, true, cacheLag, false, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cache, direct := &reads{found: tc.cached}, &reads{found: tc.there}
			c := NewConnections(ConnectionsOptions{Client: cache, Direct: direct})

			_, err := c.config(t.Context(), tg(func(o *namespaced.TargetGroup) {
				o.CreationTimestamp = metav1.NewTime(time.Now().Add(-tc.age))
			}))
			if (err == nil) != tc.found || direct.n != tc.direct {
				t.Errorf("\n%s\n%v; the API server was asked %d times, want found %t and %d times", tc.reason, err, direct.n, tc.found, tc.direct)
			}
		})
	}
}
