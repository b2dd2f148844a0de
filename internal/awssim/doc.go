// Package awssim is a simulated AWS: the ELBv2, EC2 and STS query protocols over
// HTTP, with accounts, regions, state, a clock, faults and a list of the calls it
// got. The real SDK, the AWS CLI and any controller can talk to it.
//
//	sim := awssim.New(awssim.Options{})
//	defer sim.Close()
//	url, err := sim.Start()                  // http://127.0.0.1:…
//	client := elbv2.NewFromConfig(sim.Config("us-east-1"))
//
//	sim.SeedInstance(awssim.Instance{ID: "i-0a1b2c3d4e5f60718", Zone: "us-east-1a", VPC: "vpc-1"})
//	arn, err := sim.SeedTargetGroup(awssim.TargetGroupSeed{Name: "web", Protocol: "TCP", Port: 80, VPC: "vpc-1"})
//	detach, err := sim.AttachListener(arn, awssim.Listener{Zones: []string{"us-east-1a"}})
//
// It is written from AWS's documentation and from what AWS's users report, never
// from what our code needs: where it is kinder than AWS, we ship bugs. It refuses
// what it does not know: actions, parameters, attribute keys and values. A message
// is AWS's own words where somebody quoted them in public, and a paraphrase
// elsewhere; so a test may compare codes, never whole messages. Behaviour that no
// source states is marked "assumed" where it is written.
//
// # Time
//
// Nothing happens in the background. A target's state follows from what happened
// to it and from the clock, and is worked out when somebody looks. With a
// [ManualClock], a test decides when five minutes have passed. A [Profile] says
// how slow AWS is: [Fast] for tests of logic, [Observed] and [Worst] for tests of
// patience.
//
// # Clients
//
// A [Client] opens connections through a load balancer and counts those that are
// refused, time out or are reset, and the least number of targets that served in
// each zone. [Sim.SetProbe] starts, hangs and ends the processes that it talks to.
// Load balancer nodes know of deregistered and unhealthy targets as late as users
// report; zones, cross-zone load balancing, DNS, failing open, client IP
// preservation and security groups are as documented. So what a test judges is what
// users see, not what DescribeTargetHealth says.
//
// # What is here
//
// ELBv2 for Network Load Balancers: load balancers, listeners, rules, target
// groups, targets, their attributes, certificates, capacity and tags; EC2 security
// groups, their rules and tags, and DescribeInstances; STS GetCallerIdentity,
// AssumeRole and AssumeRoleWithWebIdentity. Who needs no load balancer lets
// [Sim.AttachListener] say that one uses a group. Load balancers of other types
// are refused.
//
// One file holds one kind of resource: its part of the action table, its
// parameters and its rules. A new kind is a new file and a line in actions.
package awssim
