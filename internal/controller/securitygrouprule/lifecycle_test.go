package securitygrouprule_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

func TestCreateUpdateDelete(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		r := e.rule(t, "https", with(func(p *params) {
			p.CIDRIPv4, p.Description = ptr("10.1.2.3/8"), ptr("clients")
			p.Tags = map[string]v1alpha1.TagValue{"app": "edge"}
		}))
		e.UntilApplied(t, r)

		got := e.sdk(t)
		want := v1alpha1.SecurityGroupRuleObservation{
			ID: *got.SecurityGroupRuleId, ARN: *got.SecurityGroupRuleArn, SecurityGroupID: e.groupID, Direction: "ingress",
			Protocol: "tcp", FromPort: ptr(int32(443)), ToPort: ptr(int32(443)), Source: "10.0.0.0/8",
			ManagedTagKeys: r.ObservedState().AtProvider.ManagedTagKeys,
		}
		if diff := cmp.Diff(want, r.ObservedState().AtProvider); diff != "" || meta.GetExternalName(r) != want.ID {
			t.Errorf("external name %q; -want, +got:\n%s", meta.GetExternalName(r), diff)
		}

		if tags := tagsOf(got); tags["app"] != "edge" || tags["team"] != "platform" || tags[controller.TagCluster] != kindtest.Cluster {
			t.Errorf("tags are %v", tags)
		}

		e.Sim.Reset()
		e.Change(t, r, func() {
			p := r.ForProvider()
			p.Protocol, p.FromPort, p.CIDRIPv4 = ptr("17"), ptr(int32(80)), ptr("10.2.0.0/16")
			p.Tags = map[string]v1alpha1.TagValue{"new": "1"}
		})
		e.UntilApplied(t, r)

		if diff := cmp.Diff([]int{1, 1, 1}, []int{e.Sim.Count("ModifySecurityGroupRules"), e.Sim.Count("CreateTags"), e.Sim.Count("DeleteTags")}); diff != "" {
			t.Errorf("one call for the content, one to set and one to remove tags: -want, +got:\n%s", diff)
		}

		now := e.sdk(t)
		if *now.SecurityGroupRuleId != want.ID || meta.GetExternalName(r) != want.ID {
			t.Errorf("another content is another rule: %s, want %s", *now.SecurityGroupRuleId, want.ID)
		}

		if *now.IpProtocol != "udp" || *now.FromPort != 80 || *now.CidrIpv4 != "10.2.0.0/16" || now.Description == nil || *now.Description != "clients" {
			t.Errorf("AWS has %+v", now)
		}

		kindtest.Must(t, e.Client.Delete(t.Context(), r))
		e.UntilGone(t, r)

		if len(e.rules(t, e.groupID)) != 0 {
			t.Errorf("it is still in AWS")
		}
	})
}

func TestSourcesAndProtocols(t *testing.T) {
	other := func(e *env, t *testing.T) string { t.Helper(); return e.seedGroup(t, "other") }
	cases := map[string]struct {
		reason string
		spec   func(p *params, other string)
		// source in the end; OTHER stands for another group.
		direction, protocol, source string
		from, to                    int32
	}{
		"IPv6":       {"Its own field in AWS.", func(p *params, _ string) { p.CIDRIPv6 = ptr("2001:DB8::1/32") }, "ingress", "tcp", "2001:db8::/32", 443, 443},
		"PrefixList": {"Its own field in AWS.", func(p *params, _ string) { p.PrefixListID = ptr("pl-0a1b2c3d") }, "ingress", "tcp", "pl-0a1b2c3d", 443, 443},
		"Group":      {"Its own field in AWS.", func(p *params, id string) { p.ReferencedSecurityGroupID = &id }, "ingress", "tcp", "OTHER", 443, 443},
		"Egress": {"Its own call in AWS.", func(p *params, _ string) {
			p.Direction, p.CIDRIPv4 = ptr("egress"), ptr("10.0.0.0/8")
		}, "egress", "tcp", "10.0.0.0/8", 443, 443},
		"All": {"No ports.", func(p *params, _ string) {
			p.Protocol, p.FromPort, p.ToPort, p.CIDRIPv4 = ptr("-1"), nil, nil, ptr("0.0.0.0/0")
		}, "ingress", "-1", "0.0.0.0/0", -1, -1},
		"Number": {"No ports.", func(p *params, _ string) {
			p.Protocol, p.FromPort, p.ToPort, p.CIDRIPv4 = ptr("47"), nil, nil, ptr("0.0.0.0/0")
		}, "ingress", "47", "0.0.0.0/0", -1, -1},
		"ICMP": {"Type and code.", func(p *params, _ string) {
			p.Protocol, p.FromPort, p.ToPort, p.CIDRIPv4 = ptr("1"), ptr(int32(8)), ptr(int32(-1)), ptr("0.0.0.0/0")
		}, "ingress", "icmp", "0.0.0.0/0", 8, -1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				e.Sim.SeedPrefixList("", kindtest.Region, "pl-0a1b2c3d", 2)
				id := other(e, t)
				r := e.rule(t, "rule", with(func(p *params) { p.CIDRIPv4 = nil; tc.spec(p, id) }))
				e.UntilApplied(t, r)

				want := v1alpha1.SecurityGroupRuleObservation{
					Direction: tc.direction, Protocol: tc.protocol, FromPort: &tc.from, ToPort: &tc.to, Source: strings.ReplaceAll(tc.source, "OTHER", id),
				}
				got := r.ObservedState().AtProvider
				want.ID, want.ARN, want.SecurityGroupID, want.ManagedTagKeys = got.ID, got.ARN, e.groupID, got.ManagedTagKeys

				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
				}

				e.Sim.Reset()
				e.Until(t, r, "looked at again", func() bool { return e.Sim.Count("DescribeSecurityGroupRules") > 1 })

				if got := e.Sim.Count("ModifySecurityGroupRules", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"); got != 0 {
					t.Errorf("\n%s\nit is as declared, but was changed %d times", tc.reason, got)
				}
			})
		})
	}
}

func TestRuleThatIsDeletedIsMadeAgain(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		id := e.seed(t, nil)
		r := e.rule(t, "https", external(id))
		e.UntilApplied(t, r)

		_, err := e.EC2.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &e.groupID, SecurityGroupRuleIds: []string{id}})
		kindtest.Must(t, err)
		e.Until(t, r, "made again", func() bool {
			now := r.ObservedState().AtProvider.ID

			return now != "" && now != id
		})

		if got := meta.GetExternalName(r); got != id || e.Sim.Count("AuthorizeSecurityGroupIngress") != 1 {
			t.Errorf("the external name was changed to %q, against Git; made %d times", got, e.Sim.Count("AuthorizeSecurityGroupIngress"))
		}
	})
}

func TestInvalidValueIsStalled(t *testing.T) {
	cases := map[string]struct {
		mutate func(*params)
		want   string
	}{
		"Ours":  {func(p *params) { p.CIDRIPv4 = ptr("10.0.0.300/8") }, "spec.forProvider.cidrIpv4"},
		"AWS's": {func(p *params) { p.Protocol, p.FromPort, p.ToPort = ptr("300"), nil, nil }, "InvalidParameterValue"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				r := e.rule(t, "https", with(tc.mutate))
				e.Until(t, r, "stalled", func() bool { return isStalled(r) })

				if got := r.GetCondition(controller.TypeStalled).Message; !strings.Contains(got, tc.want) {
					t.Errorf("the message is %q, want %q in it", got, tc.want)
				}
			})
		})
	}
}
