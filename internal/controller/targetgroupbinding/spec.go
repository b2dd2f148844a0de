package targetgroupbinding

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/clusters"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// refOf names a binding for the engine.
func refOf(b resource.Managed) binder.Ref {
	return binder.Ref{
		Group:     b.GetObjectKind().GroupVersionKind().Group,
		Namespace: b.GetNamespace(), Name: b.GetName(), UID: b.GetUID(),
	}
}

// queryOf says which pods are selected. Admission has seen to it that exactly one
// way is set; a label selector that it let through cannot fail to convert.
func queryOf(b Binding, protocol string) clusters.Query {
	p := b.ForProvider()
	q := clusters.Query{Namespace: b.GetNamespace(), GroupProtocol: protocol, NodeSelector: selectorOf(p.NodeSelector)}
	namespace := func(n *string) {
		if n != nil {
			q.Namespace = *n
		}
	}
	switch {
	case p.ServiceRef != nil:
		namespace(p.ServiceRef.Namespace)
		q.Service, q.Port = p.ServiceRef.Name, p.ServiceRef.Port
	case p.PodSelector != nil:
		namespace(p.PodSelector.Namespace)
		q.PodSelector, q.Port = selectorOf(&p.PodSelector.LabelSelector), p.PodSelector.Port
	}
	return q
}

// selectorOf converts a selector; nil stays nil. One that is invalid selects
// nothing: see invalidSelector, which refuses it before.
func selectorOf(s *metav1.LabelSelector) labels.Selector {
	if s == nil {
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return labels.Nothing()
	}
	return selector
}

// invalidSelector names a label selector that Kubernetes would refuse.
func invalidSelector(p *v1alpha1.TargetGroupBindingParameters) (field string, err error) {
	if p.PodSelector != nil {
		if _, err := metav1.LabelSelectorAsSelector(&p.PodSelector.LabelSelector); err != nil {
			return "podSelector.labelSelector", err
		}
	}
	if _, err := metav1.LabelSelectorAsSelector(p.NodeSelector); err != nil {
		return "nodeSelector", err
	}
	return "", nil
}

// policyOf reads the binding's choices; package targets fills in the defaults.
func policyOf(p *v1alpha1.TargetGroupBindingParameters) targets.Policy {
	is := func(s *string, v string) bool { return s != nil && *s == v }
	policy := targets.Policy{
		EmptyDeregister:   is(p.EmptyPolicy, "Deregister"),
		RestartDeregister: is(p.InPlaceRestart, "Deregister"),
		RegisterScheduled: is(p.RegisterWhen, "Scheduled"),
	}
	if p.Ownership != nil {
		policy.Ownership = targets.Ownership(*p.Ownership)
	}
	if p.NotReady != nil {
		policy.NotReadyDeregister = is(p.NotReady.Policy, "Deregister")
		if p.NotReady.AfterSeconds != nil {
			policy.NotReadyAfter = time.Duration(*p.NotReady.AfterSeconds) * time.Second
		}
	}
	if p.Departures != nil && p.Departures.MaxUnavailable != nil {
		policy.MaxUnavailable, policy.MaxUnavailablePercent = maxUnavailable(*p.Departures.MaxUnavailable)
	}
	return policy
}

// maxUnavailable reads a number or a percentage, which admission has checked.
func maxUnavailable(v intstr.IntOrString) (int, bool) {
	if v.Type == intstr.Int {
		return v.IntValue(), false
	}
	n, _ := strconv.Atoi(strings.TrimSuffix(v.StrVal, "%"))
	return n, true
}

// ownIPs reads the targets that status recorded as ours.
func ownIPs(recorded []string) map[targets.Key]bool {
	own := make(map[targets.Key]bool, len(recorded))
	for _, r := range recorded {
		host, port, err := net.SplitHostPort(r)
		if n, convErr := strconv.ParseInt(port, 10, 32); err == nil && convErr == nil {
			own[targets.Key{ID: host, Port: int32(n)}] = true
		}
	}
	return own
}

func recordIPs(keys []targets.Key) []string {
	var out []string
	for _, k := range keys {
		out = append(out, net.JoinHostPort(k.ID, strconv.Itoa(int(k.Port))))
	}
	return out
}
