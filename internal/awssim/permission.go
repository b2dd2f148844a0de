package awssim

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// permission is what a security group rule allows, in AWS's canonical form: two
// rules of a group and direction with the same permission are the same rule.
type permission struct {
	protocol string
	from, to int
	// Exactly one of these is set.
	cidr4, cidr6, prefixList, peer string
}

// described is a permission with the description that is no part of it.
type described struct {
	permission

	description string
}

// names of protocols by number.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
var protocolNumbers = map[string]string{"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}

func permissionParams() map[string]shape {
	const p = "IpPermissions.N."
	return map[string]shape{
		"GroupId": anyText(), "GroupName": anyText(),
		"IpProtocol": anyText(), "FromPort": anyPort(), "ToPort": anyPort(), "CidrIp": anyText(),
		p + "IpProtocol": anyText(), p + "FromPort": anyPort(), p + "ToPort": anyPort(),
		p + "IpRanges.N.CidrIp": anyText(), p + "IpRanges.N.Description": anyText(),
		p + "Ipv6Ranges.N.CidrIpv6": anyText(), p + "Ipv6Ranges.N.Description": anyText(),
		p + "PrefixListIds.N.PrefixListId": anyText(), p + "PrefixListIds.N.Description": anyText(),
		p + "Groups.N.GroupId": anyText(), p + "Groups.N.GroupName": anyText(), p + "Groups.N.UserId": anyText(),
		p + "Groups.N.VpcId": anyText(), p + "Groups.N.VpcPeeringConnectionId": anyText(), p + "Groups.N.Description": anyText(),
	}
}

func anyPort() shape { return number(-1<<31, 1<<31-1) }

func badValue(format string, args ...any) error {
	return refuse("InvalidParameterValue", format, args...)
}

// readPermissions reads IpPermissions, or the one permission that stands in the
// call itself, into one permission for every source.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
func (c *call) readPermissions(g *securityGroup) ([]described, error) {
	items := c.items("IpPermissions")
	if c.has("IpProtocol") || c.has("CidrIp") {
		if len(items) > 0 {
			return nil, refuse("InvalidParameterCombination", "The parameter ipPermissions cannot be used with the parameter ipProtocol")
		}
		items = []string{""}
	}
	if len(items) == 0 {
		return nil, missing(c.service, "ipPermissions")
	}
	var out []described
	for _, item := range items {
		base, err := readPorts(c.str(item+"IpProtocol"), c.port(item+"FromPort"), c.port(item+"ToPort"))
		if err != nil {
			return nil, err
		}
		sources, err := c.readSources(g, item, base)
		if err != nil {
			return nil, err
		}
		out = append(out, sources...)
	}
	for i, p := range out {
		if slices.ContainsFunc(out[:i], func(o described) bool { return o.permission == p.permission }) {
			return nil, badValue("The same permission must not appear multiple times")
		}
	}
	return out, nil
}

// port is a port that may not be there.
func (c *call) port(name string) *int {
	if !c.has(name) {
		return nil
	}
	n := c.num(name, 0)
	return &n
}

// readPorts reads a protocol and its ports into canonical form.
func readPorts(protocol string, from, to *int) (permission, error) {
	p := permission{protocol: strings.ToLower(protocol), from: -1, to: -1}
	if name, ok := protocolNumbers[p.protocol]; ok {
		p.protocol = name
	}
	number, err := strconv.Atoi(p.protocol)
	known := slices.Contains([]string{"tcp", "udp", "icmp", "icmpv6"}, p.protocol)
	switch {
	case protocol == "":
		return p, missing(ServiceEC2, "ipProtocol")
	case !known && (err != nil || number < -1 || number > 255):
		return p, badValue("Invalid value '%s' for IP protocol. Unknown protocol.", protocol)
	case !known:
		// "Allows traffic on all ports, regardless of any ports that you specify."
		p.protocol = strconv.Itoa(number)
		return p, nil
	case p.protocol == "icmpv6" && from == nil && to == nil:
		return p, nil
	case from == nil || to == nil:
		return p, badValue("Invalid value 'Must specify both from and to ports with TCP/UDP/ICMP.' for portRange.")
	}
	p.from, p.to = *from, *to
	icmp := strings.HasPrefix(p.protocol, "icmp")
	switch {
	case icmp && (p.from < -1 || p.from > 255 || p.to < -1 || p.to > 255):
		return p, badValue("ICMP type or code (%d, %d) out of range", p.from, p.to)
	case icmp && p.from == -1 && p.to != -1:
		return p, badValue("ICMP code (%d) must be -1 when the ICMP type is -1", p.to)
	case icmp:
	case p.from < 0 || p.from > 65535 || p.to < 0 || p.to > 65535:
		return p, badValue("TCP/UDP port (%d, %d) out of range", p.from, p.to)
	case p.from > p.to:
		return p, badValue("Invalid port range (%d-%d)", p.from, p.to)
	}
	return p, nil
}

// readSources reads the sources of a permission, at least one.
func (c *call) readSources(g *securityGroup, item string, base permission) ([]described, error) {
	var out []described
	add := func(description string, set func(p *permission) error) error {
		d := described{base, description}
		if err := set(&d.permission); err != nil {
			return err
		}
		out = append(out, d)
		return checkText("Description", description)
	}
	var owner string // of a group
	sources := []struct {
		list, id string
		read     func(v string, p *permission) error
	}{
		{"IpRanges", "CidrIp", readCIDR4}, {"Ipv6Ranges", "CidrIpv6", readCIDR6},
		{"PrefixListIds", "PrefixListId", c.readPrefixList},
		{"Groups", "GroupId", func(v string, p *permission) error { return c.readPeer(g, owner, v, p) }},
	}
	for _, s := range sources {
		for _, i := range c.items(item + s.list) {
			owner = c.str(i + "UserId")
			if err := add(c.str(i+"Description"), func(p *permission) error { return s.read(c.str(i+s.id), p) }); err != nil {
				return nil, err
			}
		}
	}
	if item == "" && c.has("CidrIp") {
		if err := add("", func(p *permission) error { return readCIDR4(c.str("CidrIp"), p) }); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, refuse("MissingParameter", "Source group ID missing.")
	}
	return out, nil
}

// readCIDR4 canonicalises: 100.68.0.18/18 is 100.68.0.0/18.
func readCIDR4(v string, p *permission) error {
	n, err := netip.ParsePrefix(v)
	if err != nil || !n.Addr().Is4() {
		return badValue("CIDR block %s is malformed", v)
	}
	p.cidr4 = n.Masked().String()
	return nil
}

func readCIDR6(v string, p *permission) error {
	n, err := netip.ParsePrefix(v)
	if err != nil || n.Addr().Is4() {
		return badValue("CIDR block %s is malformed", v)
	}
	p.cidr6 = n.Masked().String()
	return nil
}

var prefixListID = regexp.MustCompile(`^pl-([0-9a-f]{8}|[0-9a-f]{17})$`)

func (c *call) readPrefixList(v string, p *permission) error {
	_, known := c.world().prefixLists[v]
	switch {
	case !prefixListID.MatchString(v):
		return refuse("InvalidPrefixListId.Malformed", "Invalid id: \"%s\"", v)
	case !known:
		return refuse("InvalidPrefixListID.NotFound", "The prefix list ID '%s' does not exist", v)
	}
	p.prefixList = v
	return nil
}
