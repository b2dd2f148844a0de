package aws

import "strings"

// Category is a group of ELBv2 actions that AWS throttles together.
type Category string

// The categories, as AWS has them.
const (
	// AccountWide counts every call. It is taken together with the call's own
	// category and never asked for alone.
	AccountWide Category = "account-wide"
	// ResourceIntensive is CreateLoadBalancer and SetSubnets.
	ResourceIntensive Category = "resource-intensive"
	// Registration is RegisterTargets and DeregisterTargets.
	Registration Category = "registration"
	// NonMutating is every Describe.
	NonMutating Category = "non-mutating"
	// Mutating is everything else.
	Mutating Category = "mutating"
)

// Limit is a token bucket.
type Limit struct {
	// Burst is how many tokens it holds, in calls.
	Burst float64
	// PerSecond is how many come back in a second.
	PerSecond float64
}

// Limits are what AWS grants to everybody in an account and region together.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html
func Limits() map[Category]Limit {
	return map[Category]Limit{
		AccountWide:       {Burst: 40, PerSecond: 10},
		ResourceIntensive: {Burst: 10, PerSecond: 0.2},
		Registration:      {Burst: 20, PerSecond: 4},
		NonMutating:       {Burst: 40, PerSecond: 10},
		Mutating:          {Burst: 20, PerSecond: 3},
	}
}

// Shares is the part of each limit that we take, above 0; 1 is all of it. A
// category that is not in it has its default. Tests use large values.
type Shares map[Category]float64

// DefaultShares leave half of the account to everybody else, but all of
// registration to us: nobody else should register targets in our groups, and a
// pod that is ready waits for it.
func DefaultShares() Shares {
	return Shares{
		AccountWide:       0.5,
		ResourceIntensive: 1,
		Registration:      1,
		NonMutating:       0.5,
		Mutating:          1,
	}
}

// limits are AWS's limits times our share. A bucket holds at least one token, or
// no call could ever be made.
func (s Shares) limits() map[Category]Limit {
	out, defaults := Limits(), DefaultShares()
	for c, l := range out {
		share := s[c]
		if share <= 0 {
			share = defaults[c]
		}
		out[c] = Limit{Burst: max(1, l.Burst*share), PerSecond: l.PerSecond * share}
	}
	return out
}

// CategoryOf is the category of an ELBv2 action, such as "RegisterTargets".
func CategoryOf(action string) Category {
	switch action {
	case "CreateLoadBalancer", "SetSubnets":
		return ResourceIntensive
	case "RegisterTargets", "DeregisterTargets":
		return Registration
	}
	if strings.HasPrefix(action, "Describe") {
		return NonMutating
	}
	return Mutating
}

// Priority says who is served first when tokens are short. The zero value means
// the priority of the action (see PriorityOf).
type Priority int

// The priorities, first served first.
const (
	// PriorityRegister is for RegisterTargets: a ready pod waits for it.
	PriorityRegister Priority = iota + 1
	// PriorityDeregister is for DeregisterTargets. While one waits, it gets one
	// of five registration tokens.
	PriorityDeregister
	// PriorityNormal is for everything that a reconcile does.
	PriorityNormal
	// PriorityBackground is for health and other reads that can wait: they never
	// take the last BackgroundReserve account-wide tokens.
	PriorityBackground
)

// BackgroundReserve is how many account-wide tokens PriorityBackground leaves.
const BackgroundReserve = 10

// PriorityOf is the priority of an action where the context names none.
func PriorityOf(action string) Priority {
	switch action {
	case "RegisterTargets":
		return PriorityRegister
	case "DeregisterTargets":
		return PriorityDeregister
	case "DescribeTargetHealth":
		return PriorityBackground
	}
	return PriorityNormal
}
