package composition_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	xv1 "github.com/crossplane/crossplane/apis/v2/apiextensions/v1"
	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/crossplane/crossplane-runtime/v2/pkg/xcrd"

	"github.com/provider-nlb/provider-nlb/internal/crdtest"
)

// readXRDs returns the CRDs that Crossplane makes of the XRDs, by kind: those of
// the composite resources and those of the claims.
func readXRDs(t *testing.T) map[string]crdtest.CRD {
	t.Helper()

	files, err := filepath.Glob("../../package/configuration/xrds/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no XRDs: %v", err)
	}

	out := map[string]crdtest.CRD{}
	add := func(crd *apiextensionsv1.CustomResourceDefinition, err error) {
		t.Helper()

		if err != nil {
			t.Fatal(err)
		}

		out[crd.Spec.Names.Kind] = crdtest.New(t, crd)
	}

	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}

		xrd := &xv1.CompositeResourceDefinition{}
		if err := yaml.UnmarshalStrict(data, xrd); err != nil {
			t.Fatalf("%s: %v", f, err)
		}

		add(xcrd.ForCompositeResource(xrd))

		if xrd.Spec.ClaimNames != nil {
			add(xcrd.ForCompositeResourceClaim(xrd))
		}
	}

	return out
}

// claimBase is a claim that says everything itself.
const claimBase = `
spec:
  region: eu-west-1
  vpcId: vpc-0a
  subnetMappings: [{subnetId: subnet-0a}]
  clients: {cidrs: [10.0.0.0/8]}
  nodeSecurityGroupId: sg-0a
  podSelector: {matchLabels: {app: edge}}
  ports: [{port: 443}]
`

// A claimRule is a rule of the claim's API, with one claim that it accepts and one
// that it refuses: patches of claimBase.
type claimRule struct {
	name, reason        string
	old, accept, refuse string
	message             string
}

func missing(field, hint string) claimRule {
	return claimRule{
		name: field + "Required", reason: "Without an environment nobody else can say it.",
		accept:  "spec: {environment: edge, " + field + ": null}",
		refuse:  "spec: {" + field + ": null}",
		message: "spec." + field + " is required, unless spec.environment names an EnvironmentConfig that has it" + hint,
	}
}

func fixed(field, value, other, message string) []claimRule {
	p := func(v string) string { return "spec: {environment: edge, " + field + ": " + v + "}" }

	return []claimRule{
		{name: field + "Changed", reason: "AWS cannot change it.", old: p(value), accept: p(value), refuse: p(other), message: message},
		{name: field + "Dropped", reason: "The environment might say something else.", old: p(value), accept: p(value), refuse: p("null"), message: message},
	}
}

func ports(list string) string { return "spec: {ports: [" + list + "]}" }

const (
	podsMessage  = "select the pods in exactly one way: podSelector or serviceName"
	emptyMessage = "spec.podSelector needs matchLabels or matchExpressions: an empty one would select every pod of the namespace"
	tlsMessage   = "certificateArns, sslPolicy, alpnPolicy and targetProtocol need protocol TLS"
	udpMessage   = "spec.healthCheck.port is required with protocols UDP and TCP_UDP: AWS checks over TCP, so name a port on which the pods answer HTTP"
	certificate  = "certificateArns: ['arn:aws:acm:eu-west-1:123456789012:certificate/a']"
)

var claimRules = slices.Concat(
	fixed("region", "eu-west-1", "eu-west-2", "spec.region cannot be changed: create a new load balancer in the other region"),
	fixed("vpcId", "vpc-0a", "vpc-0b", "spec.vpcId cannot be changed: create a new load balancer in the other VPC"),
	fixed("scheme", "internal", "internet-facing", "spec.scheme cannot be changed in AWS: create a new load balancer with the other scheme"),
	[]claimRule{
		missing("region", ""), missing("vpcId", ""),
		missing("subnetMappings", ": name one subnet for each availability zone"),
		missing("clients", ": say who may connect"),
		missing("nodeSecurityGroupId", ": name the security group of the nodes, or write manageNodeRules: false and keep its rules yourself"),
		{
			name: "NodeRulesByOthers", reason: "Whoever keeps the rules of the nodes' group need not name it.",
			accept: "spec: {nodeSecurityGroupId: null, manageNodeRules: false}", refuse: "spec: {nodeSecurityGroupId: null, manageNodeRules: true}",
			message: "spec.nodeSecurityGroupId is required, unless spec.environment names an EnvironmentConfig that has it: name the security group of the nodes, or write manageNodeRules: false and keep its rules yourself",
		},
		{
			name: "NobodyMayConnect", reason: "Clients that name nobody are a mistake.",
			accept: "spec: {clients: {cidrs: null, prefixListIds: [pl-0a]}}", refuse: "spec: {clients: {cidrs: null}}",
			message: "clients: say who may connect: cidrs, prefixListIds or securityGroupIds",
		},
		{
			name: "PortTwice", reason: "A load balancer listens once on a port.",
			accept: ports("{port: 443}, {port: 80}"), refuse: ports("{port: 443}, {port: 443, targetPort: 8443}"),
			message: "a port is there twice: a load balancer listens once on each; TCP and UDP on one port are protocol TCP_UDP",
		},
		{
			name: "CheckPortOfUDP", reason: "AWS has no check over UDP.",
			accept: "spec: {healthCheck: {port: '8081'}, ports: [{port: 53, protocol: UDP}]}", refuse: ports("{port: 53, protocol: UDP}"), message: udpMessage,
		},
		{
			name: "CheckPortOfTCPAndUDP", reason: "The traffic port may answer over UDP only.",
			accept: "spec: {environment: edge, ports: [{port: 53, protocol: TCP_UDP}]}", refuse: "spec: {healthCheck: {port: traffic-port}, ports: [{port: 53, protocol: TCP_UDP}]}", message: udpMessage,
		},
		{
			name: "Certificate", reason: "TLS cannot be ended without one.",
			accept: ports("{port: 443, protocol: TLS, " + certificate + "}"), refuse: ports("{port: 443, protocol: TLS}"),
			message: "protocol TLS needs certificateArns: the first is the default certificate",
		},
		{name: "CertificateUnused", reason: "It would have no effect.", accept: ports("{port: 443}"), refuse: ports("{port: 443, " + certificate + "}"), message: tlsMessage},
		{name: "PolicyUnused", reason: "It would have no effect.", accept: ports("{port: 443, protocol: TLS, sslPolicy: a, " + certificate + "}"), refuse: ports("{port: 443, sslPolicy: a}"), message: tlsMessage},
		{name: "TargetProtocol", reason: "Only TLS leaves a choice.", accept: ports("{port: 443, protocol: TLS, targetProtocol: TLS, " + certificate + "}"), refuse: ports("{port: 443, targetProtocol: TCP}"), message: tlsMessage},
		{
			name: "IdleTimeout", reason: "AWS fixes it for the others.",
			accept: ports("{port: 443, tcpIdleTimeoutSeconds: 60}"), refuse: ports("{port: 443, protocol: TLS, tcpIdleTimeoutSeconds: 60, " + certificate + "}"),
			message: "tcpIdleTimeoutSeconds needs protocol TCP or TCP_UDP: AWS fixes it for TLS (350 s) and UDP (120 s)",
		},
		{
			name: "ClientIPOfUDP", reason: "AWS always preserves it.",
			accept: ports("{port: 443, preserveClientIp: false}"), refuse: "spec: {healthCheck: {port: '8081'}, ports: [{port: 53, protocol: UDP, preserveClientIp: false}]}",
			message: "preserveClientIp cannot be false with protocols UDP and TCP_UDP: AWS always preserves the address there",
		},
		{name: "NoPods", reason: "Something must be selected.", accept: "", refuse: "spec: {podSelector: null}", message: podsMessage},
		{name: "TwoPods", reason: "They could contradict each other.", accept: "spec: {podSelector: null, serviceName: edge}", refuse: "spec: {serviceName: edge}", message: podsMessage},
		{name: "AllPods", reason: "It is more likely a mistake.", accept: "spec: {podSelector: {matchLabels: null, matchExpressions: [{key: app, operator: Exists}]}}", refuse: "spec: {podSelector: {matchLabels: {app: null}}}", message: emptyMessage},
		{
			name: "ServicePort", reason: "Without a Service it means nothing.",
			accept: "spec: {podSelector: null, serviceName: edge, ports: [{port: 443, servicePort: https}]}", refuse: ports("{port: 443, servicePort: https}"),
			message: "ports[].servicePort needs serviceName",
		},
		{
			name: "CheckPath", reason: "A TCP check has no path.",
			accept: "spec: {healthCheck: {port: '8081', path: /ready}}", refuse: "spec: {healthCheck: {path: /ready}}",
			message: "healthCheck.path needs protocol HTTP or HTTPS: a TCP check has no path",
		},
		{
			name: "CheckMatcher", reason: "A TCP check has no response code.",
			accept: "spec: {healthCheck: {protocol: HTTP, matcher: '200'}}", refuse: "spec: {healthCheck: {port: '8081', protocol: TCP, matcher: '200'}}",
			message: "healthCheck.matcher needs protocol HTTP or HTTPS: a TCP check has no response code",
		},
		{
			name: "CheckTimeout", reason: "AWS refuses it, also when it is a default.",
			accept: "spec: {healthCheck: {timeoutSeconds: 5}}", refuse: "spec: {healthCheck: {timeoutSeconds: 6}}",
			message: "healthCheck.timeoutSeconds (default 2) must not be larger than healthCheck.intervalSeconds (default 5)",
		},
		{
			name: "TagKey", reason: "AWS keeps aws: for itself.", accept: "spec: {tags: {team: edge}}", refuse: "spec: {tags: {'aws:team': edge}}",
			message: "a tag key has at most 128 characters and must not begin with aws:, which AWS reserves",
		},
	},
)

// TestClaimRules runs every case against each kind that people write.
func TestClaimRules(t *testing.T) {
	all := readXRDs(t)

	for _, kind := range []string{"NetworkLoadBalancer", "XNetworkLoadBalancer", "NetworkLoadBalancerClaim"} {
		crd, ok := all[kind]
		if !ok {
			t.Fatalf("there is no kind %s", kind)
		}

		var refused []string

		for _, tc := range claimRules {
			t.Run(kind+"/"+tc.name, func(t *testing.T) {
				fresh := func() map[string]any {
					if tc.old == "" {
						return nil
					}

					return crdtest.Merge(t, claimBase, tc.old)
				}

				if got := crd.Refusals(crdtest.Merge(t, claimBase, tc.accept), fresh()); len(got) > 0 {
					t.Errorf("\n%s\nit should be accepted, but is refused: %q", tc.reason, got)
				}

				got := crd.Refusals(crdtest.Merge(t, claimBase, tc.refuse), fresh())
				if diff := cmp.Diff([]string{tc.message}, got); diff != "" {
					t.Errorf("\n%s\nwhat the user reads: -want, +got:\n%s", tc.reason, diff)
				}

				refused = append(refused, crd.Broken(crdtest.Merge(t, claimBase, tc.refuse), fresh())...)
			})
		}

		for _, r := range crd.Rules() {
			// Crossplane's own rules are not ours to test.
			if !slices.Contains(refused, r) && !strings.Contains(r, "connection secret") {
				t.Errorf("%s has a rule that no case tests: %q", kind, r)
			}
		}
	}
}

func TestStylesDifferInTheirEnvelopeOnly(t *testing.T) {
	all := readXRDs(t)
	spec := func(kind string) apiextensionsv1.JSONSchemaProps {
		c, ok := all[kind]
		if !ok {
			t.Fatalf("there is no kind %s in %v", kind, slices.Sorted(maps.Keys(all)))
		}

		return c.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	}

	for modern, legacy := range map[string]string{"NetworkLoadBalancer": "NetworkLoadBalancerClaim", "NetworkLoadBalancerPort": "XNetworkLoadBalancerPort"} {
		was := spec(legacy)

		for name, schema := range spec(modern).Properties {
			if name == "crossplane" {
				continue
			}

			if diff := cmp.Diff(schema, was.Properties[name]); diff != "" {
				t.Errorf("%s.spec.%s: -%s +%s\n%s", modern, name, modern, legacy, diff)
			}
		}
	}
}
