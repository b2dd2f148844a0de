package aws

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	// forget is how long an access is kept that nobody asks for: longer than any
	// poll interval, but rotated keys do not pile up.
	forget = 6 * time.Hour
	// refusalKept is how long it is remembered that an identity may not even ask who it
	// is: many objects have it, and each comes again every few seconds.
	refusalKept = 10 * time.Second
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
	// HTTP sends requests; nil means over the network. Tests have a simulated AWS
	// in memory here.
	HTTP elbv2.HTTPClient
}

// Pool keeps an Access for each identity and region, and Budgets for each account
// and region. Its methods may be called by several goroutines.
type Pool struct {
	opts PoolOptions
	http elbv2.HTTPClient

	mu       sync.Mutex
	accesses map[accessKey]*entry
	shared   map[place]*shared
}

type accessKey struct{ config, region string }

// place is what AWS throttles together. A simulated AWS is a place of its own.
type place struct{ endpoint, account, region string }

// shared is what all identities in a place share.
type shared struct {
	elbv2, ec2 *Budget
	ledger     *ledger
}

// entry is an access, or the attempt to get one.
type entry struct {
	used   time.Time
	access *Access
	flight *flight
	// refusal is that of the last attempt; nil if there is none to remember.
	refusal *refusal
}

// refusal is an error that stays for a while, unless what was refused changes. That
// is in the Config, by which the entry is found, and in files that it leads to.
type refusal struct {
	flight *flight
	until  time.Time
	files  string
}

// flight is an attempt that all who ask meanwhile wait for.
type flight struct {
	done   chan struct{}
	access *Access
	err    error
}

// Access is what an identity has in a region. It does not change.
type Access struct {
	// ELBv2 and EC2 are the clients: they take tokens, retry, and end each call
	// within CallTimeout of its first token. After a write through them, Read
	// reads anew.
	ELBv2 ELBv2
	EC2   EC2
	// Read are lookups that share calls and answers.
	Read *Reader
	// Account is the id of the account, 12 digits.
	Account string
	// Region as asked for, such as eu-west-1.
	Region string
	// Endpoint is the Config's EndpointURL; empty is AWS.
	Endpoint string
	// Partition is aws, aws-cn, aws-us-gov, ….
	Partition string
	// CallerARN is who AWS says we are.
	CallerARN string
	// Budget is ELBv2's and EC2Budget is EC2's. All identities in the account and
	// region share them.
	Budget, EC2Budget *Budget
}

// NewPool returns an empty pool.
func NewPool(o PoolOptions) *Pool {
	if o.HTTP != nil {
		return newPool(o, o.HTTP)
	}
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
	return &Pool{opts: o, http: client, accesses: map[accessKey]*entry{}, shared: map[place]*shared{}}
}

// Access returns the access of an identity in a region. The first time it asks
// AWS who that is. Success is remembered, and for 10 s an error of ClassDenied, as
// long as the credentials are the same; other errors are not. Many may ask at once:
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
		if r := e.refusal; r != nil && now.Before(r.until) && r.files == tokenFiles(cfg) {
			return nil, r.flight
		}
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
	files := tokenFiles(cfg)
	access, err := p.open(ctx, cfg, region)
	p.mu.Lock()
	f := e.flight
	e.access, e.flight, e.refusal = access, nil, nil
	if Classify(err) == ClassDenied {
		e.refusal = &refusal{flight: f, until: time.Now().Add(refusalKept), files: files}
	}
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
	a := &Access{Account: sdk.ToString(out.Account), Region: region, Endpoint: cfg.EndpointURL, CallerARN: caller}
	if parsed, err := arn.Parse(caller); err == nil {
		a.Partition = parsed.Partition
	}
	s := p.share(place{cfg.EndpointURL, a.Account, region})
	a.Budget, a.EC2Budget = s.elbv2, s.ec2
	a.ELBv2 = p.elbv2(provider, cfg, region, s)
	a.EC2 = p.ec2(provider, cfg, region, s)
	a.Read = newReader(a, s.ledger)
	return a, nil
}

func (p *Pool) share(at place) *shared {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shared[at]
	if s == nil {
		s = &shared{elbv2: NewBudget(p.opts.Share), ec2: NewEC2Budget(p.opts.Share), ledger: newLedger()}
		p.shared[at] = s
	}
	return s
}

// ServiceBudget is a budget and what it is for.
type ServiceBudget struct {
	// Account and Region that it is for; Endpoint is the Config's EndpointURL.
	Account, Region, Endpoint string
	// Service is elasticloadbalancing or ec2.
	Service string
	// Budget itself: ask its Level.
	Budget *Budget
}

// Budgets returns all budgets there are, in an order that does not change, for
// metrics. They are few, and live as long as the pool.
func (p *Pool) Budgets() []ServiceBudget {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []ServiceBudget
	for at, s := range p.shared {
		out = append(out,
			ServiceBudget{at.account, at.region, at.endpoint, "ec2", s.ec2},
			ServiceBudget{at.account, at.region, at.endpoint, "elasticloadbalancing", s.elbv2})
	}
	slices.SortFunc(out, func(a, b ServiceBudget) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region),
			strings.Compare(a.Endpoint, b.Endpoint), strings.Compare(a.Service, b.Service))
	})
	return out
}
