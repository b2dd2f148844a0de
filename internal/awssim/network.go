package awssim

import (
	"net/netip"
	"regexp"
	"slices"
	"time"
)

// VPC is a virtual network of an account and region.
type VPC struct {
	// Account and Region it is in; empty means DefaultAccount and us-east-1.
	Account, Region string
	// ID of the VPC.
	ID string
	// IPv6 says that it has a range of IPv6 addresses.
	IPv6 bool
	// NoInternetGateway says that nothing in it can be reached from the internet.
	NoInternetGateway bool
}

// Subnet is a part of a VPC in one zone.
type Subnet struct {
	// Account and Region it is in; empty means DefaultAccount, and the region
	// of its Zone.
	Account, Region string
	// ID of the subnet; empty means one that follows from the rest.
	ID string
	// VPC id. The VPC is made if it does not exist.
	VPC string
	// Zone is its availability zone.
	Zone string
	// CIDR is its range of addresses.
	CIDR string
	// IPv6CIDR is its range of IPv6 addresses; empty means none. Its VPC has IPv6
	// then too.
	IPv6CIDR string
	// Taken is how many of its addresses others use.
	Taken int
}

type vpc struct {
	VPC

	subnets []*subnet
}

type subnet struct {
	id, vpc, zone   string
	prefix, prefix6 netip.Prefix
	taken           int
}

var subnetID = regexp.MustCompile(`^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`)

// SeedVPC makes a VPC without subnets. Seeding it again changes nothing.
func (s *Sim) SeedVPC(account, region, id string) {
	s.change(func(time.Time) { s.world(locate(account, region, "")).vpc(id) })
}

// PutVPC makes a VPC, or changes the one with its id.
func (s *Sim) PutVPC(v VPC) {
	s.change(func(time.Time) {
		w := s.world(place{or(v.Account, DefaultAccount), or(v.Region, "us-east-1")})
		v.Account, v.Region = w.account, w.region
		w.vpc(v.ID).VPC = v
	})
}

// vpc is the VPC of an id, made if it does not exist: with its default security
// group, as AWS makes it.
func (w *world) vpc(id string) *vpc {
	if w.vpcs[id] == nil {
		w.vpcs[id] = &vpc{VPC: VPC{Account: w.account, Region: w.region, ID: id}}
		w.addDefaultGroup(id)
	}
	return w.vpcs[id]
}

// SeedSubnet makes a subnet and returns its id: addresses in it are in its VPC
// and zone. It panics if a CIDR or the id is malformed.
func (s *Sim) SeedSubnet(n Subnet) string {
	made := &subnet{id: n.ID, vpc: n.VPC, zone: n.Zone, prefix: netip.MustParsePrefix(n.CIDR), taken: n.Taken}
	if n.IPv6CIDR != "" {
		made.prefix6 = netip.MustParsePrefix(n.IPv6CIDR)
	}
	p := locate(n.Account, n.Region, n.Zone)
	if made.id == "" {
		made.id = "subnet-" + hash([]byte(p.account + p.region + n.VPC + n.Zone + n.CIDR))[:17]
	}
	if !subnetID.MatchString(made.id) {
		panic("awssim: not a subnet id: " + made.id)
	}
	s.change(func(time.Time) {
		v := s.world(p).vpc(n.VPC)
		v.IPv6 = v.IPv6 || n.IPv6CIDR != ""
		v.subnets = append(v.subnets, made)
	})
	return made.id
}

// subnet returns the subnet of an id, or nil.
func (w *world) subnet(id string) *subnet {
	for _, v := range w.vpcs {
		for _, n := range v.subnets {
			if n.id == id {
				return n
			}
		}
	}
	return nil
}

// EIP is an Elastic IP address.
type EIP struct {
	// Account and Region it is in; empty means DefaultAccount and us-east-1.
	Account, Region string
	// AllocationID is eipalloc- and 8 or 17 hex digits.
	AllocationID string
	// Address is its public address.
	Address string
	// Taken says that something else than a load balancer uses it.
	Taken bool
}

// SeedEIP allocates an Elastic IP address, or changes the one with its id.
func (s *Sim) SeedEIP(e EIP) {
	s.change(func(time.Time) {
		w := s.world(place{or(e.Account, DefaultAccount), or(e.Region, "us-east-1")})
		e.Account, e.Region = w.account, w.region
		w.addresses[e.AllocationID] = e
	})
}

// netInterface is a network interface that a load balancer has in a subnet, or
// that somebody else has.
type netInterface struct {
	id, description, kind string
	// owner is the ARN of its load balancer; empty for somebody else's.
	owner      string
	subnet     *subnet
	vpc        string
	private    netip.Addr
	groups     []string
	allocation string
	// until is when a released interface is gone; zero while it is in use.
	until time.Time
}

func (i *netInterface) there(now time.Time) bool { return i.until.IsZero() || now.Before(i.until) }

// interfaceOf returns the first interface for which f holds and that is there.
func (w *world) interfaceOf(now time.Time, f func(*netInterface) bool) *netInterface {
	for _, i := range w.interfaces {
		if i.there(now) && f(i) {
			return i
		}
	}
	return nil
}

// forgetInterfaces removes interfaces that have lingered long enough.
func (w *world) forgetInterfaces(now time.Time) {
	w.interfaces = slices.DeleteFunc(w.interfaces, func(i *netInterface) bool { return !i.there(now) })
}

// reserved is how many addresses of a subnet AWS keeps: four first, one last.
// https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
const reserved = 5

// free is how many IPv4 addresses a subnet has left.
func (w *world) free(n *subnet, now time.Time) int {
	left := 1<<(32-n.prefix.Bits()) - reserved - n.taken
	for _, i := range w.interfaces {
		if i.subnet == n && i.there(now) {
			left--
		}
	}
	return left
}

// occupied says whether somebody has an address.
func (w *world) occupied(vpc string, ip netip.Addr, now time.Time) bool {
	if w.interfaceOf(now, func(i *netInterface) bool { return i.vpc == vpc && i.private == ip }) != nil {
		return true
	}
	for _, i := range w.instances {
		if i.VPC == vpc && i.State != Terminated && i.PrivateIP == ip.String() {
			return true
		}
	}
	return false
}

// pickAddress returns a free IPv4 address of a subnet.
func (w *world) pickAddress(n *subnet, now time.Time) netip.Addr {
	ip := n.prefix.Masked().Addr()
	for range reserved - 1 {
		ip = ip.Next()
	}
	for w.occupied(n.vpc, ip, now) {
		ip = ip.Next()
	}
	return ip
}
