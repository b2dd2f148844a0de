package stack

import (
	"fmt"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
)

// What the examples take to be there in AWS: it is not for this provider to make.
var (
	// Subnets by zone, in the order of Zones.
	Subnets = []string{"subnet-0a1b2c3d4e5f60718", "subnet-0b1c2d3e4f5061728", "subnet-0c1d2e3f405162738"}
	// Addresses are Elastic IP addresses, by their allocation ids.
	Addresses = []string{"eipalloc-0a1b2c3d4e5f60718", "eipalloc-0b1c2d3e4f5061728"}
)

// NodeGroup is the security group of the nodes.
const NodeGroup = "sg-0f1e2d3c4b5a69788"

// SeedNetwork makes, in a region, the VPC and what the examples take to be there.
func (s *Stack) SeedNetwork(region string) {
	s.Sim.SeedVPC("", region, VPC)
	for i, zone := range Zones {
		s.Sim.SeedSubnet(awssim.Subnet{ID: Subnets[i], Region: region, VPC: VPC, Zone: zone, CIDR: fmt.Sprintf("10.0.%d.0/24", i)})
	}
	for i, id := range Addresses {
		s.Sim.SeedEIP(awssim.EIP{Region: region, AllocationID: id, Address: fmt.Sprintf("203.0.113.%d", i+1)})
	}
	s.Sim.SeedSecurityGroup(awssim.SecurityGroupSeed{Region: region, ID: NodeGroup, Name: "nodes", VPC: VPC})
}
