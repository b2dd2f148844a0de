package targetgroup

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A group is a target group as it is in AWS.
type group struct {
	sdk        types.TargetGroup
	tags       map[string]string
	attributes map[string]string
}

func (g *group) arn() string { return str(g.sdk.TargetGroupArn) }

func (g *group) String() string { return fmt.Sprintf("target group %q", str(g.sdk.TargetGroupName)) }

func (g *group) found() controller.Found {
	return controller.Found{What: g.String(), ExternalName: g.arn(), Tags: g.tags}
}

// find the group of an object, or nil if AWS has none. What the external name
// names is adopted. Anything else that has the object's name must be ours.
func (e *external) find(ctx context.Context, mg TargetGroup) (*group, error) {
	external := meta.GetExternalName(mg)
	if err := arnForm.Check(external, e.region); err != nil && !e.deleting {
		return nil, err
	}

	sdk, err := e.named(ctx, mg, external)
	if err != nil || sdk == nil {
		return nil, err
	}

	g, err := e.withTags(ctx, *sdk)
	if err != nil {
		return nil, err
	}

	if external == g.arn() || external == str(sdk.TargetGroupName) || e.onlyObserves() {
		return g, nil
	}

	err = controller.Claim(mg, e.clusterID, g.found())
	if err != nil && e.deleting {
		// There is nothing of ours to delete.
		return nil, nil //nolint:nilnil // Absent is no error.
	}

	if err != nil {
		return nil, err
	}

	return g, nil
}

// onlyObserves says that nothing in AWS may be changed, so that nothing can be
// taken over by mistake.
func (e *external) onlyObserves() bool {
	return !e.policies.ShouldCreate() && !e.policies.ShouldUpdate() && !e.policies.ShouldDelete()
}

// named returns the group that the external name names, and if that is an ARN of
// a group that is gone, the group of the same name.
func (e *external) named(ctx context.Context, mg TargetGroup, external string) (*types.TargetGroup, error) {
	if isARN(external) {
		g, err := e.read.TargetGroup(ctx, external, e.ages.Settings)
		if found, err := absent(g, err, external); err != nil || found != nil {
			return found, err
		}
	}

	name := e.name(mg)
	g, err := e.read.TargetGroupByName(ctx, name, e.ages.Settings)

	return absent(g, err, name)
}

// absent makes nil of AWS's answer that there is none, and of no other.
func absent(g types.TargetGroup, err error, name string) (*types.TargetGroup, error) {
	switch {
	case aws.IsNotFound(err, codeNotFound):
		return nil, nil //nolint:nilnil // Absent is no error.
	case err != nil:
		return nil, controller.Failed("describe target group "+name, err)
	}

	return &g, nil
}

func (e *external) withTags(ctx context.Context, sdk types.TargetGroup) (*group, error) {
	g := &group{sdk: sdk}

	var err error
	if g.tags, err = e.read.Tags(ctx, g.arn(), e.ages.Settings); err != nil {
		return nil, controller.Failed("read the tags of "+g.String(), err)
	}

	return g, nil
}

// name of the group in AWS: that of the external name, of the spec, or derived.
func (e *external) name(mg TargetGroup) string {
	switch external := meta.GetExternalName(mg); {
	case isARN(external):
		return nameInARN(external)
	case external != "":
		return external
	case mg.ForProvider().Name != nil:
		return *mg.ForProvider().Name
	}

	return controller.DefaultName(e.clusterID, mg.GetNamespace(), mg.GetName())
}

// arnForm is that of arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID.
var arnForm = controller.ARNForm{What: "target group", Resource: "targetgroup/", Slashes: 2, Named: true}

// isARN tells arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID from
// a name.
func isARN(s string) bool {
	return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") == 5 && strings.Count(s, "/") == 2
}

func nameInARN(arn string) string { return strings.Split(arn, "/")[1] }

func str(s *string) string {
	if s == nil {
		return ""
	}

	return *s
}
