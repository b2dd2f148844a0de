package controller

import (
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
)

func TestLastGood(t *testing.T) {
	throttled := errors.Wrap(&smithy.GenericAPIError{Code: "Throttling"}, "cannot describe")
	denied := errors.Wrap(&smithy.GenericAPIError{Code: "AccessDenied"}, "cannot describe")
	changed := func(o *namespaced.TargetGroup) { o.Generation = 2 }
	cases := map[string]struct {
		reason string
		err    error
		after  time.Duration
		mutate func(*namespaced.TargetGroup)
		want   bool
	}{
		"Throttled": {"Throttling passes.", throttled, time.Minute, nil, true},
		"Old":       {"After two minutes it is an outage.", throttled, 2 * time.Minute, nil, false},
		"Denied":    {"A missing permission is shown.", denied, time.Minute, nil, false},
		"Changed":   {"It says nothing about another generation.", throttled, time.Minute, changed, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(0, 0)
			l := newLastGood(func() time.Time { return now })
			l.keep(tg(), managed.ExternalObservation{ResourceExists: true})

			now = now.Add(tc.after)
			o := tg()

			if tc.mutate != nil {
				tc.mutate(o)
			}

			if _, got := l.instead(tc.err, o); got != tc.want {
				t.Errorf("\n%s\ninstead(...): %t", tc.reason, got)
			}
		})
	}
}

func TestFailed(t *testing.T) {
	cases := map[string]struct {
		reason  string
		code    string
		stalled bool
	}{
		"Invalid":   {"AWS will never accept it.", "ValidationError", true},
		"Throttled": {"Throttling passes.", "Throttling", false},
		"Denied":    {"A permission can be given.", "AccessDenied", false},
		"Quota":     {"A quota can be raised.", "TooManyTargetGroups", false},
		"Exists":    {"Whose it is, is seen at the next look.", "DuplicateTargetGroupName", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := Failed("do it", &smithy.GenericAPIError{Code: tc.code, Message: "because"})
			if diff := cmp.Diff(tc.stalled, asStalled(err) != nil); diff != "" {
				t.Errorf("\n%s\nFailed(...): %v: -want, +got:\n%s", tc.reason, err, diff)
			}
		})
	}
}
