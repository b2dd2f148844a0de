package aws

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// jwt is a token of a subject, as awssim reads it.
func jwt(subject string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+subject+`"}`)) + ".c2ln"
}

func TestSources(t *testing.T) {
	sim, cfg := simulated(t, awssim.Options{})
	role := "arn:aws:iam::222222222222:role/pods"
	sim.SeedRole(awssim.Role{ARN: role, Subject: "system:serviceaccount:x:y"})
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(jwt("system:serviceaccount:x:y")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	agent := podAgent(t, "Bearer of "+jwt("system:serviceaccount:x:y"))
	session := "arn:aws:sts::222222222222:assumed-role/pods/provider-nlb"
	user := "arn:aws:iam::" + awssim.DefaultAccount + ":user/default"

	cases := map[string]struct {
		reason string
		creds  Credentials
		env    map[string]string
		want   string
	}{
		"Secret":           {"The key of the Secret.", cfg.Credentials, nil, user},
		"WebIdentityToken": {"A token of a Secret, with the line end that editors add.", Credentials{Source: SourceWebIdentity, WebIdentity: WebIdentity{RoleARN: role, Token: []byte(jwt("system:serviceaccount:x:y") + "\n")}}, nil, session},
		"WebIdentityFile":  {"The provider's own token, for a role of choice.", Credentials{Source: SourceWebIdentity, WebIdentity: WebIdentity{RoleARN: role, SessionName: "team-a"}}, map[string]string{envTokenFile: token}, "arn:aws:sts::222222222222:assumed-role/pods/team-a"},
		"IRSA":             {"Role and token of the service account.", Credentials{Source: SourceIRSA}, map[string]string{envTokenFile: token, envRoleARN: role}, session},
		"PodIdentity":      {"The agent of EKS gives the key, for the token in the file.", Credentials{Source: SourcePodIdentity}, map[string]string{envContainerURI: agent, envContainerFile: token}, user},
		"Injected":         {"The default chain finds a key in the environment.", Credentials{Source: SourceInjectedIdentity}, map[string]string{"AWS_ACCESS_KEY_ID": awssim.DefaultKey.ID, "AWS_SECRET_ACCESS_KEY": awssim.DefaultKey.Secret}, user},
		"InjectedIRSA":     {"The default chain finds a role; its session's name does not vary.", Credentials{Source: SourceInjectedIdentity}, map[string]string{envTokenFile: token, envRoleARN: role}, session},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			isolate(t, tc.env)
			got := access(t, NewPool(PoolOptions{}), Config{Credentials: tc.creds, EndpointURL: cfg.EndpointURL}, "eu-west-1")
			if diff := cmp.Diff(tc.want, got.CallerARN); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// isolate takes AWS's variables and files from a test, and sets env.
func isolate(t *testing.T, env map[string]string) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for k, v := range env {
		t.Setenv(k, v)
	}
}

// podAgent is the agent of EKS Pod Identity: it wants the token in the file.
func podAgent(t *testing.T, authorization string) string {
	t.Helper()
	want := strings.TrimPrefix(authorization, "Bearer of ")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != want {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		k := awssim.DefaultKey
		_, _ = w.Write([]byte(`{"AccessKeyId":"` + k.ID + `","SecretAccessKey":"` + k.Secret + `","Token":"","Expiration":"2099-01-01T00:00:00Z"}`))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestTheEnvironmentDoesNotLeakIn(t *testing.T) {
	sim, cfg := simulated(t, awssim.Options{})
	isolate(t, map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAWRONG", "AWS_SECRET_ACCESS_KEY": "wrong", "AWS_SESSION_TOKEN": "wrong",
		"AWS_PROFILE": "nobody", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
		"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
		"AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": "http://127.0.0.1:1",
		"AWS_CONFIG_FILE": "/nowhere", "AWS_MAX_ATTEMPTS": "x", "AWS_RETRY_MODE": "x",
	})
	a := access(t, NewPool(PoolOptions{}), cfg, "eu-west-1")
	if _, err := a.ELBv2.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{}); err != nil {
		t.Fatalf("the environment leaked in: %v", err)
	}
	if got := sim.Calls()[0].Region; got != "eu-west-1" {
		t.Errorf("signed for %s, want eu-west-1: the region is the object's", got)
	}

	// Without an EndpointURL, too: the host is AWS's own.
	var host atomic.Value
	p := newPool(PoolOptions{}, wire(func(r *http.Request) (*http.Response, error) {
		host.Store(r.URL.Host)
		return refused(403, "AccessDenied", "x", "x")
	}))
	cfg.EndpointURL = ""
	_, _ = p.Access(t.Context(), cfg, "eu-west-1")
	if got := host.Load(); got != "sts.eu-west-1.amazonaws.com" {
		t.Errorf("called %v, want sts.eu-west-1.amazonaws.com", got)
	}
}

func TestEndpointsOfTheMachine(t *testing.T) {
	cases := map[string]struct {
		reason string
		opts   PoolOptions
		want   string
	}{
		"Default":   {"Regional, never the global STS.", PoolOptions{}, "sts.us-east-1.amazonaws.com"},
		"FIPS":      {"GovCloud users must use it.", PoolOptions{FIPS: true}, "sts-fips.us-east-1.amazonaws.com"},
		"DualStack": {"Clusters with IPv6 only need it.", PoolOptions{DualStack: true}, "sts.us-east-1.api.aws"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var host atomic.Value
			p := newPool(tc.opts, wire(func(r *http.Request) (*http.Response, error) {
				host.Store(r.URL.Host)
				return refused(403, "AccessDenied", "x", "x")
			}))
			_, _ = p.Access(t.Context(), keyed("", "AKIA", "x"), "us-east-1")
			if diff := cmp.Diff(tc.want, host.Load()); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestChainOfRoles(t *testing.T) {
	sim, cfg := simulated(t, awssim.Options{})
	hub, spoke := "arn:aws:iam::111111111111:role/hub", "arn:aws:iam::222222222222:role/spoke"
	sim.SeedRole(awssim.Role{ARN: hub, ExternalID: "ours", Trusted: []string{awssim.DefaultAccount}})
	sim.SeedRole(awssim.Role{ARN: spoke, Trusted: []string{"111111111111"}})
	cfg.AssumeRoleChain = []AssumeRole{
		{RoleARN: hub, ExternalID: "ours", Tags: map[string]string{"team": "edge", "env": "prod"}, TransitiveTagKeys: []string{"team"}},
		{RoleARN: spoke, SessionName: "last"},
	}
	p := NewPool(PoolOptions{UserAgent: agent})
	a := access(t, p, cfg, "eu-west-1")
	if want := "arn:aws:sts::222222222222:assumed-role/spoke/last"; a.CallerARN != want || a.Account != "222222222222" {
		t.Errorf("we are %s of %s, want %s of 222222222222", a.CallerARN, a.Account, want)
	}
	for range 3 {
		if _, err := a.ELBv2.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := sim.Count("AssumeRole"); n != 2 {
		t.Errorf("roles were assumed %d times, want 2: sessions are kept", n)
	}
	i := slices.IndexFunc(sim.Calls(), func(c awssim.Call) bool { return c.Params.Get("RoleArn") == hub })
	sent := sim.Calls()[i].Params
	got := []string{sent.Get("RoleSessionName"), sent.Get("ExternalId"), sent.Get("Tags.member.1.Key"), sent.Get("Tags.member.2.Key"), sent.Get("TransitiveTagKeys.member.1"), sent.Get("DurationSeconds")}
	if diff := cmp.Diff([]string{"provider-nlb", "ours", "env", "team", "team", "3600"}, got); diff != "" {
		t.Errorf("session, external id, tags, transitive tag, duration of the first step\n-want, +got:\n%s", diff)
	}
}
