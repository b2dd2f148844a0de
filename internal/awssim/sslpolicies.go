package awssim

import (
	"slices"
	"strings"
)

// sslPolicies of Network Load Balancers, in order of name. Their ciphers are not
// simulated.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/describe-ssl-policies.html
var sslPolicies = func() []string {
	out := []string{
		defaultPolicy, "ELBSecurityPolicy-2015-05", "ELBSecurityPolicy-TLS-1-1-2017-01", "ELBSecurityPolicy-TLS-1-2-2017-01",
		"ELBSecurityPolicy-TLS-1-2-Ext-2018-06", "ELBSecurityPolicy-FS-2018-06", "ELBSecurityPolicy-FS-1-1-2019-08",
		"ELBSecurityPolicy-FS-1-2-2019-08", "ELBSecurityPolicy-FS-1-2-Res-2019-08", "ELBSecurityPolicy-FS-1-2-Res-2020-10",
	}
	for _, level := range []string{"1-0", "1-1", "1-2", "1-2-Res", "1-2-Ext1", "1-2-Ext2", "1-3"} {
		out = append(out, "ELBSecurityPolicy-TLS13-"+level+"-2021-06", "ELBSecurityPolicy-TLS13-"+level+"-FIPS-2023-04")
		if level != "1-1" {
			out = append(out, "ELBSecurityPolicy-TLS13-"+level+"-PQ-2025-09")
		}
	}
	return unrepeated(out)
}()

func policyActions() map[string]action {
	return map[string]action{"DescribeSSLPolicies": {
		bucket: nonMutating,
		params: map[string]shape{
			"Names.member.N": anyText(), "LoadBalancerType": oneOf("application", "network", "gateway"),
			"Marker": anyText(), "PageSize": number(1, 400),
		},
		run: describeSSLPolicies,
	}}
}

type xmlPolicy struct {
	Name                       string
	SslProtocols               members[string]
	SupportedLoadBalancerTypes members[string]
}

// describeSSLPolicies: one unknown name fails the whole call.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeSSLPolicies.html
func describeSSLPolicies(c *call) (any, error) {
	names := c.list("Names.member")
	var found []string
	for _, p := range sslPolicies {
		if len(names) == 0 || slices.Contains(names, p) {
			found = append(found, p)
		}
	}
	if len(found) < len(unrepeated(names)) {
		return nil, refuse("SSLPolicyNotFound", "One or more SSL policies not found")
	}
	page, next, err := pageOf(found, func(p string) string { return p }, c.str("Marker"), c.num("PageSize", 400))
	if err != nil {
		return nil, err
	}
	var out struct {
		SslPolicies members[xmlPolicy]
		NextMarker  string `xml:",omitempty"`
	}
	for _, p := range page {
		out.SslPolicies.Member = append(out.SslPolicies.Member, xmlPolicy{
			p, members[string]{tlsVersions(p)}, members[string]{[]string{"application", "network"}},
		})
	}
	out.NextMarker = next
	return out, nil
}

// tlsVersions follow from a policy's name.
func tlsVersions(policy string) []string {
	versions := []string{"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}
	if !strings.Contains(policy, "-TLS13-") {
		versions = versions[:3]
	}
	for i, level := range []string{"-1-1-", "-1-2-", "-1-3-"} {
		if strings.Contains(policy, level) {
			return versions[i+1:]
		}
	}
	return versions
}
