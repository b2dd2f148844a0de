package kindtest

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	clusterapi "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespacedapi "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// use lets a managed resource name the Env's provider configuration, unless it
// names another.
func (e *Env) use(o client.Object) {
	switch mg := o.(type) {
	case resource.ModernManaged:
		if mg.GetProviderConfigReference() == nil {
			mg.SetProviderConfigReference(&xpv2.ProviderConfigReference{Kind: "ClusterProviderConfig", Name: e.Config})
		}
	case resource.LegacyManaged:
		if mg.GetProviderConfigReference() == nil {
			mg.SetProviderConfigReference(&xpv2.Reference{Name: e.Config})
		}
	}
}

// configure makes the provider configuration of the Env, with a Secret.
func (e *Env) configure(t *testing.T) {
	t.Helper()

	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", GenerateName: "aws-"},
		Data: map[string][]byte{"ini": fmt.Appendf(nil, "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
			awssim.DefaultKey.ID, awssim.DefaultKey.Secret)},
	}
	Must(t, e.Client.Create(t.Context(), secret))

	e.Secret = secret.Name

	url, err := e.Sim.Start()
	Must(t, err)

	namespace := "default"
	spec := v1alpha1.ProviderConfigSpec{
		Credentials: v1alpha1.Credentials{Source: v1alpha1.SourceSecret, SecretRef: &v1alpha1.SecretKeySelector{
			Namespace: &namespace, Name: secret.Name, Key: "ini",
		}},
		Endpoint:    &v1alpha1.Endpoint{URL: url},
		DefaultTags: map[string]v1alpha1.TagValue{"team": "platform"},
	}

	var pc client.Object = &namespacedapi.ClusterProviderConfig{
		ObjectMeta: metav1.ObjectMeta{Name: e.Config}, Spec: namespacedapi.ClusterProviderConfigSpec{ProviderConfigSpec: spec},
	}
	if e.GV.Group == clusterapi.SchemeGroupVersion.Group {
		pc = &clusterapi.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: e.Config}, Spec: clusterapi.ProviderConfigSpec{ProviderConfigSpec: spec}}
	}

	e.Create(t, pc)
}
