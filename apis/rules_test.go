package apis_test

import (
	"strings"

	"github.com/provider-nlb/provider-nlb/internal/crdtest"
)

// A rule of the API, with one object that it accepts and one that it refuses.
// Patches are merged into the kind's base; with old, the object is an update of
// the base with old merged into it.
type rule struct {
	name, reason string
	kind         string
	// scope is "namespaced", "cluster" or empty for both.
	scope               string
	old, accept, refuse string
	message             string
}

func (r rule) applies(c crdtest.CRD) bool {
	kind := c.Spec.Names.Kind
	if r.kind == "ProviderConfig" && kind == "ClusterProviderConfig" {
		kind = "ProviderConfig"
	}

	return r.kind == kind && (r.scope == "" || r.scope == "namespaced" == c.Namespaced())
}

const (
	groupBase   = `spec: {forProvider: {region: eu-west-1, protocol: TCP, port: 443, vpcId: vpc-0a}}`
	bindingBase = `spec: {forProvider: {region: eu-west-1, targetGroupArnRef: {name: edge}, podSelector: {labelSelector: {}, port: 443}}}`
	clusterBase = `spec: {forProvider: {region: eu-west-1, targetGroupArnRef: {name: edge}, podSelector: {namespace: shop, labelSelector: {}, port: 443}}}`
	configBase  = `spec: {credentials: {source: IRSA}}`
)

// bases are objects that are accepted.
var bases = map[string]string{
	"TargetGroup": groupBase, "cluster TargetGroup": groupBase,
	"LoadBalancer": balancerBase, "cluster LoadBalancer": balancerBase, "Listener": listenerBase, "cluster Listener": listenerBase,
	"TargetGroupBinding": bindingBase, "cluster TargetGroupBinding": clusterBase,
	"SecurityGroup": securityGroupBase, "cluster SecurityGroup": securityGroupBase,
	"SecurityGroupRule": securityGroupRuleBase, "cluster SecurityGroupRule": securityGroupRuleBase,
	"ProviderConfig": configBase, "cluster ProviderConfig": configBase, "cluster ClusterProviderConfig": configBase,
}

const observeOnly = `spec: {managementPolicies: [Observe], forProvider: {protocol: null, port: null, vpcId: null}}`

const (
	tagMessage      = "a tag key has at most 128 characters and must not begin with aws:, which AWS reserves"
	oneGroupMessage = "name the target group in exactly one way: targetGroupArn, targetGroupArnRef, targetGroupArnSelector, targetGroupName or targetGroupTags"
	podsMessage     = "select the pods in exactly one way: serviceRef or podSelector"
	maxMessage      = "departures.maxUnavailable is a number from 1 to 1000 or a percentage from 1% to 100%"
	podPortMessage  = "podSelector.port is a number from 1 to 65535, without quotes, or the name of a container's port"
	checkMessage    = "healthCheck.port is required for protocols UDP, TCP_UDP, QUIC and TCP_QUIC: AWS checks over TCP, so name a port on which the target answers TCP, HTTP or HTTPS"
)

const servicePortMessage = "serviceRef.port is a number from 1 to 65535, or the name of a port of the Service"

// immutable is the rule of a field that AWS cannot change: it may be declared
// later, but neither changed nor taken back.
func immutable(field, value, other, message string) []rule {
	p := func(v string) string { return "spec: {forProvider: {" + field + ": " + v + "}}" }

	return []rule{
		{name: field + "Changed", reason: "AWS cannot change it.", kind: "TargetGroup", old: p(value), accept: p(value), refuse: p(other), message: message},
	}
}

// dropped is the same for a field that is optional in the schema.
func dropped(field, value, message string) []rule {
	p := func(v string) string { return "spec: {forProvider: {" + field + ": " + v + "}}" }

	return []rule{
		{
			name: field + "Dropped", reason: "A rule on the field itself would be skipped, and then any value could be set.",
			kind: "TargetGroup", old: p(value), accept: p(value), refuse: p("null"), message: message,
		},
		{
			name: field + "Late", reason: "An adopted group may be declared field by field.",
			kind: "TargetGroup", old: p("null"), accept: p(value), refuse: `spec: {forProvider: {region: eu-west-2}}`,
			message: "region cannot be changed: create a new TargetGroup in the other region",
		},
	}
}

func required(field, message string) rule {
	return rule{
		name: field + "Required", reason: "It is required unless nothing is created or updated.", kind: "TargetGroup",
		accept: observeOnly, refuse: "spec: {forProvider: {" + field + ": null}}", message: message,
	}
}

func concat(groups ...[]rule) (out []rule) {
	for _, g := range groups {
		out = append(out, g...)
	}

	return out
}

var targetGroupRequired = []rule{
	required("protocol", "spec.forProvider.protocol is required when managementPolicies allow Create or Update: set it to TCP, TLS, UDP, TCP_UDP, QUIC or TCP_QUIC"),
	required("port", "spec.forProvider.port is required when managementPolicies allow Create or Update: set it to the port that targets receive traffic on by default"),
	required("vpcId", "spec.forProvider.vpcId is required when managementPolicies allow Create or Update: set it to the VPC of the targets"),
}

var rules = concat(
	loadBalancerRules, listenerRules, attributeRules,
	securityGroupRules, securityGroupRuleRules, targetGroupRequired, edgeRules, policyRules,
	immutable("region", "eu-west-1", "eu-west-2", "region cannot be changed: create a new TargetGroup in the other region"),
	immutable("name", "a", "b", "name cannot be changed in AWS: create a new TargetGroup with the other name"),
	immutable("protocol", "TCP", "TLS", "protocol cannot be changed in AWS: create a new TargetGroup with the other protocol"),
	immutable("port", "443", "80", "port cannot be changed in AWS: create a new TargetGroup with the other port"),
	immutable("vpcId", "vpc-0a", "vpc-0b", "vpcId cannot be changed in AWS: create a new TargetGroup in the other VPC"),
	immutable("targetType", "instance", "ip", "targetType cannot be changed in AWS: create a new TargetGroup with the other target type"),
	immutable("ipAddressType", "ipv4", "ipv6", "ipAddressType cannot be changed in AWS: create a new TargetGroup with the other address type"),
	dropped("name", "a", "name cannot be changed in AWS: create a new TargetGroup with the other name"),
	dropped("targetType", "instance", "targetType cannot be changed in AWS: create a new TargetGroup with the other target type"),
	dropped("ipAddressType", "ipv4", "ipAddressType cannot be changed in AWS: create a new TargetGroup with the other address type"),
	[]rule{
		{name: "HealthCheckPort", reason: "AWS cannot check UDP.", kind: "TargetGroup", accept: `spec: {forProvider: {protocol: UDP, healthCheck: {port: "8080"}}}`, refuse: `spec: {forProvider: {protocol: UDP}}`, message: checkMessage},
		{name: "HealthCheckTrafficPort", reason: "The traffic port speaks UDP.", kind: "TargetGroup", accept: `spec: {forProvider: {healthCheck: {port: traffic-port}}}`, refuse: `spec: {forProvider: {protocol: QUIC, healthCheck: {port: traffic-port}}}`, message: checkMessage},
		{name: "HealthCheckPath", reason: "A TCP check has no path.", kind: "TargetGroup", accept: `spec: {forProvider: {healthCheck: {protocol: HTTP, path: /}}}`, refuse: `spec: {forProvider: {healthCheck: {path: /}}}`, message: "healthCheck.path needs healthCheck.protocol HTTP or HTTPS: a TCP check has no path"},
		{name: "HealthCheckMatcher", reason: "A TCP check has no code.", kind: "TargetGroup", accept: `spec: {forProvider: {healthCheck: {protocol: HTTPS, matcher: "200"}}}`, refuse: `spec: {forProvider: {healthCheck: {protocol: TCP, matcher: "200"}}}`, message: "healthCheck.matcher needs healthCheck.protocol HTTP or HTTPS: a TCP check has no response code"},
		{name: "HealthCheckTimeout", reason: "AWS refuses it.", kind: "TargetGroup", accept: `spec: {forProvider: {healthCheck: {intervalSeconds: 10, timeoutSeconds: 10}}}`, refuse: `spec: {forProvider: {healthCheck: {intervalSeconds: 10, timeoutSeconds: 11}}}`, message: "healthCheck.timeoutSeconds must not be larger than healthCheck.intervalSeconds"},
		{name: "TagKey", reason: "AWS keeps aws: for itself.", kind: "TargetGroup", accept: `spec: {forProvider: {tags: {team: edge}}}`, refuse: `spec: {forProvider: {tags: {"aws:team": edge}}}`, message: tagMessage},
		{name: "LongTagKey", reason: "AWS has a limit.", kind: "TargetGroup", accept: `spec: {forProvider: {tags: {` + strings.Repeat("k", 128) + `: v}}}`, refuse: `spec: {forProvider: {tags: {` + strings.Repeat("k", 129) + `: v}}}`, message: tagMessage},
		{name: "ClientIP", reason: "AWS refuses it, and a listener would wait for the group.", kind: "TargetGroup", accept: `spec: {forProvider: {preserveClientIp: false}}`, refuse: `spec: {forProvider: {protocol: UDP, healthCheck: {port: "80"}, preserveClientIp: false}}`, message: "preserveClientIp cannot be false for protocols UDP and TCP_UDP: AWS always preserves the address there"},
		{name: "UnhealthyTermination", reason: "UDP has no connections to end.", kind: "TargetGroup", accept: `spec: {forProvider: {protocol: TCP_UDP, healthCheck: {port: "80"}, unhealthyTargets: {connectionTermination: false}}}`, refuse: `spec: {forProvider: {protocol: TCP_UDP, healthCheck: {port: "80"}, unhealthyTargets: {connectionTermination: true}}}`, message: "unhealthyTargets.connectionTermination cannot be true for protocols UDP and TCP_UDP"},
		{name: "UnhealthyDraining", reason: "Connections that are ended do not drain.", kind: "TargetGroup", accept: `spec: {forProvider: {unhealthyTargets: {connectionTermination: false, drainingIntervalSeconds: 5}}}`, refuse: `spec: {forProvider: {unhealthyTargets: {drainingIntervalSeconds: 5}}}`, message: "unhealthyTargets.drainingIntervalSeconds needs connectionTermination: false"},
		{name: "RoutingCount", reason: "Only DNS failover can be off.", kind: "TargetGroup", accept: `spec: {forProvider: {targetGroupHealth: {dnsFailover: {minimumCount: "off"}, unhealthyStateRouting: {minimumPercentage: "off"}}}}`, refuse: `spec: {forProvider: {targetGroupHealth: {unhealthyStateRouting: {minimumCount: "off"}}}}`, message: "targetGroupHealth.unhealthyStateRouting.minimumCount must be a number: AWS cannot turn it off"},
		{name: "AttributeWithField", reason: "One fact has one place.", kind: "TargetGroup", accept: `spec: {forProvider: {attributes: {hidden.key: a}}}`, refuse: `spec: {forProvider: {attributes: {stickiness.enabled: "true"}}}`, message: "attributes must not name a key that has a field of its own: set that field"},

		{name: "Region", reason: "Its group is where it is.", kind: "TargetGroupBinding", old: `spec: {}`, accept: ``, refuse: `spec: {forProvider: {region: eu-west-2}}`, message: "region cannot be changed: create a new TargetGroupBinding for the other region"},
		{name: "NoGroup", reason: "Something must be bound.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {targetGroupArnRef: null, targetGroupName: edge}}`, refuse: `spec: {forProvider: {targetGroupArnRef: null}}`, message: oneGroupMessage},
		{name: "TwoGroups", reason: "Only one can be bound.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {targetGroupArnRef: null, targetGroupTags: {a: b}}}`, refuse: `spec: {forProvider: {targetGroupTags: {a: b}}}`, message: oneGroupMessage},
		{name: "TwoPods", reason: "They could contradict each other.", kind: "TargetGroupBinding", scope: "namespaced", accept: `spec: {forProvider: {podSelector: null, serviceRef: {name: a, port: 1}}}`, refuse: `spec: {forProvider: {serviceRef: {name: a, port: 1}}}`, message: podsMessage},
		{name: "NoPods", reason: "Something must be selected.", kind: "TargetGroupBinding", accept: ``, refuse: `spec: {forProvider: {podSelector: null}}`, message: podsMessage},
		{name: "MaxUnavailable", reason: "0 would stop everything.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {departures: {maxUnavailable: 1}}}`, refuse: `spec: {forProvider: {departures: {maxUnavailable: 0}}}`, message: maxMessage},
		{name: "MaxUnavailablePercent", reason: "More than all is a mistake.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {departures: {maxUnavailable: 100%}}}`, refuse: `spec: {forProvider: {departures: {maxUnavailable: 101%}}}`, message: maxMessage},
		{name: "EmptySelector", reason: "It would select everything.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {targetGroupArnRef: null, targetGroupArnSelector: {matchLabels: {a: b}}}}`, refuse: `spec: {forProvider: {targetGroupArnRef: null, targetGroupArnSelector: {matchLabels: {}}}}`, message: "a selector needs matchLabels, matchControllerRef: true, or both"},
		{name: "FalseSelector", reason: "It would select everything.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {targetGroupArnRef: null, targetGroupArnSelector: {matchControllerRef: true}}}`, refuse: `spec: {forProvider: {targetGroupArnRef: null, targetGroupArnSelector: {matchControllerRef: false}}}`, message: "a selector needs matchLabels, matchControllerRef: true, or both"},
		{name: "PodPort", reason: "No process listens there.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {podSelector: {port: 65535}}}`, refuse: `spec: {forProvider: {podSelector: {port: 65536}}}`, message: podPortMessage},
		{name: "PodPortZero", reason: "No process listens there.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {podSelector: {port: 1}}}`, refuse: `spec: {forProvider: {podSelector: {port: 0}}}`, message: podPortMessage},
		{name: "PodPortInQuotes", reason: "No container port can have that name.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {podSelector: {port: p8443}}}`, refuse: `spec: {forProvider: {podSelector: {port: "8443"}}}`, message: podPortMessage},
		{name: "ServicePort", reason: "No Service has it.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {podSelector: null, serviceRef: {name: a, namespace: null, port: https}}}`, scope: "namespaced", refuse: `spec: {forProvider: {podSelector: null, serviceRef: {name: a, port: 0}}}`, message: servicePortMessage},
		{name: "ClusterServicePort", reason: "No Service has it. Its name may be a number.", kind: "TargetGroupBinding", accept: `spec: {forProvider: {podSelector: null, serviceRef: {name: a, namespace: b, port: "443"}}}`, scope: "cluster", refuse: `spec: {forProvider: {podSelector: null, serviceRef: {name: a, namespace: b, port: 65536}}}`, message: servicePortMessage},
		{name: "ServiceNamespace", reason: "A tenant sees only its own namespace.", kind: "TargetGroupBinding", scope: "namespaced", accept: `spec: {forProvider: {podSelector: null, serviceRef: {name: a, port: 1}}}`, refuse: `spec: {forProvider: {podSelector: null, serviceRef: {name: a, port: 1, namespace: b}}}`, message: "spec.forProvider.serviceRef.namespace is not for the namespaced kind: it looks in its own namespace; remove it, or use the cluster-scoped kind of group nlb.crossplane.io"},
		{name: "PodNamespace", reason: "A tenant sees only its own namespace.", kind: "TargetGroupBinding", scope: "namespaced", accept: ``, refuse: `spec: {forProvider: {podSelector: {namespace: b}}}`, message: "spec.forProvider.podSelector.namespace is not for the namespaced kind: it looks in its own namespace; remove it, or use the cluster-scoped kind of group nlb.crossplane.io"},
		{name: "ServiceNamespaceRequired", reason: "The object has none.", kind: "TargetGroupBinding", scope: "cluster", accept: `spec: {forProvider: {podSelector: null, serviceRef: {name: a, port: 1, namespace: b}}}`, refuse: `spec: {forProvider: {podSelector: null, serviceRef: {name: a, port: 1}}}`, message: "spec.forProvider.serviceRef.namespace is required: name the namespace of the Service"},
		{name: "PodNamespaceRequired", reason: "The object has none.", kind: "TargetGroupBinding", scope: "cluster", accept: ``, refuse: `spec: {forProvider: {podSelector: {namespace: null}}}`, message: "spec.forProvider.podSelector.namespace is required: name the namespace of the pods"},

		{name: "SecretMissing", reason: "The source needs it.", kind: "ProviderConfig", accept: ``, refuse: `spec: {credentials: {source: Secret}}`, message: "credentials.secretRef must be set with source Secret, and only then"},
		{name: "SecretUnused", reason: "It would have no effect.", kind: "ProviderConfig", scope: "namespaced", accept: `spec: {credentials: {source: Secret, secretRef: {name: a, key: b}}}`, refuse: `spec: {credentials: {secretRef: {name: a, key: b}}}`, message: "credentials.secretRef must be set with source Secret, and only then"},
		{name: "RoleMissing", reason: "The source needs it.", kind: "ProviderConfig", accept: `spec: {credentials: {source: WebIdentity, webIdentity: {roleArn: "arn:aws:iam::123456789012:role/a"}}}`, refuse: `spec: {credentials: {source: WebIdentity}}`, message: "credentials.webIdentity must be set with source WebIdentity, and only then"},
		{name: "DefaultTagKey", reason: "AWS keeps aws: for itself.", kind: "ProviderConfig", accept: `spec: {defaultTags: {a: b}}`, refuse: `spec: {defaultTags: {"aws:a": b}}`, message: tagMessage},
		{name: "SecretNamespace", reason: "A tenant reads only its own namespace.", kind: "ProviderConfig", scope: "namespaced", accept: `spec: {credentials: {source: Secret, secretRef: {name: a, key: b}}}`, refuse: `spec: {credentials: {source: Secret, secretRef: {namespace: c, name: a, key: b}}}`, message: "spec.credentials.secretRef.namespace is not for a namespaced ProviderConfig: it reads Secrets of its own namespace; remove it, or use a ClusterProviderConfig"},
		{name: "TokenNamespace", reason: "A tenant reads only its own namespace.", kind: "ProviderConfig", scope: "namespaced", accept: tokenSecret(""), refuse: tokenSecret("namespace: c, "), message: "spec.credentials.webIdentity.tokenSecretRef.namespace is not for a namespaced ProviderConfig: it reads Secrets of its own namespace; remove it, or use a ClusterProviderConfig"},
		{name: "SecretNamespaceRequired", reason: "The object has none.", kind: "ProviderConfig", scope: "cluster", accept: `spec: {credentials: {source: Secret, secretRef: {namespace: c, name: a, key: b}}}`, refuse: `spec: {credentials: {source: Secret, secretRef: {name: a, key: b}}}`, message: "spec.credentials.secretRef.namespace is required: name the namespace of the Secret"},
		{name: "TokenNamespaceRequired", reason: "The object has none.", kind: "ProviderConfig", scope: "cluster", accept: tokenSecret("namespace: c, "), refuse: tokenSecret(""), message: "spec.credentials.webIdentity.tokenSecretRef.namespace is required: name the namespace of the Secret"},
	},
)

func tokenSecret(namespace string) string {
	return `spec: {credentials: {source: WebIdentity, webIdentity: {roleArn: "arn:aws:iam::123456789012:role/a", tokenSecretRef: {` + namespace + `name: a, key: b}}}}`
}
