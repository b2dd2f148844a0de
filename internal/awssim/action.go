package awssim

import (
	"maps"
	"net/url"
	"regexp"
	"time"
)

// category is a token bucket that a call takes from. The names of ELBv2's are
// those of its throttling guide.
type category string

const (
	mutating     category = "mutating"
	nonMutating  category = "non-mutating"
	registration category = "registration"
	intensive    category = "resource-intensive"

	ec2Mutating   category = "ec2 mutating"
	ec2Tagging    category = "ec2 tagging"
	ec2Filtered   category = "ec2 non-mutating"
	ec2Unfiltered category = "ec2 non-mutating, unfiltered and unpaginated"

	unlimited category = ""
)

// action is what AWS does when it is asked to.
type action struct {
	// bucket the call takes from, besides the one of the whole account.
	bucket category
	// unsigned actions need no credentials.
	unsigned bool
	// params by name, where N stands for a list's index.
	params map[string]shape
	// required names of params; a list is required by its name.
	required []string
	// run has the effect and returns the result. It runs under Sim.mu.
	run func(c *call) (any, error)
}

// call is one call on its way.
type call struct {
	sim                     *Sim
	service, action, region string
	form                    url.Values
	who                     identity
	// now is when it takes effect.
	now time.Time
	// refused are target ids that a fault refuses.
	refused []string
	// lost calls get no answer.
	lost bool
}

// world is what exists where the call was made.
func (c *call) world() *world { return c.sim.world(place{c.who.account, c.region}) }

// version of a service's API, which its clients must name.
var versions = map[string]string{
	ServiceELBv2: "2015-12-01",
	ServiceEC2:   "2016-11-15",
	ServiceSTS:   "2011-06-15",
}

// actions by service and name. A room of the simulator brings its own part.
var actions = map[string]map[string]action{
	ServiceELBv2: merge(targetGroupActions(), attributeActions(), tagActions(), targetActions(),
		loadBalancerActions(), loadBalancerAttributeActions(), capacityActions(), accountActions(),
		listenerActions(), certificateActions(), listenerAttributeActions(), policyActions(), ruleActions()),
	ServiceEC2: ec2Actions(),
	ServiceSTS: identityActions(),
}

// ec2Actions all know DryRun.
func ec2Actions() map[string]action {
	out := merge(instanceActions(), securityGroupActions(), groupRuleActions(), ec2TagActions(), networkActions())
	for _, a := range out {
		a.params["DryRun"] = trueOrFalse()
	}
	return out
}

func merge(parts ...map[string]action) map[string]action {
	out := map[string]action{}
	for _, p := range parts {
		maps.Copy(out, p)
	}
	return out
}

// execute validates a call and lets it take effect.
func (s *Sim) execute(c *call, now time.Time) (any, error) {
	a := actions[c.service][c.action]
	if err := check(c.service, a, c.form); err != nil {
		return nil, err
	}
	if c.service == ServiceEC2 && c.str("DryRun") == "true" {
		return nil, &apiError{412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set."}
	}
	c.now = now
	out, err := a.run(c)
	s.settle(now)
	return out, err
}

// own refuses an ARN that is none of its kind, or another account's.
func (c *call) own(kind *regexp.Regexp, arn, what string) error {
	m := kind.FindStringSubmatch(arn)
	switch {
	case m == nil:
		return invalid("'%s' is not a valid %s ARN", arn, what)
	case m[2] != c.who.account:
		return forbidden("AccessDenied",
			"User: %s is not authorized to perform: %s:%s on resource: %s because no resource-based policy allows the %s:%s action",
			c.who.arn, c.service, c.action, arn, c.service, c.action)
	}
	return nil
}
