package awssim

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Key identifies a target in its group, as AWS does: by id and port.
type Key struct {
	// ID is an instance id, or an address for target type ip.
	ID string
	// Port that traffic is sent to, 1-65535.
	Port int32
}

func targetActions() map[string]action {
	params := func() map[string]shape {
		return map[string]shape{
			"TargetGroupArn": anyText(), "Targets.member.N.Id": anyText(), "Targets.member.N.Port": number(1, 65535),
			"Targets.member.N.AvailabilityZone": anyText(), "Targets.member.N.QuicServerId": textOf(1, 256),
		}
	}
	describe := params()
	describe["Include.member.N"] = oneOf("AnomalyDetection", "All")
	return map[string]action{
		"RegisterTargets": {
			bucket: registration, params: params(), required: []string{"TargetGroupArn", "Targets"}, run: registerTargets,
		},
		"DeregisterTargets": {
			bucket: registration, params: params(), required: []string{"TargetGroupArn", "Targets"}, run: deregisterTargets,
		},
		"DescribeTargetHealth": {
			bucket: nonMutating, params: describe, required: []string{"TargetGroupArn"}, run: describeTargetHealth,
		},
	}
}

// description is a target as a call names it.
type description struct {
	Key

	zone, quic string
}

// readBatch is readTargets for a call that changes something. The code of the
// refusal is assumed: nobody quotes it.
func (c *call) readBatch(g *targetGroup) ([]description, error) {
	out, err := c.readTargets(g)
	if limit := c.sim.profile.LargestBatch; limit > 0 && len(out) > limit {
		return nil, &apiError{http.StatusServiceUnavailable, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."}
	}
	return out, err
}

// readTargets reads Targets; the port is the group's where a target has none.
func (c *call) readTargets(g *targetGroup) ([]description, error) {
	var out []description
	for _, item := range c.items("Targets.member") {
		d := description{
			Key:  Key{ID: c.str(item + "Id"), Port: int32(c.num(item+"Port", g.settings.port))},
			zone: c.str(item + "AvailabilityZone"), quic: c.str(item + "QuicServerId"),
		}
		if d.ID == "" {
			return nil, missing(c.service, item+"Id")
		}
		out = append(out, d)
	}
	return out, nil
}

// registerTargets registers all of its targets or none.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
func registerTargets(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	wanted, err := c.readBatch(g)
	if err != nil {
		return nil, err
	}
	if err := c.checkTargets(g, wanted); err != nil {
		return nil, err
	}
	for i, d := range wanted {
		if wanted[i].zone, err = c.zoneOf(g, d); err != nil {
			return nil, err
		}
	}
	if err := c.checkQuotas(g, wanted); err != nil {
		return nil, err
	}
	for _, d := range wanted {
		c.sim.register(g, d, c.now)
	}
	return empty{}, nil
}

// checkTargets refuses targets that cannot be registered, by rule, and names all
// of them that break it.
func (c *call) checkTargets(g *targetGroup, wanted []description) error {
	var unknown, stopped, elsewhere, unsupported, unaddressed []string
	known := c.world().instances
	for _, d := range wanted {
		if slices.Contains(c.refused, d.ID) {
			stopped = append(stopped, d.ID)
			continue
		}
		if g.settings.targetType != "instance" {
			continue
		}
		switch i := known[d.ID]; {
		case !instanceID.MatchString(d.ID):
			return g.checkIDs([]description{d})
		case i == nil || i.gone(c.now):
			unknown = append(unknown, d.ID)
		case i.State != Running:
			stopped = append(stopped, d.ID)
		case i.VPC != g.settings.vpc:
			elsewhere = append(elsewhere, d.ID)
		case slices.Contains(oldFamilies, i.family()):
			unsupported = append(unsupported, d.ID)
		case g.settings.addressType == "ipv6" && i.IPv6 == "":
			unaddressed = append(unaddressed, d.ID)
		}
	}
	switch {
	case len(unknown) > 0:
		return refuse("InvalidTarget", "The following targets are not valid instances: %s", quoted(unrepeated(unknown)))
	case len(stopped) > 0:
		return refuse("InvalidTarget", "The following targets are not in a running state and cannot be registered: %s",
			quoted(unrepeated(stopped)))
	case len(elsewhere) > 0:
		return refuse("InvalidTarget", "The following targets are not in the target group VPC '%s': %s",
			g.settings.vpc, quoted(unrepeated(elsewhere)))
	case len(unsupported) > 0:
		// Quoted in aws-load-balancer-controller#3508, unlike the others.
		return refuse("InvalidTarget", "Targets {%s} are not supported", strings.Join(unrepeated(unsupported), ", "))
	}
	if len(unaddressed) > 0 {
		// network/target-group-register-targets.html: "must have an assigned primary
		// IPv6 address".
		return refuse("InvalidTarget", "The following targets do not have a primary IPv6 address: %s", quoted(unrepeated(unaddressed)))
	}
	return c.checkQUIC(g, wanted)
}

// oldFamilies are the instance types that a Network Load Balancer does not take
// by instance id.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html
var oldFamilies = []string{
	"c1", "cc1", "cc2", "cg1", "cg2", "cr1", "g1", "g2", "hi1", "hs1", "m1", "m2", "m3", "t1",
}

// private are the ranges outside the VPC that a target's address may be in.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
}

// zoneOf is the zone that a target is in: that of its instance, that of its
// address's subnet, or, outside the VPC, the one it is registered with. The
// messages are quoted in aws-load-balancer-controller#561, #3084 and #3714.
func (c *call) zoneOf(g *targetGroup, d description) (string, error) {
	if g.settings.targetType == "alb" {
		return "", refuse("InvalidTarget", "The load balancer '%s' is not valid as a target", d.ID)
	}
	if g.settings.targetType == "instance" {
		if d.zone != "" {
			return "", invalid("Availability Zone is not supported for targets of type 'instance'")
		}
		if i := c.world().instances[d.ID]; i != nil {
			return i.Zone, nil
		}
		return "", nil
	}
	ip, err := netip.ParseAddr(d.ID)
	if err != nil || ip.Is4() != (g.settings.addressType == "ipv4") {
		return "", invalid("The IP address '%s' is not a valid %s address", d.ID, g.settings.addressType)
	}
	for _, n := range c.world().vpc(g.settings.vpc).subnets {
		if !n.prefix.Contains(ip) && !n.prefix6.Contains(ip) {
			continue
		}
		if d.zone != "" && d.zone != n.zone {
			return "", invalid("The IP address '%s' is within the VPC, and cannot have its Availability Zone overridden to '%s' from '%s'",
				d.ID, d.zone, n.zone)
		}
		return n.zone, nil
	}
	switch {
	case !slices.ContainsFunc(private, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return "", invalid("The IP address '%s' is not within the allowed ranges", d.ID)
	case d.zone == "":
		return "", invalid("The Availability Zone is required for IP address '%s' because it is not in the VPC", d.ID)
	case d.zone != "all" && !strings.HasPrefix(d.zone, c.region):
		return "", invalid("You must specify a valid Availability Zone or select 'all' for all enabled Availability zones,"+
			" since the IP address '%s' is outside the VPC", d.ID)
	}
	return d.zone, nil
}

// deregisterTargets succeeds for targets that are not registered, among them
// those that are registered with another port than the one it names.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html
func deregisterTargets(c *call) (any, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	unwanted, err := c.readBatch(g)
	if err != nil {
		return nil, err
	}
	if err := g.checkIDs(unwanted); err != nil {
		return nil, err
	}
	for _, d := range unwanted {
		c.sim.deregister(g, d.Key, c.now)
	}
	return empty{}, nil
}

// checkIDs refuses ids that no target of the group's type can have. It is quoted
// in aws-load-balancer-controller#328 and #3668 for instance ids.
func (g *targetGroup) checkIDs(targets []description) error {
	for _, d := range targets {
		_, err := netip.ParseAddr(d.ID)
		switch {
		case g.settings.targetType == "instance" && !instanceID.MatchString(d.ID):
			return invalid("Instance ID '%s' is not valid", d.ID)
		case g.settings.targetType == "ip" && err != nil:
			return invalid("The IP address '%s' is not valid", d.ID)
		}
	}
	return nil
}
