package controller

import (
	"fmt"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
)

// An ARNForm is what the ARNs of a kind of ELBv2 look like.
type ARNForm struct {
	// What it is the ARN of, such as a target group.
	What string
	// Resource is what its last part begins with, and Slashes how many that has.
	Resource string
	Slashes  int
	// Named says that a thing of the kind has a name, too, by which it may be meant.
	Named bool
}

// Check refuses an external name that is neither empty, nor an ARN of this form in the
// region, nor a name where there are names. AWS would take an ARN of something else for
// a name, or another load balancer would be made under the name that is in it.
func (f ARNForm) Check(external, region string) error {
	if external == "" || f.Named && !strings.HasPrefix(external, "arn:") {
		return nil
	}

	parts := strings.Split(external, ":")
	if len(parts) != 6 || parts[2] != "elasticloadbalancing" || !strings.HasPrefix(parts[5], f.Resource) || strings.Count(parts[5], "/") != f.Slashes {
		orName := ""
		if f.Named {
			orName = " or to a name,"
		}

		return Stalled{Reason: ReasonInvalid, Message: fmt.Sprintf(
			"annotation crossplane.io/external-name %q is not the ARN of a %s: set it to one,%s or remove it", external, f.What, orName)}
	}

	if parts[3] != region {
		return Stalled{Reason: ReasonInvalid, Message: fmt.Sprintf(
			"annotation crossplane.io/external-name names a %s in region %s, but spec.forProvider.region is %s: change one of them", f.What, parts[3], region)}
	}

	return nil
}

// InRegion refuses an ARN of another region than the object's, of which AWS would
// only say that it does not exist. If a reference yields it, the other object may be
// the wrong one: then it is no matter of this object alone, and so not Stalled.
func InRegion(field, arn, region, kind string, referred bool) error {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) < 5 || parts[3] == region {
		return nil
	}

	message := fmt.Sprintf("spec.forProvider.%s is %s, which is in region %s, but spec.forProvider.region is %s: "+
		"name one of that region, or create a new %s for the other region", field, arn, parts[3], region, kind)
	if referred {
		return errors.New(message)
	}

	return Stalled{Reason: ReasonInvalid, Message: message}
}
