package awssim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const (
	subnetA  = "subnet-0000000000000000a"
	subnetA2 = "subnet-000000000000000a2"
	subnetB  = "subnet-0000000000000000b"
	elastic  = "eipalloc-0000000000000000a"

	createLBDoc  = "APIReference/API_CreateLoadBalancer.html"
	setSubnetDoc = "APIReference/API_SetSubnets.html"
)

// networked seeds subnets in two zones, of which one has two, and an address.
func (b *bench) networked() *bench {
	b.sim.SeedSubnet(awssim.Subnet{ID: subnetA, VPC: vpc, Zone: zoneA, CIDR: "10.0.0.0/24", IPv6CIDR: "2001:db8:0:a::/64"})
	b.sim.SeedSubnet(awssim.Subnet{ID: subnetA2, VPC: vpc, Zone: zoneA, CIDR: "10.0.2.0/24"})
	b.sim.SeedSubnet(awssim.Subnet{ID: subnetB, VPC: vpc, Zone: zoneB, CIDR: "10.0.1.0/24", IPv6CIDR: "2001:db8:0:b::/64"})
	b.sim.SeedEIP(awssim.EIP{AllocationID: elastic, Address: "192.0.2.1"})
	return b
}

// securityGroup makes a security group and returns its id.
func (b *bench) securityGroup(name string) string {
	b.t.Helper()
	out, err := b.ec2.CreateSecurityGroup(b.ctx, &ec2.CreateSecurityGroupInput{
		GroupName: &name, Description: aws.String("test"), VpcId: aws.String(vpc),
	})
	b.ok(err)
	return *out.GroupId
}

type createLB = elbv2.CreateLoadBalancerInput

func (b *bench) createLB(change func(*createLB)) (types.LoadBalancer, error) {
	in := &createLB{Name: aws.String("edge"), Type: types.LoadBalancerTypeEnumNetwork, Subnets: []string{subnetA}}
	if change != nil {
		change(in)
	}
	out, err := b.elb.CreateLoadBalancer(b.ctx, in)
	if err != nil {
		return types.LoadBalancer{}, err
	}
	return out.LoadBalancers[0], nil
}

// lb makes a load balancer and returns its ARN.
func (b *bench) lb(change func(*createLB)) string {
	b.t.Helper()
	lb, err := b.createLB(change)
	b.ok(err)
	return *lb.LoadBalancerArn
}

func (b *bench) deleteLB(arn string) error {
	_, err := b.elb.DeleteLoadBalancer(b.ctx, &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: &arn})
	return err
}

// mapped gives the load balancer one subnet mapping.
func mapped(change func(*types.SubnetMapping)) func(*createLB) {
	return func(i *createLB) {
		m := types.SubnetMapping{SubnetId: aws.String(subnetA)}
		change(&m)
		i.Subnets, i.SubnetMappings = nil, []types.SubnetMapping{m}
	}
}

func both(a, b func(*createLB)) func(*createLB) { return func(i *createLB) { a(i); b(i) } }

func internal(i *createLB) { i.Scheme = types.LoadBalancerSchemeEnumInternal }
func dual(i *createLB)     { i.IpAddressType = types.IpAddressTypeDualstack }
func natOn(i *createLB) {
	i.EnablePrefixForIpv6SourceNat = types.EnablePrefixForIpv6SourceNatEnumOn
}

func TestCreateLoadBalancerRefuses(t *testing.T) {
	t.Parallel()
	creating := func(code, reason, source string, change func(*createLB)) rule {
		return rule{reason, source, func(b *bench) {
			_, err := b.networked().createLB(change)
			b.refused(err, code)
			if n := len(b.sim.LoadBalancers(awssim.DefaultAccount, region)); n != 0 {
				b.t.Errorf("%d load balancers after a refused create, want none", n)
			}
		}}
	}
	const invalid, conf = "ValidationError", "InvalidConfigurationRequest"
	run(t, map[string]rule{
		"Application": creating(invalid, "Application is the default type, and not simulated.", createLBDoc, func(i *createLB) { i.Type = "" }),
		"NameTooLong": creating(invalid, "A name has at most 32 characters.", createLBDoc,
			func(i *createLB) { i.Name = aws.String(strings.Repeat("a", 33)) }),
		"NameInternal": creating(invalid, "A name must not begin with internal-.", createLBDoc,
			func(i *createLB) { i.Name = aws.String("internal-edge") }),
		"NameHyphen": creating(invalid, "A name must not end with a hyphen.", createLBDoc, func(i *createLB) { i.Name = aws.String("edge-") }),
		"NoSubnets":  creating(invalid, "Subnets or mappings are needed.", "ansible/ansible#42060", func(i *createLB) { i.Subnets = nil }),
		"SubnetsAndMappings": creating(invalid, "Subnets and mappings exclude each other.", "boto/boto3#1325",
			func(i *createLB) { i.SubnetMappings = []types.SubnetMapping{{SubnetId: aws.String(subnetB)}} }),
		"UnknownSubnet": creating("SubnetNotFound", "A subnet has to exist.", createLBDoc,
			func(i *createLB) { i.Subnets = []string{"subnet-0123456789abcdef0"} }),
		"MalformedSubnet": creating("InvalidSubnet", "A subnet has an id.", createLBDoc, func(i *createLB) { i.Subnets = []string{"a"} }),
		"TwoInOneZone": creating(conf, "One subnet per zone.", "aws-load-balancer-controller#45",
			func(i *createLB) { i.Subnets = []string{subnetA, subnetA2} }),
		"UnknownAllocation": creating("AllocationIdNotFound", "An Elastic IP address has to exist.", createLBDoc,
			mapped(func(m *types.SubnetMapping) { m.AllocationId = aws.String("eipalloc-0123456789abcdef0") })),
		"AllocationOfInternal": creating(conf, "Elastic IP addresses are for internet-facing load balancers.", createLBDoc,
			both(internal, mapped(func(m *types.SubnetMapping) { m.AllocationId = aws.String(elastic) }))),
		"PrivateAddressOfPublic": creating(conf, "Private addresses are for internal load balancers.", createLBDoc,
			mapped(func(m *types.SubnetMapping) { m.PrivateIPv4Address = aws.String("10.0.0.9") })),
		"PrivateAddressElsewhere": creating(conf, "A private address is one of the subnet.", createLBDoc,
			both(internal, mapped(func(m *types.SubnetMapping) { m.PrivateIPv4Address = aws.String("10.0.1.9") }))),
		"PrivateAddressReserved": creating(conf, "AWS keeps the first four addresses and the last.", "vpc/latest/userguide/subnet-sizing.html",
			both(internal, mapped(func(m *types.SubnetMapping) { m.PrivateIPv4Address = aws.String("10.0.0.3") }))),
		"PrivateAddressMalformed": creating(invalid, "An address is one of its family.", createLBDoc,
			both(internal, mapped(func(m *types.SubnetMapping) { m.PrivateIPv4Address = aws.String("2001:db8:0:a::1") }))),
		"IPv6OfIPv4": creating(conf, "IPv6 addresses need dualstack.", "facts/aws.md §1.2",
			mapped(func(m *types.SubnetMapping) { m.IPv6Address = aws.String("2001:db8:0:a::9") })),
		"DualstackWithoutIPv6": creating(conf, "Dualstack needs IPv6 in every subnet.", "network/load-balancer-ip-address-type.html",
			both(dual, func(i *createLB) { i.Subnets = []string{subnetA2} })),
		"DualstackOfALB": creating(conf, "This address type is for Application Load Balancers.", createLBDoc,
			func(i *createLB) { i.IpAddressType = types.IpAddressTypeDualstackWithoutPublicIpv4 }),
		"SourceNATOfIPv4": creating(conf, "Prefixes for source NAT need dualstack.", createLBDoc,
			both(natOn, mapped(func(m *types.SubnetMapping) { m.SourceNatIpv6Prefix = aws.String("auto_assigned") }))),
		"SourceNATWithoutPrefix": creating(conf, "Source NAT needs a prefix for every subnet.", "facts/aws.md §1.2", both(dual, natOn)),
		"PrefixWithoutSourceNAT": creating(conf, "A prefix needs source NAT to be on.", "facts/aws.md §1.2",
			both(dual, mapped(func(m *types.SubnetMapping) { m.SourceNatIpv6Prefix = aws.String("auto_assigned") }))),
		"PrefixLength": creating(invalid, "A prefix for source NAT has 80 bits.", "APIReference/API_SubnetMapping.html",
			both(both(dual, natOn), mapped(func(m *types.SubnetMapping) { m.SourceNatIpv6Prefix = aws.String("2001:db8:0:a::/64") }))),
		"UnknownGroup": creating("InvalidSecurityGroup", "A security group has to exist.", createLBDoc,
			func(i *createLB) { i.SecurityGroups = []string{"sg-0123456789abcdef0"} }),
		"IpamPool": creating(conf, "IPAM pools are for Application Load Balancers.", createLBDoc,
			func(i *createLB) { i.IpamPools = &types.IpamPools{Ipv4IpamPoolId: aws.String("ipam-pool-1")} }),
		"ReservedTag": creating(invalid, "Tag keys must not begin with aws:.", "APIReference/API_Tag.html",
			func(i *createLB) { i.Tags = []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("y")}} }),
	})
}

func TestLoadBalancerRules(t *testing.T) {
	t.Parallel()
	run(t, map[string]rule{
		"Defaults": {"What is not given has AWS's default.", createLBDoc, func(b *bench) {
			got, err := b.networked().createLB(nil)
			b.ok(err)
			arn := *got.LoadBalancerArn
			id := arn[strings.LastIndex(arn, "/")+1:]
			diff(b.t, types.LoadBalancer{
				LoadBalancerArn:  aws.String("arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/edge/" + id),
				LoadBalancerName: aws.String("edge"), DNSName: aws.String("edge-" + id + ".elb.us-east-1.amazonaws.com"),
				CanonicalHostedZoneId: aws.String("Z26RNL4JYFTOTI"), CreatedTime: got.CreatedTime, Scheme: "internet-facing",
				VpcId: aws.String(vpc), State: &types.LoadBalancerState{Code: "active"}, Type: "network", IpAddressType: "ipv4",
				SecurityGroups: []string{}, AvailabilityZones: []types.AvailabilityZone{{
					ZoneName: aws.String(zoneA), SubnetId: aws.String(subnetA), LoadBalancerAddresses: []types.LoadBalancerAddress{},
					SourceNatIpv6Prefixes: []string{},
				}},
			}, got)
		}},
		"Addresses": {"The addresses that were asked for are shown.", "APIReference/API_LoadBalancerAddress.html", func(b *bench) {
			got, err := b.networked().createLB(mapped(func(m *types.SubnetMapping) { m.AllocationId = aws.String(elastic) }))
			b.ok(err)
			diff(b.t, []types.LoadBalancerAddress{{AllocationId: aws.String(elastic), IpAddress: aws.String("192.0.2.1")}},
				got.AvailabilityZones[0].LoadBalancerAddresses)
		}},
		"SourceNATPrefix": {"A prefix can be chosen by AWS.", "APIReference/API_SubnetMapping.html", func(b *bench) {
			got, err := b.networked().createLB(both(both(dual, natOn), mapped(func(m *types.SubnetMapping) { m.SourceNatIpv6Prefix = aws.String("auto_assigned") })))
			b.ok(err)
			diff(b.t, []string{"2001:db8:0:a::/80"}, got.AvailabilityZones[0].SourceNatIpv6Prefixes)
			diff(b.t, types.EnablePrefixForIpv6SourceNatEnumOn, got.EnablePrefixForIpv6SourceNat)
		}},
		"CreateTwiceSame": {"A create with the same settings succeeds and makes nothing new.", createLBDoc, func(b *bench) {
			withAddress := mapped(func(m *types.SubnetMapping) { m.AllocationId = aws.String(elastic) })
			one, two := b.networked().lb(withAddress), b.lb(withAddress)
			diff(b.t, one, two)
		}},
		"CreateTwiceDifferent": {"A name is unique per account and region.", createLBDoc, func(b *bench) {
			b.networked().lb(nil)
			for _, change := range []func(*createLB){internal, dual, func(i *createLB) { i.Subnets = []string{subnetB} }} {
				_, err := b.createLB(change)
				b.refused(err, "DuplicateLoadBalancerName")
			}
		}},
		"AddressInUse": {"An Elastic IP address has one user.", "hashicorp/terraform-provider-aws#15031", func(b *bench) {
			withAddress := mapped(func(m *types.SubnetMapping) { m.AllocationId = aws.String(elastic) })
			b.networked().lb(withAddress)
			_, err := b.createLB(both(withAddress, func(i *createLB) { i.Name = aws.String("other") }))
			b.refused(err, "ResourceInUse")
		}},
		"FreeAddresses": {"A subnet needs 8 free addresses.", "aws-load-balancer-controller#1233", func(b *bench) {
			full := b.sim.SeedSubnet(awssim.Subnet{VPC: vpc, Zone: zoneA, CIDR: "10.0.9.0/28", Taken: 4})
			_, err := b.createLB(func(i *createLB) { i.Subnets = []string{full} })
			b.refused(err, "InvalidSubnet")
		}},
		"NoInternetGateway": {"An internet-facing load balancer needs an internet gateway.", "network/create-network-load-balancer.html", func(b *bench) {
			b.networked().sim.PutVPC(awssim.VPC{ID: vpc, IPv6: true, NoInternetGateway: true})
			_, err := b.createLB(nil)
			b.refused(err, "InvalidSubnet")
			b.lb(internal)
		}},
		"Quota": {"A region has 50 load balancers.", "network/load-balancer-limits.html", func(b *bench) {
			b = newBench(b.t, awssim.Options{Quotas: awssim.Quotas{LoadBalancers: 1}}).networked()
			b.lb(nil)
			_, err := b.createLB(func(i *createLB) { i.Name = aws.String("other") })
			b.refused(err, "TooManyLoadBalancers")
		}},
		"Provisioning": {"A new load balancer is provisioning for minutes.", "facts/aws.md §1.10, 3", func(b *bench) {
			slow := steady
			slow.Provisioning = awssim.Span{Min: 3 * time.Minute, Max: 3 * time.Minute}
			b = newBench(b.t, awssim.Options{Profile: slow}).networked()
			arn := b.lb(nil)
			diff(b.t, "provisioning", b.state(arn))
			b.clock.Advance(3 * time.Minute)
			diff(b.t, "active", b.state(arn))
			b.sim.SetLoadBalancerState(arn, "failed", "no capacity")
			diff(b.t, "failed", b.state(arn))
		}},
		"DescribeUnknown": {"One unknown name or ARN fails the whole call.", "APIReference/API_DescribeLoadBalancers.html", func(b *bench) {
			arn := b.networked().lb(nil)
			_, err := b.elb.DescribeLoadBalancers(b.ctx, &elbv2.DescribeLoadBalancersInput{Names: []string{"edge", "other"}})
			b.refused(err, "LoadBalancerNotFound")
			_, err = b.elb.DescribeLoadBalancers(b.ctx, &elbv2.DescribeLoadBalancersInput{
				LoadBalancerArns: []string{arn, strings.Replace(arn, "/edge/", "/other/", 1)},
			})
			b.refused(err, "LoadBalancerNotFound")
		}},
		"Describe21": {"At most 20 ARNs can be asked for.", "APIReference/API_DescribeLoadBalancers.html", func(b *bench) {
			arns := slices.Repeat([]string{b.networked().lb(nil)}, 21)
			_, err := b.elb.DescribeLoadBalancers(b.ctx, &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: arns})
			b.refused(err, "ValidationError")
		}},
		"Pages": {"A page has at most PageSize load balancers.", "APIReference/API_DescribeLoadBalancers.html", func(b *bench) {
			b.networked()
			for n := range 3 {
				b.lb(func(i *createLB) { i.Name = aws.String(fmt.Sprintf("lb%d", n)) })
			}
			var pages []int
			p := elbv2.NewDescribeLoadBalancersPaginator(b.elb, &elbv2.DescribeLoadBalancersInput{PageSize: aws.Int32(2)})
			for p.HasMorePages() {
				out, err := p.NextPage(b.ctx)
				b.ok(err)
				pages = append(pages, len(out.LoadBalancers))
			}
			diff(b.t, []int{2, 1}, pages)
		}},
		"DeleteAbsent": {"Deleting what does not exist succeeds.", "APIReference/API_DeleteLoadBalancer.html", func(b *bench) {
			arn := b.networked().lb(nil)
			b.ok(b.deleteLB(arn))
			b.ok(b.deleteLB(arn))
			diff(b.t, 0, len(b.sim.LoadBalancers(awssim.DefaultAccount, region)))
		}},
		"DeletionProtection": {"A protected load balancer is not deleted.", "APIReference/API_DeleteLoadBalancer.html", func(b *bench) {
			arn := b.networked().lb(nil)
			b.ok(b.setLB(arn, "deletion_protection.enabled", "true"))
			b.refused(b.deleteLB(arn), "OperationNotPermitted")
			b.ok(b.setLB(arn, "deletion_protection.enabled", "false"))
			b.ok(b.deleteLB(arn))
		}},
		"EndpointService": {"A load balancer of a VPC endpoint service is not deleted.", "facts/aws.md §1.3", func(b *bench) {
			arn := b.networked().lb(nil)
			b.sim.SetEndpointService(arn, zoneA)
			b.refused(b.deleteLB(arn), "ResourceInUse")
		}},
		"AddressLingers": {"An Elastic IP address stays associated for minutes after a deletion.", "facts/aws.md §1.10, 4", func(b *bench) {
			slow := steady
			slow.InterfaceRemoval = awssim.Span{Min: time.Minute, Max: time.Minute}
			b = newBench(b.t, awssim.Options{Profile: slow}).networked()
			withAddress := mapped(func(m *types.SubnetMapping) { m.AllocationId = aws.String(elastic) })
			b.ok(b.deleteLB(b.lb(withAddress)))
			_, err := b.createLB(withAddress)
			b.refused(err, "ResourceInUse")
			b.clock.Advance(time.Minute)
			b.lb(withAddress)
		}},
		"Tags": {"Tags of a load balancer can be given, added and listed.", "APIReference/API_AddTags.html", func(b *bench) {
			arn := b.networked().lb(func(i *createLB) { i.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}} })
			_, err := b.elb.AddTags(b.ctx, &elbv2.AddTagsInput{ResourceArns: []string{arn}, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}})
			b.ok(err)
			diff(b.t, map[string]string{"a": "1", "b": "2"}, b.sim.LoadBalancers(awssim.DefaultAccount, region)[0].Tags)
			b.sim.DeleteLoadBalancer(arn)
			_, err = b.elb.DescribeTags(b.ctx, &elbv2.DescribeTagsInput{ResourceArns: []string{arn}})
			b.refused(err, "LoadBalancerNotFound")
		}},
	})
}
