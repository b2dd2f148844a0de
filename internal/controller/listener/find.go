package listener

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A found listener is one as it is in AWS.
type found struct {
	sdk  types.Listener
	tags map[string]string
	// What is read only if some of it is managed.
	attributes map[string]string
	// sni are the certificates besides the default one.
	sni   []string
	rules []rule
}

func (f *found) arn() string { return sdk.ToString(f.sdk.ListenerArn) }

// String names it as people do: by its load balancer and port.
func (f *found) String() string {
	return name(sdk.ToString(f.sdk.LoadBalancerArn), sdk.ToInt32(f.sdk.Port))
}

func name(loadBalancer string, port int32) string {
	if parts := strings.Split(loadBalancer, "/"); len(parts) == 4 {
		loadBalancer = parts[2]
	}

	return fmt.Sprintf("listener on port %d of load balancer %q", port, loadBalancer)
}

func (f *found) found() controller.Found {
	return controller.Found{
		What: f.String(), ExternalName: f.arn(), Tags: f.tags, Otherwise: "set spec.forProvider.port to another port",
	}
}

// find the listener of an object, or nil if AWS has none. What the external name
// names is adopted. Anything else on the object's load balancer and port must be
// ours.
func (e *external) find(ctx context.Context, mg Listener) (*found, error) {
	external := meta.GetExternalName(mg)
	if err := arnForm.Check(external, e.region); err != nil && !e.deleting {
		return nil, err
	}

	if err := e.inRegion(mg); err != nil && !e.deleting {
		return nil, err
	}

	l, err := e.named(ctx, mg, external)
	if err != nil || l == nil {
		return nil, err
	}

	f := &found{sdk: *l}
	if f.tags, err = e.read.Tags(ctx, f.arn(), e.ages.Settings); err != nil {
		return nil, controller.Failed("read the tags of the "+f.String(), err)
	}

	if external == f.arn() || e.onlyObserves() {
		return f, nil
	}

	err = controller.Claim(mg, e.clusterID, f.found())

	switch {
	case err != nil && e.deleting:
		// There is nothing of ours to delete.
		return nil, nil //nolint:nilnil // Absent is no error.
	case err != nil:
		return nil, err
	}

	return f, nil
}

// onlyObserves says that nothing in AWS may be changed, so that nothing can be
// taken over by mistake.
func (e *external) onlyObserves() bool {
	return !e.policies.ShouldCreate() && !e.policies.ShouldUpdate() && !e.policies.ShouldDelete()
}

// named returns the listener that the external name names, and if that is gone,
// the one on the object's load balancer and port.
func (e *external) named(ctx context.Context, mg Listener, external string) (*types.Listener, error) {
	if external != "" && arnForm.Check(external, e.region) == nil {
		l, err := e.read.Listener(ctx, external, e.ages.Settings)

		switch {
		case err == nil:
			return &l, nil
		case !aws.IsNotFound(err, codeNotFound):
			return nil, controller.Failed("describe listener "+external, err)
		}
	}

	if e.wanted.loadBalancer == "" || mg.ForProvider().Port == nil {
		return nil, nil //nolint:nilnil // Absent is no error.
	}

	all, err := e.read.ListenersOf(ctx, e.wanted.loadBalancer, e.ages.Settings)
	if link := loadBalancerLink(mg); aws.IsNotFound(err, codeNoLoadBalancer) && external != "" && link.Set() && !e.deleting {
		// Both were there. A load balancer that is being deleted takes its listeners
		// with it, and they may be deleted later.
		return nil, link.Lost()
	}

	if err != nil && !aws.IsNotFound(err, codeNoLoadBalancer) {
		return nil, controller.Failed("describe the listeners of "+e.wanted.loadBalancer, err)
	}

	for _, l := range all {
		if sdk.ToInt32(l.Port) == *mg.ForProvider().Port {
			return &l, nil
		}
	}

	return nil, nil //nolint:nilnil // Absent is no error.
}

// inRegion refuses a load balancer of another region. AWS says of target groups itself
// that they do not fit it.
func (e *external) inRegion(mg Listener) error {
	return controller.InRegion("loadBalancerArn", e.wanted.loadBalancer, e.region, kind, loadBalancerLink(mg).Set())
}

// arnForm is that of arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/net/NAME/LB/ID.
// A listener has no name.
var arnForm = controller.ARNForm{What: "listener of a Network Load Balancer", Resource: "listener/net/", Slashes: 4}

// details are what takes further calls, and only if something of it is managed.
func (e *external) details(ctx context.Context, mg Listener, f *found) error {
	var err error

	p, o := mg.ForProvider(), mg.ObservedState().AtProvider
	arn, age := f.arn(), e.ages.Details

	if p.TCPIdleTimeoutSeconds != nil || len(o.ManagedAttributeKeys) > 0 {
		if f.attributes, err = e.read.ListenerAttributes(ctx, arn, age); err != nil {
			return controller.Failed("read the attributes of the "+f.String(), err)
		}
	}

	if f.sdk.Protocol == types.ProtocolEnumTls && len(p.CertificateARNs)+len(o.ManagedCertificateARNs) > 1 || len(o.ManagedCertificateARNs) > 0 {
		certificates, err := e.read.ListenerCertificates(ctx, arn, age)
		if err != nil {
			return controller.Failed("read the certificates of the "+f.String(), err)
		}

		f.sni = sni(certificates)
	}

	if len(p.Rules)+len(o.ManagedRulePriorities) > 0 {
		return e.ruleDetails(ctx, f)
	}

	return nil
}

// ruleDetails reads the rules and their tags. Tags of many share a call, so they are as
// young as those of the listener.
func (e *external) ruleDetails(ctx context.Context, f *found) error {
	failed := func(what string, err error) error {
		return controller.Failed("read the "+what+" of the "+f.String(), err)
	}

	rules, err := e.read.Rules(ctx, f.arn(), e.ages.Details)
	if err != nil {
		return failed("rules", err)
	}

	f.rules = haveRules(rules)

	arns := make([]string, len(f.rules))
	for i, r := range f.rules {
		arns[i] = r.arn
	}

	tags, err := e.read.RuleTags(ctx, arns, e.ages.Settings)
	if err != nil {
		return failed("tags of rules", err)
	}

	if len(tags) < len(arns) {
		// A rule has gone since they were read, or AWS does not see it yet.
		if rules, err = e.read.Rules(ctx, f.arn(), 0); err != nil {
			return failed("rules", err)
		}

		f.rules = haveRules(rules)
	}

	for i, r := range f.rules {
		f.rules[i].tags = tags[r.arn]
	}

	return nil
}
