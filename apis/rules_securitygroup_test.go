package apis_test

import "strings"

const (
	securityGroupBase     = `spec: {forProvider: {region: eu-west-1, description: edge, vpcId: vpc-0a}}`
	securityGroupRuleBase = `spec: {forProvider: {region: eu-west-1, securityGroupId: sg-0a, direction: ingress, protocol: tcp, fromPort: 443, toPort: 443, cidrIpv4: 10.0.0.0/8}}`
)

// of returns a patch of spec.forProvider.
func of(fields string) string { return "spec: {forProvider: {" + fields + "}}" }

var securityGroupRules = []rule{
	{name: "VPCRequired", reason: "It is required unless nothing is created or updated.", kind: "SecurityGroup", accept: `spec: {managementPolicies: [Observe], forProvider: {vpcId: null, description: null}}`, refuse: of("vpcId: null"), message: "spec.forProvider.vpcId is required when managementPolicies allow Create or Update: set it to the VPC of the security group"},
	{name: "DescriptionRequired", reason: "AWS wants one.", kind: "SecurityGroup", accept: ``, refuse: of("description: null"), message: "spec.forProvider.description is required when managementPolicies allow Create or Update: AWS wants one and never lets it change"},
	{name: "RegionChanged", reason: "The group is where it is.", kind: "SecurityGroup", old: of(""), accept: ``, refuse: of("region: eu-west-2"), message: "region cannot be changed: create a new SecurityGroup in the other region"},
	{name: "NameChanged", reason: "AWS cannot change it.", kind: "SecurityGroup", old: of("name: a"), accept: of("name: a"), refuse: of("name: b"), message: "name cannot be changed in AWS: create a new SecurityGroup with the other name"},
	{name: "NameDropped", reason: "A rule on the field itself would be skipped, and then any value could be set.", kind: "SecurityGroup", old: of("name: a"), accept: of("name: a"), refuse: ``, message: "name cannot be changed in AWS: create a new SecurityGroup with the other name"},
	{name: "DescriptionChanged", reason: "AWS cannot change it.", kind: "SecurityGroup", old: of(""), accept: ``, refuse: of("description: b"), message: "description cannot be changed in AWS: create a new SecurityGroup with the other description"},
	{name: "VPCChanged", reason: "AWS cannot change it.", kind: "SecurityGroup", old: of(""), accept: ``, refuse: of("vpcId: vpc-0b"), message: "vpcId cannot be changed in AWS: create a new SecurityGroup in the other VPC"},
	{name: "NameLikeID", reason: "AWS refuses it.", kind: "SecurityGroup", accept: of("name: ssg-a"), refuse: of("name: sg-a"), message: "name must not begin with sg-, which is for ids"},
	{name: "TagKey", reason: "AWS keeps aws: for itself.", kind: "SecurityGroup", accept: of("tags: {team: edge}"), refuse: of(`tags: {"aws:team": edge}`), message: tagMessage},
	{name: "LongTagKey", reason: "AWS has a limit.", kind: "SecurityGroup", accept: of("tags: {" + strings.Repeat("k", 128) + ": v}"), refuse: of("tags: {" + strings.Repeat("k", 129) + ": v}"), message: tagMessage},
}

const (
	whoMessage      = "say who in exactly one way: cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId, referencedSecurityGroupIdRef or referencedSecurityGroupIdSelector"
	ruleReqMessage  = "spec.forProvider.direction and protocol are required when managementPolicies allow Create or Update"
	sourceMessage   = "the kind of source cannot be changed in AWS (cidrIpv4, cidrIpv6, prefixListId, security group): create a new SecurityGroupRule"
	selectorMessage = "a selector needs matchLabels, matchControllerRef: true, or both"
)

var securityGroupRuleRules = []rule{
	{name: "DirectionRequired", reason: "It is required unless nothing is created or updated.", kind: "SecurityGroupRule", accept: `spec: {managementPolicies: [Observe], forProvider: {direction: null, protocol: null, fromPort: null, toPort: null, cidrIpv4: null}}`, refuse: of("direction: null"), message: ruleReqMessage},
	{name: "ProtocolRequired", reason: "It is required unless nothing is created or updated.", kind: "SecurityGroupRule", accept: ``, refuse: of("protocol: null"), message: ruleReqMessage},
	{name: "TwoSources", reason: "AWS has one for each rule.", kind: "SecurityGroupRule", accept: of("cidrIpv4: null, prefixListId: pl-0a"), refuse: of(`cidrIpv6: "::/0"`), message: whoMessage},
	{name: "NoSource", reason: "A rule without is no rule.", kind: "SecurityGroupRule", accept: of("cidrIpv4: null, referencedSecurityGroupIdRef: {name: a}"), refuse: of("cidrIpv4: null"), message: whoMessage},
	{name: "RegionChanged", reason: "The group is where it is.", kind: "SecurityGroupRule", old: of(""), accept: ``, refuse: of("region: eu-west-2"), message: "region cannot be changed: create a new SecurityGroupRule in the other region"},
	{name: "TwoGroups", reason: "A rule is in one group.", kind: "SecurityGroupRule", accept: of("securityGroupId: null, securityGroupIdRef: {name: a}"), refuse: of("securityGroupIdRef: {name: a}"), message: "name the security group in exactly one way: securityGroupId, securityGroupIdRef or securityGroupIdSelector"},
	{name: "NoGroup", reason: "A rule is in one group; an id tells which.", kind: "SecurityGroupRule", accept: `spec: {managementPolicies: [Observe], forProvider: {securityGroupId: null}}`, refuse: of("securityGroupId: null"), message: "name the security group in exactly one way: securityGroupId, securityGroupIdRef or securityGroupIdSelector"},
	{name: "GroupChanged", reason: "AWS cannot move a rule.", kind: "SecurityGroupRule", old: of(""), accept: of("securityGroupId: null, securityGroupIdRef: {name: a}"), refuse: of("securityGroupId: sg-0b"), message: "securityGroupId cannot be changed in AWS: create a new SecurityGroupRule in the other security group"},
	{name: "DirectionChanged", reason: "AWS cannot change it.", kind: "SecurityGroupRule", old: of(""), accept: ``, refuse: of("direction: egress"), message: "direction cannot be changed in AWS: create a new SecurityGroupRule"},
	{name: "SourceChanged", reason: "AWS changes the value, but not the kind.", kind: "SecurityGroupRule", old: of(""), accept: of("cidrIpv4: 11.0.0.0/8"), refuse: of(`cidrIpv4: null, cidrIpv6: "::/0"`), message: sourceMessage},
	{name: "SourceGroup", reason: "A reference is another way to say the same.", kind: "SecurityGroupRule", old: of("cidrIpv4: null, referencedSecurityGroupId: sg-0b"), accept: of("cidrIpv4: null, referencedSecurityGroupIdRef: {name: a}"), refuse: ``, message: sourceMessage},
	{name: "OnePort", reason: "A range has two ends.", kind: "SecurityGroupRule", accept: ``, refuse: of("toPort: null"), message: "set both fromPort and toPort, or neither"},
	{name: "PortOrder", reason: "A range goes upwards; an ICMP type and code are no range.", kind: "SecurityGroupRule", accept: of("protocol: icmp, fromPort: 8, toPort: 0"), refuse: of("toPort: 80"), message: "fromPort must not be larger than toPort"},
	{name: "PortsRequired", reason: "All ports would be an accident.", kind: "SecurityGroupRule", accept: of("protocol: icmpv6, fromPort: null, toPort: null"), refuse: of("fromPort: null, toPort: null"), message: "fromPort and toPort are required for tcp and udp"},
	{name: "PortsForAll", reason: "AWS would ignore them and allow everything.", kind: "SecurityGroupRule", accept: of(`protocol: "-1", fromPort: null, toPort: null`), refuse: of(`protocol: "-1"`), message: "protocol -1 and protocols other than tcp, udp, icmp and icmpv6 mean all ports: remove fromPort and toPort"},
	{name: "GroupSelector", reason: "It would select everything.", kind: "SecurityGroupRule", accept: of("securityGroupId: null, securityGroupIdSelector: {matchControllerRef: true}"), refuse: of("securityGroupId: null, securityGroupIdSelector: {matchLabels: {}}"), message: selectorMessage},
	{name: "SourceSelector", reason: "It would select everything.", kind: "SecurityGroupRule", accept: of("cidrIpv4: null, referencedSecurityGroupIdSelector: {matchLabels: {a: b}}"), refuse: of("cidrIpv4: null, referencedSecurityGroupIdSelector: {}"), message: selectorMessage},
	{name: "TagKey", reason: "AWS keeps aws: for itself.", kind: "SecurityGroupRule", accept: of("tags: {team: edge}"), refuse: of(`tags: {"aws:team": edge}`), message: tagMessage},
}
