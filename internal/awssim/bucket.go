package awssim

import (
	"slices"
	"time"
)

// limit is a token bucket's size and how many tokens per second it regains.
type limit struct{ size, refill float64 }

// accountWide is the bucket that every ELBv2 call takes from, besides its own.
const accountWide category = "account-wide"

// limits of the token buckets, each per account and region.
// ELBv2: https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html
// EC2, per action: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html
var limits = map[category]limit{
	accountWide:   {40, 10},
	registration:  {20, 4},
	nonMutating:   {40, 10},
	mutating:      {20, 3},
	intensive:     {10, 0.2},
	ec2Filtered:   {100, 20},
	ec2Mutating:   {50, 5},
	ec2Tagging:    {100, 10},
	ec2Unfiltered: {50, 10},
}

// unfiltered are the actions of EC2 that cost more when they ask for everything.
var unfiltered = []string{"DescribeInstances", "DescribeNetworkInterfaces", "DescribeSecurityGroups"}

type bucketName struct {
	place
	category category
	// action for EC2, where each has buckets of its own.
	action string
}

type bucket struct {
	tokens float64
	at     time.Time
}

// take takes the tokens that a call costs, or refuses it. A refused call costs
// nothing (assumed; the guide does not say).
func (s *Sim) take(c *call, a action) error {
	if !s.opts.TokenBuckets || a.bucket == unlimited {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := place{c.who.account, c.region}
	names := []category{a.bucket}
	if c.service == ServiceELBv2 {
		names = append(names, accountWide)
	} else if len(c.form) == 0 && slices.Contains(unfiltered, c.action) {
		names = []category{ec2Unfiltered}
	}
	own := ""
	if c.service == ServiceEC2 {
		own = c.action
	}
	var from []*bucket
	for _, name := range names {
		b := s.bucket(bucketName{p, name, own})
		if b.tokens < 1 {
			return throttled(c.service)
		}
		from = append(from, b)
	}
	for _, b := range from {
		b.tokens--
	}
	return nil
}

// bucket returns a bucket as full as it is now.
func (s *Sim) bucket(name bucketName) *bucket {
	now := s.clock.Now()
	l := limits[name.category]
	share := 1 - s.neighbours[name.place]
	l.size, l.refill = l.size*share, l.refill*share
	b := s.buckets[name]
	if b == nil {
		b = &bucket{tokens: l.size, at: now}
		s.buckets[name] = b
	}
	b.tokens = min(l.size, b.tokens+l.refill*now.Sub(b.at).Seconds())
	b.at = now
	return b
}

// SetNeighbour lets somebody else in the account and region use a share of every
// token bucket, and of its refill. The share is 0 (nobody) to 1 (all of it, and
// every call is throttled).
func (s *Sim) SetNeighbour(account, region string, share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.neighbours[place{account, region}] = max(0, min(1, share))
}
