package awssim

type xmlListener struct {
	ListenerArn, LoadBalancerArn string
	Port                         int
	Protocol                     string
	Certificates                 *members[xmlCertificate] `xml:",omitempty"`
	SslPolicy                    string                   `xml:",omitempty"`
	AlpnPolicy                   *members[string]         `xml:",omitempty"`
	DefaultActions               members[xmlAction]
}

type xmlListeners struct {
	Listeners  members[xmlListener]
	NextMarker string `xml:",omitempty"`
}

func listenerList(listeners ...*listener) xmlListeners {
	var out xmlListeners
	for _, l := range listeners {
		x := xmlListener{
			ListenerArn: l.arn, LoadBalancerArn: l.lb.arn, Port: l.port, Protocol: l.protocol, SslPolicy: l.policy,
			DefaultActions: l.forward.list(),
		}
		if l.certificate != "" {
			x.Certificates = &members[xmlCertificate]{[]xmlCertificate{{CertificateArn: l.certificate}}}
		}
		if l.alpn != "" {
			x.AlpnPolicy = &members[string]{[]string{l.alpn}}
		}
		out.Listeners.Member = append(out.Listeners.Member, x)
	}
	return out
}
