package awssim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func (b *bench) setLB(arn string, pairs ...string) error {
	in := &elbv2.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &arn}
	for i := 0; i < len(pairs); i += 2 {
		in.Attributes = append(in.Attributes, types.LoadBalancerAttribute{Key: &pairs[i], Value: &pairs[i+1]})
	}
	_, err := b.elb.ModifyLoadBalancerAttributes(b.ctx, in)
	return err
}

func (b *bench) setSubnets(arn string, subnets ...string) error {
	_, err := b.elb.SetSubnets(b.ctx, &elbv2.SetSubnetsInput{LoadBalancerArn: &arn, Subnets: subnets})
	return err
}

func (b *bench) setGroups(arn string, groups ...string) error {
	_, err := b.elb.SetSecurityGroups(b.ctx, &elbv2.SetSecurityGroupsInput{LoadBalancerArn: &arn, SecurityGroups: append([]string{}, groups...)})
	return err
}

func (b *bench) setAddressType(arn string, t types.IpAddressType) error {
	_, err := b.elb.SetIpAddressType(b.ctx, &elbv2.SetIpAddressTypeInput{LoadBalancerArn: &arn, IpAddressType: t})
	return err
}

func (b *bench) state(arn string) string {
	b.t.Helper()
	out, err := b.elb.DescribeLoadBalancers(b.ctx, &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}})
	b.ok(err)
	return string(out.LoadBalancers[0].State.Code)
}

func (b *bench) zones() map[string]string {
	return b.sim.LoadBalancers(awssim.DefaultAccount, region)[0].Zones
}

func TestSetRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"SubnetsReplace": {"The subnets replace those there were, in both directions.", setSubnetDoc, func(b *bench) {
			arn := b.networked().lb(nil)
			b.ok(b.setSubnets(arn, subnetA, subnetB))
			diff(b.t, map[string]string{zoneA: subnetA, zoneB: subnetB}, b.zones())
			b.ok(b.setSubnets(arn, subnetB))
			diff(b.t, map[string]string{zoneB: subnetB}, b.zones())
		}},
		"SubnetSwap": {"Another subnet of an enabled zone takes two steps.", "aws-load-balancer-controller#4171", func(b *bench) {
			arn := b.networked().lb(func(i *createLB) { i.Subnets = []string{subnetA, subnetB} })
			b.refused(b.setSubnets(arn, subnetA2, subnetB), "InvalidConfigurationRequest")
			b.ok(b.setSubnets(arn, subnetB))
			b.ok(b.setSubnets(arn, subnetA2, subnetB))
		}},
		"AddressSwap": {"Another address of an enabled zone takes two steps.", "facts/aws.md §1.3", func(b *bench) {
			arn := b.networked().lb(nil)
			_, err := b.elb.SetSubnets(b.ctx, &elbv2.SetSubnetsInput{
				LoadBalancerArn: &arn, SubnetMappings: []types.SubnetMapping{{SubnetId: aws.String(subnetA), AllocationId: aws.String(elastic)}},
			})
			b.refused(err, "InvalidConfigurationRequest")
		}},
		"SubnetOfEndpoint": {"A zone that an endpoint service uses stays.", "network/availability-zones.html", func(b *bench) {
			arn := b.networked().lb(func(i *createLB) { i.Subnets = []string{subnetA, subnetB} })
			b.sim.SetEndpointService(arn, zoneA)
			b.refused(b.setSubnets(arn, subnetB), "InvalidConfigurationRequest")
			b.ok(b.setSubnets(arn, subnetA))
		}},
		"OtherVPC": {"Subnets of a load balancer are in its VPC.", setSubnetDoc, func(b *bench) {
			arn := b.networked().lb(nil)
			other := b.sim.SeedSubnet(awssim.Subnet{VPC: "vpc-0aaaaaaaaaaaaaaa0", Zone: zoneB, CIDR: "10.9.0.0/24"})
			b.refused(b.setSubnets(arn, subnetA, other), "InvalidConfigurationRequest")
			b.refused(b.setSubnets(arn, other), "InvalidConfigurationRequest")
		}},
		"SourceNATOn": {"Source NAT is turned on by SetSubnets.", setSubnetDoc, func(b *bench) {
			arn := b.networked().lb(dual)
			out, err := b.elb.SetSubnets(b.ctx, &elbv2.SetSubnetsInput{
				LoadBalancerArn: &arn, EnablePrefixForIpv6SourceNat: types.EnablePrefixForIpv6SourceNatEnumOn,
				SubnetMappings: []types.SubnetMapping{{SubnetId: aws.String(subnetA), SourceNatIpv6Prefix: aws.String("2001:db8:0:a:1::/80")}},
			})
			b.ok(err)
			diff(b.t, []string{"2001:db8:0:a:1::/80"}, out.AvailabilityZones[0].SourceNatIpv6Prefixes)
		}},
		"SourceNATOff": {"Source NAT ends with its prefixes; off is the default.", setSubnetDoc, func(b *bench) {
			arn := b.networked().lb(dual)
			set := func(on types.EnablePrefixForIpv6SourceNatEnum, prefix *string) (*elbv2.SetSubnetsOutput, error) {
				return b.elb.SetSubnets(b.ctx, &elbv2.SetSubnetsInput{
					LoadBalancerArn: &arn, EnablePrefixForIpv6SourceNat: on,
					SubnetMappings: []types.SubnetMapping{{SubnetId: aws.String(subnetA), SourceNatIpv6Prefix: prefix}},
				})
			}
			_, err := set("on", aws.String("auto_assigned"))
			b.ok(err)
			b.refused(b.setAddressType(arn, "ipv4"), "InvalidConfigurationRequest")
			out, err := set("off", nil)
			b.ok(err)
			diff(b.t, 0, len(out.AvailabilityZones[0].SourceNatIpv6Prefixes))
			b.ok(b.setAddressType(arn, "ipv4"))
		}},
		"IPv6Ends": {"Only dualstack has IPv6 addresses.", "APIReference/API_SubnetMapping.html", func(b *bench) {
			arn := b.networked().lb(func(i *createLB) {
				dual(i)
				i.Subnets, i.SubnetMappings = nil, []types.SubnetMapping{{SubnetId: aws.String(subnetA), IPv6Address: aws.String("2001:db8:0:a::9")}}
			})
			_, err := b.elb.SetSubnets(b.ctx, &elbv2.SetSubnetsInput{LoadBalancerArn: &arn, Subnets: []string{subnetA}, IpAddressType: "ipv4"})
			b.ok(err)
			out, err := b.elb.DescribeLoadBalancers(b.ctx, &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}})
			b.ok(err)
			for _, a := range out.LoadBalancers[0].AvailabilityZones[0].LoadBalancerAddresses {
				diff(b.t, "", aws.ToString(a.IPv6Address))
			}
		}},
		"GroupsNever": {"Without security groups at creation there are none ever.", "kubernetes-sigs/cluster-api-provider-aws#4790", func(b *bench) {
			arn := b.networked().lb(nil)
			b.refused(b.setGroups(arn, b.securityGroup("a")), "InvalidConfigurationRequest")
		}},
		"GroupsAlways": {"With security groups at creation there are some ever.", "network/load-balancer-security-groups.html", func(b *bench) {
			one, two := b.networked().securityGroup("a"), b.securityGroup("b")
			arn := b.lb(func(i *createLB) { i.SecurityGroups = []string{one} })
			b.refused(b.setGroups(arn), "InvalidConfigurationRequest")
			b.ok(b.setGroups(arn, two))
			diff(b.t, []string{two}, b.sim.LoadBalancers(awssim.DefaultAccount, region)[0].SecurityGroups)
		}},
		"SixGroups": {"An interface has at most five security groups.", "vpc/latest/userguide/amazon-vpc-limits.html", func(b *bench) {
			var ids []string
			for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
				ids = append(ids, b.securityGroup(name))
			}
			arn := b.networked().lb(func(i *createLB) { i.SecurityGroups = ids[:5] })
			b.refused(b.setGroups(arn, ids...), "InvalidConfigurationRequest")
		}},
		"Enforce": {"Inbound rules hold for PrivateLink unless turned off.", "APIReference/API_SetSecurityGroups.html", func(b *bench) {
			group := b.networked().securityGroup("a")
			lb, err := b.createLB(func(i *createLB) { i.SecurityGroups = []string{group} })
			b.ok(err)
			diff(b.t, "on", aws.ToString(lb.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic))
			out, err := b.elb.SetSecurityGroups(b.ctx, &elbv2.SetSecurityGroupsInput{
				LoadBalancerArn: lb.LoadBalancerArn, SecurityGroups: []string{group}, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: "off",
			})
			b.ok(err)
			diff(b.t, "off", string(out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic))
		}},
		"AddressType": {"Dualstack needs IPv6 in every subnet.", "APIReference/API_SetIpAddressType.html", func(b *bench) {
			arn := b.networked().lb(func(i *createLB) { i.Subnets = []string{subnetA2} })
			b.refused(b.setAddressType(arn, "dualstack"), "InvalidConfigurationRequest")
			b.ok(b.setSubnets(arn, subnetB))
			b.ok(b.setAddressType(arn, "dualstack"))
		}},
	})
}

func TestLoadBalancerAttributeRules(t *testing.T) {
	t.Parallel()
	const doc = "APIReference/API_LoadBalancerAttribute.html"
	setting := func(code, key, value, reason, source string) rule {
		return rule{reason, source, func(b *bench) {
			err := b.setLB(b.networked().lb(nil), key, value)
			if code == "" {
				b.ok(err)
				return
			}
			b.refused(err, code)
		}}
	}
	const conf = "InvalidConfigurationRequest"
	run(t, map[string]rule{
		"Defaults": {"A Network Load Balancer has these nine.", doc, func(b *bench) {
			arn := b.networked().lb(internal)
			out, err := b.elb.DescribeLoadBalancerAttributes(b.ctx, &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn})
			b.ok(err)
			got := map[string]string{}
			for _, a := range out.Attributes {
				got[*a.Key] = aws.ToString(a.Value)
			}
			diff(b.t, map[string]string{
				"deletion_protection.enabled": "false", "load_balancing.cross_zone.enabled": "false", "access_logs.s3.enabled": "false",
				"access_logs.s3.bucket": "", "access_logs.s3.prefix": "", "ipv6.deny_all_igw_traffic": "true",
				"zonal_shift.config.enabled": "false", "dns_record.client_routing_policy": "any_availability_zone",
				"secondary_ips.auto_assigned.per_subnet": "0",
			}, got)
		}},
		"Accepted":   setting("", "dns_record.client_routing_policy", "availability_zone_affinity", "One of three policies.", doc),
		"UnknownKey": setting("ValidationError", "typo.enabled", "true", "An unknown key is not recognized.", "facts/aws.md §1.4"),
		"IdleTimeout": setting(conf, "idle_timeout.timeout_seconds", "60",
			"The attributes of Application Load Balancers are not supported.", doc),
		"HTTP": setting(conf, "routing.http.drop_invalid_header_fields.enabled", "true",
			"The attributes of Application Load Balancers are not supported.", doc),
		"BoolValue":     setting("ValidationError", "deletion_protection.enabled", "yes", "The value is true or false.", doc),
		"RoutingPolicy": setting("ValidationError", "dns_record.client_routing_policy", "any", "One of three policies.", doc),
		"LogsWithoutBucket": setting(conf, "access_logs.s3.enabled", "true",
			"Access logs need a bucket.", doc),
		"SecondaryIPs8": setting("ValidationError", "secondary_ips.auto_assigned.per_subnet", "8", "At most 7 secondary addresses.", doc),
		"SecondaryIPsDecrease": {"The number of secondary addresses never decreases.", doc, func(b *bench) {
			arn := b.networked().lb(nil)
			b.ok(b.setLB(arn, "secondary_ips.auto_assigned.per_subnet", "3"))
			b.refused(b.setLB(arn, "secondary_ips.auto_assigned.per_subnet", "2"), conf)
		}},
		"AllOrNothing": {"A refused call changes no attribute.", doc, func(b *bench) {
			arn := b.networked().lb(nil)
			b.refused(b.setLB(arn, "deletion_protection.enabled", "true", "typo", "true"), "ValidationError")
			b.ok(b.deleteLB(arn))
		}},
		"TwentyOne": {"A call has at most 20 attributes.", "botocore elbv2/2015-12-01/service-2.json", func(b *bench) {
			var many []string
			for i := range 21 {
				many = append(many, "typo."+string(rune('a'+i)), "x")
			}
			b.refused(b.setLB(b.networked().lb(nil), many...), "ValidationError")
		}},
	})
}

func (b *bench) reserve(arn string, units int32) (*elbv2.ModifyCapacityReservationOutput, error) {
	in := &elbv2.ModifyCapacityReservationInput{LoadBalancerArn: &arn, ResetCapacityReservation: aws.Bool(true)}
	if units > 0 {
		in.ResetCapacityReservation, in.MinimumLoadBalancerCapacity = nil, &types.MinimumLoadBalancerCapacity{CapacityUnits: &units}
	}
	return b.elb.ModifyCapacityReservation(b.ctx, in)
}

func TestCapacityRules(t *testing.T) {
	t.Parallel()
	const doc = "network/capacity-unit-reservation.html"
	run(t, map[string]rule{
		"Pending": {"A reservation is pending at first; until then there is no other and no SetSubnets.", doc, func(b *bench) {
			slow := steady
			slow.CapacityChange = awssim.Span{Min: time.Minute, Max: time.Minute}
			b = newBench(b.t, awssim.Options{Profile: slow}).networked()
			arn := b.lb(nil)
			_, err := b.reserve(arn, 3000)
			b.ok(err)
			_, err = b.reserve(arn, 4000)
			b.refused(err, "PriorRequestNotComplete")
			b.refused(b.setSubnets(arn, subnetA, subnetB), "CapacityReservationPending")
			b.clock.Advance(time.Minute)
			out, err := b.elb.DescribeCapacityReservation(b.ctx, &elbv2.DescribeCapacityReservationInput{LoadBalancerArn: &arn})
			b.ok(err)
			diff(b.t, []types.ZonalCapacityReservationState{{
				AvailabilityZone: aws.String(zoneA), EffectiveCapacityUnits: aws.Float64(3000),
				State: &types.CapacityReservationStatus{Code: types.CapacityReservationStateEnumProvisioned},
			}}, out.CapacityReservationState)
		}},
		"Decreases": {"Two decreases a day.", doc, func(b *bench) {
			arn := b.networked().lb(nil)
			for _, units := range []int32{5000, 4000, 3000} {
				_, err := b.reserve(arn, units)
				b.ok(err)
			}
			_, err := b.reserve(arn, 0)
			b.refused(err, "CapacityDecreaseRequestLimitExceeded")
			b.clock.Advance(24 * time.Hour)
			out, err := b.reserve(arn, 0)
			b.ok(err)
			diff(b.t, (*types.MinimumLoadBalancerCapacity)(nil), out.MinimumLoadBalancerCapacity)
		}},
		"Quota": {"Units are limited by a quota.", doc, func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{CapacityUnits: 3000}}).networked()
			_, err := b.reserve(b.lb(nil), 3001)
			b.refused(err, "CapacityUnitsLimitExceeded")
		}},
		"Neither": {"Units or a reset: one of the two.", "APIReference/API_ModifyCapacityReservation.html", func(b *bench) {
			arn := b.networked().lb(nil)
			_, err := b.elb.ModifyCapacityReservation(b.ctx, &elbv2.ModifyCapacityReservationInput{LoadBalancerArn: &arn})
			b.refused(err, "ValidationError")
		}},
	})
}
