package targetgroup

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// A state is what is compared. The first fields cannot be changed in AWS.
type state struct {
	name, protocol, vpcID, targetType, ipAddressType string
	port                                             int32

	health health
}

type health struct {
	protocol, port, path, matcher         string
	interval, timeout, healthy, unhealthy int32
}

// have is the state in AWS.
func have(g types.TargetGroup) state {
	s := state{
		name: str(g.TargetGroupName), protocol: string(g.Protocol), vpcID: str(g.VpcId),
		targetType: string(g.TargetType), ipAddressType: string(g.IpAddressType), port: num(g.Port),
		health: health{
			protocol: string(g.HealthCheckProtocol), port: str(g.HealthCheckPort), path: str(g.HealthCheckPath),
			interval: num(g.HealthCheckIntervalSeconds), timeout: num(g.HealthCheckTimeoutSeconds),
			healthy: num(g.HealthyThresholdCount), unhealthy: num(g.UnhealthyThresholdCount),
		},
	}
	if g.Matcher != nil {
		s.health.matcher = str(g.Matcher.HttpCode)
	}

	return s
}

// want is the state that is declared. What is not declared is as it is.
func want(p *v1alpha1.TargetGroupParameters, s state) state {
	set(&s.name, p.Name)
	set(&s.protocol, p.Protocol)
	set(&s.port, p.Port)
	set(&s.vpcID, p.VPCID)
	set(&s.targetType, p.TargetType)
	set(&s.ipAddressType, p.IPAddressType)

	if h := p.HealthCheck; h != nil {
		set(&s.health.protocol, h.Protocol)
		set(&s.health.port, h.Port)
		set(&s.health.path, h.Path)
		set(&s.health.matcher, h.Matcher)
		set(&s.health.interval, h.IntervalSeconds)
		set(&s.health.timeout, h.TimeoutSeconds)
		set(&s.health.healthy, h.HealthyThreshold)
		set(&s.health.unhealthy, h.UnhealthyThreshold)
	}

	return s
}

func set[T any](to, declared *T) {
	if declared != nil {
		*to = *declared
	}
}

func num(n *int32) int32 {
	if n == nil {
		return 0
	}

	return *n
}

// A difference is a field that is not as declared.
type difference struct{ field, have, want string }

func differ[T comparable](to []difference, field string, have, want T) []difference {
	if have == want {
		return to
	}

	return append(to, difference{field: field, have: fmt.Sprint(have), want: fmt.Sprint(want)})
}

// A change is what makes a group what it should be.
type change struct {
	// impossible: AWS cannot change these fields.
	impossible []difference
	// health: the health check differs, in these fields.
	health      bool
	differences []difference
	tags        controller.TagChange
	attributes  controller.AttributeChange
}

// plan decides what to change, but for tags and attributes.
func plan(want, have state) change {
	c := change{health: want.health != have.health}

	c.impossible = differ(c.impossible, "name", have.name, want.name)
	c.impossible = differ(c.impossible, "protocol", have.protocol, want.protocol)
	c.impossible = differ(c.impossible, "port", have.port, want.port)
	c.impossible = differ(c.impossible, "vpcId", have.vpcID, want.vpcID)
	c.impossible = differ(c.impossible, "targetType", have.targetType, want.targetType)
	c.impossible = differ(c.impossible, "ipAddressType", have.ipAddressType, want.ipAddressType)

	h, w := have.health, want.health
	c.differences = differ(c.differences, "healthCheck.protocol", h.protocol, w.protocol)
	c.differences = differ(c.differences, "healthCheck.port", h.port, w.port)
	c.differences = differ(c.differences, "healthCheck.path", h.path, w.path)
	c.differences = differ(c.differences, "healthCheck.matcher", h.matcher, w.matcher)
	c.differences = differ(c.differences, "healthCheck.intervalSeconds", h.interval, w.interval)
	c.differences = differ(c.differences, "healthCheck.timeoutSeconds", h.timeout, w.timeout)
	c.differences = differ(c.differences, "healthCheck.healthyThreshold", h.healthy, w.healthy)
	c.differences = differ(c.differences, "healthCheck.unhealthyThreshold", h.unhealthy, w.unhealthy)

	return c
}

func (c change) none() bool {
	return len(c.impossible) == 0 && !c.health && c.tags.None() && c.attributes.None()
}

// String says what differs, in a fixed order.
func (c change) String(g *group) string {
	var parts []string
	for _, d := range slices.Concat(c.impossible, c.differences) {
		parts = append(parts, fmt.Sprintf("%s: %q → %q", d.field, d.have, d.want))
	}

	parts = append(parts, c.attributes.Changes(g.attributes)...)

	for _, k := range slices.Sorted(maps.Keys(c.tags.Set)) {
		parts = append(parts, fmt.Sprintf("tags[%s] → %q", k, c.tags.Set[k]))
	}

	for _, k := range c.tags.Remove {
		parts = append(parts, fmt.Sprintf("tags[%s] removed", k))
	}

	return strings.Join(parts, ", ")
}

// stalled says which field cannot be what it is declared to be.
func (c change) stalled(g *group) error {
	d := c.impossible[0]

	return controller.Stalled{Reason: controller.ReasonImmutable, Message: fmt.Sprintf(
		"spec.forProvider.%s is %s, but %s has %s and AWS cannot change it: set it to %s, or create a new TargetGroup",
		d.field, d.want, g, d.have, d.have)}
}
