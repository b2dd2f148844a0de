package controller

import (
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

// A Retry says how soon an object that failed, or is being deleted, is tried
// again: after Min, then twice as long each time.
type Retry struct {
	Min time.Duration
	// Max where AWS or the cluster may be done at any moment.
	Max time.Duration
	// Patient is the longest where a person has to act outside of the cluster: to
	// raise a quota, to allow a call, to make what the spec refers to. A failed
	// creation costs three updates of the object and as many calls as one that
	// succeeds.
	Patient time.Duration
}

// DefaultRetry is used unless the options say otherwise.
var DefaultRetry = Retry{Min: time.Second, Max: 10 * time.Second, Patient: time.Minute}

// patient says that an error is not over in a moment.
func patient(c aws.Class) bool {
	switch c {
	case aws.ClassQuota, aws.ClassDenied, aws.ClassDependency:
		return true
	default:
		return false
	}
}

// retries is a rate limiter that knows why an object is tried again.
type retries struct {
	soon, late workqueue.TypedRateLimiter[reconcile.Request]
	// patient are the objects whose last error was of a patient class.
	patient sync.Map
	// visiting says that an object is being reconciled: that its worker is done with it
	// is no success. May be nil.
	visiting func(reconcile.Request) bool
}

func newRetries(r Retry) *retries {
	if r == (Retry{}) {
		r = DefaultRetry
	}

	return &retries{
		soon: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](r.Min, r.Max),
		late: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](r.Min, r.Patient),
	}
}

// failed notes what an object's last error was; ClassNone if it was none.
func (r *retries) failed(req reconcile.Request, c aws.Class) {
	if patient(c) {
		r.patient.Store(req, true)
	} else {
		r.patient.Delete(req)
	}
}

func (r *retries) of(req reconcile.Request) workqueue.TypedRateLimiter[reconcile.Request] {
	if _, ok := r.patient.Load(req); ok {
		return r.late
	}

	return r.soon
}

// When to try again.
func (r *retries) When(req reconcile.Request) time.Duration { return r.of(req).When(req) }

// NumRequeues since the last success.
func (r *retries) NumRequeues(req reconcile.Request) int { return r.of(req).NumRequeues(req) }

// Forget an object that needs no retry.
func (r *retries) Forget(req reconcile.Request) {
	if r.visiting != nil && r.visiting(req) {
		return
	}

	r.soon.Forget(req)
	r.late.Forget(req)
	r.patient.Delete(req)
}
