package targets

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told says a verdict in one line: "True Healthy", "True NotInUse!" with a warning,
// "- read" for a gate that stays as it is and waits for a read.
func told(v GateVerdict) string {
	text := "-"
	if v.Status != GateUnset {
		text = fmt.Sprintf("%s %s", v.Status, v.Reason)
	}
	if v.Warn {
		text += "!"
	}
	switch v.Awaits {
	case AwaitsHealth:
		text += " awaits health"
	case AwaitsRead:
		text += " awaits read"
	}
	if !v.Next.IsZero() {
		text += " until " + v.Next.Sub(noon).String()
	}
	return text
}

// gateCase is a pod that has been ready for a minute, whose target AWS was asked for
// ten seconds ago.
func gateCase(health Health, reason string, change ...func(*GateCase)) GateCase {
	c := GateCase{
		Now:    noon,
		Pod:    Pod{PodRef: PodRef{Namespace: "edge", Name: "p-a", UID: "u-a"}, Node: "a", Phase: "Running", ContainersReady: true},
		Gate:   Gate{Binding: "web"},
		Target: Target{Key: key("a"), Presence: Registered, Health: health, Reason: reason, ReadAt: noon.Add(-10 * time.Second)},

		ReadyAt: noon.Add(-time.Minute),
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func readyFor(d time.Duration) func(*GateCase) {
	return func(c *GateCase) { c.ReadyAt = noon.Add(-d) }
}
func unreadableFor(d time.Duration) func(*GateCase) {
	return func(c *GateCase) { c.UnreadableSince = noon.Add(-d) }
}
func gateIs(s GateStatus) func(*GateCase) { return func(c *GateCase) { c.Gate.Status = s } }
func notThere(c *GateCase)                { c.Target = Target{Key: c.Target.Key, Presence: Absent} }
func containersUnready(c *GateCase)       { c.Pod.ContainersReady, c.ReadyAt = false, time.Time{} }
func skippedFor(r Rule) func(*GateCase) {
	return func(c *GateCase) {
		notThere(c)
		c.Skip = skipped(c.Pod, r, "cannot be a target")
	}
}

func TestGate(t *testing.T) {
	cases := map[string]struct {
		reason string
		in     GateCase
		want   string
	}{
		"HealthyAsReadSinceThePodIsReady": {
			"AWS has seen this pod answer",
			gateCase(HealthHealthy, ""), "True Healthy",
		},
		"HealthyAsReadBeforeThePodWasReady": {
			"that was its predecessor on the same node: it is read again, and nothing is said meanwhile",
			gateCase(HealthHealthy, "", readyFor(5*time.Second)), "- awaits read",
		},
		"HealthyAndNeverReadForCertain": {
			"a target that was registered again may be read as it was before, for 30 s",
			gateCase(HealthHealthy, "", func(c *GateCase) { c.Target.ReadAt = time.Time{} }), "- awaits read",
		},
		"Registering": {
			"AWS is setting the target up",
			gateCase(HealthInitial, "Elb.RegistrationInProgress"), "False Elb.RegistrationInProgress awaits health",
		},
		"BeingChecked": {
			"AWS has not finished its first checks",
			gateCase(HealthInitial, "Elb.InitialHealthChecking", gateIs(GateFalse)), "False Elb.InitialHealthChecking awaits health",
		},
		"NothingIsSaidInTheFirstSeconds": {
			"an unset gate holds the pod back as well, and what is said at once is old at once",
			gateCase(HealthInitial, "Elb.RegistrationInProgress", readyFor(3*time.Second)), "- awaits health until 2s",
		},
		"WhatIsSaidIsKeptUpFromTheFirstSecondOn": {
			"a gate that says something else must not go on saying it",
			gateCase(HealthInitial, "Elb.InitialHealthChecking", readyFor(3*time.Second), gateIs(GateFalse)), "False Elb.InitialHealthChecking awaits health",
		},
		"Unhealthy": {
			"the health check fails: that is what the gate is for, however long it takes",
			gateCase(HealthUnhealthy, "Target.Timeout", readyFor(time.Hour)), "False Target.Timeout awaits health",
		},
		"UnhealthyAndDraining": {
			"the same while AWS drains its connections",
			gateCase(HealthUnhealthyDraining, "Target.FailedHealthChecks"), "False Target.FailedHealthChecks awaits health",
		},
		"Draining": {
			"it leaves the group, for what was before the pod",
			gateCase(HealthDraining, "Target.DeregistrationInProgress", func(c *GateCase) { c.Target.Presence = Draining }), "False Target.DeregistrationInProgress awaits health",
		},
		"NotInUse": {
			"no listener forwards to the group: no check will ever pass",
			gateCase(HealthUnused, "Target.NotInUse"), "True NotInUse",
		},
		"NotInUseAsReadBefore": {
			"a listener may have come since",
			gateCase(HealthUnused, "Target.NotInUse", readyFor(time.Second)), "- awaits read",
		},
		"Unavailable": {
			"AWS knows no health of it",
			gateCase(HealthUnavailable, "Elb.InternalError"), "True NotInUse",
		},
		"HealthCheckDisabled": {
			"nothing checks it",
			gateCase(HealthUnavailable, "Target.HealthCheckDisabled"), "True NotInUse",
		},
		"AddressThatCannotBeUsed": {
			"no waiting makes the address usable",
			gateCase(HealthUnused, "Target.IpUnusable"), "True Target.IpUnusable!",
		},
		"InstanceThatIsStopped": {
			"the pod cannot run there: Kubernetes will find out",
			gateCase(HealthUnused, "Target.InvalidState"), "False Target.InvalidState awaits health",
		},
		"ZonalShift": {
			"no gate depends on health in a zone that traffic is kept from",
			gateCase(HealthUnhealthy, "Target.Timeout", func(c *GateCase) { c.Target.Shifted = true }), "True ZonalShift",
		},
		"NoTargetByExclusion": {
			"a pod that is taken out by hand is no target as long as that stands",
			gateCase("", "", skippedFor(RuleExcluded)), "True PodExcluded!",
		},
		"NoTargetForWantOfAPort": {
			"no waiting gives the pod the port",
			gateCase("", "", skippedFor(RuleNoPort)), "True NoSuchPort!",
		},
		"NoTargetByHostNetwork": {
			"a pod does not change its network",
			gateCase("", "", skippedFor(RuleNotHostNetwork)), "True NotHostNetwork!",
		},
		"NoTargetByNodeSelector": {
			"a pod does not change its node",
			gateCase("", "", skippedFor(RuleNodeRefused)), "True NodeNotSelected!",
		},
		"NoTargetOnALeavingNode": {
			"the node does not come back",
			gateCase("", "", skippedFor(RuleNodeLeaving)), "True NodeLeaving!",
		},
		"NoTargetOnADepartingNode": {
			"it may be undone, but nodes are announced hours before they go",
			gateCase("", "", skippedFor(RuleNodeDeparting)), "True NodeDeparting!",
		},
		"IncurableEvenBeforeThePodIsReady": {
			"its readiness changes nothing about it",
			gateCase("", "", skippedFor(RuleNoPort), containersUnready), "True NoSuchPort!",
		},
		"NodeThatIsNotKnownYet": {
			"it is about to be",
			gateCase("", "", skippedFor(RuleNodeUnknown)), "False NodeUnknown until 9m0s",
		},
		"NodeWithoutInstanceYet": {
			"the cloud controller sets the providerID some time after the node came",
			gateCase("", "", skippedFor(RuleNoInstance)), "False NoInstanceID until 9m0s",
		},
		"NodeWithoutInstanceForTooLong": {
			"it is no EC2 instance: nothing may block a rollout for ever",
			gateCase("", "", skippedFor(RuleNoInstance), readyFor(10*time.Minute)), "True NoInstanceID!",
		},
		"RefusedByAWS": {
			"it is asked for again",
			gateCase("", "", skippedFor(RuleRefused), gateIs(GateFalse)), "False RefusedByAWS until 9m0s",
		},
		"RefusedByAWSForTooLong": {
			"it was asked for five times",
			gateCase("", "", skippedFor(RuleRefused), readyFor(10*time.Minute)), "True RefusedByAWS!",
		},
		"NotRegisteredYet": {
			"the call is on its way",
			gateCase("", "", notThere), "False NotRegistered until 9m0s",
		},
		"NotRegisteredForTooLong": {
			"a quota is exhausted, or AWS refuses the call",
			gateCase("", "", notThere, readyFor(11*time.Minute)), "True NotRegistered!",
		},
		"RegistrationInDoubt": {
			"of a call that timed out nobody knows the effect",
			gateCase(HealthHealthy, "", func(c *GateCase) { c.Target.Presence = Unknown }), "False NotRegistered until 9m0s",
		},
		"RegistrationForbidden": {
			"the binding only observes: the target does not come",
			gateCase("", "", notThere, func(c *GateCase) { c.NoRegister = "managementPolicies" }), "True RegistrationForbidden!",
		},
		"RegistrationForbiddenAndThere": {
			"whoever registered it: its health counts",
			gateCase(HealthInitial, "Elb.InitialHealthChecking", func(c *GateCase) { c.NoRegister = "managementPolicies" }), "False Elb.InitialHealthChecking awaits health",
		},
		"Paused": {
			"a paused binding looks after nobody",
			gateCase(HealthInitial, "", func(c *GateCase) { c.Stopped = &Stop{RuleGatePaused, "paused"} }), "True BindingPaused!",
		},
		"Deleting": {
			"gates True first",
			gateCase(HealthInitial, "", containersUnready, func(c *GateCase) { c.Stopped = &Stop{RuleGateDeleting, "deleted"} }), "True BindingDeleted!",
		},
		"UnreadableWithoutAValue": {
			"it is said that AWS cannot be asked",
			gateCase("", "", notThere, unreadableFor(time.Minute)), "False AWSUnreadable awaits health until 9m0s",
		},
		"UnreadableWithAValue": {
			"what was known stays",
			gateCase(HealthInitial, "Elb.InitialHealthChecking", unreadableFor(time.Minute), gateIs(GateFalse)), "- awaits health until 9m0s",
		},
		"UnreadableForLongerThanThePodIsReady": {
			"each pod waits for ten minutes of its own: AWS may be back at any time",
			gateCase("", "", notThere, unreadableFor(time.Hour), readyFor(time.Minute)), "False AWSUnreadable awaits health until 9m0s",
		},
		"UnreadableForTooLong": {
			"nothing may block a rollout for ever",
			gateCase("", "", notThere, unreadableFor(time.Hour), readyFor(10*time.Minute)), "True AWSUnreadable!",
		},
		"UnreadableForTooLongWithAValue": {
			"a value that is kept must not block for ever either",
			gateCase(HealthInitial, "", unreadableFor(10*time.Minute), readyFor(time.Hour), gateIs(GateFalse)), "True AWSUnreadable!",
		},
		"HealthyAsReadBeforeAWSWasUnreadable": {
			"AWS has said it",
			gateCase(HealthHealthy, "", unreadableFor(time.Second)), "True Healthy",
		},
		"ContainersNotReady": {
			"there is nothing to guard yet",
			gateCase(HealthHealthy, "", containersUnready), "-",
		},
		"Terminating": {
			"a pod that ends waits for nothing",
			gateCase("", "", skippedFor(RuleNoPort), func(c *GateCase) { c.Pod.Terminating = true }), "-",
		},
		"OpenedBefore": {
			"gates guard the start of a pod: once True, never False again",
			gateCase(HealthUnhealthy, "Target.Timeout", gateIs(GateFalse), func(c *GateCase) { c.Gate.Opened = true }), "True OpenedBefore",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, told(tc.in.Decide())); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestOrphan(t *testing.T) {
	orphan := func(change func(*Orphan)) Orphan {
		o := Orphan{Now: noon, Pod: gateCase("", "").Pod, Gate: Gate{Binding: "web"}, Since: noon.Add(-time.Minute)}
		change(&o)
		return o
	}
	since := func(o *Orphan, d time.Duration) { o.Since = noon.Add(-d) }
	cases := map[string]struct {
		reason string
		in     Orphan
		want   string
	}{
		"AbsentForAMinute":      {"it may come with the same commit", orphan(func(*Orphan) {}), "- until 1m0s"},
		"AbsentForTwoMinutes":   {"a rollout must not wait for what is not there", orphan(func(o *Orphan) { since(o, 2*time.Minute) }), "True BindingNotFound!"},
		"Paused":                {"whether or not it ever worked", orphan(func(o *Orphan) { o.Found, o.Stopped = true, &Stop{RuleGatePaused, "paused"} }), "True BindingPaused!"},
		"Deleting":              {"at once", orphan(func(o *Orphan) { o.Found, o.Stopped = true, &Stop{RuleGateDeleting, "deleted"} }), "True BindingDeleted!"},
		"NotSelected":           {"labels and Services may come late", orphan(func(o *Orphan) { o.Found, o.Works = true, true }), "- until 1m0s"},
		"NotSelectedForLong":    {"the gate names a binding for other pods", orphan(func(o *Orphan) { o.Found, o.Works = true, true; since(o, 2*time.Minute) }), "True NotSelected!"},
		"Inactive":              {"it may wait for credentials", orphan(func(o *Orphan) { o.Found = true; since(o, 9*time.Minute) }), "- until 1m0s"},
		"InactiveForTenMinutes": {"as if AWS could not be read", orphan(func(o *Orphan) { o.Found = true; since(o, 10*time.Minute) }), "True BindingInactive!"},
		"Terminating":           {"a pod that ends waits for nothing", orphan(func(o *Orphan) { since(o, time.Hour); o.Pod.Terminating = true }), "-"},
		"OpenedBefore":          {"once True, never False again", orphan(func(o *Orphan) { o.Gate.Opened = true }), "True OpenedBefore"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, told(tc.in.Decide())); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func gated(p *Pod) { p.Gates = []Gate{{Binding: "web"}} }

func readAt(t *Target) { t.ReadAt = noon }

// TestGatesOfAPlan: what a gate is decided from is what the plan was made of.
func TestGatesOfAPlan(t *testing.T) {
	cases := map[string]struct {
		reason string
		in     Input
		want   string
	}{
		"ByTheTargetOfThePod": {
			"another pod's target says nothing",
			scene(node("a"), node("b"), pod("a", gated), target("a", HealthHealthy, readAt), target("b", HealthUnhealthy, readAt)), "True Healthy",
		},
		"AbsentUntilRegistered": {
			"AWS does not have it",
			scene(node("a"), pod("a", gated)), "False NotRegistered until 9m0s",
		},
		"SkippedByTheNodesSelector": {
			"the plan says why a pod is no target",
			scene(node("a"), pod("a", gated), input(func(in *Input) { in.View.NodeRefused = map[string]bool{"a": true} })), "True NodeNotSelected!",
		},
		"SkippedAndStillRegistered": {
			"until it has left its health counts",
			scene(node("a"), pod("a", gated, excluded), target("a", HealthHealthy, readAt)), "True Healthy",
		},
		"SkippedForWantOfAPort": {
			"a pod that makes no target has no other",
			scene(node("a"), pod("a", gated), input(func(in *Input) { in.View.Selection = Selection{PortName: "other"} })), "True NoSuchPort!",
		},
		"DepartingButTheOnlyOneOfItsZone": {
			"then it is registered",
			scene(node("a", departing), pod("a", gated)), "False NotRegistered until 9m0s",
		},
		"QuotaExhausted": {
			"it waits for room",
			scene(healthyPods("b"), node("a"), pod("a", gated), input(func(in *Input) { in.QuotaFull = true })), "False NotRegistered until 9m0s",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			gating := Gating{Of: map[string]Gated{"u-a": {Gate: Gate{Binding: "web"}, ReadyAt: noon.Add(-time.Minute)}}}
			verdicts := DecideGates(tc.in, NewPlan(tc.in), gating)
			if diff := cmp.Diff(tc.want, told(verdicts["u-a"])); diff != "" || len(verdicts) != 1 {
				t.Errorf("%s: %d verdicts\n-want +got:\n%s", tc.reason, len(verdicts), diff)
			}
		})
	}
}

// TestLawNoGateBlocksForEver: whatever the world, a gate is True or says AWS's own
// word after 10 minutes; and it is never set False once it was True.
func TestLawNoGateBlocksForEver(t *testing.T) {
	forAll(t, func(seed int64) string {
		in := anyWorld(seed)
		for i := range in.Targets {
			in.Targets[i].ReadAt = in.Now
		}
		gating := Gating{Of: map[string]Gated{}}
		for _, p := range in.View.Pods {
			gating.Of[p.UID] = Gated{Gate: Gate{Binding: "web", Opened: seed%3 == 0}, ReadyAt: noon.Add(-GateBound)}
		}
		if seed%2 == 0 {
			gating.UnreadableSince = noon.Add(-GateBound)
		}
		verdicts := DecideGates(in, NewPlan(in), gating)
		for _, p := range in.View.Pods {
			v := verdicts[p.UID]
			switch {
			case seed%3 == 0 && v.Status != GateTrue:
				return p.String() + " was True and is not any more: " + told(v)
			case seed%3 == 0 || v.Status == GateTrue || p.Terminating || over(p):
			case !p.ContainersReady && v.Status == GateUnset:
			case v.Status == GateFalse && v.Awaits == AwaitsHealth && gating.UnreadableSince.IsZero():
			default:
				return p.String() + " waits for ever: " + told(v)
			}
		}
		return ""
	})
}

// claimUnready is what earlier plans would have remembered of a pod that has not been
// ready for long.
func claimUnready(node string) option {
	return func(in *Input) {
		claim(node, 0, false)(in)
		c := in.Memory.Claims[key(node)]
		c.UnreadySince = noon.Add(-time.Hour)
		in.Memory.Claims[key(node)] = c
	}
}

// TestZonalShift: no departure depends on health in a zone that traffic is kept from.
func TestZonalShift(t *testing.T) {
	away := func(t *Target) { t.Shifted = true }
	crossZone := input(func(in *Input) { in.Group.CrossZone = true })
	gone := func(names ...string) option {
		return func(in *Input) {
			for _, name := range names {
				node(name, departing)(in)
				pod(name)(in)
				target(name, HealthHealthy, away)(in)
			}
		}
	}
	checkRules(t, []rule{
		{
			"DeparturesOfTheZoneWaitForNoReplacement", "a shifted zone serves nobody, so no budget is spent there",
			scene(gone("1", "2", "3"), node("4", zone("z2")), pod("4"), target("4", HealthHealthy), crossZone),
			[]string{"- i-1 NodeDeparting", "- i-2 NodeDeparting", "- i-3 NodeDeparting", "= i-4 PodReady"},
		},
		{
			"TheLastOfTheZoneIsNotHeld", "the floor guards what serves",
			scene(node("1", leaving), pod("1"), target("1", HealthHealthy, away), node("2", zone("z2")), pod("2"), target("2", HealthHealthy)),
			[]string{"- i-1 NodeLeaving", "= i-2 PodReady"},
		},
		{
			"PodsThatAreNotReadyForLongLeaveTogether", "the budget that keeps many from leaving at once is for zones that serve",
			scene(node("1"), pod("1", unready(time.Hour)), target("1", HealthUnhealthy, away),
				node("2"), pod("2", unready(time.Hour)), target("2", HealthUnhealthy, away),
				node("3", zone("z2")), pod("3"), target("3", HealthHealthy), claimUnready("1"), claimUnready("2"),
				policy(func(p *Policy) { p.NotReadyDeregister = true })),
			[]string{"- i-1 NotReady", "- i-2 NotReady", "= i-3 PodReady"},
		},
		{
			"AShiftedTargetIsNoReasonForOthersToLeave", "healthy or not, nothing is sent to it",
			scene(node("1", leaving), pod("1"), target("1", HealthHealthy), node("2", zone("z2")), pod("2"), target("2", HealthHealthy, away), crossZone),
			[]string{"~ i-1 Floor", "= i-2 PodReady"},
		},
		{
			"WithoutAShiftTheLastIsHeld", "the same world without a shift",
			scene(node("1", leaving), pod("1"), target("1", HealthHealthy), node("2", zone("z2")), pod("2"), target("2", HealthHealthy)),
			[]string{"~ i-1 Floor", "= i-2 PodReady"},
		},
	})
}
