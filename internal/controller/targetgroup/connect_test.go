package targetgroup_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller/targetgroup"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// uses lets an object name a cluster-wide configuration.
func uses(name string) func(targetgroup.TargetGroup) {
	return func(tg targetgroup.TargetGroup) {
		switch tg := tg.(type) {
		case resource.ModernManaged:
			tg.SetProviderConfigReference(&xpv2.ProviderConfigReference{Kind: "ClusterProviderConfig", Name: name})
		case resource.LegacyManaged:
			tg.SetProviderConfigReference(&xpv2.Reference{Name: name})
		}
	}
}

// another makes a cluster-wide configuration with the credentials of the Secret.
func (e *env) another(t *testing.T, name string, mutate func(*v1alpha1.ProviderConfigSpec)) client.Object {
	t.Helper()

	url, err := e.Sim.Start()
	kindtest.Must(t, err)

	spec := v1alpha1.ProviderConfigSpec{
		Credentials: v1alpha1.Credentials{Source: v1alpha1.SourceSecret, SecretRef: &v1alpha1.SecretKeySelector{Namespace: ptr("default"), Name: e.Secret, Key: "ini"}},
		Endpoint:    &v1alpha1.Endpoint{URL: url},
	}
	mutate(&spec)

	var pc client.Object = &namespacedapi.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: namespacedapi.ClusterProviderConfigSpec{ProviderConfigSpec: spec}}
	if e.GV.Group == clusterapi.SchemeGroupVersion.Group {
		pc = &clusterapi.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: clusterapi.ProviderConfigSpec{ProviderConfigSpec: spec}}
	}

	kindtest.Must(t, e.Client.Create(t.Context(), pc))
	t.Cleanup(func() { e.Remove(pc) })

	return pc
}

func (e *env) untilMessage(t *testing.T, tg targetgroup.TargetGroup, parts ...string) {
	t.Helper()
	e.Until(t, tg, "not synced because of "+strings.Join(parts, ", "), func() bool {
		c := tg.GetCondition(xpv2.TypeSynced)
		for _, p := range parts {
			if c.Status != corev1.ConditionFalse || !strings.Contains(c.Message, p) {
				return false
			}
		}

		return true
	})
}

func TestMissingConfigurationSaysWhatToCreate(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge", uses("absent"))
		e.untilMessage(t, tg, `"absent" does not exist: create it`, "spec.providerConfigRef")
		e.another(t, "absent", func(*v1alpha1.ProviderConfigSpec) {})
		e.UntilApplied(t, tg)
	})
}

func TestSecretWithoutKeyIsNamed(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.another(t, "keyless", func(s *v1alpha1.ProviderConfigSpec) { s.Credentials.SecretRef.Key = "later" })

		tg := e.group(t, "edge", uses("keyless"))
		e.untilMessage(t, tg, "spec.credentials.secretRef", `key "later" of Secret "`+e.Secret+`"`)

		s := &corev1.Secret{}
		kindtest.Must(t, e.Client.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: e.Secret}, s))
		s.Data["later"] = s.Data["ini"]
		kindtest.Must(t, e.Client.Update(t.Context(), s))
		e.UntilApplied(t, tg)
	})
}

func TestConfigurationStaysWhileUsed(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		pc := e.another(t, "used", func(*v1alpha1.ProviderConfigSpec) {})
		tg := e.group(t, "edge", uses("used"))
		e.UntilApplied(t, tg)
		e.Until(t, tg, "counted", func() bool {
			return e.Client.Get(context.Background(), client.ObjectKeyFromObject(pc), pc) == nil && len(pc.GetFinalizers()) > 0
		})

		kindtest.Must(t, e.Client.Delete(t.Context(), pc))
		kindtest.Must(t, e.Client.Get(t.Context(), client.ObjectKeyFromObject(pc), pc))
		kindtest.Must(t, e.Client.Delete(t.Context(), tg))
		e.UntilGone(t, tg)

		if got := len(e.groups()); got != 0 {
			t.Errorf("the configuration went before the group: %d left", got)
		}
		// Usages have an owner, so a real cluster's garbage collector deletes them.
		e.sweepUsages(t)
		e.UntilGone(t, pc)
	})
}

func (e *env) sweepUsages(t *testing.T) {
	t.Helper()

	for _, o := range []client.Object{&namespacedapi.ProviderConfigUsage{}, &clusterapi.ProviderConfigUsage{}} {
		opts := []client.DeleteAllOfOption{}
		if _, ok := o.(*namespacedapi.ProviderConfigUsage); ok {
			if e.Namespace == "" {
				continue
			}

			opts = append(opts, client.InNamespace(e.Namespace))
		}

		kindtest.Must(t, e.Client.DeleteAllOf(t.Context(), o, opts...))
	}
}

func TestUsageThatIsSweptWhileUsedStays(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		tg := e.group(t, "edge")
		e.UntilApplied(t, tg)

		before := e.usage(t, tg)
		e.sweepUsages(t)

		if after := e.usage(t, tg); after.GetUID() != before.GetUID() || after.GetDeletionTimestamp() == nil {
			t.Errorf("the usage is gone, and with the last one the configuration goes: %+v", after)
		}

		kindtest.Must(t, e.Client.Delete(t.Context(), tg))
		e.UntilGone(t, tg)

		if got := len(e.groups()); got != 0 {
			t.Errorf("%d groups are left", got)
		}
	})
}

// usage of an object's configuration.
func (e *env) usage(t *testing.T, tg targetgroup.TargetGroup) client.Object {
	t.Helper()

	var u client.Object = &clusterapi.ProviderConfigUsage{}
	if e.Namespace != "" {
		u = &namespacedapi.ProviderConfigUsage{}
	}

	kindtest.Must(t, e.Client.Get(t.Context(), client.ObjectKey{Namespace: e.Namespace, Name: string(tg.GetUID())}, u))

	return u
}

func TestNamespaceThatIsBeingDeletedStopsNothing(t *testing.T) {
	e := namespacedOnly(t)
	tg := e.group(t, "edge")
	e.UntilApplied(t, tg)
	kindtest.Must(t, e.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.Namespace}}))

	// It is swept by force, as it would be without a finalizer.
	usage := &namespacedapi.ProviderConfigUsage{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: string(tg.GetUID())}}
	e.Remove(usage)

	seen := e.Sim.Count("DescribeTargetGroups")
	e.Until(t, tg, "observed", func() bool { return e.Sim.Count("DescribeTargetGroups") > seen+2 })

	if !kindtest.Is(tg, xpv2.TypeSynced, corev1.ConditionTrue) {
		t.Errorf("%+v", tg.GetCondition(xpv2.TypeSynced))
	}

	kindtest.Must(t, e.Client.Delete(t.Context(), tg))
	e.UntilGone(t, tg)
}

func TestTenantsMayNotBorrowTheProvidersIdentity(t *testing.T) {
	secret := v1alpha1.Credentials{Source: v1alpha1.SourceSecret, SecretRef: &v1alpha1.SecretKeySelector{Name: "a", Key: "b"}}
	cases := map[string]struct {
		reason string
		spec   v1alpha1.ProviderConfigSpec
		want   string
	}{
		"IRSA":     {"It is the provider's own role.", v1alpha1.ProviderConfigSpec{Credentials: v1alpha1.Credentials{Source: v1alpha1.SourceIRSA}}, "spec.credentials.source IRSA"},
		"Injected": {"It is the provider's own role.", v1alpha1.ProviderConfigSpec{Credentials: v1alpha1.Credentials{Source: v1alpha1.SourceInjectedIdentity}}, "spec.credentials.source InjectedIdentity"},
		"Token": {"It is the provider's own token.", v1alpha1.ProviderConfigSpec{Credentials: v1alpha1.Credentials{
			Source: v1alpha1.SourceWebIdentity, WebIdentity: &v1alpha1.WebIdentity{RoleARN: "arn:aws:iam::123456789012:role/a"},
		}}, "spec.credentials.webIdentity.tokenSecretRef"},
		"Endpoint": {"A token could be sent anywhere.", v1alpha1.ProviderConfigSpec{Credentials: secret, Endpoint: &v1alpha1.Endpoint{URL: "https://evil"}}, "spec.endpoint"},
	}

	e := namespacedOnly(t)

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			lower := strings.ToLower(name)
			pc := &namespacedapi.ProviderConfig{
				ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: lower}, Spec: namespacedapi.ProviderConfigSpec{ProviderConfigSpec: tc.spec},
			}
			kindtest.Must(t, e.Client.Create(t.Context(), pc))

			tg := e.group(t, lower, func(tg targetgroup.TargetGroup) {
				if mg, ok := tg.(resource.ModernManaged); ok {
					mg.SetProviderConfigReference(&xpv2.ProviderConfigReference{Kind: "ProviderConfig", Name: lower})
				}
			})
			e.untilMessage(t, tg, tc.want, "--namespaced-provider-configs=trusted")
		})
	}
}
