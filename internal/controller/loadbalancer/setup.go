package loadbalancer

import (
	"context"

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

const kind = "LoadBalancer"

// LoadBalancer is what both scopes' structs are.
type LoadBalancer interface {
	resource.Managed
	ForProvider() *v1alpha1.LoadBalancerParameters
	ObservedState() *v1alpha1.LoadBalancerStatus
}

// SetupGated sets both scopes up, each when its CRD is there.
func SetupGated(mgr ctrl.Manager, o controller.Options) error {
	c := &connector{options: o, resolver: o.Resolver(mgr)}

	for _, gv := range []schema.GroupVersion{namespaced.SchemeGroupVersion, cluster.SchemeGroupVersion} {
		err := controller.SetupGated(mgr, o, controller.Kind[LoadBalancer]{
			GVK: gv.WithKind(kind), Connector: c, Refers: []controller.Referent{controller.SecurityGroupID}, Links: links,
			Region: func(o LoadBalancer) string { return o.ForProvider().Region },
		})
		if err != nil {
			return err
		}
	}

	return nil
}

// links are the references to security groups.
func links(mg LoadBalancer) []controller.Link {
	const field = "securityGroupId"

	p := mg.ForProvider()
	out := make([]controller.Link, 0, len(p.SecurityGroupIDRefs)+1)

	for i := range p.SecurityGroupIDRefs {
		out = append(out, controller.Link{To: controller.SecurityGroupID, Field: field, Ref: &p.SecurityGroupIDRefs[i]})
	}

	if p.SecurityGroupIDSelector != nil {
		out = append(out, controller.Link{To: controller.SecurityGroupID, Field: field, Selector: p.SecurityGroupIDSelector})
	}

	return out
}

type connector struct {
	options  controller.Options
	resolver controller.Resolver
}

// Connect resolves references first: an object that waits for one needs no AWS.
func (c *connector) Connect(ctx context.Context, mg LoadBalancer) (managed.TypedExternalClient[LoadBalancer], error) {
	var referred []string

	if !meta.WasDeleted(mg) {
		var err error
		if referred, err = c.resolver.Many(ctx, mg, links(mg)...); err != nil {
			return nil, err
		}
	}

	conn, err := c.options.Connections.Connect(ctx, mg, mg.ForProvider().Region)
	if err != nil {
		return nil, err
	}

	return &external{
		elb:       conn.ELBv2,
		read:      conn.Read,
		ages:      c.options.Ages(mg),
		region:    conn.Region,
		clusterID: c.options.ClusterID,
		referred:  referred,
		tags:      controller.Tags(mg, c.options.ClusterID, conn.DefaultTags, mg.ForProvider().Tags),
		policies:  c.options.Policies(mg),
		deleting:  meta.WasDeleted(mg),
	}, nil
}
