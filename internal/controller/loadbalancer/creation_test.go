package loadbalancer

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"

	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

const region, subnet, eip = "eu-west-1", "subnet-0000000000000000a", "eipalloc-00000000000000001"

// wire makes an AWS with a subnet, an elastic IP address and a security group.
func wire(t *testing.T) (sim *awssim.Sim, access *aws.Access, group string) {
	t.Helper()

	v := func(s string) *string { return &s }
	sim = awssim.New(awssim.Options{})
	t.Cleanup(sim.Close)
	sim.SeedVPC(awssim.DefaultKey.Account, region, "vpc-0a")
	sim.SeedSubnet(awssim.Subnet{ID: subnet, Region: region, VPC: "vpc-0a", Zone: region + "a", CIDR: "10.0.0.0/24", IPv6CIDR: "2001:db8:0:a::/64"})
	sim.SeedEIP(awssim.EIP{Region: region, AllocationID: eip, Address: "192.0.2.1"})

	made, err := ec2.NewFromConfig(sim.Config(region)).CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: v("a"), Description: v("test"), VpcId: v("vpc-0a"),
	})
	if err != nil {
		t.Fatal(err)
	}

	url, err := sim.Start()
	if err != nil {
		t.Fatal(err)
	}

	access, err = aws.NewPool(aws.PoolOptions{}).Access(t.Context(), aws.Config{EndpointURL: url, Credentials: aws.Credentials{
		Source: aws.SourceSecret, Static: aws.StaticCredentials{AccessKeyID: awssim.DefaultKey.ID, SecretAccessKey: awssim.DefaultKey.Secret},
	}}, region)
	if err != nil {
		t.Fatal(err)
	}

	return sim, access, *made.GroupId
}

// TestTheFirstLookAfterACreationHasNothingToTell: what it would tell costs an update
// of the object, and what it would change a call.
func TestTheFirstLookAfterACreationHasNothingToTell(t *testing.T) {
	v := func(s string) *string { return &s }
	yes, no := true, false
	cases := map[string]struct {
		reason  string
		declare func(p *v1alpha1.LoadBalancerParameters, group string)
		writes  int
	}{
		"Minimal": {"AWS's answer has all of it.", func(*v1alpha1.LoadBalancerParameters, string) {}, 1},
		"Attributes": {"One call more sets all of them.", func(p *v1alpha1.LoadBalancerParameters, _ string) {
			p.CrossZone, p.DeletionProtection, p.DNSClientRoutingPolicy = &yes, &yes, v("availability_zone_affinity")
		}, 2},
		"Defaults": {"A new one has them: nothing is set.", func(p *v1alpha1.LoadBalancerParameters, _ string) {
			p.CrossZone, p.DeletionProtection, p.ZonalShift, p.DNSClientRoutingPolicy = &no, &no, &no, v("any_availability_zone")
			p.IPv6DenyAllIGWTraffic = &no
		}, 1},
		"InternalDefaults": {"One of them depends on the scheme.", func(p *v1alpha1.LoadBalancerParameters, _ string) {
			p.Scheme, p.IPv6DenyAllIGWTraffic = v("internal"), &yes
		}, 1},
		"Enforcement": {"One call more sets it.", func(p *v1alpha1.LoadBalancerParameters, group string) {
			p.SecurityGroupIDs, p.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = []string{group}, &no
		}, 2},
		"Addresses": {"AWS answers with them.", func(p *v1alpha1.LoadBalancerParameters, _ string) {
			p.IPAddressType, p.EnablePrefixForIPv6SourceNAT = v("dualstack"), &yes
			p.SubnetMappings[0] = v1alpha1.SubnetMapping{
				SubnetID: subnet, AllocationID: v(eip), IPv6Address: v("2001:db8:0:a::9"), SourceNATIPv6Prefix: v("auto_assigned"),
			}
		}, 1},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			sim, access, group := wire(t)

			mg := &namespacedapi.LoadBalancer{ObjectMeta: metav1.ObjectMeta{Namespace: "edge", Name: "edge", Generation: 1}}
			mg.Spec.ForProvider = v1alpha1.LoadBalancerParameters{Region: region, SubnetMappings: []v1alpha1.SubnetMapping{{SubnetID: subnet}}}
			tc.declare(&mg.Spec.ForProvider, group)

			look := func() *external {
				return &external{
					elb: access.ELBv2, read: access.Read, region: region, clusterID: "c1",
					tags: controller.Tags(mg, "c1", nil, nil), policies: managed.NewManagementPoliciesResolver(true, xpv2.ManagementPolicies{"*"}),
				}
			}

			sim.Reset()

			if _, err := look().Create(t.Context(), mg); err != nil {
				t.Fatal(err)
			}

			before := mg.DeepCopy()

			// AWS needs minutes.
			sim.SetLoadBalancerState(before.Status.AtProvider.ARN, "provisioning", "")

			o, err := look().Observe(t.Context(), mg)
			if err != nil || !o.ResourceExists || !o.ResourceUpToDate {
				t.Fatalf("\n%s\nit is %+v: %v", tc.reason, o, err)
			}

			if diff := cmp.Diff(before.Status.AtProvider, mg.Status.AtProvider); diff != "" {
				t.Errorf("\n%s\nwhat the first look tells besides: -creation, +look:\n%s", tc.reason, diff)
			}

			if got := before.Status.GetObservedGeneration(); got != 1 {
				t.Errorf("\n%s\nit is not said to be applied: generation %d", tc.reason, got)
			}

			ignore := cmpopts.IgnoreFields(xpv2.Condition{}, "LastTransitionTime")
			if diff := cmp.Diff(before.GetCondition(xpv2.TypeReady), mg.GetCondition(xpv2.TypeReady), ignore); diff != "" {
				t.Errorf("\n%s\n-creation, +look:\n%s", tc.reason, diff)
			}

			writes := sim.Count("CreateLoadBalancer", "ModifyLoadBalancerAttributes", "SetSecurityGroups", "SetSubnets", "AddTags")
			if writes != tc.writes {
				t.Errorf("\n%s\nit took %d calls, want %d", tc.reason, writes, tc.writes)
			}
		})
	}
}
