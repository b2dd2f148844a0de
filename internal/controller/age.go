package controller

import (
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

// MaxAge is how old what is read of an object may be: polls of objects in sync
// share calls, all else asks AWS.
func (o Options) MaxAge(mg resource.Managed) time.Duration {
	if meta.WasDeleted(mg) || managedStatus(mg).GetObservedGeneration() != mg.GetGeneration() {
		return 0
	}

	return aws.MaxAge(o.PollInterval)
}
