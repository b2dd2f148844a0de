package securitygroup

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// SecurityGroup is what both scopes' structs are.
type SecurityGroup interface {
	resource.Managed
	ForProvider() *v1alpha1.SecurityGroupParameters
	ObservedState() *v1alpha1.SecurityGroupStatus
}

// SetupGated sets both scopes up, each when its CRD is there.
func SetupGated(mgr ctrl.Manager, o controller.Options) error {
	c := &connector{options: o, resolver: o.Resolver(mgr)}

	for _, gv := range []schema.GroupVersion{namespaced.SchemeGroupVersion, cluster.SchemeGroupVersion} {
		k := controller.Kind[SecurityGroup]{
			GVK: gv.WithKind("SecurityGroup"), Connector: c, Is: controller.SecurityGroupID,
			Region: func(o SecurityGroup) string { return o.ForProvider().Region },
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
	revoked  sync.Map
}

func (c *connector) Connect(ctx context.Context, mg SecurityGroup) (managed.TypedExternalClient[SecurityGroup], error) {
	conn, err := c.options.Connections.Connect(ctx, mg, mg.ForProvider().Region)
	if err != nil {
		return nil, err
	}

	return &external{
		ec2:       conn.EC2,
		read:      conn.Read,
		maxAge:    c.options.Ages(mg).Settings,
		now:       time.Now(),
		clusterID: c.options.ClusterID,
		tags:      controller.Tags(mg, c.options.ClusterID, conn.DefaultTags, mg.ForProvider().Tags),
		resolver:  c.resolver,
		policies:  c.options.Policies(mg),
		deleting:  meta.WasDeleted(mg),
		revoked:   &c.revoked,
	}, nil
}
