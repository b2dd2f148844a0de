package apis_test

import (
	"fmt"
	"slices"
	"strings"
)

// edgeRules are cases at the edges of rules: each word of a rule has one that would
// notice if it were another.
var edgeRules = concat(
	halfAllowed(listenerRules, "NoLoadBalancer", "Port", "Protocol", "Forward"),
	halfAllowed(securityGroupRules, "VPCRequired", "DescriptionRequired"),
	halfAllowed(securityGroupRuleRules, "DirectionRequired", "NoSource", "NoGroup"),
	halfAllowed(targetGroupRequired, "protocolRequired", "portRequired", "vpcIdRequired"),
	longTagKeys("LoadBalancer", "Listener", "SecurityGroupRule"), listenerEdges, targetGroupEdges, protocolEdges, sourceEdges,
	[]rule{
		{
			name: "LongDefaultTagKey", reason: "AWS has a limit.", kind: "ProviderConfig", accept: "spec: {defaultTags: {" + strings.Repeat("k", 128) + ": v}}",
			refuse: "spec: {defaultTags: {" + strings.Repeat("k", 129) + ": v}}", message: tagMessage,
		},
		{
			name: "MaxUnavailableMany", reason: "1,000 targets are all of a group.", kind: "TargetGroupBinding", accept: of("departures: {maxUnavailable: 1000}"),
			refuse: of("departures: {maxUnavailable: 1001}"), message: maxMessage,
		},
		lbRule("NoGroupsAnyMore", "AWS never removes the last one; who leaves the field out does not manage them.", `{securityGroupIds: [sg-0a]}`, `{}`, `{securityGroupIds: []}`, noGroupsMessage),
		lbRule("OtherGroups", "A reference may name the next.", `{securityGroupIds: [sg-0a]}`, `{securityGroupIds: [], securityGroupIdRefs: [{name: a}]}`, `{securityGroupIds: []}`, noGroupsMessage),
		lbRule("SelectedGroups", "A selector may, too.", `{securityGroupIds: [sg-0a]}`, `{securityGroupIds: [], securityGroupIdSelector: {matchLabels: {a: b}}}`, `{securityGroupIds: []}`, noGroupsMessage),
		lbRule("GroupsStay", "They may change.", `{securityGroupIds: [sg-0a]}`, `{securityGroupIds: [sg-0b]}`, `{securityGroupIds: []}`, noGroupsMessage),
		lbRule("NoReferencesEither", "An empty list of references names no group.", `{securityGroupIds: [sg-0a]}`, `{securityGroupIds: null, securityGroupIdRefs: []}`, `{securityGroupIds: [], securityGroupIdRefs: []}`, noGroupsMessage),
		lbRule("NoReferencesAnyMore", "AWS keeps the groups, and would go on filtering.", `{securityGroupIdRefs: [{name: a}]}`, `{securityGroupIdRefs: null}`, `{securityGroupIdRefs: []}`, noReferencesMessage),
		lbRule("IDsForReferences", "Ids may name the next.", `{securityGroupIdRefs: [{name: a}]}`, `{securityGroupIdRefs: [], securityGroupIds: [sg-0a]}`, `{securityGroupIdRefs: [], securityGroupIds: []}`, noReferencesMessage),
		lbRule("SelectorForReferences", "A selector may, too.", `{securityGroupIdRefs: [{name: a}]}`, `{securityGroupIdRefs: [], securityGroupIdSelector: {matchLabels: {a: b}}}`, `{securityGroupIdRefs: []}`, noReferencesMessage),
		lbRule("NoGroupsYet", "None was declared before.", `{securityGroupIds: []}`, `{securityGroupIds: []}`, `{region: eu-west-2}`, "region cannot be changed: create a new LoadBalancer in the other region"),
		lbRule("SelectorWithoutLabels", "It would select everything.", "", `{securityGroupIdSelector: {matchControllerRef: true}}`, `{securityGroupIdSelector: {matchLabels: {}}}`, selectorMessage),
	},
)

const noGroupsMessage = "securityGroupIds cannot become empty: AWS never removes the last security group of a load balancer; create a new LoadBalancer without, or remove the field to leave them as they are"

const noReferencesMessage = "securityGroupIdRefs cannot become empty: AWS never removes the last security group of a load balancer; create a new LoadBalancer without, or remove the field to leave them as they are"

// halfAllowed are rules about what is required, where the policies allow only to create,
// or only to update.
func halfAllowed(from []rule, names ...string) (out []rule) {
	for _, name := range names {
		i := slices.IndexFunc(from, func(r rule) bool { return r.name == name })
		if i < 0 {
			panic("there is no rule " + name)
		}

		for _, policy := range []string{"Create", "Update"} {
			r := from[i]
			r.name, r.reason, r.accept = r.name+policy, "Both need it.", fmt.Sprintf("spec: {managementPolicies: [Observe, %s]}", policy)
			r.refuse = strings.Replace(r.refuse, "spec: {", fmt.Sprintf("spec: {managementPolicies: [Observe, %s], ", policy), 1)
			out = append(out, r)
		}
	}

	return out
}

func longTagKeys(kinds ...string) (out []rule) {
	for _, kind := range kinds {
		out = append(out, forProvider(kind, "LongTagKey", "AWS has a limit.", "", "{tags: {"+strings.Repeat("k", 128)+": v}}", "{tags: {"+strings.Repeat("k", 129)+": v}}", tagMessage))
	}

	return out
}

var listenerEdges = []rule{
	liRule("OtherWayToName", "A reference may name the same load balancer.", `{loadBalancerArnRef: null, loadBalancerArn: `+balancerARN+`}`, `{}`,
		`{loadBalancerArnRef: null, loadBalancerArn: `+otherARN+`}`, "loadBalancerArn cannot be changed in AWS: create a new Listener on the other load balancer"),
	liRule("IdleTimeoutOfBoth", "It has TCP.", "", `{protocol: TCP_UDP, tcpIdleTimeoutSeconds: 60}`, `{protocol: TLS, tcpIdleTimeoutSeconds: 60, `+certificates+`}`,
		"tcpIdleTimeoutSeconds needs protocol TCP, TCP_UDP or TCP_QUIC: AWS fixes it for TLS (350 s) and UDP (120 s)"),
	liRule("SelectorWithoutLabels", "It would select everything.", "", `{loadBalancerArnRef: null, loadBalancerArnSelector: {matchLabels: {a: b}}}`,
		`{loadBalancerArnRef: null, loadBalancerArnSelector: {matchLabels: {}}}`, selectorMessage),
	liRule("ForwardSelectorWithoutLabels", "It would select everything.", "", `{forward: {targetGroups: [{targetGroupArnSelector: {matchControllerRef: true}}]}}`,
		`{forward: {targetGroups: [{targetGroupArnSelector: {matchLabels: {}}}]}}`, selectorMessage),
	liRule("ForwardSelectorOfNothing", "It would select everything.", "", `{}`, `{forward: {targetGroups: [{targetGroupArnSelector: {}}]}}`, selectorMessage),
	liRule("RuleSelectorWithoutLabels", "It would select everything.", "",
		`{rules: [{priority: 1, sourceIpAddressType: ipv4, forward: {targetGroups: [{targetGroupArnSelector: {matchLabels: {a: b}}}]}}]}`,
		`{rules: [{priority: 1, sourceIpAddressType: ipv4, forward: {targetGroups: [{targetGroupArnSelector: {matchLabels: {}}}]}}]}`, selectorMessage),
}

var targetGroupEdges = []rule{
	forProvider("TargetGroup", "HealthCheckPortOfBoth", "TCP of the traffic port says nothing of its UDP.", "", `{protocol: TCP_UDP, healthCheck: {port: "53"}}`, `{protocol: TCP_UDP}`, checkMessage),
	forProvider("TargetGroup", "HealthCheckMatcherHTTP", "HTTP has response codes, too.", "", `{healthCheck: {protocol: HTTP, matcher: "200"}}`, `{healthCheck: {matcher: "200"}}`,
		"healthCheck.matcher needs healthCheck.protocol HTTP or HTTPS: a TCP check has no response code"),
	forProvider("TargetGroup", "HealthCheckTimeoutAlone", "AWS's default of the other applies.", "", `{healthCheck: {timeoutSeconds: 29}}`, `{healthCheck: {intervalSeconds: 5, timeoutSeconds: 6}}`,
		"healthCheck.timeoutSeconds must not be larger than healthCheck.intervalSeconds"),
	forProvider("TargetGroup", "UnhealthyTerminationOfUDP", "UDP has no connections to end.", "", `{unhealthyTargets: {connectionTermination: true}}`,
		`{protocol: UDP, healthCheck: {port: "80"}, unhealthyTargets: {connectionTermination: true}}`, "unhealthyTargets.connectionTermination cannot be true for protocols UDP and TCP_UDP"),
	{
		name: "UnhealthyTerminationOfUnknown", reason: "Who observes need not know the protocol.", kind: "TargetGroup",
		accept: `spec: {managementPolicies: [Observe], forProvider: {protocol: null, port: null, vpcId: null, unhealthyTargets: {connectionTermination: true}}}`,
		refuse: `spec: {forProvider: {protocol: TCP_UDP, healthCheck: {port: "80"}, unhealthyTargets: {connectionTermination: true}}}`, message: "unhealthyTargets.connectionTermination cannot be true for protocols UDP and TCP_UDP",
	},
}

// protocolEdges has each word for a protocol in each rule about ports.
var protocolEdges = func() (out []rule) {
	add := func(name, reason, accept, refuse, message string) {
		out = append(out, forProvider("SecurityGroupRule", name, reason, "", "{"+accept+"}", "{"+refuse+"}", message))
	}

	for _, p := range []string{"udp", `"6"`, `"17"`} {
		add("PortsRequired"+p, "All ports would be an accident.", "protocol: "+p, "protocol: "+p+", fromPort: null, toPort: null", "fromPort and toPort are required for tcp and udp")
	}

	for _, p := range []string{"icmp", "icmpv6", `"1"`, `"58"`} {
		add("TypeAndCode"+p, "They are no range.", "protocol: "+p+", fromPort: 8, toPort: 0", "fromPort: 8, toPort: 0", "fromPort must not be larger than toPort")
	}

	for _, p := range []string{"udp", "icmp", "icmpv6", `"6"`, `"17"`, `"1"`, `"58"`} {
		add("PortsOf"+p, "It has ports, or types and codes.", "protocol: "+p, `protocol: "47"`,
			"protocol -1 and protocols other than tcp, udp, icmp and icmpv6 mean all ports: remove fromPort and toPort")
	}

	return out
}()

// sourceEdges changes each kind of source to another.
var sourceEdges = func() (out []rule) {
	kinds := []string{`cidrIpv4: 10.0.0.0/8`, `cidrIpv6: "::/0"`, `prefixListId: pl-0a`, `referencedSecurityGroupId: sg-0b`,
		`referencedSecurityGroupIdRef: {name: a}`, `referencedSecurityGroupIdSelector: {matchLabels: {a: b}}`}
	only := func(kind string) string {
		if kind == kinds[0] {
			return "{}"
		}

		return "{cidrIpv4: null, " + kind + "}"
	}

	for i, was := range kinds {
		for j, is := range kinds {
			if i == j || i > 2 && j > 2 {
				continue // A security group may be named in another way.
			}

			out = append(out, forProvider("SecurityGroupRule", fmt.Sprintf("SourceFrom%dTo%d", i, j), "AWS changes the value, but not the kind.", only(was), only(was), only(is), sourceMessage))
		}
	}

	return append(out, forProvider("SecurityGroupRule", "SourceSelectorWithoutLabels", "It would select everything.", "", `{cidrIpv4: null, referencedSecurityGroupIdSelector: {matchControllerRef: true}}`,
		`{cidrIpv4: null, referencedSecurityGroupIdSelector: {matchLabels: {}}}`, selectorMessage),
		forProvider("SecurityGroupRule", "GroupSelectorOfNothing", "It would select everything.", "", `{securityGroupId: null, securityGroupIdSelector: {matchLabels: {a: b}}}`,
			`{securityGroupId: null, securityGroupIdSelector: {}}`, selectorMessage))
}()
