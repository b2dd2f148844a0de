package awssim

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The rules of CreateTargetGroup and ModifyTargetGroup for Network Load
// Balancers: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
// and https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html

var nameChars = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// networkProtocols are those of target groups for Network Load Balancers. Other
// target groups exist in AWS, and are refused here.
var networkProtocols = []string{"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"}

func (c *call) readSettings() (settings, error) {
	s := settings{
		name: c.str("Name"), protocol: c.str("Protocol"), vpc: c.str("VpcId"), port: c.num("Port", 0),
		targetType: or(c.str("TargetType"), "instance"), addressType: or(c.str("IpAddressType"), "ipv4"),
	}
	if err := checkName("Target group name", s.name); err != nil {
		return s, err
	}
	quic := isQUIC(s.protocol)
	switch {
	case s.targetType == "lambda":
		return s, misconfigured("The target type 'lambda' is not supported for Network Load Balancers")
	case s.protocol == "":
		return s, invalid("A protocol must be specified")
	case s.port == 0:
		return s, invalid("A port must be specified")
	case s.vpc == "":
		return s, invalid("A VPC ID must be specified for target groups of type '%s'", s.targetType)
	case c.world().vpcs[s.vpc] == nil:
		return s, invalid("The VPC ID '%s' is not found", s.vpc)
	case !slices.Contains(networkProtocols, s.protocol):
		return s, misconfigured("The protocol '%s' is not supported for Network Load Balancers", s.protocol)
	case s.targetType == "alb" && s.protocol != "TCP":
		return s, misconfigured("Protocol '%s' is not supported with the target type 'alb'", s.protocol)
	case c.has("IpAddressType") && (s.targetType == "alb" || quic) && s.addressType != "ipv4":
		return s, misconfigured("The IP address type '%s' is not supported for this target group", s.addressType)
	case c.has("ProtocolVersion"):
		return s, misconfigured("The protocol version is not supported for target groups with protocol '%s'", s.protocol)
	case c.has("TargetControlPort"):
		return s, misconfigured("The target control port is not supported for target groups with protocol '%s'", s.protocol)
	}
	check, err := c.readHealthCheck(s.targetType, healthCheck{})
	s.check = check
	return s, err
}

func isQUIC(protocol string) bool { return protocol == "QUIC" || protocol == "TCP_QUIC" }

func isUDP(protocol string) bool { return protocol == "UDP" || protocol == "TCP_UDP" }

// checkName holds for load balancers too.
func checkName(what, name string) error {
	switch {
	case len(name) > 32:
		return invalid("%s '%s' cannot be longer than '32' characters", what, name)
	case !nameChars.MatchString(name):
		return invalid("%s '%s' can only contain characters that are alphanumeric characters or hyphens(-)", what, name)
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return invalid("%s '%s' cannot begin or end with a hyphen(-)", what, name)
	}
	return nil
}

// defaultCheck is TCP, but for load balancers as targets: their health checks are
// over HTTP or HTTPS, and the former is the default (assumed).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/application-load-balancer-target.html
func defaultCheck(targetType string) string {
	if targetType == "alb" {
		return "HTTP"
	}
	return "TCP"
}

// readHealthCheck reads a health check over the one there was; the zero value
// means that there was none.
func (c *call) readHealthCheck(targetType string, was healthCheck) (healthCheck, error) {
	h := was
	h.protocol = or(c.str("HealthCheckProtocol"), was.protocol, defaultCheck(targetType))
	h.port = or(c.str("HealthCheckPort"), was.port, "traffic-port")
	timeout := 10
	if h.protocol == "HTTP" {
		timeout = 6
	}
	h.interval = c.num("HealthCheckIntervalSeconds", orNum(was.interval, 30))
	h.timeout = c.num("HealthCheckTimeoutSeconds", orNum(was.timeout, timeout))
	h.healthy = c.num("HealthyThresholdCount", orNum(was.healthy, 5))
	h.unhealthy = c.num("UnhealthyThresholdCount", orNum(was.unhealthy, 2))
	h.path, h.codes = "", ""
	if h.protocol == "HTTP" || h.protocol == "HTTPS" {
		h.path = or(c.str("HealthCheckPath"), was.path, "/")
		h.codes = or(c.str("Matcher.HttpCode"), was.codes, "200-399")
	}
	return h, c.checkHealthCheck(targetType, h)
}

func (c *call) checkHealthCheck(targetType string, h healthCheck) error {
	overHTTP := h.protocol == "HTTP" || h.protocol == "HTTPS"
	port, err := strconv.Atoi(h.port)
	switch {
	case c.str("HealthCheckEnabled") == "false":
		return misconfigured("Health check enabled must be true for target groups with target type '%s'", targetType)
	case !overHTTP && h.protocol != "TCP", !overHTTP && targetType == "alb":
		return misconfigured("Health check protocol '%s' is not supported", h.protocol)
	case !overHTTP && c.has("HealthCheckPath"):
		return misconfigured("Health check paths are not supported for TCP health checks")
	case !overHTTP && c.has("Matcher.HttpCode"):
		return misconfigured("Health check matchers are not supported for TCP health checks")
	case c.has("Matcher.GrpcCode"):
		return misconfigured("GRPC codes are not supported for Network Load Balancers")
	case h.port != "traffic-port" && (err != nil || port < 1 || port > 65535):
		return invalid("Health check port '%s' must be 'traffic-port' or a number between 1 and 65535", h.port)
	case overHTTP && !strings.HasPrefix(h.path, "/"):
		return invalid("Health check path '%s' must begin with a '/' character", h.path)
	case overHTTP && !codesFit(h.codes):
		return invalid("Health check matcher HTTP code '%s' must be within '200-599'", h.codes)
	case h.timeout > h.interval:
		return invalid("Health check timeout '%d' must be smaller than or equal to the interval '%d'", h.timeout, h.interval)
	}
	return nil
}

var codeRange = regexp.MustCompile(`^([2-5]\d\d)(?:-([2-5]\d\d))?$`)

// codesFit says whether a matcher is a list of HTTP codes 200-599 and ranges of
// them.
func codesFit(matcher string) bool {
	for _, part := range strings.Split(matcher, ",") {
		m := codeRange.FindStringSubmatch(part)
		if m == nil || m[2] != "" && m[2] < m[1] {
			return false
		}
	}
	return true
}

func or(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func orNum(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

// pageOf returns the page that begins after a marker, and the next marker. The
// items are sorted by name; a page is not a snapshot.
func pageOf[T any](items []T, name func(T) string, marker string, size int) (page []T, next string, err error) {
	if marker != "" {
		after, err := base64.URLEncoding.DecodeString(marker)
		if err != nil {
			return nil, "", invalid("Invalid marker '%s'", marker)
		}
		start := slices.IndexFunc(items, func(i T) bool { return name(i) > string(after) })
		if start < 0 {
			start = len(items)
		}
		items = items[start:]
	}
	if len(items) <= size {
		return items, "", nil
	}
	return items[:size], base64.URLEncoding.EncodeToString([]byte(name(items[size-1]))), nil
}
