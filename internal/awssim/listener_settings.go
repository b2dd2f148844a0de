package awssim

import "slices"

// The rules of CreateListener and ModifyListener for Network Load Balancers:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/create-tls-listener.html

// defaultPolicy is the one that the API gives; the console has another.
const defaultPolicy = "ELBSecurityPolicy-2016-08"

var alpnPolicies = []string{"HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"}

// readListener reads a listener's settings over those it had; the zero value
// means that there was none.
func (c *call) readListener(was listenerSettings) (listenerSettings, error) {
	s := was
	s.protocol, s.port = or(c.str("Protocol"), was.protocol), c.num("Port", was.port)
	var err error
	if s.forward.groups == nil || given(c.form, "DefaultActions") || c.has("DefaultActions") {
		if s.forward, err = c.readForward("DefaultActions"); err != nil {
			return s, err
		}
	}
	switch {
	case s.protocol == "":
		return s, invalid("A listener protocol must be specified")
	case s.port == 0:
		return s, invalid("A listener port must be specified")
	case !slices.Contains(networkProtocols, s.protocol):
		// Quoted in pulumi/pulumi-aws#1193.
		return s, invalid("Listener protocol '%s' must be one of '%s'", s.protocol, protocolNames())
	case c.has("MutualAuthentication.Mode") || c.has("MutualAuthentication.TrustStoreArn"):
		return s, misconfigured("Mutual authentication is not supported for load balancers with type 'network'")
	}
	err = c.readTLS(&s, was)
	return s, err
}

// readTLS reads what only TLS listeners have. A listener that changes to TLS must
// be given a certificate and a policy; one that changes from TLS loses both.
func (c *call) readTLS(s *listenerSettings, was listenerSettings) error {
	certificate, err := c.readCertificate()
	if err != nil {
		return err
	}
	if err := c.checkCertificate(certificate); err != nil {
		return err
	}
	policy, alpn := c.str("SslPolicy"), c.list("AlpnPolicy.member")
	if s.protocol != "TLS" {
		s.certificate, s.policy, s.alpn = "", "", ""
		switch {
		case certificate != "":
			return invalid("A certificate cannot be specified for %s listeners", s.protocol)
		case policy != "":
			return invalid("An SSL policy cannot be specified for %s listeners", s.protocol)
		case len(alpn) > 0 && !slices.Equal(alpn, []string{"None"}):
			return invalid("An ALPN policy cannot be specified for %s listeners", s.protocol)
		}
		return nil
	}
	switch {
	case len(alpn) > 1:
		return invalid("Only one ALPN policy can be specified")
	case len(alpn) == 1 && !slices.Contains(alpnPolicies, alpn[0]):
		return refuse("ALPNPolicyNotFound", "ALPN policy '%s' is not supported", alpn[0])
	case len(alpn) == 1:
		s.alpn = alpn[0]
	}
	if s.certificate = or(certificate, was.certificate); s.certificate == "" {
		return invalid("A certificate must be specified for TLS listeners")
	}
	if was.protocol != "" && was.protocol != "TLS" && policy == "" {
		return invalid("An SSL policy must be specified when the protocol is changed to TLS")
	}
	s.policy = or(policy, was.policy, defaultPolicy)
	if !slices.Contains(sslPolicies, s.policy) {
		return refuse("SSLPolicyNotFound", "SSL policy '%s' not found", s.policy)
	}
	return nil
}

// checkListener applies what a listener asks of its target groups and of its
// load balancer.
func (c *call) checkListener(l *listener) error {
	if l.protocol == "TLS" && l.lb.capacity.units > 0 {
		return misconfigured("TLS listeners are not supported for Network Load Balancers with a capacity reservation")
	}
	if err := c.checkForward(l, l.forward); err != nil {
		return err
	}
	for _, r := range l.rules {
		if err := c.checkRule(l, r); err != nil {
			return err
		}
	}
	return c.checkAgainst(l.lb.network, l)
}

// checkAgainst applies what a listener and a load balancer's network ask of each
// other. AWS's pages contradict each other on UDP: this is the newer one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/create-listener.html
func (c *call) checkAgainst(n network, l *listener) error {
	dual := n.addressType == "dualstack"
	groups, err := c.groupsOf(l.forward)
	if err != nil {
		return err
	}
	v6 := func(g *targetGroup) bool { return g.settings.addressType == "ipv6" }
	for _, r := range l.rules {
		if more, err := c.groupsOf(r.forward); err == nil && !dual {
			groups = append(groups, more...)
		}
	}
	switch {
	case dual && isQUIC(l.protocol):
		return misconfigured("The protocol '%s' is not supported for dualstack load balancers", l.protocol)
	case !dual && slices.ContainsFunc(groups, v6):
		return misconfigured("Target groups with IP address type 'ipv6' require a dualstack load balancer")
	case !dual && len(l.rules) > 0:
		return misconfigured("Listener rules require a dualstack load balancer")
	case dual && isUDP(l.protocol) && n.sourceNAT != "on":
		return misconfigured("%s listeners of dualstack load balancers require prefixes for IPv6 source NAT", l.protocol)
	case dual && isUDP(l.protocol) && count(groups, v6) < len(groups):
		return misconfigured("%s listeners of dualstack load balancers require target groups with IP address type 'ipv6'", l.protocol)
	}
	return nil
}
