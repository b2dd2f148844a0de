package securitygrouprule_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// A drift is something that somebody changes in AWS, and the calls that put it back.
type drift struct {
	name   string
	change func(t *testing.T, e *env, was types.SecurityGroupRule) error
	repair []string
}

// modified is a drift of what ModifySecurityGroupRules changes.
func modified(name string, f func(*types.SecurityGroupRuleRequest)) drift {
	return drift{name, func(t *testing.T, e *env, was types.SecurityGroupRule) error {
		t.Helper()

		r := &types.SecurityGroupRuleRequest{
			IpProtocol: was.IpProtocol, FromPort: was.FromPort, ToPort: was.ToPort, Description: was.Description,
			CidrIpv4: was.CidrIpv4, CidrIpv6: was.CidrIpv6, PrefixListId: was.PrefixListId,
		}
		if was.ReferencedGroupInfo != nil {
			r.ReferencedGroupId = was.ReferencedGroupInfo.GroupId
		}

		f(r)

		_, err := e.EC2.ModifySecurityGroupRules(t.Context(), &ec2.ModifySecurityGroupRulesInput{
			GroupId: &e.groupID, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{SecurityGroupRuleId: was.SecurityGroupRuleId, SecurityGroupRule: r}},
		})

		return err
	}, []string{"ModifySecurityGroupRules"}}
}

// tagged is a drift of a tag's value.
func tagged(name, key, value string, repair ...string) drift {
	return drift{name, func(t *testing.T, e *env, was types.SecurityGroupRule) error {
		t.Helper()

		_, err := e.EC2.CreateTags(t.Context(), &ec2.CreateTagsInput{
			Resources: []string{*was.SecurityGroupRuleId}, Tags: []types.Tag{{Key: &key, Value: &value}},
		})

		return err
	}, repair}
}

// untagged is a drift of tags that are gone.
func untagged(name string, keys ...string) drift {
	return drift{name, func(t *testing.T, e *env, was types.SecurityGroupRule) error {
		t.Helper()

		in := &ec2.DeleteTagsInput{Resources: []string{*was.SecurityGroupRuleId}}
		for _, k := range keys {
			in.Tags = append(in.Tags, types.Tag{Key: &k})
		}

		_, err := e.EC2.DeleteTags(t.Context(), in)

		return err
	}, []string{"CreateTags"}}
}

// repaired lets each drift happen to the rule of an object, and waits until all is
// as it was.
func (e *env) repaired(t *testing.T, r object, drifts ...drift) {
	t.Helper()
	e.UntilApplied(t, r)

	want := e.sdk(t)

	for _, d := range drifts {
		e.Paused(t, r, func() {
			kindtest.Must(t, d.change(t, e, want))

			if cmp.Equal(want, e.sdk(t), same) {
				t.Fatalf("%s: nothing drifted", d.name)
			}
		})
		e.Until(t, r, d.name+" repaired", func() bool { return len(e.Writes()) >= len(d.repair) })
		e.UntilApplied(t, r)

		// Nothing is left to do.
		looks := e.Sim.Count("DescribeSecurityGroupRules")
		e.Until(t, r, "looked at again", func() bool { return e.Sim.Count("DescribeSecurityGroupRules") > looks+1 })

		if diff := cmp.Diff(d.repair, e.Writes()); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", d.name, diff)
		}

		if diff := cmp.Diff(want, e.sdk(t), same); diff != "" {
			t.Errorf("%s: AWS has, -want, +got:\n%s", d.name, diff)
		}
	}
}

// same compares what AWS says of rules, whose tags have no order.
var same = cmp.Options{
	cmpopts.IgnoreUnexported(types.SecurityGroupRule{}, types.ReferencedSecurityGroup{}, types.Tag{}),
	cmpopts.SortSlices(func(a, b types.Tag) bool { return *a.Key < *b.Key }),
}

func TestDriftOfEachFieldIsRepairedByOneCall(t *testing.T) {
	type request = types.SecurityGroupRuleRequest

	cases := map[string]struct {
		reason string
		spec   func(p *params, group string)
		drifts func(other string) []drift
	}{
		"IPv4": {
			"Each field of a rule can be changed but its direction and the kind of its source.",
			func(p *params, _ string) { p.Description = ptr("clients") },
			func(string) []drift {
				return []drift{
					modified("cidrIpv4", func(r *request) { r.CidrIpv4 = ptr("11.0.0.0/8") }),
					modified("protocol", func(r *request) { r.IpProtocol = ptr("udp") }),
					modified("all protocols", func(r *request) { r.IpProtocol, r.FromPort, r.ToPort = ptr("-1"), nil, nil }),
					modified("fromPort", func(r *request) { r.FromPort = ptr(int32(1)) }),
					modified("toPort", func(r *request) { r.ToPort = ptr(int32(444)) }),
					modified("description", func(r *request) { r.Description = ptr("others") }),
					modified("no description", func(r *request) { r.Description = nil }),
					modified("everything", func(r *request) {
						r.IpProtocol, r.FromPort, r.ToPort, r.CidrIpv4, r.Description = ptr("icmp"), ptr(int32(8)), ptr(int32(-1)), ptr("0.0.0.0/0"), nil
					}),
				}
			},
		},
		"IPv6": {
			"Its own field in AWS.",
			func(p *params, _ string) { p.CIDRIPv4, p.CIDRIPv6 = nil, ptr("2001:db8::/32") },
			func(string) []drift {
				return []drift{modified("cidrIpv6", func(r *request) { r.CidrIpv6 = ptr("::/0") })}
			},
		},
		"PrefixList": {
			"Its own field in AWS.",
			func(p *params, _ string) { p.CIDRIPv4, p.PrefixListID = nil, ptr("pl-0a1b2c3d") },
			func(string) []drift {
				return []drift{modified("prefixListId", func(r *request) { r.PrefixListId = ptr("pl-0e1f2a3b") })}
			},
		},
		"Group": {
			"Its own field in AWS.",
			func(p *params, group string) { p.CIDRIPv4, p.ReferencedSecurityGroupID = nil, &group },
			func(other string) []drift {
				return []drift{modified("referencedSecurityGroupId", func(r *request) { r.ReferencedGroupId = &other })}
			},
		},
		"Egress": {
			"The same call as for ingress.",
			func(p *params, _ string) { p.Direction = ptr("egress") },
			func(string) []drift {
				return []drift{modified("cidrIpv4", func(r *request) { r.CidrIpv4 = ptr("11.0.0.0/8") })}
			},
		},
		"Tags": {
			"What is declared, by the object or its provider configuration, and what says whose it is.",
			func(p *params, _ string) { p.Tags = map[string]v1alpha1.TagValue{"app": "edge", "tier": "1"} },
			func(string) []drift {
				return []drift{
					tagged("value", "app", "other", "CreateTags"),
					tagged("value of a default", "team", "other", "CreateTags"),
					tagged("owner", controller.TagCluster, "other", "CreateTags"),
					untagged("some", "app", "team", controller.TagCluster),
				}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				e.Sim.SeedPrefixList("", kindtest.Region, "pl-0a1b2c3d", 2)
				e.Sim.SeedPrefixList("", kindtest.Region, "pl-0e1f2a3b", 2)
				group, other := e.seedGroup(t, "group"), e.seedGroup(t, "other")
				e.repaired(t, e.rule(t, "rule", with(func(p *params) { tc.spec(p, group) })), tc.drifts(other)...)
			})
		})
	}
}

func TestForeignTagStays(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		r := e.rule(t, "https", with(func(p *params) { p.Tags = map[string]v1alpha1.TagValue{"app": "edge"} }))
		e.UntilApplied(t, r)

		was := e.sdk(t)

		e.Paused(t, r, func() {
			kindtest.Must(t, tagged("", "billing", "42").change(t, e, was))
			kindtest.Must(t, untagged("", "app").change(t, e, was))
		})
		e.Until(t, r, "repaired", func() bool { return len(e.Writes()) > 0 })
		e.UntilApplied(t, r)

		if tags := tagsOf(e.sdk(t)); tags["billing"] != "42" || tags["app"] != "edge" {
			t.Errorf("tags are %v", tags)
		}

		if diff := cmp.Diff([]string{"CreateTags"}, e.Writes()); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
}

// AWS changes a rule's source only to one of the same kind, so whoever wants
// another kind replaces the rule: ours is made again, and the other one stays.
func TestSourceOfAnotherKindIsAnotherRule(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		r := e.rule(t, "https")
		e.UntilApplied(t, r)

		was := e.sdk(t)

		err := modified("", func(r *types.SecurityGroupRuleRequest) { r.CidrIpv4, r.CidrIpv6 = nil, ptr("::/0") }).change(t, e, was)
		if err == nil || !strings.Contains(err.Error(), "source type") {
			t.Errorf("AWS must refuse another kind of source: %v", err)
		}

		// For 30 s after a creation absence is taken for AWS's lag.
		e.age(t, r)
		e.Paused(t, r, func() {
			id := []string{*was.SecurityGroupRuleId}
			_, err := e.EC2.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &e.groupID, SecurityGroupRuleIds: id})
			kindtest.Must(t, err)

			_, err = e.EC2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &e.groupID, IpPermissions: []types.IpPermission{{
					IpProtocol: was.IpProtocol, FromPort: was.FromPort, ToPort: was.ToPort, Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: ptr("::/0")}},
				}},
			})
			kindtest.Must(t, err)
		})
		e.Until(t, r, "made again", func() bool { return e.Sim.Count("AuthorizeSecurityGroupIngress") > 0 })
		e.UntilApplied(t, r)

		sources := map[string]bool{}

		for _, got := range e.rules(t, e.groupID) {
			switch {
			case got.CidrIpv4 != nil:
				sources[*got.CidrIpv4] = true
			case got.CidrIpv6 != nil:
				sources[*got.CidrIpv6] = true
			}
		}

		if diff := cmp.Diff(map[string]bool{"10.0.0.0/8": true, "::/0": true}, sources); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}

		if diff := cmp.Diff([]string{"AuthorizeSecurityGroupIngress"}, e.Writes()); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}

		if name := meta.GetExternalName(r); name == "" {
			t.Error("the external name is lost")
		}
	})
}
