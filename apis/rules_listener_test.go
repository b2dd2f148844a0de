package apis_test

const (
	balancerARN  = `"arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/edge/0a"`
	otherARN     = `"arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/other/0b"`
	listenerBase = `spec: {forProvider: {region: eu-west-1, loadBalancerArnRef: {name: edge}, port: 443, protocol: TCP, forward: {targetGroups: [{targetGroupArnRef: {name: edge}}]}}}`
	certificates = `certificateArns: ["arn:aws:acm:eu-west-1:123456789012:certificate/a"]`

	oneBalancerMessage = "name the load balancer in exactly one way: loadBalancerArn, loadBalancerArnRef or loadBalancerArnSelector"
	oneForwardMessage  = "name the target group in exactly one way: targetGroupArn, targetGroupArnRef or targetGroupArnSelector"
)

var listenerRules = []rule{
	liRule("Region", "It is where it is.", `{}`, `{}`, `{region: eu-west-2}`, "region cannot be changed: create a new Listener in the other region"),
	{name: "NoLoadBalancer", reason: "A listener is on one; an ARN tells which.", kind: "Listener", accept: `spec: {managementPolicies: [Observe], forProvider: {loadBalancerArnRef: null}}`,
		refuse: `spec: {forProvider: {loadBalancerArnRef: null}}`, message: oneBalancerMessage},
	liRule("TwoLoadBalancers", "A listener is on one.", "", `{loadBalancerArnRef: null, loadBalancerArnSelector: {matchLabels: {a: b}}}`, `{loadBalancerArn: `+balancerARN+`}`, oneBalancerMessage),
	liRule("OtherLoadBalancer", "AWS cannot change it.", `{loadBalancerArnRef: null, loadBalancerArn: `+balancerARN+`}`, `{loadBalancerArnRef: null, loadBalancerArn: `+balancerARN+`}`, `{loadBalancerArnRef: null, loadBalancerArn: `+otherARN+`}`,
		"loadBalancerArn cannot be changed in AWS: create a new Listener on the other load balancer"),
	liRule("Certificates", "TCP has none.", "", `{protocol: TLS, `+certificates+`}`, `{`+certificates+`}`, "certificateArns need protocol TLS"),
	liRule("NoCertificates", "TLS needs one.", "", `{protocol: TLS, `+certificates+`}`, `{protocol: TLS}`, "protocol TLS needs certificateArns: the first is the default certificate"),
	liRule("SSLPolicy", "TCP has none.", "", `{protocol: TLS, sslPolicy: a, `+certificates+`}`, `{sslPolicy: a}`, "sslPolicy needs protocol TLS"),
	liRule("ALPNPolicy", "TCP has none.", "", `{protocol: TLS, alpnPolicy: None, `+certificates+`}`, `{alpnPolicy: None}`, "alpnPolicy needs protocol TLS"),
	liRule("IdleTimeout", "AWS fixes it.", "", `{tcpIdleTimeoutSeconds: 60}`, `{protocol: UDP, tcpIdleTimeoutSeconds: 60}`, "tcpIdleTimeoutSeconds needs protocol TCP, TCP_UDP or TCP_QUIC: AWS fixes it for TLS (350 s) and UDP (120 s)"),
	liRule("Port", "Nothing can be created without.", "", `{}`, `{port: null}`, "spec.forProvider.port is required when managementPolicies allow Create or Update: set it to the port that clients connect to"),
	liRule("Protocol", "Nothing can be created without.", "", `{}`, `{protocol: null}`, "spec.forProvider.protocol is required when managementPolicies allow Create or Update: set it to TCP, TLS, UDP, TCP_UDP, QUIC or TCP_QUIC"),
	{name: "Forward", reason: "Who creates nothing needs none.", kind: "Listener", accept: `spec: {managementPolicies: [Observe], forProvider: {port: null, protocol: null, forward: null}}`,
		refuse: `spec: {forProvider: {forward: null}}`, message: "spec.forProvider.forward is required when managementPolicies allow Create or Update: name the target group that traffic goes to"},
	liRule("NoGroup", "Traffic goes somewhere.", "", `{forward: {targetGroups: [{targetGroupArnSelector: {matchLabels: {a: b}}, weight: 1}]}}`, `{forward: {targetGroups: [{weight: 1}]}}`, oneForwardMessage),
	liRule("RuleGroup", "Traffic goes somewhere.", "", `{rules: [{priority: 1, sourceIpAddressType: ipv4, forward: {targetGroups: [{targetGroupArnRef: {name: a}}]}}]}`, `{rules: [{priority: 1, sourceIpAddressType: ipv4, forward: {targetGroups: [{}]}}]}`, oneForwardMessage),
	liRule("Selector", "It would select everything.", "", `{loadBalancerArnRef: null, loadBalancerArnSelector: {matchControllerRef: true}}`, `{loadBalancerArnRef: null, loadBalancerArnSelector: {}}`, "a selector needs matchLabels, matchControllerRef: true, or both"),
	liRule("ForwardSelector", "It would select everything.", "", `{forward: {targetGroups: [{targetGroupArnSelector: {matchLabels: {a: b}}}]}}`, `{forward: {targetGroups: [{targetGroupArnSelector: {matchControllerRef: false}}]}}`, selectorMessage),
	liRule("RuleSelector", "It would select everything.", "", `{rules: [{priority: 1, sourceIpAddressType: ipv4, forward: {targetGroups: [{targetGroupArnSelector: {matchControllerRef: true}}]}}]}`,
		`{rules: [{priority: 1, sourceIpAddressType: ipv4, forward: {targetGroups: [{targetGroupArnSelector: {}}]}}]}`, selectorMessage),
	liRule("TagKey", "AWS keeps aws: for itself.", "", `{tags: {team: edge}}`, `{tags: {"aws:team": edge}}`, tagMessage),
}

func liRule(name, reason, old, accept, refuse, message string) rule {
	return forProvider("Listener", name, reason, old, accept, refuse, message)
}
