package main

import (
	"context"
	"testing"
	"time"

	"github.com/crossplane/function-sdk-go/logging"
	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
)

func structOf(t *testing.T, doc string) *structpb.Struct {
	t.Helper()

	out := &structpb.Struct{}
	if err := out.UnmarshalJSON([]byte(doc)); err != nil {
		t.Fatal(err)
	}

	return out
}

// claim returns a claim with more settings and a status.
func claim(more, status string) string {
	return `{"apiVersion": "edge.nlb.crossplane.io/v1alpha1", "kind": "NetworkLoadBalancer",
		"metadata": {"name": "edge", "namespace": "shop", "creationTimestamp": "2026-11-23T12:00:00Z"},
		"spec": {"podSelector": {"matchLabels": {"app": "edge"}}, "ports": [{"port": 443, "protocol": "TCP"}]` + more + `}, "status": ` + status + `}`
}

const settings = `, "region": "eu-west-1", "vpcId": "vpc-0a", "subnetMappings": [{"subnetId": "subnet-0a"}], "clients": {"cidrs": ["10.0.0.0/8"]}, "nodeSecurityGroupId": "sg-0a"`

// A reply is what matters of a response.
type reply struct {
	Resources    []string
	Ready        map[string]fnv1.Ready
	Conditions   map[string]string
	Events       []string
	Fatal        string
	Requirements map[string]string
	Connection   map[string]string
	Status       bool
	TTL          time.Duration
}

func replyOf(rsp *fnv1.RunFunctionResponse) reply {
	out := reply{Ready: map[string]fnv1.Ready{}, Conditions: map[string]string{}, Requirements: map[string]string{}, Connection: map[string]string{}, TTL: rsp.GetMeta().GetTtl().AsDuration()}

	for _, name := range []string{"security-group", "load-balancer", "port-443", "connection", "other"} {
		r, ok := rsp.GetDesired().GetResources()[name]
		if !ok {
			continue
		}

		out.Resources = append(out.Resources, name)
		if r.GetReady() != fnv1.Ready_READY_UNSPECIFIED {
			out.Ready[name] = r.GetReady()
		}
	}

	if r := rsp.GetDesired().GetComposite().GetReady(); r != fnv1.Ready_READY_UNSPECIFIED {
		out.Ready[""] = r
	}

	for _, c := range rsp.GetConditions() {
		if c.GetTarget() == fnv1.Target_TARGET_COMPOSITE_AND_CLAIM {
			out.Conditions[c.GetType()] = c.GetStatus().String()[len("STATUS_CONDITION_"):] + " " + c.GetReason() + " " + c.GetMessage()
		}
	}

	for _, r := range rsp.GetResults() {
		if r.GetSeverity() == fnv1.Severity_SEVERITY_FATAL {
			out.Fatal = r.GetMessage()
		} else if r.GetTarget() == fnv1.Target_TARGET_COMPOSITE_AND_CLAIM {
			out.Events = append(out.Events, r.GetMessage())
		}
	}

	for name, s := range rsp.GetRequirements().GetResources() {
		out.Requirements[name] = s.GetKind() + " " + s.GetMatchName()
	}

	for k, v := range rsp.GetDesired().GetComposite().GetConnectionDetails() {
		out.Connection[k] = string(v)
	}

	// An empty status is a write that tells nothing.
	_, out.Status = rsp.GetDesired().GetComposite().GetResource().GetFields()["status"]

	return out
}

func TestRunFunction(t *testing.T) {
	const (
		problem = `SecurityGroup edge: VPC not found`
		failing = `{"kind": "SecurityGroup", "metadata": {"name": "edge"}, "status": {"conditions": [{"type": "Synced", "status": "False", "reason": "ReconcileError", "message": "VPC not found", "lastTransitionTime": "2026-11-23T12:00:00Z"}]}}`
		ready   = `{"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Available", "lastTransitionTime": "2026-11-23T12:00:00Z"}]}}`
		told    = `{"conditions": [{"type": "Problem", "status": "True", "reason": "ReconcileError", "message": "SecurityGroup edge: VPC not found"}, {"type": "Stalled", "status": "True", "reason": "Invalid"}]}`
		known   = `{"kind": "LoadBalancer", "metadata": {"name": "edge"}, "status": {"atProvider": {"dnsName": "edge.example.org", "arn": "arn:lb", "canonicalHostedZoneId": "Z1"}}}`
	)

	none := "FALSE None "
	// A Secret has no conditions that the next function could read.
	secret := map[string]fnv1.Ready{"connection": fnv1.Ready_READY_TRUE}
	early := map[string]fnv1.Ready{"": fnv1.Ready_READY_FALSE}
	waits := map[string]fnv1.Ready{"": fnv1.Ready_READY_FALSE, "connection": fnv1.Ready_READY_TRUE}
	all := []string{"security-group", "load-balancer", "port-443", "connection"}

	cases := map[string]struct {
		reason   string
		claim    string
		observed map[string]string
		desired  map[string]string
		required map[string][]string
		want     reply
	}{
		"Composes": {
			reason: "While resources get ready one by one, the composite resource is just not ready.", claim: claim(settings, "{}"),
			want: reply{Resources: all, Ready: waits, Conditions: map[string]string{"Problem": none}},
		},
		"AllReady": {
			reason: "Readiness is left to the function that comes next.", claim: claim(settings, "{}"),
			observed: map[string]string{"security-group": ready, "load-balancer": ready, "port-443": ready, "connection": "{}"},
			want:     reply{Resources: all, Ready: secret, Conditions: map[string]string{"Problem": none}},
		},
		"OthersStay": {
			reason: "What earlier functions want is theirs.", claim: claim(settings, "{}"), desired: map[string]string{"other": `{"kind": "ConfigMap"}`},
			want: reply{Resources: append(all[:4:4], "other"), Ready: waits, Conditions: map[string]string{"Problem": none}},
		},
		"KnowsTheAddress": {
			reason: "There is something to tell.", claim: claim(settings, "{}"), observed: map[string]string{"load-balancer": known},
			want: reply{Resources: all, Ready: waits, Conditions: map[string]string{"Problem": none}, Status: true},
		},
		"AsksForTheEnvironment": {
			reason: "It decides nothing before it knows.", claim: claim(`, "environment": "edge"`, "{}"),
			want: reply{Ready: early, Conditions: map[string]string{"Problem": none}, Requirements: map[string]string{"environment": "EnvironmentConfig edge"}},
		},
		"EnvironmentIsMissing": {
			reason: "It goes on being required, so that Crossplane watches it.", claim: claim(`, "environment": "edge"`, "{}"), required: map[string][]string{"environment": {}},
			want: reply{
				Ready: early, Requirements: map[string]string{"environment": "EnvironmentConfig edge"},
				Conditions: map[string]string{"Problem": `TRUE EnvironmentMissing spec.environment: there is no EnvironmentConfig "edge": create it, or name another`},
				Events:     []string{`spec.environment: there is no EnvironmentConfig "edge": create it, or name another`},
			},
		},
		"Refuses": {
			reason: "The claim says what is wrong, and nothing that is there is touched.", claim: claim("", "{}"),
			want: reply{
				Fatal:      "spec.region is required",
				Conditions: map[string]string{"Problem": "TRUE Invalid spec.region is required", "Stalled": "TRUE Invalid spec.region is required"},
				Events:     []string{"spec.region is required"},
			},
		},
		"TellsAProblem": {
			reason: "Once as an Event, and in the condition as long as it lasts.", claim: claim(settings, "{}"), observed: map[string]string{"security-group": failing},
			want: reply{Resources: all, Ready: waits, Conditions: map[string]string{"Problem": "TRUE ReconcileError " + problem}, Events: []string{problem}},
		},
		"TellsItOnce": {
			reason: "Each reconcile would be an Event; and what is no longer stalled must say so.", claim: claim(settings, told), observed: map[string]string{"security-group": failing},
			want: reply{Resources: all, Ready: waits, Conditions: map[string]string{"Problem": "TRUE ReconcileError " + problem, "Stalled": none}},
		},
		"Recovers": {
			reason: "A condition that was set cannot be taken back.", claim: claim(settings, told),
			want: reply{Resources: all, Ready: waits, Conditions: map[string]string{"Problem": none, "Stalled": none}},
		},
		"UnknownKind": {
			reason: "A Composition for something else uses it by mistake.", claim: `{"kind": "Bucket"}`,
			want: reply{
				Fatal:      "this function composes NetworkLoadBalancer and NetworkLoadBalancerPort, not Bucket",
				Conditions: map[string]string{"Problem": "TRUE Invalid this function composes NetworkLoadBalancer and NetworkLoadBalancerPort, not Bucket", "Stalled": "TRUE Invalid this function composes NetworkLoadBalancer and NetworkLoadBalancerPort, not Bucket"},
				Events:     []string{"this function composes NetworkLoadBalancer and NetworkLoadBalancerPort, not Bucket"},
			},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req := &fnv1.RunFunctionRequest{
				Observed:          &fnv1.State{Composite: &fnv1.Resource{Resource: structOf(t, tc.claim)}, Resources: map[string]*fnv1.Resource{}},
				Desired:           &fnv1.State{Resources: map[string]*fnv1.Resource{}},
				RequiredResources: map[string]*fnv1.Resources{},
			}
			for state, docs := range map[*fnv1.State]map[string]string{req.Observed: tc.observed, req.Desired: tc.desired} {
				for n, doc := range docs {
					state.Resources[n] = &fnv1.Resource{Resource: structOf(t, doc)}
				}
			}

			for n := range tc.required {
				req.RequiredResources[n] = &fnv1.Resources{}
			}

			s := &server{log: logging.NewNopLogger(), now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }}

			rsp, err := s.RunFunction(context.Background(), req)
			if err != nil {
				t.Fatal(err)
			}

			for _, m := range []*map[string]string{&tc.want.Conditions, &tc.want.Requirements, &tc.want.Connection} {
				if *m == nil {
					*m = map[string]string{}
				}
			}

			if tc.want.Ready == nil {
				tc.want.Ready = map[string]fnv1.Ready{}
			}

			if diff := cmp.Diff(tc.want, replyOf(rsp)); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestOldCrossplane: without the resources that are required everything would be
// deleted.
func TestOldCrossplane(t *testing.T) {
	req := &fnv1.RunFunctionRequest{
		Meta:     &fnv1.RequestMeta{Capabilities: []fnv1.Capability{fnv1.Capability_CAPABILITY_CAPABILITIES}},
		Observed: &fnv1.State{Composite: &fnv1.Resource{Resource: structOf(t, claim(settings, "{}"))}},
	}

	rsp, err := (&server{log: logging.NewNopLogger()}).RunFunction(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}

	want := "this Crossplane does not give functions the resources that they require: use version 2.2 or newer"
	if got := replyOf(rsp).Fatal; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
}

// TestSameAnswer: equal requests have equal answers, or Crossplane would write again
// and again.
func TestSameAnswer(t *testing.T) {
	req := &fnv1.RunFunctionRequest{Observed: &fnv1.State{Composite: &fnv1.Resource{Resource: structOf(t, claim(settings, "{}"))}}}
	s := &server{log: logging.NewNopLogger(), now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }}

	first, err := s.RunFunction(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}

	for range 20 {
		again, err := s.RunFunction(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}

		if diff := cmp.Diff(first, again, protocmp.Transform()); diff != "" {
			t.Fatalf("-first, +again:\n%s", diff)
		}
	}
}
