package loadbalancer_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestCreateAndDelete(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.balancer(t, "edge", with(func(p *v1alpha1.LoadBalancerParameters) {
			p.CrossZone, p.Tags = ptr(true), map[string]v1alpha1.TagValue{"app": "edge"}
		}), func(mg lb) {
			switch mg := mg.(type) {
			case *namespacedapi.LoadBalancer:
				mg.SetWriteConnectionSecretToReference(&xpv2.LocalSecretReference{Name: "edge"})
			case *clusterapi.LoadBalancer:
				mg.SetWriteConnectionSecretToReference(&xpv2.SecretReference{Namespace: "default", Name: "edge"})
			}
		})
		e.UntilApplied(t, mg)

		sdk := e.sdk(t)
		o := mg.ObservedState().AtProvider

		if meta.GetExternalName(mg) != *sdk.LoadBalancerArn || o.ARN != *sdk.LoadBalancerArn || o.DNSName != *sdk.DNSName || len(o.AvailabilityZones) != 2 {
			t.Errorf("external name %q, observed %+v, AWS has %+v", meta.GetExternalName(mg), o, sdk)
		}

		got := e.balancers()[0]
		if got.Attributes["load_balancing.cross_zone.enabled"] != "true" || got.Tags["app"] != "edge" || got.Tags[controller.TagCluster] != kindtest.Cluster {
			t.Errorf("AWS has %+v", got)
		}

		secret, namespace := &corev1.Secret{}, e.Namespace
		if namespace == "" {
			namespace = "default"
		}

		kindtest.Must(t, e.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "edge"}, secret))

		if string(secret.Data["dnsName"]) != *sdk.DNSName || string(secret.Data["arn"]) != *sdk.LoadBalancerArn || len(secret.Data["canonicalHostedZoneId"]) == 0 {
			t.Errorf("connection details: %v", secret.Data)
		}

		kindtest.Must(t, e.Client.Delete(t.Context(), mg))
		e.UntilGone(t, mg)

		if len(e.balancers()) != 0 {
			t.Errorf("it is still in AWS")
		}
	})
}

func TestReadyTellsTheState(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.balancer(t, "edge")
		e.UntilApplied(t, mg)

		arn := meta.GetExternalName(mg)
		for _, tc := range []struct{ state, reason string }{{"provisioning", "Creating"}, {"failed", "Failed"}, {"active_impaired", "ActiveImpaired"}} {
			e.Sim.SetLoadBalancerState(arn, tc.state, "for a test")
			e.Until(t, mg, tc.reason, func() bool { return mg.GetCondition(xpv2.TypeReady).Reason == xpv2.ConditionReason(tc.reason) })

			if !kindtest.Is(mg, xpv2.TypeReady, "False") || !kindtest.Is(mg, xpv2.TypeSynced, "True") {
				t.Errorf("%s: %+v", tc.state, mg.ObservedState().Conditions)
			}
		}

		e.Sim.SetLoadBalancerState(arn, "", "")
		e.UntilApplied(t, mg)
	})
}

func TestDeletionProtectionIsTold(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.balancer(t, "edge", with(func(p *v1alpha1.LoadBalancerParameters) { p.DeletionProtection = ptr(true) }))
		e.UntilApplied(t, mg)
		kindtest.Must(t, e.Client.Delete(t.Context(), mg))
		e.Until(t, mg, "blocked", func() bool { return kindtest.Is(mg, controller.TypeDeletionBlocked, "True") })

		if c := mg.GetCondition(controller.TypeDeletionBlocked); c.Reason != "OperationNotPermitted" || !strings.Contains(c.Message, "deletionProtection to false") || !kindtest.Is(mg, xpv2.TypeSynced, "True") {
			t.Errorf("waiting is no error, and says for what: %+v", mg.ObservedState().Conditions)
		}

		if e.balancers()[0].Attributes["deletion_protection.enabled"] != "true" {
			t.Errorf("it is not fought")
		}

		e.Change(t, mg, with(func(p *v1alpha1.LoadBalancerParameters) { p.DeletionProtection = ptr(false) }))
		e.UntilGone(t, mg)
	})
}

func TestDeletionWaitsForEndpointService(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		mg := e.balancer(t, "edge")
		e.UntilApplied(t, mg)
		e.Sim.SetEndpointService(meta.GetExternalName(mg), "eu-west-1a")
		kindtest.Must(t, e.Client.Delete(t.Context(), mg))
		e.Until(t, mg, "blocked", func() bool { return mg.GetCondition(controller.TypeDeletionBlocked).Reason == "ResourceInUse" })
		e.Sim.SetEndpointService(meta.GetExternalName(mg))
		e.UntilGone(t, mg)
	})
}

func TestReferencesAreUnited(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		var want []string
		for _, name := range []string{"a", "b", "c"} {
			want = append(want, e.group(t, name))
		}

		mg := e.balancer(t, "edge", with(func(p *v1alpha1.LoadBalancerParameters) {
			p.SecurityGroupIDs = want[:1]
			p.SecurityGroupIDRefs = []v1alpha1.Reference{{Name: "b"}}
			p.SecurityGroupIDSelector = &v1alpha1.Selector{MatchLabels: map[string]string{"edge": "true"}}
		}))
		e.Until(t, mg, "waiting", func() bool { return mg.GetCondition(xpv2.TypeReady).Reason == controller.ReasonWaitingForReference })

		if got := e.Sim.Count("DescribeLoadBalancers"); got != 0 {
			t.Errorf("while it waits, AWS is called %d times", got)
		}

		e.securityGroup(t, "b", nil, want[1])
		e.securityGroup(t, "c", map[string]string{"edge": "true"}, want[2])
		e.UntilApplied(t, mg)

		got := e.balancers()[0].SecurityGroups
		if diff := cmp.Diff(map[string]bool{want[0]: true, want[1]: true, want[2]: true}, set(got)); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
}

func set(of []string) map[string]bool {
	out := map[string]bool{}
	for _, v := range of {
		out[v] = true
	}

	return out
}

// securityGroup makes a SecurityGroup object that has an id.
func (e *env) securityGroup(t *testing.T, name string, labels map[string]string, id string) {
	t.Helper()

	o := e.Object(t, "SecurityGroup", name)
	o.SetLabels(labels)

	var status *v1alpha1.SecurityGroupStatus

	switch sg := o.(type) {
	case *namespacedapi.SecurityGroup:
		sg.Spec.ForProvider, status = v1alpha1.SecurityGroupParameters{Region: kindtest.Region, Description: ptr("test"), VPCID: ptr(vpc)}, &sg.Status
	case *clusterapi.SecurityGroup:
		sg.Spec.ForProvider, status = v1alpha1.SecurityGroupParameters{Region: kindtest.Region, Description: ptr("test"), VPCID: ptr(vpc)}, &sg.Status
	}

	e.Create(t, o)

	status.AtProvider.ID = id
	kindtest.Must(t, e.Client.Status().Update(t.Context(), o))
}
