package awssim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

func (b *bench) interfaces(filters ...ec2types.Filter) []ec2types.NetworkInterface {
	b.t.Helper()
	out, err := b.ec2.DescribeNetworkInterfaces(b.ctx, &ec2.DescribeNetworkInterfacesInput{Filters: filters})
	b.ok(err)
	return out.NetworkInterfaces
}

func TestNetworkRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"Interfaces": {"A load balancer has an interface in each zone, described with its name and id.", "facts/aws.md §1.10, 4", func(b *bench) {
			web := b.networked().securityGroup("web")
			arn := b.lb(func(i *createLB) { i.Subnets, i.SecurityGroups = []string{subnetA, subnetB}, []string{web} })
			found := b.interfaces(filter("group-id", web))
			diff(b.t, 2, len(found))
			_, path, _ := strings.Cut(arn, "loadbalancer/")
			diff(b.t, []string{"ELB " + path, "network_load_balancer"}, []string{*found[0].Description, string(found[0].InterfaceType)})
		}},
		"Linger": {"Interfaces linger when a load balancer, or a zone of it, is gone.", "facts/aws.md §1.10, 4", func(b *bench) {
			slow := steady
			slow.InterfaceRemoval = awssim.Span{Min: time.Minute, Max: time.Minute}
			b = newBench(b.t, awssim.Options{Profile: slow}).networked()
			arn := b.lb(func(i *createLB) { i.Subnets = []string{subnetA, subnetB} })
			b.ok(b.setSubnets(arn, subnetB))
			diff(b.t, 1, len(b.interfaces(filter("subnet-id", subnetA))))
			b.clock.Advance(time.Minute)
			diff(b.t, 0, len(b.interfaces(filter("subnet-id", subnetA))))
			b.ok(b.deleteLB(arn))
			diff(b.t, 1, len(b.interfaces()))
			b.clock.Advance(time.Minute)
			diff(b.t, 0, len(b.interfaces()))
		}},
		"NewAddresses": {"A zone that is added again has another interface.", "network/availability-zones.html", func(b *bench) {
			arn := b.networked().lb(func(i *createLB) { i.Subnets = []string{subnetA, subnetB} })
			was := *b.interfaces(filter("subnet-id", subnetA))[0].NetworkInterfaceId
			b.ok(b.setSubnets(arn, subnetB))
			b.ok(b.setSubnets(arn, subnetA, subnetB))
			if now := *b.interfaces(filter("subnet-id", subnetA))[0].NetworkInterfaceId; now == was {
				b.t.Errorf("still interface %s", was)
			}
		}},
		"Quota": {"A VPC has 1,200 interfaces of Network Load Balancers.", "network/load-balancer-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{InterfacesPerVPC: 1}}).networked()
			b.lb(nil)
			_, err := b.createLB(func(i *createLB) { i.Name = aws.String("other") })
			b.refused(err, "InvalidConfigurationRequest")
		}},
		"PrivateAddressInUse": {"A private address has one user.", "facts/aws.md §1.2", func(b *bench) {
			at := both(internal, mapped(func(m *types.SubnetMapping) { m.PrivateIPv4Address = aws.String("10.0.0.9") }))
			got, err := b.networked().createLB(at)
			b.ok(err)
			diff(b.t, "10.0.0.9", *got.AvailabilityZones[0].LoadBalancerAddresses[0].PrivateIPv4Address)
			_, err = b.createLB(both(at, func(i *createLB) { i.Name = aws.String("other") }))
			b.refused(err, "InvalidConfigurationRequest")
		}},
		"Subnets": {"Subnets have zones, ranges and free addresses.", ec2Doc + "DescribeSubnets.html", func(b *bench) {
			b.networked().lb(nil)
			out, err := b.ec2.DescribeSubnets(b.ctx, &ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{filter("availability-zone", zoneA)}})
			b.ok(err)
			var lines []string
			for _, n := range out.Subnets {
				lines = append(lines, fmt.Sprint(*n.SubnetId, " ", *n.CidrBlock, " ", *n.AvailableIpAddressCount, " ", len(n.Ipv6CidrBlockAssociationSet)))
			}
			diff(b.t, []string{subnetA + " 10.0.0.0/24 250 1", subnetA2 + " 10.0.2.0/24 251 0"}, lines)
			_, err = b.ec2.DescribeSubnets(b.ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-0123456789abcdef0"}})
			b.refused(err, "InvalidSubnetID.NotFound")
		}},
		"VPCs": {"VPCs are found by id.", ec2Doc + "DescribeVpcs.html", func(b *bench) {
			out, err := b.ec2.DescribeVpcs(b.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{vpc}})
			b.ok(err)
			diff(b.t, vpc, *out.Vpcs[0].VpcId)
		}},
		"GroupElsewhere": {"A load balancer's security groups are in its VPC.", createLBDoc, func(b *bench) {
			b.networked().sim.SeedVPC(awssim.DefaultAccount, region, "vpc-0aaaaaaaaaaaaaaa0")
			out, err := b.ec2.DescribeSecurityGroups(b.ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{filter("vpc-id", "vpc-0aaaaaaaaaaaaaaa0")}})
			b.ok(err)
			_, err = b.createLB(func(i *createLB) { i.SecurityGroups = []string{*out.SecurityGroups[0].GroupId} })
			b.refused(err, "InvalidConfigurationRequest")
		}},
		"ResourceIntensive": {"10 creations at once, then one in 5 seconds; SetSubnets shares them.", "userguide/elb-api-throttling.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{TokenBuckets: true}).networked()
			var arn string
			for range 10 {
				arn = b.lb(nil)
			}
			b.refused(b.setSubnets(arn, subnetA), "Throttling")
			b.clock.Advance(5 * time.Second)
			b.ok(b.setSubnets(arn, subnetA))
			_, err := b.createLB(nil)
			b.refused(err, "Throttling")
		}},
		"Worlds": {"Accounts share nothing.", "IAM reference_policies_evaluation-logic-cross-account", func(b *bench) {
			arn := b.networked().lb(nil)
			k := awssim.AccessKey{Account: "210987654321", ID: "AKIAOTHER", Secret: "secret", User: "other"}
			b.sim.AddKey(k)
			b.as(b.sim.ConfigFor(region, k))
			b.refused(b.deleteLB(arn), "AccessDenied")
			diff(b.t, []string{}, b.named())
		}},
	})
}

func TestSeededLoadBalancer(t *testing.T) {
	t.Parallel()
	b := newBench(t, awssim.Options{Profile: awssim.Worst}).networked()
	arn, err := b.sim.SeedLoadBalancer(awssim.LoadBalancerSeed{
		Name: "edge", Subnets: []string{subnetA, subnetB}, Params: map[string]string{"IpAddressType": "dualstack"},
		Attributes: map[string]string{"load_balancing.cross_zone.enabled": "true"}, Tags: map[string]string{"a": "1"},
	})
	b.ok(err)
	diff(t, 0, b.sim.Count())
	diff(t, "active", b.state(arn))
	b.ok(b.setLB(arn, "deletion_protection.enabled", "true"))
	lb := b.sim.LoadBalancers(awssim.DefaultAccount, region)[0]
	diff(t, []string{"true", "true", "1"}, []string{
		lb.Attributes["load_balancing.cross_zone.enabled"], lb.Attributes["deletion_protection.enabled"], lb.Tags["a"],
	})
	out, err := b.elb.DescribeTags(b.ctx, &elbv2.DescribeTagsInput{ResourceArns: []string{arn}})
	b.ok(err)
	diff(t, 1, len(out.TagDescriptions[0].Tags))
	calls := b.sim.Calls()
	diff(t, []string{arn}, calls[1].Resources)
	diff(t, arn, calls[1].LoadBalancerARN)
	diff(t, []string{arn}, calls[2].Resources)
	_, err = b.sim.SeedLoadBalancer(awssim.LoadBalancerSeed{Name: "internal-edge", Subnets: []string{subnetA}})
	if err == nil || !strings.Contains(err.Error(), "ValidationError") {
		t.Errorf("error %v, want a ValidationError", err)
	}
}
