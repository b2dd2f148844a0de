package targets

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	named := Selection{PortName: "https"}
	hostPorts := func(s Selection) Selection { s.HostPorts = true; return s }
	ports := func(host bool, ports ...Port) Pod {
		return Pod{PodRef: PodRef{Namespace: "edge", Name: "p", UID: "u"}, Node: "a", IP: "10.0.0.a", HostNetwork: host, Ports: ports}
	}
	tcp := Port{Name: "https", Protocol: ProtocolTCP, Container: 8443}
	udp := Port{Name: "https", Protocol: ProtocolUDP, Container: 9443}
	host := func(p Port, ip string) Port { p.Host, p.HostIP = 443, ip; return p }
	cases := map[string]struct {
		reason    string
		group     Group
		selection Selection
		pod       Pod
		want      Key
		skip      string
	}{
		"NumberNeedsNoDeclaration":  {"A number is the host port, and hostNetwork pods need not declare it.", Group{Protocol: "TCP"}, Selection{Port: 443}, ports(true), Key{"i-a", 443}, ""},
		"NameIsContainerPort":       {"On hostNetwork a name means its containerPort.", Group{Protocol: "TCP"}, named, ports(true, tcp), Key{"i-a", 8443}, ""},
		"TLSIsTCP":                  {"A TLS group sends to TCP ports.", Group{Protocol: "TLS"}, named, ports(true, udp, tcp), Key{"i-a", 8443}, ""},
		"UDPIsUDP":                  {"A UDP group takes the UDP port of that name.", Group{Protocol: "UDP"}, named, ports(true, tcp, udp), Key{"i-a", 9443}, ""},
		"QUICIsUDP":                 {"A QUIC group sends to UDP ports.", Group{Protocol: "QUIC"}, named, ports(true, tcp, udp), Key{"i-a", 9443}, ""},
		"BothProtocolsFitTCPUDPtcp": {"A TCP_UDP group takes a name of either protocol.", Group{Protocol: "TCP_UDP"}, named, ports(true, tcp), Key{"i-a", 8443}, ""},
		"BothProtocolsFitTCPUDPudp": {"A TCP_UDP group takes a name of either protocol.", Group{Protocol: "TCP_UDP"}, named, ports(true, udp), Key{"i-a", 9443}, ""},
		"WrongProtocol":             {"A name whose protocol does not fit is no such port, and what there is is named.", Group{Protocol: "TCP"}, named, ports(true, udp), Key{}, `NoSuchPort: has no container port named "https" that fits a TCP target group; named ports: https/UDP`},
		"NoSuchName":                {"A typing mistake shows the names that there are.", Group{Protocol: "TCP"}, Selection{PortName: "htps"}, ports(true, tcp, Port{Name: "admin", Protocol: ProtocolTCP, Container: 1}, Port{Protocol: ProtocolTCP, Container: 2}), Key{}, `NoSuchPort: has no container port named "htps" that fits a TCP target group; named ports: admin/TCP, https/TCP`},
		"NoNames":                   {"A pod without named ports says so.", Group{Protocol: "TCP"}, named, ports(true), Key{}, `NoSuchPort: has no container port named "https" that fits a TCP target group; named ports: none`},
		"HostPortNeedsFlag":         {"Host ports are looked at only with the provider's flag.", Group{Protocol: "TCP"}, Selection{Port: 443}, ports(false, host(tcp, "")), Key{}, "NotHostNetwork: does not use hostNetwork"},
		"HostPortByName":            {"Without hostNetwork a name means its hostPort.", Group{Protocol: "TCP"}, hostPorts(named), ports(false, host(tcp, "")), Key{"i-a", 443}, ""},
		"HostPortByNumber":          {"Without hostNetwork a number is a hostPort, which must be declared.", Group{Protocol: "TCP"}, Selection{Port: 443, HostPorts: true}, ports(false, host(tcp, "0.0.0.0")), Key{"i-a", 443}, ""},
		"HostPortIsNotContainer":    {"The containerPort of a pod with its own network is not on the host.", Group{Protocol: "TCP"}, Selection{Port: 8443, HostPorts: true}, ports(false, host(tcp, "")), Key{}, "NoSuchPort: does not use hostNetwork and has no host port 8443 that fits a TCP target group; host ports: https 443/TCP"},
		"HostIPv6Any":               {"Host address :: is every address.", Group{Protocol: "TCP"}, hostPorts(named), ports(false, host(tcp, "::")), Key{"i-a", 443}, ""},
		"HostIPOfNode":              {"A host port bound to the node's own address can be reached.", Group{Protocol: "TCP"}, hostPorts(named), ports(false, host(tcp, "10.0.0.a")), Key{"i-a", 443}, ""},
		"HostIPLoopback":            {"A host port bound to another address cannot be reached.", Group{Protocol: "TCP"}, hostPorts(named), ports(false, host(tcp, "127.0.0.1")), Key{}, `NoSuchPort: host port "https" is bound to 127.0.0.1, which is not the node's address`},
		"Unbound":                   {"A pod that is not bound has no target yet.", Group{Protocol: "TCP"}, Selection{Port: 443}, Pod{PodRef: PodRef{"edge", "p", "u"}, HostNetwork: true}, Key{}, "NotBound: is not bound to a node"},
		"NodeUnknown":               {"A node that is not known is named.", Group{Protocol: "TCP"}, Selection{Port: 443}, Pod{PodRef: PodRef{"edge", "p", "u"}, HostNetwork: true, Node: "x"}, Key{}, `NodeUnknown: node "x" is not known`},
		"NoInstance":                {"A node that is not an EC2 instance is named.", Group{Protocol: "TCP"}, Selection{Port: 443}, Pod{PodRef: PodRef{"edge", "p", "u"}, HostNetwork: true, Node: "metal"}, Key{}, `NoInstanceID: node "metal" has no EC2 instance id in its providerID`},
		"IPIsThePods":               {"An ip target is the pod's address.", Group{Protocol: "TCP", Type: TypeIP}, Selection{Port: 443}, ports(true), Key{"10.0.0.a", 443}, ""},
		"IPOfNodeBeforeThePodHasIt": {"A hostNetwork pod without address gets its node's, so it holds its predecessor's target.", Group{Protocol: "TCP", Type: TypeIP}, Selection{Port: 443}, Pod{HostNetwork: true, Node: "a"}, Key{"10.0.0.a", 443}, ""},
		"IPOfHostPort":              {"A host port is reached at the node's address, not the pod's.", Group{Protocol: "TCP", Type: TypeIP}, hostPorts(named), func() Pod { p := ports(false, host(tcp, "")); p.IP = "172.16.0.9"; return p }(), Key{"10.0.0.a", 443}, ""},
		"IPOfHostIP":                {"A host port bound to one of the node's addresses is reached there.", Group{Protocol: "TCP", Type: TypeIP}, hostPorts(named), ports(false, host(tcp, "10.0.1.a")), Key{"10.0.1.a", 443}, ""},
		"IPNeedsNoInstance":         {"An ip target needs no EC2 instance id.", Group{Protocol: "TCP", Type: TypeIP}, Selection{Port: 443}, Pod{HostNetwork: true, Node: "metal", IP: "10.9.9.9"}, Key{"10.9.9.9", 443}, ""},
		"NoAddress":                 {"Without any address there is no ip target.", Group{Protocol: "TCP", Type: TypeIP}, Selection{Port: 443}, Pod{HostNetwork: true, Node: "metal"}, Key{}, `NoAddress: neither the pod nor node "metal" has an address yet`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := scene(node("a", func(n *Node) { n.Addresses = append(n.Addresses, "10.0.1.a") }), node("metal", func(n *Node) { n.InstanceID, n.Addresses = "", nil }))
			in.View.Selection = tc.selection
			got, skip := in.View.Resolve(tc.group, tc.pod)
			text := ""
			if skip != nil {
				text = string(skip.Rule) + ": " + skip.Reason
			}
			if diff := cmp.Diff([]any{tc.want, tc.skip}, []any{got, text}); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSkipped(t *testing.T) {
	refused := func(t *Target) {
		t.Presence, t.RefusedUntil, t.Refusal = Absent, noon.Add(1), "instance is not in the VPC"
	}
	in := scene(
		node("a"), pod("a", excluded),
		node("b"), pod("b"), input(func(in *Input) { in.View.NodeRefused = map[string]bool{"b": true} }),
		node("c", leaving), pod("c"),
		node("d", departing), pod("d"),
		node("e"), pod("e"), target("e", HealthUnread, refused),
		pod("x"),
		pod("y", func(p *Pod) { p.HostNetwork = false }),
		pod("z", func(p *Pod) { p.HostNetwork = false }, terminating),
		pod("f", failed, func(p *Pod) { p.HostNetwork = false }),
		node("g"), pod("g"),
	)
	var got []string
	for _, s := range NewPlan(in).Skipped {
		got = append(got, s.Pod.String()+" "+string(s.Rule)+": "+s.Reason)
	}
	want := []string{
		"edge/p-a PodExcluded: is excluded by annotation nlb.crossplane.io/exclude",
		`edge/p-b NodeNotSelected: nodeSelector does not select node "b"`,
		`edge/p-c NodeLeaving: node "c" is leaving (taint x)`,
		`edge/p-d NodeDeparting: node "d" is departing (label y) and its zone has other targets`,
		"edge/p-e RefusedByAWS: AWS refuses it: instance is not in the VPC",
		`edge/p-x NodeUnknown: node "x" is not known`,
		"edge/p-y NotHostNetwork: does not use hostNetwork",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Each pod that matches and is no target says why, pods that are going or over do not, and none blocks another.\n-want +got:\n%s", diff)
	}
}
