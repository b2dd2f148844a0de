package loadbalancer

import (
	"context"
	"maps"
	"slices"
	"strings"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// maxAttributes is how many AWS takes in a call.
const maxAttributes = 20

// apply makes the calls of a change, one for each part that differs, in the order
// in which AWS accepts them. The first that fails ends it.
func (e *external) apply(ctx context.Context) error {
	for _, part := range []struct {
		differs bool
		set     func(context.Context) error
	}{
		{!e.change.tags.None(), e.setTags},
		{e.change.groups, e.setGroups},
		{e.change.subnets, e.setSubnets},
		{e.change.addressType && !e.change.subnets, e.setAddressType},
		{!e.change.attributes.None(), e.setAttributes},
		{e.change.capacity && !e.capacityPending(), e.setCapacity},
	} {
		if !part.differs {
			continue
		}

		if err := part.set(ctx); err != nil {
			return e.unlessProvisioning(err)
		}
	}

	return nil
}

// applyCreation makes the calls for what a creation cannot declare and AWS takes of a
// load balancer that it is still setting up. done says that nothing else differs.
// What AWS does not see yet is left to the next look.
func (e *external) applyCreation(ctx context.Context) (done bool, err error) {
	c := e.change
	done = c.tags.None() && !c.subnets && !c.addressType && !c.capacity

	if c.groups {
		err = e.setGroups(ctx)
	}

	if err == nil && !c.attributes.None() {
		err = e.setAttributes(ctx)
	}

	if aws.IsNotFound(err, codeNotFound) {
		return false, nil
	}

	return done, e.unlessProvisioning(err)
}

// unlessProvisioning: what AWS refuses of a load balancer that is not active yet
// it may accept later.
func (e *external) unlessProvisioning(err error) error {
	var s controller.Stalled
	if e.balancer.state().Code == types.LoadBalancerStateEnumProvisioning && errors.As(err, &s) {
		return errors.New(s.Message)
	}

	return err
}

func (e *external) setTags(ctx context.Context) error {
	return controller.WriteELBv2Tags(ctx, e.elb, []string{e.balancer.arn()}, e.balancer.String(), e.change.tags)
}

func (e *external) setGroups(ctx context.Context) error {
	_, err := e.elb.SetSecurityGroups(ctx, groupsInput(e.balancer.arn(), e.change.want.groups))

	return controller.Failed("set the security groups of "+e.balancer.String(), err)
}

// setSubnets makes one step to the wanted subnets. The next follows when AWS shows
// this one.
func (e *external) setSubnets(ctx context.Context) error {
	s := next(e.change.want.subnets, e.change.have.subnets)
	if s.stuck {
		return e.stuck()
	}

	err := e.send(ctx, s.mappings)
	for i := 0; i < len(s.instead) && sameZone(err); i++ {
		err = e.send(ctx, s.instead[i])
	}

	if sameZone(err) && len(e.change.have.subnets.mappings) == 1 {
		return e.stuck()
	}

	if sameZone(err) || lingers(err) {
		// The zone is being removed, or what held the address is.
		return errors.Wrap(aws.Wrap(err), "cannot set the subnets of "+e.balancer.String()+" yet")
	}

	return controller.Failed("set the subnets of "+e.balancer.String(), err)
}

func (e *external) send(ctx context.Context, mappings []mapping) error {
	_, err := e.elb.SetSubnets(ctx, subnetsInput(e.balancer.arn(), mappings, e.change.want, e.change.have))

	return err
}

func (e *external) stuck() error {
	return controller.Stalled{Reason: controller.ReasonImmutable, Message: "spec.forProvider.subnetMappings: AWS changes the subnet or an address of " +
		"a zone only by removing the zone and adding it again, and " + e.balancer.String() + " has no other zone: add a subnet of another zone first, or create a new LoadBalancer"}
}

// sameZone is AWS's answer that two subnets, enabled or to be, are in one zone. The
// code is that of all wrong configurations. If AWS ever changes the text, the
// answer is reported and no zone is removed.
func sameZone(err error) bool {
	text := aws.Describe(err)

	return aws.Code(err) == codeInvalid && (strings.Contains(text, "Availability Zone that is already associated") ||
		strings.Contains(text, "multiple subnets in the same Availability Zone"))
}

// lingers is AWS's answer that an elastic IP address is associated, which it stays
// for minutes after its zone was removed. SetSubnets has no code of its own for it.
func lingers(err error) bool {
	return aws.Code(err) == codeInvalid && strings.Contains(aws.Describe(err), "allocation IDs are not available")
}

func (e *external) setAddressType(ctx context.Context) error {
	arn := e.balancer.arn()
	_, err := e.elb.SetIpAddressType(ctx, &elbv2.SetIpAddressTypeInput{LoadBalancerArn: &arn, IpAddressType: types.IpAddressType(e.change.want.addressType)})

	return controller.Failed("set the address type of "+e.balancer.String(), err)
}

func (e *external) setAttributes(ctx context.Context) error {
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(e.change.attributes.Set)), maxAttributes) {
		if _, err := e.elb.ModifyLoadBalancerAttributes(ctx, attributesInput(e.balancer.arn(), keys, e.change.attributes.Set)); err != nil {
			return controller.Failed("set the attributes of "+e.balancer.String(), err)
		}
	}

	return nil
}

// capacityPending: AWS takes the next request when the last one has ended.
func (e *external) capacityPending() bool {
	c := capacity(e.balancer.capacity)

	return c != nil && c.State == string(types.CapacityReservationStateEnumPending)
}

func (e *external) setCapacity(ctx context.Context) error {
	_, err := e.elb.ModifyCapacityReservation(ctx, capacityInput(e.balancer.arn(), e.change.want.units))

	return controller.Failed("reserve capacity of "+e.balancer.String(), err)
}
