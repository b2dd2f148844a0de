package controller

import (
	"reflect"
	"slices"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
)

// statusOf is the field Status of a kind's struct. What all kinds do with their
// status is done here once, by reflection; TestEveryKindHasAStatus checks that
// each kind has one.
func statusOf(mg resource.Managed) reflect.Value {
	return reflect.ValueOf(mg).Elem().FieldByName("Status")
}

// managedStatus is the part of a status that all kinds have.
func managedStatus(mg resource.Managed) *xpv2.ManagedResourceStatus {
	s, _ := statusOf(mg).FieldByName("ManagedResourceStatus").Addr().Interface().(*xpv2.ManagedResourceStatus)

	return s
}

// Applied says that what the object declares is what AWS has answered to its
// creation, so that the first look need not say it.
func Applied(mg resource.Managed) { managedStatus(mg).SetObservedGeneration(mg.GetGeneration()) }

// keepStatus returns a function that puts the present status back.
func keepStatus(mg resource.Managed) func() {
	kept, _ := mg.DeepCopyObject().(resource.Managed)

	return func() { statusOf(mg).Set(statusOf(kept)) }
}

// without a condition of the type.
func without(s *xpv2.ManagedResourceStatus, t xpv2.ConditionType) {
	s.Conditions = slices.DeleteFunc(s.Conditions, func(c xpv2.Condition) bool { return c.Type == t })
}
