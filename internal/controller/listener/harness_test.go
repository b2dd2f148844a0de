package listener_test

import (
	"slices"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller/listener"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestMain(m *testing.M) { kindtest.Main(m) }

const (
	vpc     = "vpc-0a"
	subnetA = "subnet-0000000000000000a"
	cert    = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-00000000000"
)

type obj = listener.Listener

// An env has a dual-stack load balancer and target groups a and b in AWS.
type env struct {
	*kindtest.Typed[obj]

	lb   string
	a, b string
}

func bothScopes(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()
	kindtest.BothScopesOf(t, "Listener", listener.SetupGated, func(t *testing.T, inner *kindtest.Typed[obj]) {
		e := &env{Typed: inner}
		e.Sim.SeedSubnet(awssim.Subnet{Region: kindtest.Region, ID: subnetA, VPC: vpc, Zone: "eu-west-1a", CIDR: "10.0.0.0/24", IPv6CIDR: "2001:db8:0:a::/64"})

		e.lb = e.balancer(t, "edge")
		e.a, e.b = e.group(t, "a"), e.group(t, "b")

		for _, n := range []string{"1", "2", "3"} {
			e.Sim.SeedCertificate(cert + n)
		}

		test(t, e)
	})
}

func (e *env) balancer(t *testing.T, name string) string {
	t.Helper()

	arn, err := e.Sim.SeedLoadBalancer(awssim.LoadBalancerSeed{
		Region: kindtest.Region, Name: name, Subnets: []string{subnetA}, Params: map[string]string{"IpAddressType": "dualstack"},
	})
	kindtest.Must(t, err)

	return arn
}

func (e *env) group(t *testing.T, name string) string {
	t.Helper()

	arn, err := e.Sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: kindtest.Region, Name: name, Protocol: "TCP", Port: 443, VPC: vpc})
	kindtest.Must(t, err)

	return arn
}

func ptr[T any](v T) *T { return &v }

// with changes the parameters.
func with(f func(*v1alpha1.ListenerParameters)) func(obj) {
	return func(mg obj) { f(mg.ForProvider()) }
}

// to forwards to target groups, each with the weight after it or none.
func to(groups ...any) *v1alpha1.Forward {
	f := &v1alpha1.Forward{}

	for _, g := range groups {
		switch g := g.(type) {
		case string:
			f.TargetGroups = append(f.TargetGroups, v1alpha1.ForwardTargetGroup{TargetGroupARN: &g})
		case int:
			f.TargetGroups[len(f.TargetGroups)-1].Weight = ptr(int32(g))
		}
	}

	return f
}

// listener makes a Listener that forwards TCP to a.
func (e *env) listener(t *testing.T, mutate ...func(obj)) obj {
	t.Helper()

	base := with(func(p *v1alpha1.ListenerParameters) {
		p.Region, p.LoadBalancerARN, p.Port, p.Protocol, p.Forward = kindtest.Region, &e.lb, ptr(int32(443)), ptr("TCP"), to(e.a)
	})

	return e.New(t, "https", slices.Concat([]func(obj){base}, mutate)...)
}

func (e *env) tls() func(obj) {
	return with(func(p *v1alpha1.ListenerParameters) {
		p.Protocol, p.CertificateARNs = ptr("TLS"), []string{cert + "1", cert + "2"}
		p.SSLPolicy, p.ALPNPolicy = ptr("ELBSecurityPolicy-TLS13-1-2-2021-06"), ptr("HTTP2Preferred")
	})
}

// seed makes a listener that somebody else has created.
func (e *env) seed(t *testing.T, tags map[string]string) string {
	t.Helper()

	in := &elbv2.CreateListenerInput{
		LoadBalancerArn: &e.lb, Port: ptr(int32(443)), Protocol: "TCP",
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &e.a}},
	}
	for k, v := range tags {
		in.Tags = append(in.Tags, types.Tag{Key: &k, Value: &v})
	}

	out, err := e.ELB.CreateListener(t.Context(), in)
	kindtest.Must(t, err)
	e.Sim.Reset()

	return *out.Listeners[0].ListenerArn
}

// sdk is the one listener that the load balancer has, as a reader gets it.
func (e *env) sdk(t *testing.T) types.Listener {
	t.Helper()

	all := e.listeners(t)
	if len(all) != 1 {
		t.Fatalf("AWS has %d listeners, want 1", len(all))
	}

	return all[0]
}

func (e *env) listeners(t *testing.T) []types.Listener {
	t.Helper()

	out, err := e.ELB.DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: &e.lb})
	kindtest.Must(t, err)

	return out.Listeners
}

// loadBalancer makes a LoadBalancer object that has an ARN.
func (e *env) loadBalancer(t *testing.T, name, arn string) {
	t.Helper()

	o := e.Object(t, "LoadBalancer", name)
	p := v1alpha1.LoadBalancerParameters{Region: kindtest.Region, SubnetMappings: []v1alpha1.SubnetMapping{{SubnetID: subnetA}}}

	var status *v1alpha1.LoadBalancerStatus

	switch lb := o.(type) {
	case *namespacedapi.LoadBalancer:
		lb.Spec.ForProvider, status = p, &lb.Status
	case *clusterapi.LoadBalancer:
		lb.Spec.ForProvider, status = p, &lb.Status
	}

	e.Create(t, o)

	status.AtProvider.ARN = arn
	kindtest.Must(t, e.Client.Status().Update(t.Context(), o))
}

// targetGroup makes a TargetGroup object that has an ARN.
func (e *env) targetGroup(t *testing.T, name, arn string) {
	t.Helper()

	o := e.Object(t, "TargetGroup", name)
	o.SetLabels(map[string]string{"group": name})

	p := v1alpha1.TargetGroupParameters{Region: kindtest.Region, Protocol: ptr("TCP"), Port: ptr(int32(443)), VPCID: ptr(vpc)}

	var status *v1alpha1.TargetGroupStatus

	switch tg := o.(type) {
	case *namespacedapi.TargetGroup:
		tg.Spec.ForProvider, status = p, &tg.Status
	case *clusterapi.TargetGroup:
		tg.Spec.ForProvider, status = p, &tg.Status
	}

	e.Create(t, o)

	status.AtProvider.ARN = arn
	kindtest.Must(t, e.Client.Status().Update(t.Context(), o))
}
