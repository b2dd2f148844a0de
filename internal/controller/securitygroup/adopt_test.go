package securitygroup_test

import (
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/controller/securitygroup"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

type adoption struct {
	reason string
	// name of the group that is there, and its tags.
	name   string
	tags   func(*env) map[string]string
	mutate func(id string) func(securitygroup.SecurityGroup)
	// stalled is part of the message, or empty if the group is adopted.
	stalled string
	// external name in the end; ID stands for the group's.
	external string
}

// adoptions are what is done with a group that exists already.
func adoptions() map[string]adoption {
	ours := func(e *env) map[string]string { return e.Tags("securitygroup", "edge", kindtest.Cluster) }
	none := func(*env) map[string]string { return nil }
	named := func(f func(id string) string) func(string) func(securitygroup.SecurityGroup) {
		return func(id string) func(securitygroup.SecurityGroup) {
			return func(sg securitygroup.SecurityGroup) { meta.SetExternalName(sg, f(id)) }
		}
	}
	unnamed := func(string) func(securitygroup.SecurityGroup) { return func(securitygroup.SecurityGroup) {} }
	onlyObserve := func(string) func(securitygroup.SecurityGroup) {
		return func(sg securitygroup.SecurityGroup) { sg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe"}) }
	}
	anywhere := func(string) func(securitygroup.SecurityGroup) {
		return func(sg securitygroup.SecurityGroup) {
			sg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe"})
			sg.ForProvider().VPCID, sg.ForProvider().Description = nil, nil
		}
	}

	return map[string]adoption{
		"Ours":        {"All our tags are equal: a lost response, or a deleted and re-applied object.", "edge", ours, unnamed, "", "ID"},
		"Foreign":     {"Somebody else's group is not taken over silently.", "edge", none, unnamed, "external-name to", ""},
		"OtherCase":   {"AWS does not tell the case of letters.", "Edge", none, unnamed, `security group "Edge" of VPC vpc-0a exists already`, ""},
		"ByID":        {"An external name adopts.", "edge", none, named(func(id string) string { return id }), "", "ID"},
		"ByName":      {"The user's form of the external name stays.", "edge", none, named(func(string) string { return "edge" }), "", "edge"},
		"OnlyObserve": {"Who changes nothing takes nothing over.", "edge", none, onlyObserve, "", ""},
		"Anywhere":    {"A name is enough to observe if only one VPC has it.", "edge", none, anywhere, "", ""},
		"OtherCluster": {
			"The same Git in another cluster: neither takes it from the other.", "edge",
			func(e *env) map[string]string { return e.Tags("securitygroup", "edge", "blue") }, unnamed, `another cluster, "blue"`, "",
		},
	}
}

func TestAdoption(t *testing.T) {
	for name, tc := range adoptions() {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				id := e.seed(t, tc.name, tc.tags(e))
				sg := e.group(t, "edge", tc.mutate(id))

				if tc.stalled != "" {
					e.Until(t, sg, "stalled", func() bool { return isStalled(sg) })

					if got := sg.GetCondition(controller.TypeStalled).Message; !strings.Contains(got, tc.stalled) {
						t.Errorf("\n%s\nthe message is %q, want %q in it", tc.reason, got, tc.stalled)
					}
				} else {
					e.UntilApplied(t, sg)
				}

				if got, want := meta.GetExternalName(sg), strings.ReplaceAll(tc.external, "ID", id); got != want {
					t.Errorf("\n%s\nexternal name %q, want %q", tc.reason, got, want)
				}

				if got := e.sdk(t); *got.GroupId != id {
					t.Errorf("\n%s\nit was created again", tc.reason)
				}
			})
		})
	}
}

func TestOnlyObserveChangesNothing(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		e.seed(t, "edge", nil)

		sg := e.group(t, "edge", func(sg securitygroup.SecurityGroup) {
			sg.SetManagementPolicies(xpv2.ManagementPolicies{"Observe"})
			sg.ForProvider().RevokeDefaultEgress = ptr(true)
		})
		e.UntilApplied(t, sg)
		kindtest.Must(t, e.Client.Delete(t.Context(), sg))
		e.UntilGone(t, sg)

		if got := e.Sim.Count("CreateSecurityGroup", "DeleteSecurityGroup", "CreateTags", "DeleteTags", "RevokeSecurityGroupEgress"); got != 0 {
			t.Errorf("AWS was changed %d times", got)
		}
	})
}

func TestImmutableMismatchIsStalled(t *testing.T) {
	cases := map[string]struct {
		mutate func(securitygroup.SecurityGroup)
		want   string
	}{
		"Name":        {func(sg securitygroup.SecurityGroup) { sg.ForProvider().Name = ptr("other") }, `spec.forProvider.name is "other", but security group "edge" has "edge"`},
		"Description": {func(sg securitygroup.SecurityGroup) { sg.ForProvider().Description = ptr("other") }, `spec.forProvider.description is "other", but`},
		"VPC":         {func(sg securitygroup.SecurityGroup) { sg.ForProvider().VPCID = ptr("vpc-0b") }, `spec.forProvider.vpcId is "vpc-0b", but`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				id := e.seed(t, "edge", nil)
				sg := e.group(t, "edge", func(sg securitygroup.SecurityGroup) { meta.SetExternalName(sg, id) }, tc.mutate)
				e.Until(t, sg, "stalled", func() bool { return isStalled(sg) })

				if got := sg.GetCondition(controller.TypeStalled).Message; !strings.HasPrefix(got, tc.want) {
					t.Errorf("the message is %q, want %q", got, tc.want)
				}
			})
		})
	}
}
