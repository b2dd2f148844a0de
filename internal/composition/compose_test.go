package composition_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/composition"
	"github.com/provider-nlb/provider-nlb/internal/crdtest"
)

// with returns claimBase with a patch.
func with(t *testing.T, patch string) string {
	t.Helper()

	return jsonOf(t, crdtest.Merge(t, claimBase, patch))
}

// TestWall: which security group rules there are, by the name of their object.
func TestWall(t *testing.T) {
	cases := map[string]struct {
		reason string
		claim  string
		want   map[string]string
	}{
		"OnePort": {
			reason: "Clients reach the load balancer, it reaches the nodes, and the nodes let in its group only.",
			claim:  "spec: {ports: [{port: 443, targetPort: 8443}]}",
			want: map[string]string{
				"edge-443-from-10.0.0.0-8-tcp": "edge ingress tcp 443 10.0.0.0/8",
				"edge-443-to-nodes-tcp-8443":   "edge egress tcp 8443 sg-0a",
				"edge-443-on-nodes-tcp-8443":   "sg-0a ingress tcp 8443 edge",
			},
		},
		"HealthCheckPort": {
			reason: "The health check is traffic of the load balancer too, once for all ports.",
			claim:  "spec: {healthCheck: {port: '8081'}, ports: [{port: 443, targetPort: 8443}, {port: 80, targetPort: 8080}]}",
			want: map[string]string{
				"edge-443-from-10.0.0.0-8-tcp": "edge ingress tcp 443 10.0.0.0/8",
				"edge-443-to-nodes-tcp-8443":   "edge egress tcp 8443 sg-0a",
				"edge-443-on-nodes-tcp-8443":   "sg-0a ingress tcp 8443 edge",
				"edge-80-from-10.0.0.0-8-tcp":  "edge ingress tcp 80 10.0.0.0/8",
				"edge-80-to-nodes-tcp-8080":    "edge egress tcp 8080 sg-0a",
				"edge-80-on-nodes-tcp-8080":    "sg-0a ingress tcp 8080 edge",
				"edge-to-nodes-tcp-8081":       "edge egress tcp 8081 sg-0a",
				"edge-on-nodes-tcp-8081":       "sg-0a ingress tcp 8081 edge",
			},
		},
		"HealthCheckOnTrafficPort": {
			reason: "Two equal rules cannot be in a group.",
			claim:  "spec: {healthCheck: {port: '8443'}, ports: [{port: 443, targetPort: 8443}]}",
			want: map[string]string{
				"edge-443-from-10.0.0.0-8-tcp": "edge ingress tcp 443 10.0.0.0/8",
				"edge-to-nodes-tcp-8443":       "edge egress tcp 8443 sg-0a",
				"edge-on-nodes-tcp-8443":       "sg-0a ingress tcp 8443 edge",
			},
		},
		"UDP": {
			reason: "Traffic is UDP, its health check is not.",
			claim:  "spec: {healthCheck: {port: '8081'}, ports: [{port: 53, protocol: UDP}]}",
			want: map[string]string{
				"edge-53-from-10.0.0.0-8-udp": "edge ingress udp 53 10.0.0.0/8",
				"edge-53-to-nodes-udp-53":     "edge egress udp 53 sg-0a",
				"edge-53-on-nodes-udp-53":     "sg-0a ingress udp 53 edge",
				"edge-to-nodes-tcp-8081":      "edge egress tcp 8081 sg-0a",
				"edge-on-nodes-tcp-8081":      "sg-0a ingress tcp 8081 edge",
			},
		},
		"Both": {
			reason: "TCP_UDP is two protocols for a security group.",
			claim:  "spec: {healthCheck: {port: '53'}, clients: {cidrs: null, securityGroupIds: [sg-0c]}, ports: [{port: 53, protocol: TCP_UDP}]}",
			want: map[string]string{
				"edge-53-from-sg-0c-tcp":  "edge ingress tcp 53 sg-0c",
				"edge-53-from-sg-0c-udp":  "edge ingress udp 53 sg-0c",
				"edge-53-to-nodes-udp-53": "edge egress udp 53 sg-0a",
				"edge-53-on-nodes-udp-53": "sg-0a ingress udp 53 edge",
				"edge-to-nodes-tcp-53":    "edge egress tcp 53 sg-0a",
				"edge-on-nodes-tcp-53":    "sg-0a ingress tcp 53 edge",
			},
		},
		"Clients": {
			reason: "What is written in two ways is one rule in AWS, and each kind of client is a rule.",
			claim:  "spec: {clients: {cidrs: [10.1.2.3/8, 10.0.0.0/8, '2001:DB8::1/32', '::/0'], prefixListIds: [pl-0a], securityGroupIds: [sg-0c]}, manageNodeRules: false, ports: [{port: 443}]}",
			want: map[string]string{
				"edge-443-from-10.0.0.0-8-tcp":    "edge ingress tcp 443 10.0.0.0/8",
				"edge-443-from-2001-db8---32-tcp": "edge ingress tcp 443 2001:db8::/32",
				"edge-443-from----0-tcp":          "edge ingress tcp 443 ::/0",
				"edge-443-from-pl-0a-tcp":         "edge ingress tcp 443 pl-0a",
				"edge-443-from-sg-0c-tcp":         "edge ingress tcp 443 sg-0c",
				"edge-443-to-nodes-tcp-443":       "edge egress tcp 443 sg-0a",
			},
		},
		"SharedTargetPort": {
			reason: "Two ports that lead to one port of the nodes open it once.",
			claim:  "spec: {ports: [{port: 443, targetPort: 8443}, {port: 80, targetPort: 8443}]}",
			want: map[string]string{
				"edge-80-from-10.0.0.0-8-tcp":  "edge ingress tcp 80 10.0.0.0/8",
				"edge-443-from-10.0.0.0-8-tcp": "edge ingress tcp 443 10.0.0.0/8",
				"edge-80-to-nodes-tcp-8443":    "edge egress tcp 8443 sg-0a",
				"edge-80-on-nodes-tcp-8443":    "sg-0a ingress tcp 8443 edge",
			},
		},
		"UnknownNodes": {
			reason: "Without the nodes' group AWS's rule that allows all outbound traffic stays.",
			claim:  "spec: {nodeSecurityGroupId: null, manageNodeRules: false, ports: [{port: 443}]}",
			want:   map[string]string{"edge-443-from-10.0.0.0-8-tcp": "edge ingress tcp 443 10.0.0.0/8"},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "NetworkLoadBalancer", with(t, tc.claim)).settle()
			if diff := cmp.Diff(tc.want, w.wall()); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}

			revoked := text(w.find("SecurityGroup", "edge"), "revokeDefaultEgress")
			if want := map[bool]string{true: "false", false: "true"}[name == "UnknownNodes"]; revoked != want {
				t.Errorf("\n%s\nrevokeDefaultEgress is %s", tc.reason, revoked)
			}
		})
	}
}

// TestParameters: what becomes of a claim's parameters.
func TestParameters(t *testing.T) {
	const certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/a"

	cases := map[string]struct {
		reason     string
		claim      string
		kind, name string
		want       string
	}{
		"LoadBalancer": {
			reason: "It is internal unless it is said, and always has its security group.",
			kind:   "LoadBalancer", name: "edge",
			want: `{region: eu-west-1, scheme: internal, subnetMappings: [{subnetId: subnet-0a}], securityGroupIdRefs: [{name: edge}]}`,
		},
		"StaticAddresses": {
			reason: "Addresses, zones and tags are the claim's.", claim: `spec: {scheme: internet-facing, ipAddressType: dualstack, crossZone: true, deletionProtection: true, tags: {a: b}, subnetMappings: [{subnetId: subnet-0a, allocationId: eipalloc-0a, sourceNatIpv6Prefix: auto_assigned}]}`,
			kind: "LoadBalancer", name: "edge",
			want: `{region: eu-west-1, scheme: internet-facing, ipAddressType: dualstack, crossZone: true, deletionProtection: true, tags: {a: b}, enablePrefixForIpv6SourceNat: true, subnetMappings: [{subnetId: subnet-0a, allocationId: eipalloc-0a, sourceNatIpv6Prefix: auto_assigned}], securityGroupIdRefs: [{name: edge}]}`,
		},
		"CheckOfTrafficPort": {
			reason: "Without a port of its own only TCP can be assumed.", claim: "spec: {ports: [{port: 443, targetPort: 8443}]}",
			kind: "TargetGroup", name: "edge-443-tcp",
			want: `{region: eu-west-1, vpcId: vpc-0a, protocol: TCP, port: 443, targetType: instance, deregistrationDelaySeconds: 300,
				healthCheck: {protocol: TCP, port: traffic-port, intervalSeconds: 5, timeoutSeconds: 2, healthyThreshold: 2, unhealthyThreshold: 2},
				unhealthyTargets: {connectionTermination: false, drainingIntervalSeconds: 300}}`,
		},
		"CheckOfItsOwn": {
			reason: "A process can fail it while it goes on serving, and connections outlive the failure.",
			claim:  "spec: {deregistrationDelaySeconds: 60, healthCheck: {port: '8081', path: /ready}, ports: [{port: 443, preserveClientIp: false, proxyProtocolV2: true}]}",
			kind:   "TargetGroup", name: "edge-443-tcp",
			want: `{region: eu-west-1, vpcId: vpc-0a, protocol: TCP, port: 443, targetType: instance, deregistrationDelaySeconds: 60, preserveClientIp: false, proxyProtocolV2: true,
				healthCheck: {protocol: HTTP, port: "8081", path: /ready, intervalSeconds: 5, timeoutSeconds: 2, healthyThreshold: 2, unhealthyThreshold: 2},
				unhealthyTargets: {connectionTermination: false, drainingIntervalSeconds: 60}}`,
		},
		"TLSEndsAtTheLoadBalancer": {
			reason: "The pods speak TCP then.", claim: "spec: {ports: [{port: 443, protocol: TLS, certificateArns: ['" + certificate + "']}]}",
			kind: "Listener", name: "edge-443",
			want: `{region: eu-west-1, loadBalancerArnRef: {name: edge}, port: 443, protocol: TLS, sslPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06,
				certificateArns: ["` + certificate + `"], forward: {targetGroups: [{targetGroupArnRef: {name: edge-443-tcp}}]}}`,
		},
		"TLSAgain": {
			reason: "Pods that speak TLS have a group of that protocol.",
			claim:  "spec: {ports: [{port: 443, protocol: TLS, targetProtocol: TLS, sslPolicy: p, alpnPolicy: None, certificateArns: ['" + certificate + "']}]}",
			kind:   "Listener", name: "edge-443",
			want: `{region: eu-west-1, loadBalancerArnRef: {name: edge}, port: 443, protocol: TLS, sslPolicy: p, alpnPolicy: None,
				certificateArns: ["` + certificate + `"], forward: {targetGroups: [{targetGroupArnRef: {name: edge-443-tls}}]}}`,
		},
		"Binding": {
			reason: "Pods are selected by labels and the port of the node.", claim: "spec: {nodeSelector: {matchLabels: {a: b}}, ports: [{port: 443, targetPort: 8443}]}",
			kind: "TargetGroupBinding", name: "edge-443-tcp",
			want: `{region: eu-west-1, targetType: instance, targetGroupArnRef: {name: edge-443-tcp}, nodeSelector: {matchLabels: {a: b}}, podSelector: {labelSelector: {matchLabels: {app: edge}}, port: 8443}}`,
		},
		"Service": {
			reason: "A Service says which pods and which port.", claim: "spec: {podSelector: null, serviceName: proxy, ports: [{port: 443, targetPort: 8443, servicePort: https}]}",
			kind: "TargetGroupBinding", name: "edge-443-tcp",
			want: `{region: eu-west-1, targetType: instance, targetGroupArnRef: {name: edge-443-tcp}, serviceRef: {name: proxy, port: https}}`,
		},
		"ServicePortByDefault": {
			reason: "A Service mostly has the port that clients connect to.", claim: "spec: {podSelector: null, serviceName: proxy, ports: [{port: 443, targetPort: 8443}]}",
			kind: "TargetGroupBinding", name: "edge-443-tcp",
			want: `{region: eu-west-1, targetType: instance, targetGroupArnRef: {name: edge-443-tcp}, serviceRef: {name: proxy, port: 443}}`,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "NetworkLoadBalancer", with(t, tc.claim)).settle()
			if diff := cmp.Diff(parse(t, tc.want), w.find(tc.kind, tc.name)); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestStyles: a legacy claim makes the same in cluster scope, under names that no
// other claim has and that a rebuilt cluster finds again.
func TestStyles(t *testing.T) {
	modern := newWorld(t, "NetworkLoadBalancer", with(t, "spec: {providerConfigRef: {name: team}}")).settle()
	legacy := newWorld(t, "XNetworkLoadBalancer", with(t, "spec: {providerConfigRef: {name: team}}")).settle()

	// A legacy composite resource has connection details of its own.
	resources := slices.DeleteFunc(slices.Sorted(maps.Keys(modern.objects())), func(k string) bool { return k == "/connection" })
	if diff := cmp.Diff(resources, slices.Sorted(maps.Keys(legacy.objects()))); diff != "" {
		t.Errorf("resources of the two styles: -modern, +legacy:\n%s", diff)
	}

	view := func(o composition.Object) map[string]any {
		return map[string]any{
			"apiVersion": o["apiVersion"], "namespace": at(o, "metadata", "namespace"), "name": at(o, "metadata", "name"),
			"config": at(o, "spec", "providerConfigRef"), "pods": at(o, "spec", "forProvider", "podSelector", "namespace"),
		}
	}
	want := map[string]any{
		"apiVersion": "nlb.m.crossplane.io/v1alpha1", "namespace": "shop", "name": "edge-443-tcp",
		"config": composition.Object{"kind": "ClusterProviderConfig", "name": "team"}, "pods": nil,
	}

	if diff := cmp.Diff(want, view(modern.objects()["port-443/binding-tcp"])); diff != "" {
		t.Errorf("namespaced: -want, +got:\n%s", diff)
	}

	want = map[string]any{
		"apiVersion": "nlb.crossplane.io/v1alpha1", "namespace": nil, "name": "shop-edge-3788f37a-443-tcp",
		"config": composition.Object{"name": "team"}, "pods": "shop",
	}
	if diff := cmp.Diff(want, view(legacy.objects()["port-443/binding-tcp"])); diff != "" {
		t.Errorf("legacy: -want, +got:\n%s", diff)
	}
}

const environmentData = `
data:
  region: eu-west-1
  vpcId: vpc-0e
  subnetMappings: [{subnetId: subnet-0e}]
  clients: {cidrs: [192.168.0.0/16]}
  nodeSecurityGroupId: sg-0e
  healthCheck: {port: "8081", path: /ready}
  tags: {environment: edge, team: platform}
`

func TestEnvironment(t *testing.T) {
	const short = "spec: {environment: edge, podSelector: {matchLabels: {app: edge}}, ports: [{port: 443}]}"

	type result struct {
		Problem *composition.Problem
		Invalid string
		// View of what is composed: VPC, clients, health check and tags.
		View []string
	}

	cases := map[string]struct {
		reason      string
		claim, data string
		absent      bool
		want        result
	}{
		"GivesWhatIsLeftOut": {
			reason: "That is what it is for.", claim: short, data: environmentData,
			want: result{View: []string{"vpc-0e", "map[cidrs:[192.168.0.0/16]]", "map[path:/ready port:8081]", "map[environment:edge team:platform]"}},
		},
		"ClaimComesFirst": {
			reason: "A setting of the claim replaces that of the environment as a whole; tags are united.",
			claim:  "spec: {environment: edge, podSelector: {matchLabels: {app: edge}}, ports: [{port: 443}], clients: {prefixListIds: [pl-0a]}, healthCheck: {port: '9000'}, tags: {team: shop}}",
			data:   environmentData,
			want:   result{View: []string{"vpc-0e", "map[prefixListIds:[pl-0a]]", "map[port:9000]", "map[environment:edge team:shop]"}},
		},
		"Missing": {
			reason: "Nothing is there yet, so it is no error: the environment is waited for.", claim: short, absent: true,
			want: result{Problem: &composition.Problem{Reason: "EnvironmentMissing", Message: `spec.environment: there is no EnvironmentConfig "edge": create it, or name another`}},
		},
		"Incomplete": {
			reason: "Only now can it be known.", claim: short, data: "data: {region: eu-west-1, vpcId: vpc-0e}",
			want: result{Invalid: `spec.subnetMappings is required: neither the claim nor EnvironmentConfig "edge" has it`},
		},
		"Misspelt": {
			reason: "What has no effect is a mistake.", claim: short, data: "data: {regoin: eu-west-1}",
			want: result{Invalid: `EnvironmentConfig "edge": data: json: unknown field "regoin"`},
		},
		"WrongType": {
			reason: "Nobody else checks it.", claim: short, data: "data: {manageNodeRules: 'yes'}",
			want: result{Invalid: `EnvironmentConfig "edge": data: manageNodeRules: it is string, but should be bool`},
		},
		"CheckPortOfUDP": {
			reason: "AWS has no check over UDP.", claim: "spec: {environment: edge, podSelector: {matchLabels: {app: edge}}, ports: [{port: 53, protocol: UDP}], healthCheck: {}}", data: environmentData,
			want: result{Invalid: `spec.healthCheck.port is required with protocols UDP and TCP_UDP: neither the claim nor EnvironmentConfig "edge" has it`},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "NetworkLoadBalancer", tc.claim)

			rsp, err := w.compose("")
			if want := map[string]composition.Requirement{"environment": {APIVersion: "apiextensions.crossplane.io/v1beta1", Kind: "EnvironmentConfig", Name: "edge"}}; err != nil || !cmp.Equal(want, rsp.Require) {
				t.Fatalf("it has to ask for the environment first: %v, %v", rsp.Require, err)
			}

			w.required["environment"] = nil
			if !tc.absent {
				w.required["environment"] = parse(t, tc.data)
			}

			got := result{}

			rsp, err = w.compose("")
			if invalid := (composition.Invalid{}); errors.As(err, &invalid) {
				got.Invalid = invalid.Message
			} else if err != nil {
				t.Fatal(err)
			}

			got.Problem = rsp.Problem
			if err == nil && !tc.absent {
				spec := at(w.settle().observed[""]["port-443"], "spec")
				got.View = []string{text(spec, "vpcId"), text(spec, "clients"), text(spec, "healthCheck"), text(spec, "tags")}
			}

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestLostEnvironment: what serves must not be deleted because its environment is.
func TestLostEnvironment(t *testing.T) {
	w := newWorld(t, "NetworkLoadBalancer", "spec: {environment: edge, podSelector: {matchLabels: {app: edge}}, ports: [{port: 443}]}")
	w.required["environment"] = parse(t, environmentData)
	w.settle()

	w.required["environment"] = nil

	_, err := w.compose("")
	if want := (composition.Invalid{Message: `spec.environment: there is no EnvironmentConfig "edge": create it, or name another`}); !errors.Is(err, want) {
		t.Errorf("want an error, which leaves everything as it is, got %v", err)
	}
}
