package listener

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// Codes of AWS that have a meaning here.
const (
	codeNotFound       = "ListenerNotFound"
	codeNoLoadBalancer = "LoadBalancerNotFound"
	codeNoRule         = "RuleNotFound"
	codeInUse          = "ResourceInUse"
)

// An external is the listener of one object, for one reconcile.
type external struct {
	elb       aws.ELBv2
	read      *aws.Reader
	ages      controller.Ages
	region    string
	clusterID string
	// wanted is what references yield.
	wanted wanted
	// tags that the listener should have.
	tags     map[string]string
	policies managed.ManagementPoliciesChecker
	deleting bool

	// What Observe has found, and what would make it what it should be.
	found  *found
	change change
}

// Observe finds the listener and compares it with what is wanted.
func (e *external) Observe(ctx context.Context, mg Listener) (managed.ExternalObservation, error) {
	f, err := e.find(ctx, mg)
	if err != nil || f == nil {
		return managed.ExternalObservation{}, unlessGone(err)
	}

	e.found = f

	if e.deleting {
		e.show(mg.ObservedState())

		return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: true}, nil
	}

	if err := e.details(ctx, mg, f); err != nil {
		return managed.ExternalObservation{}, unlessGone(err)
	}

	impossible := e.compare(mg)
	e.record(mg.ObservedState())
	mg.SetConditions(controller.Available())

	if meta.GetExternalName(mg) == "" && e.policies.ShouldCreate() {
		// It is ours, but its name was lost: only after Create does the runtime keep
		// an external name.
		return managed.ExternalObservation{}, nil
	}

	if impossible != nil && e.policies.ShouldUpdate() {
		return managed.ExternalObservation{}, impossible
	}

	return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: e.change.none(), Diff: e.change.String()}, nil
}

// unlessGone is no error if the listener went between two reads.
func unlessGone(err error) error {
	if aws.IsNotFound(err, codeNotFound) {
		return nil
	}

	return err
}

// compare what is wanted with what AWS has, and decide what to change. The error
// is what AWS cannot change.
func (e *external) compare(mg Listener) error {
	p, o := mg.ForProvider(), mg.ObservedState().AtProvider
	h := have(e.found.sdk)
	w := want(p, e.wanted, h)
	attributes := wantedAttributes(p)
	claimed := func(tags map[string]string) bool {
		return controller.Claim(mg, e.clusterID, controller.Found{Tags: tags}) == nil
	}

	e.change = change{
		tags:         controller.ChangeTags(e.tags, e.found.tags, o.ManagedTagKeys),
		want:         w,
		differences:  plan(w, h),
		certificates: changeCertificates(w, p.CertificateARNs, e.found.sni, o.ManagedCertificateARNs),
		attributes:   controller.ChangeAttributes(attributes, e.found.attributes, o.ManagedAttributeKeys, defaults),
		rules:        changeRules(p, e.wanted, e.found.rules, o.ManagedRulePriorities, claimed),
		have:         e.found.attributes,
	}
	e.change.rules.tags = tagRules(e.change.rules.keep, e.tags, o.ManagedTagKeys)
	e.change.attributeKeys = controller.ManagedAttributeKeys(attributes, e.change.attributes)

	if d := controller.Differ(nil, "loadBalancerArn", h.loadBalancer, w.loadBalancer); len(d) > 0 {
		return d[0].Immutable("the "+e.found.String(), kind)
	}

	return nil
}

// Create a listener, unless Observe has found that we did already.
func (e *external) Create(ctx context.Context, mg Listener) (managed.ExternalCreation, error) {
	if e.found != nil {
		meta.SetExternalName(mg, e.found.arn())

		return managed.ExternalCreation{}, nil
	}

	p := mg.ForProvider()
	what := name(e.wanted.loadBalancer, sdk.ToInt32(p.Port))

	out, err := e.elb.CreateListener(ctx, createInput(p, e.wanted, e.tags))
	if err != nil {
		return managed.ExternalCreation{}, controller.Failed("create the "+what, err)
	}

	if len(out.Listeners) != 1 {
		return managed.ExternalCreation{}, errors.New("cannot create the " + what + ": AWS answered without one")
	}

	e.found = &found{sdk: out.Listeners[0]}
	if err := e.claim(ctx, mg, e.found); err != nil {
		return managed.ExternalCreation{}, err
	}

	return managed.ExternalCreation{}, e.complete(ctx, mg)
}

// complete a listener that was created: what a creation cannot declare, so that the
// first look finds all of it. AWS may not see the listener yet. Then Observe does,
// soon, and Update follows.
func (e *external) complete(ctx context.Context, mg Listener) error {
	_ = e.compare(mg) // AWS has just taken what it could not change.
	e.record(mg.ObservedState())

	// It may be an older one, which AWS answered with. The next look compares that.
	e.change.tags, e.change.differences = controller.TagChange{}, nil

	if err := e.apply(ctx, mg.ForProvider()); !aws.IsNotFound(err, codeNotFound) {
		return err
	}

	return nil
}

// claim what AWS has answered to a creation. It answers with a listener that
// exists if its settings are the same, so it may be somebody else's.
func (e *external) claim(ctx context.Context, mg Listener, f *found) error {
	if meta.GetExternalName(mg) != "" {
		return nil
	}

	var err error
	if f.tags, err = e.read.Tags(ctx, f.arn(), 0); err != nil {
		return controller.Failed("read the tags of the "+f.String(), err)
	}

	if err := controller.Claim(mg, e.clusterID, f.found()); err != nil {
		return err
	}

	meta.SetExternalName(mg, f.arn())

	return nil
}

// Update what can be updated.
func (e *external) Update(ctx context.Context, mg Listener) (managed.ExternalUpdate, error) {
	return managed.ExternalUpdate{}, e.apply(ctx, mg.ForProvider())
}

// Delete the listener and its rules. While AWS refuses, that is shown, and tried
// again quietly.
func (e *external) Delete(ctx context.Context, mg Listener) (managed.ExternalDelete, error) {
	arn := e.found.arn()
	_, err := e.elb.DeleteListener(ctx, &elbv2.DeleteListenerInput{ListenerArn: &arn})

	switch {
	case err == nil, aws.IsNotFound(err, codeNotFound):
		return managed.ExternalDelete{}, nil
	case aws.Code(err) == codeInUse:
		mg.SetConditions(controller.DeletionBlocked(codeInUse, aws.Describe(err)))

		return managed.ExternalDelete{}, nil
	}

	return managed.ExternalDelete{}, controller.Failed("delete the "+e.found.String(), err)
}

// Disconnect does nothing: clients are pooled.
func (e *external) Disconnect(context.Context) error { return nil }

// show what AWS has.
func (e *external) show(s *v1alpha1.ListenerStatus) {
	ours := s.AtProvider
	s.AtProvider = observation(e.found)

	if e.deleting {
		// Rules are not read any more, but hold what they forward to until the end.
		s.AtProvider.TargetGroupARNs = ours.TargetGroupARNs
	}

	s.AtProvider.ManagedTagKeys, s.AtProvider.ManagedAttributeKeys = ours.ManagedTagKeys, ours.ManagedAttributeKeys
	s.AtProvider.ManagedRulePriorities, s.AtProvider.ManagedCertificateARNs = ours.ManagedRulePriorities, ours.ManagedCertificateARNs
}

// record what AWS has, and what of it is ours to take back.
func (e *external) record(s *v1alpha1.ListenerStatus) {
	e.show(s)

	if e.policies.ShouldUpdate() {
		s.AtProvider.ManagedTagKeys = controller.ManagedTagKeys(e.tags, e.change.everyTag())
		s.AtProvider.ManagedAttributeKeys = e.change.attributeKeys
		s.AtProvider.ManagedRulePriorities = e.change.rules.managed
		s.AtProvider.ManagedCertificateARNs = e.change.certificates.managed
	}
}
