package awssim

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The attributes of Network Load Balancers that have a meaning here.
const (
	lbDeletionProtection = "deletion_protection.enabled"
	lbCrossZone          = "load_balancing.cross_zone.enabled"
	lbLogs               = "access_logs.s3.enabled"
	lbLogBucket          = "access_logs.s3.bucket"
	lbZonalShift         = "zonal_shift.config.enabled"
	lbSecondaryIPs       = "secondary_ips.auto_assigned.per_subnet"
)

// maxAttributes per call: botocore's service-2.json.
const maxAttributes = 20

// lbAttribute is what AWS says of one attribute.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
type lbAttribute struct {
	key  string
	def  func(lb *loadBalancer) string
	fits func(v string) bool
}

func plainly(v string) func(*loadBalancer) string { return func(*loadBalancer) string { return v } }

// s3Bucket is how a bucket of S3 is named.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var s3Bucket = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

var lbAttributes = []lbAttribute{
	{lbDeletionProtection, plainly("false"), isBool},
	{lbCrossZone, plainly("false"), isBool},
	{lbLogs, plainly("false"), isBool},
	{lbLogBucket, plainly(""), func(v string) bool { return v == "" || s3Bucket.MatchString(v) }},
	// "The prefix can't include AWSLogs": network/enable-access-logs.html.
	{"access_logs.s3.prefix", plainly(""), func(v string) bool { return !strings.Contains(v, "AWSLogs") }},
	{"ipv6.deny_all_igw_traffic", func(lb *loadBalancer) string { return strconv.FormatBool(lb.scheme == "internal") }, isBool},
	{lbZonalShift, plainly("false"), isBool},
	{"dns_record.client_routing_policy", plainly("any_availability_zone"), func(v string) bool {
		return slices.Contains([]string{"any_availability_zone", "partial_availability_zone_affinity", "availability_zone_affinity"}, v)
	}},
	{lbSecondaryIPs, plainly("0"), within(0, 7)},
}

// lbForeign are how the attributes of other load balancers begin.
var lbForeign = []string{
	"idle_timeout.timeout_seconds", "client_keep_alive.seconds", "connection_logs.s3.", "health_check_logs.s3.",
	"routing.http.", "routing.http2.enabled", "waf.fail_open.enabled",
}

func attributeParams(arn string) map[string]shape {
	return map[string]shape{
		arn:                         anyText(),
		"Attributes.member.N.Key":   {max: 256, pattern: regexp.MustCompile(`^[a-zA-Z0-9._]+$`)},
		"Attributes.member.N.Value": textOf(0, 1024),
	}
}

func loadBalancerAttributeActions() map[string]action {
	return map[string]action{
		"DescribeLoadBalancerAttributes": {
			bucket: nonMutating, params: map[string]shape{"LoadBalancerArn": anyText()},
			required: []string{"LoadBalancerArn"}, run: describeLoadBalancerAttributes,
		},
		"ModifyLoadBalancerAttributes": {
			bucket: mutating, params: attributeParams("LoadBalancerArn"),
			required: []string{"LoadBalancerArn", "Attributes"}, run: modifyLoadBalancerAttributes,
		},
	}
}

// attribute returns the value of an attribute, or its default.
func (lb *loadBalancer) attribute(key string) string {
	if v, ok := lb.attributes[key]; ok {
		return v
	}
	for _, a := range lbAttributes {
		if a.key == key {
			return a.def(lb)
		}
	}
	return ""
}

func (lb *loadBalancer) listAttributes() xmlAttributes {
	var out xmlAttributes
	for _, a := range lbAttributes {
		out.Attributes.Member = append(out.Attributes.Member, xmlTag{a.key, lb.attribute(a.key)})
	}
	return out
}

func describeLoadBalancerAttributes(c *call) (any, error) {
	lb, err := c.loadBalancer()
	if err != nil {
		return nil, err
	}
	return lb.listAttributes(), nil
}

// modifyLoadBalancerAttributes changes all of the attributes it is given or none.
func modifyLoadBalancerAttributes(c *call) (any, error) {
	lb, err := c.loadBalancer()
	if err != nil {
		return nil, err
	}
	given, err := c.readAttributes("Load balancer")
	if err != nil {
		return nil, err
	}
	after := &loadBalancer{scheme: lb.scheme, attributes: maps.Clone(lb.attributes)}
	for _, a := range given {
		if err := checkLoadBalancerAttribute(a.Key, a.Value); err != nil {
			return nil, err
		}
		after.attributes[a.Key] = a.Value
	}
	switch {
	case after.attribute(lbLogs) == "true" && after.attribute(lbLogBucket) == "":
		return nil, misconfigured("%s must be specified when access logs are enabled", lbLogBucket)
	// Both are one digit.
	case after.attribute(lbSecondaryIPs) < lb.attribute(lbSecondaryIPs):
		return nil, misconfigured("The value of %s cannot be decreased", lbSecondaryIPs)
	}
	lb.attributes = after.attributes
	c.world().relink()
	return lb.listAttributes(), nil
}

// readAttributes reads Attributes: at most 20, each key once.
func (c *call) readAttributes(what string) ([]xmlTag, error) {
	var out []xmlTag
	for _, item := range c.items("Attributes.member") {
		a := xmlTag{c.str(item + "Key"), c.str(item + "Value")}
		if slices.ContainsFunc(out, func(o xmlTag) bool { return o.Key == a.Key }) {
			return nil, invalid("%s attribute key '%s' is specified more than once", what, a.Key)
		}
		out = append(out, a)
	}
	if len(out) > maxAttributes {
		return nil, invalid("1 validation error detected: Value at 'attributes' failed to satisfy constraint:"+
			" Member must have length less than or equal to %d", maxAttributes)
	}
	return out, nil
}

// checkLoadBalancerAttribute applies the rules of one attribute on its own. The
// messages on keys are those that hashicorp/terraform-provider-aws looks for.
func checkLoadBalancerAttribute(key, value string) error {
	if slices.ContainsFunc(lbForeign, func(f string) bool { return strings.HasPrefix(key, f) }) {
		return misconfigured("Load balancer attribute key '%s' is not supported on load balancers with type 'network'", key)
	}
	i := slices.IndexFunc(lbAttributes, func(a lbAttribute) bool { return a.key == key })
	switch {
	case i < 0:
		return invalid("Load balancer attribute key '%s' is not recognized", key)
	case !lbAttributes[i].fits(value):
		return invalid("'%s' is not a valid value for load balancer attribute '%s'", value, key)
	}
	return nil
}
