package controller

import (
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

// Options of all controllers.
type Options struct {
	// Options of crossplane-runtime: logger, limiter, poll interval, features,
	// metrics, and the gate that starts a kind when its CRD is there.
	xpcontroller.Options

	// MinPollInterval that a resource may ask for by annotation.
	MinPollInterval time.Duration
	// PollJitter is the fraction by which the poll interval is varied.
	PollJitter float64
	// Timeout of the calls of one reconcile; 0 means the runtime's default of 1 m.
	Timeout time.Duration
	// Retry of what failed, or is being deleted; zero means DefaultRetry.
	Retry Retry
	// Connections to AWS.
	Connections *Connections
	// ClusterID that marks what this cluster creates.
	ClusterID string
	// Fatal ends the process. It is called when a kind cannot be set up after its
	// CRD has come.
	Fatal func(error)
}

func (o Options) jitter() float64 { return (rand.Float64()*2 - 1) * o.PollJitter }

// Interval at which an object is polled: the annotation's, but not too short.
func (o Options) Interval(mg metav1.Object) time.Duration {
	if d, ok := meta.GetPollInterval(mg); ok {
		return max(d, o.MinPollInterval)
	}

	return o.PollInterval
}

// Ages say how old what is read of AWS may be.
type Ages struct {
	// Settings are what one call reads of many objects.
	Settings time.Duration
	// Details take a call for each object.
	Details time.Duration
}

// Ages of what is read for an object: one that is in sync is polled, and shares
// calls with others. For any other, and for one whose reconcile somebody has asked
// for, AWS is asked.
func (o Options) Ages(mg resource.Managed) Ages {
	s := managedStatus(mg)
	if token, ok := meta.GetReconcileRequest(mg); ok && token != s.GetLastHandledReconcileAt() {
		return Ages{}
	}

	if meta.WasDeleted(mg) || s.GetObservedGeneration() != mg.GetGeneration() ||
		s.GetCondition(xpv2.TypeReady).Status != corev1.ConditionTrue || s.GetCondition(xpv2.TypeSynced).Status != corev1.ConditionTrue {
		return Ages{}
	}

	return o.PollAges(mg)
}

// PollAges are Ages of what is read for an object again and again.
func (o Options) PollAges(mg metav1.Object) Ages {
	poll := o.Interval(mg)

	return Ages{Settings: aws.MaxAge(poll), Details: aws.AttributesMaxAge(poll)}
}

// Resolver of references.
func (o Options) Resolver(mgr ctrl.Manager) Resolver {
	r := Resolver{Client: mgr.GetClient()}
	if gate, ok := o.Gate.(*Gate); ok {
		r.Active = gate.Active
	}

	return r
}
