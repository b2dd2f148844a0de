package aws

import (
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestParseCredentialsINI(t *testing.T) {
	full := StaticCredentials{AccessKeyID: "AKIA", SecretAccessKey: "a/b+c=="}
	cases := map[string]struct {
		reason, in string
		want       StaticCredentials
		err        string
	}{
		"Plain":       {"As other AWS providers document it.", "[default]\naws_access_key_id = AKIA\naws_secret_access_key = a/b+c==\n", full, ""},
		"Session":     {"A temporary key has a token.", "[default]\naws_access_key_id=AKIA\naws_secret_access_key=a/b+c==\naws_session_token=t#1;2", StaticCredentials{"AKIA", "a/b+c==", "t#1;2"}, ""},
		"Untidy":      {"Editors add byte order marks, line ends of their own, blanks and comments.", "\ufeff# me\r\n; too\r\n\r\n [default] \r\n  AWS_Access_Key_Id =AKIA \r\naws_secret_access_key=a/b+c==\r\nregion = x\r\n", full, ""},
		"OtherFirst":  {"Other profiles are not ours.", "[prod]\naws_access_key_id = NO\naws_secret_access_key = NO\n[default]\naws_access_key_id = AKIA\naws_secret_access_key = a/b+c==", full, ""},
		"OtherAfter":  {"Nor do they overwrite ours.", "[default]\naws_access_key_id = AKIA\naws_secret_access_key = a/b+c==\n[prod]\naws_access_key_id = NO", full, ""},
		"Empty":       {"An empty Secret.", "", StaticCredentials{}, "section [default] is missing"},
		"OtherOnly":   {"Only [default] is read.", "[prod]\naws_access_key_id = NO", StaticCredentials{}, "section [default] is missing"},
		"NoID":        {"The missing key is named.", "[default]\naws_secret_access_key = x", StaticCredentials{}, "aws_access_key_id is missing in section [default]"},
		"NoSecret":    {"So is this one.", "[default]\naws_access_key_id = x", StaticCredentials{}, "aws_secret_access_key is missing in section [default]"},
		"EmptySecret": {"Empty is missing.", "[default]\naws_access_key_id = x\naws_secret_access_key =", StaticCredentials{}, "aws_secret_access_key is missing in section [default]"},
		"JSON":        {"The line is named, its content is secret.", "{\"AccessKeyId\": \"AKIA\"}", StaticCredentials{}, "line 1 is neither a section nor key = value"},
		"Unclosed":    {"So is that of a broken section.", "\n[default\n", StaticCredentials{}, "line 2: a section has no closing bracket"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseCredentialsINI([]byte(tc.in))
			text := ""
			if err != nil {
				text = err.Error()
			}
			if diff := cmp.Diff([]any{tc.want, tc.err}, []any{got, text}); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestEveryFieldIsPartOfAnIdentity(t *testing.T) {
	base := func() Config {
		return Config{
			Credentials:     Credentials{Source: SourceWebIdentity, WebIdentity: WebIdentity{RoleARN: "r", Token: []byte("t")}},
			AssumeRoleChain: []AssumeRole{{RoleARN: "a", Tags: map[string]string{"k": "v", "l": "w"}}},
		}
	}
	if one, other := base().hash(), base().hash(); one != other {
		t.Error("equal values are two identities")
	}
	for name, change := range map[string]func(*Config){
		"Source":     func(c *Config) { c.Credentials.Source = SourceIRSA },
		"Key":        func(c *Config) { c.Credentials.Static.AccessKeyID = "x" },
		"Secret":     func(c *Config) { c.Credentials.Static.SecretAccessKey = "x" },
		"Token":      func(c *Config) { c.Credentials.WebIdentity.Token = []byte("u") },
		"ExternalID": func(c *Config) { c.AssumeRoleChain[0].ExternalID = "x" },
		"Tag":        func(c *Config) { c.AssumeRoleChain[0].Tags["k"] = "x" },
		"Order":      func(c *Config) { c.AssumeRoleChain = append(c.AssumeRoleChain, AssumeRole{RoleARN: "b"}) },
		"Endpoint":   func(c *Config) { c.EndpointURL = "http://x" },
	} {
		t.Run(name, func(t *testing.T) {
			c := base()
			change(&c)
			if c.hash() == base().hash() {
				t.Error("a change of it must not reuse the clients of before")
			}
		})
	}
}

func TestRegions(t *testing.T) {
	noHost := &net.DNSError{Err: "no such host", Name: "sts.x.amazonaws.com", Server: "10.0.0.10:53", IsNotFound: true}
	cases := map[string]struct {
		reason, region string
		dns            error
		class          Class
		want           string
	}{
		"Typo":      {"The nearest region is a better help than a list.", "eu-wst-1", noHost, ClassInvalidRegion, `spec.forProvider.region "eu-wst-1" is not an AWS region: did you mean "eu-west-1"?`},
		"Zone":      {"A zone is not a region.", "eu-west-1a", noHost, ClassInvalidRegion, `spec.forProvider.region "eu-west-1a" is not an AWS region: did you mean "eu-west-1"?`},
		"Case":      {"Neither is a region in capitals.", "EU-WEST-1", noHost, ClassInvalidRegion, `spec.forProvider.region "EU-WEST-1" is not an AWS region: did you mean "eu-west-1"?`},
		"Far":       {"Nothing is guessed from afar.", "us-moon-77", noHost, ClassInvalidRegion, `spec.forProvider.region "us-moon-77" is not an AWS region: use the code of a region, such as eu-west-1`},
		"DNSDown":   {"A region that we know exists: it is the resolver that is wrong, and time may cure it.", "eu-west-1", noHost, ClassTransient, "cannot reach AWS: the name of its endpoint does not exist in DNS"},
		"DNSSilent": {"A resolver that does not answer says nothing about a region.", "eu-new-1", &net.DNSError{Err: "timeout", IsTimeout: true}, ClassTransient, "cannot reach AWS: DNS does not answer"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(PoolOptions{}, wire(func(*http.Request) (*http.Response, error) { return nil, tc.dns }))
				_, err := p.Access(t.Context(), keyed("", "AKIA", "x"), tc.region)
				if diff := cmp.Diff([]any{tc.want, tc.class}, []any{Describe(err), Classify(err)}); diff != "" {
					t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestEveryKnownRegionFitsAPattern(t *testing.T) {
	for _, r := range regions {
		if err := checkRegion(r, ""); err != nil {
			t.Error(err)
		}
	}
}
