package aws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const (
	// session is how long a session of a role lasts: the most that a chain of
	// roles may have, and no role can be configured to allow less.
	// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
	session = time.Hour
	// early is how long before its end a session is replaced. A call that was
	// signed before is answered within CallTimeout.
	early = 5 * time.Minute
)

// The environment that EKS gives to a pod with an identity.
const (
	envContainerURI  = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	envContainerFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
	envRoleARN       = "AWS_ROLE_ARN"
	envTokenFile     = "AWS_WEB_IDENTITY_TOKEN_FILE"
)

// credentials returns what signs the calls of an identity. Every step is cached
// until shortly before it expires.
func (p *Pool) credentials(ctx context.Context, cfg Config, region string) (sdk.CredentialsProvider, error) {
	provider, err := p.source(ctx, cfg, region)
	if err != nil {
		return nil, &credentialsError{what: "of source " + string(cfg.Credentials.Source), err: err}
	}
	provider = cached("of source "+string(cfg.Credentials.Source), provider)
	for _, r := range cfg.AssumeRoleChain {
		client := p.sts(provider, cfg, region)
		provider = cached("of role "+r.RoleARN, stscreds.NewAssumeRoleProvider(client, r.RoleARN, r.options))
	}
	return provider, nil
}

func (r AssumeRole) options(o *stscreds.AssumeRoleOptions) {
	o.RoleSessionName = sessionName(r.SessionName)
	o.Duration = session
	o.TransitiveTagKeys = r.TransitiveTagKeys
	if r.ExternalID != "" {
		o.ExternalID = sdk.String(r.ExternalID)
	}
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		o.Tags = append(o.Tags, ststypes.Tag{Key: sdk.String(k), Value: sdk.String(r.Tags[k])})
	}
}

func sessionName(name string) string {
	if name == "" {
		return DefaultSessionName
	}
	return name
}

// source returns the provider that everything begins with.
func (p *Pool) source(ctx context.Context, cfg Config, region string) (sdk.CredentialsProvider, error) {
	c := cfg.Credentials
	switch c.Source {
	case SourceSecret:
		return credentials.NewStaticCredentialsProvider(c.Static.AccessKeyID, c.Static.SecretAccessKey, c.Static.SessionToken), nil
	case SourceWebIdentity:
		return p.webIdentity(c.WebIdentity, cfg, region)
	case SourceIRSA:
		role, file := os.Getenv(envRoleARN), os.Getenv(envTokenFile)
		if role == "" || file == "" {
			return nil, errors.New(envRoleARN + " and " + envTokenFile + " are not set: annotate the provider's service account with eks.amazonaws.com/role-arn and restart the provider")
		}
		return p.webIdentity(WebIdentity{RoleARN: role, TokenFile: file}, cfg, region)
	case SourcePodIdentity:
		return p.podIdentity()
	case SourceInjectedIdentity:
		return p.defaultChain(ctx, cfg, region)
	}
	return nil, errors.New("the source is unknown")
}

func (p *Pool) webIdentity(w WebIdentity, cfg Config, region string) (sdk.CredentialsProvider, error) {
	var token stscreds.IdentityTokenRetriever = secretToken(w.Token)
	if len(w.Token) == 0 {
		file := w.TokenFile
		if file == "" {
			file = os.Getenv(envTokenFile)
		}
		if file == "" {
			return nil, errors.New("there is no token: set spec.credentials.webIdentity.tokenSecretRef, or " + envTokenFile + " for the provider")
		}
		token = stscreds.IdentityTokenFile(file)
	}
	client := p.sts(nil, cfg, region)
	return stscreds.NewWebIdentityRoleProvider(client, w.RoleARN, token, func(o *stscreds.WebIdentityRoleOptions) {
		o.RoleSessionName = sessionName(w.SessionName)
		o.Duration = session
	}), nil
}

// tokenFiles differs whenever a file has changed that a source may read a token from.
// What else credentials are made of is in the Config or does not change in a process.
func tokenFiles(cfg Config) string {
	var out strings.Builder
	for _, file := range []string{cfg.Credentials.WebIdentity.TokenFile, os.Getenv(envTokenFile), os.Getenv(envContainerFile)} {
		if info, err := os.Stat(file); err == nil { //nolint:gosec // Whoever runs the provider chose the files.
			fmt.Fprintln(&out, file, info.ModTime().UnixNano(), info.Size())
		}
	}
	return out.String()
}

// secretToken is a token from a Secret. A new one makes a new Config, and so a
// new identity.
type secretToken []byte

// GetIdentityToken returns the token without the line end that editors add.
func (t secretToken) GetIdentityToken() ([]byte, error) {
	return []byte(strings.TrimSpace(string(t))), nil
}

func (p *Pool) podIdentity() (sdk.CredentialsProvider, error) {
	uri, file := os.Getenv(envContainerURI), os.Getenv(envContainerFile)
	if uri == "" {
		return nil, errors.New(envContainerURI + " is not set: create an EKS Pod Identity association for the provider's service account and restart the provider")
	}
	return endpointcreds.New(uri, func(o *endpointcreds.Options) {
		o.HTTPClient = p.http
		o.Retryer = retryer()
		if file == "" {
			return
		}
		o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) {
			// The agent replaces the file; each session needs the present one.
			b, err := os.ReadFile(file) //nolint:gosec // EKS chose the file.
			return strings.TrimSpace(string(b)), err
		})
	}), nil
}

// defaultChain is the SDK's, of which we take the credentials only.
func (p *Pool) defaultChain(ctx context.Context, cfg Config, region string) (sdk.CredentialsProvider, error) {
	options := []func(*config.LoadOptions) error{
		config.WithRegion(region),
		config.WithHTTPClient(p.http),
		config.WithAPIOptions(p.userAgent()),
		// Session names appear in errors; the SDK's default is a time.
		config.WithWebIdentityRoleCredentialOptions(func(o *stscreds.WebIdentityRoleOptions) {
			o.RoleSessionName = sessionName(o.RoleSessionName)
		}),
		config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName(o.RoleSessionName)
		}),
	}
	if cfg.EndpointURL != "" {
		options = append(options, config.WithBaseEndpoint(cfg.EndpointURL))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, err
	}
	return loaded.Credentials, nil
}

// cached keeps credentials until shortly before they expire, and says in errors
// whose they are.
func cached(what string, p sdk.CredentialsProvider) sdk.CredentialsProvider {
	return sdk.NewCredentialsCache(&named{what: what, provider: p}, func(o *sdk.CredentialsCacheOptions) {
		o.ExpiryWindow = early
	})
}

type named struct {
	what     string
	provider sdk.CredentialsProvider
	// expires is when the credentials that the cache has really end. The cache
	// calls one method at a time.
	expires time.Time
}

// Retrieve asks the provider.
func (n *named) Retrieve(ctx context.Context) (sdk.Credentials, error) {
	c, err := n.provider.Retrieve(ctx)
	if err != nil {
		return c, &credentialsError{what: n.what, err: err}
	}
	n.expires = c.Expires
	return c, nil
}

// HandleFailToRefresh goes on with credentials that have not ended yet, so that a
// short failure of STS is not noticed, and tries again a little later.
func (n *named) HandleFailToRefresh(_ context.Context, previous sdk.Credentials, err error) (sdk.Credentials, error) {
	if !previous.HasKeys() || time.Until(n.expires) < 2*CallTimeout {
		return sdk.Credentials{}, err
	}
	// The cache takes off early again.
	previous.Expires = time.Now().Add(early + CallTimeout)
	return previous, nil
}

// credentialsError is that we could not find out what to sign with: whatever its
// cause is, the object that wanted the call cannot cure it.
type credentialsError struct {
	what string
	err  error
}

func (e *credentialsError) Error() string {
	return "cannot get credentials " + e.what + ": " + Describe(e.err)
}

func (e *credentialsError) Unwrap() error { return e.err }
