package loadbalancer

import (
	"context"
	"fmt"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// Codes of AWS that have a meaning here.
const (
	codeNotFound  = "LoadBalancerNotFound"
	codeInUse     = "ResourceInUse"
	codeProtected = "OperationNotPermitted"
	codeInvalid   = "InvalidConfigurationRequest"
)

// An external is the load balancer of one object, for one reconcile.
type external struct {
	elb       aws.ELBv2
	read      *aws.Reader
	ages      controller.Ages
	region    string
	clusterID string
	// referred are the security groups that references yield.
	referred []string
	// tags that the load balancer should have.
	tags     map[string]string
	policies managed.ManagementPoliciesChecker
	deleting bool

	// What Observe has found, and what would make it what it should be.
	balancer *balancer
	change   change
}

// Observe finds the load balancer and compares it with what is wanted.
func (e *external) Observe(ctx context.Context, mg LoadBalancer) (managed.ExternalObservation, error) {
	b, err := e.find(ctx, mg)
	if err != nil || b == nil {
		return managed.ExternalObservation{}, unlessGone(err)
	}

	e.balancer = b

	if e.deleting {
		e.show(mg.ObservedState())

		return managed.ExternalObservation{ResourceExists: true, ResourceUpToDate: true}, nil
	}

	if err := e.details(ctx, mg, b); err != nil {
		return managed.ExternalObservation{}, unlessGone(err)
	}

	impossible := e.compare(mg)
	e.record(mg.ObservedState())
	mg.SetConditions(ready(b.state(), e.change.attributes))

	if meta.GetExternalName(mg) == "" && e.policies.ShouldCreate() {
		// It is ours, but its name was lost: only after Create does the runtime keep
		// an external name.
		return managed.ExternalObservation{}, nil
	}

	if impossible != nil && e.policies.ShouldUpdate() {
		return managed.ExternalObservation{}, impossible
	}

	return managed.ExternalObservation{
		ResourceExists: true, ResourceUpToDate: e.change.none(), Diff: e.change.String(), ConnectionDetails: connection(b),
	}, nil
}

// unlessGone is no error if the load balancer went between two reads.
func unlessGone(err error) error {
	if aws.IsNotFound(err, codeNotFound) {
		return nil
	}

	return err
}

// compare what is wanted with what AWS has, and decide what to change. The error
// is what AWS cannot change.
func (e *external) compare(mg LoadBalancer) error {
	p, o := mg.ForProvider(), mg.ObservedState().AtProvider
	h := have(e.balancer, p)
	w := want(p, e.referred, h)
	attributes := wantedAttributes(p)

	e.change = plan(w, h, controller.ChangeTags(e.tags, e.balancer.tags, o.ManagedTagKeys),
		controller.ChangeAttributes(attributes, e.balancer.attributes, o.ManagedAttributeKeys, defaults(h.scheme)))
	e.change.haveAttributes = e.balancer.attributes
	e.change.attributeKeys = controller.ManagedAttributeKeys(attributes, e.change.attributes)

	return impossible(e.balancer, w, h, attributes)
}

// Create a load balancer, unless Observe has found that we did already.
func (e *external) Create(ctx context.Context, mg LoadBalancer) (managed.ExternalCreation, error) {
	if e.balancer != nil {
		meta.SetExternalName(mg, e.balancer.arn())

		return managed.ExternalCreation{ConnectionDetails: connection(e.balancer)}, nil
	}

	name := e.name(mg)

	out, err := e.elb.CreateLoadBalancer(ctx, createInput(name, mg.ForProvider(), e.referred, e.tags))
	if err != nil {
		return managed.ExternalCreation{}, controller.Failed(fmt.Sprintf("create load balancer %q", name), err)
	}

	if len(out.LoadBalancers) != 1 {
		return managed.ExternalCreation{}, fmt.Errorf("cannot create load balancer %q: AWS answered without one", name)
	}

	// A new one has the defaults that AWS documents. If it has others the next look finds it.
	made := out.LoadBalancers[0]
	e.balancer = &balancer{sdk: made, attributes: defaults(string(made.Scheme))}

	if err := e.claim(ctx, mg); err != nil {
		return managed.ExternalCreation{}, err
	}

	return managed.ExternalCreation{ConnectionDetails: connection(e.balancer)}, e.complete(ctx, mg)
}

// claim what AWS has answered to a creation. It answers with a load balancer that
// exists if its settings are the same, so it may be somebody else's.
func (e *external) claim(ctx context.Context, mg LoadBalancer) error {
	b := e.balancer

	var err error
	if b.tags, err = e.read.Tags(ctx, b.arn(), 0); err != nil {
		return controller.Failed("read the tags of "+b.String(), err)
	}

	if meta.GetExternalName(mg) != "" {
		return nil
	}

	if err := controller.Claim(mg, e.clusterID, b.found()); err != nil {
		return err
	}

	meta.SetExternalName(mg, b.arn())

	return nil
}

// complete a load balancer that was created: it sets what a creation cannot, and
// tells what AWS has answered. So the address is told as soon as there is one, and
// the first look, which sees AWS still setting it up, has nothing to write.
func (e *external) complete(ctx context.Context, mg LoadBalancer) error {
	impossible := e.compare(mg)
	e.record(mg.ObservedState())
	mg.SetConditions(ready(e.balancer.state(), e.change.attributes))

	if impossible != nil {
		return nil //nolint:nilerr // It is no failure of the creation, and the next look says so.
	}

	done, err := e.applyCreation(ctx)
	if err == nil && done {
		controller.Applied(mg)
	}

	return err
}

// Update what can be updated.
func (e *external) Update(ctx context.Context, _ LoadBalancer) (managed.ExternalUpdate, error) {
	return managed.ExternalUpdate{}, e.apply(ctx)
}

// Delete the load balancer and its listeners. Deletion protection and users such as
// an endpoint service are shown, and it is tried again quietly.
func (e *external) Delete(ctx context.Context, mg LoadBalancer) (managed.ExternalDelete, error) {
	arn := e.balancer.arn()
	_, err := e.elb.DeleteLoadBalancer(ctx, &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: &arn})

	switch code := aws.Code(err); {
	case err == nil, aws.IsNotFound(err, codeNotFound):
		return managed.ExternalDelete{}, nil
	case code == codeProtected:
		return managed.ExternalDelete{}, e.protected(ctx, mg, err)
	case code == codeInUse:
		mg.SetConditions(controller.DeletionBlocked(code, aws.Describe(err)))

		return managed.ExternalDelete{}, nil
	}

	return managed.ExternalDelete{}, controller.Failed("delete "+e.balancer.String(), err)
}

// protected tells that AWS refuses. Deletion protection is turned off only for an
// object that says so.
func (e *external) protected(ctx context.Context, mg LoadBalancer, refusal error) error {
	mg.SetConditions(controller.DeletionBlocked(codeProtected, aws.Describe(refusal)+
		": set spec.forProvider.deletionProtection to false, or turn it off in AWS"))

	if p := mg.ForProvider().DeletionProtection; p == nil || *p || !e.policies.ShouldUpdate() {
		return nil
	}

	off := map[string]string{keyDeletionProtection: "false"}
	_, err := e.elb.ModifyLoadBalancerAttributes(ctx, attributesInput(e.balancer.arn(), []string{keyDeletionProtection}, off))

	return controller.Failed("turn the deletion protection of "+e.balancer.String()+" off", err)
}

// Disconnect does nothing: clients are pooled.
func (e *external) Disconnect(context.Context) error { return nil }
