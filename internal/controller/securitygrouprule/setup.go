package securitygrouprule

import (
	"context"
	"strings"

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

// SecurityGroupRule is what both scopes' structs are.
type SecurityGroupRule interface {
	resource.Managed
	ForProvider() *v1alpha1.SecurityGroupRuleParameters
	ObservedState() *v1alpha1.SecurityGroupRuleStatus
}

// SetupGated sets both scopes up, each when its CRD is there.
func SetupGated(mgr ctrl.Manager, o controller.Options) error {
	c := &connector{options: o, resolver: controller.Resolver{Client: mgr.GetClient(), Active: active(o)}}

	for _, gv := range []schema.GroupVersion{namespaced.SchemeGroupVersion, cluster.SchemeGroupVersion} {
		k := controller.Kind[SecurityGroupRule]{
			GVK:       gv.WithKind("SecurityGroupRule"),
			Connector: c,
			Region:    func(o SecurityGroupRule) string { return o.ForProvider().Region },
			Refers:    []controller.Referent{controller.SecurityGroupID},
			Links: func(mg SecurityGroupRule) []controller.Link {
				return []controller.Link{groupLink(mg), sourceLink(mg)}
			},
		}
		if err := controller.SetupGated(mgr, o, k); err != nil {
			return err
		}
	}

	return nil
}

// active tells which kinds can be referred to; nil, which is all, without a gate.
func active(o controller.Options) func(schema.GroupVersionKind) bool {
	if gate, ok := o.Gate.(*controller.Gate); ok {
		return gate.Active
	}

	return nil
}

func groupLink(mg SecurityGroupRule) controller.Link {
	p := mg.ForProvider()

	return controller.Link{
		To: controller.SecurityGroupID, Field: "securityGroupId", Ref: p.SecurityGroupIDRef, Selector: p.SecurityGroupIDSelector,
	}
}

func sourceLink(mg SecurityGroupRule) controller.Link {
	p := mg.ForProvider()

	return controller.Link{
		To: controller.SecurityGroupID, Field: "referencedSecurityGroupId",
		Ref: p.ReferencedSecurityGroupIDRef, Selector: p.ReferencedSecurityGroupIDSelector,
	}
}

type connector struct {
	options  controller.Options
	resolver controller.Resolver
}

// Connect resolves the references and reaches AWS. While a reference is waited for
// no AWS call is made.
func (c *connector) Connect(ctx context.Context, mg SecurityGroupRule) (managed.TypedExternalClient[SecurityGroupRule], error) {
	e := &external{
		clusterID: c.options.ClusterID,
		maxAge:    c.options.Ages(mg).Settings,
		policies:  c.options.Policies(mg),
		deleting:  meta.WasDeleted(mg),
	}

	if err := c.resolve(ctx, mg, e); err != nil {
		return nil, err
	}

	if e.groupID == "" && e.deleting {
		// It is deleted and there never was a group to have a rule in.
		return e, nil
	}

	conn, err := c.options.Connections.Connect(ctx, mg, mg.ForProvider().Region)
	if err != nil {
		return nil, err
	}

	e.ec2, e.read = conn.EC2, conn.Read
	e.tags = controller.Tags(mg, c.options.ClusterID, conn.DefaultTags, mg.ForProvider().Tags)

	return e, nil
}

// resolve the group that has the rule, and the one that it refers to. A rule that
// is deleted is where it was; what it refers to may be gone and is not needed.
func (c *connector) resolve(ctx context.Context, mg SecurityGroupRule, e *external) error {
	was := mg.ObservedState().AtProvider.SecurityGroupID
	if e.deleting && was != "" {
		e.groupID = was

		return nil
	}

	var (
		err     error
		waiting controller.Waiting
		p       = mg.ForProvider()
	)

	if e.groupID, err = c.one(ctx, mg, groupLink(mg), p.SecurityGroupID); err != nil {
		if e.deleting && errors.As(err, &waiting) {
			return nil
		}

		return err
	}

	if e.deleting {
		return nil
	}

	source, err := c.one(ctx, mg, sourceLink(mg), p.ReferencedSecurityGroupID)
	e.sourceAccount, e.sourceID = ofAccount(source)

	return err
}

// ofAccount separates 123456789012/sg-…, a security group of another account.
func ofAccount(source string) (account, id string) {
	if account, id, both := strings.Cut(source, "/"); both {
		return account, id
	}

	return "", source
}

func (c *connector) one(ctx context.Context, mg SecurityGroupRule, l controller.Link, given *string) (string, error) {
	if !l.Set() {
		return str(given), nil
	}

	return c.resolver.One(ctx, mg, l)
}

func str(s *string) string {
	if s == nil {
		return ""
	}

	return *s
}
