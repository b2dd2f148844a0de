package awssim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// HealthState is the state of a target, in AWS's words.
type HealthState string

// Reason says why a target is in its state, in AWS's words. A healthy target has
// none.
type Reason string

// The states and reasons that a target can have here.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html#target-health-states
const (
	Initial           HealthState = "initial"
	Healthy           HealthState = "healthy"
	Unhealthy         HealthState = "unhealthy"
	UnhealthyDraining HealthState = "unhealthy.draining"
	Draining          HealthState = "draining"
	Unused            HealthState = "unused"
	// UnknownHealth of a Network Load Balancer's target has the reason InternalError
	// only: health checks cannot be disabled here.
	UnknownHealth HealthState = "unavailable"

	RegistrationInProgress   Reason = "Elb.RegistrationInProgress"
	InitialHealthChecking    Reason = "Elb.InitialHealthChecking"
	FailedHealthChecks       Reason = "Target.FailedHealthChecks"
	Timeout                  Reason = "Target.Timeout"
	ResponseCodeMismatch     Reason = "Target.ResponseCodeMismatch"
	DeregistrationInProgress Reason = "Target.DeregistrationInProgress"
	NotRegistered            Reason = "Target.NotRegistered"
	NotInUse                 Reason = "Target.NotInUse"
	InvalidState             Reason = "Target.InvalidState"
	InternalError            Reason = "Elb.InternalError"
)

// Probe is what a health check finds on a port.
type Probe string

// What a health check can find.
const (
	// Accepts: a process accepts, and answers as it should.
	Accepts Probe = "Accepts"
	// Refuses: nothing listens.
	Refuses Probe = "Refuses"
	// TimesOut: nothing answers.
	TimesOut Probe = "TimesOut"
	// AnswersWrong: an HTTP answer has a code that does not match. To a TCP
	// health check it is as good as Accepts.
	AnswersWrong Probe = "AnswersWrong"
	// Finishing: nothing listens, but connections that are open are served to
	// their end. With Refuses they are cut.
	Finishing Probe = "Finishing"
)

// look returns a target of the group as it is, or as AWS's readers see it.
func (g *targetGroup) look(k Key, now time.Time, reader bool) (Target, bool) {
	t := g.targets[k]
	if t == nil {
		return Target{}, false
	}
	if reader && now.Before(t.shownUntil) {
		if t.shown == nil {
			return Target{}, false
		}
		return *t.shown, true
	}
	if t.phase == gone {
		return Target{}, false
	}
	out := Target{Key: t.Key, Zone: t.zone, QUICServerID: t.quic}
	out.State, out.Reason, out.Description = t.health(now, g.causes)
	if reader && g.healthLost && t.checked() {
		out.State, out.Reason, out.Description = UnknownHealth, InternalError, "Target health is unavailable due to an internal error"
	}
	if out.State == Healthy {
		out.HealthySince = t.passed
	}
	return out, true
}

// list returns the targets of the group in order.
func (g *targetGroup) list(now time.Time, reader bool) []Target {
	var out []Target
	for k := range g.targets {
		if t, ok := g.look(k, now, reader); ok {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Target) int {
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return int(a.Port - b.Port)
	})
	return out
}

// checked says that health checks decide what the target is. Of others AWS knows what
// they are without (assumed).
func (t *target) checked() bool {
	return t.phase == checking || t.phase == healthy || t.phase == unhealthy
}

func (t *target) health(now time.Time, causes bool) (HealthState, Reason, string) {
	switch t.phase {
	case registering:
		return Initial, RegistrationInProgress, "Target registration is in progress"
	case checking:
		return Initial, InitialHealthChecking, "Initial health checks in progress"
	case healthy:
		return Healthy, "", ""
	case draining:
		return Draining, DeregistrationInProgress, "Target deregistration is in progress"
	case unhealthy:
		reason, why := FailedHealthChecks, "Health checks failed"
		switch {
		case causes && t.found == TimesOut:
			reason, why = Timeout, "Request timed out"
		case causes && t.found == AnswersWrong:
			reason, why = ResponseCodeMismatch, "Health checks failed with these codes: [500]"
		}
		if now.Before(t.drained) {
			return UnhealthyDraining, reason, why
		}
		return Unhealthy, reason, why
	case unused, gone:
	}
	return Unused, t.why.reason, t.why.description
}

type xmlTarget struct {
	ID               string `xml:"Id"`
	Port             int32
	AvailabilityZone string `xml:",omitempty"`
	QuicServerID     string `xml:"QuicServerId,omitempty"`
}

type xmlHealth struct {
	Target          xmlTarget
	HealthCheckPort string `xml:",omitempty"`
	TargetHealth    struct {
		State       HealthState
		Reason      Reason `xml:",omitempty"`
		Description string `xml:",omitempty"`
	}
	AdministrativeOverride xmlOverride
}

// describeTargetHealth is not paginated, and answers for targets that are not
// registered, if it is asked for them.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html
func describeTargetHealth(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	asked, err := c.readTargets(g)
	if err != nil {
		return nil, err
	}
	if err := g.checkIDs(asked); err != nil {
		return nil, err
	}
	var out struct{ TargetHealthDescriptions members[xmlHealth] }
	add := func(t Target) {
		x := xmlHealth{Target: xmlTarget{ID: t.ID, Port: t.Port, QuicServerID: t.QUICServerID}}
		if g.settings.targetType == "ip" {
			x.Target.AvailabilityZone = t.Zone
		}
		if t.Reason != NotRegistered {
			x.HealthCheckPort = strconv.Itoa(int(g.settings.check.portOf(t.Key)))
		}
		x.TargetHealth.State, x.TargetHealth.Reason, x.TargetHealth.Description = t.State, t.Reason, t.Description
		x.AdministrativeOverride = g.override(t)
		out.TargetHealthDescriptions.Member = append(out.TargetHealthDescriptions.Member, x)
	}
	if len(asked) == 0 {
		for _, t := range g.list(c.now, true) {
			add(t)
		}
	}
	for _, d := range asked {
		t, ok := g.look(d.Key, c.now, true)
		if !ok {
			t = Target{
				Key: d.Key, State: Unused, Reason: NotRegistered,
				Description: "Target is not registered to the target group",
			}
		}
		add(t)
	}
	return out, nil
}
