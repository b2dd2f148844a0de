package aws

import "strings"

// Category is a group of actions that are throttled together.
type Category string

// The categories of ELBv2, as AWS has them.
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

// The categories of EC2. AWS has a bucket for each action in them; we take the
// actions of a category together, so that we never use more than our share.
const (
	// EC2NonMutating is every Describe with a filter, ids or pages.
	EC2NonMutating Category = "ec2 non-mutating"
	// EC2Mutating is everything that is not in another category.
	EC2Mutating Category = "ec2 mutating"
	// EC2Ingress is AuthorizeSecurityGroupIngress and RevokeSecurityGroupIngress.
	EC2Ingress Category = "ec2 security group ingress"
	// EC2Tags is CreateTags and DeleteTags.
	EC2Tags Category = "ec2 tags"
)

// Limit is a token bucket.
type Limit struct {
	// Burst is how many tokens it holds, in calls.
	Burst float64
	// PerSecond is how many come back in a second.
	PerSecond float64
}

// Limits are what ELBv2 grants to everybody in an account and region together.
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

// EC2Limits are what EC2 grants to everybody in an account and region together. It
// has no limit for all actions together.
// https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
func EC2Limits() map[Category]Limit {
	return map[Category]Limit{
		EC2NonMutating: {Burst: 100, PerSecond: 20},
		EC2Mutating:    {Burst: 50, PerSecond: 5},
		EC2Ingress:     {Burst: 50, PerSecond: 5},
		EC2Tags:        {Burst: 100, PerSecond: 10},
	}
}

// Shares is the part of each limit that we take, above 0; 1 is all of it. A
// category that is not in it has its default. Tests use large values.
type Shares map[Category]float64

// DefaultShares leave half of the account to everybody else.
func DefaultShares() Shares { return SharesOf(0.5) }

// SharesOf takes a part of what is granted for all calls together and for reads,
// but all of registration and of other changes: nobody else should register
// targets in our groups, and a pod that is ready waits for it. Of EC2, whose
// busiest users are the machines themselves, it takes half as much.
func SharesOf(part float64) Shares {
	return Shares{
		AccountWide:       part,
		ResourceIntensive: 1,
		Registration:      1,
		NonMutating:       part,
		Mutating:          1,
		EC2NonMutating:    part / 2,
		EC2Mutating:       part / 2,
		EC2Ingress:        part / 2,
		EC2Tags:           part / 2,
	}
}

// keptBack is the part of the burst that is left in a bucket of AWS's that we take
// wholly. Calls that leave at the exact rate do not arrive at it: one that was slow on
// its way comes together with the next. A bucket as large as AWS's would then be
// throttled for nothing but the jitter of the network, and that halves our rate for
// minutes. A tenth of the registrations' burst is 2 calls, half a second of jitter; it
// costs that half second once.
const keptBack = 0.1

// of are AWS's limits times our share. A bucket holds at least one token, or no
// call could ever be made.
func (s Shares) of(limits map[Category]Limit) map[Category]Limit {
	out, defaults := map[Category]Limit{}, DefaultShares()
	for c, l := range limits {
		share := s[c]
		if share <= 0 {
			share = defaults[c]
		}
		burst := l.Burst * share
		if share >= 1 {
			burst -= burst * keptBack
		}
		out[c] = Limit{Burst: max(1, burst), PerSecond: l.PerSecond * share}
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

// EC2CategoryOf is the category of an EC2 action, such as "DescribeSecurityGroups".
func EC2CategoryOf(action string) Category {
	switch action {
	case "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress":
		return EC2Ingress
	case "CreateTags", "DeleteTags":
		return EC2Tags
	}
	if strings.HasPrefix(action, "Describe") {
		return EC2NonMutating
	}
	return EC2Mutating
}

// Priority says who is served first when tokens are short. The zero value means
// the priority of the action (see PriorityOf).
type Priority int

// The priorities, first served first.
const (
	// PriorityRegister is for RegisterTargets: a ready pod waits for it.
	PriorityRegister Priority = iota + 1
	// PriorityDeregister is for DeregisterTargets. One that has waited for a minute
	// gets one of five registration tokens.
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
