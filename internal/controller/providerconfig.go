package controller

import (
	"context"
	"fmt"
	"time"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// The kinds of provider configurations.
const (
	kindProviderConfig        = "ProviderConfig"
	kindClusterProviderConfig = "ClusterProviderConfig"
)

// A configKey names a provider configuration. Group tells the cluster-scoped
// ProviderConfig from the namespaced one.
type configKey struct {
	group, kind, namespace, name string
}

func (k configKey) String() string {
	if k.namespace != "" {
		return fmt.Sprintf("%s %q in namespace %q", k.kind, k.name, k.namespace)
	}

	return fmt.Sprintf("%s %q", k.kind, k.name)
}

// keyOf returns the provider configuration that an object names.
func keyOf(mg client.Object) (configKey, error) {
	switch mg := mg.(type) {
	case resource.LegacyManaged:
		ref := mg.GetProviderConfigReference()
		if ref == nil {
			return configKey{}, errors.New("spec.providerConfigRef is missing: name a ProviderConfig")
		}

		return configKey{group: cluster.SchemeGroupVersion.Group, kind: kindProviderConfig, name: ref.Name}, nil
	case resource.ModernManaged:
		ref := mg.GetProviderConfigReference()
		if ref == nil {
			return configKey{}, errors.New("spec.providerConfigRef is missing: name a ProviderConfig or a ClusterProviderConfig")
		}

		k := configKey{group: namespaced.SchemeGroupVersion.Group, kind: ref.Kind, name: ref.Name}

		switch ref.Kind {
		case kindClusterProviderConfig:
		case kindProviderConfig:
			k.namespace = mg.GetNamespace()
		default:
			return configKey{}, errors.Errorf("spec.providerConfigRef.kind %q is unknown: use %s or %s",
				ref.Kind, kindProviderConfig, kindClusterProviderConfig)
		}

		return k, nil
	}

	return configKey{}, errors.Errorf("%T names no provider configuration", mg)
}

// A providerConfig is a configuration of any kind.
type providerConfig struct {
	configKey

	spec *v1alpha1.ProviderConfigSpec
}

// An awsConfig is a struct of any of the three kinds.
type awsConfig interface {
	client.Object
	AWS() *v1alpha1.ProviderConfigSpec
}

func (k configKey) object() awsConfig {
	switch {
	case k.group == cluster.SchemeGroupVersion.Group:
		return &cluster.ProviderConfig{}
	case k.kind == kindClusterProviderConfig:
		return &namespaced.ClusterProviderConfig{}
	}

	return &namespaced.ProviderConfig{}
}

// cacheLag is how long after its creation an object is not told from a cache that its
// configuration does not exist. Both are often applied together, each is watched for
// itself, and GitOps tools take the error for a failure.
const cacheLag = time.Minute

func (c *Connections) config(ctx context.Context, mg resource.Managed) (*providerConfig, error) {
	k, err := keyOf(mg)
	if err != nil {
		return nil, err
	}

	pc := k.object()

	name := client.ObjectKey{Namespace: k.namespace, Name: k.name}

	err = c.client.Get(ctx, name, pc)
	if kerrors.IsNotFound(err) && time.Since(mg.GetCreationTimestamp().Time) < cacheLag {
		err = c.direct.Get(ctx, name, pc)
	}

	if kerrors.IsNotFound(err) {
		return nil, errors.Errorf("%s does not exist: create it (apiVersion %s/v1alpha1), or name another in spec.providerConfigRef", k, k.group)
	}

	if err != nil {
		return nil, errors.Wrapf(err, "cannot get %s", k)
	}

	passOf(ctx).uses(pc)

	return &providerConfig{configKey: k, spec: pc.AWS()}, nil
}
