package controller

import (
	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

// Failed says what could not be done, with AWS's reason in a text that does not
// vary. It is Stalled if AWS will never accept the object's values.
func Failed(doing string, err error) error {
	if err == nil {
		return nil
	}

	// Something with the same name is not yet somebody else's: the next look tells.
	if c := aws.Classify(err); c.NeedsChange() && c != aws.ClassExists {
		return Stalled{Reason: ReasonInvalid, Message: "cannot " + doing + ": " + aws.Describe(err)}
	}

	return errors.Wrap(aws.Wrap(err), "cannot "+doing)
}
