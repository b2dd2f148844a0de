package securitygrouprule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// age an object: for 30 s after a creation absence is taken for AWS's lag.
func (e *env) age(t *testing.T, r object) {
	t.Helper()
	e.Until(t, r, "read", func() bool { return true })
	e.Change(t, r, func() { meta.SetExternalCreateSucceeded(r, time.Now().Add(-time.Minute)) })
}

// between is a rule into one group from another, by a reference and a selector.
func between(into, from string) func(object) {
	return with(func(p *params) {
		p.SecurityGroupID, p.SecurityGroupIDRef = nil, &v1alpha1.Reference{Name: into}
		p.CIDRIPv4, p.ReferencedSecurityGroupIDSelector = nil, &v1alpha1.Selector{MatchLabels: map[string]string{"name": from}}
	})
}

func TestRuleWaitsForItsGroups(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		r := e.rule(t, "https", between("into", "from"))
		waits := func(parts ...string) func() bool {
			return func() bool {
				c := r.GetCondition(xpv2.TypeReady)
				for _, p := range parts {
					if c.Reason != controller.ReasonWaitingForReference || !strings.Contains(c.Message, p) {
						return false
					}
				}

				return true
			}
		}
		e.Until(t, r, "waiting for the group", waits("securityGroupIdRef", `"into" does not exist`))

		into := e.group(t, "into")
		e.Until(t, r, "waiting for the source", waits("referencedSecurityGroupIdSelector", "does not exist"))

		from := e.group(t, "from")
		e.UntilApplied(t, r)
		e.UntilApplied(t, into)
		e.UntilApplied(t, from)

		got := e.rules(t, meta.GetExternalName(into))
		if len(got) != 1 || *got[0].ReferencedGroupInfo.GroupId != meta.GetExternalName(from) {
			t.Errorf("AWS has %+v", got)
		}
	})
}

func TestRuleThatStillWaitsCanBeDeleted(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		r := e.rule(t, "https", between("never", "never"))
		e.Until(t, r, "waiting", func() bool { return r.GetCondition(xpv2.TypeReady).Reason == controller.ReasonWaitingForReference })
		kindtest.Must(t, e.Client.Delete(t.Context(), r))
		e.UntilGone(t, r)
	})
}

func TestDeletionInAnyOrderEnds(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		into, from := e.group(t, "into"), e.group(t, "from")
		r := e.rule(t, "https", between("into", "from"))
		e.UntilApplied(t, r)

		kindtest.Must(t, e.Client.Delete(t.Context(), from))
		e.Until(t, from, "blocked", func() bool { return kindtest.Is(from, controller.TypeDeletionBlocked, "True") })

		if got := from.GetCondition(controller.TypeDeletionBlocked).Message; got != `still used by SecurityGroupRule "https"` {
			t.Errorf("the message is %q", got)
		}

		// The group goes with its rules, and the other one can go, too.
		kindtest.Must(t, e.Client.Delete(t.Context(), into))
		e.UntilGone(t, into)
		e.UntilGone(t, from)
		e.age(t, r)
		kindtest.Must(t, e.Client.Delete(t.Context(), r))
		e.UntilGone(t, r)
	})
}

func TestReferenceToAnotherGroupIsStalled(t *testing.T) {
	bothScopes(t, func(t *testing.T, e *env) {
		first, second := e.group(t, "first"), e.group(t, "second")
		r := e.rule(t, "https", with(func(p *params) { p.SecurityGroupID, p.SecurityGroupIDRef = nil, &v1alpha1.Reference{Name: "first"} }))
		e.UntilApplied(t, first)
		e.UntilApplied(t, second)
		e.UntilApplied(t, r)

		id := meta.GetExternalName(r)
		e.Change(t, r, func() { r.ForProvider().SecurityGroupIDRef.Name = "second" })
		e.Until(t, r, "stalled", func() bool { return isStalled(r) })

		if got := r.GetCondition(controller.TypeStalled).Message; !strings.Contains(got, "AWS cannot move it") {
			t.Errorf("the message is %q", got)
		}

		e.age(t, r)

		old := meta.GetExternalName(first)
		_, err := e.EC2.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &old, SecurityGroupRuleIds: []string{id}})
		kindtest.Must(t, err)
		e.Change(t, r, func() { r.ForProvider().Description = ptr("moved") })
		e.Until(t, r, "in the other group", func() bool {
			return r.ObservedState().AtProvider.SecurityGroupID == meta.GetExternalName(second) && kindtest.Is(r, xpv2.TypeReady, "True")
		})
	})
}
