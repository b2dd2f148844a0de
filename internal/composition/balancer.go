package composition

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// Names in the composition. They come from what a resource is for, never from a
// position: another port or client must not make it another resource.
const (
	nameSecurityGroup = "security-group"
	nameLoadBalancer  = "load-balancer"
	nameConnection    = "connection"
)

// The Compositions of a port, as the Configuration has them.
const (
	compositionPort       = "hostnetwork-nlb-port"
	compositionLegacyPort = "hostnetwork-nlb-legacy-port"
)

func namePort(port int32) string { return "port-" + strconv.Itoa(int(port)) }

// composeBalancer decides what a claim's composite resource consists of: security
// group, load balancer, the rules for the health check, which all ports share, and
// one nested composite resource for each port.
func composeBalancer(s style, req Request) (Response, error) {
	claim, err := decode[NetworkLoadBalancerSpec](req.Composite["spec"])
	if err != nil {
		return Response{}, err
	}

	rsp := Response{}

	if claim.Environment != nil {
		rsp.Require = map[string]Requirement{environment: {
			APIVersion: "apiextensions.crossplane.io/v1beta1", Kind: "EnvironmentConfig", Name: *claim.Environment,
		}}

		env, asked := req.Required[environment]
		if env == nil {
			return withoutEnvironment(req, rsp, *claim.Environment, asked)
		}

		if claim, err = merged(claim, env); err != nil {
			return rsp, err
		}
	}

	if err := claim.check(); err != nil {
		return rsp, err
	}

	if s.legacy && s.namespace == "" {
		return rsp, Invalid{"create it by a NetworkLoadBalancerClaim: the pods are looked for in the claim's namespace"}
	}

	parts, err := s.balancerParts(claim, req)
	if err != nil {
		return rsp, err
	}

	own := costBalancer
	if s.legacy {
		own = costLegacyBalancer
	}

	rsp.Resources, rsp.Again = paced(req, own, parts)
	rsp.Waits = rsp.Again > 0

	if err := s.reportBalancer(claim, req, &rsp); err != nil {
		return rsp, err
	}

	return rsp, nil
}

// withoutEnvironment keeps what there is. As long as there is nothing, no error is
// returned, so that the environment is watched and its creation is noticed at once.
func withoutEnvironment(req Request, rsp Response, name string, asked bool) (Response, error) {
	rsp.Waits = true
	if !asked {
		return rsp, nil
	}

	text := fmt.Sprintf("spec.environment: there is no EnvironmentConfig %q: create it, or name another", name)
	if len(req.Observed) > 0 {
		return rsp, Invalid{text}
	}

	rsp.Problem = &Problem{Reason: ReasonEnvironmentMissing, Message: text}

	return rsp, nil
}

func (s style) balancerParts(claim NetworkLoadBalancerSpec, req Request) ([]part, error) {
	base, labels := s.base(), map[string]string{labelClaim: s.base()}

	var parts []part

	add := func(name string, cost cost, o Object, err error) error {
		parts = append(parts, part{name: name, cost: cost, Resource: Resource{Object: o}})

		return err
	}

	group, err := s.managed("SecurityGroup", base, labels, claim.ProviderConfigRef, s.securityGroup(claim))
	if err := add(nameSecurityGroup, costManaged, group, err); err != nil {
		return nil, err
	}

	balancer, err := s.managed("LoadBalancer", base, labels, claim.ProviderConfigRef, s.loadBalancer(claim))
	if err := add(nameLoadBalancer, costLoadBalancer, balancer, err); err != nil {
		return nil, err
	}

	if port := checkPort(claim.HealthCheck); port != 0 {
		for _, r := range s.wall(claim).toNodes(NodePort{Protocol: tcp, Port: port}) {
			rule, err := s.managed("SecurityGroupRule", base+"-"+r.name, labels, claim.ProviderConfigRef, r.parameters)
			if err := add(r.name, costManaged, rule, err); err != nil {
				return nil, err
			}
		}
	}

	opens := nodePorts(inOrderOfCreation(claim.Ports, req), checkPort(claim.HealthCheck))

	for _, p := range sorted(claim.Ports) {
		nested, err := s.port(claim, p, opens[p.Port])
		if err := add(namePort(p.Port), costPort, nested, err); err != nil {
			return nil, err
		}
	}

	secret, err := s.connection(req)
	if err != nil || secret == nil {
		return parts, err
	}

	return append(parts, part{name: nameConnection, cost: costSecret, Resource: Resource{Object: secret, Ready: true}}), nil
}

func (s style) wall(claim NetworkLoadBalancerSpec) wall {
	return wall{
		region: or(claim.Region, ""), balancer: s.base(), nodes: or(claim.NodeSecurityGroupID, ""),
		manage: or(claim.ManageNodeRules, true), tags: claim.Tags,
	}
}

func (s style) securityGroup(claim NetworkLoadBalancerSpec) v1alpha1.SecurityGroupParameters {
	description := "load balancer " + s.base()
	// With a group of the nodes, the load balancer may reach its members only.
	revoke := claim.NodeSecurityGroupID != nil

	return v1alpha1.SecurityGroupParameters{
		Region: or(claim.Region, ""), VPCID: claim.VPCID, Description: &description, RevokeDefaultEgress: &revoke, Tags: claim.Tags,
	}
}

// loadBalancer always has the security group: one that is created without can never
// get one.
func (s style) loadBalancer(claim NetworkLoadBalancerSpec) v1alpha1.LoadBalancerParameters {
	scheme := or(claim.Scheme, "internal")
	p := v1alpha1.LoadBalancerParameters{
		Region: or(claim.Region, ""), Scheme: &scheme, IPAddressType: claim.IPAddressType, SubnetMappings: claim.SubnetMappings,
		SecurityGroupIDRefs: []v1alpha1.Reference{{Name: s.base()}},
		CrossZone:           claim.CrossZone, DeletionProtection: claim.DeletionProtection, Tags: claim.Tags,
	}

	// UDP over IPv6 needs it, and nothing else gives a prefix to each subnet.
	prefixes := !slices.ContainsFunc(claim.SubnetMappings, func(m v1alpha1.SubnetMapping) bool { return m.SourceNATIPv6Prefix == nil })
	if prefixes {
		p.EnablePrefixForIPv6SourceNAT = &prefixes
	}

	return p
}

func (s style) port(claim NetworkLoadBalancerSpec, p Port, opens []NodePort) (Object, error) {
	base := s.base()
	spec := NetworkLoadBalancerPortSpec{
		Port: p, Region: or(claim.Region, ""), VPCID: or(claim.VPCID, ""), LoadBalancerName: base, SecurityGroupName: base,
		Clients: *claim.Clients, NodeSecurityGroupID: claim.NodeSecurityGroupID, ManageNodeRules: or(claim.ManageNodeRules, true),
		NodePorts: opens, PodSelector: claim.PodSelector, ServiceName: claim.ServiceName, NodeSelector: claim.NodeSelector,
		HealthCheck: claim.HealthCheck, DeregistrationDelaySeconds: or(claim.DeregistrationDelaySeconds, defaultDraining),
		Tags: claim.Tags, ProviderConfigRef: claim.ProviderConfigRef,
	}

	if s.legacy {
		spec.Namespace = &s.namespace
	}

	number := strconv.Itoa(int(p.Port))

	o, err := s.object(apiVersion, s.prefix+kindPort, base+"-"+number, map[string]string{labelClaim: base, labelPort: number}, spec)
	if err != nil {
		return nil, err
	}

	// Crossplane would find it by itself and write it into the spec: an update more,
	// which counts here and there.
	chosen := Object{"compositionRef": Object{"name": compositionPort}}
	if s.legacy {
		chosen = Object{"compositionRef": Object{"name": compositionLegacyPort}}
	} else {
		chosen = Object{"crossplane": chosen}
	}

	body, _ := o["spec"].(Object)
	maps.Copy(body, chosen)

	return o, nil
}

func sorted(ports []Port) []Port {
	return slices.SortedFunc(slices.Values(ports), func(a, b Port) int { return cmp.Compare(a.Port, b.Port) })
}

// inOrderOfCreation returns the ports that are there already first, the oldest
// before the others.
func inOrderOfCreation(ports []Port, req Request) []Port {
	out := sorted(ports)
	at := func(p Port) int64 {
		o, ok := req.Observed[namePort(p.Port)]
		if !ok {
			return req.Now.Unix() + 1
		}

		return created(o, cost{}, req.Now).at.Unix()
	}

	slices.SortStableFunc(out, func(a, b Port) int { return cmp.Compare(at(a), at(b)) })

	return out
}
