package composition

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

const (
	tcp = "tcp"
	udp = "udp"
)

// transports are the protocols of a listener as security groups know them.
func transports(protocol string) []string {
	switch protocol {
	case "UDP":
		return []string{udp}
	case "TCP_UDP":
		return []string{tcp, udp}
	}

	return []string{tcp}
}

// A source is who may connect, with a name for it that has no characters which a
// name of an object must not have.
type source struct {
	name string
	set  func(*v1alpha1.SecurityGroupRuleParameters)
}

// sources of clients, sorted, each once: what is written in two ways is one rule in
// AWS.
func (c Clients) sources() ([]source, error) {
	var out []source

	for _, text := range c.CIDRs {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, Invalid{fmt.Sprintf("spec.clients.cidrs: %q is no range of addresses such as 10.0.0.0/8 or 2001:db8::/32", text)}
		}

		masked := prefix.Masked().String()
		name := strings.NewReplacer("/", "-", ":", "-").Replace(masked)

		if prefix.Addr().Is4() {
			out = append(out, source{name, func(p *v1alpha1.SecurityGroupRuleParameters) { p.CIDRIPv4 = &masked }})
		} else {
			out = append(out, source{name, func(p *v1alpha1.SecurityGroupRuleParameters) { p.CIDRIPv6 = &masked }})
		}
	}

	for _, id := range c.PrefixListIDs {
		out = append(out, source{id, func(p *v1alpha1.SecurityGroupRuleParameters) { p.PrefixListID = &id }})
	}

	for _, id := range c.SecurityGroupIDs {
		out = append(out, source{id, func(p *v1alpha1.SecurityGroupRuleParameters) { p.ReferencedSecurityGroupID = &id }})
	}

	slices.SortFunc(out, func(a, b source) int { return cmp.Compare(a.name, b.name) })

	return slices.CompactFunc(out, func(a, b source) bool { return a.name == b.name }), nil
}

// A wall is what security group rules are made for: the group of the load balancer
// and the one of the nodes.
type wall struct {
	region string
	// balancer is the name of the load balancer's SecurityGroup object.
	balancer string
	// nodes is the group of the nodes; empty if it is not known.
	nodes string
	// manage says whether the nodes' group gets rules.
	manage bool
	tags   map[string]v1alpha1.TagValue
}

func (w wall) rule(direction, protocol string, port int32, description string) v1alpha1.SecurityGroupRuleParameters {
	return v1alpha1.SecurityGroupRuleParameters{
		Region: w.region, Direction: &direction, Protocol: &protocol, FromPort: &port, ToPort: &port,
		Description: &description, Tags: w.tags,
	}
}

// A namedRule is a rule with its name in the composition.
type namedRule struct {
	name       string
	parameters v1alpha1.SecurityGroupRuleParameters
}

// fromClients lets a client connect to a port.
func (w wall) fromClients(s source, protocol string, port int32) namedRule {
	p := w.rule("ingress", protocol, port, "clients of the load balancer")
	p.SecurityGroupIDRef = &v1alpha1.Reference{Name: w.balancer}
	s.set(&p)

	return namedRule{name: fmt.Sprintf("from-%s-%s", s.name, protocol), parameters: p}
}

// toNodes lets the load balancer reach a port of the nodes, and the nodes let it
// in: by its group, so that the nodes are open to nobody else, whatever address a
// client has. Without a group of the nodes the load balancer's group keeps AWS's
// rule that allows all outbound traffic.
func (w wall) toNodes(n NodePort) []namedRule {
	if w.nodes == "" {
		return nil
	}

	out := w.rule("egress", n.Protocol, n.Port, "nodes behind the load balancer")
	out.SecurityGroupIDRef = &v1alpha1.Reference{Name: w.balancer}
	out.ReferencedSecurityGroupID = &w.nodes

	rules := []namedRule{{name: fmt.Sprintf("to-nodes-%s-%d", n.Protocol, n.Port), parameters: out}}
	if !w.manage {
		return rules
	}

	in := w.rule("ingress", n.Protocol, n.Port, "load balancer "+w.balancer)
	in.SecurityGroupID = &w.nodes
	in.ReferencedSecurityGroupIDRef = &v1alpha1.Reference{Name: w.balancer}

	return append(rules, namedRule{name: fmt.Sprintf("on-nodes-%s-%d", n.Protocol, n.Port), parameters: in})
}

// nodePorts returns, for each port of a load balancer, the ports of the nodes that
// it has to open. Two equal rules cannot be in a group, so each port of the nodes
// is opened once: the health check's by the load balancer itself, since all ports
// need it, and any other by the first port that leads to it. Ports come in the
// order in which they were created, so that adding one moves no rule.
func nodePorts(ports []Port, check int32) map[int32][]NodePort {
	taken := map[NodePort]bool{{Protocol: tcp, Port: check}: check != 0}
	out := map[int32][]NodePort{}

	for _, p := range ports {
		for _, protocol := range transports(p.Protocol) {
			n := NodePort{Protocol: protocol, Port: or(p.TargetPort, p.Port)}
			if !taken[n] {
				taken[n] = true
				out[p.Port] = append(out[p.Port], n)
			}
		}
	}

	return out
}
