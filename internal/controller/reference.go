package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// A Referent is a kind that can be referred to, and what a reference to it yields.
type Referent struct {
	// Kind, of the referring object's own API group.
	Kind string
	// Plural is the resource's name, for telling how to activate it.
	Plural string
	// Yields is the field that a reference yields, for telling what is missing.
	Yields string
	// Value that a reference to the object yields; empty as long as there is none.
	Value func(client.Object) string
	// UsedBy are the kinds whose objects keep one of this kind from being deleted.
	UsedBy []User
}

// TargetGroupARN is what a reference to a TargetGroup yields.
var TargetGroupARN = Referent{
	Kind:   "TargetGroup",
	Plural: "targetgroups",
	Yields: "status.atProvider.arn",
	Value: func(o client.Object) string {
		tg, ok := o.(interface {
			ObservedState() *v1alpha1.TargetGroupStatus
		})
		if !ok {
			return ""
		}

		return tg.ObservedState().AtProvider.ARN
	},
	UsedBy: []User{{Kind: "Listener", Holds: forwardedTo}},
}

// LoadBalancerARN is what a reference to a LoadBalancer yields.
var LoadBalancerARN = Referent{
	Kind:   "LoadBalancer",
	Plural: "loadbalancers",
	Yields: "status.atProvider.arn",
	Value: func(o client.Object) string {
		lb, ok := o.(interface {
			ObservedState() *v1alpha1.LoadBalancerStatus
		})
		if !ok {
			return ""
		}

		return lb.ObservedState().AtProvider.ARN
	},
}

// SecurityGroupID is what a reference to a SecurityGroup yields.
var SecurityGroupID = Referent{
	Kind:   "SecurityGroup",
	Plural: "securitygroups",
	Yields: "status.atProvider.id",
	Value: func(o client.Object) string {
		sg, ok := o.(interface {
			ObservedState() *v1alpha1.SecurityGroupStatus
		})
		if !ok {
			return ""
		}

		return sg.ObservedState().AtProvider.ID
	},
	UsedBy: []User{{Kind: "LoadBalancer", Holds: balancedIn}, {Kind: "SecurityGroupRule", Holds: sourceOf}},
}

// A Link is a reference or a selector of an object, with what it leads to. Field
// is the name of the field that it yields a value for, such as targetGroupArn.
type Link struct {
	To       Referent
	Field    string
	Ref      *v1alpha1.Reference
	Selector *v1alpha1.Selector
}

// Set says that there is a reference or a selector at all.
func (l Link) Set() bool { return l.Ref != nil || l.Selector != nil }

// A Resolver resolves links, always in the object's own scope and namespace.
type Resolver struct {
	// Client reads from the cache and makes objects of its scheme.
	Client client.Client
	// Active says whether a kind's CRD is there; nil means that all are.
	Active func(schema.GroupVersionKind) bool
}

// One returns the value that a link yields. The error is Waiting if there is none
// yet, and lists the objects if a selector selects several.
func (r Resolver) One(ctx context.Context, from resource.Managed, l Link) (string, error) {
	values, err := r.values(ctx, from, l, true)
	if err != nil {
		return "", err
	}

	return values[0], nil
}

// Many returns the values that links yield together, sorted and each once. The
// selector of a link may select several objects, but not none. The error is Waiting
// as long as one of them yields nothing yet.
func (r Resolver) Many(ctx context.Context, from resource.Managed, links ...Link) ([]string, error) {
	var out []string

	for _, l := range links {
		values, err := r.values(ctx, from, l, false)
		if err != nil {
			return nil, err
		}

		out = append(out, values...)
	}

	slices.Sort(out)

	return slices.Compact(out), nil
}

func (r Resolver) values(ctx context.Context, from resource.Managed, l Link, one bool) ([]string, error) {
	gvk := from.GetObjectKind().GroupVersionKind().GroupVersion().WithKind(l.To.Kind)
	if r.Active != nil && !r.Active(gvk) {
		return nil, l.inactive(gvk)
	}

	found, err := r.find(ctx, from, l, gvk)
	if meta.IsNoMatchError(err) {
		return nil, l.inactive(gvk)
	}

	if err != nil {
		return nil, err
	}

	if one && len(found) > 1 {
		return nil, l.ambiguous(found)
	}

	values := make([]string, len(found))
	for i, obj := range found {
		if values[i] = l.To.Value(obj); values[i] == "" {
			return nil, Waiting{Field: l.name(), Object: l.object(obj.GetName()), Lacks: "has no " + l.To.Yields + " yet"}
		}
	}

	return values, nil
}

// find returns at least one object, sorted by name.
func (r Resolver) find(ctx context.Context, from resource.Managed, l Link, gvk schema.GroupVersionKind) ([]client.Object, error) {
	if l.Ref == nil {
		return r.selected(ctx, from, l, gvk)
	}

	o, err := r.Client.Scheme().New(gvk)
	if err != nil {
		return nil, errors.Wrapf(err, "cannot resolve %s", l.name())
	}

	obj, ok := o.(client.Object)
	if !ok {
		return nil, errors.Errorf("cannot resolve %s: %T is no object", l.name(), o)
	}

	err = r.Client.Get(ctx, client.ObjectKey{Namespace: from.GetNamespace(), Name: l.Ref.Name}, obj)
	if kerrors.IsNotFound(err) {
		return nil, Waiting{Field: l.name(), Object: l.object(l.Ref.Name), Lacks: "does not exist"}
	}

	return []client.Object{obj}, errors.Wrapf(err, "cannot resolve %s", l.name())
}

func (r Resolver) selected(ctx context.Context, from resource.Managed, l Link, gvk schema.GroupVersionKind) ([]client.Object, error) {
	o, err := r.Client.Scheme().New(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err != nil {
		return nil, errors.Wrapf(err, "cannot resolve %s", l.name())
	}

	list, ok := o.(client.ObjectList)
	if !ok {
		return nil, errors.Errorf("cannot resolve %s: %T is no list", l.name(), o)
	}

	if err := r.Client.List(ctx, list, client.InNamespace(from.GetNamespace()), client.MatchingLabels(l.Selector.MatchLabels)); err != nil {
		return nil, errors.Wrapf(err, "cannot resolve %s", l.name())
	}

	var found []client.Object

	err = meta.EachListItem(list, func(o runtime.Object) error {
		if obj, ok := o.(client.Object); ok && selects(l.Selector, from, obj) {
			found = append(found, obj)
		}

		return nil
	})
	if err != nil {
		return nil, errors.Wrapf(err, "cannot resolve %s", l.name())
	}

	if len(found) == 0 {
		return nil, Waiting{Field: l.name(), Object: "a " + l.To.Kind + " " + describe(l.Selector), Lacks: "does not exist"}
	}

	slices.SortFunc(found, func(a, b client.Object) int { return strings.Compare(a.GetName(), b.GetName()) })

	return found, nil
}

// selects says whether a selector of one object selects another.
func selects(s *v1alpha1.Selector, from, to client.Object) bool {
	if !labels.SelectorFromSet(s.MatchLabels).Matches(labels.Set(to.GetLabels())) {
		return false
	}

	if s.MatchControllerRef == nil || !*s.MatchControllerRef {
		return true
	}

	a, b := metav1.GetControllerOf(from), metav1.GetControllerOf(to)

	return a != nil && b != nil && a.UID == b.UID
}

func describe(s *v1alpha1.Selector) string {
	var parts []string
	if len(s.MatchLabels) > 0 {
		pairs := make([]string, 0, len(s.MatchLabels))
		for _, k := range slices.Sorted(maps.Keys(s.MatchLabels)) {
			pairs = append(pairs, k+"="+s.MatchLabels[k])
		}

		parts = append(parts, "with labels "+strings.Join(pairs, ","))
	}

	if s.MatchControllerRef != nil && *s.MatchControllerRef {
		parts = append(parts, "with the same controller")
	}

	return strings.Join(parts, " and ")
}

// name of the field that refers.
func (l Link) name() string {
	if l.Ref != nil {
		return l.Field + "Ref"
	}

	return l.Field + "Selector"
}

func (l Link) object(name string) string { return fmt.Sprintf("%s %q", l.To.Kind, name) }

// Lost says that what the link has led to does not exist in AWS any more: its object
// has to go, or to make another.
func (l Link) Lost() Waiting {
	object := "the selected " + l.To.Kind
	if l.Ref != nil {
		object = l.object(l.Ref.Name)
	}

	return Waiting{Field: l.name(), Object: object, Lacks: "does not exist in AWS any more"}
}

func (l Link) ambiguous(found []client.Object) error {
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = f.GetName()
	}

	return errors.Errorf("%s selects %d objects of kind %s, but one is wanted: %s",
		l.name(), len(names), l.To.Kind, strings.Join(names, ", "))
}

func (l Link) inactive(gvk schema.GroupVersionKind) Waiting {
	resource := l.To.Plural + "." + gvk.Group

	return Waiting{Field: l.name(), Object: "kind " + gvk.GroupKind().String(),
		Lacks: fmt.Sprintf("is not active: activate %s in a ManagedResourceActivationPolicy", resource)}
}
