package awssim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// slow is a bench whose load balancers are provisioning for three minutes.
func (b *bench) slow(locked bool) *bench {
	p := steady
	p.Provisioning = awssim.Span{Min: 3 * time.Minute, Max: 3 * time.Minute}
	p.LockedWhileProvisioning = locked
	return newBench(b.t, awssim.Options{Profile: p}).networked()
}

func (b *bench) mapSubnets(arn string, mappings ...types.SubnetMapping) error {
	_, err := b.elb.SetSubnets(b.ctx, &elbv2.SetSubnetsInput{LoadBalancerArn: &arn, SubnetMappings: mappings})
	return err
}

func TestLoadBalancerChangeRules(t *testing.T) {
	t.Parallel()
	const conf = "InvalidConfigurationRequest"
	run(t, map[string]rule{
		"Provisioning": {"Listeners, attributes and tags can be made while a load balancer is provisioning.", "facts/aws.md §1.10, 3", func(b *bench) {
			b = b.slow(true)
			arn := b.lb(nil)
			b.tcp(arn, b.group("web"))
			b.ok(b.setLB(arn, "load_balancing.cross_zone.enabled", "true"))
			_, err := b.elb.AddTags(b.ctx, &elbv2.AddTagsInput{ResourceArns: []string{arn}, Tags: []types.Tag{{Key: aws.String("a")}}})
			b.ok(err)
			b.ok(b.deleteLB(arn))
		}},
		"Locked": {"Its network, groups and capacity may be locked until it is active.", "facts/aws.md §1.10, 7", func(b *bench) {
			b = b.slow(true)
			group := b.securityGroup("front")
			arn := b.lb(func(i *createLB) { i.SecurityGroups = []string{group} })
			calls := func(check func(error)) {
				check(b.setSubnets(arn, subnetA, subnetB))
				check(b.setGroups(arn, group))
				check(b.setAddressType(arn, types.IpAddressTypeDualstack))
				_, err := b.reserve(arn, 3000)
				check(err)
			}
			calls(func(err error) { b.t.Helper(); b.refused(err, conf) })
			b.clock.Advance(3 * time.Minute)
			calls(func(err error) { b.t.Helper(); b.ok(err) })
		}},
		"NotLocked": {"By default it is not: nobody has verified that it is.", "facts/aws.md §1.10, 7", func(b *bench) {
			b = b.slow(false)
			arn := b.lb(nil)
			b.ok(b.setSubnets(arn, subnetA, subnetB))
		}},
		"Fresh": {"A new load balancer may not be listed at first.", "hashicorp/terraform-provider-aws: waits for LoadBalancerNotFound to pass", func(b *bench) {
			p := steady
			p.LoadBalancerLag = awssim.Span{Min: time.Second, Max: time.Second}
			b = newBench(b.t, awssim.Options{Profile: p}).networked()
			arn := b.lb(nil)
			describe := func() error {
				_, err := b.elb.DescribeLoadBalancers(b.ctx, &elbv2.DescribeLoadBalancersInput{Names: []string{"edge"}})
				return err
			}
			b.refused(describe(), "LoadBalancerNotFound")
			diff(b.t, arn, b.lb(nil))
			b.clock.Advance(time.Second)
			b.ok(describe())
		}},
		"LocalZone": {"A Local Zone is not supported.", setSubnetDoc, func(b *bench) {
			arn := b.networked().lb(nil)
			local := b.sim.SeedSubnet(awssim.Subnet{Region: region, VPC: vpc, Zone: "us-east-1-bos-1a", CIDR: "10.0.5.0/24"})
			b.refused(b.setSubnets(arn, subnetA, local), "AvailabilityZoneNotSupported")
			_, err := b.createLB(func(i *createLB) { i.Name, i.Subnets = aws.String("other"), []string{local} })
			b.refused(err, "AvailabilityZoneNotSupported")
		}},
		"AddressTaken": {"An Elastic IP address that is taken is no ResourceInUse to SetSubnets.", "APIReference/API_SetSubnets.html#API_SetSubnets_Errors", func(b *bench) {
			arn := b.networked().lb(nil)
			b.sim.SeedEIP(awssim.EIP{AllocationID: elastic, Address: "192.0.2.1", Taken: true})
			b.refused(b.mapSubnets(arn, types.SubnetMapping{SubnetId: aws.String(subnetA)},
				types.SubnetMapping{SubnetId: aws.String(subnetB), AllocationId: aws.String(elastic)}), conf)
		}},
		"AddressKept": {"A zone that is removed keeps its address for a while.", "facts/aws.md §1.10, 4", func(b *bench) {
			p := steady
			p.InterfaceRemoval = awssim.Span{Min: time.Minute, Max: time.Minute}
			b = newBench(b.t, awssim.Options{Profile: p}).networked()
			arn := b.lb(mapped(func(m *types.SubnetMapping) { m.AllocationId = aws.String(elastic) }))
			b.ok(b.setSubnets(arn, subnetB))
			again := func() error {
				return b.mapSubnets(arn, types.SubnetMapping{SubnetId: aws.String(subnetB)},
					types.SubnetMapping{SubnetId: aws.String(subnetA), AllocationId: aws.String(elastic)})
			}
			b.refused(again(), conf)
			b.clock.Advance(time.Minute)
			b.ok(again())
		}},
		"IPv6Swap": {"Another IPv6 address of an enabled zone takes two steps.", "facts/aws.md §1.3", func(b *bench) {
			arn := b.networked().lb(both(dual, mapped(func(m *types.SubnetMapping) { m.IPv6Address = aws.String("2001:db8:0:a::10") })))
			b.refused(b.mapSubnets(arn, types.SubnetMapping{SubnetId: aws.String(subnetA), IPv6Address: aws.String("2001:db8:0:a::11")}), conf)
			b.ok(b.mapSubnets(arn, types.SubnetMapping{SubnetId: aws.String(subnetA), IPv6Address: aws.String("2001:db8:0:a::10")}))
		}},
		"CapacityFailed": {"A reservation can fail; the next one may be asked for then.", "network/capacity-unit-reservation.html", func(b *bench) {
			arn := b.networked().lb(nil)
			_, err := b.reserve(arn, 3000)
			b.ok(err)
			b.sim.SetCapacityState(arn, "rebalancing", "")
			_, err = b.reserve(arn, 3500)
			b.refused(err, "PriorRequestNotComplete")
			b.sim.SetCapacityState(arn, "failed", "no capacity")
			out, err := b.elb.DescribeCapacityReservation(b.ctx, &elbv2.DescribeCapacityReservationInput{LoadBalancerArn: &arn})
			b.ok(err)
			diff(b.t, &types.CapacityReservationStatus{Code: "failed", Reason: aws.String("no capacity")}, out.CapacityReservationState[0].State)
			_, err = b.reserve(arn, 3500)
			b.ok(err)
		}},
		"SecurityGroupsPerInterface": {"The quota of groups per interface can be raised.", "vpc/latest/userguide/amazon-vpc-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{SecurityGroupsPerInterface: 6}}).networked()
			var ids []string
			for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
				ids = append(ids, b.securityGroup(name))
			}
			arn := b.lb(func(i *createLB) { i.SecurityGroups = ids[:6] })
			b.refused(b.setGroups(arn, ids...), conf)
		}},
		"LogPrefix": {"The prefix of access logs has no AWSLogs in it.", "network/load-balancer-access-logs.html", func(b *bench) {
			b.refused(b.setLB(b.networked().lb(nil), "access_logs.s3.prefix", "edge/AWSLogs"), "ValidationError")
		}},
		"LogBucket": {"A bucket has a name that S3 allows.", "AmazonS3/latest/userguide/bucketnamingrules.html", func(b *bench) {
			b.refused(b.setLB(b.networked().lb(nil), "access_logs.s3.enabled", "true", "access_logs.s3.bucket", "My_Logs"), "ValidationError")
		}},
	})
}

func TestAccountRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"Limits": {"The limits of the account are listed in pages.", "APIReference/API_DescribeAccountLimits.html", func(b *bench) {
			got := map[string]string{}
			p := elbv2.NewDescribeAccountLimitsPaginator(b.elb, &elbv2.DescribeAccountLimitsInput{PageSize: aws.Int32(4)})
			for p.HasMorePages() {
				out, err := p.NextPage(b.ctx)
				b.ok(err)
				for _, l := range out.Limits {
					got[*l.Name] = *l.Max
				}
			}
			diff(b.t, map[string]string{
				"network-load-balancers": "50", "target-groups": "3000", "listeners-per-network-load-balancer": "50",
				"targets-per-network-load-balancer": "3000", "targets-per-availability-zone-per-network-load-balancer": "500",
				"target-groups-per-action-on-network-load-balancer": "5",
			}, got)
		}},
		"Pools": {"Pools of addresses are for Application Load Balancers.", "APIReference/API_ModifyIpPools.html", func(b *bench) {
			arn := b.networked().lb(nil)
			_, err := b.elb.ModifyIpPools(b.ctx, &elbv2.ModifyIpPoolsInput{
				LoadBalancerArn: &arn, IpamPools: &types.IpamPools{Ipv4IpamPoolId: aws.String("ipam-pool-0123456789abcdef0")},
			})
			b.refused(err, "InvalidConfigurationRequest")
		}},
		"Policy": {"A load balancer has no resource policy.", "APIReference/API_GetResourcePolicy.html", func(b *bench) {
			arn := b.networked().lb(nil)
			_, err := b.elb.GetResourcePolicy(b.ctx, &elbv2.GetResourcePolicyInput{ResourceArn: &arn})
			b.refused(err, "ResourceNotFound")
		}},
	})
}
