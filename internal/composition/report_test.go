package composition_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/composition"
)

// observe sets the status of a composed resource.
func (w *world) observe(composite, name, status string) {
	w.t.Helper()

	o, ok := w.observed[composite][name]
	if !ok {
		w.t.Fatalf("there is no %s in %q", name, composite)
	}

	o["status"] = parse(w.t, status)
}

// report is what a composite resource says after it has been composed again.
func (w *world) report(composite string) composition.Response {
	w.t.Helper()

	rsp, err := w.compose(composite)
	if err != nil {
		w.t.Fatal(err)
	}

	w.apply(composite, rsp)
	w.composites[composite]["status"] = rsp.Status

	return rsp
}

const balancerStatus = `{atProvider: {arn: "arn:lb", dnsName: edge.example.org, canonicalHostedZoneId: Z1}}`

func TestStatusAndConnection(t *testing.T) {
	want := composition.Object{
		"dnsName": "edge.example.org", "canonicalHostedZoneId": "Z1", "loadBalancerArn": "arn:lb", "securityGroupId": "sg-01",
		"healthy": "80: 0/0, 443: 2/3",
		"ports": []any{
			composition.Object{"port": 80.0, "healthy": 0.0, "registered": 0.0},
			composition.Object{"port": 443.0, "healthy": 2.0, "registered": 3.0, "countedAt": "2026-11-23T12:00:00Z"},
		},
	}

	for kind, secret := range map[string]bool{"NetworkLoadBalancer": true, "XNetworkLoadBalancer": false} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, kind, with(t, "spec: {ports: [{port: 443}, {port: 80}]}")).settle()
			// One that came later would be one more step of the creation.
			if early, there := w.responses[""].Resources["connection"]; there != secret || early.Object["data"] != nil {
				t.Errorf("before anything is known there is %v, want a Secret without data: %t", early.Object, secret)
			}

			w.observe("", "load-balancer", balancerStatus)
			w.observe("", "security-group", "{atProvider: {id: sg-01}}")
			w.observe("", "port-443", `{healthy: 2, registered: 3, countedAt: "2026-11-23T12:00:00Z"}`)
			w.now = w.now.Add(time.Minute)

			rsp := w.report("")
			if diff := cmp.Diff(want, rsp.Status); diff != "" {
				t.Errorf("status: -want, +got:\n%s", diff)
			}

			details := map[string][]byte{"dnsName": []byte("edge.example.org"), "canonicalHostedZoneId": []byte("Z1"), "arn": []byte("arn:lb")}

			if !secret {
				if diff := cmp.Diff(details, rsp.Connection); diff != "" || rsp.Resources["connection"].Object != nil {
					t.Errorf("connection details of a legacy composite resource: -want, +got:\n%s", diff)
				}

				return
			}

			composed := composition.Resource{Ready: true, Object: composition.Object{
				"apiVersion": "v1", "kind": "Secret", "type": "connection.crossplane.io/v1alpha1",
				"metadata": composition.Object{"namespace": "shop", "name": "edge-nlb", "labels": composition.Object{"edge.nlb.crossplane.io/name": "edge"}},
				"data":     composition.Object{"dnsName": "ZWRnZS5leGFtcGxlLm9yZw==", "canonicalHostedZoneId": "WjE=", "arn": "YXJuOmxi"},
			}}
			if diff := cmp.Diff(composed, rsp.Resources["connection"]); diff != "" {
				t.Errorf("Secret: -want, +got:\n%s", diff)
			}

			// Somebody restored the load balancer without its status.
			w.observe("", "load-balancer", "{}")

			if diff := cmp.Diff(composed, w.report("").Resources["connection"]); diff != "" {
				t.Errorf("the Secret must stay when nothing is known for a moment: -want, +got:\n%s", diff)
			}
		})
	}
}

// TestCounts: the numbers of a port are shown soon enough, and change seldom
// enough. Each case goes on a port that shows 2 of 3 since a while.
func TestCounts(t *testing.T) {
	cases := map[string]struct {
		reason  string
		age     time.Duration
		targets string
		want    string
		again   time.Duration
	}{
		"Unchanged":       {reason: "Nothing is written when nothing changed.", age: time.Hour, targets: "healthy: 2, registered: 3", want: "2/3"},
		"SoonAfter":       {reason: "In a rollout each step would be an update.", age: 10 * time.Second, targets: "healthy: 1, registered: 3", want: "2/3", again: 51 * time.Second},
		"AMinuteAfter":    {reason: "It is never older than that.", age: time.Minute, targets: "healthy: 1, registered: 3", want: "1/3"},
		"NoneHealthy":     {reason: "Whoever looks must see it.", age: time.Second, targets: "healthy: 0, registered: 3", want: "0/3"},
		"NoneRegistered":  {reason: "Whoever looks must see it.", age: time.Second, targets: "healthy: 0, registered: 0", want: "0/0"},
		"AllHealthy":      {reason: "The end of a rollout is what people wait for.", age: 20 * time.Second, targets: "healthy: 3, registered: 3", want: "3/3"},
		"AllHealthyAgain": {reason: "But not each time in a rollout one by one.", age: 10 * time.Second, targets: "healthy: 3, registered: 3", want: "2/3", again: 11 * time.Second},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "NetworkLoadBalancer", with(t, "")).settle()
			w.observe("port-443", "binding-tcp", "{atProvider: {targets: {desired: 3, healthy: 2, registered: 3}}}")

			w.report("port-443")
			w.now = w.now.Add(tc.age)
			w.observe("port-443", "binding-tcp", "{atProvider: {targets: {desired: 3, "+tc.targets+"}}}")

			rsp := w.report("port-443")
			if got := text(rsp.Status, "healthy") + "/" + text(rsp.Status, "registered"); got != tc.want || rsp.Again != tc.again {
				t.Errorf("\n%s\nwant %s and to look again in %s, got %s and %s", tc.reason, tc.want, tc.again, got, rsp.Again)
			}

			if rsp.Waits {
				t.Error("numbers must not keep the port from being ready")
			}
		})
	}
}

// TestFirstNumbers: a port that is being created is not written for each step.
func TestFirstNumbers(t *testing.T) {
	cases := map[string]struct {
		reason  string
		age     time.Duration
		targets string
		want    string
		again   time.Duration
	}{
		"NothingYet":     {reason: "Nothing is registered, and nothing was.", targets: "", want: "/", again: 21 * time.Second},
		"NotHealthyYet":  {reason: "The first check takes AWS some seconds.", targets: "registered: 3", want: "/", again: 21 * time.Second},
		"Healthy":        {reason: "Whoever waits must see it.", targets: "healthy: 1, registered: 3", want: "1/3"},
		"StillUnhealthy": {reason: "Something may be wrong, so it is told.", age: 20 * time.Second, targets: "registered: 3", want: "0/3"},
		"StillNothing":   {reason: "Something may be wrong, so it is told.", age: 20 * time.Second, targets: "", want: "0/0"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "NetworkLoadBalancer", with(t, "")).settle()
			w.now = epoch.Add(tc.age)
			w.observe("port-443", "binding-tcp", "{atProvider: {targets: {desired: 3, "+tc.targets+"}}}")

			rsp := w.report("port-443")
			if got := text(rsp.Status, "healthy") + "/" + text(rsp.Status, "registered"); got != tc.want || rsp.Again != tc.again {
				t.Errorf("\n%s\nwant %s and to look again in %s, got %s and %s", tc.reason, tc.want, tc.again, got, rsp.Again)
			}

			// The load balancer tells of its ports as soon as there are numbers.
			told := text(w.report("").Status, "healthy") != ""
			if told != (tc.want != "/") {
				t.Errorf("\n%s\nthe load balancer tells of its ports: %t", tc.reason, told)
			}
		})
	}
}

// TestFirstNumbersOfPortsComeTogether: each would be an update of its own, and ports
// get their targets at the same time, as a rule.
func TestFirstNumbersOfPortsComeTogether(t *testing.T) {
	const counted = `{healthy: 1, registered: 1, countedAt: "2026-11-23T12:00:00Z"}`

	w := newWorld(t, "NetworkLoadBalancer", with(t, "spec: {ports: [{port: 443}, {port: 80}]}")).settle()
	w.now = epoch.Add(2 * time.Second)
	w.observe("", "port-443", counted)

	if rsp := w.report(""); rsp.Status["healthy"] != nil || rsp.Again != 4*time.Second {
		t.Errorf("the first port waits for the other, and not for ever, got %v and to look again in %s", rsp.Status, rsp.Again)
	}

	late := w.now
	w.now = epoch.Add(5 * time.Second)

	if rsp := w.report(""); rsp.Status["healthy"] != "80: 0/0, 443: 1/1" {
		t.Errorf("it has waited long enough, got %v", rsp.Status)
	}

	w.now = late

	if rsp := w.report(""); rsp.Status["healthy"] != "80: 0/0, 443: 1/1" {
		t.Errorf("what was told stays, got %v", rsp.Status)
	}

	w.composites[""]["status"] = nil
	w.observe("", "port-80", counted)

	if rsp := w.report(""); rsp.Status["healthy"] != "80: 1/1, 443: 1/1" {
		t.Errorf("both are known, got %v", rsp.Status)
	}
}

// TestTheGroupIsToldWithTheLoadBalancer: one update for both.
func TestTheGroupIsToldWithTheLoadBalancer(t *testing.T) {
	w := newWorld(t, "NetworkLoadBalancer", with(t, "")).settle()
	w.observe("", "security-group", "{atProvider: {id: sg-01}}")

	if diff := cmp.Diff(composition.Object{}, w.report("").Status); diff != "" {
		t.Errorf("the group alone is not worth an update: -want, +got:\n%s", diff)
	}

	w.observe("", "load-balancer", balancerStatus)

	if got := w.report("").Status["securityGroupId"]; got != "sg-01" {
		t.Errorf("it comes with the address, got %v", got)
	}
}

// TestProblems: what a claim says of a resource with these conditions.
func TestProblems(t *testing.T) {
	condition := func(typ, status, reason, message string) string {
		return "{type: " + typ + ", status: '" + status + "', reason: " + reason + ", message: '" + message + "', lastTransitionTime: '2026-11-23T12:00:00Z'}"
	}
	well := condition("Synced", "True", "ReconcileSuccess", "") + "," + condition("Ready", "True", "Available", "")
	limit := condition("Synced", "False", "ReconcileError", "RulesPerSecurityGroupLimitExceeded: 60 rules")

	cases := map[string]struct {
		reason string
		// conditions of the port's resources, and what the binding counts.
		listener, rule, binding, targets string
		want                             *composition.Problem
	}{
		"AllWell": {reason: "There is nothing to say.", listener: well, rule: well, binding: well, targets: "desired: 1, registered: 1"},
		"NotSynced": {
			reason: "AWS's answer is what people need.", listener: condition("Synced", "False", "ReconcileError", "CertificateNotFound: no such certificate"),
			want: &composition.Problem{Reason: "ReconcileError", Message: "Listener edge-443: CertificateNotFound: no such certificate"},
		},
		"FirstByName": {
			reason: "The same one each time, or the condition would flap.", listener: condition("Synced", "False", "ReconcileError", "a"), rule: limit,
			want: &composition.Problem{Reason: "ReconcileError", Message: "SecurityGroupRule edge-443-from-10.0.0.0-8-tcp: RulesPerSecurityGroupLimitExceeded: 60 rules"},
		},
		"StalledFirst": {
			reason: "Nothing else helps as long as that is so.", rule: limit, listener: condition("Stalled", "True", "IdentityTaken", "it is another one"),
			want: &composition.Problem{Reason: "IdentityTaken", Message: "Listener edge-443: it is another one", Stalled: true},
		},
		"Waiting": {reason: "What it waits for has a reason of its own, or just takes time.", listener: condition("Ready", "False", "WaitingForReference", "waits"), rule: condition("Ready", "False", "Creating", "")},
		"Failed": {
			reason: "AWS says why.", listener: condition("Ready", "False", "Missing", "it does not exist"),
			want: &composition.Problem{Reason: "Missing", Message: "Listener edge-443: it does not exist"},
		},
		"WorthKnowing": {
			reason: "It may be intended.", binding: well + "," + condition("Skipped", "True", "NotHostNetwork", "3 pods match, none uses hostNetwork"), targets: "desired: 0",
			want: &composition.Problem{Reason: "NotHostNetwork", Message: "TargetGroupBinding edge-443-tcp: 3 pods match, none uses hostNetwork"},
		},
		"SecondClaim": {
			reason: "Whoever claims the same pods twice wants to know by whom.", binding: well + "," + condition("SharesPods", "True", "SelectedTwice", "TargetGroupBinding shop/other selects the same pods"), targets: "desired: 1",
			want: &composition.Problem{Reason: "SelectedTwice", Message: "TargetGroupBinding edge-443-tcp: TargetGroupBinding shop/other selects the same pods"},
		},
		"NoHealthyTarget": {
			reason: "Who claims a load balancer wants to know that a firewall drops its checks.", targets: "desired: 1",
			binding: well + "," + condition("TargetsHealthy", "False", "HealthChecksTimeOut", "allow TCP 443"),
			want:    &composition.Problem{Reason: "HealthChecksTimeOut", Message: "TargetGroupBinding edge-443-tcp: allow TCP 443"},
		},
		"HealthyTargets": {
			reason: "Advice about rollouts is the binding's own.", targets: "desired: 1",
			binding: well + "," + condition("TargetsHealthy", "True", "Healthy", "") + "," + condition("DrainRisk", "True", "NoPreStop", "pods have no preStop hook"),
		},
		"JustStarted": {reason: "It lasts for moments only.", binding: well + "," + condition("ViewIncomplete", "True", "NothingIsDeregistered", "pods: not synced yet"), targets: "desired: 1"},
		"GatesNotSet": {
			reason: "A rollout stands still until somebody grants the permission.", targets: "desired: 1",
			binding: well + "," + condition("GatesNotSet", "True", "CannotPatch", "lacks permission"),
			want:    &composition.Problem{Reason: "CannotPatch", Message: "TargetGroupBinding edge-443-tcp: lacks permission"},
		},
		"NothingSelected": {
			reason: "A selector that matches nothing looks like one that works.", binding: well, targets: "desired: 0",
			want: &composition.Problem{Reason: "NoTargets", Message: "no ready hostNetwork pod that podSelector selects has port 443: nothing is registered"},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "NetworkLoadBalancer", with(t, "")).settle()
			for resource, conditions := range map[string]string{"listener": tc.listener, "from-10.0.0.0-8-tcp": tc.rule} {
				w.observe("port-443", resource, "{conditions: ["+conditions+"]}")
			}

			targets := ""
			if tc.targets != "" {
				targets = ", atProvider: {targets: {" + tc.targets + "}}"
			}

			w.observe("port-443", "binding-tcp", "{conditions: ["+tc.binding+"]"+targets+"}")

			rsp := w.report("port-443")
			if diff := cmp.Diff(tc.want, rsp.Problem); diff != "" {
				t.Fatalf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}

			if tc.want == nil {
				return
			}

			// The claim says the same, with the port.
			conditions := condition(composition.TypeProblem, "True", tc.want.Reason, tc.want.Message)
			if tc.want.Stalled {
				conditions += "," + condition("Stalled", "True", tc.want.Reason, tc.want.Message)
			}

			w.observe("", "port-443", "{conditions: ["+conditions+"]}")

			want := *tc.want
			want.Message = "port 443: " + want.Message

			if diff := cmp.Diff(&want, w.report("").Problem); diff != "" {
				t.Errorf("\n%s\non the claim: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestInvalid: what shows only when it is composed.
func TestInvalid(t *testing.T) {
	cases := map[string]struct {
		reason, kind, claim string
		labels              composition.Object
		want                string
	}{
		"NoNamespace": {
			reason: "A tenant's pods are in the claim's namespace, and nowhere else.", kind: "XNetworkLoadBalancer",
			want: "create it by a NetworkLoadBalancerClaim: the pods are looked for in the claim's namespace",
		},
		"BadRange": {
			reason: "The pattern of the schema cannot tell.", kind: "NetworkLoadBalancer", claim: "spec: {clients: {cidrs: [10.0.0.0/33]}}",
			want: `spec.clients.cidrs: "10.0.0.0/33" is no range of addresses such as 10.0.0.0/8 or 2001:db8::/32`,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tc.kind, with(t, tc.claim))
			w.composites[""]["metadata"].(composition.Object)["labels"] = tc.labels //nolint:forcetypeassert // It is always there.

			if _, err := w.compose(""); err == nil || err.Error() != tc.want {
				t.Errorf("\n%s\nwant %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
}
