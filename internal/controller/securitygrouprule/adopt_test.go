package securitygrouprule_test

import (
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

type adoption struct {
	reason string
	tags   func(*env) map[string]string
	mutate func(id string) func(object)
	// stalled is part of the message, or empty if the rule is adopted.
	stalled string
	// external name in the end; ID stands for the rule's.
	external string
}

// adoptions are what is done with a rule that exists already.
func adoptions() map[string]adoption {
	tags := func(cluster string) func(*env) map[string]string {
		return func(e *env) map[string]string { return e.Tags("securitygrouprule", "https", cluster) }
	}
	none := func(*env) map[string]string { return nil }
	unnamed := func(string) func(object) { return func(object) {} }
	changed := func(string) func(object) { return with(func(p *params) { p.CIDRIPv4 = ptr("11.0.0.0/8") }) }

	return map[string]adoption{
		"Ours":         {"All our tags are equal: a lost response, or a deleted and re-applied object.", tags(kindtest.Cluster), unnamed, "", "ID"},
		"OursChanged":  {"The content was changed before the response was known to be lost.", tags(kindtest.Cluster), changed, "", "ID"},
		"OtherCluster": {"The same Git in another cluster: neither takes it from the other.", tags("blue"), unnamed, `another cluster, "blue"`, ""},
		"Foreign":      {"Somebody else's rule is not taken over silently.", none, unnamed, "otherwise declare another rule", ""},
		"ByID":         {"An external name adopts.", none, external, "", "ID"},
		"NoID":         {"Rules have no names.", none, func(string) func(object) { return external("https") }, "a security group rule has no name", "https"},
		"OnlyObserve":  {"Who changes nothing takes nothing over.", none, func(string) func(object) { return policies("Observe") }, "", ""},
	}
}

func TestAdoption(t *testing.T) {
	for name, tc := range adoptions() {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				id := e.seed(t, tc.tags(e))
				r := e.rule(t, "https", tc.mutate(id))

				if tc.stalled != "" {
					e.Until(t, r, "stalled", func() bool { return isStalled(r) })

					if got := r.GetCondition(controller.TypeStalled).Message; !strings.Contains(got, tc.stalled) {
						t.Errorf("\n%s\nthe message is %q, want %q in it", tc.reason, got, tc.stalled)
					}
				} else {
					e.UntilApplied(t, r)
				}

				if got, want := meta.GetExternalName(r), strings.ReplaceAll(tc.external, "ID", id); got != want {
					t.Errorf("\n%s\nexternal name %q, want %q", tc.reason, got, want)
				}

				if got := *e.sdk(t).SecurityGroupRuleId; got != id {
					t.Errorf("\n%s\nit was created again", tc.reason)
				}
			})
		})
	}
}

func TestDuplicateThatIsSeenOnlyAfterCreateIsRefused(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		// Nobody has told us of it when we look first.
		e.Sim.Fault(awssim.Fault{Action: "AuthorizeSecurityGroupIngress", Times: 1, Effect: awssim.Answer, Code: "InvalidPermission.Duplicate", Message: "exists"})
		r := e.rule(t, "https")
		e.Until(t, r, "refused", func() bool { return kindtest.Is(r, xpv2.TypeSynced, "False") || kindtest.Is(r, xpv2.TypeReady, "True") })
		e.UntilApplied(t, r)
		e.sdk(t)
	})
}

func TestContentOfAnotherRuleIsRefused(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		foreign := e.seed(t, nil)
		r := e.rule(t, "https", with(func(p *params) { p.CIDRIPv4 = ptr("11.0.0.0/8") }))
		e.UntilApplied(t, r)
		e.Change(t, r, func() { r.ForProvider().CIDRIPv4 = ptr("10.9.9.9/8") })
		e.Until(t, r, "stalled", func() bool { return isStalled(r) })

		if got := r.GetCondition(controller.TypeStalled); !strings.Contains(got.Message, foreign) || got.Reason != controller.ReasonIdentityTaken {
			t.Errorf("the message names the other rule, %s: %+v", foreign, got)
		}

		if got := e.Sim.Count("ModifySecurityGroupRules"); got != 0 {
			t.Errorf("AWS was asked %d times for what it must refuse", got)
		}
	})
}

func TestImmutableMismatchIsStalled(t *testing.T) {
	cases := map[string]struct {
		mutate func(*params)
		want   string
	}{
		"Direction": {func(p *params) { p.Direction = ptr("egress") }, "the rule's direction is declared as egress"},
		"Source":    {func(p *params) { p.CIDRIPv4, p.CIDRIPv6 = nil, ptr("::/0") }, "the rule's source is declared as cidrIpv6"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothScopes(t, func(t *testing.T, e *env) {
				r := e.rule(t, "https", external(e.seed(t, nil)), with(tc.mutate))
				e.Until(t, r, "stalled", func() bool { return isStalled(r) })

				if got := r.GetCondition(controller.TypeStalled).Message; !strings.HasPrefix(got, tc.want) {
					t.Errorf("the message is %q, want %q", got, tc.want)
				}
			})
		})
	}
}

func TestOnlyObserveChangesNothing(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		id := e.seed(t, nil)
		r := e.rule(t, "https", external(id), policies("Observe"), with(func(p *params) {
			*p = params{Region: p.Region, SecurityGroupID: p.SecurityGroupID}
		}))
		e.UntilApplied(t, r)

		if got := r.ObservedState().AtProvider; got.ID != id || got.Source != "10.0.0.0/8" {
			t.Errorf("observed %+v", got)
		}

		kindtest.Must(t, e.Client.Delete(t.Context(), r))
		e.UntilGone(t, r)

		if got := e.Sim.Count("AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules", "RevokeSecurityGroupIngress", "CreateTags", "DeleteTags"); got != 0 {
			t.Errorf("AWS was changed %d times", got)
		}
	})
}
