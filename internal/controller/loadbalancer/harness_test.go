package loadbalancer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller/loadbalancer"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestMain(m *testing.M) { kindtest.Main(m) }

const (
	vpc      = "vpc-0a"
	subnetA  = "subnet-0000000000000000a"
	subnetA2 = "subnet-000000000000000a2"
	subnetB  = "subnet-0000000000000000b"
	subnetB2 = "subnet-000000000000000b2"
	eip1     = "eipalloc-00000000000000001"
	eip2     = "eipalloc-00000000000000002"
)

type lb = loadbalancer.LoadBalancer

type env struct {
	*kindtest.Typed[lb]
}

// bothScopes runs a test for each scope in a network with two zones of two subnets.
func bothScopes(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()
	kindtest.BothScopesOf(t, "LoadBalancer", loadbalancer.SetupGated, func(t *testing.T, e *kindtest.Typed[lb]) {
		for i, s := range []awssim.Subnet{
			{ID: subnetA, Zone: "eu-west-1a", CIDR: "10.0.0.0/24", IPv6CIDR: "2001:db8:0:a::/64"},
			{ID: subnetA2, Zone: "eu-west-1a", CIDR: "10.0.1.0/24"},
			{ID: subnetB, Zone: "eu-west-1b", CIDR: "10.0.2.0/24", IPv6CIDR: "2001:db8:0:b::/64"},
			{ID: subnetB2, Zone: "eu-west-1b", CIDR: "10.0.3.0/24"},
		} {
			s.VPC, s.Region = vpc, kindtest.Region
			if got := e.Sim.SeedSubnet(s); got != s.ID {
				t.Fatalf("subnet %d is %s", i, got)
			}
		}

		e.Sim.SeedEIP(awssim.EIP{Region: kindtest.Region, AllocationID: eip1, Address: "192.0.2.1"})
		e.Sim.SeedEIP(awssim.EIP{Region: kindtest.Region, AllocationID: eip2, Address: "192.0.2.2"})
		test(t, &env{e})
	})
}

func ptr[T any](v T) *T { return &v }

// with changes the parameters.
func with(f func(*v1alpha1.LoadBalancerParameters)) func(lb) {
	return func(mg lb) { f(mg.ForProvider()) }
}

// balancer makes a LoadBalancer in two zones.
func (e *env) balancer(t *testing.T, name string, mutate ...func(lb)) lb {
	t.Helper()

	base := with(func(p *v1alpha1.LoadBalancerParameters) {
		p.Region, p.Name = kindtest.Region, ptr("edge")
		p.SubnetMappings = []v1alpha1.SubnetMapping{{SubnetID: subnetA}, {SubnetID: subnetB}}
	})

	return e.New(t, name, slices.Concat([]func(lb){base}, mutate)...)
}

// seed makes a load balancer that somebody else has created.
func (e *env) seed(t *testing.T, mutate ...func(*awssim.LoadBalancerSeed)) (arn string) {
	t.Helper()

	s := awssim.LoadBalancerSeed{Region: kindtest.Region, Name: "edge", Subnets: []string{subnetA, subnetB}}
	for _, f := range mutate {
		f(&s)
	}

	arn, err := e.Sim.SeedLoadBalancer(s)
	kindtest.Must(t, err)

	return arn
}

// balancers in AWS.
func (e *env) balancers() []awssim.LoadBalancer {
	return e.Sim.LoadBalancers(awssim.DefaultKey.Account, kindtest.Region)
}

// sdk is the one load balancer that AWS has, as a reader gets it.
func (e *env) sdk(t *testing.T) types.LoadBalancer {
	t.Helper()

	out, err := e.ELB.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{})
	kindtest.Must(t, err)

	if len(out.LoadBalancers) != 1 {
		t.Fatalf("AWS has %d load balancers, want 1", len(out.LoadBalancers))
	}

	return out.LoadBalancers[0]
}

// group makes a security group in AWS.
func (e *env) group(t *testing.T, name string) string {
	t.Helper()

	out, err := ec2.NewFromConfig(e.Sim.Config(kindtest.Region)).CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: &name, Description: ptr("test"), VpcId: ptr(vpc),
	})
	kindtest.Must(t, err)

	return *out.GroupId
}

// writes are the actions that changed something since the last Reset, in order.
func (e *env) writes() []string {
	var out []string

	for _, c := range e.Sim.Calls() {
		if !strings.HasPrefix(c.Action, "Describe") && !strings.HasPrefix(c.Action, "Get") {
			out = append(out, c.Action)
		}
	}

	return out
}
