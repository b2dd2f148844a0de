package targetgroup

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// TargetGroup is what both scopes' structs are.
type TargetGroup interface {
	resource.Managed
	ForProvider() *v1alpha1.TargetGroupParameters
	ObservedState() *v1alpha1.TargetGroupStatus
}

// SetupGated sets both scopes up, each when its CRD is there.
func SetupGated(mgr ctrl.Manager, o controller.Options) error {
	c := &connector{options: o, resolver: o.Resolver(mgr)}

	for _, gv := range []string{namespaced.SchemeGroupVersion.Group, cluster.SchemeGroupVersion.Group} {
		gvk := namespaced.SchemeGroupVersion.WithKind("TargetGroup")
		gvk.Group = gv

		k := controller.Kind[TargetGroup]{
			GVK: gvk, Connector: c, Is: controller.TargetGroupARN,
			Region: func(o TargetGroup) string { return o.ForProvider().Region },
		}
		if err := controller.SetupGated(mgr, o, k); err != nil {
			return err
		}
	}

	return nil
}

type connector struct {
	options  controller.Options
	resolver controller.Resolver
}

func (c *connector) Connect(ctx context.Context, mg TargetGroup) (managed.TypedExternalClient[TargetGroup], error) {
	conn, err := c.options.Connections.Connect(ctx, mg, mg.ForProvider().Region)
	if err != nil {
		return nil, err
	}

	return &external{
		elb:        conn.ELBv2,
		read:       conn.Read,
		ages:       c.options.Ages(mg),
		region:     conn.Region,
		clusterID:  c.options.ClusterID,
		tags:       controller.Tags(mg, c.options.ClusterID, conn.DefaultTags, mg.ForProvider().Tags),
		resolver:   c.resolver,
		attributes: attributes(mg.ForProvider()),
		policies:   c.options.Policies(mg),
		deleting:   meta.WasDeleted(mg),
	}, nil
}
