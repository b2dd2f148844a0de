package aws

import (
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
)

// Clients are made from options, not from an SDK configuration: a configuration
// would bring endpoints of the environment with it.

func (p *Pool) elbv2(c sdk.CredentialsProvider, cfg Config, region string, s *shared) *elbv2.Client {
	o := elbv2.Options{
		Region:      region,
		Credentials: c,
		HTTPClient:  p.http,
		Retryer:     retryer(),
		APIOptions:  append(p.userAgent(), install(s.elbv2), s.ledger.install),
	}
	if cfg.EndpointURL != "" {
		o.BaseEndpoint = sdk.String(cfg.EndpointURL)
		return elbv2.New(o)
	}
	o.EndpointOptions.UseFIPSEndpoint = p.fips()
	o.EndpointOptions.UseDualStackEndpoint = p.dualStack()
	return elbv2.New(o)
}

func (p *Pool) ec2(c sdk.CredentialsProvider, cfg Config, region string, s *shared) *ec2Client {
	o := ec2.Options{
		Region:      region,
		Credentials: c,
		HTTPClient:  p.http,
		Retryer:     retryer(),
		APIOptions:  append(p.userAgent(), install(s.ec2), s.ledger.install),
	}
	if cfg.EndpointURL != "" {
		o.BaseEndpoint = sdk.String(cfg.EndpointURL)
		return newEC2(o)
	}
	o.EndpointOptions.UseFIPSEndpoint = p.fips()
	o.EndpointOptions.UseDualStackEndpoint = p.dualStack()
	return newEC2(o)
}

func (p *Pool) sts(c sdk.CredentialsProvider, cfg Config, region string) *sts.Client {
	o := sts.Options{
		Region:      region,
		Credentials: c,
		HTTPClient:  p.http,
		Retryer:     retryer(),
		APIOptions:  append(p.userAgent(), install(nil)),
	}
	if cfg.EndpointURL != "" {
		o.BaseEndpoint = sdk.String(cfg.EndpointURL)
		return sts.New(o)
	}
	o.EndpointOptions.UseFIPSEndpoint = p.fips()
	o.EndpointOptions.UseDualStackEndpoint = p.dualStack()
	return sts.New(o)
}

func (p *Pool) fips() sdk.FIPSEndpointState {
	if p.opts.FIPS {
		return sdk.FIPSEndpointStateEnabled
	}
	return sdk.FIPSEndpointStateDisabled
}

func (p *Pool) dualStack() sdk.DualStackEndpointState {
	if p.opts.DualStack {
		return sdk.DualStackEndpointStateEnabled
	}
	return sdk.DualStackEndpointStateDisabled
}

// userAgent adds each "name/value" of the option; the SDK replaces characters
// that a header may not have.
func (p *Pool) userAgent() []func(*middleware.Stack) error {
	var out []func(*middleware.Stack) error
	for _, word := range strings.Fields(p.opts.UserAgent) {
		name, value, found := strings.Cut(word, "/")
		if found {
			out = append(out, awsmiddleware.AddUserAgentKeyValue(name, value))
		} else {
			out = append(out, awsmiddleware.AddUserAgentKey(name))
		}
	}
	return out
}
