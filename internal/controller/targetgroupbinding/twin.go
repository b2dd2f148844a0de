package targetgroupbinding

import (
	"fmt"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// twin returns the oldest of the other bindings that select the same pods on the same
// port for another target group, if it is older than this one; nil if there is none.
// Two of the same group share it, which is another matter.
func twin(own Binding, all []Binding) Binding {
	var oldest Binding
	same := selection(own)
	for _, other := range all {
		if other.GetUID() == own.GetUID() || meta.WasDeleted(other) || idle(other) || !older(other, own) || oldest != nil && !older(other, oldest) {
			continue
		}
		if selection(other) == same && !sharesGroup(own, other) {
			oldest = other
		}
	}
	return oldest
}

// idle says that a binding is known to register nothing until somebody changes
// something: it is Stalled and never was bound, or its Service selects no pods for it.
func idle(b Binding) bool {
	stalled := b.GetCondition(controller.TypeStalled).Status == corev1.ConditionTrue
	return stalled && b.ObservedState().AtProvider.TargetGroupARN == "" || b.GetCondition(xpv2.TypeReady).Reason == reasonNothingSelected
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

// bySelection indexes bindings: after a start every binding asks for its twin, and one
// that looked at all others would be slow where there are hundreds.
const bySelection = "selection"

// selection says which pods on which port a binding selects, in one text, which is the
// key of the index. Another may find the same pods, too: that would have to be counted,
// and changes with each pod.
func selection(b Binding) string {
	q := queryOf(b, "")
	return fmt.Sprintf("%q %q %d %q %q %q", q.Namespace, q.Service, q.Port.Type, q.Port.String(), text(q.PodSelector), text(q.NodeSelector))
}

// selectionKeys are what the index knows an object by.
func selectionKeys(o client.Object) []string {
	if b, ok := o.(Binding); ok {
		return []string{selection(b)}
	}
	return nil
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
func (l *liaison) twin(b Binding) Binding { return twin(b, l.selecting(b)) }

// untwin asks for a reconcile of the bindings whose older twin is going.
func (l *liaison) untwin(going Binding) {
	for _, other := range l.selecting(going) {
		if other.GetUID() != going.GetUID() {
			l.notify(binder.Ref{Group: refOf(going).Group, Namespace: other.GetNamespace(), Name: other.GetName(), UID: other.GetUID()})
		}
	}
}

// selecting are the siblings that select the same pods on the same port.
func (l *liaison) selecting(b Binding) []Binding {
	return l.siblings(refOf(b), client.MatchingFields{bySelection: selection(b)})
}
