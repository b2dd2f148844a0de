package listener

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"

	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// TestTheFirstLookAfterACreationHasNothingToDo: what it would change costs an update
// of the object more, and a wait.
func TestTheFirstLookAfterACreationHasNothingToDo(t *testing.T) {
	v := func(s string) *string { return &s }
	port, seconds := int32(443), int32(600)
	cases := map[string]struct {
		reason  string
		declare func(p *v1alpha1.ListenerParameters, group string)
		writes  []string
	}{
		"Minimal": {"One call.", func(*v1alpha1.ListenerParameters, string) {}, []string{"CreateListener"}},
		"IdleTimeout": {"It is an attribute.", func(p *v1alpha1.ListenerParameters, _ string) {
			p.TCPIdleTimeoutSeconds = &seconds
		}, []string{"CreateListener", "ModifyListenerAttributes"}},
		"Certificates": {"AWS takes the default one with the creation, and others one by one.", func(p *v1alpha1.ListenerParameters, _ string) {
			p.Protocol, p.CertificateARNs = v("TLS"), []string{cert + "1", cert + "2", cert + "3"}
		}, []string{"CreateListener", "AddListenerCertificates", "AddListenerCertificates"}},
		"Rules": {"They belong to a listener that exists.", func(p *v1alpha1.ListenerParameters, group string) {
			p.Rules = []v1alpha1.ListenerRule{{Priority: 1, SourceIPAddressType: "ipv4", Forward: v1alpha1.Forward{TargetGroups: []v1alpha1.ForwardTargetGroup{{TargetGroupARN: &group}}}}}
		}, []string{"CreateListener", "CreateRule"}},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			sim, access, lb, group := wire(t)

			mg := &namespacedapi.Listener{ObjectMeta: metav1.ObjectMeta{Namespace: "edge", Name: "edge", Generation: 1}}
			mg.Spec.ForProvider = v1alpha1.ListenerParameters{
				Region: region, LoadBalancerARN: &lb, Port: &port, Protocol: v("TCP"),
				Forward: &v1alpha1.Forward{TargetGroups: []v1alpha1.ForwardTargetGroup{{TargetGroupARN: &group}}},
			}
			tc.declare(&mg.Spec.ForProvider, group)

			w := wanted{loadBalancer: lb}
			must(t, eachTarget(mg, func(t target) error { w.add(t, *t.declared.TargetGroupARN); return nil }))

			look := func() *external {
				return &external{
					elb: access.ELBv2, read: access.Read, region: region, clusterID: "c1", wanted: w,
					tags: controller.Tags(mg, "c1", nil, nil), policies: managed.NewManagementPoliciesResolver(true, xpv2.ManagementPolicies{"*"}),
				}
			}

			sim.Reset()

			_, err := look().Create(t.Context(), mg)
			must(t, err)

			o, err := look().Observe(t.Context(), mg)
			must(t, err)

			if !o.ResourceExists || !o.ResourceUpToDate {
				t.Errorf("\n%s\nit is %+v", tc.reason, o)
			}

			if diff := cmp.Diff(tc.writes, writesOf(sim)); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

const (
	region = "eu-west-1"
	cert   = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-00000000000"
)

// wire makes an AWS with a dual-stack load balancer and a target group.
func wire(t *testing.T) (sim *awssim.Sim, access *aws.Access, lb, group string) {
	t.Helper()

	const subnet = "subnet-0000000000000000a"

	sim = awssim.New(awssim.Options{})
	t.Cleanup(sim.Close)
	sim.SeedVPC(awssim.DefaultKey.Account, region, "vpc-0a")
	sim.SeedSubnet(awssim.Subnet{ID: subnet, Region: region, VPC: "vpc-0a", Zone: region + "a", CIDR: "10.0.0.0/24", IPv6CIDR: "2001:db8:0:a::/64"})

	for _, n := range []string{"1", "2", "3"} {
		sim.SeedCertificate(cert + n)
	}

	lb, err := sim.SeedLoadBalancer(awssim.LoadBalancerSeed{Region: region, Name: "edge", Subnets: []string{subnet}, Params: map[string]string{"IpAddressType": "dualstack"}})
	must(t, err)

	group, err = sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: region, Name: "a", Protocol: "TCP", Port: 443, VPC: "vpc-0a"})
	must(t, err)

	url, err := sim.Start()
	must(t, err)

	access, err = aws.NewPool(aws.PoolOptions{}).Access(t.Context(), aws.Config{EndpointURL: url, Credentials: aws.Credentials{
		Source: aws.SourceSecret, Static: aws.StaticCredentials{AccessKeyID: awssim.DefaultKey.ID, SecretAccessKey: awssim.DefaultKey.Secret},
	}}, region)
	must(t, err)

	return sim, access, lb, group
}

// writesOf are the actions that changed something, in order.
func writesOf(sim *awssim.Sim) []string {
	var out []string

	for _, c := range sim.Calls() {
		if !strings.HasPrefix(c.Action, "Describe") && c.Action != "GetCallerIdentity" {
			out = append(out, c.Action)
		}
	}

	return out
}

func must(t *testing.T, err error) {
	t.Helper()

	if err != nil {
		t.Fatal(err)
	}
}
