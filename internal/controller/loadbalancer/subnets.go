package loadbalancer

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/apis/v1alpha1"
)

// subnets are what SetSubnets sets, besides the address type.
type subnets struct {
	// sourceNAT is on or off.
	sourceNAT string
	// mappings, sorted by subnet.
	mappings []mapping
}

// A mapping is a subnet with its addresses; an empty one is AWS's choice.
type mapping struct {
	subnet, allocation, private, ipv6, prefix string
}

// autoAssigned lets AWS choose a prefix; any will do.
const autoAssigned = "auto_assigned"

func (s subnets) equal(o subnets) bool {
	return s.sourceNAT == o.sourceNAT && slices.Equal(s.mappings, o.mappings)
}

func (s subnets) String() string {
	out := make([]string, len(s.mappings))
	for i, m := range s.mappings {
		parts := slices.DeleteFunc([]string{m.subnet, m.allocation, m.private, m.ipv6, m.prefix}, func(p string) bool { return p == "" })
		out[i] = strings.Join(parts, " ")
	}

	return strings.Join(out, ", ")
}

func (s subnets) of(subnet string) (mapping, bool) {
	for _, m := range s.mappings {
		if m.subnet == subnet {
			return m, true
		}
	}

	return mapping{}, false
}

// haveSubnets are those in AWS. Addresses that AWS does not show are empty; of
// several in a zone the one that is declared counts.
func haveSubnets(lb types.LoadBalancer, declared []v1alpha1.SubnetMapping) subnets {
	s := subnets{sourceNAT: cmp.Or(string(lb.EnablePrefixForIpv6SourceNat), "off")}

	for _, z := range lb.AvailabilityZones {
		var (
			d                         v1alpha1.SubnetMapping
			allocation, private, ipv6 []*string
			prefixes                  []*string
		)

		if i := slices.IndexFunc(declared, func(d v1alpha1.SubnetMapping) bool { return d.SubnetID == sdk.ToString(z.SubnetId) }); i >= 0 {
			d = declared[i]
		}

		for _, a := range z.LoadBalancerAddresses {
			allocation = append(allocation, a.AllocationId)
			private = append(private, a.PrivateIPv4Address)
			ipv6 = append(ipv6, a.IPv6Address)
		}

		for i := range z.SourceNatIpv6Prefixes {
			prefixes = append(prefixes, &z.SourceNatIpv6Prefixes[i])
		}

		s.mappings = append(s.mappings, mapping{
			subnet: sdk.ToString(z.SubnetId), allocation: pick(allocation, d.AllocationID), private: pick(private, d.PrivateIPv4Address),
			ipv6: pick(ipv6, d.IPv6Address), prefix: pick(prefixes, d.SourceNATIPv6Prefix),
		})
	}

	return s.sorted()
}

// pick the value that is declared, or the first.
func pick(values []*string, declared *string) string {
	first := ""

	for _, v := range values {
		if declared != nil && canonical(sdk.ToString(v)) == canonical(*declared) {
			return *v
		}

		first = cmp.Or(first, sdk.ToString(v))
	}

	return first
}

// wantSubnets are those that are declared. What is not declared of a subnet is as
// it is.
func wantSubnets(p *v1alpha1.LoadBalancerParameters, have subnets) subnets {
	want := subnets{sourceNAT: have.sourceNAT, mappings: have.mappings}
	if v := p.EnablePrefixForIPv6SourceNAT; v != nil {
		want.sourceNAT = onOff(*v)
	}

	if len(p.SubnetMappings) == 0 {
		return want
	}

	want.mappings = nil

	for _, d := range p.SubnetMappings {
		m, _ := have.of(d.SubnetID)
		m.subnet = d.SubnetID
		declare(&m.allocation, d.AllocationID)
		m.private = address(d.PrivateIPv4Address, m.private)
		m.ipv6 = address(d.IPv6Address, m.ipv6)

		// Without source NAT AWS takes no prefix, and shows none.
		if want.sourceNAT == "on" && (sdk.ToString(d.SourceNATIPv6Prefix) != autoAssigned || m.prefix == "") {
			m.prefix = address(d.SourceNATIPv6Prefix, m.prefix)
		}

		want.mappings = append(want.mappings, m)
	}

	return want.sorted()
}

func (s subnets) sorted() subnets {
	slices.SortFunc(s.mappings, func(a, b mapping) int { return strings.Compare(a.subnet, b.subnet) })

	return s
}

// address is the declared one, in the form that AWS has if it is the same.
func address(declared *string, have string) string {
	if declared == nil || canonical(*declared) == canonical(have) {
		return have
	}

	return *declared
}

func canonical(s string) string {
	if ip, err := netip.ParseAddr(s); err == nil {
		return ip.String()
	}

	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked().String()
	}

	return s
}

// A step is one call of SetSubnets on the way to what is wanted. AWS changes
// neither the subnet of an enabled zone nor an address that it has there: the zone
// has to be removed and added again. One zone at least has to stay.
type step struct {
	mappings []mapping
	// instead are calls to try if AWS answers that a zone of the call is enabled
	// with another subnet already. It alone knows the zone of a subnet.
	instead [][]mapping
	// stuck: nothing is possible, since the only zone would have to be removed.
	stuck bool
}

// next decides on a step. As long as others can be added or changed without, no
// zone is removed.
func next(want, have subnets) step {
	var (
		target, added, kept []mapping
		readdressed         []string
	)

	for _, w := range want.mappings {
		h, there := have.of(w.subnet)

		switch {
		case !there:
			added = append(added, w)
		case h.allocation != w.allocation, h.private != w.private, h.ipv6 != "" && h.ipv6 != w.ipv6:
			readdressed = append(readdressed, w.subnet)
			w.allocation, w.private, w.ipv6 = h.allocation, h.private, h.ipv6
			kept = append(kept, w)
		default:
			kept = append(kept, w)
		}

		target = append(target, w)
	}

	reached := subnets{want.sourceNAT, target}.equal(have)

	switch {
	case !reached:
		return step{mappings: target, instead: instead(have.mappings, kept, added)}
	case len(have.mappings) == 1:
		return step{stuck: true}
	}

	return step{mappings: slices.DeleteFunc(target, func(m mapping) bool { return m.subnet == readdressed[0] })}
}

// instead of adding subnets at once: what is to go goes first. If nothing would
// be left, one subnet stays, and then another is added beside it.
func instead(have, kept, added []mapping) [][]mapping {
	switch {
	case len(added) == 0, len(kept) == len(have):
		return nil
	case len(kept) > 0:
		return [][]mapping{kept}
	case len(have) > 1:
		return [][]mapping{have[:1]}
	}

	var out [][]mapping
	for _, a := range added {
		out = append(out, []mapping{have[0], a})
	}

	return out
}
