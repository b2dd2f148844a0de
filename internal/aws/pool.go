package aws

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
)

const (
	// forget is how long an access is kept that nobody asks for: longer than any
	// poll interval, but rotated keys do not pile up.
	forget = 6 * time.Hour
	// identify is how long finding out who we are may take, with all steps of a
	// chain of roles.
	identify = 30 * time.Second
	// dial and handshake are short enough that a call with a dead address has
	// time for another attempt.
	dial      = 3 * time.Second
	handshake = 3 * time.Second
)

// PoolOptions are the same for every identity. The zero value works.
type PoolOptions struct {
	// UserAgent is added to the SDK's in every request, STS included:
	// "provider-nlb/<version> cluster/<id>".
	UserAgent string
	// Share of AWS's limits; nil means DefaultShares.
	Share Shares
	// FIPS and DualStack choose AWS's endpoints of that kind. They have no
	// effect where a Config has an EndpointURL.
	FIPS, DualStack bool
}

// Pool keeps an Access for each identity and region, and a Budget for each
// account and region. Its methods may be called by several goroutines.
type Pool struct {
	opts PoolOptions
	http elbv2.HTTPClient

	mu       sync.Mutex
	accesses map[accessKey]*entry
	budgets  map[place]*Budget
}

type accessKey struct{ config, region string }

// place is what AWS throttles together. A simulated AWS is a place of its own.
type place struct{ endpoint, account, region string }

// entry is an access, or the attempt to get one.
type entry struct {
	used   time.Time
	access *Access
	flight *flight
}

// flight is an attempt that all who ask meanwhile wait for.
type flight struct {
	done   chan struct{}
	access *Access
	err    error
}

// Access is what an identity has in a region. It does not change.
type Access struct {
	// ELBv2 is the client: it takes tokens, retries, and ends each call within
	// CallTimeout of its first token.
	ELBv2 ELBv2
	// Account is the id of the account, 12 digits.
	Account string
	// Region as asked for, such as eu-west-1.
	Region string
	// Partition is aws, aws-cn, aws-us-gov, ….
	Partition string
	// CallerARN is who AWS says we are.
	CallerARN string
	// Budget is shared by all identities in the account and region.
	Budget *Budget
}

// NewPool returns an empty pool.
func NewPool(o PoolOptions) *Pool {
	client := awshttp.NewBuildableClient().WithTimeout(CallTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dial }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = handshake
			// All calls go to two hosts for each region.
			t.MaxIdleConnsPerHost = 50
		})
	return newPool(o, client)
}

func newPool(o PoolOptions, client elbv2.HTTPClient) *Pool {
	return &Pool{opts: o, http: client, accesses: map[accessKey]*entry{}, budgets: map[place]*Budget{}}
}

// Access returns the access of an identity in a region. The first time it asks
// AWS who that is; success is remembered, an error is not. Many may ask at once:
// AWS is asked once, and one who gives up does not fail the others.
//
// Errors name the field of the ProviderConfig, or spec.forProvider.region, that
// is wrong. Their classes are ClassDenied (also for a ProviderConfig that cannot
// work), ClassInvalidRegion, ClassThrottled and ClassTransient.
func (p *Pool) Access(ctx context.Context, cfg Config, region string) (*Access, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if err := checkRegion(region, cfg.EndpointURL); err != nil {
		return nil, err
	}
	access, f := p.find(ctx, cfg, region)
	if f == nil {
		return access, nil
	}
	select {
	case <-f.done:
		return f.access, f.err
	case <-ctx.Done():
		return nil, &silenceError{err: ctx.Err()}
	}
}

// find returns the access that is there, or the flight to wait for.
func (p *Pool) find(ctx context.Context, cfg Config, region string) (*Access, *flight) {
	key := accessKey{cfg.hash(), region}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.accesses[key]
	if e == nil {
		p.sweep(now)
		e = &entry{}
		p.accesses[key] = e
	}
	e.used = now
	if e.access == nil && e.flight == nil {
		e.flight = &flight{done: make(chan struct{})}
		go p.fly(context.WithoutCancel(ctx), e, cfg, region)
	}
	return e.access, e.flight
}

func (p *Pool) sweep(now time.Time) {
	for k, e := range p.accesses {
		if e.flight == nil && now.Sub(e.used) > forget {
			delete(p.accesses, k)
		}
	}
}

func (p *Pool) fly(ctx context.Context, e *entry, cfg Config, region string) {
	ctx, cancel := context.WithTimeout(ctx, identify)
	defer cancel()
	access, err := p.open(ctx, cfg, region)
	p.mu.Lock()
	f := e.flight
	e.access, e.flight = access, nil
	p.mu.Unlock()
	f.access, f.err = access, err
	close(f.done)
}

// open makes the clients of an identity and asks AWS who it is.
func (p *Pool) open(ctx context.Context, cfg Config, region string) (*Access, error) {
	provider, err := p.credentials(ctx, cfg, region)
	if err != nil {
		return nil, err
	}
	out, err := p.sts(provider, cfg, region).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, regionError(err, region, cfg.EndpointURL)
	}
	caller := sdk.ToString(out.Arn)
	a := &Access{Account: sdk.ToString(out.Account), Region: region, CallerARN: caller}
	if parsed, err := arn.Parse(caller); err == nil {
		a.Partition = parsed.Partition
	}
	a.Budget = p.budget(place{cfg.EndpointURL, a.Account, region})
	a.ELBv2 = p.elbv2(provider, cfg, region, a.Budget)
	return a, nil
}

func (p *Pool) budget(at place) *Budget {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.budgets[at]
	if b == nil {
		b = NewBudget(p.opts.Share)
		p.budgets[at] = b
	}
	return b
}

// elbv2 makes a client from options, not from an SDK configuration: a
// configuration would bring endpoints of the environment with it.
func (p *Pool) elbv2(c sdk.CredentialsProvider, cfg Config, region string, b *Budget) *elbv2.Client {
	o := elbv2.Options{
		Region:      region,
		Credentials: c,
		HTTPClient:  p.http,
		Retryer:     retryer(),
		APIOptions:  append(p.userAgent(), install(b)),
	}
	if cfg.EndpointURL != "" {
		o.BaseEndpoint = sdk.String(cfg.EndpointURL)
		return elbv2.New(o)
	}
	o.EndpointOptions.UseFIPSEndpoint = p.fips()
	o.EndpointOptions.UseDualStackEndpoint = p.dualStack()
	return elbv2.New(o)
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
