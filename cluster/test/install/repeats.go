package install

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// repeats says that an event tells nothing new: Crossplane has applied the conditions of
// a composite resource as it had read them before it wrote the last ones, or puts right
// what it so undid (crossplane#7062). It does so when its cache lags, so how often
// depends on the machine, and on nothing that we write.
func (a *Account) repeats(before, o *unstructured.Unstructured) bool {
	if before == nil || !isComposite(o.GetKind()) {
		return false
	}
	was, is := ready(before), ready(o)
	switch {
	case was == "True" && is == "False" && appliedReady(o):
		a.relapsed[o.GetUID()] = true
	case was == "False" && is == "True" && a.relapsed[o.GetUID()]:
		delete(a.relapsed, o.GetUID())
	default:
		return false
	}
	return true
}

// ready is the status of an object's condition Ready; empty if it has none.
func ready(o *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, each := range conditions {
		if c, _ := each.(map[string]any); c["type"] == "Ready" {
			return fmt.Sprint(c["status"])
		}
	}
	return ""
}

// appliedReady says that condition Ready is as it was last applied. Crossplane applies
// only what it has read, and updates what it has found.
func appliedReady(o *unstructured.Unstructured) bool {
	for _, f := range o.GetManagedFields() {
		if f.Operation != metav1.ManagedFieldsOperationApply || f.Subresource != "status" || f.FieldsV1 == nil {
			continue
		}
		fields := map[string]any{}
		if json.Unmarshal(f.FieldsV1.GetRawBytes(), &fields) != nil {
			continue
		}
		if _, ok, _ := unstructured.NestedMap(fields, "f:status", "f:conditions", `k:{"type":"Ready"}`, "f:status"); ok {
			return true
		}
	}
	return false
}
