package securitygroup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// named is how many users a message names.
const named = 5

// users finds what keeps a group from being deleted, among the objects of its own
// scope and namespace, in the cache.
type users struct {
	client client.Client
	active func(schema.GroupVersionKind) bool
}

// of returns a text that says what uses a group.
func (u users) of(ctx context.Context, sg SecurityGroup, id string) string {
	var found []string

	for kind, uses := range map[string]func(runtime.Object) bool{
		"SecurityGroupRule": func(o runtime.Object) bool { return ruleUses(o, id) },
		"LoadBalancer":      func(o runtime.Object) bool { return loadBalancerUses(o, id) },
	} {
		gvk := sg.GetObjectKind().GroupVersionKind().GroupVersion().WithKind(kind)
		if u.active == nil || u.active(gvk) {
			found = append(found, u.list(ctx, sg.GetNamespace(), gvk, uses)...)
		}
	}

	if len(found) == 0 {
		return "a network interface, such as that of a load balancer, or a rule of another security group"
	}

	slices.Sort(found)

	if more := len(found) - named; more > 0 {
		found = append(found[:named], fmt.Sprintf("and %d more", more))
	}

	return strings.Join(found, ", ")
}

// list is only for a message, so that an error is as good as no users.
func (u users) list(ctx context.Context, namespace string, gvk schema.GroupVersionKind, uses func(runtime.Object) bool) []string {
	o, err := u.client.Scheme().New(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err != nil {
		return nil
	}

	list, ok := o.(client.ObjectList)
	if !ok || u.client.List(ctx, list, client.InNamespace(namespace)) != nil {
		return nil
	}

	var found []string

	_ = meta.EachListItem(list, func(o runtime.Object) error {
		if obj, ok := o.(client.Object); ok && uses(o) {
			found = append(found, fmt.Sprintf("%s %q", gvk.Kind, obj.GetName()))
		}

		return nil
	})

	return found
}

// ruleUses says that a rule of another group refers to a group. A group's own
// rules go with it.
func ruleUses(o runtime.Object, id string) bool {
	r, ok := o.(interface {
		ObservedState() *v1alpha1.SecurityGroupRuleStatus
	})

	return ok && r.ObservedState().AtProvider.Source == id && r.ObservedState().AtProvider.SecurityGroupID != id
}

func loadBalancerUses(o runtime.Object, id string) bool {
	lb, ok := o.(interface {
		ObservedState() *v1alpha1.LoadBalancerStatus
	})

	return ok && slices.Contains(lb.ObservedState().AtProvider.SecurityGroupIDs, id)
}
