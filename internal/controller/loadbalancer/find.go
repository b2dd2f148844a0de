package loadbalancer

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A balancer is a load balancer as it is in AWS.
type balancer struct {
	sdk  types.LoadBalancer
	tags map[string]string
	// attributes are read if some are managed or shown, and capacity if it is managed.
	attributes map[string]string
	capacity   *elbv2.DescribeCapacityReservationOutput
}

func (b *balancer) arn() string { return sdk.ToString(b.sdk.LoadBalancerArn) }

func (b *balancer) name() string { return sdk.ToString(b.sdk.LoadBalancerName) }

func (b *balancer) String() string { return fmt.Sprintf("load balancer %q", b.name()) }

func (b *balancer) found() controller.Found {
	return controller.Found{What: b.String(), ExternalName: b.arn(), Tags: b.tags}
}

func (b *balancer) state() types.LoadBalancerState {
	if b.sdk.State == nil {
		return types.LoadBalancerState{}
	}

	return *b.sdk.State
}

// find the load balancer of an object, or nil if AWS has none. What the external
// name names is adopted. Anything else that has the object's name must be ours.
func (e *external) find(ctx context.Context, mg LoadBalancer) (*balancer, error) {
	external := meta.GetExternalName(mg)
	if err := arnForm.Check(external, e.region); err != nil && !e.deleting {
		return nil, err
	}

	lb, err := e.named(ctx, mg, external)
	if err != nil || lb == nil {
		return nil, err
	}

	b := &balancer{sdk: *lb}

	if err = e.isNetwork(b); err == nil {
		if b.tags, err = e.read.Tags(ctx, b.arn(), e.ages.Settings); err != nil {
			return nil, controller.Failed("read the tags of "+b.String(), err)
		}

		if external == b.arn() || external == b.name() || e.onlyObserves() {
			return b, nil
		}

		err = controller.Claim(mg, e.clusterID, b.found())
	}

	switch {
	case err != nil && e.deleting:
		// There is nothing of ours to delete.
		return nil, nil //nolint:nilnil // Absent is no error.
	case err != nil:
		return nil, err
	}

	return b, nil
}

// onlyObserves says that nothing in AWS may be changed, so that nothing can be
// taken over by mistake.
func (e *external) onlyObserves() bool {
	return !e.policies.ShouldCreate() && !e.policies.ShouldUpdate() && !e.policies.ShouldDelete()
}

// isNetwork refuses load balancers of other types, which share our names.
func (e *external) isNetwork(b *balancer) error {
	if b.sdk.Type == types.LoadBalancerTypeEnumNetwork {
		return nil
	}

	return controller.Stalled{Reason: controller.ReasonIdentityTaken, Message: fmt.Sprintf(
		"%s is of type %s, and this kind is for type network: set spec.forProvider.name to another name", b, b.sdk.Type)}
}

// named returns the load balancer that the external name names, and if that is an
// ARN of one that is gone, the one of the same name.
func (e *external) named(ctx context.Context, mg LoadBalancer, external string) (*types.LoadBalancer, error) {
	if isARN(external) {
		lb, err := e.read.LoadBalancer(ctx, external, e.ages.Settings)
		if found, err := absent(lb, err, external); err != nil || found != nil {
			return found, err
		}
	}

	name := e.name(mg)
	lb, err := e.read.LoadBalancerByName(ctx, name, e.ages.Settings)

	return absent(lb, err, name)
}

// absent makes nil of AWS's answer that there is none, and of no other.
func absent(lb types.LoadBalancer, err error, name string) (*types.LoadBalancer, error) {
	switch {
	case aws.IsNotFound(err, codeNotFound):
		return nil, nil //nolint:nilnil // Absent is no error.
	case err != nil:
		return nil, controller.Failed("describe load balancer "+name, err)
	}

	return &lb, nil
}

// details are what takes further calls, and only if something of it is managed, or if
// the object is there to show what there is.
func (e *external) details(ctx context.Context, mg LoadBalancer, b *balancer) error {
	var err error

	p := mg.ForProvider()

	if len(wantedAttributes(p))+len(mg.ObservedState().AtProvider.ManagedAttributeKeys) > 0 || e.onlyObserves() {
		if b.attributes, err = e.read.LoadBalancerAttributes(ctx, b.arn(), e.ages.Details); err != nil {
			return controller.Failed("read the attributes of "+b.String(), err)
		}
	}

	if p.MinimumCapacityUnits != nil {
		if b.capacity, err = e.read.CapacityReservation(ctx, b.arn(), e.ages.Details); err != nil {
			return controller.Failed("read the capacity reservation of "+b.String(), err)
		}
	}

	return nil
}

// name of the load balancer in AWS: that of the external name, of the spec, or
// derived.
func (e *external) name(mg LoadBalancer) string {
	switch external := meta.GetExternalName(mg); {
	case isARN(external):
		return nameInARN(external)
	case external != "":
		return external
	case mg.ForProvider().Name != nil:
		return *mg.ForProvider().Name
	}

	return controller.DefaultName(e.clusterID, mg.GetNamespace(), mg.GetName())
}

// arnForm is that of arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/net/NAME/ID.
var arnForm = controller.ARNForm{What: "Network Load Balancer", Resource: "loadbalancer/net/", Slashes: 3, Named: true}

// isARN tells arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/net/NAME/ID
// from a name.
func isARN(s string) bool {
	return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") == 5 && strings.Count(s, "/") == 3
}

func nameInARN(arn string) string { return strings.Split(arn, "/")[2] }
