package targetgroupbinding

import (
	"fmt"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
)

// twin returns the oldest of the other bindings that select the same pods on the same
// port for another target group, if it is older than this one; nil if there is none.
// Two of the same group share it, which is another matter.
func twin(own Binding, all []Binding) Binding {
	var oldest Binding
	for _, other := range all {
		if other.GetUID() == own.GetUID() || meta.WasDeleted(other) || !older(other, own) || oldest != nil && !older(other, oldest) {
			continue
		}
		if selectsSame(queryOf(own, ""), queryOf(other, "")) && !sharesGroup(own, other) {
			oldest = other
		}
	}
	return oldest
}

func older(a, b Binding) bool {
	at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	return at.Before(&bt) || at.Equal(&bt) && a.GetNamespace()+"/"+a.GetName() < b.GetNamespace()+"/"+b.GetName()
}

// sharesGroup says that two bindings have one target group, as far as is known.
func sharesGroup(a, b Binding) bool {
	bound, other := a.ObservedState().AtProvider.TargetGroupARN, b.ObservedState().AtProvider.TargetGroupARN
	if bound != "" && other != "" {
		return bound == other
	}
	return sameGroup(a.ForProvider(), b.ForProvider())
}

// selectsSame says that two queries are the same one. Others may find the same pods,
// too: that would have to be counted, and changes with each pod.
func selectsSame(a, b clusters.Query) bool {
	return a.Port == b.Port && a.Namespace == b.Namespace && a.Service == b.Service &&
		text(a.PodSelector) == text(b.PodSelector) && text(a.NodeSelector) == text(b.NodeSelector)
}

func text(s labels.Selector) string {
	if s == nil {
		return ""
	}
	return s.String()
}

// shared is the condition of a binding that has an older twin.
func shared(other Binding) binder.Condition {
	name := other.GetName()
	if other.GetNamespace() != "" {
		name = other.GetNamespace() + "/" + name
	}
	return binder.Condition{Type: "SharesPods", Status: true, Reason: "SelectedTwice", Message: fmt.Sprintf(
		"TargetGroupBinding %s, which is older, selects the same pods on the same port for another target group: where client addresses are "+
			"preserved, a client that uses one source port towards both load balancers loses a connection; use another port of the pods, or turn the preservation off", name)}
}

// twin of a binding, from the informer.
func (l *liaison) twin(b Binding) Binding { return twin(b, l.siblings(refOf(b))) }

// untwin asks for a reconcile of the bindings whose older twin is going.
func (l *liaison) untwin(going Binding) {
	ref := refOf(going)
	for _, other := range l.siblings(ref) {
		if other.GetUID() != going.GetUID() && selectsSame(queryOf(going, ""), queryOf(other, "")) {
			l.notify(binder.Ref{Group: ref.Group, Namespace: other.GetNamespace(), Name: other.GetName(), UID: other.GetUID()})
		}
	}
}
