package controller

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
)

func TestNext(t *testing.T) {
	ready, creating, mine := Available(), NotReady("Creating", ""), NotReady("Mine", "")
	cases := map[string]struct {
		reason string
		pass   pass
		want   poll
	}{
		"Quiet":       {"Applied and ready: nothing is due.", pass{connected: true, observed: true, applied: true, ready: ready}, pollQuiet},
		"NotApplied":  {"Something was changed in AWS: see whether it shows.", pass{connected: true, observed: true, ready: ready}, pollSoon},
		"Heals":       {"Not ready for a reason that time heals.", pass{connected: true, observed: true, applied: true, ready: creating}, pollHeal},
		"Event":       {"Not ready for a reason that only an event ends.", pass{connected: true, observed: true, applied: true, ready: mine}, pollQuiet},
		"Applying":    {"No event ends it if the engine was given no order.", pass{connected: true, observed: true, applied: true, ready: NotReady(ReasonApplying, "")}, pollHeal},
		"Missing":     {"The policies forbid to create it: somebody else has to.", pass{connected: true, observed: true, applied: true, ready: NotReady(ReasonMissing, "")}, pollQuiet},
		"Waiting":     {"The referenced object is watched.", pass{connected: true, observed: true, waiting: true, ready: mine}, pollQuiet},
		"Untold":      {"What it waits for is told if it lasts.", pass{connected: true, observed: true, waiting: true, untold: true, ready: mine}, pollSoon},
		"Stalled":     {"Only a change of the object helps.", pass{connected: true, observed: true, failed: true, stalled: &Stalled{}}, pollQuiet},
		"Failed":      {"An error backs off.", pass{connected: true, failed: true}, pollBackoff},
		"Unconnected": {"A Secret is not watched, so it is looked at again.", pass{failed: true}, pollHeal},
		"Created":     {"What was created is observed by the rate limiter, at once.", pass{connected: true, observed: true, creating: true}, pollBackoff},
		"Deleting":    {"A deletion backs off up to 10 s.", pass{connected: true, observed: true, deleting: true, applied: true}, pollBackoff},
		"Repeated":    {"AWS could not be read: try again soon.", pass{connected: true, observed: true, applied: true, repeated: true, ready: ready}, pollHeal},
		"Conflict":    {"What was not written must be learned again, from a cache that has caught up.", pass{connected: true, observed: true, applied: true, ready: ready, conflict: true}, pollAgain},
		"Paused":      {"The runtime did not even connect.", pass{}, pollBackoff},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.pass.quiet = []xpv2.ConditionReason{"Mine"}
			if diff := cmp.Diff(tc.want, tc.pass.next()); diff != "" {
				t.Errorf("\n%s\nnext(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestPassing(t *testing.T) {
	now := time.Unix(1000, 0)
	synced, failed := xpv2.ReconcileSuccess(), xpv2.ReconcileError(errors.New("no"))
	creating, mine := NotReady("Creating", ""), NotReady("Mine", "")
	pending := xpv2.Condition{Type: xpv2.TypeReady, Status: corev1.ConditionUnknown, Reason: "Pending"}
	cases := map[string]struct {
		reason string
		pass   pass
		age    time.Duration
		synced xpv2.Condition
		want   bool
	}{
		"Created":    {"What was created is looked at again at once.", pass{begun: true, creating: true, ready: creating}, time.Hour, synced, true},
		"Underway":   {"What AWS is still doing is told, with what others wait for.", pass{begun: true, creating: true, underway: "AWS is at it", ready: creating}, 0, synced, false},
		"NotCreated": {"What AWS has refused is told.", pass{begun: true, creating: true, failed: true, ready: creating}, 0, failed, false},
		"NotWritten": {"That Kubernetes has refused the annotations is told.", pass{begun: true, creating: true, ready: creating}, 0, failed, false},
		"Waits":      {"What a new object waits for is there in a moment.", pass{begun: true, ready: mine}, time.Second, synced, true},
		"WaitsFirst": {"That nobody has looked yet is the schema's default, and no news.", pass{begun: true, before: []xpv2.Condition{pending}, ready: mine}, time.Second, synced, true},
		"Applying":   {"That nothing is planned yet is over in a moment.", pass{begun: true, ready: NotReady(ReasonApplying, "")}, time.Second, synced, true},
		"WaitsLong":  {"What takes longer is told.", pass{begun: true, ready: mine}, tellAfter, synced, false},
		"WaitsAgain": {"What was told before has changed.", pass{begun: true, before: []xpv2.Condition{creating}, ready: mine}, time.Second, synced, false},
		"Skewed":     {"A clock that goes wrong does not silence an object.", pass{begun: true, ready: mine}, -time.Hour, synced, false},
		"Heals":      {"What time heals may be what others wait for: a load balancer's address.", pass{begun: true, ready: creating}, time.Second, synced, false},
		"Ready":      {"Ready is told at once.", pass{begun: true, ready: Available()}, time.Second, synced, false},
		"Deleting":   {"A deletion is told.", pass{begun: true, deleting: true, ready: mine}, time.Second, synced, false},
		"Paused":     {"Nothing was looked at.", pass{ready: mine}, time.Second, synced, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := &namespaced.TargetGroup{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(now.Add(-tc.age))}}
			mg.SetConditions(tc.synced, tc.pass.ready)
			tc.pass.quiet = []xpv2.ConditionReason{"Mine"}
			if got := tc.pass.passing(mg, now); got != tc.want {
				t.Errorf("\n%s\npassing(...): got %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

func TestAfter(t *testing.T) {
	cases := map[string]struct {
		reason   string
		poll     poll
		interval time.Duration
		jitter   float64
		want     time.Duration
	}{
		"Soon":     {"An interval makes no difference.", pollSoon, time.Hour, 1, 2 * time.Second},
		"Heal":     {"An interval makes no difference.", pollHeal, time.Hour, 1, 5 * time.Second},
		"Quiet":    {"The interval is kept.", pollQuiet, time.Minute, 0, time.Minute},
		"Earlier":  {"The interval is varied downwards.", pollQuiet, time.Minute, -0.1, 54 * time.Second},
		"Later":    {"The interval is varied upwards.", pollQuiet, time.Minute, 0.1, 66 * time.Second},
		"Again":    {"The cache catches up in no time.", pollAgain, time.Hour, 1, 100 * time.Millisecond},
		"Zero":     {"It is never 0, which would mean never.", pollQuiet, 0, 0, time.Second},
		"Negative": {"It is never less than 0.", pollQuiet, -time.Minute, 0, time.Second},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := tc.poll.after(tc.interval, tc.jitter)
			if diff := cmp.Diff(tc.want, got); diff != "" || !ok {
				t.Errorf("\n%s\nafter(...): %v, -want, +got:\n%s", tc.reason, ok, diff)
			}
		})
	}

	if _, ok := pollBackoff.after(time.Minute, 0); ok {
		t.Error("a backoff is the rate limiter's")
	}
}

func TestSettle(t *testing.T) {
	at := func(s int64) xpv2.Condition {
		c := Available()
		c.LastTransitionTime.Time = time.Unix(s, 0)

		return c
	}
	synced := func(s int64) xpv2.Condition {
		c := xpv2.ReconcileSuccess()
		c.LastTransitionTime.Time = time.Unix(s, 0)

		return c
	}
	turned := at(9)
	turned.Status = corev1.ConditionFalse

	halted := stalled(Stalled{})
	cases := map[string]struct {
		reason      string
		now, before []xpv2.Condition
		want        []xpv2.Condition
	}{
		"Order":      {"Argo CD takes the first condition that says something.", []xpv2.Condition{halted, at(1), synced(1)}, nil, []xpv2.Condition{synced(1), at(1), halted}},
		"SameStatus": {"No transition, no new time.", []xpv2.Condition{at(9)}, []xpv2.Condition{at(1)}, []xpv2.Condition{at(1)}},
		"Turned":     {"A transition has its time.", []xpv2.Condition{turned}, []xpv2.Condition{at(1)}, []xpv2.Condition{turned}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, settle(tc.now, tc.before)); diff != "" {
				t.Errorf("\n%s\nsettle(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
