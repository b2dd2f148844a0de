package awssim

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The attributes of target groups for Network Load Balancers.
const (
	delaySeconds        = "deregistration_delay.timeout_seconds"
	delayTermination    = "deregistration_delay.connection_termination.enabled"
	crossZone           = "load_balancing.cross_zone.enabled"
	preserveClientIP    = "preserve_client_ip.enabled"
	proxyProtocol       = "proxy_protocol_v2.enabled"
	stickiness          = "stickiness.enabled"
	stickinessType      = "stickiness.type"
	failoverCount       = "target_group_health.dns_failover.minimum_healthy_targets.count"
	failoverPercent     = "target_group_health.dns_failover.minimum_healthy_targets.percentage"
	routingCount        = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
	routingPercent      = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
	unhealthyTerminates = "target_health_state.unhealthy.connection_termination.enabled"
	unhealthyDraining   = "target_health_state.unhealthy.draining_interval_seconds"
)

// attribute is what AWS says of one attribute.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html#target-group-attributes
type attribute struct {
	key string
	// def is its value while nobody has set one.
	def func(s settings) string
	// fits says whether a value is allowed.
	fits func(v string) bool
}

func always(v string) func(settings) string { return func(settings) string { return v } }

func when(cond func(settings) bool) func(settings) string {
	return func(s settings) string { return strconv.FormatBool(cond(s)) }
}

func isBool(v string) bool { return v == "true" || v == "false" }

func within(minV, maxV int) func(string) bool {
	return func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= minV && n <= maxV
	}
}

func offOr(fits func(string) bool) func(string) bool {
	return func(v string) bool { return v == "off" || fits(v) }
}

// maxCount is "the maximum number of targets" (1,000 per group).
const maxCount = 1000

var attributes = []attribute{
	{delaySeconds, always("300"), within(0, 3600)},
	{delayTermination, when(func(s settings) bool { return isUDP(s.protocol) }), isBool},
	{crossZone, always("use_load_balancer_configuration"), func(v string) bool {
		return isBool(v) || v == "use_load_balancer_configuration"
	}},
	{preserveClientIP, when(func(s settings) bool {
		return s.targetType != "ip" || s.protocol != "TCP" && s.protocol != "TLS"
	}), isBool},
	{proxyProtocol, always("false"), isBool},
	{stickiness, always("false"), isBool},
	{stickinessType, always("source_ip"), func(v string) bool { return v == "source_ip" }},
	{failoverCount, always("1"), offOr(within(1, maxCount))},
	{failoverPercent, always("off"), offOr(within(1, 100))},
	{routingCount, always("1"), within(1, maxCount)},
	{routingPercent, always("off"), offOr(within(1, 100))},
	{unhealthyTerminates, when(func(s settings) bool { return !isUDP(s.protocol) }), isBool},
	{unhealthyDraining, always("0"), within(0, 360000)},
}

// foreign are the attributes of target groups for other kinds of load balancers.
var foreign = []string{
	"slow_start.duration_seconds", "load_balancing.algorithm.type", "load_balancing.algorithm.anomaly_mitigation",
	"stickiness.app_cookie.cookie_name", "stickiness.app_cookie.duration_seconds",
	"stickiness.lb_cookie.duration_seconds", "lambda.multi_value_headers.enabled",
	"target_failover.on_deregistration", "target_failover.on_unhealthy",
	"send_tcp_reset.on_unhealthy.enabled", "send_tcp_reset.on_deregistration.enabled",
}

func attributeActions() map[string]action {
	return map[string]action{
		"DescribeTargetGroupAttributes": {
			bucket: nonMutating, params: map[string]shape{"TargetGroupArn": anyText()},
			required: []string{"TargetGroupArn"}, run: describeAttributes,
		},
		"ModifyTargetGroupAttributes": {
			bucket: mutating,
			params: map[string]shape{
				"TargetGroupArn":            anyText(),
				"Attributes.member.N.Key":   {max: 256, pattern: regexp.MustCompile(`^[a-zA-Z0-9._]+$`)},
				"Attributes.member.N.Value": anyText(),
			},
			required: []string{"TargetGroupArn", "Attributes"},
			run:      modifyAttributes,
		},
	}
}

// attribute returns the value of an attribute, or its default.
func (g *targetGroup) attribute(key string) string {
	if v, ok := g.attributes[key]; ok {
		return v
	}
	for _, a := range attributes {
		if a.key == key {
			return a.def(g.settings)
		}
	}
	return ""
}

// seconds is the value of an attribute that is a number.
func (g *targetGroup) seconds(key string) int {
	// modifyAttributes lets nothing else through.
	n, _ := strconv.Atoi(g.attribute(key))
	return n
}

type xmlAttributes struct{ Attributes members[xmlTag] }

func (g *targetGroup) listAttributes() xmlAttributes {
	var out xmlAttributes
	for _, a := range attributes {
		out.Attributes.Member = append(out.Attributes.Member, xmlTag{a.key, g.attribute(a.key)})
	}
	return out
}

func describeAttributes(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	return g.listAttributes(), nil
}

// modifyAttributes changes all of the attributes it is given or none.
func modifyAttributes(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	after := &targetGroup{settings: g.settings, attributes: maps.Clone(g.attributes), forwards: g.forwards}
	var keys []string
	for _, item := range c.items("Attributes.member") {
		k, v := c.str(item+"Key"), c.str(item+"Value")
		if slices.Contains(keys, k) {
			return nil, invalid("Target group attribute key '%s' is specified more than once", k)
		}
		keys = append(keys, k)
		if err := g.checkAttribute(k, v); err != nil {
			return nil, err
		}
		after.attributes[k] = v
	}
	if err := after.checkAttributes(keys); err != nil {
		return nil, err
	}
	g.attributes = after.attributes
	return g.listAttributes(), nil
}

// checkAttribute applies the rules of one attribute on its own.
func (g *targetGroup) checkAttribute(key, value string) error {
	if slices.Contains(foreign, key) {
		return misconfigured("Target group attribute key '%s' is not supported on target groups with protocol '%s'",
			key, g.settings.protocol)
	}
	i := slices.IndexFunc(attributes, func(a attribute) bool { return a.key == key })
	switch {
	case i < 0:
		return invalid("Target group attribute key '%s' is not recognized", key)
	case key == stickinessType && (value == "lb_cookie" || value == "app_cookie"):
		return misconfigured("Stickiness type '%s' is not supported for target groups with the %s protocol",
			value, g.settings.protocol)
	case !attributes[i].fits(value):
		return invalid("'%s' is not a valid value for target group attribute '%s'", value, key)
	}
	return nil
}

// checkAttributes applies the rules that go across attributes, to what the
// group would have; keys are those that the call gives.
func (g *targetGroup) checkAttributes(keys []string) error {
	protocol := g.settings.protocol
	is := func(key, value string) bool { return slices.Contains(keys, key) && g.attribute(key) == value }
	fixed := func(key string) bool {
		return slices.Contains(keys, key) && g.attribute(key) != (&targetGroup{settings: g.settings}).attribute(key)
	}
	switch {
	case g.settings.targetType == "alb" && is(preserveClientIP, "false"):
		return misconfigured("Client IP preservation cannot be disabled for target groups of type 'alb'")
	case (isUDP(protocol) || isQUIC(protocol)) && is(preserveClientIP, "false"):
		return misconfigured("Client IP preservation cannot be disabled for target groups with the %s protocol", protocol)
	case protocol == "TLS" && is(stickiness, "true"), is(stickiness, "true") && g.servesTLS():
		// "Sticky sessions are not supported with TLS listeners and TLS target groups":
		// network/edit-target-group-attributes.html.
		return misconfigured("Stickiness is not supported for target groups of TLS listeners or with the TLS protocol")
	case is(stickiness, "true") && g.unstuck():
		return misconfigured("Target group stickiness must be enabled for every action that forwards to several target groups")
	case isUDP(protocol) && is(unhealthyTerminates, "true"):
		return misconfigured("Connection termination for unhealthy targets cannot be enabled for target groups with the %s protocol", protocol)
	case isQUIC(protocol) && (fixed(delaySeconds) || fixed(delayTermination) || fixed(proxyProtocol) || fixed(stickiness)):
		return misconfigured("The attributes %s are not supported for target groups with the %s protocol",
			strings.Join(keys, ", "), protocol)
	case slices.Contains(keys, unhealthyDraining) && g.attribute(unhealthyTerminates) == "true" && g.seconds(unhealthyDraining) > 0,
		is(unhealthyTerminates, "true") && g.seconds(unhealthyDraining) > 0:
		return misconfigured("%s can only be configured when %s is false", unhealthyDraining, unhealthyTerminates)
	}
	// "unhealthy_state_routing … count must be less than or equal to the DNS
	// failover count": facts/aws.md §1.7. DNS failover that is off has no count.
	for _, pair := range [][2]string{{routingCount, failoverCount}, {routingPercent, failoverPercent}} {
		if g.attribute(pair[1]) != "off" && g.attribute(pair[0]) != "off" && g.seconds(pair[0]) > g.seconds(pair[1]) {
			return misconfigured("%s must be less than or equal to %s", pair[0], pair[1])
		}
	}
	return nil
}

// servesTLS says whether a TLS listener forwards to the group.
func (g *targetGroup) servesTLS() bool {
	return slices.ContainsFunc(g.forwards, func(l *Listener) bool { return l.tls })
}

// unstuck says whether an action forwards to the group and to others, and has no
// stickiness of its own.
func (g *targetGroup) unstuck() bool {
	return slices.ContainsFunc(g.forwards, func(l *Listener) bool { return l.unstuck })
}
