package awssim

import "strings"

type xmlAddress struct {
	IPAddress    string `xml:"IpAddress,omitempty"`
	AllocationID string `xml:"AllocationId,omitempty"`
	Private      string `xml:"PrivateIPv4Address,omitempty"`
	IPv6Address  string `xml:",omitempty"`
}

type xmlZone struct {
	ZoneName              string
	SubnetID              string `xml:"SubnetId"`
	LoadBalancerAddresses members[xmlAddress]
	SourceNatIPv6Prefixes members[string] `xml:"SourceNatIpv6Prefixes"`
}

type xmlState struct {
	Code   string
	Reason string `xml:",omitempty"`
}

// xmlLoadBalancer is a load balancer in a result.
type xmlLoadBalancer struct {
	LoadBalancerArn, LoadBalancerName, DNSName string
	Zone                                       string `xml:"CanonicalHostedZoneId"`
	CreatedTime, Scheme                        string
	VPC                                        string `xml:"VpcId"`
	State                                      xmlState
	Type                                       string
	AvailabilityZones                          members[xmlZone]
	SecurityGroups                             members[string]
	AddressType                                string `xml:"IpAddressType"`
	SourceNAT                                  string `xml:"EnablePrefixForIpv6SourceNat,omitempty"`
	Enforce                                    string `xml:"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic,omitempty"`
}

type xmlLoadBalancers struct {
	LoadBalancers members[xmlLoadBalancer]
	NextMarker    string `xml:",omitempty"`
}

// hostedZones of Network Load Balancers by region.
// https://docs.aws.amazon.com/general/latest/gr/elb.html
var hostedZones = map[string]string{
	"us-east-1": "Z26RNL4JYFTOTI", "us-east-2": "ZLMOA37VPKANP", "us-west-1": "Z24FKFUX50B4VW",
	"us-west-2": "Z18D5FSROUN65G", "eu-west-1": "Z2IFOLAFXWLO4F", "eu-central-1": "Z3F0SRJ5LGBH90",
}

// dnsName is known at once: NAME-ID.elb.REGION.amazonaws.com.
func (lb *loadBalancer) dnsName() string {
	id := lb.arn[strings.LastIndex(lb.arn, "/")+1:]
	suffix := ".amazonaws.com"
	if partition(lb.region) == "aws-cn" {
		suffix += ".cn"
	}
	return lb.name + "-" + id + ".elb." + lb.region + suffix
}

func (c *call) loadBalancerList(lbs ...*loadBalancer) xmlLoadBalancers {
	var out xmlLoadBalancers
	for _, lb := range lbs {
		x := xmlLoadBalancer{
			LoadBalancerArn: lb.arn, LoadBalancerName: lb.name, DNSName: lb.dnsName(), CreatedTime: timestamp(lb.created),
			// What other regions have is not worth a list; it is the same every time.
			Zone:   or(hostedZones[lb.region], "Z"+strings.ToUpper(hash([]byte(lb.region)))[:13]),
			Scheme: lb.scheme, VPC: lb.vpc, Type: "network", AddressType: lb.addressType, SourceNAT: lb.sourceNAT,
			AvailabilityZones: c.zoneList(lb.zones), SecurityGroups: members[string]{lb.groups}, Enforce: lb.enforce,
		}
		x.State.Code, x.State.Reason = lb.stateAt(c.now)
		out.LoadBalancers.Member = append(out.LoadBalancers.Member, x)
	}
	return out
}

// zoneList shows the addresses that were asked for; the others are AWS's own
// business, and found among the network interfaces only.
func (c *call) zoneList(zones []lbZone) members[xmlZone] {
	var out members[xmlZone]
	for _, z := range zones {
		x := xmlZone{ZoneName: z.subnet.zone, SubnetID: z.subnet.id}
		a := xmlAddress{AllocationID: z.allocation, IPAddress: c.world().addresses[z.allocation].Address}
		if z.private.IsValid() {
			a.Private = z.private.String()
		}
		if z.ipv6.IsValid() {
			a.IPv6Address = z.ipv6.String()
		}
		if a != (xmlAddress{}) {
			x.LoadBalancerAddresses.Member = append(x.LoadBalancerAddresses.Member, a)
		}
		if z.prefix6.IsValid() {
			x.SourceNatIPv6Prefixes.Member = append(x.SourceNatIPv6Prefixes.Member, z.prefix6.String())
		}
		out.Member = append(out.Member, x)
	}
	return out
}
