package awssim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The services that a Sim speaks, as they are named in a SigV4 scope.
const (
	ServiceELBv2 = "elasticloadbalancing"
	ServiceEC2   = "ec2"
	ServiceSTS   = "sts"
)

// Options say what kind of AWS to simulate. The zero value is a fast one with a
// real clock, DefaultKey, every region, and no throttling.
type Options struct {
	// Clock is the time that AWS lives in; nil means RealClock.
	Clock Clock
	// Profile says how slow AWS is; the zero value means Fast.
	Profile Profile
	// Keys are the access keys that are known besides DefaultKey.
	Keys []AccessKey
	// Regions that exist; empty means AWS's own list.
	Regions []string
	// TokenBuckets throttles as AWS does. Off, no call is ever throttled but by
	// a fault.
	TokenBuckets bool
	// Quotas of every account and region; zero fields mean AWS's defaults.
	Quotas Quotas
	// RefuseByDefault lets health checks fail unless SetAccepting or SetProbe
	// says otherwise. By default a process accepts on every port.
	RefuseByDefault bool
	// TellCauses lets the reason of an unhealthy target tell what its health checks
	// met: Timeout and ResponseCodeMismatch besides FailedHealthChecks, which the API
	// reference restricts to no type of load balancer any more
	// (APIReference/API_TargetHealth.html; up to the SDK of 2025-10-15 it said "applies
	// only to Application Load Balancers and Gateway Load Balancers"). Off,
	// FailedHealthChecks is the reason of all, the only one that the guide of Network
	// Load Balancers has (network/check-target-health.html).
	TellCauses bool
	// Latency is added to every call, in time of the Clock.
	Latency time.Duration
	// OnCall is called for every call whose signature is right, when it has been
	// counted and before it has an effect. It may use the Sim and may block; calls
	// that arrive together call it together.
	OnCall func(Call)
}

// Sim is a simulated AWS. All its methods may be called by several goroutines.
type Sim struct {
	opts    Options
	clock   Clock
	profile Profile

	// mu guards everything below; no call is answered while it is held.
	mu         sync.Mutex
	worlds     map[place]*world
	keys       map[string]*key
	roles      map[string]Role
	peerings   []peering
	probes     map[Key]Probe
	buckets    map[bucketName]*bucket
	neighbours map[place]float64
	faults     []*fault
	late       []lateEffect
	calls      []*Call
	serial     int
	traffic    []*Traffic

	// hanging counts the calls that a fault keeps waiting.
	hanging atomic.Int32

	done   chan struct{}
	close  sync.Once
	server *http.Server
	url    string
}

// place is an account and a region of it: nothing is shared between two places.
type place struct{ account, region string }

// world is what exists in a place. A resource kind to come adds its map here.
type world struct {
	place
	vpcs      map[string]*vpc
	instances map[string]*instance
	groups    map[string]*targetGroup // by ARN

	loadBalancers  map[string]*loadBalancer // by ARN
	certificates   map[string]bool          // by ARN
	addresses      map[string]EIP           // by allocation id
	interfaces     []*netInterface
	securityGroups map[string]*securityGroup
	prefixLists    map[string]int // their greatest number of entries, by id
}

// New returns a simulated AWS in which nothing exists but DefaultKey.
func New(opts Options) *Sim {
	if opts.Clock == nil {
		opts.Clock = RealClock{}
	}
	if opts.Profile.Speed == 0 {
		opts.Profile = Fast
	}
	if len(opts.Regions) == 0 {
		opts.Regions = regions
	}
	opts.Quotas = opts.Quotas.withDefaults()
	s := &Sim{
		opts:       opts,
		clock:      opts.Clock,
		profile:    opts.Profile,
		worlds:     map[place]*world{},
		keys:       map[string]*key{},
		roles:      map[string]Role{},
		probes:     map[Key]Probe{},
		buckets:    map[bucketName]*bucket{},
		neighbours: map[place]float64{},
		done:       make(chan struct{}),
	}
	for _, k := range append([]AccessKey{DefaultKey}, opts.Keys...) {
		s.AddKey(k)
	}
	return s
}

// Start serves on a free port of the loopback interface and returns the URL, for
// a client's BaseEndpoint or the CLI's --endpoint-url. Starting twice returns the
// same URL.
func (s *Sim) Start() (string, error) { return s.Listen("127.0.0.1:0") }

// Listen is Start on an address of your choice.
func (s *Sim) Listen(address string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return s.url, nil
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", fmt.Errorf("cannot listen on %q: %w", address, err)
	}
	s.url = "http://" + l.Addr().String()
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func(server *http.Server) {
		// Serve returns ErrServerClosed after Close; nobody is left to hear of
		// another error, and clients see refused connections.
		_ = server.Serve(l)
	}(s.server)
	return s.url, nil
}

// URL is where Start or Listen serves; empty before.
func (s *Sim) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Close stops serving and ends calls that hang. It may be called more than once.
func (s *Sim) Close() {
	s.close.Do(func() {
		close(s.done)
		s.mu.Lock()
		server := s.server
		s.mu.Unlock()
		if server != nil {
			_ = server.Close()
		}
	})
}

// lock takes the lock and brings the world up to date: what was due to happen
// has happened. Everything that looks at the world goes through it.
func (s *Sim) lock() (now time.Time, unlock func()) {
	s.mu.Lock()
	now = s.clock.Now()
	s.runLate(now)
	s.settle(now)
	return now, s.mu.Unlock
}

// change is lock for what alters the world by other means than a call: what the
// change means for targets counts from now.
func (s *Sim) change(f func(now time.Time)) {
	now, unlock := s.lock()
	defer unlock()
	f(now)
	s.settle(now)
}

// world is the world of a place, made when it is first asked for.
func (s *Sim) world(p place) *world {
	w := s.worlds[p]
	if w == nil {
		w = &world{
			place:     p,
			vpcs:      map[string]*vpc{},
			instances: map[string]*instance{},
			groups:    map[string]*targetGroup{},

			loadBalancers:  map[string]*loadBalancer{},
			certificates:   map[string]bool{},
			addresses:      map[string]EIP{},
			securityGroups: map[string]*securityGroup{},
			prefixLists:    map[string]int{},
		}
		s.worlds[p] = w
	}
	return w
}

// unique returns n hex digits that it has not returned before.
func (s *Sim) unique(n int) string {
	s.serial++
	sum := sha256.Sum256(fmt.Appendf(nil, "awssim %d", s.serial))
	return hex.EncodeToString(sum[:])[:n]
}

// errGone ends a call without an answer.
var errGone = errors.New("connection cut")

// wait waits for d on the clock. It returns errGone if the client gives up or
// the Sim closes first.
func (s *Sim) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	select {
	case <-s.clock.After(d):
		return nil
	case <-ctx.Done():
		return errGone
	case <-s.done:
		return errGone
	}
}

func (s *Sim) regionExists(region string) bool { return slices.Contains(s.opts.Regions, region) }
