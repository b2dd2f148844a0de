package listener

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	cluster "github.com/provider-nlb/provider-nlb/apis/cluster/v1alpha1"
	namespaced "github.com/provider-nlb/provider-nlb/apis/namespaced/v1alpha1"
	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

const kind = "Listener"

// Listener is what both scopes' structs are.
type Listener interface {
	resource.Managed
	ForProvider() *v1alpha1.ListenerParameters
	ObservedState() *v1alpha1.ListenerStatus
}

// SetupGated sets both scopes up, each when its CRD is there.
func SetupGated(mgr ctrl.Manager, o controller.Options) error {
	c := &connector{options: o, resolver: o.Resolver(mgr)}

	for _, gv := range []schema.GroupVersion{namespaced.SchemeGroupVersion, cluster.SchemeGroupVersion} {
		err := controller.SetupGated(mgr, o, controller.Kind[Listener]{
			GVK: gv.WithKind(kind), Connector: c,
			Refers: []controller.Referent{controller.LoadBalancerARN, controller.TargetGroupARN}, Links: links,
			Region: func(o Listener) string { return o.ForProvider().Region },
		})
		if err != nil {
			return err
		}
	}

	return nil
}

type connector struct {
	options  controller.Options
	resolver controller.Resolver
}

// Connect resolves references first: an object that waits for one needs no AWS.
func (c *connector) Connect(ctx context.Context, mg Listener) (managed.TypedExternalClient[Listener], error) {
	w, err := c.resolve(ctx, mg)
	if err != nil {
		return nil, err
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
		wanted:    w,
		tags:      controller.Tags(mg, c.options.ClusterID, conn.DefaultTags, mg.ForProvider().Tags),
		policies:  c.options.Policies(mg),
		deleting:  meta.WasDeleted(mg),
	}, nil
}

// resolve what references yield. For a deletion only the load balancer is needed,
// and if its object is gone, its listeners are gone or found by their ARN.
func (c *connector) resolve(ctx context.Context, mg Listener) (wanted, error) {
	var w wanted

	lb := loadBalancerLink(mg)

	if meta.WasDeleted(mg) {
		w.loadBalancer = mg.ObservedState().AtProvider.LoadBalancerARN
	}

	if w.loadBalancer == "" {
		var err error

		w.loadBalancer, err = c.value(ctx, mg, mg.ForProvider().LoadBalancerARN, lb)
		if waiting := (controller.Waiting{}); errors.As(err, &waiting) && meta.WasDeleted(mg) {
			return w, nil
		}

		if err != nil {
			return w, err
		}
	}

	if meta.WasDeleted(mg) {
		return w, nil
	}

	err := eachTarget(mg, func(t target) error {
		arn, err := c.value(ctx, mg, t.declared.TargetGroupARN, t.link)
		if err == nil {
			w.add(t, arn)
		}

		return err
	})

	return w, err
}

func (c *connector) value(ctx context.Context, mg Listener, declared *string, l controller.Link) (string, error) {
	if !l.Set() {
		return sdk.ToString(declared), nil
	}

	return c.resolver.One(ctx, mg, l)
}
