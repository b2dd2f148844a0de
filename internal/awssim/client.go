package awssim

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Client is somebody who opens connections through a load balancer, one after
// the other, and notes what becomes of them: what its users would see.
//
//	users := sim.StartClient(awssim.Client{LoadBalancer: arn, Port: 443, Zone: "eu-west-1a", Holds: time.Minute})
//	… a rollout …
//	if got := users.Stop(); got.Failed() > 0 {
//		t.Error(got)
//	}
//
// Connections are opened and cut in the time of the Clock: a ManualClock that is
// advanced by an hour has had an hour of users. Which target a connection gets
// follows from the Seed, so a test that runs twice sees the same.
type Client struct {
	// LoadBalancer is an ARN, and Port one that a listener has.
	LoadBalancer string
	Port         int32
	// TargetGroup is an ARN, instead of the two: the client uses the first listener
	// that forwards to it. It is the only way to those of AttachListener.
	TargetGroup string
	// Zone whose address is used; empty means what DNS answers, asked for again
	// after 60 seconds, the records' time to live.
	Zone string
	// Address of the client; empty means 198.51.100.7.
	Address string
	// Instance that the client runs on, if it is one of ours: it has the address
	// and the security groups of it.
	Instance string
	// PrivateLink says that it comes through a VPC endpoint: targets see the load
	// balancer's address, and its security groups may be told not to look.
	PrivateLink bool
	// Every is how often it opens a connection; zero means every second.
	Every time.Duration
	// Holds is how long it keeps each; zero means that it is done at once.
	Holds time.Duration
	// Seed tells clients apart that are the same otherwise.
	Seed uint64
}

// Report is what a client has seen.
type Report struct {
	// Attempts to connect; each is Connected, Refused or TimedOut.
	Attempts, Connected, Refused, TimedOut int
	// Reset connections were Connected, and were cut before the client was done.
	Reset int
	// Open connections are those that the client still has.
	Open int
	// Zones has how often each zone's address was used, and Targets how many
	// connections were sent to each target, whatever came of them.
	Zones   map[string]int
	Targets map[Key]int
	// LeastServing has, by zone, the least number of targets that served at a time.
	LeastServing map[string]int
	// Failures are the first of what failed, at most maxFailures.
	Failures []Failure
}

// Failure is a connection that failed.
type Failure struct {
	At      time.Time
	Outcome Outcome
	// Zone whose address was used; Target that it was sent to, if to any.
	Zone   string
	Target Key
	// Why, for people.
	Why string
}

// maxFailures is as many as help to understand a test.
const maxFailures = 100

// Failed is how many connections did not end as their client wanted.
func (r Report) Failed() int { return r.Refused + r.TimedOut + r.Reset }

// String says it for people.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d attempts: %d connected, %d refused, %d timed out; %d reset", r.Attempts, r.Connected, r.Refused, r.TimedOut, r.Reset)
	for _, zone := range slices.Sorted(maps.Keys(r.LeastServing)) {
		fmt.Fprintf(&b, "; least serving in %s: %d", zone, r.LeastServing[zone])
	}
	for i, f := range r.Failures {
		if i == 10 {
			b.WriteString("\n…")
			break
		}
		fmt.Fprintf(&b, "\n%s %s: %s", f.At.Format(time.TimeOnly), f.Zone, f.Outcome)
		if f.Target.ID != "" {
			fmt.Fprintf(&b, " at %s:%d", f.Target.ID, f.Target.Port)
		}
		fmt.Fprintf(&b, ": %s", f.Why)
	}
	return b.String()
}

// Traffic is a Client at work.
type Traffic struct {
	sim    *Sim
	client Client
	from   netip.Addr
	// next is when it opens the next connection.
	next time.Time
	// flows that are open, in the order in which they end.
	flows  []flow
	report Report
	// answer is what DNS said, and asked when.
	answer []string
	asked  time.Time
}

// StartClient lets a client open connections until it is stopped. It panics if
// the client cannot be: a test without traffic would prove nothing.
func (s *Sim) StartClient(c Client) *Traffic {
	if (c.TargetGroup == "") == (c.LoadBalancer == "" || c.Port == 0) {
		panic("awssim: a client needs a load balancer and a port, or a target group")
	}
	if c.Every <= 0 {
		c.Every = time.Second
	}
	t := &Traffic{sim: s, client: c, report: Report{Zones: map[string]int{}, Targets: map[Key]int{}, LeastServing: map[string]int{}}}
	t.from = netip.MustParseAddr(or(c.Address, "198.51.100.7"))
	s.change(func(now time.Time) {
		if who := t.who(); c.Instance != "" && who.instance == "" {
			panic("awssim: no such instance: " + c.Instance)
		}
		t.next = now
		s.traffic = append(s.traffic, t)
	})
	return t
}

// Report returns what the client has seen until now.
func (t *Traffic) Report() Report {
	_, unlock := t.sim.lock()
	defer unlock()
	out := t.report
	out.Open = len(t.flows)
	out.Zones, out.Targets, out.LeastServing = maps.Clone(out.Zones), maps.Clone(out.Targets), maps.Clone(out.LeastServing)
	out.Failures = slices.Clone(out.Failures)
	return out
}

// Stop ends the client and returns what it has seen. Connections that it still
// has it closes in peace.
func (t *Traffic) Stop() Report {
	out := t.Report()
	t.sim.change(func(time.Time) {
		t.sim.traffic = slices.DeleteFunc(t.sim.traffic, func(o *Traffic) bool { return o == t })
	})
	return out
}

// who is the client as others see it.
func (t *Traffic) who() peer {
	for _, w := range t.sim.worlds {
		if i := w.instances[t.client.Instance]; i != nil {
			p := i.peer()
			p.private = t.client.PrivateLink
			return p
		}
	}
	return peer{ip: t.from, private: t.client.PrivateLink}
}

// due is when the client next does something.
func (t *Traffic) due() time.Time {
	if len(t.flows) > 0 && t.flows[0].ends.Before(t.next) {
		return t.flows[0].ends
	}
	return t.next
}

// step lets the client do what it does at a time that has come.
func (t *Traffic) step(at time.Time) {
	t.look(at)
	if t.next.After(at) {
		return
	}
	t.next = at.Add(t.client.Every)
	t.report.Attempts++
	s, who := t.sim, t.who()
	d, why := s.doorOf(t.client, who.ip, at)
	if d == nil {
		t.fail(way{zone: t.client.Zone}, TimedOut, why, at)
		return
	}
	salt := fmt.Sprint(t.client.Seed, " ", t.client.Zone, " ", t.report.Attempts)
	zone := or(t.client.Zone, t.resolve(d, salt, at))
	t.report.Zones[zone]++
	y, outcome, why := s.open(d, zone, who, salt, at)
	if y.key.ID != "" {
		t.report.Targets[y.key]++
	}
	if outcome != Connected {
		t.fail(y, outcome, why, at)
		return
	}
	t.report.Connected++
	if t.client.Holds > 0 {
		t.flows = append(t.flows, flow{y, at.Add(t.client.Holds)})
	}
}

// dnsTTL is the time to live of a load balancer's records.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html
const dnsTTL = 60

// resolve chooses one of the zones that DNS answered with.
func (t *Traffic) resolve(d *door, salt string, at time.Time) string {
	if len(t.answer) == 0 || !at.Before(t.asked.Add(t.sim.profile.configured(dnsTTL))) {
		t.answer, t.asked = d.resolves(), at
	}
	return pickBy(salt, t.answer, func(zone string) string { return zone })
}

// look notes what has happened to the connections, and who serves.
func (t *Traffic) look(at time.Time) {
	left, fates := t.flows[:0], map[way]string{}
	for _, f := range t.flows {
		why, known := fates[f.way]
		if !known {
			why = t.sim.cut(f.way, at)
			fates[f.way] = why
		}
		switch {
		case why != "":
			t.fail(f.way, Reset, why, at)
		case f.ends.After(at):
			left = append(left, f)
		}
	}
	t.flows = left
	d, _ := t.sim.doorOf(t.client, t.who().ip, at)
	if d == nil {
		return
	}
	for _, zone := range d.zones {
		n := t.sim.serving(d, zone)
		if least, seen := t.report.LeastServing[zone]; !seen || n < least {
			t.report.LeastServing[zone] = n
		}
	}
}

func (t *Traffic) fail(y way, o Outcome, why string, at time.Time) {
	switch o {
	case Refused:
		t.report.Refused++
	case TimedOut:
		t.report.TimedOut++
	case Reset:
		t.report.Reset++
	case Connected:
	}
	if len(t.report.Failures) < maxFailures {
		t.report.Failures = append(t.report.Failures, Failure{at, o, y.zone, y.key, why})
	}
}

// drive lets all clients do what is due, each at its time, in a world that is
// settled for that time.
func (s *Sim) drive(now time.Time) {
	for {
		var first *Traffic
		for _, t := range s.traffic {
			if due := t.due(); !due.After(now) && (first == nil || due.Before(first.due())) {
				first = t
			}
		}
		if first == nil {
			return
		}
		at := first.due()
		s.settleWorlds(at)
		first.step(at)
	}
}
