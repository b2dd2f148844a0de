package awssim

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// targetGroup is a target group of a Network Load Balancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html
type targetGroup struct {
	place
	arn      string
	settings settings
	// attributes that differ from their defaults.
	attributes map[string]string
	tags       map[string]string
	targets    map[Key]*target
	// resting are server ids of QUIC targets, with the time when they were
	// deregistered.
	resting map[string]time.Time
	// attached are the listeners of AttachListener; forwards are those of
	// CreateListener, and their rules.
	attached, forwards []*Listener
	// healthLost says that AWS does not know the health of its targets.
	healthLost bool
	// causes says that reasons tell what health checks met.
	causes bool
	// visible is when calls other than CreateTargetGroup find it.
	visible time.Time
}

// settings are what CreateTargetGroup compares to tell whether it has been asked
// for the same group again.
type settings struct {
	name, protocol, vpc, targetType, addressType string
	port                                         int
	check                                        healthCheck
}

// healthCheck is how AWS finds out whether a target is healthy.
type healthCheck struct {
	protocol, port, path, codes string
	interval, timeout           int // seconds
	healthy, unhealthy          int // probes
}

// portOf is the port that a target is probed on.
func (h healthCheck) portOf(k Key) int32 {
	if n, err := strconv.ParseInt(h.port, 10, 32); err == nil {
		return int32(n)
	}
	return k.Port
}

var protocols = []string{"HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"}

func healthCheckParams() map[string]shape {
	return map[string]shape{
		"HealthCheckProtocol": oneOf(protocols...), "HealthCheckPort": anyText(),
		"HealthCheckPath": textOf(1, 1024), "HealthCheckEnabled": trueOrFalse(),
		"HealthCheckIntervalSeconds": number(5, 300), "HealthCheckTimeoutSeconds": number(2, 120),
		"HealthyThresholdCount": number(2, 10), "UnhealthyThresholdCount": number(2, 10),
		"Matcher.HttpCode": anyText(), "Matcher.GrpcCode": anyText(),
	}
}

func targetGroupActions() map[string]action {
	create := healthCheckParams()
	for name, sh := range map[string]shape{
		"Name": anyText(), "Protocol": oneOf(protocols...), "ProtocolVersion": anyText(),
		"Port": number(1, 65535), "VpcId": anyText(), "TargetType": oneOf("instance", "ip", "lambda", "alb"),
		"IpAddressType": oneOf("ipv4", "ipv6"), "TargetControlPort": number(1, 65535),
		"Tags.member.N.Key": tagKey(), "Tags.member.N.Value": tagValue(),
	} {
		create[name] = sh
	}
	modify := healthCheckParams()
	modify["TargetGroupArn"] = anyText()
	return map[string]action{
		"CreateTargetGroup": {bucket: mutating, params: create, required: []string{"Name"}, run: createTargetGroup},
		"ModifyTargetGroup": {bucket: mutating, params: modify, required: []string{"TargetGroupArn"}, run: modifyTargetGroup},
		"DeleteTargetGroup": {
			bucket: mutating, params: map[string]shape{"TargetGroupArn": anyText()},
			required: []string{"TargetGroupArn"}, run: deleteTargetGroup,
		},
		"DescribeTargetGroups": {
			bucket: nonMutating,
			params: map[string]shape{
				"LoadBalancerArn": anyText(), "TargetGroupArns.member.N": anyText(), "Names.member.N": anyText(),
				"Marker": anyText(), "PageSize": number(1, 400),
			},
			run: describeTargetGroups,
		},
	}
}

// createTargetGroup: a repeated call with the same settings returns the group
// that exists; tags are no settings, and are not applied then (assumed).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
func createTargetGroup(c *call) (any, error) {
	wanted, err := c.readSettings()
	if err != nil {
		return nil, err
	}
	tags, err := c.readTags(nil)
	if err != nil {
		return nil, err
	}
	w := c.world()
	for _, g := range w.groups {
		if g.settings.name != wanted.name {
			continue
		}
		if g.settings != wanted {
			return nil, refuse("DuplicateTargetGroupName",
				"A target group with the same name '%s' exists, but with different settings", wanted.name)
		}
		return groupList(g), nil
	}
	if len(w.groups) >= c.sim.opts.Quotas.TargetGroups {
		return nil, refuse("TooManyTargetGroups", "The maximum number of target groups has been reached")
	}
	arn := fmt.Sprintf("arn:%s:elasticloadbalancing:%s:%s:targetgroup/%s/%s",
		partition(c.region), c.region, c.who.account, wanted.name, c.sim.unique(16))
	g := &targetGroup{
		place: w.place, arn: arn, settings: wanted, tags: tags,
		attributes: map[string]string{},
		targets:    map[Key]*target{},
		resting:    map[string]time.Time{},
		causes:     c.sim.opts.TellCauses,
		visible:    c.now.Add(c.sim.profile.GroupLag.pick(arn)),
	}
	w.groups[arn] = g
	return groupList(g), nil
}

func modifyTargetGroup(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	check, err := c.readHealthCheck(g.settings.targetType, g.settings.check)
	if err != nil {
		return nil, err
	}
	g.settings.check = check
	return groupList(g), nil
}

// deleteTargetGroup succeeds for a group that does not exist: the API reference
// knows ResourceInUse as its only error.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html
func deleteTargetGroup(c *call) (any, error) {
	g, err := c.find(c.str("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	if g == nil {
		return empty{}, nil
	}
	if len(g.uses()) > 0 {
		return nil, refuse("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", g.arn)
	}
	delete(c.world().groups, g.arn)
	return empty{}, nil
}

// describeTargetGroups: one unknown name or ARN fails the whole call.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html
func describeTargetGroups(c *call) (any, error) {
	names, arns, lb := c.list("Names.member"), c.list("TargetGroupArns.member"), c.str("LoadBalancerArn")
	selectors := 0
	for _, given := range []bool{len(names) > 0, len(arns) > 0, lb != ""} {
		if given {
			selectors++
		}
	}
	if selectors > 1 {
		return nil, invalid("Only one of load balancer ARN, target group ARNs and target group names can be specified")
	}
	for _, arn := range arns {
		if _, err := c.find(arn); err != nil {
			return nil, err
		}
	}
	var found []*targetGroup
	for _, g := range c.world().groups {
		fits := selectors == 0 || slices.Contains(names, g.settings.name) || slices.Contains(arns, g.arn) ||
			lb != "" && slices.Contains(g.loadBalancers(), lb)
		if fits && !c.now.Before(g.visible) {
			found = append(found, g)
		}
	}
	switch {
	case len(found) < len(unrepeated(names))+len(unrepeated(arns)):
		return nil, refuse("TargetGroupNotFound", "One or more target groups not found")
	case lb != "" && len(found) == 0:
		// One that exists only for AttachListener has a group.
		if _, err := c.loadBalancer(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b *targetGroup) int { return strings.Compare(a.settings.name, b.settings.name) })
	page, next, err := pageOf(found, func(g *targetGroup) string { return g.settings.name },
		c.str("Marker"), c.num("PageSize", 400))
	if err != nil {
		return nil, err
	}
	out := groupList(page...)
	out.NextMarker = next
	return out, nil
}

func unrepeated(in []string) []string {
	out := slices.Clone(in)
	slices.Sort(out)
	return slices.Compact(out)
}

var targetGroupARN = regexp.MustCompile(`^arn:[a-z-]+:elasticloadbalancing:([a-z0-9-]+):(\d{12}):targetgroup/[A-Za-z0-9-]+/[0-9a-f]{16}$`)

// find returns the group of an ARN, or nil if there is none. An ARN of another
// account is one that the caller may not use.
func (c *call) find(arn string) (*targetGroup, error) {
	if err := c.own(targetGroupARN, arn, "target group"); err != nil {
		return nil, err
	}
	return c.world().groups[arn], nil
}

// group returns the group that the call names.
func (c *call) group() (*targetGroup, error) {
	g, err := c.find(c.str("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	if g == nil || c.now.Before(g.visible) {
		return nil, refuse("TargetGroupNotFound", "Target groups '%s' not found", c.str("TargetGroupArn"))
	}
	return g, nil
}

// uses are the listeners and rules that forward to the group.
func (g *targetGroup) uses() []*Listener {
	if len(g.attached) == 0 {
		return g.forwards
	}
	return slices.Concat(g.attached, g.forwards)
}

// loadBalancers that use the group: at most one.
func (g *targetGroup) loadBalancers() []string {
	var out []string
	for _, l := range g.uses() {
		out = append(out, l.LoadBalancerARN)
	}
	return unrepeated(out)
}
