package securitygrouprule

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// allPorts is every port, or every ICMP type or code.
const allPorts = int32(-1)

// A source is who a rule is about. AWS calls it that for both directions. Its kind
// is the name of its field.
type source struct{ kind, value string }

// The kinds of sources.
const (
	fieldCIDRIPv4   = "cidrIpv4"
	fieldCIDRIPv6   = "cidrIpv6"
	fieldPrefixList = "prefixListId"
	fieldGroup      = "referencedSecurityGroupId"
)

// A content is what a rule says, in the one form that AWS has for it. With its
// group it is a rule's identity.
type content struct {
	egress   bool
	protocol string
	from, to int32
	source   source
}

// names of the protocols that AWS does not give by number.
var names = map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}

// protocol in AWS's form.
func protocol(s string) string {
	n, err := strconv.Atoi(s)
	if err != nil {
		return s
	}

	s = strconv.Itoa(n)
	if name, ok := names[s]; ok {
		return name
	}

	return s
}

// hasPorts says whether a protocol has ports, or types and codes. Rules of all
// others are about all of the protocol.
func hasPorts(protocol string) bool {
	_, err := strconv.Atoi(protocol)

	return err != nil
}

// contentOf AWS's rule.
func contentOf(r types.SecurityGroupRule) content {
	c := content{
		egress:   r.IsEgress != nil && *r.IsEgress,
		protocol: protocol(str(r.IpProtocol)),
		from:     port(r.FromPort),
		to:       port(r.ToPort),
		source:   sourceOf(r),
	}
	if !hasPorts(c.protocol) {
		c.from, c.to = allPorts, allPorts
	}

	return c
}

func sourceOf(r types.SecurityGroupRule) source {
	switch {
	case r.CidrIpv4 != nil:
		return source{fieldCIDRIPv4, masked(*r.CidrIpv4)}
	case r.CidrIpv6 != nil:
		return source{fieldCIDRIPv6, masked(*r.CidrIpv6)}
	case r.PrefixListId != nil:
		return source{fieldPrefixList, *r.PrefixListId}
	case r.ReferencedGroupInfo != nil:
		return source{fieldGroup, str(r.ReferencedGroupInfo.GroupId)}
	}

	return source{}
}

// declare returns the content that is declared: what is not declared is as it is.
func (c content) declare(p *v1alpha1.SecurityGroupRuleParameters, sourceID string) (content, error) {
	if p.Direction != nil {
		c.egress = *p.Direction == "egress"
	}

	if p.Protocol != nil {
		c.protocol = protocol(*p.Protocol)
		c.from, c.to = port(p.FromPort), port(p.ToPort)
	}

	if !hasPorts(c.protocol) {
		c.from, c.to = allPorts, allPorts
	}

	switch {
	case p.CIDRIPv4 != nil:
		return c.cidr(*p.CIDRIPv4, true)
	case p.CIDRIPv6 != nil:
		return c.cidr(*p.CIDRIPv6, false)
	case p.PrefixListID != nil:
		c.source = source{fieldPrefixList, *p.PrefixListID}
	case sourceID != "":
		c.source = source{fieldGroup, sourceID}
	}

	return c, nil
}

// cidr declares a CIDR block, of IPv4 or IPv6.
func (c content) cidr(block string, v4 bool) (content, error) {
	field := map[bool]string{true: fieldCIDRIPv4, false: fieldCIDRIPv6}[v4]

	p, err := netip.ParsePrefix(block)
	if err != nil || p.Addr().Is4() != v4 {
		return c, controller.Stalled{Reason: controller.ReasonInvalid, Message: fmt.Sprintf(
			"spec.forProvider.%s is %q, which is no such range of addresses: write it as in %s", field, block,
			map[bool]string{true: "10.0.0.0/8", false: "2001:db8::/32"}[v4])}
	}

	c.source = source{field, p.Masked().String()}

	return c, nil
}

// masked clears the host bits of a CIDR block and shortens it.
func masked(cidr string) string {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return cidr
	}

	return p.Masked().String()
}

func port(n *int32) int32 {
	if n == nil {
		return allPorts
	}

	return *n
}

func (c content) direction() string {
	if c.egress {
		return "egress"
	}

	return "ingress"
}

// ports as AWS takes them: none where there is no choice.
func (c content) ports() (from, to *int32) {
	if !hasPorts(c.protocol) {
		return nil, nil
	}

	return &c.from, &c.to
}

func (c content) String() string {
	s := c.direction() + " " + c.protocol
	if hasPorts(c.protocol) {
		s += fmt.Sprintf(" %d-%d", c.from, c.to)
	}

	return s + " " + c.source.value
}
