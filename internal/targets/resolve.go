package targets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Resolve says which target a pod makes (binding.md §2), or why it makes none.
//
//	selection | hostNetwork            | hostPort, and Selection.HostPorts
//	number    | that port, undeclared  | the port whose hostPort it is
//	name      | its containerPort      | its hostPort
//
// It looks at where the pod is, not at how it is: readiness, exclusion and what
// the node's signals mean decide whether the target is wanted, not which it is.
func (v View) Resolve(group Group, pod Pod) (Key, *Skip) {
	if !pod.HostNetwork && !v.Selection.HostPorts {
		return Key{}, skipped(pod, RuleNotHostNetwork, "does not use hostNetwork")
	}
	if pod.Node == "" {
		return Key{}, skipped(pod, RuleUnbound, "is not bound to a node")
	}
	node := v.nodes().ByName[pod.Node]
	if node == nil {
		return Key{}, skipped(pod, RuleNodeUnknown, fmt.Sprintf("node %q is not known", pod.Node))
	}
	port, hostIP, skip := v.Selection.hostPort(group, pod, node.Addresses)
	if skip != nil {
		return Key{}, skip
	}
	if group.Type != TypeIP {
		if node.InstanceID == "" {
			return Key{}, skipped(pod, RuleNoInstance, fmt.Sprintf("node %q has no EC2 instance id in its providerID", node.Name))
		}
		return Key{ID: node.InstanceID, Port: port}, nil
	}
	if address := targetAddress(pod, *node, hostIP); address != "" {
		return Key{ID: address, Port: port}, nil
	}
	return Key{}, skipped(pod, RuleNoAddress, fmt.Sprintf("neither the pod nor node %q has an address yet", node.Name))
}

func (v View) nodes() Nodes {
	if v.Nodes == nil {
		return Nodes{}
	}
	return *v.Nodes
}

// targetAddress is where the pod's port can be reached. A hostNetwork pod that
// has no address yet will get its node's first one; taking it early lets a pod
// that is still starting hold its predecessor's target.
func targetAddress(pod Pod, node Node, hostIP string) string {
	if pod.HostNetwork && pod.IP != "" {
		return pod.IP
	}
	if !everyAddress(hostIP) {
		return hostIP
	}
	if len(node.Addresses) > 0 {
		return node.Addresses[0]
	}
	return ""
}

// hostPort is the port of the host that the selection means on a pod, and the
// one address that it is bound to, if any.
func (s Selection) hostPort(group Group, pod Pod, addresses []string) (int32, string, *Skip) {
	if pod.HostNetwork {
		if s.Port != 0 {
			return s.Port, "", nil
		}
		for _, port := range pod.Ports {
			if port.Name == s.PortName && group.fits(port.Protocol) {
				return port.Container, "", nil
			}
		}
		return 0, "", skipped(pod, RuleNoPort, s.noSuchPort(group, pod))
	}
	bound := ""
	for _, port := range pod.Ports {
		if port.Host == 0 || !group.fits(port.Protocol) || !s.names(port) {
			continue
		}
		if everyAddress(port.HostIP) {
			return port.Host, "", nil
		}
		if slices.Contains(addresses, port.HostIP) {
			return port.Host, port.HostIP, nil
		}
		bound = port.HostIP
	}
	if bound != "" {
		return 0, "", skipped(pod, RuleNoPort, fmt.Sprintf("host port %s is bound to %s, which is not the node's address", s, bound))
	}
	return 0, "", skipped(pod, RuleNoPort, s.noSuchPort(group, pod))
}

// names says that the selection means this port of a pod with host ports.
func (s Selection) names(port Port) bool {
	if s.Port != 0 {
		return port.Host == s.Port
	}
	return port.Name == s.PortName
}

func (s Selection) String() string {
	if s.Port != 0 {
		return strconv.Itoa(int(s.Port))
	}
	return strconv.Quote(s.PortName)
}

// fits says that a group of this protocol sends to ports of that one. A
// protocol that the group's does not name (none is known) fits nothing.
func (g Group) fits(protocol Protocol) bool {
	switch g.Protocol {
	case "TCP", "TLS":
		return protocol == ProtocolTCP
	case "UDP", "QUIC":
		return protocol == ProtocolUDP
	case "TCP_UDP", "TCP_QUIC":
		return protocol == ProtocolTCP || protocol == ProtocolUDP
	}
	return false
}

// declaredBy says that a pod declares a port of its host, of a protocol that the group
// sends to.
func (g Group) declaredBy(pod Pod, port int32) bool {
	return slices.ContainsFunc(pod.Ports, func(p Port) bool {
		its := p.Host
		if pod.HostNetwork {
			its = p.Container
		}
		return its == port && g.fits(p.Protocol)
	})
}

// noSuchPort names the port that was looked for and those that there are, so
// that a typing mistake can be seen without looking at the pod.
func (s Selection) noSuchPort(group Group, pod Pod) string {
	var has []string
	for _, port := range pod.Ports {
		switch {
		case !pod.HostNetwork && port.Host != 0:
			has = append(has, strings.TrimSpace(fmt.Sprintf("%s %d/%s", port.Name, port.Host, port.Protocol)))
		case pod.HostNetwork && port.Name != "":
			has = append(has, fmt.Sprintf("%s/%s", port.Name, port.Protocol))
		}
	}
	slices.Sort(has)
	list := "none"
	if len(has) > 0 {
		list = strings.Join(slices.Compact(has), ", ")
	}
	if pod.HostNetwork {
		return fmt.Sprintf("has no container port named %s that fits a %s target group; named ports: %s", s, group.Protocol, list)
	}
	return fmt.Sprintf("does not use hostNetwork and has no host port %s that fits a %s target group; host ports: %s", s, group.Protocol, list)
}

func everyAddress(hostIP string) bool {
	return hostIP == "" || hostIP == "0.0.0.0" || hostIP == "::"
}

func skipped(pod Pod, rule Rule, reason string) *Skip {
	return &Skip{Pod: pod.PodRef, Rule: rule, Reason: reason}
}
