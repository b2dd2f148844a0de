package awssim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// networkActions read VPCs, subnets and network interfaces. Nothing here makes
// any: tests seed the first two, and load balancers have the third.
func networkActions() map[string]action {
	return map[string]action{
		"DescribeVpcs":              {bucket: ec2Filtered, params: ec2List("VpcId.N"), run: describeVPCs},
		"DescribeSubnets":           {bucket: ec2Filtered, params: ec2List("SubnetId.N"), run: describeSubnets},
		"DescribeNetworkInterfaces": {bucket: ec2Filtered, params: ec2List("NetworkInterfaceId.N"), run: describeInterfaces},
	}
}

// listed are the things that a call asks for, by id and filters; an unknown id is
// refused with the code.
func listed[T any](c *call, all []T, list, code string, id func(T) string, of func(T) func(string) ([]string, bool)) ([]T, string, error) {
	var none T
	filters, err := c.filters(of(none))
	if err != nil {
		return nil, "", err
	}
	ids := c.list(list)
	for _, want := range ids {
		if !slices.ContainsFunc(all, func(t T) bool { return id(t) == want }) {
			return nil, "", refuse(code, "The ID '%s' does not exist", want)
		}
	}
	var found []T
	for _, t := range all {
		if (len(ids) == 0 || slices.Contains(ids, id(t))) && passes(filters, of(t)) {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b T) int { return strings.Compare(id(a), id(b)) })
	page, next, err := c.ec2Page(len(found), func(i int) string { return id(found[i]) })
	if err != nil {
		return nil, "", err
	}
	return found[page.from:page.to], next, nil
}

// lookup is a set of values that filters look at.
func lookup(values map[string][]string) func(string) ([]string, bool) {
	return func(name string) ([]string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

type xmlVPC struct {
	ID    string `xml:"vpcId"`
	Owner string `xml:"ownerId"`
	State string `xml:"state"`
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html
func describeVPCs(c *call) (any, error) {
	w := c.world()
	ids := slices.Sorted(maps.Keys(w.vpcs))
	page, next, err := listed(c, ids, "VpcId", "InvalidVpcID.NotFound", func(id string) string { return id },
		func(id string) func(string) ([]string, bool) {
			return lookup(map[string][]string{"vpc-id": {id}, "owner-id": {w.account}, "state": {"available"}})
		})
	if err != nil {
		return nil, err
	}
	out := struct {
		VPCs set[xmlVPC] `xml:"vpcSet"`
		Next string      `xml:"nextToken,omitempty"`
	}{Next: next}
	for _, id := range page {
		out.VPCs.Item = append(out.VPCs.Item, xmlVPC{id, w.account, "available"})
	}
	return out, nil
}

type xmlIPv6 struct {
	CIDR  string `xml:"ipv6CidrBlock"`
	State string `xml:"ipv6CidrBlockState>state"`
}

type xmlSubnet struct {
	ID    string       `xml:"subnetId"`
	ARN   string       `xml:"subnetArn"`
	VPC   string       `xml:"vpcId"`
	Owner string       `xml:"ownerId"`
	Zone  string       `xml:"availabilityZone"`
	CIDR  string       `xml:"cidrBlock"`
	Free  int          `xml:"availableIpAddressCount"`
	State string       `xml:"state"`
	IPv6  set[xmlIPv6] `xml:"ipv6CidrBlockAssociationSet"`
}

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html
func describeSubnets(c *call) (any, error) {
	w := c.world()
	var all []xmlSubnet
	for _, v := range w.vpcs {
		for _, n := range v.subnets {
			x := xmlSubnet{
				ID: n.id, ARN: ec2ARN(w.place, "subnet", n.id), VPC: n.vpc, Owner: w.account, Zone: n.zone,
				CIDR: n.prefix.String(), Free: w.free(n, c.now), State: "available",
			}
			if n.prefix6.IsValid() {
				x.IPv6.Item = []xmlIPv6{{n.prefix6.String(), "associated"}}
			}
			all = append(all, x)
		}
	}
	page, next, err := listed(c, all, "SubnetId", "InvalidSubnetID.NotFound", func(x xmlSubnet) string { return x.ID },
		func(x xmlSubnet) func(string) ([]string, bool) {
			return lookup(map[string][]string{
				"subnet-id": {x.ID}, "vpc-id": {x.VPC}, "availability-zone": {x.Zone}, "cidr-block": {x.CIDR}, "state": {x.State},
				"owner-id": {x.Owner}, "available-ip-address-count": {strconv.Itoa(x.Free)},
			})
		})
	return struct {
		Subnets set[xmlSubnet] `xml:"subnetSet"`
		Next    string         `xml:"nextToken,omitempty"`
	}{set[xmlSubnet]{page}, next}, err
}

type xmlInterface struct {
	ID          string             `xml:"networkInterfaceId"`
	Subnet      string             `xml:"subnetId"`
	VPC         string             `xml:"vpcId"`
	Zone        string             `xml:"availabilityZone"`
	Description string             `xml:"description"`
	Owner       string             `xml:"ownerId"`
	Requester   string             `xml:"requesterId"`
	Managed     bool               `xml:"requesterManaged"`
	Status      string             `xml:"status"`
	Private     string             `xml:"privateIpAddress"`
	Kind        string             `xml:"interfaceType"`
	Groups      set[xmlMembership] `xml:"groupSet"`
	Association *xmlAssociation    `xml:"association,omitempty"`
}

type xmlMembership struct {
	ID   string `xml:"groupId"`
	Name string `xml:"groupName"`
}

type xmlAssociation struct {
	Allocation string `xml:"allocationId"`
	Address    string `xml:"publicIp"`
}

// describeInterfaces shows the interfaces of load balancers, those that linger
// too: in use until they are gone (assumed).
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
func describeInterfaces(c *call) (any, error) {
	w := c.world()
	var all []xmlInterface
	for _, i := range w.interfaces {
		if !i.there(c.now) {
			continue
		}
		x := xmlInterface{
			ID: i.id, Subnet: i.subnet.id, VPC: i.vpc, Zone: i.subnet.zone, Description: i.description, Owner: w.account,
			Requester: "amazon-elb", Managed: true, Status: "in-use", Private: i.private.String(), Kind: i.kind,
		}
		for _, id := range i.groups {
			m := xmlMembership{ID: id}
			if g := w.securityGroups[id]; g != nil {
				m.Name = g.name
			}
			x.Groups.Item = append(x.Groups.Item, m)
		}
		if i.allocation != "" {
			x.Association = &xmlAssociation{i.allocation, w.addresses[i.allocation].Address}
		}
		all = append(all, x)
	}
	page, next, err := listed(c, all, "NetworkInterfaceId", "InvalidNetworkInterfaceID.NotFound",
		func(x xmlInterface) string { return x.ID }, filteredInterface)
	return struct {
		Interfaces set[xmlInterface] `xml:"networkInterfaceSet"`
		Next       string            `xml:"nextToken,omitempty"`
	}{set[xmlInterface]{page}, next}, err
}

func filteredInterface(x xmlInterface) func(string) ([]string, bool) {
	var groups []string
	for _, g := range x.Groups.Item {
		groups = append(groups, g.ID)
	}
	return lookup(map[string][]string{
		"network-interface-id": {x.ID}, "subnet-id": {x.Subnet}, "vpc-id": {x.VPC}, "availability-zone": {x.Zone},
		"description": {x.Description}, "status": {x.Status}, "interface-type": {x.Kind}, "group-id": groups,
		"private-ip-address": {x.Private}, "owner-id": {x.Owner}, "requester-id": {x.Requester},
	})
}
