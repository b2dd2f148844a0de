package controller

import (
	"fmt"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
)

// ExternalARN refuses an external name that begins like an ARN and is not that of
// what, such as a target group, in the region. Its last part begins with resource, and
// slashes are how many it has. AWS would take it for a name, or another load balancer
// would be made under the name that is in it.
func ExternalARN(external, what, resource string, slashes int, region string) error {
	if !strings.HasPrefix(external, "arn:") {
		return nil
	}

	parts := strings.Split(external, ":")
	if len(parts) != 6 || parts[2] != "elasticloadbalancing" || !strings.HasPrefix(parts[5], resource) || strings.Count(parts[5], "/") != slashes {
		return Stalled{Reason: ReasonInvalid, Message: fmt.Sprintf(
			"annotation crossplane.io/external-name %q is not the ARN of a %s: set it to one, or to a name, or remove it", external, what)}
	}

	if parts[3] != region {
		return Stalled{Reason: ReasonInvalid, Message: fmt.Sprintf(
			"annotation crossplane.io/external-name names a %s in region %s, but spec.forProvider.region is %s: change one of them", what, parts[3], region)}
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
