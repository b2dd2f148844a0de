package aws

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

const agent = "provider-nlb/v0.1.0 cluster/4f2a"

// simulated starts an AWS and returns a Config of its DefaultKey.
func simulated(t *testing.T, o awssim.Options) (*awssim.Sim, Config) {
	t.Helper()
	sim := awssim.New(o)
	t.Cleanup(sim.Close)
	url, err := sim.Start()
	if err != nil {
		t.Fatal(err)
	}
	return sim, keyed(url, awssim.DefaultKey.ID, awssim.DefaultKey.Secret)
}

func keyed(url, id, secret string) Config {
	return Config{
		Credentials: Credentials{Source: SourceSecret, Static: StaticCredentials{AccessKeyID: id, SecretAccessKey: secret}},
		EndpointURL: url,
	}
}

func access(t *testing.T, p *Pool, cfg Config, region string) *Access {
	t.Helper()
	a, err := p.Access(t.Context(), cfg, region)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAccess(t *testing.T) {
	sim, cfg := simulated(t, awssim.Options{})
	p := NewPool(PoolOptions{UserAgent: agent})
	a := access(t, p, cfg, "eu-west-1")
	got := []string{a.Account, a.Region, a.Partition, a.CallerARN}
	want := []string{awssim.DefaultAccount, "eu-west-1", "aws", "arn:aws:iam::" + awssim.DefaultAccount + ":user/default"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("AWS says who we are\n-want, +got:\n%s", diff)
	}
	if _, err := a.ELBv2.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range sim.Calls() {
		if !strings.Contains(c.UserAgent, agent) || c.Region != "eu-west-1" {
			t.Errorf("%s went to %s as %q, want eu-west-1 and %q", c.Action, c.Region, c.UserAgent, agent)
		}
	}
}

func TestWhatIsShared(t *testing.T) {
	sim, cfg := simulated(t, awssim.Options{})
	sim.AddKey(awssim.AccessKey{Account: awssim.DefaultAccount, ID: "AKIASECOND", Secret: "second", User: "second"})
	sim.AddKey(awssim.AccessKey{Account: "999999999999", ID: "AKIAOTHER", Secret: "other", User: "other"})
	p := NewPool(PoolOptions{})
	first := access(t, p, cfg, "eu-west-1")
	again := access(t, p, cfg, "eu-west-1")
	second := access(t, p, keyed(cfg.EndpointURL, "AKIASECOND", "second"), "eu-west-1")
	elsewhere := access(t, p, cfg, "eu-west-2")
	stranger := access(t, p, keyed(cfg.EndpointURL, "AKIAOTHER", "other"), "eu-west-1")
	cases := map[string]struct {
		reason string
		got    bool
	}{
		"SameIdentity":      {"Equal configs are one identity: clients and credentials are kept.", first == again && sim.Count("GetCallerIdentity") == 4},
		"OtherIdentity":     {"Another key has its own clients.", first != second},
		"SameAccount":       {"AWS throttles accounts, so identities of one share its budget.", first.Budget == second.Budget},
		"OtherRegion":       {"Regions are throttled apart.", first.Budget != elsewhere.Budget},
		"OtherAccount":      {"So are accounts.", first.Budget != stranger.Budget},
		"OtherAccountKnown": {"And we know which is which.", stranger.Account == "999999999999"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if !tc.got {
				t.Error(tc.reason)
			}
		})
	}
}

func TestRefusalsAreRememberedForAMoment(t *testing.T) {
	cases := map[string]struct {
		reason string
		fault  awssim.Fault
		// then happens after the error, and how often AWS is asked in all.
		then  func(t *testing.T, cfg *Config)
		calls int
	}{
		"AtOnce": {
			"Many objects have the identity, and one asks for all.", awssim.Fault{Effect: awssim.Deny},
			func(*testing.T, *Config) { time.Sleep(refusalKept - time.Second) }, 1,
		},
		"Later": {
			"A permission can be given.", awssim.Fault{Effect: awssim.Deny},
			func(*testing.T, *Config) { time.Sleep(refusalKept) }, 2,
		},
		"Key": {
			"Other credentials are another identity.", awssim.Fault{Effect: awssim.Deny},
			func(_ *testing.T, cfg *Config) {
				*cfg = keyed(cfg.EndpointURL, "AKIANEW", "x")
			}, 2,
		},
		"File": {
			"A token may be in a file.", awssim.Fault{Effect: awssim.Deny},
			func(t *testing.T, _ *Config) {
				file := filepath.Join(t.TempDir(), "token")
				if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
				t.Setenv(envTokenFile, file)
			}, 2,
		},
		"Failure": {
			"What may be over at once is not remembered.", awssim.Fault{Effect: awssim.Answer, Status: 400, Code: "InvalidAction", Message: "x"},
			func(*testing.T, *Config) {}, 2,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			isolate(t, nil)
			synctest.Test(t, func(t *testing.T) {
				sim := awssim.New(awssim.Options{})
				defer sim.Close()
				tc.fault.Action = "GetCallerIdentity"
				sim.Fault(tc.fault)
				p, cfg := NewPool(PoolOptions{HTTP: sim}), keyed("http://aws.test", awssim.DefaultKey.ID, awssim.DefaultKey.Secret)
				_, first := p.Access(t.Context(), cfg, "eu-west-1")
				tc.then(t, &cfg)
				_, second := p.Access(t.Context(), cfg, "eu-west-1")
				if first == nil || second == nil {
					t.Errorf("got %v and then %v, want errors", first, second)
				}
				if got := sim.Count("GetCallerIdentity"); got != tc.calls {
					t.Errorf("%s\nAWS was asked %d times, want %d", tc.reason, got, tc.calls)
				}
			})
		})
	}
}

func TestOneAsksForAll(t *testing.T) {
	asked := make(chan struct{})
	var once sync.Once
	sim, cfg := simulated(t, awssim.Options{OnCall: func(awssim.Call) { once.Do(func() { close(asked) }) }})
	remove := sim.Fault(awssim.Fault{Action: "GetCallerIdentity", Effect: awssim.Hang})
	p := NewPool(PoolOptions{})

	hasty, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() {
		_, err := p.Access(hasty, cfg, "eu-west-1")
		gaveUp <- err
	}()
	<-asked
	var wg sync.WaitGroup
	patient := make([]error, 10)
	for i := range patient {
		wg.Go(func() { _, patient[i] = p.Access(t.Context(), cfg, "eu-west-1") })
	}
	cancel()
	if err := <-gaveUp; Classify(err) != ClassTransient {
		t.Errorf("who gave up got %v, want a Transient error", err)
	}
	remove()
	wg.Wait()
	if diff := cmp.Diff(make([]error, 10), patient); diff != "" {
		t.Errorf("one who gives up must not fail the others\n%s", diff)
	}
	if n := sim.Count("GetCallerIdentity"); n != 1 {
		t.Errorf("AWS was asked %d times, want once", n)
	}
}

func TestIdleAccessesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(PoolOptions{}, wire(func(*http.Request) (*http.Response, error) {
			return respond(http.StatusOK, "<R><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/x</Arn><Account>1</Account></GetCallerIdentityResult></R>")
		}))
		rotated, used := keyed("http://x", "AKIAOLD", "x"), keyed("http://x", "AKIANEW", "x")
		access(t, p, rotated, "eu-west-1")
		kept := access(t, p, used, "eu-west-1")
		time.Sleep(forget)
		access(t, p, used, "eu-west-1")
		time.Sleep(time.Second)
		access(t, p, used, "eu-west-2")
		if len(p.accesses) != 2 || access(t, p, used, "eu-west-1") != kept {
			t.Errorf("%d accesses are kept, want the 2 that are in use: rotated keys must not pile up", len(p.accesses))
		}
	})
}

func TestAccessErrors(t *testing.T) {
	sim, good := simulated(t, awssim.Options{})
	sim.SeedRole(awssim.Role{ARN: "arn:aws:iam::111111111111:role/theirs", Trusted: []string{"111111111111"}})
	with := func(f func(*Config)) Config {
		c := good
		f(&c)
		return c
	}
	cases := map[string]struct {
		reason string
		cfg    Config
		region string
		class  Class
		want   string
	}{
		"UnknownKey":     {"The key was deleted.", keyed(good.EndpointURL, "AKIAGONE", "x"), "eu-west-1", ClassDenied, "InvalidClientTokenId: The security token included in the request is invalid."},
		"WrongSecret":    {"A wrong secret key is no wrong region.", keyed(good.EndpointURL, good.Credentials.Static.AccessKeyID, "x"), "eu-west-1", ClassDenied, "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
		"UntrustedRole":  {"The text says which step of the chain failed.", with(func(c *Config) { c.AssumeRoleChain = []AssumeRole{{RoleARN: "arn:aws:iam::111111111111:role/theirs"}} }), "eu-west-1", ClassDenied, "cannot get credentials of role arn:aws:iam::111111111111:role/theirs: AccessDenied: User: arn:aws:iam::123456789012:user/default is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/theirs"},
		"WrongScope":     {"An endpoint serves the regions that it serves.", good, "eu-wst-1", ClassInvalidRegion, `spec.forProvider.region "eu-wst-1" is not served by the ProviderConfig's endpoint "` + good.EndpointURL + `": use the region of that endpoint, or another ProviderConfig`},
		"NoIRSA":         {"Without the annotation there is no role.", Config{Credentials: Credentials{Source: SourceIRSA}}, "eu-west-1", ClassDenied, "cannot get credentials of source IRSA: AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not set: annotate the provider's service account with eks.amazonaws.com/role-arn and restart the provider"},
		"NoPodIdentity":  {"Without an association there is no agent.", Config{Credentials: Credentials{Source: SourcePodIdentity}}, "eu-west-1", ClassDenied, "cannot get credentials of source PodIdentity: AWS_CONTAINER_CREDENTIALS_FULL_URI is not set: create an EKS Pod Identity association for the provider's service account and restart the provider"},
		"NoToken":        {"Neither a Secret nor a file.", Config{Credentials: Credentials{Source: SourceWebIdentity, WebIdentity: WebIdentity{RoleARN: "r"}}}, "eu-west-1", ClassDenied, "cannot get credentials of source WebIdentity: there is no token: set spec.credentials.webIdentity.tokenSecretRef, or AWS_WEB_IDENTITY_TOKEN_FILE for the provider"},
		"NoKey":          {"A Config that lacks what its source needs calls nobody.", Config{Credentials: Credentials{Source: SourceSecret}}, "eu-west-1", ClassDenied, "spec.credentials: source Secret needs an access key id and a secret access key"},
		"NoRole":         {"The field is named.", Config{Credentials: Credentials{Source: SourceWebIdentity}}, "eu-west-1", ClassDenied, "spec.credentials.webIdentity.roleArn is missing: source WebIdentity needs it"},
		"NoChainRole":    {"So is the step.", with(func(c *Config) { c.AssumeRoleChain = []AssumeRole{{RoleARN: "r"}, {}} }), "eu-west-1", ClassDenied, "spec.assumeRoleChain[1].roleArn is missing"},
		"UnknownSource":  {"The sources are listed.", Config{Credentials: Credentials{Source: "Vault"}}, "eu-west-1", ClassDenied, `spec.credentials.source "Vault" is unknown: use Secret, WebIdentity, PodIdentity, IRSA or InjectedIdentity`},
		"Endpoint":       {"A host alone is no URL.", with(func(c *Config) { c.EndpointURL = "localhost:4566" }), "eu-west-1", ClassDenied, `spec.endpoint.url "localhost:4566" is no URL of the form https://host or http://host:port`},
		"EmptyRegion":    {"A region is required.", good, "", ClassInvalidRegion, `spec.forProvider.region "" is not an AWS region: use the code of a region, such as eu-west-1`},
		"MalformedNoAWS": {"Nobody is asked for a region that no partition can have.", keyed("", "AKIA", "x"), "Frankfurt", ClassInvalidRegion, `spec.forProvider.region "Frankfurt" is not an AWS region: use the code of a region, such as eu-west-1`},
	}
	isolate(t, nil)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := NewPool(PoolOptions{})
			_, err := p.Access(t.Context(), tc.cfg, tc.region)
			if diff := cmp.Diff([]any{tc.want, tc.class}, []any{Describe(err), Classify(err)}); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestConnectionsAreKept(t *testing.T) {
	sim := awssim.New(awssim.Options{})
	t.Cleanup(sim.Close)
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(sim)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	p := NewPool(PoolOptions{Share: plenty(nil)})
	a := access(t, p, keyed(server.URL, awssim.DefaultKey.ID, awssim.DefaultKey.Secret), "eu-west-1")
	for range 49 {
		if _, err := a.ELBv2.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{}); err != nil {
			t.Fatal(err)
		}
	}
	// A call may come before the connection of the last one is idle again.
	if n := opened.Load(); n > 25 {
		t.Errorf("%d connections were opened for 50 calls in a row, want a few", n)
	}
}
