package composition

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

const nameListener = "listener"

// composePort decides what a port consists of: target group, binding, listener, and
// the security group rules that nothing else needs.
func composePort(s style, req Request) (Response, error) {
	p, err := decode[NetworkLoadBalancerPortSpec](req.Composite["spec"])
	if err != nil {
		return Response{}, err
	}

	parts, err := s.portParts(p)
	if err != nil {
		return Response{}, err
	}

	rsp := Response{}
	rsp.Resources, rsp.Again = paced(req, costPort, parts)
	rsp.Waits = rsp.Again > 0

	if err := s.reportPort(p, req, &rsp); err != nil {
		return Response{}, err
	}

	return rsp, nil
}

// groupName is the part of the names of target group and binding that tells one
// protocol from another: AWS cannot change it, so another one is another group.
func groupName(p Port) string {
	return strings.ReplaceAll(strings.ToLower(targetProtocol(p)), "_", "-")
}

func nameGroup(p Port) string   { return "target-group-" + groupName(p) }
func nameBinding(p Port) string { return "binding-" + groupName(p) }

// targetProtocol is what the targets speak.
func targetProtocol(p Port) string {
	if p.Protocol == "TLS" {
		return or(p.TargetProtocol, "TCP")
	}

	return p.Protocol
}

func (s style) portParts(p NetworkLoadBalancerPortSpec) ([]part, error) {
	var parts []part

	group := s.name + "-" + groupName(p.Port)
	add := func(name, kind, object string, parameters any) error {
		cost := costManaged
		if kind == "TargetGroupBinding" {
			cost = costBinding
		}

		o, err := s.managed(kind, object, s.portLabels(), p.ProviderConfigRef, parameters)
		parts = append(parts, part{name: name, cost: cost, Resource: Resource{Object: o}})

		return err
	}

	if err := add(nameGroup(p.Port), "TargetGroup", group, p.targetGroup()); err != nil {
		return nil, err
	}

	if err := add(nameBinding(p.Port), "TargetGroupBinding", group, p.binding(group)); err != nil {
		return nil, err
	}

	if err := add(nameListener, "Listener", s.name, p.listener(group)); err != nil {
		return nil, err
	}

	rules, err := p.rules()
	if err != nil {
		return nil, err
	}

	for _, r := range rules {
		if err := add(r.name, "SecurityGroupRule", s.name+"-"+r.name, r.parameters); err != nil {
			return nil, err
		}
	}

	return parts, nil
}

// portLabels are those of the port itself: people look for them.
func (s style) portLabels() map[string]string {
	out := map[string]string{}

	for _, l := range []string{labelClaim, labelPort} {
		if v, ok := s.labels[l]; ok {
			out[l] = v
		}
	}

	return out
}

// rules of the port: the way to the nodes first, then the clients.
func (p NetworkLoadBalancerPortSpec) rules() ([]namedRule, error) {
	w := wall{region: p.Region, balancer: p.SecurityGroupName, nodes: or(p.NodeSecurityGroupID, ""), manage: p.ManageNodeRules, tags: p.Tags}

	var out []namedRule
	for _, n := range p.NodePorts {
		out = append(out, w.toNodes(n)...)
	}

	sources, err := p.Clients.sources()
	if err != nil {
		return nil, err
	}

	for _, from := range sources {
		for _, protocol := range transports(p.Protocol) {
			out = append(out, w.fromClients(from, protocol, p.Port.Port))
		}
	}

	return out, nil
}

// targetGroup has the listener's port, which AWS uses for targets that are
// registered without one: the binding always registers the pods' own port. So
// another targetPort is no other group, and the targets change one by one.
func (p NetworkLoadBalancerPortSpec) targetGroup() v1alpha1.TargetGroupParameters {
	protocol, kind, no := targetProtocol(p.Port), "instance", false

	return v1alpha1.TargetGroupParameters{
		Region: p.Region, Protocol: &protocol, Port: &p.Port.Port, VPCID: &p.VPCID, TargetType: &kind,
		HealthCheck: healthCheck(p.HealthCheck), DeregistrationDelaySeconds: &p.DeregistrationDelaySeconds,
		PreserveClientIP: p.PreserveClientIP, ProxyProtocolV2: p.ProxyProtocolV2,
		// A target that fails its check gets no new connections. Those that it has
		// live on, as long as those of a target that leaves.
		UnhealthyTargets: &v1alpha1.UnhealthyTargets{ConnectionTermination: &no, DrainingIntervalSeconds: &p.DeregistrationDelaySeconds},
		Tags:             p.Tags,
	}
}

func (p NetworkLoadBalancerPortSpec) listener(group string) v1alpha1.ListenerParameters {
	out := v1alpha1.ListenerParameters{
		Region: p.Region, LoadBalancerARNRef: &v1alpha1.Reference{Name: p.LoadBalancerName}, Port: &p.Port.Port, Protocol: &p.Protocol,
		Forward:               &v1alpha1.Forward{TargetGroups: []v1alpha1.ForwardTargetGroup{{TargetGroupARNRef: &v1alpha1.Reference{Name: group}}}},
		CertificateARNs:       p.CertificateARNs,
		SSLPolicy:             p.SSLPolicy,
		ALPNPolicy:            p.ALPNPolicy,
		TCPIdleTimeoutSeconds: p.TCPIdleTimeoutSeconds,
		Tags:                  p.Tags,
	}

	if p.Protocol == "TLS" {
		defaulted(&out.SSLPolicy, defaultSSLPolicy)
	}

	return out
}

func (p NetworkLoadBalancerPortSpec) binding(group string) v1alpha1.TargetGroupBindingParameters {
	kind := "instance"
	out := v1alpha1.TargetGroupBindingParameters{
		Region: p.Region, TargetGroupARNRef: &v1alpha1.Reference{Name: group}, TargetType: &kind, NodeSelector: p.NodeSelector,
	}

	if p.ServiceName != nil {
		out.ServiceRef = &v1alpha1.ServiceReference{
			Name: *p.ServiceName, Namespace: p.Namespace, Port: or(p.ServicePort, intstr.FromInt32(p.Port.Port)),
		}

		return out
	}

	out.PodSelector = &v1alpha1.PodSelector{Namespace: p.Namespace, Port: intstr.FromInt32(or(p.TargetPort, p.Port.Port))}
	if p.PodSelector != nil {
		out.PodSelector.LabelSelector = *p.PodSelector
	}

	return out
}
