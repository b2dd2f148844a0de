package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
)

// Source says where the first credentials come from. Its values are those of a
// ProviderConfig's spec.credentials.source.
type Source string

// The sources. None reads anything of the environment but what it names.
const (
	// SourceSecret uses Credentials.Static.
	SourceSecret Source = "Secret"
	// SourceWebIdentity assumes Credentials.WebIdentity.RoleARN with a token.
	SourceWebIdentity Source = "WebIdentity"
	// SourcePodIdentity asks the EKS Pod Identity agent: it reads
	// AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.
	SourcePodIdentity Source = "PodIdentity"
	// SourceIRSA assumes the role of the provider's service account: it reads
	// AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE.
	SourceIRSA Source = "IRSA"
	// SourceInjectedIdentity is the SDK's default chain: environment, shared
	// files, container and instance. Only credentials are taken from it: its
	// region, endpoints and retry settings are ignored.
	SourceInjectedIdentity Source = "InjectedIdentity"
)

// Config says who calls AWS, and where. It holds values only: what a Secret or a
// reference yields has been read before. Equal values are one identity.
type Config struct {
	// Credentials that everything begins with.
	Credentials Credentials
	// AssumeRoleChain are roles that are assumed in order, each with the
	// credentials of the one before. May be empty.
	AssumeRoleChain []AssumeRole
	// EndpointURL is where all services are, STS included. Empty means AWS's
	// own endpoints of the region. http or https, no path.
	EndpointURL string
}

// Credentials are a source and what it needs. Fields of other sources are ignored.
type Credentials struct {
	// Source is required.
	Source Source
	// Static is the key of SourceSecret.
	Static StaticCredentials
	// WebIdentity is the role of SourceWebIdentity.
	WebIdentity WebIdentity
}

// StaticCredentials are an access key. ParseCredentialsINI reads them.
type StaticCredentials struct {
	// AccessKeyID and SecretAccessKey are required.
	AccessKeyID, SecretAccessKey string
	// SessionToken belongs to a temporary key; empty for a long-term one.
	SessionToken string
}

// WebIdentity is a role and a token of OpenID Connect that may assume it.
type WebIdentity struct {
	// RoleARN is required.
	RoleARN string
	// SessionName as CloudTrail shows it; empty means DefaultSessionName.
	SessionName string
	// Token is the content of a Secret; empty means TokenFile is read.
	Token []byte
	// TokenFile is read again for every session; empty means the file that
	// AWS_WEB_IDENTITY_TOKEN_FILE names.
	TokenFile string
}

// AssumeRole is one step of a chain.
type AssumeRole struct {
	// RoleARN is required.
	RoleARN string
	// ExternalID that the role's trust policy asks for; empty if it does not.
	ExternalID string
	// SessionName as CloudTrail shows it; empty means DefaultSessionName.
	SessionName string
	// Tags of the session, at most 50.
	Tags map[string]string
	// TransitiveTagKeys are keys of Tags that later steps keep.
	TransitiveTagKeys []string
}

// DefaultSessionName is the name of a role's session where none is given. It
// never varies, because AWS repeats it in the text of errors.
const DefaultSessionName = "provider-nlb"

// hash is the same for equal values. It is one-way: it may be kept and compared,
// and tells nothing about the secrets in it.
func (c Config) hash() string {
	b, err := json.Marshal(c)
	if err != nil {
		// Config is texts, bytes, lists and maps of texts.
		panic("aws: cannot encode a Config: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// configError is a Config that cannot work. The ProviderConfig is wrong, not the
// object that uses it, so that its class is Denied.
type configError string

func (e configError) Error() string { return string(e) }

// validate returns what is missing, by the name of the ProviderConfig's field.
func (c Config) validate() error {
	switch s := c.Credentials.Source; s {
	case SourceSecret:
		k := c.Credentials.Static
		if k.AccessKeyID == "" || k.SecretAccessKey == "" {
			return configError("spec.credentials: source Secret needs an access key id and a secret access key")
		}
	case SourceWebIdentity:
		if c.Credentials.WebIdentity.RoleARN == "" {
			return configError("spec.credentials.webIdentity.roleArn is missing: source WebIdentity needs it")
		}
	case SourcePodIdentity, SourceIRSA, SourceInjectedIdentity:
	default:
		return configError(fmt.Sprintf("spec.credentials.source %q is unknown: use Secret, WebIdentity, PodIdentity, IRSA or InjectedIdentity", s))
	}
	for i, r := range c.AssumeRoleChain {
		if r.RoleARN == "" {
			return configError(fmt.Sprintf("spec.assumeRoleChain[%d].roleArn is missing", i))
		}
	}
	return validateEndpoint(c.EndpointURL)
}

func validateEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return configError(fmt.Sprintf("spec.endpoint.url %q is no URL of the form https://host or http://host:port", endpoint))
	}
	return nil
}
