package controller

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

// A pass is one reconcile of one object: what the wrappers around the runtime's
// reconciler tell each other. It travels in the context.
type pass struct {
	// connectedWith is told which provider configuration is used; may be nil.
	connectedWith func(client.Object)
	// before are the conditions as they were read.
	before []xpv2.Condition
	// interval at which this object is looked at when nothing else is due.
	interval time.Duration
	// begun says that the object is neither paused nor let go.
	begun bool
	// connected and observed say how far the pass came.
	connected, observed bool
	// repeated: the observation is an earlier one, since AWS could not be read.
	repeated bool
	// applied: this generation was found applied, or the policies forbid what is
	// missing.
	applied bool
	// creating: a Create follows, so a write follows.
	creating bool
	// underway is what Create says of what AWS is still doing.
	underway string
	// waiting for a reference.
	waiting bool
	// stalled error, from any step.
	stalled *Stalled
	// failed: some step returned an error.
	failed bool
	// class of the last error.
	class aws.Class
	// conflict: a write was refused since the object has changed meanwhile. The
	// runtime makes no error of it.
	conflict bool
	// ready is the condition that was written last.
	ready xpv2.Condition
	// deleting: the object has a deletion timestamp.
	deleting bool
	// quiet are reasons of Ready≠True that only an event ends.
	quiet []xpv2.ConditionReason
	// untold: status was not written, since what it would say is about to pass.
	untold bool
}

// tellAfter is the age at which an object that has said nothing yet says what it
// waits for.
const tellAfter = 6 * time.Second

type passKey struct{}

// passOf returns the pass that a context belongs to. Outside of a pass, as in a
// unit test of one wrapper, it is an empty one.
func passOf(ctx context.Context) *pass {
	if p, ok := ctx.Value(passKey{}).(*pass); ok {
		return p
	}

	return &pass{}
}

// uses notes the provider configuration that the object is looked at with.
func (p *pass) uses(pc client.Object) {
	if p.connectedWith != nil {
		p.connectedWith(pc)
	}
}

// begin notes what the object was when it was read.
func (p *pass) begin(mg resource.Managed, o Options) {
	p.begun = true
	p.before = slices.Clone(managedStatus(mg).Conditions)
	p.interval = o.Interval(mg)
	p.deleting = meta.WasDeleted(mg)
}

// note remembers an error's meaning and returns it unchanged.
func (p *pass) note(err error) error {
	if err != nil {
		p.failed, p.class = true, aws.Classify(err)
		p.stalled = asStalled(err)
	}

	return err
}

// wrote remembers a write that was refused because it was about an old version of
// the object, and returns the error unchanged.
func (p *pass) wrote(err error) error {
	p.conflict = kerrors.IsConflict(err)

	return err
}

// finish makes status what it should be just before it is written.
func (p *pass) finish(mg resource.Managed) {
	s := managedStatus(mg)
	generation := mg.GetGeneration()

	// The runtime does this only for kinds that have methods for it, which none of
	// the generated ones is. An object that is paused does not get as far as begin.
	if token, ok := meta.GetReconcileRequest(mg); ok && p.begun {
		s.SetLastHandledReconcileAt(token)
	}

	switch i := slices.IndexFunc(s.Conditions, func(c xpv2.Condition) bool { return c.Type == TypeStalled }); {
	case p.stalled != nil:
		s.SetObservedGeneration(generation)
		s.SetConditions(stalled(*p.stalled).WithObservedGeneration(generation))
	case i < 0:
	case !p.failed, s.Conditions[i].ObservedGeneration != generation:
		// An error that time heals says nothing about why this generation is
		// stalled, so it does not end that.
		s.Conditions = slices.Delete(s.Conditions, i, i+1)
	}

	// The runtime says only that it is being created.
	for i, c := range s.Conditions {
		if c.Type == xpv2.TypeReady && c.Reason == xpv2.ReasonCreating && c.Message == "" {
			s.Conditions[i].Message = p.underway
		}
	}

	s.Conditions = settle(s.Conditions, p.before)
	p.ready = s.GetCondition(xpv2.TypeReady)
}

// passing says that status is not worth a write: what has just been created is looked
// at again at once, unless AWS is still at it, and what a new object waits for is there
// in a moment, as a rule. Each write counts against the circuit breaker of a composite
// resource.
func (p *pass) passing(mg resource.Managed, now time.Time) bool {
	s := managedStatus(mg)
	if !p.begun || p.failed || p.deleting || s.GetCondition(xpv2.TypeSynced).Status != corev1.ConditionTrue {
		return false
	}

	// A new object has a condition of its schema, which says that nobody has looked yet.
	told := slices.ContainsFunc(p.before, func(c xpv2.Condition) bool {
		return c.Type == xpv2.TypeReady && c.Status != corev1.ConditionUnknown
	})
	age := now.Sub(mg.GetCreationTimestamp().Time)
	waits := p.ready.Reason == ReasonApplying || slices.Contains(p.quiet, p.ready.Reason)

	return p.creating && p.underway == "" || !told && age >= 0 && age < tellAfter && waits
}

// A reconciler begins a pass for each reconcile and decides when the next is due.
type reconciler struct {
	inner   reconcile.Reconciler
	options Options
	retries *retries
	looks   *looks
	quiet   []xpv2.ConditionReason
}

func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	p := &pass{quiet: r.quiet, connectedWith: func(pc client.Object) { r.looks.with(req, pc) }}
	res, err := r.inner.Reconcile(context.WithValue(ctx, passKey{}, p), req)
	r.retries.failed(req, p.class)

	if !p.begun {
		r.looks.forget(req)
	}

	if err != nil || res.IsZero() {
		return res, err
	}

	if after, ok := p.next().after(p.interval, r.options.jitter()); ok {
		return reconcile.Result{RequeueAfter: after}, nil
	}

	return res, nil
}
