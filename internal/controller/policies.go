package controller

import (
	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// Policies say what may be done with an object, by the runtime's rules.
func (o Options) Policies(mg resource.Managed) managed.ManagementPoliciesChecker {
	enabled := o.Features.Enabled(feature.EnableBetaManagementPolicies)
	if legacy, ok := mg.(resource.LegacyManaged); ok {
		return managed.NewLegacyManagementPoliciesResolver(enabled, mg.GetManagementPolicies(), legacy.GetDeletionPolicy())
	}

	return managed.NewManagementPoliciesResolver(enabled, mg.GetManagementPolicies())
}
