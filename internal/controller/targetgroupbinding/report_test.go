package targetgroupbinding

import (
	"fmt"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/aws"
	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/binder"
	"github.com/provider-nlb/provider-nlb/internal/targets"
)

// told is an external that keeps the Events that it makes.
func told(events *[]string) *external {
	return &external{connector: &connector{event: func(_ binder.Ref, e binder.Event) {
		*events = append(*events, e.Reason+": "+e.Message)
	}}}
}

func ready() binder.Condition {
	return binder.Condition{Type: "Ready", Reason: "Available", Status: true}
}

// TestEachSkippedPodIsExplained: kubectl describe shows status, so what is there is what
// people see.
func TestEachSkippedPodIsExplained(t *testing.T) {
	var events []string
	e, b := told(&events), binding("web", v1alpha1.TargetGroupBindingParameters{})
	skips := []targets.Skip{
		{Pod: targets.PodRef{Namespace: "edge", Name: "a"}, Rule: targets.RuleNoInstance, Reason: `node "n" has no EC2 instance id in its providerID`},
		{Pod: targets.PodRef{Namespace: "edge", Name: "b"}, Rule: targets.RuleExcluded, Reason: "is excluded by annotation nlb.crossplane.io/exclude"},
	}
	snap := binder.Snapshot{Generation: 1, Skipped: skips, SkippedTotal: 31, Conditions: []binder.Condition{
		ready(), {Type: "Skipped", Reason: string(skips[0].Rule), Message: "a: " + skips[0].Reason + "; status.atProvider.skipped has the others", Status: true},
	}}
	for range 3 {
		e.report(t.Context(), b, snap, true)
	}
	want := []v1alpha1.SkippedPod{{Pod: "edge/a", Reason: skips[0].Reason}, {Pod: "edge/b", Reason: skips[1].Reason}}
	if diff := cmp.Diff(want, b.ObservedState().AtProvider.Skipped); diff != "" {
		t.Errorf("skipped: -want, +got:\n%s", diff)
	}
	if got := b.ObservedState().AtProvider.SkippedTotal; got != 31 {
		t.Errorf("%d are skipped in all, want 31", got)
	}
	if c := b.GetCondition("Skipped"); c.Status != corev1.ConditionTrue || string(c.Reason) != "NoInstanceID" {
		t.Errorf("condition Skipped is %+v", c)
	}
	if diff := cmp.Diff([]string{"NoInstanceID: " + snap.Conditions[1].Message}, events); diff != "" {
		t.Errorf("the same is told once: -want, +got:\n%s", diff)
	}
	snap.Conditions[1].Reason, snap.Conditions[1].Message = "PodExcluded", "b: "+skips[1].Reason
	e.report(t.Context(), b, snap, true)
	if len(events) != 2 {
		t.Errorf("another reason is told, too: %v", events)
	}
	snap = binder.Snapshot{Generation: 1, Counts: targets.Counts{Tally: targets.Tally{Desired: 1}}, Conditions: []binder.Condition{ready()}}
	e.report(t.Context(), b, snap, true)
	if c := b.GetCondition("Skipped"); c.Status != corev1.ConditionUnknown || len(b.ObservedState().AtProvider.Skipped) != 0 {
		t.Errorf("what is over is not shown: %+v", b.ObservedState())
	}
}

func TestWhatIsUndecidedStays(t *testing.T) {
	var events []string
	e, b := told(&events), binding("web", v1alpha1.TargetGroupBindingParameters{})
	some := targets.Counts{Tally: targets.Tally{Desired: 1}}
	says := func(undecided []string, conditions ...binder.Condition) xpv2.Condition {
		e.report(t.Context(), b, binder.Snapshot{Generation: 1, Counts: some, Undecided: undecided, Conditions: append([]binder.Condition{ready()}, conditions...)}, true)
		return b.GetCondition("TargetsHealthy")
	}
	bad := binder.Condition{Type: "TargetsHealthy", Reason: "NoTargetHealthy", Message: "no target is healthy"}
	if c := says(nil, bad); c.Status != corev1.ConditionFalse {
		t.Errorf("%+v, want False", c)
	}
	if c := says([]string{"TargetsHealthy"}); c.Status != corev1.ConditionFalse || string(c.Reason) != "NoTargetHealthy" {
		t.Errorf("%+v, want what was said before: after a start nobody knows", c)
	}
	if c := says(nil); c.Status != corev1.ConditionUnknown {
		t.Errorf("%+v, want none: it does not apply any more", c)
	}
	if diff := cmp.Diff([]string{"NoTargetHealthy: no target is healthy"}, events); diff != "" {
		t.Errorf("Events: -want, +got:\n%s", diff)
	}
}

// TestWhatWasReadyStaysUntilTheGroupIsRead: after a restart with hundreds of bindings
// that takes half a minute, in which nothing has changed.
func TestWhatWasReadyStaysUntilTheGroupIsRead(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(Binding)
		stays  bool
	}{
		"Restart":    {"It was Ready, and nobody knows better.", func(Binding) {}, true},
		"Changed":    {"It says nothing of another generation.", func(b Binding) { b.SetGeneration(2) }, false},
		"OtherGroup": {"Nor of another group.", func(b Binding) { b.ObservedState().AtProvider.TargetGroupARN = "arn:other" }, false},
		"NotReady":   {"It waits for the engine.", func(b Binding) { b.SetConditions(condition(binder.Condition{Type: "Ready", Reason: "Registering"})) }, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var events []string
			e, b := told(&events), binding("web", v1alpha1.TargetGroupBindingParameters{})
			b.ObservedState().AtProvider.TargetGroupARN = "arn:web"
			b.SetConditions(condition(ready()).WithObservedGeneration(1))
			tc.change(b)
			e.served = served(b, "arn:web")
			e.report(t.Context(), b, binder.Snapshot{}, false)
			if c := b.GetCondition("Ready"); (c.Status == corev1.ConditionTrue) != tc.stays || !tc.stays && c.Reason != "Applying" {
				t.Errorf("\n%s\nReady is %+v, want it to stay: %t", tc.reason, c, tc.stays)
			}
		})
	}
}

// TestAnEarlierGenerationGoesOnBeingTold while the present one cannot be served, and
// does not make it ready. Its problems were told when they came.
func TestAnEarlierGenerationGoesOnBeingTold(t *testing.T) {
	var events []string
	e, b := told(&events), binding("web", v1alpha1.TargetGroupBindingParameters{})
	snap := binder.Snapshot{Generation: 1, Counts: targets.Counts{Tally: targets.Tally{Registered: 3}}, Conditions: []binder.Condition{
		{Type: "Ready", Reason: reasonNothingSelected, Message: "no such Service"},
		{Type: "Held", Reason: "NoPodMatches", Message: "3 targets stay", Status: true},
	}}
	e.tell(t.Context(), b, asOf(1, snap))
	if diff := cmp.Diff([]string{reasonNothingSelected + ": spec.forProvider.serviceRef: no such Service; correct the Service, or the reference", "NoPodMatches: 3 targets stay"}, events); diff != "" {
		t.Errorf("Events: -want, +got:\n%s", diff)
	}
	b.SetGeneration(2)
	snap.Counts.Registered = 2
	events = nil
	for range 3 {
		e.tell(t.Context(), b, asOf(b.GetGeneration(), snap))
	}
	if got := b.ObservedState().AtProvider.Targets.Registered; got != 2 {
		t.Errorf("%d targets are told, want 2: it goes on with what it had", got)
	}
	if c := b.GetCondition("Held"); c.Status != corev1.ConditionTrue {
		t.Errorf("Held is %+v, want True", c)
	}
	want := "False Applying: this spec cannot be served: Synced says why; the one before it goes on being served"
	if c := b.GetCondition(xpv2.TypeReady); fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message) != want {
		t.Errorf("Ready is %+v\nwant %s", c, want)
	}
	if len(events) != 0 {
		t.Errorf("told again: %q", events)
	}
}

// TestWhatDropsHealthChecksIsNamed, with the load balancer that AWS has.
func TestWhatDropsHealthChecksIsNamed(t *testing.T) {
	inBubble(t, func(t *testing.T, sim *awssim.Sim, find func(Binding) (string, error)) {
		sim.SeedSubnet(awssim.Subnet{ID: "subnet-0a1b2c3d", Region: "eu-west-1", VPC: "vpc-0a", Zone: "eu-west-1a", CIDR: "10.0.0.0/24"})
		sim.SeedSecurityGroup(awssim.SecurityGroupSeed{ID: "sg-0a1b2c3d", Region: "eu-west-1", VPC: "vpc-0a", Name: "edge"})
		lb, err := sim.SeedLoadBalancer(awssim.LoadBalancerSeed{Region: "eu-west-1", Name: "edge", Subnets: []string{"subnet-0a1b2c3d"}, SecurityGroups: []string{"sg-0a1b2c3d"}})
		if err != nil {
			t.Fatal(err)
		}
		arn := seed(t, sim, "web", nil)
		if _, err := sim.SeedListener(lb, "TCP", 443, arn); err != nil {
			t.Fatal(err)
		}
		b := binding("web", v1alpha1.TargetGroupBindingParameters{TargetGroupARN: &arn})
		if _, err := find(b); err != nil {
			t.Fatal(err)
		}
		var events []string
		e := told(&events)
		e.options.PollInterval = poll
		e.access = accessTo(t, sim)
		snap := binder.Snapshot{
			Generation: 1, Counts: targets.Counts{Tally: targets.Tally{Desired: 1}}, Ports: []int32{8443},
			Conditions: []binder.Condition{ready(), {Type: "TargetsHealthy", Reason: binder.ReasonTimeout, Message: "all time out"}},
		}
		never := snap
		never.Conditions = []binder.Condition{ready(), {Type: "TargetsHealthy", Reason: binder.ReasonNeverHealthy, Message: "all fail"}}
		e.report(t.Context(), b, never, true)
		want := fmt.Sprintf("all fail: either nothing answers on the port of the check, or a security group of the nodes or a network ACL drops the checks of target group %s; allow TCP 8443", arn)
		if got := b.GetCondition("TargetsHealthy").Message; !strings.HasPrefix(got, want) {
			t.Errorf("got  %s\nwant %s…", got, want)
		}
		events = nil
		e.report(t.Context(), b, snap, true)
		want = fmt.Sprintf("all time out: a security group of the nodes or a network ACL drops the checks of target group %s; allow TCP 8443 from the security group of the load balancer edge (sg-0a1b2c3d)", arn)
		if got := b.GetCondition("TargetsHealthy").Message; !strings.HasPrefix(got, want) {
			t.Errorf("got  %s\nwant %s…", got, want)
		}
		sim.Reset()
		for range 6 {
			e.report(t.Context(), b, snap, true)
		}
		if n := sim.Count(); n != 0 {
			t.Errorf("%d calls to say the same again", n)
		}
		if len(events) != 1 {
			t.Errorf("it is told %d times", len(events))
		}
	})
}

func accessTo(t *testing.T, sim *awssim.Sim) *aws.Access {
	t.Helper()
	access, err := aws.NewPool(aws.PoolOptions{HTTP: sim}).Access(t.Context(), aws.Config{
		Credentials: aws.Credentials{Source: aws.SourceSecret, Static: aws.StaticCredentials{
			AccessKeyID: awssim.DefaultKey.ID, SecretAccessKey: awssim.DefaultKey.Secret,
		}},
		EndpointURL: "http://aws.test",
	}, "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	return access
}
