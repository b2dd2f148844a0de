package controller

import (
	"fmt"
	"slices"
	"sync"

	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// checkers keeps what decides, by what it decides by: of these there are a few, and each
// plan of each binding asks. To make one is to make all sets of policies that there are.
// They never change.
var checkers sync.Map

// Policies say what may be done with an object, by the runtime's rules.
func (o Options) Policies(mg resource.Managed) managed.ManagementPoliciesChecker {
	enabled, policies, deletion := o.Features.Enabled(feature.EnableBetaManagementPolicies), mg.GetManagementPolicies(), ""

	legacy, isLegacy := mg.(resource.LegacyManaged)
	if isLegacy {
		deletion = string(legacy.GetDeletionPolicy())
	}

	key := fmt.Sprintf("%t %t %q %q", enabled, isLegacy, deletion, slices.Compact(slices.Sorted(slices.Values(policies))))
	if known, ok := checkers.Load(key); ok {
		return known.(managed.ManagementPoliciesChecker) //nolint:forcetypeassert // Nothing else is stored.
	}

	var checker managed.ManagementPoliciesChecker
	if isLegacy {
		checker = managed.NewLegacyManagementPoliciesResolver(enabled, policies, legacy.GetDeletionPolicy())
	} else {
		checker = managed.NewManagementPoliciesResolver(enabled, policies)
	}

	checkers.Store(key, checker)

	return checker
}
