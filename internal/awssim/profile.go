package awssim

import (
	"hash/fnv"
	"time"
)

// Span is a duration between two bounds. Which one it is in a given case follows
// from what the case is about, so a test that runs twice sees the same.
type Span struct {
	// Min and Max bound the duration, both included.
	Min, Max time.Duration
}

// pick chooses a duration of the span for the thing that parts name.
func (s Span) pick(parts ...string) time.Duration {
	if s.Max <= s.Min {
		return s.Min
	}
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	const steps = 1 << 20
	return s.Min + time.Duration(float64(s.Max-s.Min)*float64(h.Sum64()%(steps+1))/steps)
}

// Profile says how slow AWS is.
type Profile struct {
	// Name of the profile, for people.
	Name string
	// Registration is how long a target is initial/Elb.RegistrationInProgress
	// before its first health check.
	Registration Span
	// HealthReadLag is for how long DescribeTargetHealth does not know of a
	// registration or deregistration that has succeeded.
	HealthReadLag Span
	// DeregisteredFlows is for how long a target that took connections gets new ones
	// after it is deregistered.
	DeregisteredFlows Span
	// UnhealthyFlows is for how long one that has become unhealthy gets new ones, and
	// keeps those it has.
	UnhealthyFlows Span
	// LargestBatch is how many targets RegisterTargets and DeregisterTargets take at a
	// time; zero means any number.
	LargestBatch int
	// GroupLag is for how long a new target group is not found by other calls.
	GroupLag Span
	// LoadBalancerLag is for how long a new load balancer is not found by other calls,
	// and RuleLag a new listener rule.
	LoadBalancerLag, RuleLag Span
	// LockedWhileProvisioning says that a load balancer's subnets, address type,
	// security groups and capacity cannot be changed before it is active.
	LockedWhileProvisioning bool
	// Provisioning is how long a new load balancer is provisioning.
	Provisioning Span
	// ListenerLag is for how long a new listener is not found by other calls.
	ListenerLag Span
	// InterfaceRemoval is for how long the network interfaces of a load balancer
	// are there after it is gone, or its zone is.
	InterfaceRemoval Span
	// CapacityChange is for how long a capacity reservation is pending.
	CapacityChange Span
	// SecurityGroupLag is for how long a new security group, or a new rule of one,
	// is not found.
	SecurityGroupLag Span
	// Terminated is how long a terminated instance stays registered, as
	// unused/Target.InvalidState, before AWS deregisters it.
	Terminated Span
	// Late is when a call with the fault TakeLate takes effect.
	Late time.Duration
	// Speed is how many seconds of what users configure (the health check
	// interval, the deregistration delay) pass in one second of the clock.
	Speed float64
}

// Fast is for tests of logic: the order of events is AWS's, their duration is
// not. None of its numbers has a source but the patience of a test.
var Fast = Profile{
	Name:         "fast",
	Registration: Span{50 * time.Millisecond, 200 * time.Millisecond},
	Terminated:   Span{200 * time.Millisecond, 200 * time.Millisecond},
	Provisioning: Span{50 * time.Millisecond, 200 * time.Millisecond},
	// 120 s and 30-40 s, as much faster as Speed.
	DeregisteredFlows: Span{400 * time.Millisecond, 600 * time.Millisecond},
	UnhealthyFlows:    Span{100 * time.Millisecond, 133 * time.Millisecond},
	// Long enough for a deletion to meet them.
	InterfaceRemoval: Span{100 * time.Millisecond, 200 * time.Millisecond},
	CapacityChange:   Span{50 * time.Millisecond, 100 * time.Millisecond},
	Late:             400 * time.Millisecond,
	// A 30 s health check interval becomes 0.1 s, a 300 s deregistration delay 1 s.
	Speed: 300,
}

// Observed is what users of Network Load Balancers usually report.
var Observed = Profile{
	Name: "observed",
	// 90-180 s: aws-load-balancer-controller issues on NLB registration (design
	// §8; facts/aws.md §1.10, 9: "minutes for NLB even with fast health checks").
	Registration: Span{90 * time.Second, 180 * time.Second},
	// 0-30 s: design §8; binding.md §7 waits that long before it believes a read.
	HealthReadLag: Span{0, 30 * time.Second},
	// "The effective minimum delay seems to be 120 seconds", whatever the
	// deregistration delay is (aws/containers-roadmap#470,
	// aws-load-balancer-controller#2366); up to 180 s: design §8.
	DeregisteredFlows: Span{120 * time.Second, 180 * time.Second},
	// "About 30-40 seconds for new connections to stop being sent to the target
	// after it gets marked as unhealthy" (aws/containers-roadmap#470).
	UnhealthyFlows: Span{30 * time.Second, 40 * time.Second},
	// Terraform retries TargetGroupNotFound after create (facts/aws.md §1.10, 2);
	// the length is assumed.
	GroupLag: Span{0, time.Second},
	// "Terminated instances are deregistered by AWS after a while" (facts/aws.md
	// §1.8); the length is assumed.
	Terminated: Span{30 * time.Second, 120 * time.Second},
	// Terraform retries LoadBalancerNotFound after create; the length is assumed.
	LoadBalancerLag: Span{0, time.Second},
	RuleLag:         Span{0, time.Second},
	// 2-5 min: facts/aws.md §1.10, 3.
	Provisioning: Span{2 * time.Minute, 5 * time.Minute},
	// Terraform retries ListenerNotFound after create (facts/aws.md §1.10, 2); the
	// length is assumed.
	ListenerLag: Span{0, time.Second},
	// "Linger for minutes" (facts/aws.md §1.10, 4); how many is assumed.
	InterfaceRemoval: Span{time.Minute, 5 * time.Minute},
	// "A few minutes" (network/capacity-unit-reservation.html); how many is assumed.
	CapacityChange: Span{time.Minute, 5 * time.Minute},
	// "For some seconds" (facts/aws.md §2); how many is assumed.
	SecurityGroupLag: Span{0, 2 * time.Second},
	// A timed-out call may take effect 40 s later (design §8).
	Late:  40 * time.Second,
	Speed: 1,
}

// Worst is the slow end of what users report.
var Worst = Profile{
	Name: "worst",
	// 300 s: design §8.
	Registration: Span{300 * time.Second, 300 * time.Second},
	// 30 s: the end of the range in design §8.
	HealthReadLag: Span{30 * time.Second, 30 * time.Second},
	// 300 s: design §8.
	DeregisteredFlows: Span{300 * time.Second, 300 * time.Second},
	// The end of the range that users report.
	UnhealthyFlows: Span{40 * time.Second, 40 * time.Second},
	// "Will intermittently reject targets operations in large chunks"
	// (kubernetes/kubernetes#101592, which sends 100 since).
	LargestBatch: 100,
	// Assumed, as for Observed.
	GroupLag: Span{5 * time.Second, 5 * time.Second},
	// Assumed, as for Observed.
	Terminated: Span{300 * time.Second, 300 * time.Second},
	// Assumed, as for Observed.
	LoadBalancerLag: Span{5 * time.Second, 5 * time.Second},
	RuleLag:         Span{5 * time.Second, 5 * time.Second},
	// "May be rejected" (facts/aws.md §1.10, 7), which nobody has verified.
	LockedWhileProvisioning: true,
	// Terraform waits 10 min: facts/aws.md §1.10, 3.
	Provisioning: Span{10 * time.Minute, 10 * time.Minute},
	// Assumed, as for Observed.
	ListenerLag:      Span{5 * time.Second, 5 * time.Second},
	InterfaceRemoval: Span{15 * time.Minute, 15 * time.Minute},
	CapacityChange:   Span{15 * time.Minute, 15 * time.Minute},
	SecurityGroupLag: Span{10 * time.Second, 10 * time.Second},
	// Design §8.
	Late:  40 * time.Second,
	Speed: 1,
}

// configured is how long a duration that a user configured takes on the clock.
func (p Profile) configured(seconds int) time.Duration {
	return time.Duration(float64(time.Duration(seconds)*time.Second) / p.Speed)
}
