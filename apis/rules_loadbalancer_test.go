package apis_test

const balancerBase = `spec: {forProvider: {region: eu-west-1, subnetMappings: [{subnetId: subnet-0a}]}}`

const attributesMessage = "attributes must not name a key that has a field of its own: set that field"

var loadBalancerRules = []rule{
	lbRule("Region", "It is where it is.", `{}`, `{}`, `{region: eu-west-2}`, "region cannot be changed: create a new LoadBalancer in the other region"),
	lbRule("Name", "AWS cannot change it.", `{name: a}`, `{name: a}`, `{name: b}`, "name cannot be changed in AWS: create a new LoadBalancer with the other name"),
	lbRule("NameDropped", "A rule on the field itself would be skipped, and then any value could be set.", `{name: a}`, `{name: a}`, `{}`, "name cannot be changed in AWS: create a new LoadBalancer with the other name"),
	lbRule("Scheme", "AWS cannot change it.", `{scheme: internal}`, `{scheme: internal}`, `{scheme: internet-facing}`, "scheme cannot be changed in AWS: create a new LoadBalancer with the other scheme"),
	lbRule("SchemeDropped", "Any value could be set then.", `{scheme: internal}`, `{scheme: internal}`, `{}`, "scheme cannot be changed in AWS: create a new LoadBalancer with the other scheme"),
	lbRule("SecondaryIPs", "AWS never takes addresses back.", `{secondaryIpsPerSubnet: 2}`, `{secondaryIpsPerSubnet: 3}`, `{secondaryIpsPerSubnet: 1}`, "secondaryIpsPerSubnet can only grow in AWS: create a new LoadBalancer for fewer addresses"),
	lbRule("SecondaryIPsDropped", "AWS never takes addresses back.", `{secondaryIpsPerSubnet: 2}`, `{secondaryIpsPerSubnet: 2}`, `{}`, "secondaryIpsPerSubnet can only grow in AWS: create a new LoadBalancer for fewer addresses"),
	lbRule("Subnets", "Nothing can be created without.", "", `{}`, `{subnetMappings: null}`, "spec.forProvider.subnetMappings is required when managementPolicies allow Create or Update: name one subnet for each availability zone"),
	{name: "SubnetsObserved", reason: "Who creates nothing needs none.", kind: "LoadBalancer", accept: `spec: {managementPolicies: [Observe], forProvider: {subnetMappings: null}}`,
		refuse: `spec: {managementPolicies: [Observe, Update], forProvider: {subnetMappings: null}}`, message: "spec.forProvider.subnetMappings is required when managementPolicies allow Create or Update: name one subnet for each availability zone"},
	lbRule("AllocationID", "An internal one is not on the internet.", "", `{subnetMappings: [{subnetId: subnet-0a, allocationId: eipalloc-0a}]}`, `{scheme: internal, subnetMappings: [{subnetId: subnet-0a, allocationId: eipalloc-0a}]}`,
		"subnetMappings[].allocationId needs scheme internet-facing: an internal load balancer has no elastic IP addresses"),
	lbRule("PrivateAddress", "AWS lets it be chosen for internal ones only.", "", `{scheme: internal, subnetMappings: [{subnetId: subnet-0a, privateIPv4Address: 10.0.0.9}]}`, `{subnetMappings: [{subnetId: subnet-0a, privateIPv4Address: 10.0.0.9}]}`,
		"subnetMappings[].privateIPv4Address needs scheme internal"),
	lbRule("IPv6", "IPv4 has none.", "", `{ipAddressType: dualstack, subnetMappings: [{subnetId: subnet-0a, ipv6Address: "2001:db8::9"}]}`, `{subnetMappings: [{subnetId: subnet-0a, ipv6Address: "2001:db8::9"}]}`,
		"subnetMappings[].ipv6Address and sourceNatIpv6Prefix need ipAddressType dualstack"),
	lbRule("SourceNAT", "Each subnet needs a prefix.", "", `{ipAddressType: dualstack, enablePrefixForIpv6SourceNat: true, subnetMappings: [{subnetId: subnet-0a, sourceNatIpv6Prefix: auto_assigned}]}`,
		`{ipAddressType: dualstack, enablePrefixForIpv6SourceNat: true}`, "enablePrefixForIpv6SourceNat needs ipAddressType dualstack and a sourceNatIpv6Prefix in each of subnetMappings"),
	lbRule("InternalName", "AWS reserves it.", "", `{name: internal}`, `{name: internal-a}`, "name must not begin with internal-, which AWS reserves"),
	lbRule("Logs", "They must go somewhere.", "", `{accessLogs: {enabled: true, bucket: logs}}`, `{accessLogs: {enabled: true}}`, "accessLogs.bucket is required when accessLogs.enabled is true"),
	lbRule("AttributeWithField", "One fact has one place.", "", `{attributes: {hidden.key: a}}`, `{attributes: {zonal_shift.config.enabled: "true"}}`, attributesMessage),
	lbRule("TagKey", "AWS keeps aws: for itself.", "", `{tags: {team: edge}}`, `{tags: {"aws:team": edge}}`, tagMessage),
	lbRule("Selector", "It would select everything.", "", `{securityGroupIdSelector: {matchLabels: {a: b}}}`, `{securityGroupIdSelector: {}}`, "a selector needs matchLabels, matchControllerRef: true, or both"),
}

// ownField has a rule for each attribute that has a field.
// Source: ELBv2 API reference, LoadBalancerAttribute and TargetGroupAttribute.
func ownField(kind string, keys ...string) (out []rule) {
	for _, k := range keys {
		out = append(out, forProvider(kind, "Attribute "+k, "One fact has one place.", "", `{attributes: {`+k+`.else: a}}`, `{attributes: {`+k+`: a}}`, attributesMessage))
	}

	return out
}

var attributeRules = concat(
	ownField("LoadBalancer",
		"deletion_protection.enabled", "load_balancing.cross_zone.enabled", "access_logs.s3.enabled", "access_logs.s3.bucket", "access_logs.s3.prefix",
		"ipv6.deny_all_igw_traffic", "zonal_shift.config.enabled", "dns_record.client_routing_policy", "secondary_ips.auto_assigned.per_subnet"),
	ownField("TargetGroup",
		"deregistration_delay.timeout_seconds", "deregistration_delay.connection_termination.enabled", "load_balancing.cross_zone.enabled",
		"preserve_client_ip.enabled", "proxy_protocol_v2.enabled", "stickiness.enabled", "stickiness.type",
		"target_group_health.dns_failover.minimum_healthy_targets.count", "target_group_health.dns_failover.minimum_healthy_targets.percentage",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
		"target_health_state.unhealthy.connection_termination.enabled", "target_health_state.unhealthy.draining_interval_seconds"),
)

func lbRule(name, reason, old, accept, refuse, message string) rule {
	return forProvider("LoadBalancer", name, reason, old, accept, refuse, message)
}

// forProvider is a rule on parameters; old is empty for a new object.
func forProvider(kind, name, reason, old, accept, refuse, message string) rule {
	r := rule{name: name, reason: reason, kind: kind, accept: "spec: {forProvider: " + accept + "}", refuse: "spec: {forProvider: " + refuse + "}", message: message}
	if old != "" {
		r.old = "spec: {forProvider: " + old + "}"
	}

	return r
}
